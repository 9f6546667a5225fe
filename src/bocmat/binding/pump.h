/* Pinned behaviors: those over a cown whose value stays in the main interpreter. Threads of that interpreter run them:
 * inside pump(), and while they wait, one thread at a time. Which, and who is woken for it: runtime/loop.h.
 *
 *   thread                                     serves                               what comes out of it
 *   in pump()                                  always                               the first Exception, if asked for,
 *                                                                                   and all that are no Exception
 *   in wait(), quiesce()                       when called; the main thread first   KeyboardInterrupt
 *   the main one, in get(), acquire(), `with`  when called                          KeyboardInterrupt
 *
 * What comes out is in the behavior's result too, and its cowns have been given on.
 */
#ifndef BOCMAT_PUMP_H
#define BOCMAT_PUMP_H

#include "backend.h"

typedef struct {
    int64_t deadline; /* no behavior starts from then on; of pump_now's clock, INT64_MAX: none */
    int64_t most;     /* how many start */
    bool fails;       /* the first Exception comes out */
    bool waits;       /* of what is no Exception only KeyboardInterrupt comes out */
    bool gives_way;   /* leaves the rest to the main thread once that waits too */
} pump_limits;

typedef struct {
    long long executed, raised;
    bool deadline_reached; /* and more was ready */
} pump_count;

/* Nanoseconds of a monotonic clock. */
int64_t pump_now(void);
int64_t pump_deadline(double seconds); /* from now; negative: none */

/* Whether the calling thread, which waits, is to serve: not unless there have been pinned cowns. -1: an exception, such
 * as an interrupt that came while it asked. */
typedef enum { PUMP_NEVER, PUMP_UNLESS_MAIN_WAITS, PUMP_FIRST } pump_part;
int pump_part_of(const core_state *state);

/* The calling thread serves already, and does not any more on return. 0, or -1 with an exception. */
int pump_serve(core_state *state, rt_runtime *runtime, const pump_limits *limits, pump_count *count);

/* The exception that is set is an interrupt of the main program which came while a pinned behavior's values were put
 * away: it is kept for whoever pumps, and what it interrupted can be done again. */
bool pump_interrupted(void);

/* The first PinnedCown. */
void pump_pinned_made(void);
int pump_add_functions(PyObject *module);

#endif
