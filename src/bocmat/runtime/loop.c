/* The loop: see loop.h. */
#include "loop.h"

static void
call_first(rt_loop *loop)
{
    rt_candidate *first = loop->first;
    if (first && !first->called && loop->items.first && !loop->served) {
        first->called = true;
        first->call(first);
    }
}

/* Gives the mutex back, with the invariant restored. */
static void
settle(rt_loop *loop)
{
    call_first(loop);
    rt_mutex_drop(&loop->mutex);
}

void
rt_loop_set_key(rt_loop *loop, uint32_t key)
{
    rt_mutex_take(&loop->mutex);
    loop->key = key;
    rt_mutex_drop(&loop->mutex);
}

bool
rt_loop_put(rt_loop *loop, uint32_t key, rt_link *item)
{
    rt_mutex_take(&loop->mutex);
    bool open = loop->key == key;
    if (open) {
        if (!loop->items.first)
            loop->since = rt_now();
        rt_chain_add(&loop->items, item);
    }
    settle(loop);
    return open;
}

void
rt_loop_drain(rt_loop *loop, rt_chain *items)
{
    rt_mutex_take(&loop->mutex);
    rt_chain_join(items, &loop->items);
    rt_mutex_drop(&loop->mutex);
}

/* ---- who waits ---- */

static void
take_off(rt_loop *loop, const rt_candidate *candidate)
{
    rt_candidate **at = &loop->first;
    while (*at != candidate)
        at = &(*at)->next;
    *at = candidate->next;
}

void
rt_loop_join(rt_loop *loop, rt_candidate *candidate)
{
    rt_mutex_take(&loop->mutex);
    rt_candidate **at = &loop->first;
    while (*at && (!candidate->preferred || (*at)->preferred))
        at = &(*at)->next;
    candidate->next = *at;
    candidate->called = false;
    *at = candidate;
    settle(loop);
}

void
rt_loop_quit(rt_loop *loop, rt_candidate *candidate)
{
    rt_mutex_take(&loop->mutex);
    take_off(loop, candidate);
    settle(loop);
}

/* ---- who serves ---- */

bool
rt_loop_enter(rt_loop *loop, rt_candidate *candidate)
{
    rt_mutex_take(&loop->mutex);
    bool enters = !loop->served;
    if (candidate) {
        candidate->called = false;
        enters = enters && loop->items.first && (candidate->preferred || !loop->first->preferred);
        if (enters)
            take_off(loop, candidate);
    }
    loop->served = loop->served || enters;
    settle(loop);
    return enters;
}

rt_link *
rt_loop_take(rt_loop *loop)
{
    rt_mutex_take(&loop->mutex);
    rt_link *item = rt_chain_take(&loop->items);
    rt_mutex_drop(&loop->mutex);
    return item;
}

void
rt_loop_leave(rt_loop *loop)
{
    rt_mutex_take(&loop->mutex);
    loop->served = false;
    settle(loop);
}

rt_loop_state
rt_loop_look(rt_loop *loop)
{
    rt_loop_state state = {0};
    rt_mutex_take(&loop->mutex);
    state.waiting = loop->items.count;
    if (loop->items.first) {
        state.since = loop->since;
        state.nanoseconds = rt_now() - loop->since;
    }
    state.wanted = loop->first && loop->first->preferred;
    rt_mutex_drop(&loop->mutex);
    return state;
}

void
rt_loop_reset(rt_loop *loop)
{
    *loop = (rt_loop){0};
}
