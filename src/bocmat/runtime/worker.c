/* A worker's life, and the runtime's: start, stop, free. */
#include "worker.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"

enum { MOST_CORES = 64 }; /* that are looked at */

#ifdef RT_SYSTEMATIC
enum { ROUNDS = 2, ROUNDS_A_LOOK = 1 };
#define LONG_NANOSECONDS 0
#else
enum { ROUNDS_A_LOOK = 16 };
#define SPIN_NANOSECONDS 50000
#define LONG_NANOSECONDS 200000
#endif

/* ---- running ---- */

static void
set_idle(rt_worker *worker, bool idle)
{
    const rt_host *host = worker->local.runtime->host;
    if (worker->idle == idle)
        return;
    worker->idle = idle;
    (idle ? host->idle : host->busy)(worker);
}

/* Whether it is still to work. An order to rest is even, and so is every one that could follow it before this worker
 * has answered it. */
static bool
works(rt_worker *worker)
{
    uint32_t order = rt_load_acquire(&worker->order);
    return order != RT_END && rt_epoch_runs(order);
}

/* Looks around for a little while, as a searcher. */
static rt_behavior *
look_around(rt_worker *worker)
{
    rt_runtime *runtime = worker->local.runtime;
    rt_behavior *behavior = NULL;
#ifdef RT_SYSTEMATIC
    for (int rounds = 0; !behavior && rounds < ROUNDS && works(worker); ++rounds) {
        behavior = rt_sched_steal(&worker->local);
        rt_sys_pause();
    }
    (void)runtime;
#else
    int64_t end = rt_now() + SPIN_NANOSECONDS;
    do {
        uint32_t spins = 0;
        if (rt_sched_work_visible(runtime))
            behavior = rt_sched_steal(&worker->local);
        while (!behavior && spins < ROUNDS_A_LOOK)
            rt_backoff(&spins);
    } while (!behavior && works(worker) && rt_now() < end);
#endif
    return behavior;
}

/* ---- cores ----
 *
 * The guest of a virtual machine sees no idle core, because a halted one looks taken to it: it wakes threads where they
 * slept, or where the waker runs, and may leave two of them on one core beside an idle one for ten milliseconds. So who
 * wakes on a core on which another worker works leaves it, and who wakes another one lets it do that at once; who wakes
 * on its waker's core lets that one go on, which may have more to hand out. None of it is worth its while before short
 * work, which is expected after short work. */

/* The cores of the workers that work, but for this one. Returns how many there are. */
static int
cores_in_use(const rt_worker *worker, int *cores)
{
    const rt_runtime *runtime = worker->local.runtime;
    uint32_t active = rt_load_relaxed(&runtime->active);
    int count = 0;

    for (uint32_t i = 0; i < active && count < MOST_CORES; ++i) {
        uint32_t core = rt_load_relaxed(&runtime->workers[i]->core);
        if (core && runtime->workers[i] != worker)
            cores[count++] = (int)core - 1;
    }
    return count;
}

/* It has slept, and is about to work. True if its waker was on this core. */
static bool
spread(rt_worker *worker)
{
    int here = rt_core(), waker = worker->local.sleeper.waker, cores[MOST_CORES];
    bool shared = false;

    if (here < 0)
        return false;
    int count = cores_in_use(worker, cores);
    for (int i = 0; i < count; ++i)
        shared = shared || cores[i] == here;
    if (shared && rt_core_leave(cores, count))
        here = rt_core();
    rt_store_relaxed(&worker->core, (uint32_t)(here + 1));
    return here == waker;
}

/* Out of work. Returns what it found, or NULL when it is to rest. */
static rt_behavior *
search(rt_worker *worker)
{
    rt_local *local = &worker->local;
    rt_runtime *runtime = local->runtime;
    rt_behavior *behavior = NULL;
    int64_t worked = rt_now() - worker->began;
    bool slept = false;

    set_idle(worker, true);
    rt_quiet_test(&runtime->quiet);
    /* More than half of them looking is of no use. */
    bool searching = rt_parking_search(&runtime->parking, (rt_load_relaxed(&runtime->active) + 1) / 2);
    while (works(worker)) {
        if (searching && (behavior = look_around(worker)) != NULL)
            break;
        rt_parking_park(&runtime->parking, &local->sleeper, searching);
        if (rt_sched_work_visible(runtime) || !works(worker)) {
            rt_parking_cancel(&runtime->parking, &local->sleeper);
        } else {
            rt_count(&local->counters.parked, 1);
            rt_store_relaxed(&worker->core, 0u);
            rt_parking_sleep(&local->sleeper);
            slept = true;
        }
        searching = true;
    }
    bool spreads = behavior && slept && worked >= LONG_NANOSECONDS, yields = spreads && spread(worker);
    if (searching && rt_parking_found(&runtime->parking)) {
        rt_fence_seq_cst();
        if (rt_sched_work_visible(runtime) && rt_parking_wake_one(&runtime->parking))
            yields = spreads;
    }
    if (yields)
        rt_yield();
    worker->began = rt_now();
    return behavior;
}

static void
work(rt_worker *worker)
{
    rt_local *local = &worker->local;
    const rt_host *host = local->runtime->host;

    while (works(worker)) {
        rt_behavior *behavior = rt_sched_take(local);
        if (!behavior && !(behavior = search(worker)))
            break;
        set_idle(worker, false);
        rt_behavior_check(behavior);
        uint32_t cancelled = rt_behavior_turn(behavior);
        if (cancelled == RT_CANCELLED)
            continue;
        if (!cancelled) {
            rt_count(&local->counters.executed, 1);
            host->run(worker, behavior);
        }
        rt_sched_complete(local, behavior);
    }
}

static void
answer(rt_worker *worker, uint32_t rested)
{
    rt_store_release(&worker->rested, rested);
    rt_wake(&worker->rested, INT_MAX);
}

static void
worker_main(void *context)
{
    rt_worker *worker = context;
    const rt_host *host = worker->local.runtime->host;
    uint32_t order = rt_load_acquire(&worker->order), seen;

    rt_sched_attach(&worker->local);
    worker->failure = host->enter(worker);
    if (worker->failure < 0) {
        answer(worker, RT_FAILED);
        return;
    }
    worker->began = rt_now();
    while (order != RT_END) {
        if (rt_epoch_runs(order)) {
            work(worker);
        } else {
            set_idle(worker, true);
            answer(worker, order);
        }
        for (seen = order; (order = rt_load_acquire(&worker->order)) == seen;)
            rt_wait(&worker->order, seen, -1);
    }
    set_idle(worker, false);
    host->leave(worker);
    rt_sched_attach(NULL);
}

/* ---- start and stop; the control mutex is held ---- */

static void
give_order(rt_worker *worker, uint32_t order)
{
    rt_store_seq_cst(&worker->order, order);
    rt_wake(&worker->order, INT_MAX);
}

static uint32_t
wait_for_another(rt_worker *worker, uint32_t rested)
{
    uint32_t seen;
    while ((seen = rt_load_acquire(&worker->rested)) == rested)
        rt_wait(&worker->rested, rested, -1);
    return seen;
}

static void
wait_for_rest(rt_worker *worker, uint32_t epoch)
{
    uint32_t seen = rt_load_acquire(&worker->rested);
    while (seen != epoch)
        seen = wait_for_another(worker, seen);
}

/* The thread of another worker, which begins to enter. */
static int
launch_worker(rt_runtime *runtime, rt_worker **launched)
{
    rt_worker *worker = aligned_alloc(RT_CACHE_LINE, sizeof(*worker));
    int status;

    if (!worker)
        return RT_NO_MEMORY;
    memset(worker, 0, sizeof(*worker));
    worker->local.runtime = runtime;
    rt_store_relaxed(&worker->order, rt_load_relaxed(&runtime->epoch));
    status = rt_thread_start(&worker->thread, worker_main, worker);
    if (status == RT_OK)
        *launched = worker;
    else
        free(worker);
    return status;
}

/* Waits until it has entered, and makes it the next of the runtime's; or ends it. */
static int
receive_worker(rt_runtime *runtime, rt_worker *worker)
{
    uint32_t index = runtime->made;
    int status;

    if (wait_for_another(worker, RT_ENTERING) == RT_FAILED) {
        rt_thread_join(&worker->thread);
        status = worker->failure;
        free(worker);
        return status;
    }
    worker->index = index; /* it rests, and reads this after its next order */
    worker->local.random = index + 1;
    runtime->workers[index] = worker;
    runtime->locals[index] = &worker->local;
    runtime->made = index + 1;
    rt_quiet_join(&runtime->quiet, &worker->local.tally);
    return RT_OK;
}

/* Makes those that are missing, all at once: what a host does when it enters takes long. The first failure. */
static int
make_workers(rt_runtime *runtime, uint32_t workers)
{
    uint32_t first = runtime->made, end = first;
    int status = RT_OK;

    /* Their places hold them until they are received, each at its place or before it. */
    while (end < workers && (status = launch_worker(runtime, &runtime->workers[end])) == RT_OK)
        ++end;
    for (uint32_t i = first; i < end; ++i) {
        int received = receive_worker(runtime, runtime->workers[i]);
        if (status == RT_OK)
            status = received;
    }
    return status;
}

static int
start(rt_runtime *runtime, uint32_t workers)
{
    uint32_t epoch = rt_load_relaxed(&runtime->epoch);
    int status;

    if (rt_epoch_runs(epoch))
        return RT_INVALID;
    status = make_workers(runtime, workers);
    if (status != RT_OK)
        return status;
    for (uint32_t i = 0; i < workers; ++i)
        rt_counters_reset(&runtime->workers[i]->local.counters);
    rt_store_release(&runtime->active, workers);
    rt_inbox_set_key(&runtime->inbox, epoch + 1);
    rt_loop_set_key(&runtime->loop, epoch + 1);
    rt_store_seq_cst(&runtime->epoch, epoch + 1);
    for (uint32_t i = 0; i < workers; ++i)
        give_order(runtime->workers[i], epoch + 1);
    return RT_OK;
}

static int64_t
stop(rt_runtime *runtime)
{
    uint32_t epoch = rt_load_relaxed(&runtime->epoch);
    uint32_t active = rt_load_relaxed(&runtime->active);

    if (!rt_epoch_runs(epoch))
        return 0;
    rt_store_relaxed(&runtime->dropped, 0u);
    for (uint32_t i = 0; i < active; ++i)
        give_order(runtime->workers[i], epoch + 1);
    /* From here on nothing new is taken, and what becomes ready is dropped where it does. */
    rt_store_seq_cst(&runtime->epoch, epoch + 1);
    rt_inbox_set_key(&runtime->inbox, epoch + 1);
    rt_loop_set_key(&runtime->loop, epoch + 1);
    rt_fence_seq_cst();
    rt_parking_wake_all(&runtime->parking);
    for (uint32_t i = 0; i < active; ++i)
        wait_for_rest(runtime->workers[i], epoch + 1);
    rt_sched_drop_queued(runtime);
    return (int64_t)rt_load_relaxed(&runtime->dropped);
}

rt_runtime *
rt_runtime_new(const rt_host *host)
{
    size_t size = (sizeof(rt_runtime) + RT_CACHE_LINE - 1) / RT_CACHE_LINE * RT_CACHE_LINE;
    rt_runtime *runtime = aligned_alloc(RT_CACHE_LINE, size);
    if (!runtime)
        return NULL;
    memset(runtime, 0, size);
    runtime->host = host;
    atomic_init(&runtime->epoch, RT_FIRST_EPOCH);
    return runtime;
}

int
rt_start(rt_runtime *runtime, uint32_t workers)
{
    int status;
    if (workers == 0 || workers > RT_MOST_WORKERS || rt_sched_local())
        return RT_INVALID;
    rt_mutex_take(&runtime->control);
    status = start(runtime, workers);
    rt_mutex_drop(&runtime->control);
    return status;
}

int64_t
rt_stop(rt_runtime *runtime)
{
    int64_t dropped;
    rt_local *local = rt_sched_local();
    if (local && local->runtime == runtime)
        return RT_INVALID;
    rt_mutex_take(&runtime->control);
    dropped = stop(runtime);
    rt_mutex_drop(&runtime->control);
    return dropped;
}

int
rt_stop_quiet(rt_runtime *runtime)
{
    int status = RT_TIMEOUT;
    rt_local *local = rt_sched_local();
    if (local && local->runtime == runtime)
        return RT_INVALID;
    rt_mutex_take(&runtime->control);
    /* Quiet with the gate shut stays quiet: only behaviors in flight could add others. */
    rt_store_seq_cst(&runtime->closing, 1u);
    rt_fence_seq_cst();
    if (rt_quiet_in_flight(&runtime->quiet) == 0) {
        stop(runtime);
        status = RT_OK;
    }
    rt_store_release(&runtime->closing, 0u);
    rt_mutex_drop(&runtime->control);
    return status;
}

void
rt_runtime_free(rt_runtime *runtime)
{
    for (uint32_t i = 0; i < runtime->made; ++i) {
        give_order(runtime->workers[i], RT_END);
        rt_thread_join(&runtime->workers[i]->thread);
    }
    if (rt_quiet_in_flight(&runtime->quiet) != 0)
        return; /* some thread still holds a behavior, and finishes it in this memory */
    for (uint32_t i = 0; i < runtime->made; ++i)
        free(runtime->workers[i]);
    free(runtime);
}

void
rt_runtime_forked(rt_runtime *runtime)
{
    uint32_t epoch = rt_load_relaxed(&runtime->epoch);

    rt_store_relaxed(&runtime->control.state, 0u);
    rt_store_relaxed(&runtime->epoch, epoch + rt_epoch_runs(epoch));
    rt_store_relaxed(&runtime->active, 0u);
    rt_quiet_reset(&runtime->quiet);
    rt_sched_forget_queued(runtime);
    rt_blocks_forked();
    runtime->made = 0;
}

/* ---- questions ---- */

bool
rt_running(const rt_runtime *runtime)
{
    return rt_epoch_runs(rt_load_acquire(&runtime->epoch));
}

uint32_t
rt_workers(const rt_runtime *runtime)
{
    return rt_running(runtime) ? rt_load_acquire(&runtime->active) : 0;
}

static int
quiesce(rt_runtime *runtime, int64_t nanoseconds, rt_candidate *candidate)
{
    rt_local *local = rt_sched_local();
    if (local && local->runtime == runtime)
        return RT_INVALID;
    return rt_quiet_wait(&runtime->quiet, nanoseconds, &runtime->loop, candidate);
}

int
rt_quiesce(rt_runtime *runtime, int64_t nanoseconds)
{
    return quiesce(runtime, nanoseconds, NULL);
}

static void
call_waiter(rt_candidate *candidate)
{
    rt_quiesce_waiter *waiter = (rt_quiesce_waiter *)(void *)candidate;
    rt_quiet_wake(&waiter->runtime->quiet); /* others look too, and sleep again */
}

void
rt_quiesce_join(rt_runtime *runtime, rt_quiesce_waiter *waiter, bool preferred)
{
    *waiter = (rt_quiesce_waiter){{.call = call_waiter, .preferred = preferred}, runtime};
    rt_serve_join(runtime, &waiter->candidate);
}

int
rt_quiesce_serving(rt_quiesce_waiter *waiter, int64_t nanoseconds)
{
    return quiesce(waiter->runtime, nanoseconds, &waiter->candidate);
}

int64_t
rt_in_flight(const rt_runtime *runtime)
{
    return rt_quiet_in_flight((rt_quiet *)&runtime->quiet);
}

uint64_t
rt_completed(const rt_runtime *runtime)
{
    return rt_quiet_completed((rt_quiet *)&runtime->quiet);
}

rt_worker_stats
rt_stats(const rt_runtime *runtime, uint32_t index)
{
    rt_local *local = index < RT_MOST_WORKERS ? runtime->locals[index] : NULL;
    return local ? rt_counters_read(&local->counters) : (rt_worker_stats){0};
}

rt_worker *
rt_worker_self(void)
{
    return (rt_worker *)rt_sched_local();
}

uint32_t
rt_worker_index(const rt_worker *worker)
{
    return worker->index;
}

rt_runtime *
rt_worker_runtime(const rt_worker *worker)
{
    return worker->local.runtime;
}

void
rt_worker_set_data(rt_worker *worker, void *data)
{
    worker->data = data;
}

void *
rt_worker_data(const rt_worker *worker)
{
    return worker->data;
}
