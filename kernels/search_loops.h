/* Where values belong among edges, and how many belong together. Included by loops.h. */

enum { ABREAST = 32 };

/* Down the same halves for several values at a time, so that none waits for another's memory. */
#if defined(MK_LANES_AVX512)
INLINE void
search_abreast(const double *edges, size_t n, const double *values, double *out, bool right)
{
    enum { PART = ABREAST / LANES };
    __m512i base[PART];
    vec x[PART];
    for (int k = 0; k < PART; k++) {
        base[k] = _mm512_setzero_si512();
        x[k] = v_load(values + k * LANES);
    }
    for (size_t length = n; length > 0;) {
        size_t half = length > 1 ? length / 2 : 1;
        __m512i step = _mm512_set1_epi64((int64_t)half);
        for (int k = 0; k < PART; k++) {
            vec edge = (vec)_mm512_i64gather_pd(base[k], edges + half - 1, sizeof *edges);
            lane_set beyond = right ? lanes_less_equal(edge, x[k]) : lanes_less(edge, x[k]);
            base[k] = _mm512_mask_add_epi64(base[k], beyond, base[k], step);
        }
        length -= half;
    }
    for (int k = 0; k < PART; k++)
        v_store(out + k * LANES, (vec)_mm512_cvtepi64_pd(base[k]));
}
#else
INLINE void
search_abreast(const double *edges, size_t n, const double *values, double *out, bool right)
{
    int64_t base[ABREAST] = {0};
    size_t length = n;
    while (length > 1) {
        int64_t half = (int64_t)(length / 2);
        for (int k = 0; k < ABREAST; k++) {
            double edge = edges[base[k] + half - 1];
            base[k] += -(int64_t)(right ? edge <= values[k] : edge < values[k]) & half;
        }
        length -= (size_t)half;
    }
    for (int k = 0; k < ABREAST; k++) {
        double edge = edges[base[k]];
        out[k] = (double)(base[k] + (int64_t)(right ? edge <= values[k] : edge < values[k]));
    }
}
#endif

INLINE void
search_side(const double *edges, size_t n, const double *values, double *out, size_t count, bool right)
{
    size_t i = 0;
    for (; i + ABREAST <= count; i += ABREAST)
        search_abreast(edges, n, values + i, out + i, right);
    if (i < count) {
        double last[ABREAST] = {0}, found[ABREAST];
        memcpy(last, values + i, (count - i) * sizeof *last);
        search_abreast(edges, n, last, found, right);
        memcpy(out + i, found, (count - i) * sizeof *out);
    }
}

/* How many of n ascending edges lie below each value, with `right` not above it. `out` is not `values`. */
static void
search_run(const double *edges, size_t n, const double *values, double *out, size_t count, bool right)
{
    if (n == 0)
        memset(out, 0, count * sizeof *out);
    else if (right)
        search_side(edges, n, values, out, count, true);
    else
        search_side(edges, n, values, out, count, false);
}

/* Widens low to high by what is no NaN. */
static void
range_run(const double *values, size_t count, double *low, double *high)
{
    vec lowest = v_all(*low), highest = v_all(*high);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        vec x = v_load(values + i);
        lowest = least(x, lowest);
        highest = greatest(x, highest);
    }
    for (int lane = 0; lane < LANES; lane++) {
        *low = lowest[lane] < *low ? lowest[lane] : *low;
        *high = highest[lane] > *high ? highest[lane] : *high;
    }
    for (; i < count; i++) {
        *low = values[i] < *low ? values[i] : *low;
        *high = values[i] > *high ? values[i] : *high;
    }
}

/* Of equal width: which one, as NumPy computes it; `bins` for what lies outside and for NaN. */
static void
bins_even(const mk_bins *bins, const double *values, int64_t *out, size_t count)
{
    const double *edges = bins->edges;
    int64_t last = (int64_t)bins->count - 1;
    double low = bins->low, high = bins->high, width = high - low, times = (double)bins->count;
    for (size_t i = 0; i < count; i++) {
        double x = values[i];
        bool inside = (x >= low) & (x <= high);
        double at = (x - low) / width * times;
        int64_t bin = (int64_t)(inside ? at : 0.0);
        bin = bin > last ? last : bin;
        bin -= x < edges[bin];
        bin = bin < 0 ? 0 : bin;
        bin += (x >= edges[bin + 1]) & (bin != last);
        out[i] = inside ? bin : last + 1;
    }
}

/* The number of the bin of equal width that x is in; NaN is -1. */
static void
bin_run(const mk_scale *scale, const double *values, double *out, size_t count)
{
    const double whole = 4503599627370496.0; /* from here on every double is an integer */
    double least_at = scale->right ? 1.0 : 0.0, most_at = scale->bins - 1.0 + least_at;
    for (size_t i = 0; i < count; i++) {
        double x = values[i], at = (x * scale->unit - scale->low) * scale->bins_a_unit, near;
        at = at > least_at ? at : least_at;
        at = at < most_at ? at : most_at;
        near = at + whole - whole;
        near = scale->right ? near + (near < at ? 0.0 : -1.0) : near - (near > at ? 1.0 : 0.0);
        out[i] = x != x ? -1.0 : near;
    }
}
