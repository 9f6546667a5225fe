/* Quiescence: see quiesce.h. */
#include "quiesce.h"

#include <limits.h>

/* A wait without a limit comes back sometimes: Linux restarts one that has no timeout after some signal handlers, and
 * the caller wants to know of all. */
#define LONGEST_WAIT INT64_C(3600000000000)

void
rt_quiet_join(rt_quiet *quiet, rt_tally *tally)
{
    uint32_t count = rt_load_relaxed(&quiet->count);
    quiet->tallies[count] = tally;
    rt_store_release(&quiet->count, count + 1);
}

int64_t
rt_quiet_in_flight(rt_quiet *quiet)
{
    /* A worker that joins between the two rounds adds to `scheduled` only. */
    uint32_t count = rt_load_acquire(&quiet->count);
    uint64_t completed = rt_load_acquire(&quiet->outside.completed), scheduled;

    for (uint32_t i = 0; i < count; ++i)
        completed += rt_load_acquire(&quiet->tallies[i]->completed);
    count = rt_load_acquire(&quiet->count);
    scheduled = rt_load_acquire(&quiet->outside.scheduled);
    for (uint32_t i = 0; i < count; ++i)
        scheduled += rt_load_acquire(&quiet->tallies[i]->scheduled);
    return (int64_t)(scheduled - completed);
}

uint64_t
rt_quiet_completed(rt_quiet *quiet)
{
    uint32_t count = rt_load_acquire(&quiet->count);
    uint64_t completed = rt_load_relaxed(&quiet->outside.completed);

    for (uint32_t i = 0; i < count; ++i)
        completed += rt_load_relaxed(&quiet->tallies[i]->completed);
    return completed;
}

void
rt_quiet_wake(rt_quiet *quiet)
{
    rt_fetch_add_release(&quiet->signal, 1u);
    rt_wake(&quiet->signal, INT_MAX);
}

void
rt_quiet_test(rt_quiet *quiet)
{
    rt_fence_seq_cst();
    if (rt_load_relaxed(&quiet->waiters) == 0 || rt_quiet_in_flight(quiet) != 0)
        return;
    rt_quiet_wake(quiet);
}

/* Sleeps until nothing is in flight (RT_OK), until `deadline` (INT64_MAX: none), a signal, or the loop's call. */
static int
sleep_until_quiet(rt_quiet *quiet, int64_t deadline, rt_loop *loop, rt_candidate *candidate)
{
    int status = RT_OK;

    for (;;) {
        uint32_t signal = rt_load_acquire(&quiet->signal);
        int64_t left = LONGEST_WAIT;

        rt_fence_seq_cst();
        if (rt_quiet_in_flight(quiet) == 0)
            return RT_OK;
        if (status == RT_INTERRUPTED)
            return status;
        if (candidate && rt_loop_enter(loop, candidate))
            return RT_CALLED;
        if (deadline != INT64_MAX) {
            left = deadline - rt_now();
            if (left <= 0)
                return RT_TIMEOUT;
            if (left > LONGEST_WAIT)
                left = LONGEST_WAIT;
        }
        status = rt_wait(&quiet->signal, signal, left);
    }
}

int
rt_quiet_wait(rt_quiet *quiet, int64_t nanoseconds, rt_loop *loop, rt_candidate *candidate)
{
    int64_t deadline = INT64_MAX, now;
    int status;

    if (rt_quiet_in_flight(quiet) == 0)
        return RT_OK;
    if (nanoseconds == 0)
        return RT_TIMEOUT;
    now = rt_now();
    if (nanoseconds > 0 && nanoseconds < INT64_MAX - now)
        deadline = now + nanoseconds;
    rt_fetch_add_seq_cst(&quiet->waiters, 1u);
    status = sleep_until_quiet(quiet, deadline, loop, candidate);
    rt_fetch_sub_relaxed(&quiet->waiters, 1u);
    return status;
}

void
rt_quiet_reset(rt_quiet *quiet)
{
    rt_store_relaxed(&quiet->count, 0u);
    rt_store_relaxed(&quiet->outside.scheduled, 0u);
    rt_store_relaxed(&quiet->outside.completed, 0u);
    rt_store_relaxed(&quiet->waiters, 0u);
}
