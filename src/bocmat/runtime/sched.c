/* Scheduling: from the caller to a queue, from a queue to a worker, from one behavior to those it made ready. */
#include "sched.h"

enum {
    RUN_THROUGH = 32, /* behaviors in a row through `next` before the ring has its turn */
#ifdef RT_SYSTEMATIC
    LOOK_AWAY = 3, /* so that its short scenarios come across it */
#else
    LOOK_AWAY = 61, /* turns between two looks into the inbox while there is local work */
#endif
    SHARE = 64 /* behaviors taken from the inbox at once, at most */
};

typedef struct {
    rt_local *local;     /* of a worker */
    rt_chain *pending;   /* while this thread hands out ready behaviors: what it has still to hand out */
    rt_behavior *served; /* what it took from a loop and has not finished */
} thread_state;

static RT_THREAD_LOCAL thread_state this_thread;

void
rt_sched_attach(rt_local *local)
{
    this_thread.local = local;
}

rt_local *
rt_sched_local(void)
{
    return this_thread.local;
}

/* ---- counting ---- */

static inline rt_local *
local_in(rt_runtime *runtime)
{
    rt_local *local = this_thread.local;
    return local && local->runtime == runtime ? local : NULL;
}

static void
count_scheduled(rt_runtime *runtime, rt_local *local)
{
    if (local)
        rt_count_own(&local->tally.scheduled);
    else
        rt_fetch_add_seq_cst(&runtime->quiet.outside.scheduled, 1u);
}

static void
count_completed(rt_runtime *runtime, rt_local *local)
{
    if (local) {
        rt_count_own(&local->tally.completed);
    } else {
        rt_fetch_add_acq_rel(&runtime->quiet.outside.completed, 1u);
        rt_quiet_test(&runtime->quiet);
    }
}

/* ---- handing out what is ready ---- */

static void
drop(rt_behavior *behavior, rt_chain *ready)
{
    rt_runtime *runtime = behavior->runtime;
    uint32_t cancelled = rt_behavior_turn(behavior);

    if (cancelled == RT_CANCELLED)
        return;
    if (!cancelled) {
        runtime->host->drop(behavior);
        rt_fetch_add_relaxed(&runtime->dropped, 1u);
    }
    rt_behavior_release(behavior, ready);
    count_completed(runtime, local_in(runtime));
}

static void
put_local(rt_local *local, rt_behavior *behavior, rt_chain *ready)
{
    rt_runtime *runtime = local->runtime;
    rt_link *item = &behavior->owner.link;

    if (local->may_run_next && !local->next && local->run_through < RUN_THROUGH) {
        local->next = item;
        return;
    }
    if (!rt_ring_put(&local->ring, item) && !rt_inbox_put(&runtime->inbox, behavior->epoch, item)) {
        drop(behavior, ready);
        return;
    }
    rt_parking_wake_one(&runtime->parking);
}

static void
hand_out_one(rt_behavior *behavior, rt_chain *ready)
{
    rt_runtime *runtime = behavior->runtime;
    rt_local *local;

    if (rt_load_acquire(&runtime->epoch) != behavior->epoch) {
        drop(behavior, ready);
    } else if (behavior->on_ready) {
        behavior->on_ready(behavior, behavior->on_ready_context);
    } else if ((local = local_in(runtime)) != NULL) {
        put_local(local, behavior, ready);
    } else if (rt_inbox_put(&runtime->inbox, behavior->epoch, &behavior->owner.link)) {
        rt_parking_wake_one(&runtime->parking);
    } else {
        drop(behavior, ready);
    }
}

/* Dropping a behavior, or an on_ready that finishes it, makes others ready: they join the chain of the call that is
 * already at it, so that a long row of them takes no stack. */
void
rt_sched_hand_out(rt_chain *ready)
{
    rt_link *item;

    if (this_thread.pending) {
        rt_chain_join(this_thread.pending, ready);
        return;
    }
    if (!ready->first)
        return;
    this_thread.pending = ready;
    while ((item = rt_chain_take(ready)) != NULL)
        hand_out_one(rt_behavior_of(item), ready);
    this_thread.pending = NULL;
}

/* ---- the loop ---- */

/* Whether the calling thread runs a behavior of this runtime's loop: it is in flight, so no quiet stop can succeed. */
static bool
serves(const rt_runtime *runtime)
{
    return this_thread.served && this_thread.served->runtime == runtime;
}

static void
put_in_loop(rt_behavior *behavior, void *context)
{
    rt_runtime *runtime = behavior->runtime;
    rt_chain ready = {0};

    (void)context;
    if (!rt_loop_put(&runtime->loop, behavior->epoch, &behavior->owner.link)) {
        drop(behavior, &ready);
        rt_sched_hand_out(&ready);
    }
}

void
rt_behavior_serve(rt_behavior *behavior)
{
    behavior->on_ready = put_in_loop;
}

bool
rt_serve_begin(rt_runtime *runtime)
{
    return rt_loop_enter(&runtime->loop, NULL);
}

rt_behavior *
rt_serve_next(rt_runtime *runtime)
{
    rt_link *item;

    while ((item = rt_loop_take(&runtime->loop)) != NULL) {
        rt_behavior *behavior = rt_behavior_of(item);
        uint32_t cancelled = rt_behavior_turn(behavior);

        if (!cancelled) {
            rt_behavior_check(behavior);
            this_thread.served = behavior;
            return behavior;
        }
        if (cancelled & RT_SETTLED)
            rt_behavior_finish(behavior);
    }
    this_thread.served = NULL;
    return NULL;
}

void
rt_serve_end(rt_runtime *runtime)
{
    rt_loop_leave(&runtime->loop);
}

rt_loop_state
rt_serve_look(rt_runtime *runtime)
{
    return rt_loop_look(&runtime->loop);
}

void
rt_serve_join(rt_runtime *runtime, rt_candidate *candidate)
{
    rt_loop_join(&runtime->loop, candidate);
}

void
rt_serve_quit(rt_runtime *runtime, rt_candidate *candidate)
{
    rt_loop_quit(&runtime->loop, candidate);
}

bool
rt_serve_enter(rt_runtime *runtime, rt_candidate *candidate)
{
    return rt_loop_enter(&runtime->loop, candidate);
}

/* ---- from outside ---- */

int
rt_schedule(rt_runtime *runtime, rt_behavior *behavior)
{
    rt_local *local = local_in(runtime);
    rt_chain ready = {0};
    uint32_t epoch;

    /* Counted before it is known to be taken: a stop that comes in between finds it, or refuses it at the inbox. Count
     * and look are both seq_cst, as the two of rt_stop_quiet are: it sees the count, or this sees `closing`, or that it
     * is open again, and then the epoch, which is read afterwards, is over. */
    count_scheduled(runtime, local);
    bool refused = !local && rt_load_seq_cst(&runtime->closing) && !serves(runtime);
    epoch = rt_load_acquire(&runtime->epoch);
    if (refused || !rt_epoch_runs(epoch)) {
        count_completed(runtime, local);
        return RT_NOT_RUNNING;
    }
    behavior->runtime = runtime;
    behavior->epoch = epoch;
    rt_behavior_link(behavior, &ready);
    rt_sched_hand_out(&ready);
    return RT_OK;
}

void
rt_behavior_finish(rt_behavior *behavior)
{
    rt_runtime *runtime = behavior->runtime;
    rt_chain ready = {0};

    if (this_thread.served == behavior)
        this_thread.served = NULL;
    rt_behavior_release(behavior, &ready);
    count_completed(runtime, local_in(runtime));
    rt_sched_hand_out(&ready);
}

void
rt_behavior_discard(rt_behavior *behavior)
{
    rt_chain ready = {0};

    rt_fetch_or_acq_rel(&behavior->state, (uint32_t)RT_FIXED);
    for (uint32_t i = 0; i < behavior->count; ++i)
        if (behavior->slots[i].cown)
            rt_cown_release(behavior->slots[i].cown);
    /* Others may wait for the result that will never be. */
    if (!rt_cown_alone(&behavior->result))
        rt_slot_release(&behavior->result_slot, &ready);
    rt_cown_unref(&behavior->result);
    rt_sched_hand_out(&ready);
}

/* ---- of a worker ---- */

static rt_behavior *
take_from_inbox(rt_local *local, uint32_t most)
{
    rt_runtime *runtime = local->runtime;
    rt_chain taken = {0};
    rt_link *first;

    if (rt_inbox_empty(&runtime->inbox))
        return NULL;
    /* What does not fit into the ring stays where it is; its owner alone fills it, so the room cannot shrink. */
    uint64_t room = RT_RING_SIZE - rt_ring_count(&local->ring);
    if (most > room + 1)
        most = (uint32_t)room + 1;
    bool left = rt_inbox_take(&runtime->inbox, rt_load_relaxed(&runtime->active), most, &taken);
    first = rt_chain_take(&taken);
    for (rt_link *item; (item = rt_chain_take(&taken)) != NULL;)
        rt_ring_put(&local->ring, item);
    if (left)
        rt_parking_wake_one(&runtime->parking);
    return first ? rt_behavior_of(first) : NULL;
}

/* What this worker would have run next goes where others find it: it is about to run something else, for who knows how
 * long. */
static void
give_up_next(rt_local *local)
{
    rt_chain ready = {0};

    rt_chain_add(&ready, local->next);
    local->next = NULL;
    rt_sched_hand_out(&ready);
}

rt_behavior *
rt_sched_take(rt_local *local)
{
    rt_behavior *behavior;
    rt_link *item = local->next;

    if (++local->turn % LOOK_AWAY == 0 && (behavior = take_from_inbox(local, 1)) != NULL) {
        if (item)
            give_up_next(local);
        return behavior;
    }
    if (item) {
        local->next = NULL;
        ++local->run_through;
        return rt_behavior_of(item);
    }
    local->run_through = 0;
    item = rt_ring_take(&local->ring);
    return item ? rt_behavior_of(item) : take_from_inbox(local, SHARE);
}

static uint64_t
random_next(rt_local *local)
{
    uint64_t x = local->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return local->random = x;
}

rt_behavior *
rt_sched_steal(rt_local *local)
{
    rt_runtime *runtime = local->runtime;
    rt_behavior *behavior = rt_sched_take(local);
    uint32_t active = rt_load_relaxed(&runtime->active);
    uint32_t start = (uint32_t)(random_next(local) % active), taken;

    for (uint32_t i = 0; !behavior && i < active; ++i) {
        rt_local *victim = runtime->locals[(start + i) % active];
        rt_link *item = victim == local ? NULL : rt_ring_steal(&victim->ring, &local->ring, &taken);
        if (item) {
            rt_count(&local->counters.stolen, taken);
            behavior = rt_behavior_of(item);
        }
    }
    return behavior;
}

bool
rt_sched_work_visible(rt_runtime *runtime)
{
    uint32_t active = rt_load_relaxed(&runtime->active);
    if (!rt_inbox_empty(&runtime->inbox))
        return true;
    for (uint32_t i = 0; i < active; ++i)
        if (rt_ring_count(&runtime->locals[i]->ring) > 0)
            return true;
    return false;
}

void
rt_sched_complete(rt_local *local, rt_behavior *behavior)
{
    rt_chain ready = {0};

    rt_behavior_release(behavior, &ready);
    rt_count_own(&local->tally.completed);
    local->may_run_next = true;
    rt_sched_hand_out(&ready);
    local->may_run_next = false;
}

/* ---- stop ---- */

void
rt_sched_drop_queued(rt_runtime *runtime)
{
    rt_chain queued = {0};
    uint32_t active = rt_load_relaxed(&runtime->active);

    for (uint32_t i = 0; i < active; ++i) {
        rt_local *local = runtime->locals[i];
        rt_link *item = local->next;
        local->next = NULL;
        for (; item; item = rt_ring_take(&local->ring))
            rt_chain_add(&queued, item);
        while ((item = rt_ring_take(&local->ring)) != NULL)
            rt_chain_add(&queued, item);
    }
    rt_inbox_take(&runtime->inbox, 1, UINT32_MAX, &queued);
    rt_loop_drain(&runtime->loop, &queued);
    rt_sched_hand_out(&queued); /* of an epoch that is over: each is dropped, and so is what that makes ready */
}

void
rt_sched_forget_queued(rt_runtime *runtime)
{
    for (uint32_t i = 0; i < RT_MOST_WORKERS && runtime->locals[i]; ++i)
        runtime->locals[i] = NULL;
    atomic_store(&runtime->inbox.lock.taken, 0);
    runtime->inbox.items = (rt_chain){0};
    atomic_store(&runtime->inbox.count, 0);
    rt_loop_reset(&runtime->loop);
    atomic_store(&runtime->parking.lock.taken, 0);
    atomic_store(&runtime->parking.counts, 0);
    runtime->parking.first = NULL;
    this_thread = (thread_state){0};
}
