/* Running sums and products. Included by loops.h. Each result is the one before and the next element, in this order
 * and no other; what goes side by side are lines. */

enum { RUNNING_LINES = 8, RUNNING_COLUMNS = 8 * LANES };

/* A strip of columns with the results of the last row in registers. */
INLINE void
running_strip(fold_combine *combine, size_t rows, double *out, ptrdiff_t out_row, const double *in, ptrdiff_t in_row)
{
    vec last[8];
    for (int k = 0; k < 8; k++)
        v_store(out + k * LANES, last[k] = v_load(in + k * LANES));
    for (size_t i = 1; i < rows; i++) {
        out += out_row;
        in += in_row;
        for (int k = 0; k < 8; k++)
            v_store(out + k * LANES, last[k] = combine(last[k], v_load(in + k * LANES)));
    }
}

INLINE void
running_columns(fold_combine *combine, size_t rows, size_t columns, mk_window out, mk_window in)
{
    size_t j = 0;
    for (; j + RUNNING_COLUMNS <= columns; j += RUNNING_COLUMNS)
        running_strip(combine, rows, out.at + j, out.row_stride, in.at + j, in.row_stride);
    for (; j < columns; j += LANES) {
        size_t left = columns - j < LANES ? columns - j : LANES;
        vec last = left < LANES ? v_load_part(in.at + j, left) : v_load(in.at + j);
        for (size_t i = 0; i < rows; i++) {
            const double *from = in.at + (ptrdiff_t)i * in.row_stride + j;
            double *to = out.at + (ptrdiff_t)i * out.row_stride + j;
            if (i)
                last = combine(last, left < LANES ? v_load_part(from, left) : v_load(from));
            if (left < LANES)
                v_store_part(to, last, left);
            else
                v_store(to, last);
        }
    }
}

INLINE void
running_rows(fold_combine *combine, size_t rows, size_t columns, mk_window out, mk_window in)
{
    size_t i = 0;
    for (; i + RUNNING_LINES <= rows; i += RUNNING_LINES) {
        double last[RUNNING_LINES];
        for (size_t j = 0; j < columns; j++) {
            const double *from = in.at + (ptrdiff_t)i * in.row_stride + (ptrdiff_t)j * in.column_stride;
            double *to = out.at + (ptrdiff_t)i * out.row_stride + (ptrdiff_t)j * out.column_stride;
            for (int k = 0; k < RUNNING_LINES; k++) {
                double x = from[k * in.row_stride];
                last[k] = j ? combine(v_all(last[k]), v_all(x))[0] : x;
            }
            for (int k = 0; k < RUNNING_LINES; k++)
                to[k * out.row_stride] = last[k];
        }
    }
    for (; i < rows; i++) {
        const double *from = in.at + (ptrdiff_t)i * in.row_stride;
        double *to = out.at + (ptrdiff_t)i * out.row_stride, last = 0.0;
        for (size_t j = 0; j < columns; j++) {
            last = j ? combine(v_all(last), v_all(*from))[0] : *from;
            *to = last;
            from += in.column_stride;
            to += out.column_stride;
        }
    }
}

#define RUNNING(name, fold)                                                                     \
    static void running_across_##name(size_t rows, size_t columns, mk_window out, mk_window in) \
    {                                                                                           \
        running_columns(fold_##fold##_combine, rows, columns, out, in);                         \
    }                                                                                           \
    static void running_along_##name(size_t rows, size_t columns, mk_window out, mk_window in)  \
    {                                                                                           \
        running_rows(fold_##fold##_combine, rows, columns, out, in);                            \
    }
RUNNING(sum, sum)
RUNNING(product, prod)
#undef RUNNING
