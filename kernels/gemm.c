/* Products. Small ones in plain loops, since a call of BLAS costs more than they do; the rest by BLAS, which takes
 * transposes and leading dimensions as they are; strides that it cannot express through packed blocks. */
#include <limits.h>

#include "blas.h"
#include "stride.h"

#ifndef MK_BLAS_LIMIT
#define MK_BLAS_LIMIT (INT_MAX / 2) /* sizes above are split; tests set it low */
#endif

enum {
    TINY = 2,             /* sides of a product done before its strides have been looked at */
    SMALL = 16 * 16 * 16, /* multiplications, measured: BLAS wins above */
    SMALL_NARROW = 1024,  /* the same where rows do not fill a vector */
    SMALL_COLUMN = 128,   /* the same for a column, where BLAS has dot products */
    NARROW = 8,
    HALF_SIDE = 48, /* from here on half of a @ a' is faster than all of it */
    EDGE = 64       /* of a packed block */
};

typedef struct {
    int transpose, leading;
} blas_layout;

/* How BLAS is to see a window, if it can: elements of a row side by side, or of a column. A single row or column has
 * only one stride that matters. */
static bool
blas_can_take(size_t rows, size_t columns, mk_window window, blas_layout *layout)
{
    ptrdiff_t across = window.row_stride, least = (ptrdiff_t)columns;
    layout->transpose = BLAS_AS_IS;
    if (window.column_stride != 1 && columns != 1) {
        if (window.row_stride != 1 && rows != 1)
            return false;
        layout->transpose = BLAS_TRANSPOSED;
        across = window.column_stride;
        least = (ptrdiff_t)rows;
    } else if (rows == 1) {
        across = least;
    }
    layout->leading = (int)across;
    return across >= least && across <= INT_MAX;
}

static bool
is_step(ptrdiff_t stride)
{
    return stride > 0 && stride <= INT_MAX;
}

/* out is rows x 1 = a @ b */
static bool
by_gemv(size_t rows, size_t inner, mk_window out, mk_window a, mk_window b, double beta)
{
    blas_layout layout;
    if (!blas_can_take(rows, inner, a, &layout) || !is_step(out.row_stride) || !is_step(b.row_stride))
        return false;
    bool turned = layout.transpose == BLAS_TRANSPOSED;
    BLAS(cblas_dgemv)(BLAS_ROW_MAJOR, layout.transpose, (int)(turned ? inner : rows), (int)(turned ? rows : inner), 1.0,
                      a.at, layout.leading, b.at, (int)b.row_stride, beta, out.at, (int)out.row_stride);
    return true;
}

static bool
by_gemm(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b, double beta)
{
    blas_layout to, left, right;
    if (!blas_can_take(rows, columns, out, &to) || !blas_can_take(rows, inner, a, &left) ||
        !blas_can_take(inner, columns, b, &right))
        return false;
    if (to.transpose == BLAS_TRANSPOSED) { /* out' = b' @ a' */
        int swap = left.transpose == BLAS_AS_IS ? BLAS_TRANSPOSED : BLAS_AS_IS;
        left.transpose = right.transpose == BLAS_AS_IS ? BLAS_TRANSPOSED : BLAS_AS_IS;
        right.transpose = swap;
        swap = left.leading;
        left.leading = right.leading;
        right.leading = swap;
        BLAS(cblas_dgemm)(BLAS_ROW_MAJOR, left.transpose, right.transpose, (int)columns, (int)rows, (int)inner, 1.0,
                          b.at, left.leading, a.at, right.leading, beta, out.at, to.leading);
        return true;
    }
    BLAS(cblas_dgemm)(BLAS_ROW_MAJOR, left.transpose, right.transpose, (int)rows, (int)columns, (int)inner, 1.0, a.at,
                      left.leading, b.at, right.leading, beta, out.at, to.leading);
    return true;
}

static size_t
edge(size_t size, size_t from)
{
    return size - from < EDGE ? size - from : EDGE;
}

/* The upper triangle of out = a @ a'. */
static bool
by_syrk(size_t side, size_t inner, mk_window out, mk_window a)
{
    blas_layout layout;
    if (side < HALF_SIDE || out.column_stride != 1 || out.row_stride > INT_MAX ||
        !blas_can_take(side, inner, a, &layout))
        return false;
    BLAS(cblas_dsyrk)(BLAS_ROW_MAJOR, BLAS_UPPER, layout.transpose, (int)side, (int)inner, 1.0, a.at, layout.leading,
                      0.0, out.at, (int)out.row_stride);
    return true;
}

/* The lower triangle becomes the mirror of the upper one. */
static void
mirror(size_t side, mk_window out)
{
    for (size_t i = 0; i < side; i += EDGE) {
        size_t height = edge(side, i);
        for (size_t j = 0; j < i; j += EDGE)
            mk_copy(height, EDGE, at_element(out, i, j), transposed(at_element(out, j, i)));
        for (size_t k = i + 1; k < i + height; k++)
            for (size_t j = i; j < k; j++)
                *at_element(out, k, j).at = *at_element(out, j, k).at;
    }
}

static bool
is_mirror(mk_window a, mk_window b)
{
    return a.at == b.at && a.row_stride == b.column_stride && a.column_stride == b.row_stride;
}

/* At most EDGE each way, through copies of whatever does not fit. */
static void
block_packed(size_t rows, size_t columns, size_t inner, double *out, mk_window a, mk_window b, double beta)
{
    double left[EDGE * EDGE], right[EDGE * EDGE];
    mk_window from_a = {left, (ptrdiff_t)inner, 1}, from_b = {right, (ptrdiff_t)columns, 1};
    mk_copy(rows, inner, from_a, a);
    mk_copy(inner, columns, from_b, b);
    mk_window to = {out, (ptrdiff_t)columns, 1};
    if (rows * columns * inner <= SMALL)
        mk_active->multiply(rows, columns, inner, to, from_a, from_b, beta);
    else
        by_gemm(rows, columns, inner, to, from_a, from_b, beta);
}

static void
by_packing(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b, double beta)
{
    double total[EDGE * EDGE];
    for (size_t i = 0; i < rows; i += EDGE)
        for (size_t j = 0; j < columns; j += EDGE) {
            size_t height = edge(rows, i), width = edge(columns, j);
            mk_window to = at_element(out, i, j), sum = {total, (ptrdiff_t)width, 1};
            if (beta != 0.0)
                mk_copy(height, width, sum, to);
            for (size_t k = 0; k < inner; k += EDGE)
                block_packed(height, width, edge(inner, k), total, at_element(a, i, k), at_element(b, k, j),
                             k ? 1.0 : beta);
            mk_copy(height, width, to, sum);
        }
}

/* As dot products, one by one, whatever the strides. */
static void
tiny(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b, double beta)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            const double *x = at_element(a, i, 0).at, *y = at_element(b, 0, j).at;
            double *to = at_element(out, i, j).at, sum = *x * *y;
            for (size_t k = 1; k < inner; k++)
                sum += x[(ptrdiff_t)k * a.column_stride] * y[(ptrdiff_t)k * b.row_stride];
            *to = beta == 0.0 ? sum : sum + beta * *to;
        }
}

static void
small(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b, double beta)
{
    double scratch[SMALL];
    if (b.column_stride != 1 && columns != 1) {
        mk_window packed = {scratch, (ptrdiff_t)columns, 1};
        mk_copy(inner, columns, packed, b);
        b = packed;
    }
    mk_active->multiply(rows, columns, inner, out, a, b, beta);
}

/* One dimension above what BLAS counts to: halves, one after the other. */
static void
split(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b, double beta)
{
    if (rows > MK_BLAS_LIMIT) {
        size_t half = rows / 2;
        mk_matmul(half, columns, inner, out, a, b, beta);
        mk_matmul(rows - half, columns, inner, at_element(out, half, 0), at_element(a, half, 0), b, beta);
    } else if (columns > MK_BLAS_LIMIT) {
        size_t half = columns / 2;
        mk_matmul(rows, half, inner, out, a, b, beta);
        mk_matmul(rows, columns - half, inner, at_element(out, 0, half), a, at_element(b, 0, half), beta);
    } else {
        size_t half = inner / 2;
        mk_matmul(rows, columns, half, out, a, b, beta);
        mk_matmul(rows, columns, inner - half, out, at_element(a, 0, half), at_element(b, half, 0), 1.0);
    }
}

/* Worth less than a call of BLAS; no product here overflows. */
static bool
is_small(size_t rows, size_t columns, size_t inner)
{
    size_t limit = columns == 1 ? SMALL_COLUMN : columns < NARROW ? SMALL_NARROW : SMALL;
    return rows <= limit && columns <= limit && inner <= limit && rows * columns * inner <= limit;
}

static void
scale(size_t rows, size_t columns, mk_window out, double beta)
{
    if (beta == 0.0)
        mk_fill(rows, columns, out, 0.0);
    else
        mk_binary(MK_BINARY_multiply, rows, columns, out, out, (mk_window){&beta, 0, 0});
}

bool
mk_matmul_takes(size_t rows, size_t columns, mk_window window)
{
    blas_layout layout;
    return blas_can_take(rows, columns, window, &layout);
}

/* Above what the loops are for. */
static void
large(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b, double beta)
{
    bool square = beta == 0.0 && rows == columns && is_mirror(a, b);
    if (square && out.column_stride != 1)
        out = transposed(out); /* which makes no difference */
    if (rows > MK_BLAS_LIMIT || columns > MK_BLAS_LIMIT || inner > MK_BLAS_LIMIT)
        split(rows, columns, inner, out, a, b, beta);
    else if (!(columns == 1 && by_gemv(rows, inner, out, a, b, beta)) &&
             !(rows == 1 && by_gemv(columns, inner, transposed(out), transposed(b), transposed(a), beta)) &&
             !(square && by_syrk(rows, inner, out, a)) && !by_gemm(rows, columns, inner, out, a, b, beta))
        by_packing(rows, columns, inner, out, a, b, beta);
    if (square)
        mirror(rows, out); /* BLAS need not add up both halves in the same order */
}

void
mk_matmul(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b, double beta)
{
    if (rows == 0 || columns == 0)
        return;
    if (inner == 0)
        scale(rows, columns, out, beta);
    else if (rows <= TINY && columns <= TINY && inner <= TINY)
        tiny(rows, columns, inner, out, a, b, beta);
    else if ((out.column_stride == 1 || columns == 1) && is_small(rows, columns, inner))
        small(rows, columns, inner, out, a, b, beta);
    else
        large(rows, columns, inner, out, a, b, beta);
}
