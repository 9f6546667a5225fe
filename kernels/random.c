/* Random numbers: eight xoshiro256++ generators side by side, and what is made of their numbers.
 *
 * The same seed gives the same values on every machine: integer steps, arithmetic that IEEE 754 fixes, and logarithms
 * and exponentials of our own, made of nothing else.
 */
#include <math.h>

#include "table.h"

/* ---- streams ---- */

/* splitmix64: every key gives a well mixed sequence, also 0, 1, 2. */
static uint64_t
mix_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void
mk_random_seed(mk_random *random, uint64_t key)
{
    uint64_t mix = key;
    random->left = 0;
    for (int lane = 0; lane < RANDOM_LANES; lane++)
        for (int word = 0; word < 4; word++)
            random->lanes[word][lane] = mix_next(&mix);
}

uint64_t
mk_random_child(uint64_t key, uint64_t index)
{
    uint64_t mix = key,
             child = mix_next(&mix) ^ index; /* two rounds with the index between: neighbours share nothing */
    return mix_next(&child);
}

static inline uint64_t
next(mk_random *random)
{
    if (!random->left)
        mk_active->random_step(random);
    return random->block[RANDOM_LANES - random->left--];
}

static inline double
unit(uint64_t drawn)
{
    union {
        uint64_t bits;
        double number;
    } shifted = {drawn >> 12 | UINT64_C(0x3ff0000000000000)};
    return shifted.number - 1.0;
}

/* ---- uniform ---- */

static inline double
uniform_one(mk_random *random, const mk_uniform *range)
{
    double x = unit(next(random));
    if (range->unit)
        return x;
    x = range->wide ? range->low * (1.0 - x) + range->high * x : range->low + x * range->width;
    return x < range->high ? x : range->below;
}

void
mk_random_uniform(mk_random *random, size_t count, double *to, double low, double high)
{
    mk_uniform range = {low, high, high - low, high, low == 0.0 && high == 1.0, false};
    size_t i = 0, blocks;
    if (!range.unit) {
        range.below = nextafter(high, low); /* rounding may reach the bound */
        range.wide = isinf(range.width);
    }
    for (; i < count && random->left; i++)
        to[i] = uniform_one(random, &range);
    blocks = (count - i) / RANDOM_LANES * RANDOM_LANES;
    if (blocks)
        mk_active->random_uniform(random, blocks, to + i, &range);
    for (i += blocks; i < count; i++)
        to[i] = uniform_one(random, &range);
}

/* ---- whole numbers: the upper half of number * width, where the lower half leaves no result likelier ---- */

static inline uint64_t
below_narrow(mk_random *random, uint64_t width)
{
    uint64_t product = (next(random) >> 32) * width, low = product & UINT64_C(0xffffffff);
    if (low < width)
        for (uint64_t least = (UINT64_C(1) << 32) % width; low < least; low = product & UINT64_C(0xffffffff))
            product = (next(random) >> 32) * width;
    return product >> 32;
}

static uint64_t
below_wide(mk_random *random, uint64_t width)
{
    __extension__ unsigned __int128 product = (unsigned __int128)next(random) * width;
    if ((uint64_t)product < width)
        for (uint64_t least = (0 - width) % width; (uint64_t)product < least;)
            product = (unsigned __int128)next(random) * width;
    return (uint64_t)(product >> 64);
}

uint64_t
mk_random_below(mk_random *random, uint64_t width)
{
    if (!width)
        return next(random);
    return width <= UINT64_C(1) << 32 ? below_narrow(random, width) : below_wide(random, width);
}

/* Any width. */
static void
integers_wide(mk_random *random, size_t count, double *to, int64_t low, uint64_t width)
{
    uint64_t least = width ? (0 - width) % width : 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t drawn = next(random);
        if (width) {
            __extension__ unsigned __int128 product = (unsigned __int128)drawn * width;
            while ((uint64_t)product < least)
                product = (unsigned __int128)next(random) * width;
            drawn = (uint64_t)(product >> 64);
        }
        to[i] = (double)(int64_t)((uint64_t)low + drawn);
    }
}

void
mk_random_integers(mk_random *random, size_t count, double *to, int64_t low, uint64_t width)
{
    if (!width || width > UINT64_C(1) << 32) {
        integers_wide(random, count, to, low, width);
        return;
    }
    uint64_t least = (UINT64_C(1) << 32) % width;
    for (size_t i = 0; i < count;) {
        if (!random->left && count - i >= RANDOM_LANES)
            i += mk_active->random_integers(random, count - i, to + i, low, width, least);
        if (i < count)
            to[i++] = (double)(int64_t)((uint64_t)low + below_narrow(random, width));
    }
}

void
mk_random_permutation(mk_random *random, size_t count, double *to)
{
    for (size_t i = 0; i < count; i++)
        to[i] = (double)i;
    for (size_t i = count; i > 1; i--) {
        uint64_t other = mk_random_below(random, i);
        double value = to[other];
        to[other] = to[i - 1];
        to[i - 1] = value;
    }
}

/* ---- logarithm and exponential, the same on every machine; relative errors of a few 1e-16 ---- */

static const double LN2_HIGH = 0x1.62e42fee00000p-1, LN2_LOW = 0x1.a39ef35793c76p-33;

static double
steady_log(double x)
{
    int exponent;
    double m = frexp(x, &exponent), s, square, sum = 0.0;
    if (m < 0.70710678118654752) {
        m *= 2.0;
        exponent--;
    }
    s = (m - 1.0) / (m + 1.0);
    square = s * s;
    for (int k = 21; k >= 1; k -= 2) /* 2 (s + s^3 / 3 + s^5 / 5 ...) */
        sum = sum * square + 2.0 / k;
    return exponent * LN2_HIGH + (s * sum + exponent * LN2_LOW);
}

/* For x <= 0, above the denormal results. */
static double
steady_exp(double x)
{
    int n = (int)(x * 1.4426950408889634 - 0.5);
    double r = (x - n * LN2_HIGH) - n * LN2_LOW, sum = 1.0;
    for (int k = 14; k >= 1; k--)
        sum = 1.0 + sum * r / k;
    return ldexp(sum, n);
}

/* ---- normal: a ziggurat of 256 layers of equal area under exp(-x^2 / 2) ---- */

/* Where the tail begins so that the layers, each as large as tail and base together, close at the top; and that area:
 * TAIL exp(-TAIL^2 / 2) + the integral of exp(-x^2 / 2) beyond TAIL. */
static const double TAIL = 3.6541528853610088, AREA = 0.0049286732339746549;

static double edges[RANDOM_LAYERS + 1];   /* right edges of the layers, falling; edges[0] is the base's width */
static double heights[RANDOM_LAYERS + 1]; /* exp(-x^2 / 2) there */

/* When the library is loaded; it takes some 20 us. */
__attribute__((constructor)) static void
layers_make(void)
{
    edges[0] = AREA / steady_exp(-0.5 * TAIL * TAIL);
    edges[1] = TAIL;
    for (int i = 2; i < RANDOM_LAYERS; i++)
        edges[i] = sqrt(-2.0 * steady_log(AREA / edges[i - 1] + steady_exp(-0.5 * edges[i - 1] * edges[i - 1])));
    edges[RANDOM_LAYERS] = 0.0;
    for (int i = 0; i <= RANDOM_LAYERS; i++)
        heights[i] = steady_exp(-0.5 * edges[i] * edges[i]);
}

/* Beyond TAIL, by Marsaglia's rejection from an exponential. */
static double
normal_tail(mk_random *random)
{
    double x, y;
    do {
        x = -steady_log(1.0 - unit(next(random))) / TAIL;
        y = -steady_log(1.0 - unit(next(random)));
    } while (y + y < x * x);
    return TAIL + x;
}

static double
normal_one(mk_random *random)
{
    for (;;) {
        uint64_t drawn = next(random);
        size_t layer = drawn & (RANDOM_LAYERS - 1); /* bits 0 to 7, the sign bit 8, the place bits 12 to 63 */
        double x = unit(drawn) * edges[layer];
        bool inside = x < edges[layer + 1];
        if (!inside && layer == 0) {
            x = normal_tail(random);
            inside = true;
        } else if (!inside) {
            double height = heights[layer] + unit(next(random)) * (heights[layer + 1] - heights[layer]);
            inside = height < steady_exp(-0.5 * x * x);
        }
        if (inside)
            return drawn & RANDOM_LAYERS ? -x : x;
    }
}

static void
normals(mk_random *random, size_t count, double *to)
{
    for (size_t i = 0; i < count;) {
        if (!random->left && count - i >= RANDOM_LANES)
            i += mk_active->random_normal(random, count - i, to + i, edges);
        if (i < count)
            to[i++] = normal_one(random);
    }
}

void
mk_random_normal(mk_random *random, size_t count, double *to, double mean, double deviation)
{
    while (count) {
        size_t some = count < MK_BLOCK ? count : MK_BLOCK;
        normals(random, some, to);
        if (mean != 0.0 || deviation != 1.0)
            for (size_t i = 0; i < some; i++)
                to[i] = mean + deviation * to[i];
        to += some;
        count -= some;
    }
}
