/* Random streams: seeded, derived, drawn from. No Python, no allocation. */
#ifndef BOCMAT_MATRIX_RANDOM_H
#define BOCMAT_MATRIX_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum { RNG_LANES = 8 };

/* Eight xoshiro256++ generators side by side, so that a compiler can run them in vector registers, and the block of
 * numbers they made last. */
typedef struct matrix_rng {
    uint64_t key; /* what it was seeded with; names the stream when another is derived from it */
    uint64_t lanes[4][RNG_LANES];
    uint64_t block[RNG_LANES];
    int left; /* numbers of the block not yet drawn, taken from its end */
} matrix_rng;

void rng_seed(matrix_rng *rng, uint64_t key);
/* A stream of its own for the `index`-th behavior scheduled under `key`: the same for the same pair, wherever it is
 * computed, and it draws nothing from the parent. */
void rng_derive(matrix_rng *rng, uint64_t key, uint64_t index);

uint64_t rng_next(matrix_rng *rng);
/* Below `bound`, each number equally likely; bound 0 stands for 2^64. */
uint64_t rng_below(matrix_rng *rng, uint64_t bound);
/* low <= value < high, both finite. */
void rng_uniform(matrix_rng *rng, size_t count, double *to, double low, double high);
void rng_normal(matrix_rng *rng, size_t count, double *to, double mean, double deviation);

#endif
