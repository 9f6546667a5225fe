/* Workers: threads that take ready behaviors and give them to the host.
 *
 *   worker    `order`                `rested`   then
 *   ENTERING  its maker's epoch      0          the host's enter: RESTING or FAILED
 *   RESTING   the even one it saw    the same   sleeps on `order`; sees another one: RESTING, WORKING or ENDING
 *   WORKING   the odd one it saw     older      takes, runs, looks around, sleeps; sees another order: as above
 *   ENDING    RT_END                            the host's leave, its thread ends
 *   FAILED                           RT_FAILED  its thread ends; the start that made it joins it
 *
 * An order is the epoch to work or to rest in, so that a worker which slept through a start and a stop still answers
 * the stop. `order` is written by whoever holds the runtime's control mutex, `rested` by the worker; each sleeps on the
 * other's word. Between enter and leave the host is either busy (as enter leaves it, and as leave finds it) or idle; a
 * worker rests idle.
 */
#ifndef BOCMAT_RT_WORKER_H
#define BOCMAT_RT_WORKER_H

#include "sched.h"

#define RT_END UINT32_MAX        /* an order */
enum { RT_ENTERING, RT_FAILED }; /* in the place of an epoch: those begin at RT_FIRST_EPOCH */

struct rt_worker {
    rt_local local; /* first: a worker's local is the worker */
    rt_thread thread;
    rt_atomic_u32 order;
    rt_atomic_u32 rested;
    int failure; /* what enter said */
    uint32_t index;
    bool idle;          /* what the host was told last */
    rt_atomic_u32 core; /* on which it works, from 1, if it looked; 0 while it sleeps */
    int64_t began;      /* when it went to work last */
    void *data;
};

#endif
