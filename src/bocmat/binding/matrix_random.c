#include "matrix_random.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

/* One version an instruction set, chosen when the library is loaded; integer steps and exact conversions, so all give
 * the same numbers. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define WIDEST_VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDEST_VECTORS
#endif

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
rng_seed(matrix_rng *rng, uint64_t key)
{
    uint64_t mix = key;

    rng->key = key;
    rng->left = 0;
    for (int lane = 0; lane < RNG_LANES; lane++)
        for (int word = 0; word < 4; word++)
            rng->lanes[word][lane] = mix_next(&mix);
}

void
rng_derive(matrix_rng *rng, uint64_t key, uint64_t index)
{
    uint64_t mix = key, child;

    child = mix_next(&mix) ^ index; /* two rounds with the index between them: neighbours share nothing */
    rng_seed(rng, mix_next(&child));
}

/* All lanes at once: the compiler splits it into what the machine has. Never crosses a call by value. */
typedef uint64_t lanes_word __attribute__((vector_size(RNG_LANES * sizeof(uint64_t))));

#define ROTATE(x, by) ((x) << (by) | (x) >> (64 - (by)))

/* One step of every lane. */
static inline void
lanes_step(lanes_word lanes[4], lanes_word *to)
{
    lanes_word a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3], sum = a + d, shifted = b << 17;

    *to = ROTATE(sum, 23) + a;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    lanes[0] = a;
    lanes[1] = b;
    lanes[2] = c;
    lanes[3] = ROTATE(d, 45);
}

uint64_t
rng_next(matrix_rng *rng)
{
    if (!rng->left) {
        lanes_word lanes[4], block;

        memcpy(lanes, rng->lanes, sizeof lanes);
        lanes_step(lanes, &block);
        memcpy(rng->lanes, lanes, sizeof lanes);
        memcpy(rng->block, &block, sizeof block);
        rng->left = RNG_LANES;
    }
    return rng->block[RNG_LANES - rng->left--];
}

uint64_t
rng_below(matrix_rng *rng, uint64_t bound)
{
    uint64_t limit, drawn;

    if (!bound)
        return rng_next(rng);
    limit = (0 - bound) % bound; /* 2^64 mod bound: the draws below it would make some results likelier */
    do
        drawn = rng_next(rng);
    while (drawn < limit);
    return drawn % bound;
}

/* ---- uniform ---- */

/* The upper 52 bits as a number in [0, 1): they become the fraction of a number in [1, 2). */
static inline double
unit(uint64_t drawn)
{
    uint64_t bits = drawn >> 12 | UINT64_C(0x3ff0000000000000);
    double shifted;

    memcpy(&shifted, &bits, sizeof shifted);
    return shifted - 1.0;
}

/* Fills with numbers in [0, 1). The same numbers whether a block was begun before or not, and in every version. */
WIDEST_VECTORS static void
fill_units(matrix_rng *rng, size_t count, double *to)
{
    lanes_word lanes[4], block;
    size_t i = 0;

    for (; i < count && rng->left; i++)
        to[i] = unit(rng_next(rng));
    memcpy(lanes, rng->lanes, sizeof lanes);
    for (; i + RNG_LANES <= count; i += RNG_LANES) {
        lanes_step(lanes, &block);
        for (int lane = 0; lane < RNG_LANES; lane++)
            to[i + (size_t)lane] = unit(block[lane]);
    }
    memcpy(rng->lanes, lanes, sizeof lanes);
    for (; i < count; i++)
        to[i] = unit(rng_next(rng));
}

void
rng_uniform(matrix_rng *rng, size_t count, double *to, double low, double high)
{
    double width = high - low, below = nextafter(high, low);

    fill_units(rng, count, to);
    if (!isfinite(width)) {
        for (size_t i = 0; i < count; i++)
            to[i] = low * (1.0 - to[i]) + high * to[i];
    } else if (low != 0.0 || width != 1.0) {
        for (size_t i = 0; i < count; i++)
            to[i] = low + to[i] * width;
    }
    for (size_t i = 0; i < count; i++) /* rounding may reach the bound */
        to[i] = to[i] < high || low == high ? to[i] : below;
}

/* ---- normal: a ziggurat of 256 layers of equal area ---- */

enum { LAYERS = 256 };

/* Where the tail begins so that 256 layers under exp(-x^2 / 2), each as large as tail and base together, close at the
 * top. */
static const double TAIL = 3.6541528853610088;

static double edge[LAYERS + 1];   /* right edges of the layers, falling; edge[0] is the base's width */
static double height[LAYERS + 1]; /* exp(-x^2 / 2) at the edges */
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void
tables_make(void)
{
    const double area = TAIL * exp(-0.5 * TAIL * TAIL) + sqrt(atan(1.0) * 2.0) * erfc(TAIL / sqrt(2.0));

    edge[0] = area / exp(-0.5 * TAIL * TAIL);
    edge[1] = TAIL;
    for (int i = 2; i < LAYERS; i++)
        edge[i] = sqrt(-2.0 * log(area / edge[i - 1] + exp(-0.5 * edge[i - 1] * edge[i - 1])));
    edge[LAYERS] = 0.0;
    for (int i = 0; i <= LAYERS; i++)
        height[i] = exp(-0.5 * edge[i] * edge[i]);
}

/* Beyond TAIL, by Marsaglia's rejection from an exponential. */
static double
normal_tail(matrix_rng *rng)
{
    double x, y;

    do {
        x = -log(1.0 - unit(rng_next(rng))) / TAIL;
        y = -log(1.0 - unit(rng_next(rng)));
    } while (y + y < x * x);
    return TAIL + x;
}

static double
normal_one(matrix_rng *rng)
{
    for (;;) {
        uint64_t drawn = rng_next(rng);
        int layer = (int)(drawn & (LAYERS - 1)); /* bits 0 to 7, the sign bit 8, the place bits 12 to 63 */
        double x = unit(drawn) * edge[layer], sign = drawn & LAYERS ? -1.0 : 1.0;

        if (x < edge[layer + 1])
            return sign * x;
        if (layer == 0)
            return sign * normal_tail(rng);
        if (height[layer] + unit(rng_next(rng)) * (height[layer + 1] - height[layer]) < exp(-0.5 * x * x))
            return sign * x;
    }
}

void
rng_normal(matrix_rng *rng, size_t count, double *to, double mean, double deviation)
{
    (void)pthread_once(&tables_once, tables_make);
    for (size_t i = 0; i < count; i++)
        to[i] = mean + deviation * normal_one(rng);
}
