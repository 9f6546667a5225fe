/* Reductions over any strides: along consecutive elements where there are some, else across them; and those that take
 * more than one fold. */
#include <math.h>
#include <string.h>

#include "stride.h"

enum {
    FEW_LINES = 4, /* sides of what is reduced line by line, before its strides have been looked at */
    STRIP = 256,   /* results of an axis that several folds work on in turn; the loops take as many at a time */
    ENOUGH = 4096  /* elements after which it is seen whether more can change the answer */
};

static const double identities[MK_REDUCE_COUNT] = {
#define REDUCE(name, answer, identity, ...) [MK_REDUCE_##name] = identity,
#include "reduce.def"
#undef REDUCE
};

/* For an element that is left out where the others are measured against `c`. */
static double
neutral_of(mk_reduce_op op, double c)
{
    switch (op) {
#define REDUCE(name, answer, identity, neutral, ...) \
    case MK_REDUCE_##name:                           \
        return neutral;
#define REDUCE_PART(name, neutral, ...) \
    case MK_REDUCE_##name:              \
        return neutral;
#include "reduce.def"
#undef REDUCE
    default:
        return c;
    }
}

void
mk_gather(double *to, const mk_run *run, size_t position, size_t count)
{
    size_t row = position / run->columns, column = position % run->columns;
    while (count) {
        size_t some = run->columns - column < count ? run->columns - column : count;
        const double *from = at_element(run->at, row, column).at;
        if (run->at.column_stride == 1)
            memcpy(to, from, some * sizeof *to);
        else
            for (size_t j = 0; j < some; j++)
                to[j] = from[(ptrdiff_t)j * run->at.column_stride];
        to += some;
        count -= some;
        row++;
        column = 0;
    }
}

/* Nothing by nothing is NaN as others are: x86 would give it a sign. */
static double
quotient(double value, double by)
{
    double result = value / by;
    return isnan(result) ? NAN : result;
}

/* ---- everything ---- */

static size_t
magnitude(ptrdiff_t stride)
{
    return stride < 0 ? 0 - (size_t)stride : (size_t)stride;
}

/* A window and its mask, turned so that its rows are as near to consecutive as they get. */
typedef struct {
    size_t rows, columns;
    mk_window in, mask;
    bool masked;
} field;

static field
field_of(size_t rows, size_t columns, mk_window in, const mk_window *mask)
{
    field all = {rows, columns, in, {NULL, 0, 0}, mask};
    if (mask)
        all.mask = *mask;
    if (columns == 1 || (rows != 1 && in.row_stride != 0 && magnitude(in.row_stride) < magnitude(in.column_stride))) {
        all.rows = columns;
        all.columns = rows;
        all.in = transposed(in);
        all.mask = transposed(all.mask);
    }
    return all;
}

static mk_run
run_of(const field *all)
{
    bool dense =
        all->in.column_stride == 1 && !all->masked && (all->rows == 1 || all->in.row_stride == (ptrdiff_t)all->columns);
    return (mk_run){all->rows * all->columns, all->columns, all->in, dense, 0.0, 0.0, all->masked ? &all->mask : NULL};
}

static double
fold_all(mk_reduce_op op, const field *all, double center)
{
    mk_run run = run_of(all);
    run.center = center;
    run.neutral = neutral_of(op, center);
    return mk_active->fold[op](&run);
}

/* How many elements the mask chooses. */
static double
count_of(const field *all)
{
    if (!all->masked)
        return (double)all->rows * (double)all->columns;
    field mask = {all->rows, all->columns, all->mask, {NULL, 0, 0}, false};
    return fold_all(MK_REDUCE_count_nonzero, &mask, 0.0);
}

/* any and all: a part at a time, until one decides. */
static double
fold_until(mk_reduce_op op, const field *all)
{
    field part = *all;
    mk_run run = run_of(all);
    if (run.dense)
        part.rows = 1, part.columns = run.count;
    bool along = part.rows == 1;
    size_t total = along ? part.columns : part.rows, some = along ? ENOUGH : 1 + ENOUGH / part.columns;
    double answer = identities[op];
    for (size_t done = 0; done < total && answer == identities[op]; done += some) {
        size_t count = total - done < some ? total - done : some;
        *(along ? &part.columns : &part.rows) = count;
        part.in = at_element(all->in, along ? 0 : done, along ? done : 0);
        part.mask = all->masked ? at_element(all->mask, along ? 0 : done, along ? done : 0) : all->mask;
        answer = fold_all(op, &part, 0.0);
    }
    return answer;
}

/* True for a sum of squares none of which overflowed or vanished so that it would count; of NaN. */
static inline bool
squares_fit(double squares)
{
    return (squares > 0x1p-900 && squares < INFINITY) || isnan(squares);
}

/* The root of a sum of squares; if those overflowed or vanished, of scaled ones. */
static double
root_of(double squares, const field *all)
{
    if (squares_fit(squares))
        return sqrt(squares);
    double largest = fold_all(MK_REDUCE_largest, all, 0.0);
    if (largest == 0.0 || largest == INFINITY)
        return largest;
    int exponent = ilogb(largest);
    if (exponent < -1020)
        exponent = -1020; /* 2^1020 is still a number */
    return ldexp(sqrt(fold_all(MK_REDUCE_scaled_squares, all, ldexp(1.0, -exponent))), exponent);
}

double
mk_reduce_where(mk_reduce_op op, size_t rows, size_t columns, mk_window in, const mk_window *mask)
{
    if (rows == 0 || columns == 0)
        return identities[op];
    field all = field_of(rows, columns, in, mask);
    if (op == MK_REDUCE_any || op == MK_REDUCE_all)
        return fold_until(op, &all);
    if (op == MK_REDUCE_mean && mask)
        return quotient(fold_all(MK_REDUCE_sum, &all, 0.0), count_of(&all));
    double value = fold_all(op, &all, 0.0);
    if (op == MK_REDUCE_magnitude)
        return root_of(value, &all);
    if (op == MK_REDUCE_nanmean)
        return quotient(value, fold_all(MK_REDUCE_count_numbers, &all, 0.0));
    return mask && isnan(identities[op]) && count_of(&all) == 0.0 ? NAN : value;
}

double
mk_reduce(mk_reduce_op op, size_t rows, size_t columns, mk_window in)
{
    /* A short run is one fold, before which there is nothing to choose. */
    bool dense = in.column_stride == 1 && (rows == 1 || in.row_stride == (ptrdiff_t)columns);
    if (dense && rows * columns - 1 < ENOUGH && op != MK_REDUCE_nanmean) {
        mk_run run = {rows * columns, columns, in, true, 0.0, 0.0, NULL};
        double value = mk_active->fold[op](&run);
        if (op != MK_REDUCE_magnitude)
            return value;
        if (squares_fit(value))
            return sqrt(value);
    }
    return mk_reduce_where(op, rows, columns, in, NULL);
}

/* What squares of deviations are divided by. */
static double
freedom(double count, double ddof)
{
    return count > ddof ? count - ddof : 0.0;
}

double
mk_variance(size_t rows, size_t columns, mk_window in, const mk_window *mask, double ddof)
{
    field all = field_of(rows, columns, in, mask);
    double count = count_of(&all), mean = fold_all(MK_REDUCE_sum, &all, 0.0) / count;
    return quotient(fold_all(MK_REDUCE_deviations, &all, mean), freedom(count, ddof));
}

/* True for a result that one fold of few elements gives; then it is written. */
static inline bool
reduce_few(mk_reduce_op op, size_t count, const double *at, ptrdiff_t step, double *result)
{
    if (count - 1 >= MK_FEW || op == MK_REDUCE_nanmean)
        return false;
    double value = mk_active->fold_few[op](count, at, step);
    if (op == MK_REDUCE_magnitude) {
        if (!squares_fit(value))
            return false;
        value = sqrt(value);
    }
    *result = value;
    return true;
}

double
mk_reduce_line(mk_reduce_op op, size_t count, const double *in)
{
    double value;
    if (reduce_few(op, count, in, 1, &value))
        return value;
    return mk_reduce(op, 1, count, (mk_window){(double *)in, (ptrdiff_t)count, 1});
}

/* Few elements: where the extreme, or the first NaN, first stands. */
static ptrdiff_t
arg_few(mk_arg_op op, size_t count, const double *at, ptrdiff_t step)
{
    size_t place = 0;
    double best = *at;
    for (size_t i = 1; i < count && best == best; i++) {
        double x = at[(ptrdiff_t)i * step];
        if (op == MK_ARG_MIN ? !(x >= best) : !(x <= best)) {
            best = x;
            place = i;
        }
    }
    return (ptrdiff_t)place;
}

ptrdiff_t
mk_arg_line(mk_arg_op op, size_t count, const double *in)
{
    if (count - 1 < MK_SHORT)
        return arg_few(op, count, in, 1);
    return mk_arg(op, 1, count, (mk_window){(double *)in, (ptrdiff_t)count, 1}, NULL);
}

ptrdiff_t
mk_arg(mk_arg_op op, size_t rows, size_t columns, mk_window in, const mk_window *mask)
{
    /* Positions count row by row, so only a column may be turned. */
    field all = {rows, columns, in, {NULL, 0, 0}, mask};
    if (mask)
        all.mask = *mask;
    if (columns == 1)
        all = (field){1, rows, transposed(in), transposed(all.mask), mask};
    mk_run run = run_of(&all);
    run.neutral = op == MK_ARG_MIN ? INFINITY : -INFINITY;
    return mk_active->arg[op](&run);
}

/* ---- along an axis ---- */

static mk_lines
lines_of(int axis, size_t rows, size_t columns, mk_window out, mk_window in, const mk_window *mask)
{
    mk_lines lines = {.count = rows, .length = columns, .out = out.at, .step = out.row_stride, .in = in};
    if (mask)
        lines.mask = *mask;
    if (axis == 0) {
        lines.count = columns;
        lines.length = rows;
        lines.step = out.column_stride;
        lines.in = transposed(in);
        lines.mask = transposed(lines.mask);
    }
    return lines;
}

static bool
lies_across(const mk_lines *lines)
{
    return lines->in.column_stride != 1 && lines->in.row_stride == 1 && lines->count > 1;
}

static void
fold_lines(mk_reduce_op op, mk_lines *lines)
{
    lines->neutral = neutral_of(op, 0.0);
    lines->neutral_is_center = op == MK_REDUCE_deviations;
    (lies_across(lines) ? mk_active->fold_across : mk_active->fold_along)[op](lines);
}

static mk_lines
strip_of(const mk_lines *lines, size_t first)
{
    mk_lines strip = *lines;
    strip.count = lines->count - first < STRIP ? lines->count - first : STRIP;
    strip.out += (ptrdiff_t)first * lines->step;
    strip.in = at_element(lines->in, first, 0);
    if (lines->mask.at)
        strip.mask = at_element(lines->mask, first, 0);
    return strip;
}

/* How many elements of each line of a strip the mask chooses. */
static void
count_lines(const mk_lines *strip, double *counts)
{
    if (strip->mask.at) {
        mk_lines mask = {strip->count, strip->length, counts, 1, strip->mask, {NULL, 0, 0}, NULL, 0.0, false};
        fold_lines(MK_REDUCE_count_nonzero, &mask);
    } else {
        for (size_t i = 0; i < strip->count; i++)
            counts[i] = (double)strip->length;
    }
}

static void
divide_lines(const mk_lines *strip, const double *by)
{
    for (size_t i = 0; i < strip->count; i++) {
        double *out = strip->out + (ptrdiff_t)i * strip->step;
        *out = quotient(*out, by[i]);
    }
}

static void
root_lines(const mk_lines *strip)
{
    for (size_t i = 0; i < strip->count; i++) {
        double *out = strip->out + (ptrdiff_t)i * strip->step;
        field line = {1, strip->length, at_element(strip->in, i, 0), strip->mask, strip->mask.at};
        if (line.masked)
            line.mask = at_element(strip->mask, i, 0);
        *out = root_of(*out, &line);
    }
}

/* Reductions of more than one fold. */
static void
reduce_strip(mk_reduce_op op, mk_lines *strip)
{
    double counts[STRIP];
    bool masked = strip->mask.at;
    fold_lines(op == MK_REDUCE_mean ? MK_REDUCE_sum : op, strip);
    if (op == MK_REDUCE_magnitude) {
        root_lines(strip);
    } else if (op == MK_REDUCE_nanmean) {
        mk_lines numbers = *strip;
        numbers.out = counts;
        numbers.step = 1;
        fold_lines(MK_REDUCE_count_numbers, &numbers);
        divide_lines(strip, counts);
    } else {
        count_lines(strip, counts);
        if (op == MK_REDUCE_mean)
            divide_lines(strip, counts);
        for (size_t i = 0; masked && i < strip->count; i++)
            if (counts[i] == 0.0)
                strip->out[(ptrdiff_t)i * strip->step] = NAN;
    }
}

void
mk_reduce_axis_where(mk_reduce_op op, int axis, size_t rows, size_t columns, mk_window out, mk_window in,
                     const mk_window *mask)
{
    mk_lines lines = lines_of(axis, rows, columns, out, in, mask);
    if (lines.length == 0) {
        mk_fill(lines.count, 1, (mk_window){lines.out, lines.step, 0}, identities[op]);
    } else if (op == MK_REDUCE_magnitude || op == MK_REDUCE_nanmean || (mask && isnan(identities[op]))) {
        for (size_t first = 0; first < lines.count; first += STRIP) {
            mk_lines strip = strip_of(&lines, first);
            reduce_strip(op, &strip);
        }
    } else {
        fold_lines(op, &lines);
    }
}

void
mk_reduce_axis(mk_reduce_op op, int axis, size_t rows, size_t columns, mk_window out, mk_window in)
{
    if (rows - 1 < FEW_LINES && columns - 1 < FEW_LINES) {
        if (axis == 0) {
            size_t swap = rows;
            rows = columns, columns = swap;
            in = transposed(in), out = transposed(out);
        }
        size_t i = 0;
        while (i < rows && reduce_few(op, columns, at_element(in, i, 0).at, in.column_stride, at_element(out, i, 0).at))
            i++;
        if (i == rows)
            return;
        axis = 1;
    }
    mk_reduce_axis_where(op, axis, rows, columns, out, in, NULL);
}

void
mk_variance_axis(int axis, size_t rows, size_t columns, mk_window out, mk_window in, const mk_window *mask, double ddof)
{
    mk_lines lines = lines_of(axis, rows, columns, out, in, mask);
    for (size_t first = 0; first < lines.count; first += STRIP) {
        double counts[STRIP], means[STRIP];
        mk_lines strip = strip_of(&lines, first), sums = strip;
        sums.out = means;
        sums.step = 1;
        count_lines(&strip, counts);
        fold_lines(MK_REDUCE_sum, &sums);
        divide_lines(&sums, counts);
        strip.centers = means;
        fold_lines(MK_REDUCE_deviations, &strip);
        for (size_t i = 0; i < strip.count; i++)
            counts[i] = freedom(counts[i], ddof);
        divide_lines(&strip, counts);
    }
}

void
mk_arg_axis(mk_arg_op op, int axis, size_t rows, size_t columns, ptrdiff_t *out, mk_window in, const mk_window *mask)
{
    if (!mask && rows - 1 < FEW_LINES && columns - 1 < FEW_LINES) {
        mk_window along = axis == 0 ? transposed(in) : in;
        size_t count = axis == 0 ? columns : rows, length = axis == 0 ? rows : columns;
        for (size_t i = 0; i < count; i++)
            out[i] = arg_few(op, length, at_element(along, i, 0).at, along.column_stride);
        return;
    }
    mk_lines lines = lines_of(axis, rows, columns, (mk_window){NULL, 0, 0}, in, mask);
    lines.neutral = op == MK_ARG_MIN ? INFINITY : -INFINITY;
    (lies_across(&lines) ? mk_active->arg_across : mk_active->arg_along)[op](&lines, out);
}
