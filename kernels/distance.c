/* Distances of every row of one window from every row of another.
 *
 * From the differences of their elements; or, for long rows, |x|^2 + |y|^2 - 2 x y with the products by BLAS, where
 * that cancels no more than four bits. Nearer pairs, and those whose squares leave the range, are done by differences.
 */
#include <math.h>

#include "stride.h"

enum {
    EDGE = 64,   /* rows, columns and terms of a tile: what it works on stays in the first-level cache */
    PADDING = 8, /* the widest vector */
    BLOCK = 256, /* rows and columns whose squares are kept */
    LONG = 192,  /* measured: from here on BLAS wins */
    MANY = 16    /* rows and columns, at least, for the same */
};

/* A squared distance below this share of |x|^2 + |y|^2 has lost too much. */
static const double NEAR = 1.0 / 16.0;

/* Sums of squares outside of this were rounded by more than their last bits. */
static const double LEAST_SQUARE = 1e-280, GREATEST_SQUARE = 1e300;

/* The Euclidean distance of two rows, through a power of two near the greatest difference. */
static double
distance_scaled(size_t inner, mk_window a, mk_window b)
{
    double greatest = 0.0, scale, sum = 0.0;
    for (size_t k = 0; k < inner; k++) {
        double x = fabs(*at_element(a, 0, k).at - *at_element(b, 0, k).at);
        if (isnan(x))
            return x;
        greatest = x > greatest ? x : greatest;
    }
    if (greatest == 0.0 || isinf(greatest))
        return greatest;
    scale = greatest < 1.0 ? 0x1p600 : 0x1p-600;
    for (size_t k = 0; k < inner; k++) {
        double x = (*at_element(a, 0, k).at - *at_element(b, 0, k).at) * scale;
        sum += x * x;
    }
    return sqrt(sum) / scale;
}

/* Squares into distances, for one tile. */
static void
finish_euclidean(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b)
{
    for (size_t i = 0; i < rows; i++) {
        double *to = at_element(out, i, 0).at;
        bool safe = true;
        for (size_t j = 0; j < columns; j++)
            safe &= (to[j] >= LEAST_SQUARE) & (to[j] <= GREATEST_SQUARE);
        if (safe) {
            mk_unary(MK_UNARY_sqrt, 1, columns, (mk_window){to, 0, 1}, (mk_window){to, 0, 1});
            continue;
        }
        for (size_t j = 0; j < columns; j++)
            to[j] = to[j] >= LEAST_SQUARE && to[j] <= GREATEST_SQUARE
                        ? sqrt(to[j])
                        : distance_scaled(inner, at_element(a, i, 0), at_element(b, j, 0));
    }
}

static void
finish(mk_distance_metric metric, size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b)
{
    double half = 0.5;
    if (metric == MK_DISTANCE_EUCLIDEAN)
        finish_euclidean(rows, columns, inner, out, a, b);
    else if (metric == MK_DISTANCE_HALF_SQUARED)
        mk_binary(MK_BINARY_multiply, rows, columns, out, out, (mk_window){&half, 0, 0});
}

/* Some rows of b as columns, padded with zeros to whole vectors; the width of a row of them. */
static size_t
pack(double *packed, size_t count, size_t inner, mk_window b)
{
    size_t width = (count + PADDING - 1) / PADDING * PADDING;
    mk_window to = {packed, (ptrdiff_t)width, 1};
    mk_copy(inner, count, to, transposed(b));
    if (width > count)
        mk_fill(inner, width - count, at_element(to, 0, count), 0.0);
    return width;
}

static size_t
edge(size_t size, size_t from)
{
    return size - from < EDGE ? size - from : EDGE;
}

static void
by_differences(mk_distance_metric metric, size_t rows, size_t columns, size_t inner, mk_window out, mk_window a,
               mk_window b)
{
    double packed[EDGE * EDGE];
    if (inner == 0)
        mk_fill(rows, columns, out, 0.0);
    for (size_t j = 0; j < columns && inner; j += EDGE)
        for (size_t i = 0; i < rows; i += EDGE) {
            size_t height = edge(rows, i), count = edge(columns, j);
            mk_window to = at_element(out, i, j), left = at_element(a, i, 0), right = at_element(b, j, 0);
            size_t width = (count + PADDING - 1) / PADDING * PADDING;
            for (size_t k = 0; k < inner; k += EDGE) {
                if (i == 0 || inner > EDGE)
                    width = pack(packed, count, edge(inner, k), at_element(right, 0, k));
                mk_active->distance(height, count, edge(inner, k), to.at, to.row_stride, at_element(left, 0, k), packed,
                                    (ptrdiff_t)width, k > 0);
            }
            finish(metric, height, count, inner, to, left, right);
        }
}

/* At most BLOCK each way; `out` holds the products. */
static void
from_products(mk_distance_metric metric, size_t rows, size_t columns, size_t inner, mk_window out, mk_window a,
              mk_window b)
{
    double left[BLOCK], right[BLOCK];
    size_t near = 0;
    mk_dot_axis(1, rows, inner, (mk_window){left, 1, 0}, a, a);
    mk_dot_axis(1, columns, inner, (mk_window){right, 1, 0}, b, b);
    for (size_t i = 0; i < rows; i++) {
        double *to = at_element(out, i, 0).at;
        for (size_t j = 0; j < columns; j++) {
            double total = left[i] + right[j], square = total - 2.0 * to[j];
            bool fine = (square >= total * NEAR) & (total >= LEAST_SQUARE) & (total <= GREATEST_SQUARE);
            to[j] = fine ? square : -1.0;
            near += !fine;
        }
    }
    if (near > rows * columns / MANY) {
        by_differences(metric, rows, columns, inner, out, a, b);
        return;
    }
    for (size_t i = 0; i < rows && near; i++)
        for (size_t j = 0; j < columns; j++)
            if (*at_element(out, i, j).at < 0.0)
                by_differences(MK_DISTANCE_SQUARED, 1, 1, inner, at_element(out, i, j), at_element(a, i, 0),
                               at_element(b, j, 0));
    finish(metric, rows, columns, inner, out, a, b);
}

void
mk_distance(mk_distance_metric metric, size_t rows, size_t columns, size_t inner, mk_window out, mk_window a,
            mk_window b)
{
    if (inner < LONG || rows < MANY || columns < MANY) {
        by_differences(metric, rows, columns, inner, out, a, b);
        return;
    }
    mk_matmul(rows, columns, inner, out, a, transposed(b), 0.0);
    for (size_t i = 0; i < rows; i += BLOCK)
        for (size_t j = 0; j < columns; j += BLOCK)
            from_products(metric, rows - i < BLOCK ? rows - i : BLOCK, columns - j < BLOCK ? columns - j : BLOCK, inner,
                          at_element(out, i, j), at_element(a, i, 0), at_element(b, j, 0));
}
