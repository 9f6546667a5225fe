/* Searching among edges and counting in bins, whatever the strides: some values at a time, made consecutive. */
#include <math.h>
#include <string.h>

#include "stride.h"

enum { SOME = 256 };

/* The next part of a row: consecutive as it is, or copied to `here`. */
static const double *
part_of(mk_window in, size_t row, size_t column, size_t count, double *here)
{
    mk_window from = at_element(in, row, column);
    if (from.column_stride == 1)
        return from.at;
    mk_copy(1, count, (mk_window){here, 0, 1}, from);
    return here;
}

/* Rows as long as they get. */
static void
flatten(size_t *rows, size_t *columns, int count, mk_window *windows)
{
    if (*rows && *columns)
        settle(rows, columns, count, windows);
}

size_t
mk_numbers(const double *edges, size_t n)
{
    size_t first = 0;
    for (size_t length = n; length;) {
        size_t half = length / 2;
        if (edges[first + half] == edges[first + half]) {
            first += half + 1;
            length -= half + 1;
        } else {
            length = half;
        }
    }
    return first;
}

void
mk_search(size_t rows, size_t columns, mk_window out, mk_window in, const double *edges, size_t n, bool right,
          double of_nan)
{
    mk_window windows[2] = {out, in};
    flatten(&rows, &columns, 2, windows);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j += SOME) {
            size_t count = columns - j < SOME ? columns - j : SOME;
            double here[SOME], found[SOME];
            const double *values = part_of(windows[1], i, j, count, here);
            mk_active->search(edges, n, values, found, count, right);
            for (size_t k = 0; k < count; k++)
                if (values[k] != values[k])
                    found[k] = of_nan;
            mk_copy(1, count, at_element(windows[0], i, j), (mk_window){found, 0, 1});
        }
}

bool
mk_range(size_t rows, size_t columns, mk_window in, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    flatten(&rows, &columns, 1, &in);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j += SOME) {
            size_t count = columns - j < SOME ? columns - j : SOME;
            double here[SOME];
            mk_active->range(part_of(in, i, j, count, here), count, low, high);
        }
    return *low <= *high;
}

void
mk_bin(size_t rows, size_t columns, mk_window out, mk_window in, const mk_scale *scale)
{
    mk_window windows[2] = {out, in};
    flatten(&rows, &columns, 2, windows);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j += SOME) {
            size_t count = columns - j < SOME ? columns - j : SOME;
            double here[SOME], found[SOME];
            mk_active->bin(scale, part_of(windows[1], i, j, count, here), found, count);
            mk_copy(1, count, at_element(windows[0], i, j), (mk_window){found, 0, 1});
        }
}

/* Equal values in a row would wait for each other's count: neighbours count in tables of their own, if those are
 * small. */
static size_t
tables_of(size_t bins)
{
    return bins <= 2048 ? 4 : 1;
}

size_t
mk_histogram_scratch(size_t bins)
{
    return tables_of(bins) * (bins + 1);
}

/* Between given edges; the last bin has both of its own. */
static void
bins_between(const mk_bins *bins, const double *values, int64_t *out, size_t count)
{
    double found[SOME], low = bins->edges[0], high = bins->edges[bins->count];
    mk_active->search(bins->edges, bins->count + 1, values, found, count, true);
    for (size_t k = 0; k < count; k++) {
        int64_t bin = (int64_t)found[k] - 1, last = (int64_t)bins->count - 1;
        bool inside = values[k] >= low && values[k] <= high;
        out[k] = inside ? (bin > last ? last : bin) : last + 1;
    }
}

void
mk_histogram(size_t rows, size_t columns, double *counts, mk_window in, const mk_bins *bins, int64_t *scratch)
{
    size_t width = bins->count + 1, tables = tables_of(bins->count), mask = tables - 1;
    memset(scratch, 0, tables * width * sizeof *scratch);
    flatten(&rows, &columns, 1, &in);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j += SOME) {
            size_t count = columns - j < SOME ? columns - j : SOME;
            double here[SOME];
            int64_t places[SOME];
            const double *values = part_of(in, i, j, count, here);
            if (bins->even)
                mk_active->bins_even(bins, values, places, count);
            else
                bins_between(bins, values, places, count);
            for (size_t k = 0; k < count; k++)
                scratch[(k & mask) * width + (size_t)places[k]]++;
        }
    for (size_t bin = 0; bin < bins->count; bin++) {
        int64_t sum = 0;
        for (size_t table = 0; table < tables; table++)
            sum += scratch[table * width + bin];
        counts[bin] = (double)sum;
    }
}
