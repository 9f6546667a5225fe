/* Sorting along one axis, whatever the strides: lines that are not consecutive are brought together, some at a time. */
#include <math.h>
#include <string.h>

#include "stride.h"

int mk_sort_patience = 3;

enum { TOGETHER = 1 << 15, LEAST_TOGETHER = 8 };

/* Lines run along the second axis from here on. */
typedef struct {
    size_t lines, length;
    mk_window out, in;
} line_work;

static line_work
lines_of(int axis, size_t rows, size_t columns, mk_window out, mk_window in)
{
    if (axis == 1)
        return (line_work){rows, columns, out, in};
    return (line_work){columns, rows, transposed(out), transposed(in)};
}

/* How many lines are brought together; none if they are fine as they are. */
static size_t
lines_together(const line_work *work, bool as_they_are)
{
    size_t some = work->length ? TOGETHER / work->length : 0;
    if (as_they_are)
        return 0;
    if (some < LEAST_TOGETHER)
        some = LEAST_TOGETHER;
    return some < work->lines ? some : work->lines;
}

static bool
both_along(const line_work *work)
{
    return work->out.column_stride == 1 && work->in.column_stride == 1;
}

static bool
short_across(const line_work *work)
{
    return work->length <= MK_SHORT && work->out.row_stride == 1 && work->in.row_stride == 1;
}

size_t
mk_sort_scratch(int axis, size_t rows, size_t columns, mk_window out, mk_window in)
{
    line_work work = lines_of(axis, rows, columns, out, in);
    return lines_together(&work, both_along(&work) || short_across(&work)) * work.length;
}

static void
sort_lines(const line_work *work, bool descending)
{
    for (size_t i = 0; i < work->lines; i++) {
        double *out = work->out.at + (ptrdiff_t)i * work->out.row_stride;
        const double *in = work->in.at + (ptrdiff_t)i * work->in.row_stride;
        if (out != in)
            memcpy(out, in, work->length * sizeof *out);
        mk_active->sort(out, work->length, descending);
    }
}

/* Columns of a few elements, as many at a time as a vector has lanes; the last again with some that are done, from
 * where they went. */
static void
sort_short(const line_work *work, bool descending)
{
    size_t lanes = mk_active->lanes, i = 0;
    ptrdiff_t to = work->out.column_stride, from = work->in.column_stride;
    for (; i + lanes <= work->lines; i += lanes)
        mk_active->sort_across(work->length, work->out.at + i, to, work->in.at + i, from, descending);
    for (; i < work->lines; i++) {
        double line[MK_SHORT];
        for (size_t j = 0; j < work->length; j++)
            line[j] = work->in.at[(ptrdiff_t)i + (ptrdiff_t)j * from];
        mk_active->sort(line, work->length, descending);
        for (size_t j = 0; j < work->length; j++)
            work->out.at[(ptrdiff_t)i + (ptrdiff_t)j * to] = line[j];
    }
}

void
mk_sort(int axis, size_t rows, size_t columns, mk_window out, mk_window in, bool descending, double *scratch)
{
    line_work work = lines_of(axis, rows, columns, out, in);
    if (work.lines == 0 || work.length == 0)
        return;
    if (work.length == 1) {
        if (out.at != in.at)
            mk_copy(rows, columns, out, in);
        return;
    }
    if (both_along(&work)) {
        sort_lines(&work, descending);
        return;
    }
    if (short_across(&work)) {
        sort_short(&work, descending);
        return;
    }
    size_t together = lines_together(&work, false);
    mk_window here = {scratch, (ptrdiff_t)work.length, 1};
    for (size_t i = 0; i < work.lines; i += together) {
        size_t some = work.lines - i < together ? work.lines - i : together;
        mk_copy(some, work.length, here, at_element(work.in, i, 0));
        for (size_t k = 0; k < some; k++)
            mk_active->sort(scratch + k * work.length, work.length, descending);
        mk_copy(some, work.length, at_element(work.out, i, 0), here);
    }
}

/* Keys always get a place of their own, positions one where they cannot be written at once. */
static size_t
keys_together(const line_work *work)
{
    size_t some = lines_together(work, both_along(work));
    return some ? some : 1;
}

size_t
mk_argsort_scratch(int axis, size_t rows, size_t columns, mk_window out, mk_window in)
{
    line_work work = lines_of(axis, rows, columns, out, in);
    return keys_together(&work) * work.length * (work.out.column_stride == 1 ? 1 : 2);
}

void
mk_argsort(int axis, size_t rows, size_t columns, mk_window out, mk_window in, bool descending, double *scratch)
{
    line_work work = lines_of(axis, rows, columns, out, in);
    if (work.lines == 0 || work.length == 0)
        return;
    size_t together = keys_together(&work), count = together * work.length;
    mk_window keys = {scratch, (ptrdiff_t)work.length, 1}, positions = {scratch + count, (ptrdiff_t)work.length, 1};
    bool direct = work.out.column_stride == 1;
    for (size_t i = 0; i < work.lines; i += together) {
        size_t some = work.lines - i < together ? work.lines - i : together;
        mk_window there = at_element(work.out, i, 0);
        if (descending)
            mk_unary(MK_UNARY_negate, some, work.length, keys, at_element(work.in, i, 0));
        else
            mk_copy(some, work.length, keys, at_element(work.in, i, 0));
        for (size_t k = 0; k < some; k++)
            mk_active->argsort(scratch + k * work.length, at_element(direct ? there : positions, k, 0).at, work.length);
        if (!direct)
            mk_copy(some, work.length, there, positions);
    }
}

void
mk_sort_along(size_t n, double *keys, double *positions)
{
    mk_active->argsort(keys, positions, n);
}

/* ---- the first few ---- */

size_t
mk_first_scratch(int axis, size_t rows, size_t columns, mk_window in, size_t k)
{
    line_work work = lines_of(axis, rows, columns, in, in);
    return 2 * lines_together(&work, false) * work.length + 2 * mk_first_room(k);
}

/* `some` lines from the first of `in` on, made consecutive at `to` if they are not. */
static mk_window
lines_at(mk_window in, size_t some, size_t length, double *to)
{
    mk_window here = {to, (ptrdiff_t)length, 1};
    if (in.column_stride == 1)
        return in;
    mk_copy(some, length, here, in);
    return here;
}

/* What `first` found of one line, in its place. */
static void
first_put(mk_window values, mk_window positions, const double *line, const double *found, size_t count, size_t k)
{
    for (size_t j = 0; j < k; j++) {
        *at_element(values, 0, j).at = j < count ? line[(size_t)found[j]] : NAN;
        *at_element(positions, 0, j).at = j < count ? found[j] : -1.0;
    }
}

void
mk_first(int axis, size_t rows, size_t columns, mk_window values, mk_window positions, mk_window in,
         const mk_window *counts, size_t k, bool largest, double *scratch)
{
    line_work work = lines_of(axis, rows, columns, values, in);
    size_t together = lines_together(&work, false), length = work.length;
    double *keys = scratch + 2 * together * length, *found = keys + mk_first_room(k);
    mk_window mask = {NULL, 0, 0};
    if (counts)
        mask = axis == 1 ? *counts : transposed(*counts);
    if (axis == 0)
        positions = transposed(positions);
    for (size_t i = 0; i < work.lines; i += together) {
        size_t some = work.lines - i < together ? work.lines - i : together;
        mk_window lines = lines_at(at_element(work.in, i, 0), some, length, scratch), masks = mask;
        if (counts)
            masks = lines_at(at_element(mask, i, 0), some, length, scratch + together * length);
        for (size_t j = 0; j < some; j++) {
            const double *line = at_element(lines, j, 0).at;
            size_t count =
                mk_active->first(line, counts ? at_element(masks, j, 0).at : NULL, length, k, largest, keys, found);
            first_put(at_element(work.out, i + j, 0), at_element(positions, i + j, 0), line, found, count, k);
        }
    }
}

/* ---- distinct values ---- */

size_t
mk_distinct(size_t n, double *sorted, double *starts)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        double x = sorted[i];
        bool fresh = i == 0 || !(x == sorted[count - 1] || (x != x && sorted[count - 1] != sorted[count - 1]));
        if (fresh) {
            sorted[count] = x;
            if (starts)
                starts[count] = (double)i;
            count++;
        }
    }
    return count;
}
