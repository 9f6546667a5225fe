/* Filling and copying, whatever the strides. */
#include <stdint.h>

#include "stride.h"

enum {
    CACHE_LINE = 64,
    TURNED_STREAM = 1 << 21, /* doubles: written line by line, far apart, streaming pays earlier than elsewhere */
    TINY = 4                 /* sides of what is done before its strides have been looked at */
};

void
mk_fill(size_t rows, size_t columns, mk_window out, double value)
{
    mk_copy(rows, columns, out, (mk_window){&value, 0, 0});
}

static void
copy_rows(size_t rows, size_t columns, mk_window out, mk_window in)
{
    mk_grid grid = {.rows = rows,
                    .columns = columns,
                    .out = out.at,
                    .out_row = out.row_stride,
                    .in = {in.at},
                    .in_row = {in.row_stride},
                    .repeated = in.column_stride == 0,
                    .stream = columns >= CACHE_LINE && mk_streams(rows, columns)};
    mk_run_grid(&mk_active->copy, 1, &grid);
}

static void
copy_turned(size_t rows, size_t columns, mk_window out, mk_window in)
{
    bool aligned =
        (uintptr_t)out.at % CACHE_LINE == 0 && out.row_stride % (CACHE_LINE / (ptrdiff_t)sizeof(double)) == 0;
    mk_active->transpose(rows, columns, out.at, out.row_stride, in.at, in.column_stride,
                         aligned && rows * columns >= TURNED_STREAM);
}

static void
copy_reversed(size_t rows, size_t columns, mk_window out, mk_window in)
{
    for (size_t i = 0; i < rows; i++) {
        double *to = out.at + (ptrdiff_t)i * out.row_stride;
        const double *last = in.at + (ptrdiff_t)i * in.row_stride - (ptrdiff_t)(columns - 1);
        for (size_t j = 0; j < columns; j++)
            to[j] = last[columns - 1 - j];
    }
}

/* Consecutive results of elements that are `step` apart. */
static inline void
row_stepped(size_t n, double *to, const double *from, ptrdiff_t step)
{
    for (size_t j = 0; j < n; j++)
        to[j] = from[(ptrdiff_t)j * step];
}

static void
copy_stepped(size_t rows, size_t columns, mk_window out, mk_window in)
{
    for (size_t i = 0; i < rows; i++) {
        double *to = out.at + (ptrdiff_t)i * out.row_stride;
        const double *from = in.at + (ptrdiff_t)i * in.row_stride;
        if (in.column_stride == 2)
            row_stepped(columns, to, from, 2);
        else
            row_stepped(columns, to, from, in.column_stride);
    }
}

static void
copy_singly(size_t rows, size_t columns, mk_window out, mk_window in)
{
    for (size_t i = 0; i < rows; i++) {
        double *to = out.at + (ptrdiff_t)i * out.row_stride;
        const double *from = in.at + (ptrdiff_t)i * in.row_stride;
        for (size_t j = 0; j < columns; j++) {
            *to = *from;
            to += out.column_stride;
            from += in.column_stride;
        }
    }
}

void
mk_copy(size_t rows, size_t columns, mk_window out, mk_window in)
{
    if (rows <= TINY && columns <= TINY) {
        copy_singly(rows, columns, out, in);
        return;
    }
    if (rows == 0 || columns == 0)
        return;
    mk_window operands[2] = {out, in};
    settle(&rows, &columns, 2, operands);
    out = operands[0];
    in = operands[1];
    if (out.column_stride == 1 && (in.column_stride == 1 || in.column_stride == 0)) {
        copy_rows(rows, columns, out, in);
        return;
    }
    if (out.column_stride == 1 && in.row_stride == 1) {
        copy_turned(rows, columns, out, in);
        return;
    }
    if (out.column_stride == 1 && in.column_stride == -1)
        copy_reversed(rows, columns, out, in);
    else if (out.column_stride == 1)
        copy_stepped(rows, columns, out, in);
    else
        copy_singly(rows, columns, out, in);
}
