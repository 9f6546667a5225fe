/* Masks: what is picked from a run, and what is put back into it. Included by loops.h. */

/* The lanes of x whose bit is set, moved to the front; and back: the first values to those lanes. The other lanes of
 * the result are anything. */
#if defined(MK_LANES_AVX512)
INLINE vec
v_compress(unsigned bits, vec x)
{
    return (vec)_mm512_maskz_compress_pd((__mmask8)bits, (__m512d)x);
}

INLINE vec
v_expand(unsigned bits, vec x)
{
    return (vec)_mm512_maskz_expand_pd((__mmask8)bits, (__m512d)x);
}
#elif defined(MK_LANES_AVX2)
/* For each set of lanes the halves of doubles that go to each place. */
#define HALVES(a, b, c, d) {2 * (a), 2 * (a) + 1, 2 * (b), 2 * (b) + 1, 2 * (c), 2 * (c) + 1, 2 * (d), 2 * (d) + 1}
static const int32_t lanes_to_front[16][8] = {
    HALVES(0, 0, 0, 0), HALVES(0, 0, 0, 0), HALVES(1, 0, 0, 0), HALVES(0, 1, 0, 0),
    HALVES(2, 0, 0, 0), HALVES(0, 2, 0, 0), HALVES(1, 2, 0, 0), HALVES(0, 1, 2, 0),
    HALVES(3, 0, 0, 0), HALVES(0, 3, 0, 0), HALVES(1, 3, 0, 0), HALVES(0, 1, 3, 0),
    HALVES(2, 3, 0, 0), HALVES(0, 2, 3, 0), HALVES(1, 2, 3, 0), HALVES(0, 1, 2, 3),
};
static const int32_t lanes_from_front[16][8] = {
    HALVES(0, 0, 0, 0), HALVES(0, 0, 0, 0), HALVES(0, 0, 0, 0), HALVES(0, 1, 0, 0),
    HALVES(0, 0, 0, 0), HALVES(0, 0, 1, 0), HALVES(0, 0, 1, 0), HALVES(0, 1, 2, 0),
    HALVES(0, 0, 0, 0), HALVES(0, 0, 0, 1), HALVES(0, 0, 0, 1), HALVES(0, 1, 0, 2),
    HALVES(0, 0, 0, 1), HALVES(0, 0, 1, 2), HALVES(0, 0, 1, 2), HALVES(0, 1, 2, 3),
};
#undef HALVES

INLINE vec
v_permute(vec x, const int32_t *halves)
{
    __m256i order = _mm256_loadu_si256((const __m256i *)(const void *)halves);
    return (vec)_mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps((__m256d)x), order));
}

INLINE vec
v_compress(unsigned bits, vec x)
{
    return v_permute(x, lanes_to_front[bits]);
}

INLINE vec
v_expand(unsigned bits, vec x)
{
    return v_permute(x, lanes_from_front[bits]);
}
#else
INLINE vec
v_compress(unsigned bits, vec x)
{
    return (vec){bits & 1U ? x[0] : x[1], x[1]};
}

INLINE vec
v_expand(unsigned bits, vec x)
{
    return (vec){x[0], bits & 1U ? x[1] : x[0]};
}
#endif

static bool
whole_numbers(size_t n, ptrdiff_t *to, const double *from)
{
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        double x = from[i];
        bool small = x > -0x1p53 && x < 0x1p53;
        ptrdiff_t whole = (ptrdiff_t)(small ? x : 0.5);
        to[i] = whole;
        good &= (double)whole == x;
    }
    return good;
}

static bool
in_range(size_t n, const ptrdiff_t *at, ptrdiff_t length, bool *negative)
{
    int64_t least = 0, greatest = -1;
    for (size_t i = 0; i < n; i++) {
        least = at[i] < least ? at[i] : least;
        greatest = at[i] > greatest ? at[i] : greatest;
    }
    *negative = least < 0;
    return least >= -length && greatest < length;
}

static void
from_end(size_t n, ptrdiff_t *at, ptrdiff_t length)
{
    for (size_t i = 0; i < n; i++)
        at[i] += at[i] < 0 ? length : 0;
}

static size_t
mask_count(size_t n, const double *at, bool *valid)
{
    vec ones = v_all(0.0);
    mask good = ones == ones;
    double count = 0.0;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vec x = v_load(at + i);
        good &= (x == v_all(0.0)) | (x == v_all(1.0));
        ones += x;
    }
    for (int lane = 0; lane < LANES; lane++) {
        count += ones[lane];
        *valid &= good[lane] != 0;
    }
    for (; i < n; i++) {
        *valid &= at[i] == 0.0 || at[i] == 1.0;
        count += at[i];
    }
    return *valid ? (size_t)count : 0;
}

static double *
compress(size_t n, double *out, const double *end, const double *in, const double *where)
{
    size_t i = 0;
    /* Whole vectors are stored, of which the next one overwrites what was not picked. */
    for (; i + LANES <= n && end - out >= LANES; i += LANES) {
        unsigned bits = v_bits(v_load(where + i) != v_all(0.0));
        v_store(out, v_compress(bits, v_load(in + i)));
        out += __builtin_popcount(bits);
    }
    for (; i < n && out < end; i++) {
        *out = in[i];
        out += where[i] != 0.0;
    }
    return out;
}

static const double *
expand(size_t n, double *out, const double *where, const double *from, const double *end)
{
    size_t i = 0;
    for (; i + LANES <= n && end - from >= LANES; i += LANES) {
        mask picked = v_load(where + i) != v_all(0.0);
        unsigned bits = v_bits(picked);
        v_store(out + i, v_select(picked, v_expand(bits, v_load(from)), v_load(out + i)));
        from += __builtin_popcount(bits);
    }
    for (; i < n && from < end; i++) {
        bool picked = where[i] != 0.0;
        out[i] = picked ? *from : out[i];
        from += picked;
    }
    return from;
}
