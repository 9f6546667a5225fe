/* The words in which sorting is written: lanes chosen, moved and exchanged. Included by loops.h.
 *
 * No NaN comes here. Of two zeros neither is less, and every word keeps both, so signs are never lost: where they end
 * up is settled when all else is sorted.
 */

typedef int64_t lane_numbers __attribute__((vector_size(8 * LANES)));

#if defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 12)
#define V_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define V_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (lane_numbers){__VA_ARGS__})
#endif

#if defined(MK_LANES_AVX512)

typedef __mmask8 lane_set;

INLINE lane_set
lanes_less(vec a, vec b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LT_OQ);
}

INLINE lane_set
lanes_less_equal(vec a, vec b)
{
    return _mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LE_OQ);
}

/* Lanes that are a zero or NaN: what sorting treats apart. */
INLINE lane_set
lanes_odd(vec x)
{
    return _mm512_cmp_pd_mask((__m512d)x, _mm512_setzero_pd(), _CMP_EQ_UQ);
}

INLINE unsigned
lanes_bits(lane_set set)
{
    return set;
}

INLINE vec
lanes_choose(lane_set set, vec a, vec b)
{
    return (vec)_mm512_mask_blend_pd(set, (__m512d)b, (__m512d)a);
}

/* Of equal ones both give b, so least(a, b) and greatest(b, a) are the two of them; where one is NaN, b as well. */
INLINE vec
least(vec a, vec b)
{
    return (vec)_mm512_min_pd((__m512d)a, (__m512d)b);
}

INLINE vec
greatest(vec a, vec b)
{
    return (vec)_mm512_max_pd((__m512d)a, (__m512d)b);
}

/* Lanes whose number has `bit` from b, the others from a. */
INLINE vec
lanes_blend(unsigned bit, vec a, vec b)
{
    lane_set with = bit == 1 ? 0xAA : bit == 2 ? 0xCC : 0xF0;
    return (vec)_mm512_mask_blend_pd(with, (__m512d)a, (__m512d)b);
}

/* The lesser of x and y, but in lanes whose number has `bit` the greater; and the other way round. */
INLINE vec
lanes_apart(unsigned bit, vec x, vec y)
{
    lane_set with = bit == 1 ? 0xAA : bit == 2 ? 0xCC : 0xF0;
    return (vec)_mm512_mask_max_pd((__m512d)least(x, y), with, (__m512d)x, (__m512d)y);
}

INLINE vec
lanes_apart_other(unsigned bit, vec x, vec y)
{
    lane_set with = bit == 1 ? 0xAA : bit == 2 ? 0xCC : 0xF0;
    return (vec)_mm512_mask_min_pd((__m512d)greatest(x, y), with, (__m512d)x, (__m512d)y);
}

/* Lane k from lane k ^ flip. */
INLINE vec
lanes_flip(unsigned flip, vec x)
{
    switch (flip) {
    case 1:
        return V_SHUFFLE(x, x, 1, 0, 3, 2, 5, 4, 7, 6);
    case 2:
        return V_SHUFFLE(x, x, 2, 3, 0, 1, 6, 7, 4, 5);
    case 3:
        return V_SHUFFLE(x, x, 3, 2, 1, 0, 7, 6, 5, 4);
    case 4:
        return V_SHUFFLE(x, x, 4, 5, 6, 7, 0, 1, 2, 3);
    default:
        return V_SHUFFLE(x, x, 7, 6, 5, 4, 3, 2, 1, 0);
    }
}

INLINE vec
zip_low(vec a, vec b)
{
    return V_SHUFFLE(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

INLINE vec
zip_high(vec a, vec b)
{
    return V_SHUFFLE(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/* Where a lane goes when those in `set` go first, in their order; eight lane numbers, one a byte. */
#define BELOW(set, lane) __builtin_popcount((set) & ((1 << (lane)) - 1))
#define PLACE(set, lane) \
    (((set) >> (lane) & 1) ? BELOW(set, lane) : __builtin_popcount(set) + (lane) - BELOW(set, lane))
#define GOES(set, lane) ((uint64_t)(lane) << 8 * PLACE(set, lane))
#define ORDER(set)                                                                                            \
    (GOES(set, 0) | GOES(set, 1) | GOES(set, 2) | GOES(set, 3) | GOES(set, 4) | GOES(set, 5) | GOES(set, 6) | \
     GOES(set, 7))
#define ORDERS_4(set)  ORDER(set), ORDER((set) + 1), ORDER((set) + 2), ORDER((set) + 3)
#define ORDERS_16(set) ORDERS_4(set), ORDERS_4((set) + 4), ORDERS_4((set) + 8), ORDERS_4((set) + 12)
#define ORDERS_64(set) ORDERS_16(set), ORDERS_16((set) + 16), ORDERS_16((set) + 32), ORDERS_16((set) + 48)
static const uint64_t lane_orders[256] = {ORDERS_64(0), ORDERS_64(64), ORDERS_64(128), ORDERS_64(192)};

typedef __m512i lane_order;

/* The lanes in `set` first. */
INLINE lane_order
lanes_order(unsigned set)
{
    return _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(const void *)(lane_orders + set)));
}

INLINE vec
lanes_ordered(lane_order order, vec x)
{
    return (vec)_mm512_permutexvar_pd(order, (__m512d)x);
}

/* The first n lanes, the others +infinity; n may be above LANES, or 0. */
INLINE vec
load_or_infinity(const double *at, size_t n)
{
    lane_set set = (lane_set)(n < LANES ? (1U << n) - 1U : 0xFFU);
    return (vec)_mm512_mask_loadu_pd(_mm512_set1_pd(INFINITY), set, at);
}

INLINE void
store_some(double *at, vec x, size_t n)
{
    _mm512_mask_storeu_pd(at, (lane_set)(n < LANES ? (1U << n) - 1U : 0xFFU), (__m512d)x);
}

#elif defined(MK_LANES_AVX2)

typedef __m256d lane_set;

INLINE lane_set
lanes_less(vec a, vec b)
{
    return _mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_LT_OQ);
}

INLINE lane_set
lanes_less_equal(vec a, vec b)
{
    return _mm256_cmp_pd((__m256d)a, (__m256d)b, _CMP_LE_OQ);
}

INLINE lane_set
lanes_odd(vec x)
{
    return _mm256_cmp_pd((__m256d)x, _mm256_setzero_pd(), _CMP_EQ_UQ);
}

INLINE unsigned
lanes_bits(lane_set set)
{
    return (unsigned)_mm256_movemask_pd(set);
}

INLINE vec
lanes_blend(unsigned bit, vec a, vec b)
{
    return bit == 1 ? (vec)_mm256_blend_pd((__m256d)a, (__m256d)b, 0xA)
                    : (vec)_mm256_blend_pd((__m256d)a, (__m256d)b, 0xC);
}

INLINE vec
lanes_choose(lane_set set, vec a, vec b)
{
    return (vec)_mm256_blendv_pd((__m256d)b, (__m256d)a, set);
}

INLINE vec
least(vec a, vec b)
{
    return (vec)_mm256_min_pd((__m256d)a, (__m256d)b);
}

INLINE vec
greatest(vec a, vec b)
{
    return (vec)_mm256_max_pd((__m256d)a, (__m256d)b);
}

INLINE vec
lanes_flip(unsigned flip, vec x)
{
    switch (flip) {
    case 1:
        return V_SHUFFLE(x, x, 1, 0, 3, 2);
    case 2:
        return V_SHUFFLE(x, x, 2, 3, 0, 1);
    default:
        return V_SHUFFLE(x, x, 3, 2, 1, 0);
    }
}

INLINE vec
zip_low(vec a, vec b)
{
    return V_SHUFFLE(a, b, 0, 4, 1, 5);
}

INLINE vec
zip_high(vec a, vec b)
{
    return V_SHUFFLE(a, b, 2, 6, 3, 7);
}

/* Eight numbers of half lanes, one a byte. */
#define BELOW(set, lane) __builtin_popcount((set) & ((1 << (lane)) - 1))
#define PLACE(set, lane) \
    (((set) >> (lane) & 1) ? BELOW(set, lane) : __builtin_popcount(set) + (lane) - BELOW(set, lane))
#define GOES(set, lane) ((uint64_t)((2 * (lane) + 1) * 256 + 2 * (lane)) << 16 * PLACE(set, lane))
#define ORDER(set)      (GOES(set, 0) | GOES(set, 1) | GOES(set, 2) | GOES(set, 3))
#define ORDERS_4(set)   ORDER(set), ORDER((set) + 1), ORDER((set) + 2), ORDER((set) + 3)
static const uint64_t lane_orders[16] = {ORDERS_4(0), ORDERS_4(4), ORDERS_4(8), ORDERS_4(12)};

typedef __m256i lane_order;

INLINE lane_order
lanes_order(unsigned set)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(lane_orders + set)));
}

INLINE vec
lanes_ordered(lane_order order, vec x)
{
    return (vec)_mm256_permutevar8x32_ps(_mm256_castpd_ps((__m256d)x), order);
}

INLINE vec
load_or_infinity(const double *at, size_t n)
{
    __m256i set = v_mask_below(n);
    return (vec)_mm256_blendv_pd(_mm256_set1_pd(INFINITY), _mm256_maskload_pd(at, set), _mm256_castsi256_pd(set));
}

INLINE void
store_some(double *at, vec x, size_t n)
{
    _mm256_maskstore_pd(at, v_mask_below(n), (__m256d)x);
}

#else

typedef mask lane_set;

INLINE lane_set
lanes_less(vec a, vec b)
{
    return a < b;
}

INLINE lane_set
lanes_less_equal(vec a, vec b)
{
    return a <= b;
}

INLINE lane_set
lanes_odd(vec x)
{
    return ~((x < v_all(0.0)) | (x > v_all(0.0)));
}

INLINE unsigned
lanes_bits(lane_set set)
{
#if defined(__SSE2__)
    return (unsigned)_mm_movemask_pd((__m128d)set);
#else
    return v_bits(set);
#endif
}

INLINE vec
lanes_blend(unsigned bit, vec a, vec b)
{
    (void)bit;
    return V_SHUFFLE(a, b, 0, 3);
}

INLINE vec
lanes_choose(lane_set set, vec a, vec b)
{
    return v_select(set, a, b);
}

INLINE vec
least(vec a, vec b)
{
#if defined(__SSE2__)
    return (vec)_mm_min_pd((__m128d)a, (__m128d)b);
#else
    return v_select(a < b, a, b);
#endif
}

INLINE vec
greatest(vec a, vec b)
{
#if defined(__SSE2__)
    return (vec)_mm_max_pd((__m128d)a, (__m128d)b);
#else
    return v_select(a > b, a, b);
#endif
}

INLINE vec
lanes_flip(unsigned flip, vec x)
{
    (void)flip;
    return V_SHUFFLE(x, x, 1, 0);
}

INLINE vec
zip_low(vec a, vec b)
{
    return V_SHUFFLE(a, b, 0, 2);
}

INLINE vec
zip_high(vec a, vec b)
{
    return V_SHUFFLE(a, b, 1, 3);
}

typedef mask lane_order;

/* Only of {1} does a lane have to move. */
INLINE lane_order
lanes_order(unsigned set)
{
    int64_t turn = -(int64_t)(set == 2);
    return (mask)(lane_numbers){turn, turn};
}

INLINE vec
lanes_ordered(lane_order order, vec x)
{
    return v_select(order, lanes_flip(1, x), x);
}

INLINE vec
load_or_infinity(const double *at, size_t n)
{
    return n >= 2 ? v_load(at) : n == 1 ? (vec){at[0], INFINITY} : v_all(INFINITY);
}

INLINE void
store_some(double *at, vec x, size_t n)
{
    if (n >= 2)
        v_store(at, x);
    else if (n == 1)
        at[0] = x[0];
}

#endif

#if !defined(MK_LANES_AVX512)
INLINE vec
lanes_apart(unsigned bit, vec x, vec y)
{
    return lanes_blend(bit, least(x, y), greatest(x, y));
}

INLINE vec
lanes_apart_other(unsigned bit, vec x, vec y)
{
    return lanes_blend(bit, greatest(x, y), least(x, y));
}
#endif

INLINE unsigned
lanes_count(unsigned bits)
{
#if defined(MK_LANES_AVX512)
    return (unsigned)__builtin_popcount(bits);
#elif defined(MK_LANES_AVX2)
    return (unsigned)(0x4332322132212110U >> 4 * bits & 0xFU);
#else
    return (bits & 1U) + (bits >> 1);
#endif
}
