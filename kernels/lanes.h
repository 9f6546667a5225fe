/* The words in which loops and op rows are written: `vec`, LANES doubles side by side, and what can be done to it.
 *
 * Included once by each of the units isa_*.c, after its MK_LANES_* choice. C's own operators work on a vec (GCC's
 * vector extension: + - * /, and comparisons, which give a `mask` of all-ones and all-zero lanes); the rest is below.
 * Every function gives the same bits on every instruction set, v_fma and the mathematical ones aside.
 */
#ifndef BOCMAT_LANES_H
#define BOCMAT_LANES_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* LANES_FUSE: v_fma rounds once. */
#if defined(MK_LANES_AVX512)
enum { LANES = 8 };
#define LANES_FUSE 1
#elif defined(MK_LANES_AVX2)
enum { LANES = 4 };
#define LANES_FUSE 1
#else
enum { LANES = 2 };
#define LANES_FUSE 0
#endif

typedef double vec __attribute__((vector_size(8 * LANES)));
typedef __typeof__((vec){0} < (vec){0}) mask;

#define INLINE static inline __attribute__((always_inline, unused))

/* GCC unrolls no loop by itself that it has not vectorised; clang does. */
#if defined(__GNUC__) && !defined(__clang__)
#define UNROLLED _Pragma("GCC unroll 2")
#else
#define UNROLLED
#endif

INLINE vec
v_load(const double *at)
{
    vec x;
    memcpy(&x, at, sizeof x);
    return x;
}

INLINE void
v_store(double *at, vec x)
{
    memcpy(at, &x, sizeof x);
}

/* Asks for a cache line that will be written; it need not be memory of ours. */
INLINE void
v_prepare(const double *at)
{
    __builtin_prefetch(at, 1, 3);
}

#if defined(MK_LANES_AVX512)

INLINE vec
v_all(double value)
{
    return (vec)_mm512_set1_pd(value);
}

/* The first n lanes, 0 < n < LANES; the others are 1, which no function finds difficult. */
INLINE vec
v_load_part(const double *at, size_t n)
{
    return (vec)_mm512_mask_loadu_pd(_mm512_set1_pd(1.0), (__mmask8)((1U << n) - 1U), at);
}

INLINE void
v_store_part(double *at, vec x, size_t n)
{
    _mm512_mask_storeu_pd(at, (__mmask8)((1U << n) - 1U), (__m512d)x);
}

/* Past the caches; `at` is aligned to the vector's size. */
INLINE void
v_stream(double *at, vec x)
{
    _mm512_stream_pd(at, (__m512d)x);
}

/* Lanes below n from a, the others from b; any n. */
INLINE vec
v_below(size_t n, vec a, vec b)
{
    return (vec)_mm512_mask_blend_pd((__mmask8)(n < LANES ? (1U << n) - 1U : 0xFFU), (__m512d)b, (__m512d)a);
}

INLINE vec
v_select(mask where, vec a, vec b)
{
    return (vec)_mm512_ternarylogic_epi64((__m512i)where, (__m512i)a, (__m512i)b, 0xCA);
}

INLINE vec
v_sqrt(vec x)
{
    return (vec)_mm512_sqrt_pd((__m512d)x);
}

/* NaN where either is: the instruction answers y where one is NaN, so only x's must be put back. */
INLINE vec
v_min(vec x, vec y)
{
    __m512d least = _mm512_min_pd((__m512d)x, (__m512d)y);
    return (vec)_mm512_mask_mov_pd(least, _mm512_cmp_pd_mask((__m512d)x, (__m512d)x, _CMP_UNORD_Q), (__m512d)x);
}

INLINE vec
v_max(vec x, vec y)
{
    __m512d greatest = _mm512_max_pd((__m512d)x, (__m512d)y);
    return (vec)_mm512_mask_mov_pd(greatest, _mm512_cmp_pd_mask((__m512d)x, (__m512d)x, _CMP_UNORD_Q), (__m512d)x);
}

/* The one that is not NaN where one is. */
INLINE vec
v_least(vec x, vec y)
{
    __m512d least = _mm512_min_pd((__m512d)x, (__m512d)y);
    return (vec)_mm512_mask_mov_pd(least, _mm512_cmp_pd_mask((__m512d)y, (__m512d)y, _CMP_UNORD_Q), (__m512d)x);
}

INLINE vec
v_greatest(vec x, vec y)
{
    __m512d greatest = _mm512_max_pd((__m512d)x, (__m512d)y);
    return (vec)_mm512_mask_mov_pd(greatest, _mm512_cmp_pd_mask((__m512d)y, (__m512d)y, _CMP_UNORD_Q), (__m512d)x);
}

/* x * y + z, rounded once where the machine can; only for products, whose last bits are nobody's promise. */
INLINE vec
v_fma(vec x, vec y, vec z)
{
    return (vec)_mm512_fmadd_pd((__m512d)x, (__m512d)y, (__m512d)z);
}

/* Into low <= x <= high; NaN stays. */
INLINE vec
v_clamp(vec x, double low, double high)
{
    return (vec)_mm512_min_pd(_mm512_set1_pd(high), _mm512_max_pd(_mm512_set1_pd(low), (__m512d)x));
}

/* x * 2^k, rounded once; k is whole and at most 1100 from zero. */
INLINE vec
v_scale(vec x, vec k)
{
    return (vec)_mm512_scalef_pd((__m512d)x, (__m512d)k);
}

/* Bit k: lane k is set. */
INLINE unsigned
v_bits(mask where)
{
    return _mm512_movepi64_mask((__m512i)where);
}

#elif defined(MK_LANES_AVX2)

INLINE vec
v_all(double value)
{
    return (vec)_mm256_set1_pd(value);
}

static const int64_t lanes_below[2 * LANES] = {-1, -1, -1, -1, 0, 0, 0, 0};

INLINE __m256i
v_mask_below(size_t n)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)(lanes_below + LANES - (n < LANES ? n : LANES)));
}

INLINE vec
v_load_part(const double *at, size_t n)
{
    __m256i first = v_mask_below(n);
    return (vec)_mm256_blendv_pd(_mm256_set1_pd(1.0), _mm256_maskload_pd(at, first), _mm256_castsi256_pd(first));
}

INLINE void
v_store_part(double *at, vec x, size_t n)
{
    _mm256_maskstore_pd(at, v_mask_below(n), (__m256d)x);
}

INLINE void
v_stream(double *at, vec x)
{
    _mm256_stream_pd(at, (__m256d)x);
}

INLINE vec
v_below(size_t n, vec a, vec b)
{
    return (vec)_mm256_blendv_pd((__m256d)b, (__m256d)a, _mm256_castsi256_pd(v_mask_below(n)));
}

INLINE vec
v_select(mask where, vec a, vec b)
{
    return (vec)_mm256_blendv_pd((__m256d)b, (__m256d)a, (__m256d)where);
}

INLINE vec
v_sqrt(vec x)
{
    return (vec)_mm256_sqrt_pd((__m256d)x);
}

INLINE vec
v_min(vec x, vec y)
{
    __m256d least = _mm256_min_pd((__m256d)x, (__m256d)y);
    return (vec)_mm256_blendv_pd(least, (__m256d)x, _mm256_cmp_pd((__m256d)x, (__m256d)x, _CMP_UNORD_Q));
}

INLINE vec
v_max(vec x, vec y)
{
    __m256d greatest = _mm256_max_pd((__m256d)x, (__m256d)y);
    return (vec)_mm256_blendv_pd(greatest, (__m256d)x, _mm256_cmp_pd((__m256d)x, (__m256d)x, _CMP_UNORD_Q));
}

INLINE vec
v_least(vec x, vec y)
{
    __m256d least = _mm256_min_pd((__m256d)x, (__m256d)y);
    return (vec)_mm256_blendv_pd(least, (__m256d)x, _mm256_cmp_pd((__m256d)y, (__m256d)y, _CMP_UNORD_Q));
}

INLINE vec
v_greatest(vec x, vec y)
{
    __m256d greatest = _mm256_max_pd((__m256d)x, (__m256d)y);
    return (vec)_mm256_blendv_pd(greatest, (__m256d)x, _mm256_cmp_pd((__m256d)y, (__m256d)y, _CMP_UNORD_Q));
}

INLINE vec
v_fma(vec x, vec y, vec z)
{
    return (vec)_mm256_fmadd_pd((__m256d)x, (__m256d)y, (__m256d)z);
}

INLINE vec
v_clamp(vec x, double low, double high)
{
    return (vec)_mm256_min_pd(_mm256_set1_pd(high), _mm256_max_pd(_mm256_set1_pd(low), (__m256d)x));
}

/* In two steps, the first of them exact. */
INLINE vec
v_scale(vec x, vec k)
{
    const double shift = 0x1.8p52; /* added, it leaves a whole number in the lowest bits */
    vec half = k * 0.5 + shift - shift;
    mask first = ((mask)(half + (shift + 1023.0))) << 52, second = ((mask)(k - half + (shift + 1023.0))) << 52;
    return x * (vec)first * (vec)second;
}

/* Bit k: lane k is set. */
INLINE unsigned
v_bits(mask where)
{
    return (unsigned)_mm256_movemask_pd((__m256d)where);
}

#else

INLINE vec
v_all(double value)
{
    return (vec){value, value};
}

INLINE vec
v_load_part(const double *at, size_t n)
{
    (void)n;
    return (vec){at[0], 1.0};
}

INLINE void
v_store_part(double *at, vec x, size_t n)
{
    (void)n;
    at[0] = x[0];
}

INLINE void
v_stream(double *at, vec x)
{
#if defined(__SSE2__)
    _mm_stream_pd(at, (__m128d)x);
#else
    v_store(at, x);
#endif
}

INLINE vec
v_below(size_t n, vec a, vec b)
{
    return n == 0 ? b : n == 1 ? (vec){a[0], b[1]} : a;
}

INLINE vec
v_select(mask where, vec a, vec b)
{
    return (vec)((where & (mask)a) | (~where & (mask)b));
}

INLINE vec
v_sqrt(vec x)
{
#if defined(__SSE2__)
    return (vec)_mm_sqrt_pd((__m128d)x);
#else
    return (vec){sqrt(x[0]), sqrt(x[1])};
#endif
}

INLINE vec
v_min(vec x, vec y)
{
    return v_select(x != x, x, v_select(x < y, x, y));
}

INLINE vec
v_max(vec x, vec y)
{
    return v_select(x != x, x, v_select(x > y, x, y));
}

INLINE vec
v_least(vec x, vec y)
{
    return v_select(y != y, x, v_select(x < y, x, y));
}

INLINE vec
v_greatest(vec x, vec y)
{
    return v_select(y != y, x, v_select(x > y, x, y));
}

INLINE vec
v_fma(vec x, vec y, vec z)
{
    return x * y + z;
}

/* Bit k: lane k is set. */
INLINE unsigned
v_bits(mask where)
{
    return (where[0] & 1U) | (where[1] & 2U);
}

#endif

/* Streamed stores are not ordered with others: after the last, before anybody is told. */
INLINE void
v_stream_done(void)
{
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

/* 1.0 where it holds, 0.0 elsewhere. */
INLINE vec
v_flag(mask where)
{
    return (vec)(where & (mask)v_all(1.0));
}

/* Of two such flags. */
INLINE vec
v_or(vec x, vec y)
{
    return (vec)((mask)x | (mask)y);
}

INLINE vec
v_and(vec x, vec y)
{
    return (vec)((mask)x & (mask)y);
}

#include "lanes_math.h"

/* Eight doubles, the unit in which sums are folded on every machine. */
enum { OCT = 8, PARTS = OCT / LANES };
typedef struct {
    vec part[PARTS];
} oct;

INLINE oct
oct_load(const double *at)
{
    oct x;
    for (int k = 0; k < PARTS; k++)
        x.part[k] = v_load(at + k * LANES);
    return x;
}

#endif
