/* The test of the kernels that sort and search: every length, hard patterns, every stride, against slow code. */
#ifndef BOCMAT_KERNELS_ORDER_H
#define BOCMAT_KERNELS_ORDER_H

#include "kernels_support.h"

/* ---- oracles ---- */

/* NaN last, -0.0 before 0.0. */
static int
compare_doubles(const void *left, const void *right)
{
    double x = *(const double *)left, y = *(const double *)right;
    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y);
    if (x == y)
        return !!signbit(y) - !!signbit(x);
    return x < y ? -1 : 1;
}

typedef struct {
    double key;
    size_t position;
} keyed;

/* NaN last, equal ones by their positions. */
static int
compare_keyed(const void *left, const void *right)
{
    const keyed *a = left, *b = right;
    if (isnan(a->key) != isnan(b->key))
        return isnan(a->key) ? 1 : -1;
    if (a->key < b->key || a->key > b->key)
        return a->key < b->key ? -1 : 1;
    return a->position < b->position ? -1 : 1;
}

/* The positions that sort a line, stable. */
static void
positions_of(const double *line, size_t n, bool descending, double *positions)
{
    keyed *all = malloc((n + 1) * sizeof *all);
    if (!all)
        abort();
    for (size_t i = 0; i < n; i++)
        all[i] = (keyed){descending ? -line[i] : line[i], i};
    qsort(all, n, sizeof *all, compare_keyed);
    for (size_t i = 0; i < n; i++)
        positions[i] = (double)all[i].position;
    free(all);
}

/* ---- one line ---- */

typedef enum {
    RANDOM,
    EQUAL,
    TWO_VALUES,
    ASCENDING,
    DESCENDING,
    ORGAN_PIPE,
    SAW,
    SPECIALS,
    MOSTLY_NAN,
    DENORMALS,
    LINES
} line_pattern;

static double
line_value(line_pattern pattern, size_t i, size_t n)
{
    switch (pattern) {
    case EQUAL:
        return 2.5;
    case TWO_VALUES:
        return (double)random_below(2);
    case ASCENDING:
        return (double)i;
    case DESCENDING:
        return -(double)i;
    case ORGAN_PIPE:
        return (double)(i < n / 2 ? i : n - i);
    case SAW:
        return (double)(i % 37);
    case SPECIALS:
        return specials[random_below(sizeof specials / sizeof *specials)];
    case MOSTLY_NAN:
        return random_below(4) ? NAN : random_double();
    case DENORMALS:
        return (double)random_below(1000) * 5e-324;
    default:
        return random_double();
    }
}

static void
test_line(line_pattern pattern, size_t n)
{
    enum { ARRAYS = 6 };
    double *memory = malloc(ARRAYS * (n + 1) * sizeof *memory);
    if (!memory)
        abort();
    double *line = memory, *sorted = line + n + 1, *expected = sorted + n + 1, *positions = expected + n + 1;
    double *wanted = positions + n + 1, *scratch = wanted + n + 1;
    for (size_t i = 0; i < n; i++)
        line[i] = expected[i] = line_value(pattern, i, n);
    mk_window in = {line, 0, 1};
    qsort(expected, n, sizeof *expected, compare_doubles);
    mk_sort(1, 1, n, (mk_window){sorted, 0, 1}, in, false, NULL);
    bool good = true;
    for (size_t i = 0; i < n; i++)
        good &= same_bits(sorted[i], expected[i]);
    check(good, "pattern %d of %zu sorted", (int)pattern, n);
    for (int descending = 0; descending < 2; descending++) {
        positions_of(line, n, descending, wanted);
        mk_argsort(1, 1, n, (mk_window){positions, 0, 1}, in, descending, scratch);
        check(memcmp(positions, wanted, n * sizeof *wanted) == 0, "pattern %d of %zu, positions", (int)pattern, n);
    }
    mk_sort(1, 1, n, in, in, true, NULL);
    good = true;
    size_t numbers = mk_numbers(expected, n);
    for (size_t i = 0; i < n; i++)
        good &= same_bits(line[i], i < numbers ? expected[numbers - 1 - i] : NAN);
    check(good, "pattern %d of %zu sorted the other way", (int)pattern, n);
    free(memory);
}

static void
test_lines(void)
{
    static const size_t lengths[] = {511, 512, 513, 1000, 1023, 1024, 4097, 30011};
    for (int pattern = 0; pattern < LINES; pattern++) {
        for (size_t n = 0; n <= 300; n++)
            test_line((line_pattern)pattern, n);
        for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
            test_line((line_pattern)pattern, lengths[i]);
    }
}

/* Splitting that helps nothing is given up for heapsort: here, at once. */
extern int mk_sort_patience;

static void
test_lines_impatient(void)
{
    int patience = mk_sort_patience;
    mk_sort_patience = 0;
    test_lines();
    mk_sort_patience = patience;
}

/* ---- along an axis ---- */

/* One line of what the window was, and the length of it. */
static size_t
old_line(const block *made, int axis, size_t line, size_t rows, size_t columns, double *to)
{
    size_t length = axis == 1 ? columns : rows;
    for (size_t j = 0; j < length; j++)
        to[j] = axis == 1 ? old(made, line, j) : old(made, j, line);
    return length;
}

static double
along(mk_window window, int axis, size_t line, size_t j)
{
    return axis == 1 ? *element(window, line, j) : *element(window, j, line);
}

enum { LONGEST = 80 };

/* The first k of each line and where they are: what a stable sort has first. */
static void
test_first(int axis, size_t rows, size_t columns, const block *in)
{
    double line[LONGEST], wanted[LONGEST];
    size_t lines = axis == 1 ? rows : columns, length = axis == 1 ? columns : rows;
    if (length == 0)
        return;
    size_t k = 1 + random_below(length), width = axis == 1 ? k : columns;
    bool largest = random_below(2), good = true;
    double *memory = malloc((2 * lines * k + 1) * sizeof *memory);
    double *scratch = malloc(mk_first_scratch(axis, rows, columns, in->window, k) * sizeof *scratch);
    if (!memory || !scratch)
        abort();
    mk_window values = {memory, (ptrdiff_t)width, 1}, positions = {memory + lines * k, (ptrdiff_t)width, 1};
    mk_first(axis, rows, columns, values, positions, in->window, NULL, k, largest, scratch);
    for (size_t i = 0; i < lines; i++) {
        old_line(in, axis, i, rows, columns, line);
        positions_of(line, length, largest, wanted);
        for (size_t j = 0; j < k; j++)
            good &= along(positions, axis, i, j) == wanted[j] &&
                    same_bits(along(values, axis, i, j), line[(size_t)wanted[j]]);
    }
    check(good, "the first %zu along axis %d of %zu x %zu", k, axis, rows, columns);
    free(memory);
    free(scratch);
}

static void
test_axis(int axis, size_t rows, size_t columns, pattern from, pattern to, values kind)
{
    block in = block_new(from, rows, columns, kind), out = block_new(to, rows, columns, kind);
    block positions = block_new(to, rows, columns, kind);
    double line[LONGEST], wanted[LONGEST];
    size_t lines = axis == 1 ? rows : columns;
    bool sorted = true, placed = true, again = true;
    double *scratch = malloc((mk_sort_scratch(axis, rows, columns, out.window, in.window) + 1) * sizeof *scratch);
    double *room = malloc((mk_argsort_scratch(axis, rows, columns, out.window, in.window) + 1) * sizeof *room);
    double *own = malloc((mk_sort_scratch(axis, rows, columns, in.window, in.window) + 1) * sizeof *own);
    if (!scratch || !room || !own)
        abort();
    mk_sort(axis, rows, columns, out.window, in.window, false, scratch);
    mk_argsort(axis, rows, columns, positions.window, in.window, false, room);
    test_first(axis, rows, columns, &in);
    mk_sort(axis, rows, columns, in.window, in.window, false, own);
    for (size_t i = 0; i < lines; i++) {
        size_t length = old_line(&in, axis, i, rows, columns, line);
        positions_of(line, length, false, wanted);
        for (size_t j = 0; j < length; j++)
            placed &= along(positions.window, axis, i, j) == wanted[j];
        qsort(line, length, sizeof *line, compare_doubles);
        for (size_t j = 0; j < length; j++) {
            sorted &= same_bits(along(out.window, axis, i, j), line[j]);
            again &= same_bits(along(in.window, axis, i, j), line[j]);
        }
    }
    const char *const names[] = {pattern_names[from], pattern_names[to]};
    check(sorted, "%zu x %zu sorted along axis %d, %s to %s", rows, columns, axis, names[0], names[1]);
    check(again, "%zu x %zu sorted in place along axis %d, %s", rows, columns, axis, names[0]);
    check(placed, "%zu x %zu positions along axis %d, %s to %s", rows, columns, axis, names[0], names[1]);
    check(only_window_written(&out, rows, columns), "sorting writes its result alone, %s", names[1]);
    check(only_window_written(&in, rows, columns), "sorting in place writes its elements alone, %s", names[0]);
    check(only_window_written(&positions, rows, columns), "positions are written alone, %s", names[1]);
    free(scratch);
    free(room);
    free(own);
    block_free(&in);
    block_free(&out);
    block_free(&positions);
}

static void
test_axes(void)
{
    for (int from = 0; from < OUTPUTS; from++)
        for (int to = 0; to < OUTPUTS; to++)
            for (int kind = ORDINARY; kind <= REPEATING; kind++)
                for (int round = 0; round < 6; round++)
                    test_axis(round % 2, some_size(), some_size(), (pattern)from, (pattern)to, (values)kind);
}

/* ---- searching and counting ---- */

static void
test_search(size_t n, pattern shape, bool right)
{
    size_t rows = some_size(), columns = some_size();
    block in = block_new(shape, rows, columns, n % 2 ? SMALL_INTEGERS : SPECIAL);
    block out = block_new(DENSE, rows, columns, ORDINARY);
    double *edges = malloc((n + 1) * sizeof *edges);
    bool good = true;
    if (!edges)
        abort();
    for (size_t i = 0; i < n; i++)
        edges[i] = draw(n % 2 ? SMALL_INTEGERS : SPECIAL);
    qsort(edges, n, sizeof *edges, compare_doubles);
    mk_search(rows, columns, out.window, in.window, edges, n, right, -7.0);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double x = old(&in, i, j), below = 0.0;
            for (size_t k = 0; k < n; k++)
                below += right ? edges[k] <= x : edges[k] < x;
            good &= *element(out.window, i, j) == (isnan(x) ? -7.0 : below);
        }
    check(good, "%zu x %zu values among %zu edges, %s", rows, columns, n, pattern_names[shape]);
    check(only_window_written(&out, rows, columns), "searching writes its result alone");
    free(edges);
    block_free(&in);
    block_free(&out);
}

/* Even bins are found by their edges too, and both count every element once. */
static void
test_histogram(size_t bins, pattern shape)
{
    size_t rows = some_size(), columns = some_size(), inside = 0;
    block in = block_new(shape, rows, columns, REPEATING);
    double *edges = malloc((3 * bins + 1) * sizeof *edges), *even = edges + bins + 1, *given = even + bins, sum = 0.0;
    int64_t *scratch = malloc(mk_histogram_scratch(bins) * sizeof *scratch);
    if (!edges || !scratch)
        abort();
    for (size_t i = 0; i <= bins; i++)
        edges[i] = i == bins ? 1.5 : (double)i * (3.0 / (double)bins) - 1.5;
    mk_histogram(rows, columns, even, in.window, &(mk_bins){edges, bins, true, -1.5, 1.5}, scratch);
    mk_histogram(rows, columns, given, in.window, &(mk_bins){edges, bins, false, 0, 0}, scratch);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            inside += fabs(old(&in, i, j)) <= 1.5;
    for (size_t i = 0; i < bins; i++)
        sum += even[i];
    check(memcmp(even, given, bins * sizeof *even) == 0, "%zu even bins are those between their edges", bins);
    check(sum == (double)inside, "%zu bins count %zu of %zu x %zu", bins, inside, rows, columns);
    free(edges);
    free(scratch);
    block_free(&in);
}

static void
test_searching(void)
{
    static const size_t counts[] = {0, 1, 2, 3, 7, 8, 9, 31, 64, 65, 300};
    for (int shape = 0; shape < PATTERNS; shape++)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            test_search(counts[i], (pattern)shape, false);
            test_search(counts[i], (pattern)shape, true);
            test_histogram(counts[i] + 1, (pattern)shape);
        }
    test_histogram(5000, DENSE);
}

#endif
