/* Exponential, logarithm and what is made of them: our own functions of a vec. Included by lanes_math.h.
 *
 * Each is a sequence of operations that IEEE 754 fixes, so AVX2 and AVX-512 give the same bits; without a fused
 * multiply-add they are C's, lane by lane.
 */
#ifndef BOCMAT_LANES_POWER_H
#define BOCMAT_LANES_POWER_H

#if LANES_FUSE
typedef unsigned long long lane_words __attribute__((vector_size(8 * LANES)));

/* Which of 16 doubles each lane gets: the lowest four bits of `index`. */
INLINE vec
v_lookup(const double *table, lane_words index)
{
#if defined(MK_LANES_AVX512)
    return (vec)_mm512_permutex2var_pd((__m512d)v_load(table), (__m512i)index, (__m512d)v_load(table + LANES));
#else
    index &= 15;
    return (vec){table[index[0]], table[index[1]], table[index[2]], table[index[3]]};
#endif
}

static const double exp_shift = 0x1.8p52; /* adding it rounds to a whole number, which then stands in the lowest bits */

/* (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2: its Chebyshev interpolant at degree 9, which leaves 2^-55 of e^r - 1. */
INLINE vec
v_exp_curve(vec r, vec square)
{
    vec fourth = square * square;
    vec low = v_fma(v_fma(v_all(0x1.11111111109b3p-7), r, v_all(0x1.5555555553d63p-5)), square,
                    v_fma(v_all(0x1.5555555555556p-3), r, v_all(0x1.0000000000001p-1)));
    vec high = v_fma(v_fma(v_all(0x1.71de0dae63bb3p-19), r, v_all(0x1.a019b90d2ae7ap-16)), square,
                     v_fma(v_all(0x1.a01a01a7c41d5p-13), r, v_all(0x1.6c16c1788bd90p-10)));
    vec top = v_fma(v_all(0x1.af38a9b0ec855p-26), r, v_all(0x1.289185613a3d6p-22));
    return v_fma(v_fma(top, fourth, high), fourth, low);
}

/* e^r - 1 for |r| <= ln 2 / 2. */
INLINE vec
v_expm1_near(vec r)
{
    vec square = r * r;
    return v_fma(square, v_exp_curve(r, square), r);
}

/* x - k ln 2. */
INLINE vec
v_less_ln2(vec x, vec k)
{
    return v_fma(-k, v_all(0x1.abc9e3b39803fp-56), v_fma(-k, v_all(0x1.62e42fefa39efp-1), x));
}

/* e to the power of x: x = k ln 2 + r with k whole, e^r by a polynomial, times 2^k in two steps, so that what is
 * denormal is rounded once. About 1 ULP. */
INLINE vec
v_exp(vec x)
{
    x = v_clamp(x, -746.0, 710.0); /* where 0 and infinity are certain */
    vec k = v_fma(x, v_all(0x1.71547652b82fep+0), v_all(exp_shift)) - exp_shift;
    return v_scale(v_expm1_near(v_less_ln2(x, k)) + 1.0, k);
}

/* tanh |x| = t / (t + 2) where t = e^(2|x|) - 1 = 2^k (e^r - 1) + (2^k - 1), whose last difference is exact as long as
 * it matters. Below 3 ULP. */
APART vec
v_tanh(vec x)
{
    const double biased = exp_shift + 1023.0;       /* the lowest bits are 2^k's exponent */
    vec twice = 2.0 * v_clamp(v_abs(x), 0.0, 22.0); /* where 1 is certain */
    vec shifted = v_fma(twice, v_all(0x1.71547652b82fep+0), v_all(biased)), scale = (vec)((lane_words)shifted << 52);
    vec t = v_fma(scale, v_expm1_near(v_less_ln2(twice, shifted - biased)), scale - 1.0);
    return v_copysign(t / (t + 2.0), x);
}

/* ---- logarithms ----
 *
 * x = 2^k z with 0.75 <= z < 1.5, and c is the double nearest to 20 / j, where j is 20 z rounded to a whole number, 15
 * to 30: log x = k ln 2 - log c + log(1 + r) with r = c z - 1 and |r| < 0.0334, by a polynomial. ln 2 and -log c are
 * cut at 2^-42, so that their sum with any k is exact, and what was cut off is another double. c is 1 around 1, where
 * the logarithm vanishes. Tables stand in the order of j's lowest four bits.
 */
#define LN2_HEAD 0x1.62e42fefa38p-1
#define LN2_REST 0x1.ef35793c7673p-45
static const double log_inverses[16] = {
    0x1.4p+0,
    0x1.2d2d2d2d2d2d3p+0,
    0x1.1c71c71c71c72p+0,
    0x1.0d79435e50d79p+0,
    0x1p+0,
    0x1.e79e79e79e79ep-1,
    0x1.d1745d1745d17p-1,
    0x1.bd37a6f4de9bdp-1,
    0x1.aaaaaaaaaaaabp-1,
    0x1.999999999999ap-1,
    0x1.89d89d89d89d9p-1,
    0x1.7b425ed097b42p-1,
    0x1.6db6db6db6db7p-1,
    0x1.611a7b9611a7cp-1,
    0x1.5555555555555p-1,
    0x1.5555555555555p+0,
};
static const double log_heads[16] = {
    -0x1.c8ff7c79aap-3, -0x1.4cd6b97964p-3, -0x1.af8e8210a4p-4, -0x1.a431d5bccp-5, 0.0,
    0x1.8fb063ef3p-5,   0x1.8663f793c4p-4,  0x1.1e3b825ddp-3,   0x1.7565011e4ap-3, 0x1.c8ff7c79aap-3,
    0x1.0ca937be1cp-2,  0x1.334e9e47dp-2,   0x1.588c2d9133p-2,  0x1.7c7b282d0dp-2, 0x1.9f323ecbfap-2,
    -0x1.269621134ep-2,
};
static const double log_rests[16] = {
    0x1.7794f689f8434p-45,
    -0x1.7946f9d8f5ca8p-47,
    -0x1.60a1945b71373p-48,
    -0x1.92f8ec7d853afp-45,
    0.0,
    -0x1.c0749d890e822p-44,
    0x1.b2409228c1d35p-46,
    0x1.7b2367b02240bp-45,
    -0x1.316c0a4ad975cp-44,
    -0x1.7814f689f8434p-45,
    -0x1.8948ad9a1799ap-44,
    0x1.fd65c790d9bb9p-44,
    0x1.23cfd7d83582p-44,
    0x1.1a8d8940804f8p-44,
    -0x1.ecc3525ca2643p-44,
    0x1.1ba1f10522625p-44,
};

typedef struct {
    vec z, inverse, head, rest; /* head + rest = k ln 2 - log c, the first exact */
} log_split;

/* Of positive finite x. */
INLINE log_split
v_log_split(vec x)
{
    log_split at;
#if defined(MK_LANES_AVX512)
    at.z = (vec)_mm512_getmant_pd((__m512d)x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
    vec k = (vec)_mm512_getexp_pd((__m512d)x) - (vec)_mm512_getexp_pd((__m512d)at.z);
#else
    const unsigned long long start = 0x3fe8000000000000, one = 0x3ff0000000000000; /* 0.75 and 1 */
    mask tiny = x < v_all(0x1p-1022);
    lane_words bits = (lane_words)v_select(tiny, x * 0x1p54, x) + (one - start);
    vec k = (vec)((bits >> 52) | 0x4330000000000000) - v_select(tiny, v_all(0x1p52 + 1077.0), v_all(0x1p52 + 1023.0));
    at.z = (vec)((bits & 0x000fffffffffffff) + start);
#endif
    lane_words index = (lane_words)v_fma(at.z, v_all(20.0), v_all(exp_shift));
    at.inverse = v_lookup(log_inverses, index);
    at.head = v_fma(k, v_all(LN2_HEAD), v_lookup(log_heads, index));
    at.rest = v_fma(k, v_all(LN2_REST), v_lookup(log_rests, index));
    return at;
}

/* Any lane is not positive and finite. */
INLINE bool
v_any_improper(vec x)
{
#if defined(MK_LANES_AVX512)
    return _mm512_fpclass_pd_mask((__m512d)x, 0xDF); /* all classes but one, the denormals; those with a sign are two */
#else
    return v_bits(~((x > 0.0) & (x < v_all(INFINITY))));
#endif
}

/* Any lane is NaN or infinite. */
INLINE bool
v_any_infinite(vec x)
{
#if defined(MK_LANES_AVX512)
    return _mm512_fpclass_pd_mask((__m512d)x, 0x99);
#else
    return v_bits(~(v_abs(x) < v_all(INFINITY)));
#endif
}

/* log(1 + r) = r - r^2 / 2 + r^3 P(r), P being the Chebyshev interpolant at degree 7: 2^-59 of r. Below 2 ULP. */
APART vec
v_log(vec x)
{
    log_split at = v_log_split(x);
    vec r = v_fma(at.z, at.inverse, v_all(-1.0)), square = r * r;
    vec low = v_fma(v_fma(v_all(-0x1.5555555651efcp-3), r, v_all(0x1.9999999aad292p-3)), square,
                    v_fma(v_all(-0x1.fffffffffffdcp-3), r, v_all(0x1.5555555555542p-2)));
    vec high = v_fma(v_fma(v_all(-0x1.9a5c3ae4fe06ep-4), r, v_all(0x1.c7f0c3bafcb1p-4)), square,
                     v_fma(v_all(-0x1.ffffdd59b74d9p-4), r, v_all(0x1.2492363e5759ap-3)));
    vec cubic = v_fma(v_fma(high, square * square, low), r, v_all(-0.5));
    vec result = at.head + (r + v_fma(square, cubic, at.rest));
    if (!v_any_improper(x))
        return result;
    vec outside = v_select(x < 0.0, v_all(NAN), v_select(x == 0.0, v_all(-INFINITY), x));
    return v_select((x > 0.0) & (x < v_all(INFINITY)), result, outside);
}

/* x to the power of y for positive finite x and finite y: e^(y log x), where log x is the sum of two doubles, right to
 * 2^-63 of its size (P at degree 9; every sum and product carries what its rounding lost), and so are y log x and the
 * rest r of its division by ln 2. Below 1 ULP. */
INLINE vec
v_power_positive(vec x, vec y)
{
    log_split at = v_log_split(x);
    vec product = at.z * at.inverse, lost = v_fma(at.z, at.inverse, -product), r = product - 1.0, square = r * r;
    vec low = v_fma(v_fma(v_all(-0x1.55555555553d4p-3), r, v_all(0x1.99999999997fap-3)), square,
                    v_fma(v_all(-0x1p-2), r, v_all(0x1.5555555555555p-2)));
    vec high = v_fma(v_fma(v_all(-0x1.9999659b41526p-4), r, v_all(0x1.c71c39c92dae3p-4)), square,
                     v_fma(v_all(-0x1.00000002a4e9p-3), r, v_all(0x1.249249276b3ffp-3)));
    vec top = v_fma(v_all(-0x1.5625ec095d142p-4), r, v_all(0x1.753db8b3a544p-4)), fourth = square * square;
    vec cubic = v_fma(v_fma(top, fourth, high), fourth, low);

    vec half = r * -0.5, bend = r * half, bend_lost = v_fma(r, half, -bend);
    vec sum = at.head + r, sum_lost = at.head - sum + r;
    vec head = sum + bend, head_lost = sum - head + bend;
    vec rest = v_fma(v_fma(r, r, -r), lost, lost) + at.rest; /* lost / (1 + r) */
    rest = v_fma(r * square, cubic, rest + (sum_lost + head_lost + bend_lost));
    vec exponent = y * head, whole = v_fma(y, rest, exponent);
    vec exponent_rest = v_fma(y, rest, v_fma(y, head, -exponent));
    mask far = v_abs(whole) > 750.0; /* where 0 and infinity are certain */
    if (v_bits(far)) {
        exponent = v_select(far, v_copysign(v_all(750.0), whole), exponent);
        whole = v_select(far, exponent, whole);
        exponent_rest = v_select(far, v_all(0.0), exponent_rest);
    }
    vec k = v_fma(whole, v_all(0x1.71547652b82fep+0), v_all(exp_shift)) - exp_shift;
    vec near = v_fma(-k, v_all(LN2_HEAD), exponent), near_rest = v_fma(-k, v_all(LN2_REST), exponent_rest);
    r = near + near_rest, square = r * r, sum = r + 1.0;
    vec lost_here = (near - r + near_rest) + (1.0 - sum + r);
    return v_scale(sum + v_fma(square, v_exp_curve(r, square), lost_here), k);
}

/* Negative x: NaN unless y is whole, the sign of x if it is odd. Zeros, infinities and NaN are left to C. */
APART vec
v_power_special(vec x, vec y)
{
    vec one = v_all(1.0), infinity = v_all(INFINITY), size = v_abs(x);
    mask special = ~((size > 0.0) & (size < infinity) & (v_abs(y) < infinity));
    vec result = v_power_positive(v_select(special, one, size), v_select(special, one, y));
    vec halved = y * 0.5;
    result = v_select((x < 0.0) & (v_trunc(halved) != halved), -result, result);
    result = v_select((x < 0.0) & (v_trunc(y) != y), v_all(NAN), result);
    return v_bits(special) ? v_select(special, v_map_two(pow, x, y), result) : result;
}

APART vec
v_power(vec x, vec y)
{
    if (v_any_improper(x) || v_any_infinite(y))
        return v_power_special(x, y);
    return v_power_positive(x, y);
}
#else
#define v_exp(x)      v_each(exp, x)
#define v_tanh(x)     v_each(tanh, x)
#define v_log(x)      v_each(log, x)
#define v_power(x, y) v_map_two(pow, x, y)
#endif

/* 1 / (1 + e^-x), without overflow: e^x / (1 + e^x) below zero. */
INLINE vec
v_sigmoid(vec x)
{
    vec e = v_exp(-v_abs(x));
    return v_select(x < 0.0, e, v_all(1.0)) / (e + 1.0);
}

#endif
