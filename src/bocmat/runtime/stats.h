/* What a worker has done since the last start. Written by the worker, read by anyone. */
#ifndef BOCMAT_RT_STATS_H
#define BOCMAT_RT_STATS_H

#include "atomic.h"
#include "runtime.h"

typedef struct {
    rt_atomic_u64 executed, stolen, parked;
} rt_counters;

void rt_counters_reset(rt_counters *counters);
rt_worker_stats rt_counters_read(rt_counters *counters);

static inline void
rt_count(rt_atomic_u64 *counter, uint64_t by)
{
    atomic_store_explicit(counter, rt_load_own(counter) + by, memory_order_relaxed);
}

#endif
