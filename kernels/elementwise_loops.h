/* The element-wise loops, one a row of unary.def, binary.def, compare.def and MK_TERNARIES. Included by loops.h. */

typedef vec loop_value(vec x, vec y, vec z);

enum { AHEAD = 128 }; /* doubles: far enough for the second-level cache */

/* How far ahead the result is asked for. Not in short runs: what follows them may be another thread's. */
INLINE size_t
loop_ahead(size_t n)
{
    return n >= 8 * AHEAD ? AHEAD : 0;
}

/* One row of results, two vectors at a time. A step of 0 reads the same vector again. The last few go through part of
 * a vector, so that a value does not depend on where it stands. */
INLINE void
loop_row(loop_value *value, size_t n, double *out, const double *x, size_t x_step, const double *y, size_t y_step,
         const double *z, size_t z_step)
{
    size_t i = 0, ahead = loop_ahead(n);
    UNROLLED
    for (; i + LANES <= n; i += LANES) {
        v_prepare(out + i + ahead);
        v_store(out + i, value(v_load(x + i * x_step), v_load(y + i * y_step), v_load(z + i * z_step)));
    }
    if (i == n)
        return;
    vec last_x = v_load_part(x + i * x_step, n - i), last_y = v_load_part(y + i * y_step, n - i);
    v_store_part(out + i, value(last_x, last_y, v_load_part(z + i * z_step, n - i)), n - i);
}

/* The same with what `repeated` names, a constant here, in registers. */
INLINE void
loop_held(loop_value *value, size_t n, double *out, const double *x, const double *y, const double *z,
          unsigned repeated)
{
    vec same_x = v_all(*x), same_y = v_all(*y), same_z = v_all(*z);
    size_t i = 0, ahead = loop_ahead(n);
    UNROLLED
    for (; i + LANES <= n; i += LANES) {
        v_prepare(out + i + ahead);
        v_store(out + i, value(repeated & 1U ? same_x : v_load(x + i), repeated & 2U ? same_y : v_load(y + i),
                               repeated & 4U ? same_z : v_load(z + i)));
    }
    if (i == n)
        return;
    n -= i;
    v_store_part(out + i,
                 value(repeated & 1U ? same_x : v_load_part(x + i, n), repeated & 2U ? same_y : v_load_part(y + i, n),
                       repeated & 4U ? same_z : v_load_part(z + i, n)),
                 n);
}

/* Where to read an input, at which step: a repeated one from a vector of copies. */
INLINE const double *
loop_source(const double *at, bool repeated, vec *same, size_t *step)
{
    *step = !repeated;
    if (!repeated)
        return at;
    *same = v_all(*at);
    return (const double *)same;
}

/* One run. What is common has a loop of its own. */
INLINE void
loop_line(loop_value *value, int inputs, size_t n, double *out, const double *x, const double *y, const double *z,
          unsigned repeated)
{
    if (n == 0)
        return;
    if (repeated == 0 || inputs == 1)
        loop_row(value, n, out, x, 1, inputs > 1 ? y : x, 1, inputs > 2 ? z : x, 1);
    else if (inputs == 2 && repeated == 1)
        loop_held(value, n, out, x, y, x, 1);
    else if (inputs == 2)
        loop_held(value, n, out, x, y, x, 2);
    else if (repeated == 6)
        loop_held(value, n, out, x, y, z, 6);
    else if (repeated == 2)
        loop_held(value, n, out, x, y, z, 2);
    else if (repeated == 4)
        loop_held(value, n, out, x, y, z, 4);
    else {
        vec same[MK_INPUTS];
        size_t x_step, y_step, z_step;
        x = loop_source(x, repeated & 1U, &same[0], &x_step);
        y = loop_source(y, repeated & 2U, &same[1], &y_step);
        z = loop_source(z, repeated & 4U, &same[2], &z_step);
        loop_row(value, n, out, x, x_step, y, y_step, z, z_step);
    }
}

/* The rows of a grid of which nothing is repeated, without a call each: they may be short. */
INLINE void
loop_rows(loop_value *value, const mk_grid *grid)
{
    double *out = grid->out;
    const double *x = grid->in[0], *y = grid->in[1];
    for (size_t row = grid->rows; row; row--) {
        loop_row(value, grid->columns, out, x, 1, y, 1, x, 1);
        out += grid->out_row, x += grid->in_row[0], y += grid->in_row[1];
    }
}

/* One value throughout a run. */
INLINE void
fill_run(size_t n, double *out, double value, bool stream)
{
    vec same = v_all(value);
    size_t i = stream ? (0 - (uintptr_t)out / sizeof(double)) % LANES : 0;
    if (i > n)
        i = n;
    if (i)
        v_store_part(out, same, i);
    if (stream)
        for (; i + LANES <= n; i += LANES)
            v_stream(out + i, same);
    UNROLLED
    for (; i + LANES <= n; i += LANES)
        v_store(out + i, same);
    if (i < n)
        v_store_part(out + i, same, n - i);
}

/* One run past the caches: blocks of results that a first-level cache holds go on from there. Aligned streaming stores
 * need the first few done apart. */
INLINE void
stream_run(mk_line *line, size_t n, double *out, const double *const in[MK_INPUTS], unsigned repeated)
{
    double block[MK_BLOCK];
    size_t i = 0, some = (0 - (uintptr_t)out / sizeof(double)) % LANES;
    size_t step_x = !(repeated & 1U), step_y = !(repeated & 2U), step_z = !(repeated & 4U);
    if (some > n)
        some = n;
    while (i < n) {
        bool direct = some < LANES;
        double *to = direct ? out + i : block;
        line(some, to, in[0] + i * step_x, in[1] + i * step_y, in[2] + i * step_z, repeated);
        if (!direct)
            for (size_t j = 0; j < some; j += LANES)
                v_stream(out + i + j, v_load(block + j));
        i += some;
        some = n - i < LANES ? n - i : n - i < MK_BLOCK ? (n - i) / LANES * LANES : MK_BLOCK;
    }
}

/* Every row of a grid, whatever is repeated. */
static void
run_lines(mk_line *line, int inputs, const mk_grid *grid)
{
    for (size_t row = 0; row < grid->rows; row++) {
        double *out = grid->out + (ptrdiff_t)row * grid->out_row;
        const double *in[MK_INPUTS];
        for (int k = 0; k < MK_INPUTS; k++) {
            int source = k < inputs ? k : 0;
            in[k] = grid->in[source] + (ptrdiff_t)row * grid->in_row[source];
        }
        if (grid->repeated == (1U << inputs) - 1U) {
            double value;
            line(1, &value, in[0], in[1], in[2], 0);
            fill_run(grid->columns, out, value, grid->stream);
        } else if (grid->stream)
            stream_run(line, grid->columns, out, in, grid->repeated);
        else
            line(grid->columns, out, in[0], in[1], in[2], grid->repeated);
    }
    if (grid->stream)
        v_stream_done();
}

#define LINE(family, name, inputs, expression)                                                                   \
    INLINE vec family##_##name##_value(vec x, vec y, vec z)                                                      \
    {                                                                                                            \
        (void)y;                                                                                                 \
        (void)z;                                                                                                 \
        return expression;                                                                                       \
    }                                                                                                            \
    static void family##_##name##_line(size_t n, double *out, const double *x, const double *y, const double *z, \
                                       unsigned repeated)                                                        \
    {                                                                                                            \
        loop_line(family##_##name##_value, inputs, n, out, x, y, z, repeated);                                   \
    }
#define ROWS(family, name)                                  \
    static void family##_##name##_rows(const mk_grid *grid) \
    {                                                       \
        loop_rows(family##_##name##_value, grid);           \
    }

#define UNARY(name, operator, expression, ...) LINE(unary, name, 1, expression)
#include "unary.def"
#undef UNARY
#define BINARY(name, operator, symbol, expression, ...) LINE(binary, name, 2, expression) ROWS(binary, name)
#include "binary.def"
#undef BINARY
#define COMPARE(name, operator, symbol, ...) \
    LINE(compare, name, 2, (vec)((x symbol y) & (mask)v_all(1.0))) ROWS(compare, name)
#include "compare.def"
#undef COMPARE
#define TERNARY(name, expression) LINE(ternary, name, 3, expression)
MK_TERNARIES(TERNARY)
#undef TERNARY
LINE(copy, copy, 1, x)
#undef LINE
#undef ROWS
