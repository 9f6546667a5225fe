/* Quantiles: windows become consecutive values, of which the loops find the ones in order that are asked for. */
#include <math.h>
#include <string.h>

#include "stride.h"

enum {
    LINES = 8, /* copied at a time where the elements of a line are not consecutive */
    SLACK = 8
};

size_t
mk_quantile_room(int axis, size_t rows, size_t columns)
{
    if (axis < 0)
        return 3 * (rows * columns + SLACK);
    return (LINES + 2) * ((axis == 0 ? rows : columns) + SLACK);
}

/* From how many quantiles of a line on it takes less time to sort it than to look for them: measured. */
static size_t
sort_from(size_t count)
{
    return count < 256 ? 1 : count <= 1024 ? 2 : count <= 1 << 16 ? 4 : 12;
}

/* Consecutive values, in order or with room to look for those that would stand at a rank. */
typedef struct {
    const double *at;
    size_t count;
    double *room;
    bool sorted;
} ranks;

/* The value at a rank and the next one, if there is one; NaN if any value is. */
static void
find(const ranks *line, size_t rank, double found[2])
{
    if (!line->sorted) {
        mk_active->rank(line->at, line->count, rank, line->room, found);
        return;
    }
    double last = line->at[line->count - 1];
    found[0] = isnan(last) ? NAN : line->at[rank];
    found[1] = isnan(last) ? NAN : line->at[rank + 1 < line->count ? rank + 1 : rank];
}

/* As NumPy's "linear" method, to the last bit. */
static double
interpolated(const ranks *line, double share)
{
    double last = (double)(line->count - 1), place = last * share, found[2];
    if (place >= last) {
        find(line, line->count - 1, found);
        place += 1.0; /* counted from -1, the last one */
    } else {
        size_t rank = (size_t)place;
        find(line, rank, found);
        place -= (double)rank;
    }
    double step = found[1] - found[0];
    return place >= 0.5 ? found[1] - step * (1.0 - place) : found[0] + step * place;
}

static double
quantile_of(const mk_quantiles *which, size_t k, const ranks *line)
{
    size_t count = line->count;
    double found[2];
    if (count == 0)
        return NAN;
    switch (which->method) {
    case MK_MEDIAN:
        find(line, (count - 1) / 2, found);
        return count % 2 ? found[0] + 0.0 : (found[0] + found[1]) / 2.0;
    case MK_LINEAR:
        return interpolated(line, which->at[k]);
    default:
        find(line, which->at[k] == 0.0 ? 0 : count - 1, found);
        return found[0];
    }
}

static void
quantiles_of(const mk_quantiles *which, mk_window out, const double *at, size_t count, double *room)
{
    ranks line = {at, count, room, false};
    if (count > 1 && which->count >= sort_from(count)) {
        memcpy(room, at, count * sizeof *at);
        mk_active->sort(room, count, false);
        line = (ranks){room, count, NULL, true};
    }
    for (size_t k = 0; k < which->count; k++)
        out.at[(ptrdiff_t)k * out.row_stride] = quantile_of(which, k, &line);
}

/* Those elements that the mask chooses, consecutive; how many. */
static size_t
chosen(double *to, size_t rows, size_t columns, mk_window in, const mk_window *mask)
{
    size_t count = 0;
    for (size_t i = 0; i < rows; i++) {
        mk_window row = at_element(in, i, 0), choice = at_element(*mask, i, 0);
        for (size_t j = 0; j < columns; j++) {
            to[count] = row.at[(ptrdiff_t)j * row.column_stride];
            count += choice.at[(ptrdiff_t)j * choice.column_stride] != 0.0;
        }
    }
    return count;
}

static void
quantiles_of_all(const mk_quantiles *which, size_t rows, size_t columns, mk_window out, mk_window in,
                 const mk_window *mask, double *room)
{
    size_t count = rows * columns;
    const double *at = room;
    if (mask)
        count = chosen(room, rows, columns, in, mask);
    else if (is_dense(in, columns) || (rows == 1 && in.column_stride == 1) || is_dense(transposed(in), rows) ||
             (columns == 1 && in.row_stride == 1))
        at = in.at;
    else if (in.row_stride == 1)
        mk_copy(columns, rows, (mk_window){room, (ptrdiff_t)rows, 1}, transposed(in)); /* the order is the same to us */
    else
        mk_copy(rows, columns, (mk_window){room, (ptrdiff_t)columns, 1}, in);
    quantiles_of(which, out, at, count, room + rows * columns + SLACK);
}

void
mk_quantile(const mk_quantiles *which, int axis, size_t rows, size_t columns, mk_window out, mk_window in,
            const mk_window *mask, double *room)
{
    if (axis < 0) {
        quantiles_of_all(which, rows, columns, out, in, mask, room);
        return;
    }
    size_t lines = axis == 0 ? columns : rows, length = axis == 0 ? rows : columns;
    double *rest = room + LINES * (length + SLACK);
    mk_window choice = {NULL, 0, 0};
    if (mask)
        choice = axis == 0 ? transposed(*mask) : *mask;
    if (axis == 0)
        in = transposed(in);
    for (size_t first = 0; first < lines; first += LINES) {
        size_t some = lines - first < LINES ? lines - first : LINES;
        bool copied = !mask && in.column_stride != 1;
        if (copied)
            mk_copy(some, length, (mk_window){room, (ptrdiff_t)length, 1}, at_element(in, first, 0));
        for (size_t i = 0; i < some; i++) {
            mk_window line = at_element(in, first + i, 0), to = at_element(out, 0, first + i);
            if (mask) {
                mk_window line_choice = at_element(choice, first + i, 0);
                quantiles_of(which, to, room, chosen(room, 1, length, line, &line_choice), rest);
            } else {
                quantiles_of(which, to, copied ? room + i * length : line.at, length, rest);
            }
        }
    }
}
