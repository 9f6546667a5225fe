/* Element-wise functions over any strides.
 *
 *   strides                                         what happens
 *   all dense, or scalar                            one run, straight away
 *   all transposed alike, windows without gaps      turned, flattened, one run
 *   result consecutive, inputs too or repeated      the loop, row by row
 *   anything else                                   blocks, in which the operands that do not fit are copied
 */
#include <math.h>

#include "stride.h"

enum {
    OPERANDS = MK_INPUTS + 1, /* the result and the inputs */
    BLOCK_EDGE = 32,          /* so that a transposed operand is read and copied by whole cache lines */
    BLOCK_SIZE = BLOCK_EDGE * BLOCK_EDGE,
    FEW_ROWS = 4,       /* done one by one, before their strides have been looked at */
    STREAM_COLUMNS = 64 /* shorter rows have too much edge to stream */
};

static bool
is_direct(mk_window window)
{
    return window.column_stride == 1 || window.column_stride == 0;
}

/* The result is consecutive and every input consecutive or repeated. */
static void
run_direct(const mk_elementwise *loops, size_t rows, size_t columns, int count, const mk_window *operands)
{
    mk_grid grid = {rows, columns, operands[0].at, operands[0].row_stride, {0}, {0}, 0, false};
    bool apart = true;
    for (int k = 1; k < count; k++) {
        grid.in[k - 1] = operands[k].at;
        grid.in_row[k - 1] = operands[k].row_stride;
        if (operands[k].column_stride == 0)
            grid.repeated |= 1U << (k - 1);
        apart &= operands[k].at != operands[0].at;
    }
    grid.stream = apart && columns >= STREAM_COLUMNS && mk_streams(rows, columns);
    mk_run_grid(loops, count - 1, &grid);
}

static void
run_block(const mk_elementwise *loops, size_t rows, size_t columns, int count, const mk_window *operands)
{
    double scratch[OPERANDS][BLOCK_SIZE];
    mk_window direct[OPERANDS];
    for (int k = 0; k < count; k++) {
        direct[k] = operands[k];
        if (k == 0 ? operands[k].column_stride == 1 : is_direct(operands[k]))
            continue;
        direct[k] = (mk_window){scratch[k], (ptrdiff_t)columns, 1};
        if (k > 0)
            mk_copy(rows, columns, direct[k], operands[k]);
    }
    run_direct(loops, rows, columns, count, direct);
    if (direct[0].at == scratch[0])
        mk_copy(rows, columns, operands[0], direct[0]);
}

static void
run_blocks(const mk_elementwise *loops, size_t rows, size_t columns, int count, const mk_window *operands)
{
    size_t height = rows < BLOCK_EDGE ? rows : BLOCK_EDGE;
    size_t width = BLOCK_SIZE / height;
    if (width > columns) {
        width = columns;
        height = BLOCK_SIZE / width;
    }
    for (size_t row = 0; row < rows; row += height)
        for (size_t column = 0; column < columns; column += width) {
            mk_window here[OPERANDS];
            for (int k = 0; k < count; k++)
                here[k] = at_element(operands[k], row, column);
            run_block(loops, rows - row < height ? rows - row : height,
                      columns - column < width ? columns - column : width, count, here);
        }
}

static __attribute__((noinline)) void
run_strided(const mk_elementwise *loops, size_t rows, size_t columns, int count, mk_window *operands)
{
    if (rows == 0 || columns == 0)
        return;
    settle(&rows, &columns, count, operands);
    bool direct = operands[0].column_stride == 1;
    for (int k = 1; k < count; k++)
        direct &= is_direct(operands[k]);
    if (direct)
        run_direct(loops, rows, columns, count, operands);
    else
        run_blocks(loops, rows, columns, count, operands);
}

void
mk_unary(mk_unary_op op, size_t rows, size_t columns, mk_window out, mk_window in)
{
    const mk_elementwise *loops = &mk_active->unary[op];
    if (is_dense(out, columns) && is_dense(in, columns) && !mk_streams(rows, columns)) {
        loops->line(rows * columns, out.at, in.at, in.at, in.at, 0);
        return;
    }
    mk_window operands[OPERANDS] = {out, in};
    run_strided(loops, rows, columns, 2, operands);
}

static inline __attribute__((always_inline)) void
run_pair(const mk_elementwise *loops, size_t rows, size_t columns, mk_window out, mk_window a, mk_window b)
{
    if (is_dense(out, columns) && !mk_streams(rows, columns)) {
        bool dense_a = is_dense(a, columns), dense_b = is_dense(b, columns);
        if ((dense_a && (dense_b || is_scalar(b))) || (dense_b && is_scalar(a))) {
            loops->line(rows * columns, out.at, a.at, b.at, a.at, (unsigned)!dense_a | (unsigned)!dense_b << 1);
            return;
        }
    }
    /* One is consecutive, the other too or repeated. */
    if (rows <= FEW_ROWS && out.column_stride == 1 && ((a.column_stride | b.column_stride) == 1) && is_direct(a) &&
        is_direct(b) && !mk_streams(rows, columns)) {
        unsigned repeated = (unsigned)!a.column_stride | (unsigned)!b.column_stride << 1;
        for (; rows; rows--) {
            loops->line(columns, out.at, a.at, b.at, a.at, repeated);
            out.at += out.row_stride, a.at += a.row_stride, b.at += b.row_stride;
        }
        return;
    }
    mk_window operands[OPERANDS] = {out, a, b};
    run_strided(loops, rows, columns, 3, operands);
}

static inline __attribute__((always_inline)) void
run_three(const mk_elementwise *loops, size_t rows, size_t columns, mk_window out, mk_window x, mk_window y,
          mk_window z)
{
    if (is_dense(out, columns) && is_dense(x, columns) && !mk_streams(rows, columns)) {
        bool scalar_y = is_scalar(y), scalar_z = is_scalar(z);
        if ((scalar_y || is_dense(y, columns)) && (scalar_z || is_dense(z, columns))) {
            loops->line(rows * columns, out.at, x.at, y.at, z.at, (unsigned)scalar_y << 1 | (unsigned)scalar_z << 2);
            return;
        }
    }
    mk_window operands[OPERANDS] = {out, x, y, z};
    run_strided(loops, rows, columns, 4, operands);
}

/* x ** y for one y; false where no quicker function gives it. */
static bool
run_scalar_power(size_t rows, size_t columns, mk_window out, mk_window x, double y)
{
    double infinity = INFINITY, zero = 0.0;
    if (y == 2.0)
        mk_unary(MK_UNARY_square, rows, columns, out, x);
    else if (y == -1.0)
        mk_unary(MK_UNARY_reciprocal, rows, columns, out, x);
    else if (y == 0.5) /* a power takes the root of -0.0 and -inf without their signs */
        run_three(&mk_active->ternary[MK_TERNARY_root], rows, columns, out, x, (mk_window){&infinity, 0, 0},
                  (mk_window){&zero, 0, 0});
    else
        return false;
    return true;
}

void
mk_binary(mk_binary_op op, size_t rows, size_t columns, mk_window out, mk_window a, mk_window b)
{
    if (op == MK_BINARY_power && is_scalar(b) && run_scalar_power(rows, columns, out, a, *b.at))
        return;
    run_pair(&mk_active->binary[op], rows, columns, out, a, b);
}

void
mk_compare(mk_compare_op op, size_t rows, size_t columns, mk_window out, mk_window a, mk_window b)
{
    run_pair(&mk_active->compare[op], rows, columns, out, a, b);
}

void
mk_unary_line(mk_unary_op op, size_t count, double *out, const double *in)
{
    mk_active->unary[op].line(count, out, in, in, in, 0);
}

void
mk_binary_line(mk_binary_op op, size_t count, double *out, const double *a, const double *b, unsigned repeated)
{
    if (op == MK_BINARY_power && repeated == 2) {
        double y = *b;
        mk_binary(op, 1, count, (mk_window){out, (ptrdiff_t)count, 1}, (mk_window){(double *)a, (ptrdiff_t)count, 1},
                  (mk_window){&y, 0, 0});
        return;
    }
    mk_active->binary[op].line(count, out, a, b, a, repeated);
}

void
mk_compare_line(mk_compare_op op, size_t count, double *out, const double *a, const double *b, unsigned repeated)
{
    mk_active->compare[op].line(count, out, a, b, a, repeated);
}

void
mk_where(size_t rows, size_t columns, mk_window out, mk_window which, mk_window a, mk_window b)
{
    run_three(&mk_active->ternary[MK_TERNARY_where], rows, columns, out, which, a, b);
}

void
mk_clip(size_t rows, size_t columns, mk_window out, mk_window in, mk_window low, mk_window high)
{
    run_three(&mk_active->ternary[MK_TERNARY_clip], rows, columns, out, in, low, high);
}

void
mk_fma(size_t rows, size_t columns, mk_window out, mk_window x, mk_window y, mk_window z)
{
    run_three(&mk_active->ternary[MK_TERNARY_fma], rows, columns, out, x, y, z);
}

void
mk_scaled_add(size_t rows, size_t columns, mk_window out, mk_window x, mk_window y, mk_window z)
{
    run_three(&mk_active->ternary[MK_TERNARY_scaled_add], rows, columns, out, x, y, z);
}

void
mk_round(size_t rows, size_t columns, mk_window out, mk_window in, int decimals)
{
    double up = 1.0, down = 1.0, *power = decimals < 0 ? &down : &up;
    for (int left = decimals < 0 ? -decimals : decimals; left && *power < INFINITY; left--)
        *power *= 10.0;
    mk_ternary_op op = decimals ? MK_TERNARY_round_at : MK_TERNARY_round;
    run_three(&mk_active->ternary[op], rows, columns, out, in, (mk_window){&up, 0, 0}, (mk_window){&down, 0, 0});
}
