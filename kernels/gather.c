/* Gathering and scattering.
 *
 *   strides                           what happens
 *   rows consecutive on both sides    row after row is copied
 *   columns consecutive on both       every line is read and written at positions
 *   anything else                     bands of eight lines, so that cache lines are used as they come
 */
#include <math.h>
#include <string.h>

#include "stride.h"

enum {
    SHORT_ROW = 8, /* copied without a call */
    BAND = 8,
    PIECE = 256,
    NEAR = 1 << 15 /* doubles that are copied again and again from the cache */
};

static inline void
row_copy(size_t n, double *to, const double *from)
{
    if (n > SHORT_ROW) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    for (size_t j = 0; j < n; j++)
        to[j] = from[j];
}

static inline void
row_put(size_t n, double *to, const double *from, ptrdiff_t step, bool add)
{
    if (!add && step == 1) {
        row_copy(n, to, from);
        return;
    }
    if (!add)
        for (size_t j = 0; j < n; j++)
            to[j] = from[(ptrdiff_t)j * step];
    else if (step == 1)
        for (size_t j = 0; j < n; j++)
            to[j] += from[j];
    else
        for (size_t j = 0; j < n; j++)
            to[j] += from[(ptrdiff_t)j * step];
}

size_t
mk_whole_numbers(size_t rows, size_t columns, ptrdiff_t *to, mk_window in)
{
    double piece[PIECE];
    if (collapses(in, columns)) {
        columns *= rows;
        rows = 1;
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j += PIECE) {
            size_t n = columns - j < PIECE ? columns - j : PIECE;
            const double *from = in.at + (ptrdiff_t)i * in.row_stride + (ptrdiff_t)j * in.column_stride;
            if (in.column_stride != 1) {
                for (size_t k = 0; k < n; k++)
                    piece[k] = from[(ptrdiff_t)k * in.column_stride];
                from = piece;
            }
            ptrdiff_t *place = to + i * columns + j;
            if (mk_active->whole_numbers(n, place, from))
                continue;
            size_t first = 0;
            while ((double)place[first] == from[first] && fabs(from[first]) < 0x1p53)
                first++;
            return i * columns + j + first;
        }
    return rows * columns;
}

size_t
mk_wrap(size_t count, ptrdiff_t *at, ptrdiff_t length)
{
    bool negative;
    if (mk_active->in_range(count, at, length, &negative)) {
        if (negative)
            mk_active->from_end(count, at, length);
        return count;
    }
    size_t first = 0;
    while (at[first] >= -length && at[first] < length)
        first++;
    return first;
}

void
mk_offsets(size_t rows, size_t columns, ptrdiff_t *to, mk_positions row, mk_positions column)
{
    for (size_t i = 0; i < rows; i++, to += columns) {
        const ptrdiff_t *r = row.at + (ptrdiff_t)i * row.down, *c = column.at + (ptrdiff_t)i * column.down;
        if (row.along && column.along)
            for (size_t j = 0; j < columns; j++)
                to[j] = r[j] * row.stride + c[j] * column.stride;
        else if (row.along)
            for (size_t j = 0; j < columns; j++)
                to[j] = r[j] * row.stride + *c * column.stride;
        else if (column.along)
            for (size_t j = 0; j < columns; j++)
                to[j] = *r * row.stride + c[j] * column.stride;
        else
            for (size_t j = 0; j < columns; j++)
                to[j] = *r * row.stride + *c * column.stride;
    }
}

void
mk_pick(size_t count, double *out, const double *from, const ptrdiff_t *at)
{
    size_t k = 0;
    for (; k + 4 <= count; k += 4) {
        double a = from[at[k]], b = from[at[k + 1]], c = from[at[k + 2]], d = from[at[k + 3]];
        out[k] = a;
        out[k + 1] = b;
        out[k + 2] = c;
        out[k + 3] = d;
    }
    for (; k < count; k++)
        out[k] = from[at[k]];
}

void
mk_place(size_t rows, size_t columns, double *to, mk_window in, const ptrdiff_t *at, bool add)
{
    for (size_t i = 0; i < rows; i++, at += columns) {
        const double *from = in.at + (ptrdiff_t)i * in.row_stride;
        if (add)
            for (size_t j = 0; j < columns; j++)
                to[at[j]] += from[(ptrdiff_t)j * in.column_stride];
        else
            for (size_t j = 0; j < columns; j++)
                to[at[j]] = from[(ptrdiff_t)j * in.column_stride];
    }
}

void
mk_gather_rows(size_t rows, size_t columns, mk_window out, mk_window in, const ptrdiff_t *at)
{
    if (columns == 1)
        in.column_stride = out.column_stride = 1;
    if (out.column_stride == 1 && in.column_stride == 1 && !(columns == 1 && out.row_stride == 1)) {
        for (size_t i = 0; i < rows; i++)
            row_copy(columns, out.at + (ptrdiff_t)i * out.row_stride, in.at + at[i] * in.row_stride);
        return;
    }
    if (out.row_stride == 1 && in.row_stride == 1) {
        for (size_t j = 0; j < columns; j++)
            mk_pick(rows, out.at + (ptrdiff_t)j * out.column_stride, in.at + (ptrdiff_t)j * in.column_stride, at);
        return;
    }
    if (out.row_stride == 1) {
        for (size_t band = 0; band < rows; band += BAND) {
            size_t last = rows - band < BAND ? rows : band + BAND;
            for (size_t j = 0; j < columns; j++)
                for (size_t i = band; i < last; i++)
                    out.at[(ptrdiff_t)i + (ptrdiff_t)j * out.column_stride] =
                        in.at[at[i] * in.row_stride + (ptrdiff_t)j * in.column_stride];
        }
        return;
    }
    for (size_t band = 0; band < columns; band += BAND) {
        size_t last = columns - band < BAND ? columns : band + BAND;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = band; j < last; j++)
                out.at[(ptrdiff_t)i * out.row_stride + (ptrdiff_t)j * out.column_stride] =
                    in.at[at[i] * in.row_stride + (ptrdiff_t)j * in.column_stride];
    }
}

/* One value for all rows, at least one: the first of them is copied to the others, long ones in the way that spares
 * the memory a read. */
static void
scatter_value(size_t rows, size_t columns, mk_window out, double value, const ptrdiff_t *at)
{
    double *first = out.at + at[0] * out.row_stride;
    mk_fill(1, columns, (mk_window){first, 0, 1}, value);
    for (size_t i = 1; i < rows; i++)
        if (at[i] != at[0])
            row_copy(columns, out.at + at[i] * out.row_stride, first);
}

void
mk_scatter_rows(size_t rows, size_t columns, mk_window out, mk_window in, const ptrdiff_t *at, bool add)
{
    if (out.column_stride == 1 && !add && in.column_stride == 0 && rows > 0) {
        if (in.row_stride == 0)
            scatter_value(rows, columns, out, *in.at, at);
        else
            for (size_t i = 0; i < rows; i++)
                mk_fill(1, columns, (mk_window){out.at + at[i] * out.row_stride, 0, 1},
                        in.at[(ptrdiff_t)i * in.row_stride]);
        return;
    }
    if (out.column_stride == 1) {
        for (size_t i = 0; i < rows; i++)
            row_put(columns, out.at + at[i] * out.row_stride, in.at + (ptrdiff_t)i * in.row_stride, in.column_stride,
                    add);
        return;
    }
    size_t width = out.row_stride == 1 ? 1 : BAND; /* a consecutive line is written at positions, alone */
    for (size_t band = 0; band < columns; band += width) {
        size_t last = columns - band < width ? columns : band + width;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = band; j < last; j++) {
                double *to = out.at + at[i] * out.row_stride + (ptrdiff_t)j * out.column_stride;
                double value = in.at[(ptrdiff_t)i * in.row_stride + (ptrdiff_t)j * in.column_stride];
                *to = add ? *to + value : value;
            }
    }
}

/* ---- masks ---- */

size_t
mk_mask_count(size_t rows, size_t columns, mk_window where, bool *valid)
{
    size_t count = 0;
    *valid = true;
    if (collapses(where, columns)) {
        columns *= rows;
        rows = 1;
    }
    for (size_t i = 0; i < rows; i++)
        count += mk_active->mask_count(columns, where.at + (ptrdiff_t)i * where.row_stride, valid);
    return count;
}

void
mk_compress(size_t rows, size_t columns, double *out, size_t count, mk_window in, mk_window where)
{
    const double *end = out + count;
    if (collapses(in, columns) && collapses(where, columns)) {
        columns *= rows;
        rows = 1;
    }
    for (size_t i = 0; i < rows; i++)
        out = mk_active->compress(columns, out, end, in.at + (ptrdiff_t)i * in.row_stride,
                                  where.at + (ptrdiff_t)i * where.row_stride);
}

void
mk_expand(size_t rows, size_t columns, mk_window out, mk_window where, const double *from, size_t count)
{
    const double *end = from + count;
    if (out.column_stride == 1 && collapses(out, columns) && collapses(where, columns)) {
        columns *= rows;
        rows = 1;
    }
    for (size_t i = 0; i < rows; i++) {
        double *to = out.at + (ptrdiff_t)i * out.row_stride;
        const double *picked = where.at + (ptrdiff_t)i * where.row_stride;
        if (out.column_stride == 1) {
            from = mk_active->expand(columns, to, picked, from, end);
            continue;
        }
        for (size_t j = 0; j < columns && from < end; j++)
            if (picked[j] != 0.0)
                to[(ptrdiff_t)j * out.column_stride] = *from++;
    }
}

/* ---- repeats ---- */

static inline void
repeat_row(size_t n, size_t times, double *to, ptrdiff_t to_step, const double *from, ptrdiff_t step)
{
    for (size_t j = 0; j < n; j++) {
        double value = from[(ptrdiff_t)j * step];
        for (size_t k = 0; k < times; k++) {
            *to = value;
            to += to_step;
        }
    }
}

/* The numbers of times that occur, as constants, so that the inner loop is unrolled. */
static void
repeat_dense(size_t n, size_t times, double *to, const double *from, ptrdiff_t step)
{
    switch (times) {
    case 2:
        repeat_row(n, 2, to, 1, from, step);
        break;
    case 3:
        repeat_row(n, 3, to, 1, from, step);
        break;
    case 4:
        repeat_row(n, 4, to, 1, from, step);
        break;
    case 5:
        repeat_row(n, 5, to, 1, from, step);
        break;
    case 6:
        repeat_row(n, 6, to, 1, from, step);
        break;
    case 7:
        repeat_row(n, 7, to, 1, from, step);
        break;
    case 8:
        repeat_row(n, 8, to, 1, from, step);
        break;
    default:
        repeat_row(n, times, to, 1, from, step);
        break;
    }
}

void
mk_repeat(size_t rows, size_t columns, size_t times, mk_window out, mk_window in)
{
    for (size_t i = 0; i < rows; i++) {
        double *to = out.at + (ptrdiff_t)i * out.row_stride;
        const double *from = in.at + (ptrdiff_t)i * in.row_stride;
        if (out.column_stride == 1)
            repeat_dense(columns, times, to, from, in.column_stride);
        else
            repeat_row(columns, times, to, out.column_stride, from, in.column_stride);
    }
}

void
mk_repeat_rows(size_t rows, size_t columns, size_t times, double *out, mk_window in)
{
    for (size_t i = 0; i < rows; i++) {
        mk_window row = at_element(in, i, 0);
        const double *from = row.at;
        size_t done = 0;
        if (in.column_stride != 1 && times > 0) {
            mk_copy(1, columns, (mk_window){out, 0, 1}, row);
            from = out;
            done = 1;
        }
        for (; done < times; done++)
            row_copy(columns, out + done * columns, from);
        out += times * columns;
    }
}

/* Fills `total` elements with the first `filled` of them, again and again. */
static void
fill_periodic(double *at, size_t filled, size_t total)
{
    size_t piece = filled;
    while (filled < total) {
        size_t n = piece < total - filled ? piece : total - filled;
        row_copy(n, at + filled, at);
        filled += n;
        if (piece <= NEAR)
            piece = filled;
    }
}

void
mk_tile(size_t rows, size_t columns, size_t down, size_t across, double *out, mk_window in)
{
    size_t width = columns * across;
    if (rows == 0 || width == 0 || down == 0)
        return;
    mk_copy(rows, columns, (mk_window){out, (ptrdiff_t)width, 1}, in);
    if (across > 1)
        for (size_t i = 0; i < rows; i++)
            fill_periodic(out + i * width, columns, width);
    fill_periodic(out, rows * width, rows * width * down);
}
