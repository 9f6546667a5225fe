/* The element that would stand at a place if they were sorted, without sorting. Included by loops.h.
 *
 * The part where it must be is narrowed: by two bounds drawn from a sample, which leave a hundredth of a large part at
 * the price of reading it once, then by single pivots, whose equals drop out. What was learnt of the values above the
 * part gives the next element in order. Nothing depends on the vectors' length: parts keep the order of the elements.
 */

enum {
    RANK_FEW = 12,      /* sorted by insertion */
    RANK_SAMPLED = 4096 /* elements from which a sample pays */
};

/* Where the search is. `at` is the caller's values or lies in one of the two rooms. */
typedef struct {
    const double *at;
    size_t count, rank;
    double above; /* the least of the values known to be above the part; NaN: there is none */
    double *room[2];
    int in; /* which room `at` is; -1: neither */
    uint64_t random;
} rank_part;

static size_t
rank_random(rank_part *part, size_t below)
{
    part->random ^= part->random << 13;
    part->random ^= part->random >> 7;
    part->random ^= part->random << 17;
    return (size_t)(part->random % below);
}

static bool
rank_has_nan(const double *at, size_t count)
{
    size_t i = 0;
    mask found = (mask)v_all(0.0);
    for (; i + LANES <= count; i += LANES) {
        vec x = v_load(at + i);
        found |= x != x;
    }
    bool nan = v_bits(found);
    for (; i < count; i++)
        nan |= at[i] != at[i];
    return nan;
}

/* Those below the pivot to `low`, those above to `high`, in order. `low` may be `at`; `high` has LANES to spare. */
static void
rank_split(const double *at, size_t count, double pivot, double *low, double *high, size_t *lows, size_t *highs)
{
    size_t a = 0, b = 0, i = 0;
#if defined(MK_LANES_AVX512)
    __m512d between = _mm512_set1_pd(pivot);
    for (; i + LANES <= count; i += LANES) {
        __m512d x = _mm512_loadu_pd(at + i);
        __mmask8 less = _mm512_cmp_pd_mask(x, between, _CMP_LT_OQ);
        __mmask8 greater = _mm512_cmp_pd_mask(x, between, _CMP_GT_OQ);
        _mm512_storeu_pd(low + a, _mm512_maskz_compress_pd(less, x));
        _mm512_storeu_pd(high + b, _mm512_maskz_compress_pd(greater, x));
        a += (size_t)__builtin_popcount(less);
        b += (size_t)__builtin_popcount(greater);
    }
#endif
    for (; i < count; i++) {
        double x = at[i];
        low[a] = x;
        a += x < pivot;
        high[b] = x;
        b += x > pivot;
    }
    *lows = a;
    *highs = b;
}

/* Those from `low` to `high` to `to`, in order; counts those below, too, and tells of a NaN. */
static size_t
rank_between(const double *at, size_t count, double low, double high, double *to, size_t *below, bool *nan)
{
    vec least = v_all(low), most = v_all(high);
    mask less = (mask)v_all(0.0), strange = (mask)v_all(0.0);
    size_t found = 0, i = 0;
    for (; i + LANES <= count; i += LANES) {
        vec x = v_load(at + i);
        less -= x < least;
        strange |= x != x;
        for (unsigned bits = v_bits((x >= least) & (x <= most)); bits; bits &= bits - 1)
            to[found++] = at[i + (size_t)__builtin_ctz(bits)];
    }
    size_t under = 0;
    for (int k = 0; k < LANES; k++)
        under += (size_t)less[k];
    *nan = v_bits(strange);
    for (; i < count; i++) {
        under += at[i] < low;
        *nan |= at[i] != at[i];
        if (at[i] >= low && at[i] <= high)
            to[found++] = at[i];
    }
    *below = under;
    return found;
}

static double
least_of(const double *at, size_t count)
{
    double least = at[0];
    for (size_t i = 1; i < count; i++)
        least = at[i] < least ? at[i] : least;
    return least;
}

/* The element at part->rank and, in `next`, the one after it in order; NaN if there is none. */
static double
rank_by_insertion(rank_part *part, double *next)
{
    double sorted[RANK_FEW];
    for (size_t i = 0; i < part->count; i++) {
        size_t place = i;
        for (; place && sorted[place - 1] > part->at[i]; place--)
            sorted[place] = sorted[place - 1];
        sorted[place] = part->at[i];
    }
    *next = part->rank + 1 < part->count ? sorted[part->rank + 1] : part->above;
    return sorted[part->rank];
}

static double
rank_pivot(rank_part *part)
{
    double a = part->at[rank_random(part, part->count)], b = part->at[rank_random(part, part->count)];
    double c = part->at[rank_random(part, part->count)];
    double low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* One pivot at a time. */
static double
rank_by_pivots(rank_part *part, double *next)
{
    while (part->count > RANK_FEW) {
        double pivot = rank_pivot(part);
        double *low = part->room[part->in == 1], *high = part->room[part->in != 1];
        size_t lows, highs, equals;
        rank_split(part->at, part->count, pivot, low, high, &lows, &highs);
        equals = part->count - lows - highs;
        if (part->rank < lows) {
            part->at = low;
            part->in = part->in == 1;
            part->count = lows;
            part->above = pivot;
        } else if (part->rank < lows + equals) {
            *next = part->rank + 1 < lows + equals ? pivot : highs ? least_of(high, highs) : part->above;
            return pivot;
        } else {
            part->at = high;
            part->in = part->in != 1;
            part->count = highs;
            part->rank -= lows + equals;
        }
    }
    return rank_by_insertion(part, next);
}

/* Narrows a large part with a sample. False if that missed: the part is as it was then. */
static bool
rank_by_sample(rank_part *part, bool *nan)
{
    size_t size = (size_t)cbrt((double)part->count);
    size *= size;
    double *sample = part->room[0], *room = part->room[1], bounds[2], next;
    for (size_t i = 0; i < size; i++) {
        size_t first = part->count / size * i;
        sample[i] = part->at[first + rank_random(part, part->count / size)];
    }
    double share = (double)part->rank / (double)part->count;
    double middle = share * (double)size, margin = 3.5 * sqrt((double)size * share * (1.0 - share)) + 8.0;
    double ranks[2] = {middle - margin, middle + margin};
    for (int k = 0; k < 2; k++) {
        double limit = (double)(size - 1), rank = ranks[k] < 0.0 ? 0.0 : ranks[k] > limit ? limit : ranks[k];
        rank_part small = {sample, size, (size_t)rank, NAN, {room, room + size + OCT}, -1, part->random};
        bounds[k] = rank_by_pivots(&small, &next);
    }
    /* Beyond the sample's ends there may be more. */
    double low = ranks[0] < 0.0 ? -INFINITY : bounds[0];
    double high = ranks[1] > (double)(size - 1) ? INFINITY : bounds[1];
    size_t below, found = rank_between(part->at, part->count, low, high, room, &below, nan);
    if (*nan || part->rank < below || (part->rank + 1 >= below + found && below + found < part->count))
        return false;
    part->at = room;
    part->in = 1;
    part->count = found;
    part->rank -= below;
    return true;
}

/* The element of `count` at `rank` in order, and the next one (the same if it is the last); both NaN if any is. The
 * `room` is 2 * (count + OCT) doubles and does not overlap `at`. */
static void
rank_of(const double *at, size_t count, size_t rank, double *room, double found[2])
{
    rank_part part = {at, count, rank, NAN, {room, room + count + OCT}, -1, 0x9E3779B97F4A7C15U};
    bool nan = false, sampled = count >= RANK_SAMPLED;
    if (sampled && rank_by_sample(&part, &nan))
        found[0] = rank_by_pivots(&part, found + 1);
    else if (nan || (!sampled && rank_has_nan(at, count)))
        found[0] = NAN;
    else
        found[0] = rank_by_pivots(&part, found + 1);
    if (rank + 1 == count || found[0] != found[0])
        found[1] = found[0];
}
