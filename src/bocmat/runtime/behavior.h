/* A behavior: what it needs, what it will leave, and when it may run.
 *
 *   behavior   by                                    then
 *   MADE       rt_behavior_new                       set, scheduled or discarded; the maker's
 *   LINKED     rt_behavior_link                      waits for `missing` grants
 *   READY      the last grant                        takes its turn, or is handed to on_ready
 *   DONE       rt_behavior_release                   its cowns are given on; the block lives as long as its result is
 *                                                    referred to
 *
 *   state      set by                                then
 *   TURN       whoever would run or drop it (add)    alone: it is run, or dropped; else see RT_CANCELLED, RT_SETTLED
 *   CANCELLED  whoever cancels it (compare and swap, it never runs; result and captures are the canceller's
 *              if neither TURN nor FIXED is there)
 *   SETTLED    the canceller, when done (add)        TURN came before: the canceller releases it; else whose TURN it is
 *   FIXED      its maker                             it cannot be cancelled
 *   WANTED     a reference to the result of a spare  the last one taken away cancels it
 *              behavior, times their number
 *
 * Every change is a read-modify-write, acq_rel, so whoever comes second has seen what the first did. cancel.c is who
 * cancels.
 *
 * One block: the struct, one slot an argument, their order, the host's captures.
 */
#ifndef BOCMAT_RT_BEHAVIOR_H
#define BOCMAT_RT_BEHAVIOR_H

#include <stddef.h>
#include <stdint.h>

#include "cown.h"
#include "runtime.h"

struct rt_behavior {
    rt_owner owner; /* first: a ready owner is a ready behavior */
    rt_runtime *runtime;
    void (*on_ready)(rt_behavior *behavior, void *context);
    void *on_ready_context;
    uint32_t epoch; /* of the runtime, when it was scheduled */
    uint32_t count; /* arguments */
    uint32_t captures_at;
    rt_atomic_u32 state;
    rt_cown result;
    rt_slot result_slot;
    rt_slot slots[];
};

enum { RT_TURN = 1, RT_CANCELLED = 2, RT_SETTLED = 4, RT_FIXED = 8, RT_WANTED = 16 };

static inline rt_behavior *
rt_behavior_of(rt_link *link)
{
    return (rt_behavior *)(void *)link;
}

/* Its turn has come. 0: it is the caller's to run or to drop. RT_CANCELLED with RT_SETTLED: the caller only releases
 * it. RT_CANCELLED alone: whoever cancels it does so, and the caller forgets it. */
static inline uint32_t
rt_behavior_turn(rt_behavior *behavior)
{
    return rt_fetch_add_acq_rel(&behavior->state, (uint32_t)RT_TURN) & (RT_CANCELLED | RT_SETTLED);
}

/* Queues it on all its cowns. It is added to `ready` if it holds them all at once (so are others that become ready by
 * it); else, from this moment on, another thread may run and free it. */
void rt_behavior_link(rt_behavior *behavior, rt_chain *ready);
/* Gives its cowns on, then lets go of them. Behaviors that become ready are added to the chain. Afterwards it may be
 * gone. */
void rt_behavior_release(rt_behavior *behavior, rt_chain *ready);

#ifdef RT_CHECKS
void rt_behavior_check(rt_behavior *behavior);
#else
#define rt_behavior_check(behavior) ((void)0)
#endif

#endif
