/* The reductions' kernels against scalar loops: every row of reduce.def, with and without a mask. Of test_kernels.c.
 *
 * Sums are compared by their bits, with the order of folding that kernels/reduce_loops.h states, written down here once
 * more as plain recursion.
 */
#ifndef BOCMAT_KERNELS_REDUCE_H
#define BOCMAT_KERNELS_REDUCE_H

#include "kernels_support.h"

/* What of an element takes part. */
static double
part(mk_reduce_op op, double x)
{
    switch ((int)op) {
    case MK_REDUCE_any:
    case MK_REDUCE_all:
    case MK_REDUCE_count_nonzero:
        return x != 0.0;
    case MK_REDUCE_magnitude:
    case MK_REDUCE_magnitude_squared:
        return x * x;
    case MK_REDUCE_nansum:
    case MK_REDUCE_nanmean:
        return isnan(x) ? 0.0 : x;
    default:
        return x;
    }
}

static double
combine(mk_reduce_op op, double x, double y)
{
    bool nan = isnan(x) || isnan(y);
    switch ((int)op) {
    case MK_REDUCE_min:
        return nan ? NAN : x < y ? x : y;
    case MK_REDUCE_max:
        return nan ? NAN : x > y ? x : y;
    case MK_REDUCE_nanmin:
        return isnan(y) || (!isnan(x) && x < y) ? x : y;
    case MK_REDUCE_nanmax:
        return isnan(y) || (!isnan(x) && x > y) ? x : y;
    case MK_REDUCE_any:
        return x != 0.0 || y != 0.0;
    case MK_REDUCE_all:
        return x != 0.0 && y != 0.0;
    case MK_REDUCE_prod:
        return x * y;
    default:
        return x + y;
    }
}

/* What stands for an element that is left out. */
static double
stand_in(mk_reduce_op op)
{
    switch ((int)op) {
    case MK_REDUCE_min:
        return INFINITY;
    case MK_REDUCE_max:
        return -INFINITY;
    case MK_REDUCE_nanmin:
    case MK_REDUCE_nanmax:
    case MK_REDUCE_nanmean:
        return NAN;
    case MK_REDUCE_prod:
    case MK_REDUCE_all:
        return 1.0;
    default:
        return 0.0;
    }
}

static double
over_nothing(mk_reduce_op op)
{
    switch ((int)op) {
    case MK_REDUCE_mean:
    case MK_REDUCE_min:
    case MK_REDUCE_max:
    case MK_REDUCE_nanmean:
    case MK_REDUCE_nanmin:
    case MK_REDUCE_nanmax:
        return NAN;
    default:
        return op == MK_REDUCE_prod || op == MK_REDUCE_all;
    }
}

/* `chosen` of the line's elements were not left out, `numbers` of them are none but NaN. */
static double
finish(mk_reduce_op op, double value, double chosen, double numbers)
{
    if (op == MK_REDUCE_mean)
        return value / chosen;
    if (op == MK_REDUCE_nanmean)
        return value / numbers;
    if (op == MK_REDUCE_magnitude)
        return sqrt(value);
    return chosen == 0.0 ? over_nothing(op) : value;
}

/* Lane `lane` of a block of up to 64 groups of eight. */
static double
lane_of_block(mk_reduce_op op, const double *at, size_t groups, size_t lane)
{
    double total[4];
    for (size_t g = 0; g < groups; g++) {
        size_t k = groups < 4 ? 0 : g % 4;
        double x = at[8 * g + lane];
        total[k] = g == 0 || (groups >= 4 && g < 4) ? x : combine(op, total[k], x);
    }
    if (groups < 4)
        return total[0];
    return combine(op, combine(op, total[0], total[2]), combine(op, total[1], total[3]));
}

/* A power of two of blocks as a pair of halves; what is left over afterwards joins from the right. */
static double
lane_of_blocks(mk_reduce_op op, const double *at, size_t groups, size_t lane)
{
    size_t blocks = (groups + 63) / 64, left = 1;
    if (blocks == 1)
        return lane_of_block(op, at, groups, lane);
    while (2 * left < blocks)
        left *= 2;
    return combine(op, lane_of_blocks(op, at, 64 * left, lane),
                   lane_of_blocks(op, at + 512 * left, groups - 64 * left, lane));
}

static double
fold(mk_reduce_op op, const double *at, size_t count)
{
    double lane[8];
    if (count < 8) {
        lane[0] = at[0];
        for (size_t i = 1; i < count; i++)
            lane[0] = combine(op, lane[0], at[i]);
        return lane[0];
    }
    for (size_t k = 0; k < 8; k++) {
        lane[k] = lane_of_blocks(op, at, count / 8, k);
        if (k < count % 8)
            lane[k] = combine(op, lane[k], at[count / 8 * 8 + k]);
    }
    for (size_t half = 4; half; half /= 2)
        for (size_t k = 0; k < half; k++)
            lane[k] = combine(op, lane[k], lane[k + half]);
    return lane[0];
}

/* The other order, for a column at a time. */
static double
fold_rows(mk_reduce_op op, const double *at, size_t count)
{
    double chains[64], total = 0;
    size_t depth = 0;
    for (size_t start = 0, chain = 0; start < count; start += 128, chain++) {
        for (size_t i = start; i < count && i < start + 128;) {
            double x = at[i];
            size_t some = 1;
            if (i + 8 <= count && i + 8 <= start + 128) {
                const double *r = at + i;
                x = combine(op, combine(op, combine(op, r[0], r[1]), combine(op, r[2], r[3])),
                            combine(op, combine(op, r[4], r[5]), combine(op, r[6], r[7])));
                some = 8;
            }
            total = i == start ? x : combine(op, total, x);
            i += some;
        }
        chains[depth++] = total;
        for (size_t carry = chain; carry & 1U; carry >>= 1, depth--)
            chains[depth - 2] = combine(op, chains[depth - 2], chains[depth - 1]);
    }
    for (; depth > 1; depth--)
        chains[depth - 2] = combine(op, chains[depth - 2], chains[depth - 1]);
    return chains[0];
}

/* A line of elements as they take part, those left out replaced, and what they come to. */
typedef struct {
    double *at;
    size_t count;
    double chosen, numbers;
} line;

static line
line_new(mk_reduce_op op, mk_window in, const mk_window *mask, size_t rows, size_t columns)
{
    line made = {malloc((rows * columns + 1) * sizeof(double)), 0, 0.0, 0.0};
    if (!made.at)
        abort();
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            bool taken = !mask || *element(*mask, i, j) != 0.0;
            double x = taken ? *element(in, i, j) : stand_in(op);
            made.chosen += taken;
            made.numbers += !isnan(x);
            made.at[made.count++] = part(op, x);
        }
    return made;
}

static double
line_reduced(mk_reduce_op op, line *made, bool across)
{
    double value = made->count == 0
                       ? over_nothing(op)
                       : finish(op, across ? fold_rows(op, made->at, made->count) : fold(op, made->at, made->count),
                                made->chosen, made->numbers);
    free(made->at);
    return value;
}

static const mk_reduce_op reduce_ops[] = {
#define REDUCE(name, ...) MK_REDUCE_##name,
#include "../../kernels/reduce.def"
#undef REDUCE
};

enum { ROWS_REDUCED = sizeof reduce_ops / sizeof *reduce_ops };

static const char *const reduce_names[] = {
#define REDUCE(name, ...) #name,
#include "../../kernels/reduce.def"
#undef REDUCE
};

/* The first place of those chosen, or -1. */
static ptrdiff_t
first_extreme(mk_arg_op op, mk_window in, const mk_window *mask, size_t rows, size_t columns)
{
    ptrdiff_t best = -1;
    double most = 0.0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double x = *element(in, i, j);
            if (mask && *element(*mask, i, j) == 0.0)
                continue;
            if (isnan(x))
                return (ptrdiff_t)(i * columns + j);
            if (best < 0 || (op == MK_ARG_MIN ? x < most : x > most)) {
                best = (ptrdiff_t)(i * columns + j);
                most = x;
            }
        }
    return best;
}

/* Squares that overflow or vanish are another path, which Python's tests see. */
static bool
is_plain(mk_reduce_op op, double expected)
{
    return op != MK_REDUCE_magnitude || (expected > 1e-100 && expected < 1e150);
}

static void
check_whole(size_t rows, size_t columns, pattern shape, values kind, bool masked)
{
    block in = block_new(shape, rows, columns, kind), choice = block_new(shape, rows, columns, SMALL_INTEGERS);
    const mk_window *mask = masked ? &choice.window : NULL;
    bool by_column = columns == 1 || shape == TRANSPOSED || shape == TRANSPOSED_GAPPED;
    bool turn = by_column && rows != 1;
    mk_window by_row = turn ? turned(in.window) : in.window, turned_mask = turned(choice.window);
    bool order_is_told = rows * columns == 0 || shape == DENSE || shape == GAPPED || shape == STEPPED || by_column;
    for (int k = 0; k < ROWS_REDUCED; k++) {
        mk_reduce_op op = reduce_ops[k];
        line made =
            line_new(op, by_row, turn && mask ? &turned_mask : mask, turn ? columns : rows, turn ? rows : columns);
        double got = mk_reduce_where(op, rows, columns, in.window, mask), expected = line_reduced(op, &made, false);
        if (shape == DENSE && !masked)
            check(same_bits(mk_reduce_line(op, rows * columns, in.window.at), got), "%s of a line of %zu differs",
                  reduce_names[k], rows * columns);
        if (order_is_told && is_plain(op, expected))
            check(same_bits(got, expected) || got == expected, "%s of %zux%zu, %s: %a, not %a", reduce_names[k], rows,
                  columns, pattern_names[shape], got, expected);
        else if (kind == ORDINARY && op != MK_REDUCE_prod)
            check(fabs(got - expected) <= 1e-10 * ((double)(rows * columns) + 1.0) || (isnan(got) && isnan(expected)),
                  "%s of %zux%zu, %s: %g, not %g", reduce_names[k], rows, columns, pattern_names[shape], got, expected);
    }
    for (int op = 0; rows && columns && op < 2; op++) {
        ptrdiff_t got = mk_arg((mk_arg_op)op, rows, columns, in.window, mask);
        ptrdiff_t expected = first_extreme((mk_arg_op)op, in.window, mask, rows, columns);
        check(got == expected, "arg %d of %zux%zu, %s: %td, not %td", op, rows, columns, pattern_names[shape], got,
              expected);
        if (shape == DENSE && !masked)
            check(mk_arg_line((mk_arg_op)op, rows * columns, in.window.at) == expected, "arg %d of a line of %zu", op,
                  rows * columns);
    }
    block_free(&choice);
    block_free(&in);
}

static void
check_axis(int axis, size_t rows, size_t columns, pattern shape, pattern to, values kind, bool masked)
{
    block in = block_new(shape, rows, columns, kind);
    block choice = block_new((pattern)random_below(PATTERNS), rows, columns, SMALL_INTEGERS);
    const mk_window *mask = masked ? &choice.window : NULL;
    size_t length = axis ? columns : rows, results = axis ? rows : columns;
    ptrdiff_t *places = malloc((results + 1) * sizeof *places);
    if (!places)
        abort();
    mk_window lines = axis ? in.window : turned(in.window), masks = axis ? choice.window : turned(choice.window);
    bool across = lines.column_stride != 1 && lines.row_stride == 1 && results > 1;
    for (int k = 0; k < ROWS_REDUCED; k++) {
        mk_reduce_op op = reduce_ops[k];
        block out = block_new(to, axis ? rows : 1, axis ? 1 : columns, ORDINARY);
        if (masked)
            mk_reduce_axis_where(op, axis, rows, columns, out.window, in.window, mask);
        else
            mk_reduce_axis(op, axis, rows, columns, out.window, in.window);
        for (size_t i = 0; i < results; i++) {
            mk_window one = {element(lines, i, 0), 0, lines.column_stride};
            mk_window one_mask = {element(masks, i, 0), 0, masks.column_stride};
            line made = line_new(op, one, masked ? &one_mask : NULL, 1, length);
            double expected = line_reduced(op, &made, across);
            double got = *element(out.window, axis ? i : 0, axis ? 0 : i);
            if (is_plain(op, expected))
                check(same_bits(got, expected) || got == expected,
                      "%s along axis %d of %zux%zu, %s: [%zu] is %a, not %a", reduce_names[k], axis, rows, columns,
                      pattern_names[shape], i, got, expected);
        }
        check(only_window_written(&out, axis ? rows : 1, axis ? 1 : columns),
              "%s along axis %d wrote outside its result", reduce_names[k], axis);
        block_free(&out);
    }
    for (int op = 0; length && op < 2; op++) {
        mk_arg_axis((mk_arg_op)op, axis, rows, columns, places, in.window, mask);
        for (size_t i = 0; i < results; i++) {
            mk_window one = {element(lines, i, 0), 0, lines.column_stride};
            mk_window one_mask = {element(masks, i, 0), 0, masks.column_stride};
            ptrdiff_t expected = first_extreme((mk_arg_op)op, one, masked ? &one_mask : NULL, 1, length);
            check(places[i] == expected, "arg %d along axis %d of %zux%zu, %s: [%zu] is %td, not %td", op, axis, rows,
                  columns, pattern_names[shape], i, places[i], expected);
        }
    }
    free(places);
    block_free(&choice);
    block_free(&in);
}

static void
test_reductions(void)
{
    static const values kinds[] = {ORDINARY, SPECIAL, REPEATING};
    for (int shape = 0; shape < PATTERNS; shape++)
        for (int k = 0; k < 3; k++) {
            for (int turn = 0; turn < 25; turn++) {
                check_whole(some_size(), some_size(), (pattern)shape, kinds[k], turn % 3 == 0);
                check_axis(turn % 2, some_size(), some_size(), (pattern)shape, (pattern)random_below(OUTPUTS), kinds[k],
                           turn % 3 == 0);
            }
            for (int masked = 0; masked < 2; masked++) {
                check_whole(3, 1300, (pattern)shape, kinds[k], masked);
                check_whole(211, 37, (pattern)shape, kinds[k], masked);
                check_axis(0, 1100, 5, (pattern)shape, DENSE, kinds[k], masked);
                check_axis(0, 300, 270, (pattern)shape, DENSE, kinds[k], masked);
                check_axis(1, 3, 2100, (pattern)shape, DENSE, kinds[k], masked);
            }
        }
    for (size_t n = 0; n <= 70; n++) {
        check_whole(1, n, DENSE, ORDINARY, false);
        check_whole(1, n, DENSE, REPEATING, n % 2);
        check_axis(0, n, 9, DENSE, DENSE, ORDINARY, n % 2);
        check_axis(1, 2, n, DENSE, DENSE, ORDINARY, false);
    }
}

/* ---- in order ---- */

static int
in_order(const void *left, const void *right)
{
    double x = *(const double *)left, y = *(const double *)right;
    return (x > y) - (x < y);
}

/* The median and two quantiles of a line, against the sorted one. */
static void
check_quantiles(size_t count, values kind, bool strided)
{
    static const double shares[] = {0.0, 0.37, 1.0};
    block in = block_new(strided ? STEPPED : DENSE, 1, count, kind);
    double *sorted = malloc(count * sizeof *sorted), *room = malloc(mk_quantile_room(-1, 1, count) * sizeof *room);
    double got[3];
    bool nan = false;
    if (!sorted || !room)
        abort();
    for (size_t i = 0; i < count; i++)
        nan |= isnan(sorted[i] = *element(in.window, 0, i));
    qsort(sorted, count, sizeof *sorted, in_order);
    mk_quantile(&(mk_quantiles){MK_MEDIAN, 1, NULL}, -1, 1, count, (mk_window){got, 1, 1}, in.window, NULL, room);
    double middle = count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2.0;
    check(nan ? isnan(got[0]) : got[0] == middle || isnan(middle), "the median of %zu is %g, not %g", count, got[0],
          middle);
    mk_quantile(&(mk_quantiles){MK_LINEAR, 3, shares}, -1, 1, count, (mk_window){got, 1, 1}, in.window, NULL, room);
    for (int k = 0; k < 3 && kind != SPECIAL; k++) {
        double place = (double)(count - 1) * shares[k];
        size_t below = (size_t)place, above = below + 1 < count ? below + 1 : below;
        check(nan ? isnan(got[k])
                  : got[k] >= sorted[below] && got[k] <= sorted[above] &&
                        fabs(got[k] - sorted[below] - (place - (double)below) * (sorted[above] - sorted[below])) <
                            1e-13,
              "quantile %g of %zu is %g, between %g and %g", shares[k], count, got[k], sorted[below], sorted[above]);
    }
    free(room);
    free(sorted);
    block_free(&in);
}

static void
test_quantiles(void)
{
    static const values kinds[] = {ORDINARY, SPECIAL, SMALL_INTEGERS, REPEATING};
    for (int k = 0; k < 4; k++) {
        for (size_t count = 1; count < 100; count++)
            check_quantiles(count, kinds[k], count % 2);
        check_quantiles(1000, kinds[k], false);
        check_quantiles(4095, kinds[k], false);
        check_quantiles(5000, kinds[k], true);
        check_quantiles(70001, kinds[k], false);
    }
}

/* ---- running ---- */

static void
check_running(mk_running_op op, int axis, size_t rows, size_t columns, pattern shape, pattern to)
{
    block in = block_new(shape, rows, columns, ORDINARY), out = block_new(to, rows, columns, ORDINARY);
    bool fine = true;
    double last = 0.0;
    mk_running(op, axis, rows, columns, out.window, in.window);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double x = *element(in.window, i, j);
            bool first = axis < 0 ? i + j == 0 : axis == 0 ? i == 0 : j == 0;
            if (axis == 0 && i)
                last = *element(out.window, i - 1, j);
            last = first ? x : op == MK_RUNNING_SUM ? last + x : last * x;
            fine &= same_bits(*element(out.window, i, j), last);
        }
    check(fine, "running %d along axis %d of %zux%zu, %s", (int)op, axis, rows, columns, pattern_names[shape]);
    check(only_window_written(&out, rows, columns), "running %d along axis %d wrote outside its result", (int)op, axis);
    block_free(&out);
    block_free(&in);
}

static void
test_running(void)
{
    for (int shape = 0; shape < PATTERNS; shape++)
        for (int turn = 0; turn < 60; turn++)
            check_running((mk_running_op)(turn % 2), turn % 3 - 1, some_size(), some_size(), (pattern)shape,
                          (pattern)random_below(OUTPUTS));
    check_running(MK_RUNNING_SUM, 0, 40, 300, DENSE, DENSE);
    check_running(MK_RUNNING_SUM, 1, 300, 40, DENSE, GAPPED);
}

/* A million tenths: what is lost stays below two units in the last place; one accumulator would lose thousands. */
static void
test_accuracy(void)
{
    size_t count = 1000000;
    double *tenths = malloc(count * sizeof *tenths), sum;
    if (!tenths)
        abort();
    for (size_t i = 0; i < count; i++)
        tenths[i] = 0.1;
    sum = mk_reduce(MK_REDUCE_sum, 1000, 1000, (mk_window){tenths, 1000, 1});
    check(fabs(sum - 100000.0) <= 3e-11, "a million tenths are %.17g", sum);
    double column;
    mk_reduce_axis(MK_REDUCE_sum, 0, count / 2, 2, (mk_window){&column, 0, 0}, (mk_window){tenths, 2, 1});
    check(fabs(column - 50000.0) <= 3e-11, "half a million tenths in a column are %.17g", column);
    free(tenths);
}

#endif
