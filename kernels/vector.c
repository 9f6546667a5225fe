/* Vectors: products of pairs, cross products, directions. Any strides. */
#include <math.h>

#include "stride.h"

enum {
    STRIP = 128,       /* columns summed side by side, so that their products stay in the first-level cache */
    STRIP_DEPTH = 48,  /* pairs of pairs ... of such pieces: more than an address space holds */
    STRIP_SIZE = 4096, /* products in one piece */
    FEW = 4,           /* components that are not worth a call each */
    CHUNK = 256        /* lengths kept while their vectors are divided */
};

/* ---- dot products ---- */

/* Sets a window up as one run, in the order of its rows. */
static mk_run
run_of(size_t rows, size_t columns, mk_window in)
{
    bool dense = in.column_stride == 1 && (rows == 1 || in.row_stride == (ptrdiff_t)columns);
    return (mk_run){.count = rows * columns, .columns = columns, .at = in, .dense = dense};
}

static double
few_products(size_t count, mk_window a, mk_window b)
{
    double sum = 0.0;
    for (size_t j = 0; j < count; j++)
        sum += a.at[(ptrdiff_t)j * a.column_stride] * b.at[(ptrdiff_t)j * b.column_stride];
    return sum;
}

double
mk_dot(size_t rows, size_t columns, mk_window a, mk_window b)
{
    if (rows == 0 || columns == 0)
        return 0.0;
    if (rows == 1 && columns <= FEW)
        return few_products(columns, a, b);
    mk_window operands[2] = {a, b};
    settle(&rows, &columns, 2, operands);
    mk_run left = run_of(rows, columns, operands[0]), right = run_of(rows, columns, operands[1]);
    return mk_active->dot(&left, &right);
}

/* At most STRIP columns, down all rows: pieces of products summed, pieces in pairs, pairs in pairs. */
static void
dot_strip(size_t rows, size_t columns, double *out, mk_window a, mk_window b)
{
    double products[STRIP_SIZE], pending[STRIP_DEPTH][STRIP];
    size_t height = STRIP_SIZE / columns;
    mk_window piece = {products, (ptrdiff_t)columns, 1};
    int depth = 0;
    for (size_t row = 0, number = 0; row < rows; row += height, number++) {
        size_t some = rows - row < height ? rows - row : height;
        mk_binary(MK_BINARY_multiply, some, columns, piece, at_element(a, row, 0), at_element(b, row, 0));
        mk_reduce_axis(MK_REDUCE_sum, 0, some, columns, (mk_window){pending[depth++], 0, 1}, piece);
        for (size_t carry = number; carry & 1U; carry >>= 1, depth--)
            for (size_t j = 0; j < columns; j++)
                pending[depth - 2][j] += pending[depth - 1][j];
    }
    for (; depth > 1; depth--)
        for (size_t j = 0; j < columns; j++)
            pending[depth - 2][j] += pending[depth - 1][j];
    for (size_t j = 0; j < columns; j++)
        out[j] = pending[0][j];
}

static void
dot_columns(size_t rows, size_t columns, mk_window out, mk_window a, mk_window b)
{
    for (size_t j = 0; j < columns; j += STRIP) {
        double sums[STRIP];
        size_t some = columns - j < STRIP ? columns - j : STRIP;
        dot_strip(rows, some, sums, at_element(a, 0, j), at_element(b, 0, j));
        mk_copy(1, some, at_element(out, 0, j), (mk_window){sums, 0, 1});
    }
}

void
mk_dot_axis(int axis, size_t rows, size_t columns, mk_window out, mk_window a, mk_window b)
{
    if (axis == 0) { /* columns as rows */
        size_t swap = rows;
        rows = columns;
        columns = swap;
        a = transposed(a);
        b = transposed(b);
        out = transposed(out);
    }
    if (columns == 0) {
        mk_fill(rows, 1, out, 0.0);
    } else if (columns > FEW && a.column_stride != 1 && b.column_stride != 1 && rows > 1) {
        dot_columns(columns, rows, transposed(out), transposed(a), transposed(b));
    } else {
        for (size_t i = 0; i < rows; i++)
            *at_element(out, i, 0).at = mk_dot(1, columns, at_element(a, i, 0), at_element(b, i, 0));
    }
}

/* ---- two and three dimensions ---- */

void
mk_cross2(size_t count, mk_window out, mk_window a, mk_window b)
{
    for (size_t i = 0; i < count; i++) {
        const double *x = at_element(a, i, 0).at, *y = at_element(b, i, 0).at;
        *at_element(out, i, 0).at = x[0] * y[b.column_stride] - x[a.column_stride] * y[0];
    }
}

void
mk_cross3(size_t count, mk_window out, mk_window a, mk_window b)
{
    for (size_t i = 0; i < count; i++) {
        const double *x = at_element(a, i, 0).at, *y = at_element(b, i, 0).at;
        double *to = at_element(out, i, 0).at;
        double x0 = x[0], x1 = x[a.column_stride], x2 = x[2 * a.column_stride];
        double y0 = y[0], y1 = y[b.column_stride], y2 = y[2 * b.column_stride];
        to[0] = x1 * y2 - x2 * y1;
        to[out.column_stride] = x2 * y0 - x0 * y2;
        to[2 * out.column_stride] = x0 * y1 - x1 * y0;
    }
}

void
mk_perpendicular(size_t count, mk_window out, mk_window in)
{
    for (size_t i = 0; i < count; i++) {
        const double *from = at_element(in, i, 0).at;
        double *to = at_element(out, i, 0).at, x = from[0], y = from[in.column_stride];
        to[0] = -y;
        to[out.column_stride] = x;
    }
}

void
mk_angle(size_t count, mk_window out, mk_window in)
{
    mk_window x = {in.at, in.row_stride, 0}, y = {in.at + in.column_stride, in.row_stride, 0};
    mk_binary(MK_BINARY_arctan2, count, 1, out, y, x);
}

/* ---- length 1 ---- */

/* Sums of squares outside of this were rounded by more than their last bits, or were not numbers. */
static const double LEAST_SQUARE = 1e-280, GREATEST_SQUARE = 1e300;

static bool
is_safe(double square)
{
    return square >= LEAST_SQUARE && square <= GREATEST_SQUARE;
}

/* The power of two that makes the greatest component about 2^490: its square does not overflow, and what is small
 * beside it does not underflow before its quotient does. Subnormal ones become as large as a double's scale allows. */
static double
scale_of(double greatest)
{
    enum { EXPONENT = 490, GREATEST_SCALE = 1000 };
    int exponent;
    (void)frexp(greatest, &exponent);
    return ldexp(1.0, EXPONENT - exponent < GREATEST_SCALE ? EXPONENT - exponent : GREATEST_SCALE);
}

/* One vector, a whole window, whose square is not safe: scaled by a power of two, whose square is. */
static void
normalize_extreme(size_t rows, size_t columns, mk_window out, mk_window in, double nothing)
{
    double greatest = 0.0, length;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns && !isnan(greatest); j++) {
            double x = fabs(*at_element(in, i, j).at);
            greatest = x <= greatest ? greatest : x; /* a NaN stays */
        }
    if (greatest == 0.0) {
        length = nothing;
    } else if (isinf(greatest) || isnan(greatest)) {
        length = greatest;
    } else {
        double scale = scale_of(greatest);
        mk_binary(MK_BINARY_multiply, rows, columns, out, in, (mk_window){&scale, 0, 0});
        in = out;
        length = sqrt(mk_dot(rows, columns, in, in));
    }
    mk_binary(MK_BINARY_divide, rows, columns, out, in, (mk_window){&length, 0, 0});
}

/* Vectors of few components, one after the other. */
static void
normalize_few(size_t rows, size_t columns, mk_window out, mk_window in, double nothing)
{
    for (size_t i = 0; i < rows; i++, in.at += in.row_stride, out.at += out.row_stride) {
        double square = few_products(columns, in, in);
        if (!is_safe(square)) {
            normalize_extreme(1, columns, out, in, nothing);
            continue;
        }
        double length = sqrt(square);
        for (size_t j = 0; j < columns; j++)
            out.at[(ptrdiff_t)j * out.column_stride] = in.at[(ptrdiff_t)j * in.column_stride] / length;
    }
}

/* Vectors whose squares are known, not all of them safe. */
static void
normalize_each(size_t rows, size_t columns, mk_window out, mk_window in, const double *squares, double nothing)
{
    for (size_t i = 0; i < rows; i++) {
        mk_window to = at_element(out, i, 0), from = at_element(in, i, 0);
        double length = sqrt(squares[i]);
        if (is_safe(squares[i]))
            mk_binary(MK_BINARY_divide, 1, columns, to, from, (mk_window){&length, 0, 0});
        else
            normalize_extreme(1, columns, to, from, nothing);
    }
}

void
mk_normalize(size_t rows, size_t columns, mk_window out, mk_window in, double nothing)
{
    double lengths[CHUNK];
    if (columns == 0)
        return;
    if (columns <= FEW && (in.column_stride == 1 || rows < 2 * FEW)) {
        normalize_few(rows, columns, out, in, nothing);
        return;
    }
    for (size_t i = 0; i < rows; i += CHUNK) {
        size_t count = rows - i < CHUNK ? rows - i : CHUNK;
        mk_window to = at_element(out, i, 0), from = at_element(in, i, 0);
        bool safe = true;
        mk_dot_axis(1, count, columns, (mk_window){lengths, 1, 0}, from, from);
        for (size_t k = 0; k < count; k++)
            safe &= is_safe(lengths[k]);
        if (safe) {
            mk_unary(MK_UNARY_sqrt, 1, count, (mk_window){lengths, 0, 1}, (mk_window){lengths, 0, 1});
            mk_binary(MK_BINARY_divide, count, columns, to, from, (mk_window){lengths, 1, 0});
        } else {
            normalize_each(count, columns, to, from, lengths, nothing);
        }
    }
}

void
mk_normalize_whole(size_t rows, size_t columns, mk_window out, mk_window in, double nothing)
{
    double length = mk_dot(rows, columns, in, in);
    if (!is_safe(length)) {
        normalize_extreme(rows, columns, out, in, nothing);
        return;
    }
    length = sqrt(length);
    mk_binary(MK_BINARY_divide, rows, columns, out, in, (mk_window){&length, 0, 0});
}
