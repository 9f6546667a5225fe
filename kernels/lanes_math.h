/* Functions of a vec: rounding, signs, division with remainder, and what mathematics has names for. Included by
 * lanes.h.
 *
 * Those of lanes_power.h are our own; the others are glibc's vector math where there is any, and C's lane by lane where
 * not. All are within 4 ULP, denormals and huge arguments included. What C rounds exactly is the same everywhere.
 */
#ifndef BOCMAT_LANES_MATH_H
#define BOCMAT_LANES_MATH_H

#include <math.h>

/* 1.0 where the lane is set, else 0.0. */
INLINE vec
v_truth(mask where)
{
    return (vec)(where & (mask)v_all(1.0));
}

INLINE vec
v_abs(vec x)
{
    return (vec)((mask)x & ~(mask)v_all(-0.0));
}

INLINE vec
v_copysign(vec size, vec sign)
{
    mask bit = (mask)v_all(-0.0);
    return (vec)(((mask)size & ~bit) | ((mask)sign & bit));
}

/* -1, 0 or 1; NaN of NaN. */
INLINE vec
v_sign(vec x)
{
    return v_select(x != x, x, v_truth(x > 0.0) - v_truth(x < 0.0));
}

/* Long functions that are slow anyway: expanded in every loop, they would take compilers minutes. */
#define APART static __attribute__((noinline, unused))

/* A function of C, lane by lane. */
APART vec
v_map(double (*function)(double), vec x)
{
    for (int lane = 0; lane < LANES; lane++)
        x[lane] = function(x[lane]);
    return x;
}
#define v_each(function, x) v_map(function, x)

APART vec
v_map_two(double (*function)(double, double), vec x, vec y)
{
    for (int lane = 0; lane < LANES; lane++)
        x[lane] = function(x[lane], y[lane]);
    return x;
}

/* ---- rounding ---- */

#if defined(MK_LANES_AVX512)
#define v_rounded(x, how, function) ((vec)_mm512_roundscale_pd((__m512d)(x), (how) | _MM_FROUND_NO_EXC))
#elif defined(MK_LANES_AVX2)
#define v_rounded(x, how, function) ((vec)_mm256_round_pd((__m256d)(x), (how) | _MM_FROUND_NO_EXC))
#else
#define v_rounded(x, how, function) v_each(function, x)
#endif
#define v_round(x) v_rounded(x, _MM_FROUND_TO_NEAREST_INT, rint) /* half to even */
#define v_floor(x) v_rounded(x, _MM_FROUND_TO_NEG_INF, floor)
#define v_ceil(x)  v_rounded(x, _MM_FROUND_TO_POS_INF, ceil)
#define v_trunc(x) v_rounded(x, _MM_FROUND_TO_ZERO, trunc)

/* x * y + z, rounded once on every machine. */
#if LANES_FUSE
#define v_fma_once(x, y, z) v_fma(x, y, z)
#else
APART vec
v_fma_once(vec x, vec y, vec z)
{
    for (int lane = 0; lane < LANES; lane++)
        x[lane] = fma(x[lane], y[lane], z[lane]);
    return x;
}
#endif

/* ---- square root ---- */

#if defined(MK_LANES_AVX512)
/* The same bits as v_sqrt, in half of the time that the instruction takes: one step of Newton's and one of Heron's from
 * 14 bits end within a unit of the root, and Tuckerman's test decides: g is the root rounded to nearest exactly if
 * g * before(g) < x <= g * after(g), where fused differences have the right signs. */
APART vec
v_square_root(vec value)
{
    const unsigned long long least = 0x0800000000000000, greatest = 0x7000000000000000; /* nothing here vanishes */
    __m512d x = (__m512d)value, half = _mm512_set1_pd(0.5), zero = _mm512_setzero_pd();
    __m512i from_least = _mm512_sub_epi64((__m512i)value, _mm512_set1_epi64((long long)least));
    if (_mm512_cmpgt_epu64_mask(from_least, _mm512_set1_epi64((long long)(greatest - least))))
        return v_sqrt(value);
    __m512d guess = _mm512_rsqrt14_pd(x), g = _mm512_mul_pd(x, guess), h = _mm512_mul_pd(guess, half);
    __m512d r = _mm512_fnmadd_pd(h, g, half);
    g = _mm512_fmadd_pd(g, r, g);
    h = _mm512_fmadd_pd(h, r, h);
    g = _mm512_fmadd_pd(_mm512_fnmadd_pd(g, g, x), h, g);
    __m512d before = (__m512d)_mm512_sub_epi64((__m512i)g, _mm512_set1_epi64(1));
    __m512d after = (__m512d)_mm512_add_epi64((__m512i)g, _mm512_set1_epi64(1));
    __mmask8 low = _mm512_cmp_pd_mask(_mm512_fnmadd_pd(g, after, x), zero, _CMP_GT_OQ);
    __mmask8 high = _mm512_cmp_pd_mask(_mm512_fnmadd_pd(g, before, x), zero, _CMP_LE_OQ);
    return (vec)_mm512_mask_mov_pd(_mm512_mask_mov_pd(g, low, after), high, before);
}
#else
#define v_square_root(x) v_sqrt(x)
#endif

/* ---- floor division ---- */

/* Python's and NumPy's: the quotient rounded down and a remainder with the divisor's sign, both from fmod's exact
 * remainder `rest`. */
INLINE double
one_floor_divide(double x, double y)
{
    double rest = fmod(x, y), quotient, whole;

    if (y == 0.0)
        return x / y;
    quotient = (x - rest) / y;
    if (rest != 0.0 && (y < 0.0) != (rest < 0.0))
        quotient -= 1.0;
    if (quotient == 0.0)
        return copysign(0.0, x / y);
    whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

INLINE double
one_remainder(double x, double y)
{
    double rest = fmod(x, y);

    if (y == 0.0)
        return rest;
    if (rest == 0.0)
        return copysign(0.0, y);
    return (y < 0.0) != (rest < 0.0) ? rest + y : rest;
}

static double
call_floor_divide(double x, double y)
{
    return one_floor_divide(x, y);
}

static double
call_remainder(double x, double y)
{
    return one_remainder(x, y);
}

#if LANES_FUSE
/* fmod(x, y), exactly: below 2^51 the quotient is its own rounding or one less, so that x - q * y has no digits to
 * lose and one step repairs it. Answers false if a lane is not so: NaN, infinities, zero divisors, larger quotients. */
INLINE bool
v_fmod(vec x, vec y, vec *rest)
{
    vec q = v_trunc(x / y);
    mask fine = (v_abs(q) < 0x1p51) & (v_abs(y) < v_all(INFINITY));
    vec r = v_fma(-q, y, x);
    mask beyond = (r != 0.0) & ((r < 0.0) != (x < 0.0));
    *rest = v_select(beyond, r + v_copysign(y, x), r);
    return v_bits(fine) == (1U << LANES) - 1U;
}

APART vec
v_floor_divide(vec x, vec y)
{
    vec rest, zero = v_all(0.0);
    if (!v_fmod(x, y, &rest))
        return v_map_two(call_floor_divide, x, y);
    vec quotient = (x - rest) / y - v_truth((rest != zero) & ((y < zero) != (rest < zero)));
    vec whole = v_floor(quotient);
    whole += v_truth(quotient - whole > 0.5);
    return v_select(quotient == zero, v_copysign(zero, x / y), whole);
}

APART vec
v_remainder(vec x, vec y)
{
    vec rest, zero = v_all(0.0);
    if (!v_fmod(x, y, &rest))
        return v_map_two(call_remainder, x, y);
    vec moved = v_select((y < zero) != (rest < zero), rest + y, rest);
    return v_select(rest == zero, v_copysign(zero, y), moved);
}
#else
#define v_floor_divide(x, y) v_map_two(call_floor_divide, x, y)
#define v_remainder(x, y)    v_map_two(call_remainder, x, y)
#endif

#include "lanes_power.h"

/* ---- vector math of glibc ---- */

#if defined(MK_LANES_AVX512)
#define VECTOR_ONE(name)                         \
    __m512d _ZGVeN8v_##name(__m512d x);          \
    INLINE vec v_mathematical_##name(vec x)      \
    {                                            \
        return (vec)_ZGVeN8v_##name((__m512d)x); \
    }
#define VECTOR_TWO(name)                                      \
    __m512d _ZGVeN8vv_##name(__m512d x, __m512d y);           \
    INLINE vec v_mathematical_##name(vec x, vec y)            \
    {                                                         \
        return (vec)_ZGVeN8vv_##name((__m512d)x, (__m512d)y); \
    }
#elif defined(MK_LANES_AVX2)
#define VECTOR_ONE(name)                         \
    __m256d _ZGVdN4v_##name(__m256d x);          \
    INLINE vec v_mathematical_##name(vec x)      \
    {                                            \
        return (vec)_ZGVdN4v_##name((__m256d)x); \
    }
#define VECTOR_TWO(name)                                      \
    __m256d _ZGVdN4vv_##name(__m256d x, __m256d y);           \
    INLINE vec v_mathematical_##name(vec x, vec y)            \
    {                                                         \
        return (vec)_ZGVdN4vv_##name((__m256d)x, (__m256d)y); \
    }
#endif
#define SCALAR_ONE(name)                    \
    INLINE vec v_mathematical_##name(vec x) \
    {                                       \
        return v_each(name, x);             \
    }
#define SCALAR_TWO(name)                           \
    INLINE vec v_mathematical_##name(vec x, vec y) \
    {                                              \
        return v_map_two(name, x, y);              \
    }

/* Since when: libm.so's linker script brings the library with it. */
#if defined(__GLIBC__) && defined(VECTOR_ONE)
#if __GLIBC_PREREQ(2, 22)
#define ONE_2_22 VECTOR_ONE
#endif
#if __GLIBC_PREREQ(2, 35)
#define ONE_2_35 VECTOR_ONE
#define TWO_2_35 VECTOR_TWO
#endif
#endif
#ifndef ONE_2_22
#define ONE_2_22 SCALAR_ONE
#endif
#ifndef ONE_2_35
#define ONE_2_35 SCALAR_ONE
#define TWO_2_35 SCALAR_TWO
#endif
/* clang-format off */
ONE_2_22(sin) ONE_2_22(cos)
ONE_2_35(cbrt) ONE_2_35(exp2) ONE_2_35(expm1) ONE_2_35(log2) ONE_2_35(log10) ONE_2_35(log1p)
ONE_2_35(tan) ONE_2_35(asin) ONE_2_35(acos) ONE_2_35(atan) ONE_2_35(sinh) ONE_2_35(cosh)
TWO_2_35(hypot) TWO_2_35(atan2)
/* clang-format on */

#define v_cbrt(x)       v_mathematical_cbrt(x)
#define v_exp2(x)       v_mathematical_exp2(x)
#define v_expm1(x)      v_mathematical_expm1(x)
#define v_sin(x)        v_mathematical_sin(x)
#define v_cos(x)        v_mathematical_cos(x)
#define v_tan(x)        v_mathematical_tan(x)
#define v_arctan(x)     v_mathematical_atan(x)
#define v_sinh(x)       v_mathematical_sinh(x)
#define v_cosh(x)       v_mathematical_cosh(x)
#define v_hypot(x, y)   v_mathematical_hypot(x, y)
#define v_arctan2(y, x) v_mathematical_atan2(y, x)

    /* The rest leaves special lanes to the scalar function, one call each: those that lie outside of the domain are
 * answered here. */
    INLINE vec v_logarithm(vec raw(vec), double pole, vec x)
{
    mask ordinary = (x > pole) & (x < v_all(INFINITY));
    if (v_bits(ordinary) == (1U << LANES) - 1U)
        return raw(x);
    vec outside = v_select(x < pole, v_all(NAN), v_select(x == pole, v_all(-INFINITY), x));
    return v_select(ordinary, raw(v_select(ordinary, x, v_all(1.0))), outside);
}

APART vec
v_log2(vec x)
{
    return v_logarithm(v_mathematical_log2, 0.0, x);
}

APART vec
v_log10(vec x)
{
    return v_logarithm(v_mathematical_log10, 0.0, x);
}

APART vec
v_log1p(vec x)
{
    return v_logarithm(v_mathematical_log1p, -1.0, x);
}

INLINE vec
v_inverse(vec raw(vec), vec x)
{
    mask inside = v_abs(x) <= 1.0;
    if (v_bits(inside) == (1U << LANES) - 1U)
        return raw(x);
    return v_select(inside, raw(v_select(inside, x, v_all(1.0))), v_all(NAN));
}

APART vec
v_arcsin(vec x)
{
    return v_inverse(v_mathematical_asin, x);
}

APART vec
v_arccos(vec x)
{
    return v_inverse(v_mathematical_acos, x);
}

#endif
