/* Steps of factorizations whose matrix lies in parts: what is done to one part, in place, by another that is finished.
 * BLAS and LAPACK read row-major memory as its transpose, so each step is chosen such that its transpose is one of
 * theirs. Every operand has rows of consecutive elements, `leading` doubles apart. */
#include <limits.h>

#include "blas.h"
#include "stride.h"

static int
leading(mk_window window, size_t columns)
{
    return (int)(window.row_stride > (ptrdiff_t)columns ? window.row_stride : (ptrdiff_t)columns);
}

/* BLAS refuses 0 for a leading dimension, of nothing too. */
static int
leading_of(mk_window window, size_t columns)
{
    return columns > 0 ? leading(window, columns) : 1;
}

bool
mk_step_takes(size_t rows, size_t columns, mk_window window)
{
    return rows <= INT_MAX && columns <= INT_MAX && (columns <= 1 || window.column_stride == 1) &&
           (rows <= 1 || (window.row_stride >= (ptrdiff_t)columns && window.row_stride <= INT_MAX));
}

/* Whole numbers that LAPACK needs, in place of as many doubles. */
static int *
whole(double *work)
{
    return (int *)(void *)work;
}

/* ---- Cholesky ---- */

int
mk_cholesky_step(size_t n, mk_window a)
{
    int side = (int)n, across = leading_of(a, n), info = 0;
    if (n == 0)
        return 0;
    BLAS(dpotrf_)("U", &side, a.at, &across, &info, 1);
    for (size_t i = 0; i + 1 < n; i++)
        mk_fill(1, n - i - 1, at_element(a, i, i + 1), 0.0);
    return info;
}

void
mk_cholesky_below(size_t rows, size_t n, mk_window a, mk_window factor)
{
    if (rows > 0 && n > 0)
        BLAS(cblas_dtrsm)(BLAS_ROW_MAJOR, BLAS_RIGHT, BLAS_LOWER, BLAS_TRANSPOSED, BLAS_NON_UNIT, (int)rows, (int)n,
                          1.0, factor.at, leading_of(factor, n), a.at, leading_of(a, n));
}

void
mk_cholesky_update(size_t rows, size_t columns, size_t inner, mk_window a, mk_window left, mk_window right)
{
    if (rows == 0 || columns == 0 || inner == 0)
        return;
    if (left.at == right.at)
        BLAS(cblas_dsyrk)(BLAS_ROW_MAJOR, BLAS_LOWER, BLAS_AS_IS, (int)rows, (int)inner, -1.0, left.at,
                          leading_of(left, inner), 1.0, a.at, leading_of(a, columns));
    else
        BLAS(cblas_dgemm)(BLAS_ROW_MAJOR, BLAS_AS_IS, BLAS_TRANSPOSED, (int)rows, (int)columns, (int)inner, -1.0,
                          left.at, leading_of(left, inner), right.at, leading_of(right, inner), 1.0, a.at,
                          leading_of(a, columns));
}

/* ---- LU ----
 *
 * Of a band of rows, with columns exchanged: LAPACK exchanges rows of the transpose. `a @ exchanges = l @ u`, where u
 * has ones on its diagonal. */

/* out -= a @ b, row-major */
static void
subtract_product(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b)
{
    if (rows > 0 && columns > 0 && inner > 0)
        BLAS(cblas_dgemm)(BLAS_ROW_MAJOR, BLAS_AS_IS, BLAS_AS_IS, (int)rows, (int)columns, (int)inner, -1.0, a.at,
                          leading_of(a, inner), b.at, leading_of(b, columns), 1.0, out.at, leading_of(out, columns));
}

static void
exchange(double *one, double *other, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double kept = one[i];
        one[i] = other[i];
        other[i] = kept;
    }
}

int
mk_lu_step(size_t rows, size_t columns, mk_window a, double *pivots, double *work)
{
    int m = (int)columns, n = (int)rows, across = leading_of(a, columns), info = 0;
    if (rows == 0)
        return 0;
    BLAS(dgetrf_)(&m, &n, a.at, &across, whole(work), &info);
    for (size_t i = 0; i < rows; i++)
        pivots[i] = (double)(whole(work)[i] - 1);
    return info;
}

void
mk_lu_update(size_t rows, size_t height, size_t columns, mk_window a, mk_window factor, const double *pivots)
{
    if (rows == 0 || height == 0)
        return;
    for (size_t i = 0; i < rows; i++) {
        double *row = at_element(a, i, 0).at;
        for (size_t j = 0; j < height; j++)
            exchange(row + j, row + (size_t)pivots[j], (size_t)pivots[j] != j);
    }
    BLAS(cblas_dtrsm)(BLAS_ROW_MAJOR, BLAS_RIGHT, BLAS_UPPER, BLAS_AS_IS, BLAS_UNIT, (int)rows, (int)height, 1.0,
                      factor.at, leading_of(factor, columns), a.at, leading_of(a, columns));
    subtract_product(rows, columns - height, height, at_element(a, 0, height), a, at_element(factor, 0, height));
}

void
mk_lu_forward(size_t start, size_t height, size_t count, mk_window x, mk_window factor)
{
    mk_window here = at_element(x, start, 0), corner = at_element(factor, 0, start);
    if (height == 0 || count == 0)
        return;
    subtract_product(height, count, start, here, factor, x);
    BLAS(cblas_dtrsm)(BLAS_ROW_MAJOR, BLAS_LEFT, BLAS_LOWER, BLAS_AS_IS, BLAS_NON_UNIT, (int)height, (int)count, 1.0,
                      corner.at, leading_of(factor, start + height), here.at, leading_of(x, count));
}

void
mk_lu_backward(size_t start, size_t height, size_t columns, size_t count, mk_window x, mk_window factor,
               const double *pivots)
{
    mk_window here = at_element(x, start, 0), corner = at_element(factor, 0, start);
    size_t rest = start + height;
    if (height == 0 || count == 0)
        return;
    subtract_product(height, count, columns - rest, here, at_element(factor, 0, rest), at_element(x, rest, 0));
    BLAS(cblas_dtrsm)(BLAS_ROW_MAJOR, BLAS_LEFT, BLAS_UPPER, BLAS_AS_IS, BLAS_UNIT, (int)height, (int)count, 1.0,
                      corner.at, leading_of(factor, columns), here.at, leading_of(x, count));
    for (size_t i = height; i-- > 0;)
        if ((size_t)pivots[i] != i)
            exchange(at_element(here, i, 0).at, at_element(here, (size_t)pivots[i], 0).at, count);
}

/* ---- QR ----
 *
 * Of the transpose: a column of the matrix is a row here, which is what LAPACK calls a column. */

static size_t
asked_for(double asked)
{
    return asked >= (double)INT_MAX ? MK_TOO_LARGE : (size_t)asked + 1;
}

size_t
mk_qr_step_work(size_t rows, size_t columns)
{
    double asked = 0.0, none = 0.0;
    int m = (int)columns, n = (int)rows, across = m > 0 ? m : 1, ask = -1, info;
    BLAS(dgeqrf_)(&m, &n, &none, &across, &none, &asked, &ask, &info);
    return asked_for(asked);
}

void
mk_qr_step(size_t rows, size_t columns, mk_window a, double *factors, double *work, size_t size)
{
    int m = (int)columns, n = (int)rows, across = leading_of(a, columns), given = (int)size, info;
    if (rows > 0 && columns > 0)
        BLAS(dgeqrf_)(&m, &n, a.at, &across, factors, work, &given, &info);
}

size_t
mk_qr_apply_work(size_t rows, size_t columns, size_t count)
{
    double asked = 0.0, none = 0.0;
    int m = (int)columns, n = (int)rows, k = (int)count, across = m > 0 ? m : 1, ask = -1, info;
    BLAS(dormqr_)("L", "T", &m, &n, &k, &none, &across, &none, &none, &across, &asked, &ask, &info, 1, 1);
    return asked_for(asked);
}

void
mk_qr_apply(size_t rows, size_t columns, size_t count, mk_window a, mk_window reflectors, const double *factors,
            bool inverse, double *work, size_t size)
{
    int m = (int)columns, n = (int)rows, k = (int)count, given = (int)size, info;
    int across = leading_of(a, columns), other = leading_of(reflectors, columns);
    if (rows > 0 && count > 0)
        BLAS(dormqr_)("L", inverse ? "N" : "T", &m, &n, &k, reflectors.at, &other, factors, a.at, &across, work, &given,
                      &info, 1, 1);
}
