/* Chains, rings and the inbox. */
#include "queue.h"

void
rt_chain_add(rt_chain *chain, rt_link *item)
{
    item->next = NULL;
    if (chain->first)
        chain->last->next = item;
    else
        chain->first = item;
    chain->last = item;
    ++chain->count;
}

void
rt_chain_join(rt_chain *chain, rt_chain *other)
{
    if (!other->first)
        return;
    if (chain->first)
        chain->last->next = other->first;
    else
        chain->first = other->first;
    chain->last = other->last;
    chain->count += other->count;
    *other = (rt_chain){0};
}

rt_link *
rt_chain_take(rt_chain *chain)
{
    rt_link *item = chain->first;
    if (item) {
        chain->first = item->next;
        --chain->count;
    }
    return item;
}

static inline _Atomic(rt_link *) *
place(rt_ring *ring, uint64_t index)
{
    return &ring->items[index % RT_RING_SIZE];
}

bool
rt_ring_put(rt_ring *ring, rt_link *item)
{
    uint64_t tail = rt_load_own(&ring->tail);
    /* Acquire: a thief that has moved head past the place has read it. */
    if (tail - rt_load_acquire(&ring->head) >= RT_RING_SIZE)
        return false;
    rt_store_relaxed(place(ring, tail), item);
    rt_store_release(&ring->tail, tail + 1); /* publishes the item and what it points to */
    return true;
}

rt_link *
rt_ring_take(rt_ring *ring)
{
    uint64_t head = rt_load_relaxed(&ring->head);
    while (head != rt_load_own(&ring->tail)) {
        rt_link *item = rt_load_relaxed(place(ring, head));
        if (rt_cas_acq_rel(&ring->head, &head, head + 1))
            return item;
    }
    return NULL;
}

rt_link *
rt_ring_steal(rt_ring *victim, rt_ring *own, uint32_t *taken)
{
    uint64_t head = rt_load_acquire(&victim->head);
    uint64_t base = rt_load_own(&own->tail);

    *taken = 0;
    for (;;) {
        uint64_t count = rt_load_acquire(&victim->tail) - head; /* acquire: sees the items */
        count -= count / 2;
        if (count == 0)
            return NULL;
        if (count > RT_RING_SIZE / 2) { /* head was old when tail was read */
            head = rt_load_acquire(&victim->head);
            continue;
        }
        rt_link *first = rt_load_relaxed(place(victim, head));
        /* Nobody looks at places of `own` past its tail. */
        for (uint64_t i = 1; i < count; ++i)
            rt_store_relaxed(place(own, base + i - 1), rt_load_relaxed(place(victim, head + i)));
        if (rt_cas_acq_rel(&victim->head, &head, head + count)) {
            if (count > 1)
                rt_store_release(&own->tail, base + count - 1);
            *taken = (uint32_t)count;
            return first;
        }
    }
}

uint64_t
rt_ring_count(rt_ring *ring)
{
    uint64_t head = rt_load_relaxed(&ring->head);
    uint64_t tail = rt_load_relaxed(&ring->tail);
    return tail > head ? tail - head : 0;
}

void
rt_inbox_set_key(rt_inbox *inbox, uint32_t key)
{
    rt_lock_take(&inbox->lock);
    inbox->key = key;
    rt_lock_drop(&inbox->lock);
}

bool
rt_inbox_put(rt_inbox *inbox, uint32_t key, rt_link *item)
{
    rt_lock_take(&inbox->lock);
    bool open = inbox->key == key;
    if (open) {
        rt_chain_add(&inbox->items, item);
        rt_store_relaxed(&inbox->count, inbox->items.count);
    }
    rt_lock_drop(&inbox->lock);
    return open;
}

bool
rt_inbox_take(rt_inbox *inbox, uint32_t share, uint32_t most, rt_chain *taken)
{
    rt_chain all;

    if (rt_inbox_empty(inbox))
        return false;
    /* The items are somebody else's cache lines: they are walked with the lock free. */
    rt_lock_take(&inbox->lock);
    all = inbox->items;
    inbox->items = (rt_chain){0};
    rt_store_relaxed(&inbox->count, 0u);
    rt_lock_drop(&inbox->lock);

    size_t want = (all.count + share - 1) / share;
    if (want > most)
        want = most;
    while (want-- > 0 && all.first)
        rt_chain_add(taken, rt_chain_take(&all));
    if (!all.first)
        return false;

    rt_lock_take(&inbox->lock);
    rt_chain_join(&all, &inbox->items);
    inbox->items = all;
    rt_store_relaxed(&inbox->count, all.count);
    rt_lock_drop(&inbox->lock);
    return true;
}
