/* Is everything done? Counted without a shared counter.
 *
 * Every worker has a tally, and all other threads share one. Both numbers of a tally only grow. A behavior is counted
 * as scheduled before anyone can run it, as completed after its cowns were given on and after all that it scheduled was
 * counted.
 *
 * The waiter reads all completed (acquire), then all scheduled. What it has seen completed it has also seen scheduled,
 * with all that those scheduled. So if the sums agree, the behaviors it saw scheduled are the ones it saw completed:
 * they, and all they scheduled, are done, and so is whatever the waiter's thread had scheduled before.
 *
 *   waiter    waiters + 1;     fence;  compare;           not equal -> sleep on `signal`
 *   the last  completed + 1;   fence;  waiters, compare;  equal -> signal + 1, wake
 *
 * One of the two sees the other. Workers do their half when they run out of work, other threads after each completion.
 * The call of a waiter that is a candidate of a loop is another reason to count `signal` up.
 */
#ifndef BOCMAT_RT_QUIESCE_H
#define BOCMAT_RT_QUIESCE_H

#include <stdbool.h>
#include <stdint.h>

#include "atomic.h"
#include "loop.h"
#include "os.h"

typedef struct {
    _Alignas(RT_CACHE_LINE) rt_atomic_u64 scheduled;
    rt_atomic_u64 completed;
} rt_tally;

enum { RT_MOST_WORKERS = 1024 };

typedef struct {
    rt_tally outside; /* of all threads that are no workers: counted by read-modify-write */
    _Alignas(RT_CACHE_LINE) rt_atomic_u32 waiters;
    rt_atomic_u32 signal;
    rt_atomic_u32 count;
    rt_tally *tallies[RT_MOST_WORKERS]; /* each written by its worker alone; they live as long as the runtime */
} rt_quiet;

void rt_quiet_join(rt_quiet *quiet, rt_tally *tally);
/* Scheduled and not completed: 0 only if there was a moment, during the call, with nothing in flight. */
int64_t rt_quiet_in_flight(rt_quiet *quiet);
/* Completed so far, as far as this thread has heard. */
uint64_t rt_quiet_completed(rt_quiet *quiet);
/* Wakes the waiters if there are any and nothing is in flight. */
void rt_quiet_test(rt_quiet *quiet);
/* RT_OK, RT_TIMEOUT or RT_INTERRUPTED. As a joined candidate of a loop, whose call does rt_quiet_wake, RT_CALLED too:
 * the thread has entered the loop. */
int rt_quiet_wait(rt_quiet *quiet, int64_t nanoseconds, rt_loop *loop, rt_candidate *candidate);
/* Has all waiters look once more. */
void rt_quiet_wake(rt_quiet *quiet);
/* After a fork: nothing is in flight and nobody waits. */
void rt_quiet_reset(rt_quiet *quiet);

#endif
