/* Queues of ready things: a chain (one thread's), a ring (one worker's, others steal from it), an inbox (everybody's).
 *
 * A thing is in at most one of them, through its link.
 */
#ifndef BOCMAT_RT_QUEUE_H
#define BOCMAT_RT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "atomic.h"
#include "os.h"

typedef struct rt_link {
    struct rt_link *next;
} rt_link;

/* First in, first out; of the thread whose stack or struct it is in. */
typedef struct {
    rt_link *first, *last;
    size_t count;
} rt_chain;

void rt_chain_add(rt_chain *chain, rt_link *item);
/* Moves all of `other` to the end. */
void rt_chain_join(rt_chain *chain, rt_chain *other);
rt_link *rt_chain_take(rt_chain *chain);

/* The ring of a worker.
 *
 *   head   next to take; moved by a successful CAS of the owner or of a thief
 *   tail   next to fill; moved by the owner alone
 *
 * head <= tail <= head + RT_RING_SIZE. The place of index i is not filled again before head has passed i, so whoever
 * read places [h, h + n) and then moved head from h owns what it read; whoever fails to move it forgets what it read.
 * Indexes are 64-bit and never return to an old value.
 */
enum { RT_RING_SIZE = 256 };

typedef struct {
    _Alignas(RT_CACHE_LINE) rt_atomic_u64 head;
    _Alignas(RT_CACHE_LINE) rt_atomic_u64 tail;
    _Atomic(rt_link *) items[RT_RING_SIZE];
} rt_ring;

/* Owner only. False: full. */
bool rt_ring_put(rt_ring *ring, rt_link *item);
/* Owner only. NULL: empty. */
rt_link *rt_ring_take(rt_ring *ring);
/* Any thread but the victim's owner: takes half (rounded up); the first is returned, the others go to `own`, which the
 * caller owns and which is empty. NULL: nothing there. `taken` gets their number. */
rt_link *rt_ring_steal(rt_ring *victim, rt_ring *own, uint32_t *taken);
/* A snapshot; exact for the owner, up to thieves. */
uint64_t rt_ring_count(rt_ring *ring);

/* The inbox: first in, first out, under a lock that is held for a few instructions.
 *
 *   key    put takes an item only if it names the current key, else the caller keeps it: how a stopped runtime refuses
 *   count  written under the lock, read by anyone who wonders whether to look
 */
typedef struct {
    _Alignas(RT_CACHE_LINE) rt_lock lock;
    uint32_t key;
    rt_chain items;
    rt_atomic_u64 count;
} rt_inbox;

void rt_inbox_set_key(rt_inbox *inbox, uint32_t key);
bool rt_inbox_put(rt_inbox *inbox, uint32_t key, rt_link *item);
/* Any worker: takes up to `most`, adds them to `taken`. True if some were left: others may
 * have looked meanwhile and found nothing, so the caller wakes one. */
bool rt_inbox_take(rt_inbox *inbox, uint32_t share, uint32_t most, rt_chain *taken);

static inline bool
rt_inbox_empty(rt_inbox *inbox)
{
    return rt_load_relaxed(&inbox->count) == 0;
}

#endif
