/* What the runtime asks of whoever embeds it: one table of functions.
 *
 * The runtime moves opaque values between threads and decides who runs when; what a value is and what running a
 * behavior means is the host's. Binding has two hosts (sub-interpreters, threads), the native tests have one of their
 * own.
 */
#ifndef BOCMAT_RT_HOST_H
#define BOCMAT_RT_HOST_H

#include <stdint.h>

typedef struct rt_worker rt_worker;
typedef struct rt_behavior rt_behavior;

/* What a cown holds. The runtime copies the two words and never looks inside, but for this: all zero is nothing, and
 * needs no destroying. */
typedef struct {
    uintptr_t kind;
    uintptr_t data;
} rt_value;

typedef struct rt_host {
    /* On a worker's own thread, once, before its first behavior, while rt_start waits; workers of one start enter at
     * the same time, and have no index yet. What it leaves behind counts as busy: idle follows. A negative status and
     * the worker ends again; the start that asked for it fails with that status. */
    int (*enter)(rt_worker *worker);
    /* On the same thread, once, when the worker ends for good (not between stop and start: then it is parked,
     * idle). Busy has been called before. */
    void (*leave)(rt_worker *worker);
    /* Out of work, about to look around and then to park: let go of whatever other threads may need (a GIL). */
    void (*idle)(rt_worker *worker);
    /* Work has been found; the opposite of idle. Called between idle and the next run, drop or leave. */
    void (*busy)(rt_worker *worker);
    /* Run it. On return its cowns are released and whoever waits for them goes on. The host takes its captures apart
     * (here or in drop, exactly one of the two is called for every scheduled behavior). */
    void (*run)(rt_worker *worker, rt_behavior *behavior);
    /* It was scheduled and will never run. May be called on any thread. */
    void (*drop)(rt_behavior *behavior);
    /* A cown that held this value is gone. May be called on any thread, attached to an interpreter or not. */
    void (*destroy)(rt_value value);
} rt_host;

#endif
