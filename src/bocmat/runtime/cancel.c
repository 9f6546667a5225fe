/* Behaviors that are not to run any more: because somebody says so, or because nobody can see what they would leave.
 *
 * The bits of a behavior's state are in behavior.h. A spare behavior counts the references to its result that are
 * wanted: all but its own and those of cancelled behaviors. Whoever has one may take another; so once there is none
 * there will be none, and whoever takes the last one away cancels the behavior. That takes away its own references to
 * its arguments, and so on.
 */
#include "sched.h"

/* NULL: no result. */
static rt_behavior *
behavior_of(rt_cown *result)
{
    return result->offset ? (rt_behavior *)(void *)((char *)result - result->offset) : NULL;
}

/* True: it is the caller's to settle. */
static bool
cancel(rt_behavior *behavior)
{
    uint32_t state = rt_load_relaxed(&behavior->state);

    while (!(state & (RT_TURN | RT_CANCELLED | RT_FIXED)))
        if (rt_cas_acq_rel(&behavior->state, &state, state | RT_CANCELLED))
            return true;
    return false;
}

/* Does to the result what the end of the behavior would have done, and lets go of what was to come. The caller keeps
 * the result's cown alive. */
static void
settle(rt_behavior *behavior, rt_value value)
{
    rt_chain ready = {0};

    behavior->result.value = value;
    rt_slot_release(&behavior->result_slot, &ready);
    rt_sched_hand_out(&ready);
    behavior->runtime->host->drop(behavior);
    /* The references are there until its turn has passed. */
    for (uint32_t i = 0; i < behavior->count; ++i)
        if (behavior->slots[i].cown->counted)
            rt_result_unwant(behavior->slots[i].cown);
    if (rt_fetch_add_acq_rel(&behavior->state, (uint32_t)RT_SETTLED) & RT_TURN)
        rt_behavior_finish(behavior);
}

/* Those that this thread has cancelled since nobody wants them, and has still to settle: settling one may cancel the
 * next, to any depth. */
typedef struct {
    bool active;
    rt_slot *first; /* of the result, which never links: `before` is the next one */
} cancelled_list;

static RT_THREAD_LOCAL cancelled_list unwanted;

static void
settle_unwanted(void)
{
    if (unwanted.active)
        return;
    unwanted.active = true;
    while (unwanted.first) {
        rt_behavior *behavior = behavior_of(unwanted.first->cown);

        unwanted.first = unwanted.first->before;
        settle(behavior, (rt_value){0, 0});
        rt_cown_unref(&behavior->result);
    }
    unwanted.active = false;
}

void
rt_result_want(rt_cown *result)
{
    rt_fetch_add_relaxed(&behavior_of(result)->state, (uint32_t)RT_WANTED);
}

void
rt_result_unwant(rt_cown *result)
{
    rt_behavior *behavior = behavior_of(result);

    if (rt_fetch_sub_acq_rel(&behavior->state, (uint32_t)RT_WANTED) >= 2 * RT_WANTED || !cancel(behavior))
        return;
    rt_fetch_add_relaxed(&result->references, 1u); /* until it is settled */
    behavior->result_slot.before = unwanted.first;
    unwanted.first = &behavior->result_slot;
    settle_unwanted();
}

rt_cancelling
rt_cancel(rt_cown *result, rt_value value)
{
    rt_behavior *behavior = behavior_of(result);

    if (!behavior)
        return RT_TOO_LATE;
    if (!cancel(behavior))
        return rt_load_acquire(&behavior->state) & RT_CANCELLED ? RT_CANCELLED_BEFORE : RT_TOO_LATE;
    settle(behavior, value);
    return RT_CANCELLED_NOW;
}
