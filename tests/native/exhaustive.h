/* Between the two halves of the exhaustive test: exhaustive.c knows cases and what must hold, exhaustive_search.c goes
 * through the states.
 */
#ifndef BOCMAT_EXHAUSTIVE_H
#define BOCMAT_EXHAUSTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "runtime/behavior.h"

/* Reads what may be poisoned. */
#define UNCHECKED __attribute__((no_sanitize_address))

enum {
    MOST_BEHAVIORS = 5,
    COWNS = 2,
    MOST_FIBERS = 2 * MOST_BEHAVIORS, /* those that link, then those that release */
    MOST_BLOCKS = MOST_BEHAVIORS + COWNS,
    MEMORY = 4096
};

/* ---- the state: what a snapshot holds, besides the stacks ---- */

typedef enum { READY, PAUSED, WAITING, ENDED } fiber_state; /* WAITING: its behavior is not ready yet */

typedef struct {
    uint64_t *top;                /* of its stack, where it goes on */
    const volatile void *address; /* READY: the word it is about to use, NULL if none */
    uint64_t state;
} search_fiber;

struct world {
    search_fiber fibers[MOST_FIBERS];
    /* What the model knows, of behaviors and of cowns. */
    uint8_t came[MOST_BEHAVIORS]; /* to its first cown */
    uint8_t linked[MOST_BEHAVIORS], ready[MOST_BEHAVIORS], inside[MOST_BEHAVIORS], left[MOST_BEHAVIORS];
    uint8_t arrived[COWNS][MOST_BEHAVIORS], arrivals[COWNS];
    uint8_t freed[MOST_BLOCKS];
    _Alignas(16) char memory[MEMORY]; /* the runtime's blocks */
};

extern struct world world;

/* The same in every state of a case: the cowns' blocks (that of behavior 0, if its result is one), then the others. */
extern int block_count;

/* ---- what the search offers ---- */

void check(bool holds, const char *what);

/* All blocks are forgotten, and the world is blank. */
void search_reset(void);
void search_prepare_fiber(int fiber, fiber_state state);
/* The number of interleavings from the state that the world is in, with so many fibers. */
double search(int fibers);
extern uint64_t search_states, search_steps; /* of the last one; of all */

/* From a fiber: its step ends here. */
void leave_to_search(fiber_state state);

/* ---- what the model says ---- */

/* The whole life of a fiber. */
void model_run(int fiber);
/* This word does not begin a step. */
bool model_passes_over(const volatile void *address);
/* After a step: what has happened; and words that nobody will read any more must not make two states of one. */
void model_note(void);
void model_blank(void);
/* Whether a fiber that could go on may. */
bool model_lets(int fiber);
/* In a state; in the last one. */
void model_check(void);
void model_check_end(void);
void model_print(FILE *to, const uint8_t *fibers, int steps);

#endif
