/* Counters, and the texts of the statuses. */
#include "stats.h"

void
rt_counters_reset(rt_counters *counters)
{
    rt_store_relaxed(&counters->executed, 0u);
    rt_store_relaxed(&counters->stolen, 0u);
    rt_store_relaxed(&counters->parked, 0u);
}

rt_worker_stats
rt_counters_read(rt_counters *counters)
{
    return (rt_worker_stats){.executed = rt_load_relaxed(&counters->executed),
                             .stolen = rt_load_relaxed(&counters->stolen),
                             .parked = rt_load_relaxed(&counters->parked)};
}

const char *
rt_status_text(int status)
{
    switch (status) {
#define RT_STATUS(name, value, text) \
    case value:                      \
        return text;
        RT_STATUSES(RT_STATUS)
#undef RT_STATUS
    default:
        return "unknown status";
    }
}
