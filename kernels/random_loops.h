/* Random numbers eight at a time. Included by loops.h.
 *
 * What is drawn after what does not depend on the instruction set, nor on how many numbers are asked for at once: every
 * result takes the next number of the stream, and more of them where that one is rejected. So these go on in whole
 * blocks only while all eight are accepted, and leave the block at the first that is not.
 */

typedef uint64_t words __attribute__((vector_size(RANDOM_LANES * sizeof(uint64_t))));
typedef int64_t integers __attribute__((vector_size(RANDOM_LANES * sizeof(int64_t))));
typedef double numbers __attribute__((vector_size(RANDOM_LANES * sizeof(double))));

#define ROTATE(x, by) ((x) << (by) | (x) >> (64 - (by)))

/* One step of eight xoshiro256++ generators. */
INLINE void
random_next_block(words lanes[4], words *to)
{
    words a = lanes[0], b = lanes[1], c = lanes[2], d = lanes[3], sum = a + d, shifted = b << 17;
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

#undef ROTATE

/* The upper 52 bits as numbers in [0, 1): they become the fraction of numbers in [1, 2). */
INLINE void
random_units(const words *from, numbers *to)
{
    *to = (numbers)(*from >> 12 | UINT64_C(0x3ff0000000000000)) - 1.0;
}

/* Bit k: lane k is set. */
INLINE unsigned
random_bits(const integers *where)
{
    unsigned bits = 0;
    for (int p = 0; p < PARTS; p++) {
        mask part;
        memcpy(&part, (const char *)where + (size_t)p * sizeof part, sizeof part);
        bits |= v_bits(part) << (p * LANES);
    }
    return bits;
}

static void
random_step(mk_random *random)
{
    words lanes[4], block;
    memcpy(lanes, random->lanes, sizeof lanes);
    random_next_block(lanes, &block);
    memcpy(random->lanes, lanes, sizeof lanes);
    memcpy(random->block, &block, sizeof block);
    random->left = RANDOM_LANES;
}

/* `count` is a multiple of eight. */
static void
random_uniform(mk_random *random, size_t count, double *to, const mk_uniform *range)
{
    words lanes[4], block;
    numbers x, low = {0}, high = {0}, below = {0};
    double width = range->width;
    memcpy(lanes, random->lanes, sizeof lanes);
    low += range->low;
    high += range->high;
    below += range->below;
    if (range->unit)
        for (size_t i = 0; i < count; i += RANDOM_LANES) {
            random_next_block(lanes, &block);
            random_units(&block, &x);
            memcpy(to + i, &x, sizeof x);
        }
    else
        for (size_t i = 0; i < count; i += RANDOM_LANES) {
            random_next_block(lanes, &block);
            random_units(&block, &x);
            x = range->wide ? low * (1.0 - x) + high * x : low + x * width;
            integers inside = x < high;
            x = (numbers)(((integers)x & inside) | ((integers)below & ~inside));
            memcpy(to + i, &x, sizeof x);
        }
    memcpy(random->lanes, lanes, sizeof lanes);
}

/* Hands a block back at its first rejected lane; how many before it were written. */
INLINE size_t
random_hand_back(mk_random *random, const words *block, unsigned rejected)
{
    int accepted = __builtin_ctz(rejected);
    memcpy(random->block, block, sizeof *block);
    random->left = RANDOM_LANES - accepted;
    return (size_t)accepted;
}

INLINE void
random_look_up(const double *table, const words *at, numbers *to)
{
#if defined(MK_LANES_AVX512)
    *to = (numbers)_mm512_i64gather_pd((__m512i)*at, table, 8);
#else
    for (int lane = 0; lane < RANDOM_LANES; lane++)
        (*to)[lane] = table[(*at)[lane]];
#endif
}

/* Normal numbers, as long as they come from inside the layers of the ziggurat; how many. */
static size_t
random_normal(mk_random *random, size_t count, double *to, const double *edges)
{
    words lanes[4], block;
    size_t i = 0;
    memcpy(lanes, random->lanes, sizeof lanes);
    for (; i + RANDOM_LANES <= count; i += RANDOM_LANES) {
        numbers x, edge, next;
        random_next_block(lanes, &block);
        words layer = block & (RANDOM_LAYERS - 1);
        random_look_up(edges, &layer, &edge);
        random_look_up(edges + 1, &layer, &next);
        random_units(&block, &x);
        x *= edge;
        integers outside = ~(x < next);
        x = (numbers)((words)x | (block & RANDOM_LAYERS) << 55);
        memcpy(to + i, &x, sizeof x);
        unsigned rejected = random_bits(&outside);
        if (rejected) {
            i += random_hand_back(random, &block, rejected);
            break;
        }
    }
    memcpy(random->lanes, lanes, sizeof lanes);
    return i;
}

/* Whole numbers low + n, 0 <= n < width <= 2^32, as long as none is rejected; how many. */
static size_t
random_integers(mk_random *random, size_t count, double *to, int64_t low, uint64_t width, uint64_t least)
{
    words lanes[4], block;
    size_t i = 0;
    memcpy(lanes, random->lanes, sizeof lanes);
    for (; i + RANDOM_LANES <= count; i += RANDOM_LANES) {
        random_next_block(lanes, &block);
        words product = (block >> 32) * width;
        integers value = (integers)(product >> 32) + low, uneven = (product & UINT64_C(0xffffffff)) < least;
        numbers x = __builtin_convertvector(value, numbers);
        memcpy(to + i, &x, sizeof x);
        unsigned rejected = least ? random_bits(&uneven) : 0;
        if (rejected) {
            i += random_hand_back(random, &block, rejected);
            break;
        }
    }
    memcpy(random->lanes, lanes, sizeof lanes);
    return i;
}
