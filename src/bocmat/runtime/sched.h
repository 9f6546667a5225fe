/* Where ready behaviors wait for a worker, and who takes which next.
 *
 *   place   filled by                                      taken by
 *   next    a worker, with what its finished behavior      itself, at once, at most RUN_THROUGH times in a row
 *           made ready first
 *   ring    a worker, with what else it makes ready        itself, in order; other workers, half at a time
 *   inbox   all other threads; a worker whose ring is full workers, a share at a time; looked at every LOOK_AWAY turns
 *   loop    all threads, with what no worker may run       the thread that serves it; see loop.h
 *
 * The runtime's epoch is odd while it runs and changes at every start and stop. A behavior carries the epoch in which
 * it was scheduled: where it becomes ready in another one, it is dropped.
 */
#ifndef BOCMAT_RT_SCHED_H
#define BOCMAT_RT_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "atomic.h"
#include "behavior.h"
#include "loop.h"
#include "os.h"
#include "park.h"
#include "queue.h"
#include "quiesce.h"
#include "runtime.h"
#include "stats.h"

enum { RT_FIRST_EPOCH = 2 };

/* A worker's own part of the scheduler. */
typedef struct {
    rt_ring ring;
    rt_tally tally;
    _Alignas(RT_CACHE_LINE) rt_counters counters;
    rt_sleeper sleeper;
    _Alignas(RT_CACHE_LINE) rt_runtime *runtime;
    rt_link *next;     /* this worker's only */
    bool may_run_next; /* its behavior has ended: what becomes ready now need not wait for it */
    uint32_t run_through;
    uint32_t turn;
    uint64_t random;
} rt_local;

struct rt_runtime {
    const rt_host *host;
    rt_mutex control; /* of start, stop and free; `made`, and epoch's writes */
    rt_atomic_u32 epoch;
    rt_atomic_u32 closing; /* 1 while rt_stop_quiet looks: other threads' behaviors are refused */
    rt_atomic_u32 active;  /* workers of the current epoch: the first ones made */
    uint32_t made;
    rt_atomic_u64 dropped; /* since the last stop began */
    rt_inbox inbox;
    rt_loop loop;
    rt_parking parking;
    rt_quiet quiet;
    rt_worker *workers[RT_MOST_WORKERS];
    rt_local *locals[RT_MOST_WORKERS]; /* theirs */
};

static inline bool
rt_epoch_runs(uint32_t epoch)
{
    return epoch % 2 == 1;
}

/* Makes the calling thread the one `local` belongs to (NULL: no worker any more). */
void rt_sched_attach(rt_local *local);
rt_local *rt_sched_local(void);

/* Gives behaviors that have become ready to whoever will run them. */
void rt_sched_hand_out(rt_chain *ready);
/* For a worker: the next behavior from its own places or the inbox, or NULL. */
rt_behavior *rt_sched_take(rt_local *local);
/* The same from anywhere, other workers' rings included. */
rt_behavior *rt_sched_steal(rt_local *local);
/* Whether it looks as if somebody would find something. */
bool rt_sched_work_visible(rt_runtime *runtime);
/* The behavior that this worker took has been run. */
void rt_sched_complete(rt_local *local, rt_behavior *behavior);
/* With all workers parked and the epoch over: drops whatever is queued. */
void rt_sched_drop_queued(rt_runtime *runtime);
/* After a fork: forgets it instead. */
void rt_sched_forget_queued(rt_runtime *runtime);

#endif
