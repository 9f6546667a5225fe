/* Linear algebra by LAPACK, which is column-major: it reads a row-major matrix as its transpose. So every function asks
 * LAPACK for what the transpose needs for the row-major answer, and copies once, into memory that LAPACK may destroy:
 *
 *   solve, inverse, determinant   a' = P L U, hence a = U' L' P'
 *   cholesky                      the upper triangle of a' is the lower one of a
 *   qr                            a' = L Q, hence a = Q' L'
 *   svd                           a' = V S U'
 *   eigh                          a' = a
 *
 * Only eig and lstsq need the matrix turned on the way, and a few right-hand sides are; many are solved for as they
 * are, from the other side.
 */
#include <limits.h>

#include "blas.h"
#include "small_linalg.h"

enum {
    UNBLOCKED = 24,      /* up to here LAPACK does not use blocks, and the least work is enough */
    MANY = 16,           /* right-hand sides from which on they are solved for as rows, measured */
    ALONE_FACTORS = 256, /* sides up to which a second thread does not make factors faster, measured, */
    ALONE_OTHERS = 192,  /* eigenvalues and inverses, */
    ALONE_RIGHT = 40000  /* and right-hand sides, here the number of their elements */
};

static size_t
least_of(size_t x, size_t y)
{
    return x < y ? x : y;
}

static size_t
greatest_of(size_t x, size_t y)
{
    return x > y ? x : y;
}

static mk_window
dense(double *at, size_t columns)
{
    return (mk_window){at, (ptrdiff_t)columns, 1};
}

static mk_window
turned(double *at, size_t rows)
{
    return (mk_window){at, 1, (ptrdiff_t)rows};
}

/* Whole numbers that LAPACK needs, in place of as many doubles. */
static int *
whole(double *work)
{
    return (int *)(void *)work;
}

/* A work size as LAPACK wants it. */
static int
as_int(size_t size)
{
    return size > INT_MAX ? INT_MAX : (int)size;
}

/* `fixed` doubles and what LAPACK asked for, if it can count that far: `most` is above every size it computes. */
static size_t
total(size_t fixed, double asked, double most)
{
    return most >= (double)INT_MAX ? MK_TOO_LARGE : fixed + (size_t)asked + 1;
}

/* LAPACK calls BLAS for a column or a block at a time. Where threads share that, each of up to thousands of steps waits
 * for all of them: nothing won on idle cores, a hundred times slower where another program has one of the cores. */
static bool
alone_begin(size_t rows, size_t columns, size_t side)
{
    bool is_alone = (double)rows * (double)columns * (double)least_of(rows, columns) <= (double)(side * side * side);
    if (is_alone)
        blas_alone_begin();
    return is_alone;
}

static void
alone_end(bool is_alone)
{
    if (is_alone)
        blas_alone_end();
}

/* ---- LU ---- */

/* a' = P L U in `lu`; 0 or the position of a pivot that is zero. */
static int
factor(size_t n, double *lu, mk_window a, int *pivots)
{
    int side = (int)n, info = 0;
    mk_copy(n, n, dense(lu, n), a);
    bool is_alone = alone_begin(n, n, ALONE_FACTORS);
    BLAS(dgetrf_)(&side, &side, lu, &side, pivots, &info);
    alone_end(is_alone);
    return info;
}

static size_t
lu_work(size_t n)
{
    return total(n * n + n, 0.0, (double)n);
}

size_t
mk_solve_work(size_t n, size_t count)
{
    bool is_turned = count > 1 && count < MANY;
    return total(n * n + n + (is_turned ? n * count : 0), 0.0, (double)greatest_of(n, count));
}

/* x @ a.T = b for the rows of x, which hold b: LAPACK sees a column-major x' P L U = b'. */
static void
solve_rows(size_t n, size_t count, double *x, const double *lu, const int *pivots)
{
    int side = (int)n, columns = (int)count;
    bool is_alone = n * count < ALONE_RIGHT;
    if (is_alone)
        blas_alone_begin();
    BLAS(cblas_dtrsm)(BLAS_COLUMN_MAJOR, BLAS_RIGHT, BLAS_UPPER, BLAS_AS_IS, BLAS_NON_UNIT, columns, side, 1.0, lu,
                      side, x, columns);
    BLAS(cblas_dtrsm)(BLAS_COLUMN_MAJOR, BLAS_RIGHT, BLAS_LOWER, BLAS_AS_IS, BLAS_UNIT, columns, side, 1.0, lu, side, x,
                      columns);
    alone_end(is_alone);
    for (size_t i = n; i-- > 0;) {
        double *one = x + i * count, *other = x + ((size_t)pivots[i] - 1) * count;
        for (size_t j = 0; one != other && j < count; j++) {
            double kept = one[j];
            one[j] = other[j];
            other[j] = kept;
        }
    }
}

int
mk_solve(size_t n, size_t count, double *x, mk_window a, mk_window b, double *work)
{
    if (n <= SMALL_SIDE)
        return small_solve(n, count, x, a, b);
    bool is_turned = count > 1 && count < MANY;
    double *right = is_turned ? work + n * n + n : x;
    int *pivots = whole(work + n * n), side = (int)n, columns = (int)count;
    int info = factor(n, work, a, pivots);
    if (info != 0 || count == 0)
        return info;
    if (count >= MANY) {
        mk_copy(n, count, dense(x, count), b);
        solve_rows(n, count, x, work, pivots);
        return info;
    }
    mk_copy(n, count, turned(right, n), b);
    BLAS(dgetrs_)("T", &side, &columns, work, &side, pivots, right, &side, &info, 1);
    if (is_turned)
        mk_copy(n, count, dense(x, count), turned(right, n));
    return info;
}

size_t
mk_inverse_work(size_t n)
{
    double asked = (double)n;
    if (n > UNBLOCKED) {
        int side = as_int(n), ask = -1, info, pivot = 0;
        BLAS(dgetri_)(&side, &asked, &side, &pivot, &asked, &ask, &info);
    }
    return total(n, asked, 64.0 * (double)n);
}

int
mk_inverse(size_t n, double *out, mk_window a, double *work, size_t size)
{
    if (n <= SMALL_SIDE)
        return small_inverse(n, out, a);
    int side = (int)n, given = as_int(size - n), info = factor(n, out, a, whole(work));
    if (info == 0) {
        bool is_alone = alone_begin(n, n, ALONE_OTHERS);
        BLAS(dgetri_)(&side, out, &side, whole(work), work + n, &given, &info);
        alone_end(is_alone);
    }
    return info;
}

size_t
mk_determinant_work(size_t n)
{
    return lu_work(n);
}

mk_scaled
mk_determinant(size_t n, mk_window a, double *work)
{
    if (n <= SMALL_SIDE)
        return small_determinant(n, a);
    int *pivots = whole(work + n * n);
    bool negative = false;
    (void)factor(n, work, a, pivots);
    for (size_t i = 0; i < n; i++)
        negative ^= (size_t)pivots[i] != i + 1;
    return scaled_product(n, work, n + 1, negative);
}

/* ---- Cholesky ---- */

int
mk_cholesky(size_t n, double *out, mk_window a)
{
    if (n <= SMALL_SIDE)
        return small_cholesky(n, out, a);
    int side = (int)n, info = 0;
    mk_copy(n, n, dense(out, n), a);
    bool is_alone = alone_begin(n, n, ALONE_FACTORS);
    BLAS(dpotrf_)("U", &side, out, &side, &info, 1);
    alone_end(is_alone);
    for (size_t i = 0; i + 1 < n; i++)
        mk_fill(1, n - i - 1, dense(out + i * n + i + 1, n), 0.0);
    return info;
}

/* ---- QR ---- */

size_t
mk_qr_work(size_t rows, size_t columns)
{
    size_t least = least_of(rows, columns), most = greatest_of(rows, columns);
    double asked = (double)most;
    if (most > UNBLOCKED) {
        double tau = 0.0, first = 0.0, second = 0.0;
        int m = as_int(columns), n = as_int(rows), k = as_int(least), leading = as_int(most), ask = -1, info;
        BLAS(dgelqf_)(&m, &n, &tau, &leading, &tau, &first, &ask, &info);
        BLAS(dorglq_)(&k, &n, &k, &tau, &leading, &tau, &second, &ask, &info);
        asked = first > second ? first : second;
    }
    return total(least, asked, 64.0 * (double)most);
}

void
mk_qr(size_t rows, size_t columns, double *q, double *r, mk_window a, double *work, size_t size)
{
    size_t k = least_of(rows, columns);
    if (k == 0 || (rows <= SMALL_SIDE && columns <= SMALL_SIDE && small_qr(rows, columns, q, r, a)))
        return;
    int m = (int)columns, n = (int)rows, few = (int)k, given = as_int(size - k), info;
    bool wide = columns > rows; /* then r has the room that a needs, otherwise q */
    double *tau = work, *at = wide ? r : q;
    mk_copy(rows, columns, dense(at, columns), a);
    bool is_alone = alone_begin(rows, columns, ALONE_FACTORS);
    BLAS(dgelqf_)(&m, &n, at, &m, tau, work + k, &given, &info);
    if (wide)
        mk_copy(rows, k, dense(q, k), dense(at, columns));
    else
        mk_copy(k, k, dense(r, k), dense(at, k));
    for (size_t i = 1; i < k; i++)
        mk_fill(1, i, dense(r + i * columns, i), 0.0);
    BLAS(dorglq_)(&few, &n, &few, q, &few, tau, work + k, &given, &info);
    alone_end(is_alone);
}

/* ---- singular values ---- */

size_t
mk_svd_work(size_t rows, size_t columns, bool vectors)
{
    size_t k = least_of(rows, columns), most = greatest_of(rows, columns), fixed = rows * columns + 4 * k + 1;
    double few = (double)k, many = (double)most, asked = vectors ? 4 * few * few + 10 * few + many : 10 * few + many;
    if (k > 0 && most > UNBLOCKED) {
        double none = 0.0;
        int m = as_int(columns), n = as_int(rows), side = as_int(k), ask = -1, some = 0, info;
        BLAS(dgesdd_)(vectors ? "S" : "N", &m, &n, &none, &m, &none, &none, &m, &none, &side, &asked, &ask, &some,
                      &info, 1);
    }
    return total(fixed, asked, vectors ? 4 * few * (few + 3) + 64 * many : 64 * (few + many));
}

int
mk_svd(size_t rows, size_t columns, double *u, double *s, double *vh, mk_window a, double *work, size_t size)
{
    size_t k = least_of(rows, columns), fixed = rows * columns + 4 * k + 1;
    if (k == 0 || (rows <= SMALL_SIDE && columns <= SMALL_SIDE && small_svd(rows, columns, u, s, vh, a)))
        return 0;
    int m = (int)columns, n = (int)rows, side = (int)k, given = as_int(size - fixed), info = 0;
    double none;
    mk_copy(rows, columns, dense(work, columns), a);
    bool is_alone = alone_begin(rows, columns, ALONE_FACTORS);
    BLAS(dgesdd_)(u ? "S" : "N", &m, &n, work, &m, s, u ? vh : &none, &m, u ? u : &none, &side, work + fixed, &given,
                  whole(work + rows * columns), &info, 1);
    alone_end(is_alone);
    return info;
}

/* ---- eigenvalues ---- */

size_t
mk_eigh_work(size_t n)
{
    double side = (double)n, asked = 1 + 6 * side + 2 * side * side;
    size_t wholes = 2 + 3 * n; /* doubles for 3 + 5 n ints */
    if (n > UNBLOCKED) {
        double none = 0.0;
        int order = as_int(n), ask = -1, some = 0, info;
        BLAS(dsyevd_)("V", "U", &order, &none, &order, &none, &asked, &ask, &some, &ask, &info, 1, 1);
    }
    return total(n * n + wholes, asked, 1 + 70 * side + 2 * side * side);
}

int
mk_eigh(size_t n, double *w, double *v, mk_window a, double *work, size_t size)
{
    if (n == 0 || (n <= SMALL_SIDE && small_eigh(n, w, v, a)))
        return 0;
    size_t wholes = 2 + 3 * n;
    int order = (int)n, given = as_int(size - n * n - wholes), given_wholes = 3 + 5 * order, info = 0;
    mk_copy(n, n, dense(work, n), a);
    bool is_alone = alone_begin(n, n, ALONE_OTHERS);
    BLAS(dsyevd_)("V", "U", &order, work, &order, w, work + n * n + wholes, &given, whole(work + n * n), &given_wholes,
                  &info, 1, 1);
    alone_end(is_alone);
    mk_copy(n, n, dense(v, n), turned(work, n));
    return info;
}

size_t
mk_eig_work(size_t n)
{
    double asked = 4.0 * (double)n;
    if (n > UNBLOCKED) {
        double none = 0.0;
        int order = as_int(n), ask = -1, info;
        BLAS(dgeev_)("N", "V", &order, &none, &order, &none, &none, &none, &order, &none, &order, &asked, &ask, &info,
                     1, 1);
    }
    return total(2 * n * n, asked, 100.0 * (double)n);
}

int
mk_eig(size_t n, double *real, double *imaginary, double *v, mk_window a, double *work, size_t size)
{
    if (n == 0)
        return 0;
    int order = (int)n, given = as_int(size - 2 * n * n), info = 0;
    double none, *vectors = work + n * n;
    mk_copy(n, n, turned(work, n), a);
    bool is_alone = alone_begin(n, n, ALONE_OTHERS);
    BLAS(dgeev_)("N", "V", &order, work, &order, real, imaginary, &none, &order, vectors, &order, vectors + n * n,
                 &given, &info, 1, 1);
    alone_end(is_alone);
    mk_copy(n, n, dense(v, n), turned(vectors, n));
    return info;
}

/* ---- least squares ---- */

/* What precedes LAPACK's own work: a turned, b turned with the room that x needs, the singular values. */
static size_t
lstsq_fixed(size_t rows, size_t columns, size_t count)
{
    return rows * columns + greatest_of(rows, columns) * count + least_of(rows, columns);
}

/* In doubles; 32 levels of division are more than a side that fits an int has. */
static size_t
lstsq_wholes(size_t rows, size_t columns)
{
    return (3 * 32 + 11) * least_of(rows, columns) / 2 + 1;
}

size_t
mk_lstsq_work(size_t rows, size_t columns, size_t count)
{
    size_t fixed = lstsq_fixed(rows, columns, count) + lstsq_wholes(rows, columns), most = greatest_of(rows, columns);
    double none = 0.0, asked = 0.0;
    int m = as_int(rows), n = as_int(columns), width = as_int(count), leading = as_int(most), ask = -1, rank, some;
    int info;
    if (least_of(rows, columns) == 0 || count == 0)
        return 0;
    BLAS(dgelsd_)(&m, &n, &width, &none, &m, &none, &leading, &none, &none, &rank, &asked, &ask, &some, &info);
    return total(fixed, asked,
                 512.0 * (double)greatest_of(most, count) + (double)least_of(rows, columns) * (double)count);
}

int
mk_lstsq(size_t rows, size_t columns, size_t count, double *x, mk_window a, mk_window b, double least, double *work,
         size_t size)
{
    if (least_of(rows, columns) == 0 || count == 0) {
        mk_fill(columns, count, dense(x, count), 0.0);
        return 0;
    }
    size_t most = greatest_of(rows, columns), fixed = lstsq_fixed(rows, columns, count);
    size_t wholes = lstsq_wholes(rows, columns);
    double *left = work, *right = left + rows * columns, *s = right + most * count, *rest = work + fixed;
    int m = (int)rows, n = (int)columns, width = (int)count, leading = (int)most, rank, info = 0;
    int given = as_int(size - fixed - wholes);
    mk_copy(rows, columns, turned(left, rows), a);
    mk_copy(rows, count, turned(right, most), b);
    bool is_alone = alone_begin(rows, columns, ALONE_FACTORS);
    BLAS(dgelsd_)(&m, &n, &width, left, &m, right, &leading, s, &least, &rank, rest + wholes, &given, whole(rest),
                  &info);
    alone_end(is_alone);
    mk_copy(columns, count, dense(x, count), turned(right, most));
    return info;
}
