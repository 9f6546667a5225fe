/* Sorting runs of doubles, keys alone or with a position each. Included by loops.h. */

#include "sort_lanes.h"

#if defined(__clang__)
#define ALL_UNROLLED _Pragma("clang loop unroll(full)")
#elif defined(__GNUC__)
#define ALL_UNROLLED _Pragma("GCC unroll 16")
#else
#define ALL_UNROLLED
#endif

enum { MOST_ROWS = MK_SHORT };

/* Networks: every pair put in order, from left to right, sorts. */
/* clang-format off */
#define NETWORK_2(E) E(0, 1)
#define NETWORK_4(E) E(0, 1) E(2, 3) E(0, 2) E(1, 3) E(1, 2)
#define NETWORK_8(E) \
    E(0, 1) E(2, 3) E(4, 5) E(6, 7) E(0, 2) E(1, 3) E(4, 6) E(5, 7) E(1, 2) E(5, 6) E(0, 4) E(3, 7) \
    E(1, 5) E(2, 6) E(1, 4) E(3, 6) E(2, 4) E(3, 5) E(3, 4)
#define NETWORK_16(E) \
    E(0, 13) E(1, 12) E(2, 15) E(3, 14) E(4, 8) E(5, 6) E(7, 11) E(9, 10) \
    E(0, 5) E(1, 7) E(2, 9) E(3, 4) E(6, 13) E(8, 14) E(10, 15) E(11, 12) \
    E(0, 1) E(2, 3) E(4, 5) E(6, 8) E(7, 9) E(10, 11) E(12, 13) E(14, 15) \
    E(0, 2) E(1, 3) E(4, 10) E(5, 11) E(6, 7) E(8, 9) E(12, 14) E(13, 15) \
    E(1, 2) E(3, 12) E(4, 6) E(5, 7) E(8, 10) E(9, 11) E(13, 14) \
    E(1, 4) E(2, 6) E(5, 8) E(7, 10) E(9, 13) E(11, 14) E(2, 4) E(3, 6) E(9, 12) E(11, 13) \
    E(3, 5) E(6, 8) E(7, 9) E(10, 12) E(3, 4) E(5, 6) E(7, 8) E(9, 10) E(11, 12) E(6, 7) E(8, 9)
/* clang-format on */

static double pivot_of(const double *keys, size_t n);

/* How many rows a table has, and how many tables are merged before splitting pays: found by measuring. */
#if defined(MK_LANES_AVX512)
#define SORT_ROWS   16
#define SORT_MERGED 2
#else
#define SORT_ROWS   8
#define SORT_MERGED 4
#endif
#define PAIRS      0
#define SORT(name) keys_##name
#include "sort_runs.h"
#undef PAIRS
#undef SORT
#undef SORT_ROWS
#undef SORT_MERGED

#if defined(MK_LANES_AVX512)
#define SORT_ROWS   8
#define SORT_MERGED 2
#else
#define SORT_ROWS   4
#define SORT_MERGED 4
#endif
#define PAIRS      1
#define SORT(name) pairs_##name
#include "sort_runs.h"
#undef PAIRS
#undef SORT
#undef SORT_ROWS
#undef SORT_MERGED

/* The middle one of a few that stand evenly spaced. */
static double
pivot_of(const double *keys, size_t n)
{
    enum { FEW = 2, MANY = 8, FROM = 1024 };
    double sample[MANY * LANES];
    size_t count = n < FROM ? FEW : MANY, apart = (n - LANES) / (count - 1);
    for (size_t i = 0; i < count; i++)
        v_store(sample + i * LANES, v_load(keys + i * apart));
    keys_small(sample, NULL, count * LANES);
    return sample[count * LANES / 2];
}

static int
patience_of(size_t n)
{
    int halvings = 0;
    for (; n; n /= 2)
        halvings++;
    return mk_sort_patience * halvings;
}

/* What sorting treats apart is in the run: a zero or NaN. */
INLINE bool
has_odd(const double *at, size_t n)
{
    size_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        unsigned odd = 0;
        for (size_t k = 0; k < 4; k++)
            odd |= lanes_bits(lanes_odd(v_load(at + i + k * LANES)));
        if (odd)
            return true;
    }
    for (; i < n; i++)
        if (!(at[i] < 0.0 || at[i] > 0.0))
            return true;
    return false;
}

/* NaN to the end: how many others there are. */
static size_t
numbers_first(double *at, size_t n)
{
    size_t numbers = 0;
    for (size_t i = 0; i < n; i++) {
        double x = at[i];
        at[i] = at[numbers];
        at[numbers] = x;
        numbers += x == x;
    }
    return numbers;
}

/* Zeros, which stand together: the negative ones first. */
static void
settle_zeros(double *at, size_t n)
{
    size_t first = 0, end, negative = 0;
    for (size_t length = n; length;) {
        size_t half = length / 2;
        if (at[first + half] < 0.0) {
            first += half + 1;
            length -= half + 1;
        } else {
            length = half;
        }
    }
    for (end = first; end < n && at[end] == 0.0; end++)
        negative += signbit(at[end]) != 0;
    for (size_t i = first; i < end; i++)
        at[i] = i - first < negative ? -0.0 : 0.0;
}

/* Ascending, NaN last. */
static void
sort_run(double *at, size_t n)
{
    if (n < 2)
        return;
    if (n == 2 && at[0] != at[1] && at[0] == at[0] && at[1] == at[1]) {
        double first = at[0], second = at[1];
        at[0] = first < second ? first : second;
        at[1] = first < second ? second : first;
        return;
    }
    bool odd = has_odd(at, n);
    if (odd)
        n = numbers_first(at, n);
    keys_quick(at, NULL, n, patience_of(n));
    if (odd)
        settle_zeros(at, n);
}

INLINE void
turn_signs(double *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        at[i] = -at[i];
}

/* `turned`: descending, NaN last. */
static void
sort_turned(double *at, size_t n, bool turned)
{
    if (turned)
        turn_signs(at, n);
    sort_run(at, n);
    if (turned)
        turn_signs(at, n);
}

/* ---- positions ---- */

/* Of equal keys the first come first: their positions, few or many, are put in order. */
static void
settle_equals(const double *keys, double *positions, size_t n)
{
    for (size_t i = 0, end; i < n; i = end) {
        if (i + LANES < n && !lanes_bits(lanes_less_equal(v_load(keys + i + 1), v_load(keys + i)))) {
            end = i + LANES;
            continue;
        }
        for (end = i + 1; end < n && keys[end] == keys[i]; end++)
            ;
        if (end - i == 2) {
            double first = positions[i], second = positions[i + 1];
            positions[i] = first < second ? first : second;
            positions[i + 1] = first < second ? second : first;
        } else if (end - i > 2) {
            keys_quick(positions + i, NULL, end - i, patience_of(end - i));
        }
    }
}

/* All keys are below infinity, which fills what a table has too much, and must not be mistaken for that. */
INLINE bool
all_below_infinity(const double *at, size_t n)
{
    size_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        unsigned below = (1U << LANES) - 1U;
        for (size_t k = 0; k < 4; k++)
            below &= lanes_bits(lanes_less(v_load(at + i + k * LANES), v_all(INFINITY)));
        if (below != (1U << LANES) - 1U)
            return false;
    }
    for (; i < n; i++)
        if (!(at[i] < INFINITY))
            return false;
    return true;
}

/* Keys below infinity first, then infinity, then NaN, with their positions in the order in which they stand: how many
 * there are of the first. */
static size_t
positions_apart(double *keys, double *positions, size_t n)
{
    size_t below = 0, infinite = 0, numbers, first = 0;
    for (size_t i = 0; i < n; i++) {
        below += keys[i] < INFINITY;
        infinite += keys[i] == INFINITY;
    }
    numbers = below + infinite;
    for (size_t i = 0, second = below, third = numbers; i < n; i++) {
        double key = keys[i];
        size_t *next = key < INFINITY ? &first : key == INFINITY ? &second : &third;
        keys[first] = key; /* what is not below infinity is written over, or further down */
        positions[(*next)++] = (double)i;
    }
    for (size_t i = below; i < n; i++)
        keys[i] = i < numbers ? INFINITY : NAN;
    return below;
}

/* Sorts the keys, NaN last, and says where each was; stable. */
static void
argsort_run(double *keys, double *positions, size_t n)
{
    if (all_below_infinity(keys, n)) {
        for (size_t i = 0; i < n; i++)
            positions[i] = (double)i;
    } else {
        n = positions_apart(keys, positions, n);
    }
    if (n < 2)
        return;
    pairs_quick(keys, positions, n, patience_of(n));
    settle_equals(keys, positions, n);
}

/* ---- the first few ---- */

/* Keeps the first k of those found, in order; the k-th key bars what comes later. */
static size_t
prune(double *keys, double *positions, size_t found, size_t k)
{
    if (found > 1) {
        pairs_quick(keys, positions, found, patience_of(found));
        settle_equals(keys, positions, found);
    }
    return found < k ? found : k;
}

/* The positions of the k least of a consecutive run, ascending, NaN last and as it stands; with `turned` the greatest,
 * descending. Where there is a mask, elements whose mask is 0 do not count. Gives how many there were. `keys` and
 * `positions` have room for mk_first_room(k). */
static size_t
first_run(const double *from, const double *counts, size_t n, size_t k, bool turned, double *keys, double *positions)
{
    size_t room = mk_first_room(k) - LANES, found = 0, i = 0;
    double sign = turned ? -1.0 : 1.0;
    vec bar = v_all(INFINITY), number = v_all(0.0);
    for (int lane = 0; lane < LANES; lane++)
        number[lane] = lane;
    for (; i + LANES <= n; i += LANES) {
        vec x = v_load(from + i) * v_all(sign);
        unsigned bits = lanes_bits(lanes_less(x, bar));
        if (bits && counts)
            bits &= lanes_bits(lanes_less(v_abs(v_load(counts + i)), v_all(5e-324))) ^ ((1U << LANES) - 1U);
        if (!bits)
            continue;
        lane_order order = lanes_order(bits);
        v_store(keys + found, lanes_ordered(order, x));
        v_store(positions + found, lanes_ordered(order, number + v_all((double)i)));
        found += lanes_count(bits);
        if (found > room - LANES) {
            found = prune(keys, positions, found, k);
            bar = v_all(keys[found - 1]);
        }
    }
    for (; i < n; i++) {
        double x = from[i] * sign;
        if (x < bar[0] && (!counts || counts[i] != 0.0)) {
            keys[found] = x;
            positions[found++] = (double)i;
        }
    }
    found = prune(keys, positions, found, k);
    for (i = 0; found < k && i < n; i++)
        if (from[i] * sign == INFINITY && (!counts || counts[i] != 0.0))
            positions[found++] = (double)i;
    for (i = 0; found < k && i < n; i++)
        if (from[i] != from[i] && (!counts || counts[i] != 0.0))
            positions[found++] = (double)i;
    return found;
}

/* ---- short columns side by side ---- */

INLINE void
sort_table_across(int rows, size_t length, double *to, ptrdiff_t to_row, const double *from, ptrdiff_t from_row,
                  bool turned)
{
    keys_lot x[MOST_ROWS];
    vec sign = v_all(turned ? -0.0 : 0.0), odd = v_all(0.0);
    ALL_UNROLLED
    for (int i = 0; i < rows; i++) {
        if ((size_t)i < length) {
            vec value = v_load(from + i * from_row);
            odd = (vec)((mask)odd | ~((value < v_all(0.0)) | (value > v_all(0.0))));
            x[i].key = (vec)((mask)value ^ (mask)sign);
        } else {
            x[i].key = v_all(INFINITY);
        }
    }
    if (v_bits((mask)odd)) {
        double column[MOST_ROWS];
        for (int lane = 0; lane < LANES; lane++) {
            for (size_t i = 0; i < length; i++)
                column[i] = from[lane + (ptrdiff_t)i * from_row];
            sort_turned(column, length, turned);
            for (size_t i = 0; i < length; i++)
                to[lane + (ptrdiff_t)i * to_row] = column[i];
        }
        return;
    }
    keys_columns(x, rows);
    ALL_UNROLLED
    for (int i = 0; i < rows; i++)
        if ((size_t)i < length)
            v_store(to + i * to_row, (vec)((mask)x[i].key ^ (mask)sign));
}

/* Each of LANES columns of at most MK_SHORT elements, column k starting at from + k. */
static void
sort_across(size_t length, double *to, ptrdiff_t to_row, const double *from, ptrdiff_t from_row, bool turned)
{
    if (length <= 2)
        sort_table_across(2, length, to, to_row, from, from_row, turned);
    else if (length <= 4)
        sort_table_across(4, length, to, to_row, from, from_row, turned);
    else if (length <= 8)
        sort_table_across(8, length, to, to_row, from, from_row, turned);
    else
        sort_table_across(16, length, to, to_row, from, from_row, turned);
}
