/* The element-wise loops, one a row of unary.def, binary.def, compare.def and MK_TERNARIES. Included by loops.h. */

typedef vec loop_value(vec x, vec y, vec z);

/* One row of results. A step of 0 reads the same vector again. The last few go through part of a vector, so that a
 * value does not depend on where it stands. */
INLINE void
loop_row(loop_value *value, size_t n, double *out, const double *x, size_t x_step, const double *y, size_t y_step,
         const double *z, size_t z_step)
{
    size_t i = 0;
    UNROLLED
    for (; i + LANES <= n; i += LANES) {
        v_store(out + i, value(v_load(x), v_load(y), v_load(z)));
        x += x_step * LANES;
        y += y_step * LANES;
        z += z_step * LANES;
    }
    if (i < n)
        v_store_part(out + i, value(v_load_part(x, n - i), v_load_part(y, n - i), v_load_part(z, n - i)), n - i);
}

/* The same past the caches. Aligned streaming stores need the first few done apart. */
INLINE void
loop_row_stream(loop_value *value, size_t n, double *out, const double *x, size_t x_step, const double *y,
                size_t y_step, const double *z, size_t z_step)
{
    size_t head = (0 - (uintptr_t)out / sizeof(double)) % LANES;
    if (head > n)
        head = n;
    if (head) {
        loop_row(value, head, out, x, x_step, y, y_step, z, z_step);
        out += head, n -= head;
        x += x_step * head, y += y_step * head, z += z_step * head;
    }
    size_t whole = n - n % LANES;
    UNROLLED
    for (size_t i = 0; i < whole; i += LANES) {
        v_stream(out + i, value(v_load(x), v_load(y), v_load(z)));
        x += x_step * LANES;
        y += y_step * LANES;
        z += z_step * LANES;
    }
    if (whole < n)
        loop_row(value, n - whole, out + whole, x, x_step, y, y_step, z, z_step);
}

/* One run; `repeated` is a constant here, and what it names stays in registers. */
INLINE void
loop_held(loop_value *value, size_t n, double *out, const double *x, const double *y, const double *z,
          unsigned repeated)
{
    vec same_x = v_all(*x), same_y = v_all(*y), same_z = v_all(*z);
    size_t i = 0;
    UNROLLED
    for (; i + LANES <= n; i += LANES)
        v_store(out + i, value(repeated & 1U ? same_x : v_load(x + i), repeated & 2U ? same_y : v_load(y + i),
                               repeated & 4U ? same_z : v_load(z + i)));
    if (i == n)
        return;
    n -= i;
    v_store_part(out + i,
                 value(repeated & 1U ? same_x : v_load_part(x + i, n), repeated & 2U ? same_y : v_load_part(y + i, n),
                       repeated & 4U ? same_z : v_load_part(z + i, n)),
                 n);
}

INLINE void
loop_line(loop_value *value, int inputs, size_t n, double *out, const double *x, const double *y, const double *z,
          unsigned repeated)
{
    if (n == 0)
        return;
    if (inputs == 2 && repeated == 1)
        loop_held(value, n, out, x, y, x, 1);
    else if (inputs == 2 && repeated == 2)
        loop_held(value, n, out, x, y, x, 2);
    else if (inputs == 3 && repeated == 6)
        loop_held(value, n, out, x, y, z, 6);
    else if (inputs == 3 && repeated == 2)
        loop_held(value, n, out, x, y, z, 2);
    else if (inputs == 3 && repeated == 4)
        loop_held(value, n, out, x, y, z, 4);
    else
        loop_row(value, n, out, x, 1, inputs > 1 ? y : x, 1, inputs > 2 ? z : x, 1);
}

/* Every row of a grid; the common case, no input repeated, gets loops of its own with constant steps. */
INLINE void
loop_grid(loop_value *value, int inputs, const mk_grid *grid)
{
    double *out = grid->out;
    const double *x = grid->in[0], *y = inputs > 1 ? grid->in[1] : x, *z = inputs > 2 ? grid->in[2] : x;
    size_t n = grid->columns;
    if (!grid->repeated && !grid->stream) {
        for (size_t row = grid->rows;;) {
            loop_row(value, n, out, x, 1, y, 1, z, 1);
            if (--row == 0)
                return;
            out += grid->out_row, x += grid->in_row[0];
            y = inputs > 1 ? y + grid->in_row[1] : x;
            z = inputs > 2 ? z + grid->in_row[2] : x;
        }
    }
    vec same[MK_INPUTS];
    for (size_t row = 0; row < grid->rows; row++) {
        const double *in[MK_INPUTS];
        size_t step[MK_INPUTS];
        for (int k = 0; k < MK_INPUTS; k++) {
            int source = k < inputs ? k : 0;
            in[k] = grid->in[source] + (ptrdiff_t)row * grid->in_row[source];
            step[k] = !(grid->repeated >> source & 1U);
            if (!step[k]) {
                same[k] = v_all(*in[k]);
                in[k] = (const double *)&same[k];
            }
        }
        double *to = out + (ptrdiff_t)row * grid->out_row;
        if (grid->stream)
            loop_row_stream(value, n, to, in[0], step[0], in[1], step[1], in[2], step[2]);
        else
            loop_row(value, n, to, in[0], step[0], in[1], step[1], in[2], step[2]);
    }
    if (grid->stream)
        v_stream_done();
}

#define LOOP(family, name, inputs, expression)                                                                   \
    INLINE vec family##_##name##_value(vec x, vec y, vec z)                                                      \
    {                                                                                                            \
        (void)y;                                                                                                 \
        (void)z;                                                                                                 \
        return expression;                                                                                       \
    }                                                                                                            \
    static void family##_##name(const mk_grid *grid)                                                             \
    {                                                                                                            \
        loop_grid(family##_##name##_value, inputs, grid);                                                        \
    }                                                                                                            \
    static void family##_##name##_line(size_t n, double *out, const double *x, const double *y, const double *z, \
                                       unsigned repeated)                                                        \
    {                                                                                                            \
        loop_line(family##_##name##_value, inputs, n, out, x, y, z, repeated);                                   \
    }

#define UNARY(name, operator, expression, ...) LOOP(unary, name, 1, expression)
#include "unary.def"
#undef UNARY
#define BINARY(name, operator, symbol, expression, ...) LOOP(binary, name, 2, expression)
#include "binary.def"
#undef BINARY
#define COMPARE(name, operator, symbol, ...) LOOP(compare, name, 2, (vec)((x symbol y) & (mask)v_all(1.0)))
#include "compare.def"
#undef COMPARE
#define TERNARY(name, expression) LOOP(ternary, name, 3, expression)
MK_TERNARIES(TERNARY)
#undef TERNARY
LOOP(copy, copy, 1, x)
#undef LOOP
