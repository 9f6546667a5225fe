/* Behaviors: making, linking on all cowns at once, releasing. */
#include "behavior.h"

#include <string.h>

#include "block.h"

#define CAPTURES_ALIGN 16

static inline uint32_t *
order_of(rt_behavior *behavior)
{
    return (uint32_t *)(void *)&behavior->slots[behavior->count];
}

rt_behavior *
rt_behavior_new(const rt_host *host, uint32_t cown_count, size_t capture_bytes)
{
    /* Counts up to 2^24 keep every offset inside 32 bits. */
    size_t head = sizeof(rt_behavior) + (size_t)cown_count * (sizeof(rt_slot) + sizeof(uint32_t));
    rt_behavior *behavior;

    head = (head + CAPTURES_ALIGN - 1) / CAPTURES_ALIGN * CAPTURES_ALIGN;
    if (cown_count > UINT32_C(1) << 24 || capture_bytes > UINT32_MAX - head)
        return NULL;
    behavior = rt_block_new(head + capture_bytes);
    if (!behavior)
        return NULL;
    behavior->runtime = NULL;
    behavior->on_ready = NULL;
    behavior->on_ready_context = NULL;
    behavior->epoch = 0;
    behavior->count = cown_count;
    behavior->captures_at = (uint32_t)head;
    atomic_init(&behavior->state, 0);
    rt_cown_init(&behavior->result, host, (rt_value){0, 0}, offsetof(rt_behavior, result),
                 (uint32_t)(head + capture_bytes));
    behavior->result_slot.owner = &behavior->owner;
    rt_cown_hold(&behavior->result, &behavior->result_slot);
    for (uint32_t i = 0; i < cown_count; ++i)
        behavior->slots[i].cown = NULL;
    memset((char *)behavior + head, 0, capture_bytes);
    return behavior;
}

void
rt_behavior_set(rt_behavior *behavior, uint32_t index, rt_cown *cown, rt_mode mode)
{
    rt_slot *slot = &behavior->slots[index];
    rt_cown_retain(cown);
    slot->owner = &behavior->owner;
    slot->cown = cown;
    slot->mode = mode;
    slot->first = index;
    atomic_init(&slot->next, NULL);
    atomic_init(&slot->state, 0);
}

uint32_t
rt_behavior_count(const rt_behavior *behavior)
{
    return behavior->count;
}

rt_argument
rt_behavior_argument(const rt_behavior *behavior, uint32_t index)
{
    uint32_t first = behavior->slots[index].first;
    return (rt_argument){behavior->slots[index].cown, behavior->slots[first].mode, first};
}

void *
rt_behavior_captures(rt_behavior *behavior)
{
    return (char *)behavior + behavior->captures_at;
}

rt_cown *
rt_behavior_result(rt_behavior *behavior)
{
    return &behavior->result;
}

void
rt_behavior_spare(rt_behavior *behavior)
{
    behavior->result.counted = true;
}

void
rt_behavior_on_ready(rt_behavior *behavior, void (*ready)(rt_behavior *behavior, void *context), void *context)
{
    atomic_init(&behavior->state, RT_FIXED);
    behavior->on_ready = ready;
    behavior->on_ready_context = context;
}

/* The one order in which all behaviors link: any will do, if it is the same for all. The seeded scheduler needs one
 * that is the same in the next run too. */
static inline uintptr_t
rank(const rt_cown *cown)
{
#ifdef RT_SYSTEMATIC
    return (uintptr_t)cown->id;
#else
    return (uintptr_t)cown;
#endif
}

static inline bool
comes_before(const rt_behavior *behavior, uint32_t a, uint32_t b)
{
    uintptr_t x = rank(behavior->slots[a].cown), y = rank(behavior->slots[b].cown);
    return x < y || (x == y && a < b);
}

/* Moves order[root] down to its place in the heap of `count`, whose largest is on top. */
static void
sift_down(const rt_behavior *behavior, uint32_t *order, uint32_t root, uint32_t count)
{
    for (;;) {
        uint32_t child = 2 * root + 1, moved = order[root];
        if (child >= count)
            return;
        if (child + 1 < count && comes_before(behavior, order[child], order[child + 1]))
            ++child;
        if (!comes_before(behavior, moved, order[child]))
            return;
        order[root] = order[child];
        order[child] = moved;
        root = child;
    }
}

static void
sort(const rt_behavior *behavior, uint32_t *order, uint32_t count)
{
    enum { FEW = 12 };

    if (count > FEW) {
        for (uint32_t root = count / 2; root-- > 0;)
            sift_down(behavior, order, root, count);
        for (uint32_t end = count - 1; end > 0; --end) {
            uint32_t largest = order[0];
            order[0] = order[end];
            order[end] = largest;
            sift_down(behavior, order, 0, end);
        }
        return;
    }
    for (uint32_t i = 1; i < count; ++i) {
        uint32_t moved = order[i], j = i;
        for (; j > 0 && comes_before(behavior, moved, order[j - 1]); --j)
            order[j] = order[j - 1];
        order[j] = moved;
    }
}

/* Fills `order` with the slots to link, ascending, one a cown, in the stronger of its modes; their number. */
static uint32_t
arrange(rt_behavior *behavior, uint32_t *order)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < behavior->count; ++i)
        order[i] = i;
    sort(behavior, order, behavior->count);
    for (uint32_t i = 0; i < behavior->count; ++i) {
        rt_slot *slot = &behavior->slots[order[i]];
        rt_slot *first = kept ? &behavior->slots[order[kept - 1]] : NULL;
        if (!first || first->cown != slot->cown) {
            order[kept++] = order[i];
            continue;
        }
        slot->first = first->first;
        if (slot->mode == RT_WRITE)
            first->mode = RT_WRITE;
    }
    return kept;
}

static void
link_one(rt_behavior *behavior, rt_chain *ready)
{
    rt_slot *slot = &behavior->slots[0];
    /* 1, for the one that grants it: nothing here touches the behavior after it has asked. */
    rt_store_relaxed(&behavior->owner.missing, 1u);
    rt_slot_queue(slot);
    rt_slot_settle(slot);
    if (rt_slot_request(slot, ready))
        rt_chain_add(ready, &behavior->owner.link);
}

void
rt_behavior_link(rt_behavior *behavior, rt_chain *ready)
{
    uint32_t *order = order_of(behavior);
    uint32_t count, granted = 1;

    if (behavior->count == 1) {
        link_one(behavior, ready);
        return;
    }
    count = arrange(behavior, order);
    /* One more than there are slots, so that it stays ours until the last has been asked for. */
    rt_store_relaxed(&behavior->owner.missing, count + 1);
    for (uint32_t i = 0; i < count; ++i)
        rt_slot_queue(&behavior->slots[order[i]]);
    for (uint32_t i = 0; i < count; ++i)
        rt_slot_settle(&behavior->slots[order[i]]);
    for (uint32_t i = 0; i < count; ++i)
        granted += rt_slot_request(&behavior->slots[order[i]], ready);
    if (granted == count + 1 || rt_fetch_sub_acq_rel(&behavior->owner.missing, granted) == granted)
        rt_chain_add(ready, &behavior->owner.link);
}

void
rt_behavior_release(rt_behavior *behavior, rt_chain *ready)
{
    bool cancelled = rt_load_own(&behavior->state) & RT_CANCELLED; /* decided when its turn came */

    for (uint32_t i = 0; i < behavior->count; ++i)
        if (behavior->slots[i].first == i)
            rt_slot_release(&behavior->slots[i], ready);
    /* Whoever queues on the result has a reference to it. */
    if (!cancelled && !rt_cown_alone(&behavior->result))
        rt_slot_release(&behavior->result_slot, ready);
    for (uint32_t i = 0; i < behavior->count; ++i)
        (cancelled ? rt_cown_unref : rt_cown_release)(behavior->slots[i].cown);
    rt_cown_unref(&behavior->result);
}

#ifdef RT_CHECKS
void
rt_behavior_check(rt_behavior *behavior)
{
    for (uint32_t i = 0; i < behavior->count; ++i)
        if (behavior->slots[i].first == i)
            rt_slot_check(&behavior->slots[i]);
}
#endif
