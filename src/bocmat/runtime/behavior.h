/* A behavior: what it needs, what it will leave, and when it may run.
 *
 *   behavior   by                                    then
 *   MADE       rt_behavior_new                       set, scheduled or discarded; the maker's
 *   LINKED     rt_behavior_link                      waits for `missing` grants
 *   READY      the last grant                        runs, is handed to on_ready, or is dropped
 *   DONE       rt_behavior_release                   its cowns are given on; the block lives as long as its result is
 *                                                    referred to
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
    rt_cown result;
    rt_slot result_slot;
    rt_slot slots[];
};

static inline rt_behavior *
rt_behavior_of(rt_link *link)
{
    return (rt_behavior *)(void *)link;
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
