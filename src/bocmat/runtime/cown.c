/* Cowns and their queues: see cown.h. */
#include "cown.h"

#include "block.h"

#ifdef RT_CHECKS
#include <stdio.h>
#include <stdlib.h>
#endif

enum { READER = 2, WRITER = 1 }; /* in the word `readers` */

static rt_atomic_u64 next_id = 1;

void
rt_cown_init(rt_cown *cown, const rt_host *host, rt_value value, size_t offset, uint32_t size)
{
    atomic_init(&cown->tail, NULL);
    atomic_init(&cown->writer, NULL);
    atomic_init(&cown->readers, 0);
    atomic_init(&cown->references, 1);
    cown->host = host;
    cown->value = value;
    cown->id = rt_fetch_add_relaxed(&next_id, 1u);
    cown->offset = (uint16_t)offset;
    cown->counted = false;
    cown->size = size;
}

rt_cown *
rt_cown_new(const rt_host *host, rt_value value)
{
    rt_cown *cown = rt_block_new(sizeof(*cown));
    if (cown)
        rt_cown_init(cown, host, value, 0, sizeof(*cown));
    return cown;
}

void
rt_cown_retain(rt_cown *cown)
{
    rt_fetch_add_relaxed(&cown->references, 1u);
    if (cown->counted)
        rt_result_want(cown);
}

/* The cowns a thread has to destroy while it destroys one: a value may hold cowns, and those others, to any depth. They
 * are chained by `writer`, which nobody needs any more. */
typedef struct {
    bool active;
    rt_cown *first;
} graveyard;

static RT_THREAD_LOCAL graveyard dead;

static void
free_cown(rt_cown *cown)
{
    rt_cown_check_free(cown);
    rt_block_free((char *)cown - cown->offset, cown->size);
}

static void
bury(rt_cown *cown)
{
    if (!cown->value.kind && !cown->value.data) {
        free_cown(cown);
        return;
    }
    atomic_init(&cown->writer, NULL);
    if (dead.active) {
        atomic_init(&cown->writer, (rt_slot *)(void *)dead.first);
        dead.first = cown;
        return;
    }
    dead.active = true;
    while (cown) {
        cown->host->destroy(cown->value);
        free_cown(cown);
        cown = dead.first;
        if (cown)
            dead.first = (rt_cown *)(void *)rt_load_own(&cown->writer);
    }
    dead.active = false;
}

void
rt_cown_release(rt_cown *cown)
{
    if (cown->counted)
        rt_result_unwant(cown);
    rt_cown_unref(cown);
}

void
rt_cown_unref(rt_cown *cown)
{
    /* The last one needs no read-modify-write: nobody is left to race with. */
    if (rt_load_acquire(&cown->references) == 1 || rt_fetch_sub_acq_rel(&cown->references, 1u) == 1)
        bury(cown);
}

const rt_host *
rt_cown_host(const rt_cown *cown)
{
    return cown->host;
}

rt_value *
rt_cown_value(rt_cown *cown)
{
    return &cown->value;
}

uint64_t
rt_cown_id(const rt_cown *cown)
{
    return cown->id;
}

bool
rt_cown_alone(rt_cown *cown)
{
    return rt_load_acquire(&cown->references) == 1;
}

void
rt_cown_hold(rt_cown *cown, rt_slot *slot)
{
    atomic_init(&slot->next, NULL);
    atomic_init(&slot->state, RT_SLOT_LINKED);
    slot->mode = RT_WRITE;
    slot->cown = cown;
    atomic_init(&cown->tail, slot);
}

/* ---- linking ---- */

void
rt_slot_queue(rt_slot *slot)
{
    uint32_t rounds = 0;
    /* Release publishes this slot to the one that comes next; acquire sees the one before, and the value left by
     * holders that are gone. */
    slot->before = rt_exchange_acq_rel(&slot->cown->tail, slot);
    if (!slot->before)
        return;
    /* Whose place is not settled everywhere must not be followed: on another cown we could get ahead of it, and each
     * would wait for the other. Those waited for are linking along ascending cowns, so somebody always gets on. */
    while (!(rt_load_acquire(&slot->before->state) & RT_SLOT_LINKED))
        rt_backoff(&rounds);
}

void
rt_slot_settle(rt_slot *slot)
{
    /* A plain store: before LINKED nobody behind writes the word, and before `next` of the slot ahead is set nobody
     * grants. */
    rt_store_release(&slot->state, (uint32_t)RT_SLOT_LINKED);
}

static rt_slot *
wait_for_next(rt_slot *slot)
{
    uint32_t rounds = 0;
    rt_slot *next;
    while (!(next = rt_load_acquire(&slot->next)))
        rt_backoff(&rounds);
    return next;
}

static void
count_down(rt_owner *owner, rt_chain *ready)
{
    /* The last one needs no read-modify-write: nobody else counts any more. */
    if (rt_load_acquire(&owner->missing) == 1 || rt_fetch_sub_acq_rel(&owner->missing, 1u) == 1)
        rt_chain_add(ready, &owner->link);
}

/* Marks a counted reader as granted. Returns the reader behind that relies on it, counted, or NULL. */
static rt_slot *
mark_granted(rt_slot *slot)
{
    rt_slot *next;
    if (!(rt_fetch_or_acq_rel(&slot->state, (uint32_t)RT_SLOT_GRANTED) & RT_SLOT_NEXT_READER))
        return NULL;
    next = wait_for_next(slot);
    rt_fetch_add_relaxed(&slot->cown->readers, (uint32_t)READER);
    return next;
}

/* Grants a counted reader and all that follow from it. A slot is not touched after its owner has been counted down. */
static void
grant_readers(rt_slot *slot, rt_chain *ready)
{
    while (slot) {
        rt_slot *next = mark_granted(slot);
        count_down(slot->owner, ready);
        slot = next;
    }
}

static void
grant_registered(rt_cown *cown, rt_chain *ready)
{
    rt_slot *writer = rt_load_relaxed(&cown->writer);
    rt_fetch_sub_relaxed(&cown->readers, (uint32_t)WRITER);
    count_down(writer->owner, ready);
}

static bool
request_write(rt_slot *slot)
{
    rt_cown *cown = slot->cown;
    rt_slot *before = slot->before;

    if (before) {
        rt_store_release(&before->next, slot);
        return false;
    }
    /* Nobody ahead: only readers that have left the queue and are still counted. None of them: done. */
    if (rt_load_acquire(&cown->readers) == 0)
        return true;
    rt_store_relaxed(&cown->writer, slot);
    if (rt_fetch_add_acq_rel(&cown->readers, (uint32_t)WRITER) != 0)
        return false;
    rt_fetch_sub_relaxed(&cown->readers, (uint32_t)WRITER); /* the last one left in between */
    return true;
}

static bool
request_read(rt_slot *slot, rt_chain *ready)
{
    rt_slot *before = slot->before;

    if (before) {
        bool joins = before->mode == RT_READ &&
                     rt_fetch_or_acq_rel(&before->state, (uint32_t)RT_SLOT_NEXT_READER) & RT_SLOT_GRANTED;
        if (!joins) {
            rt_store_release(&before->next, slot);
            return false;
        }
        /* Counted while the reader ahead cannot be gone, since it waits for `next`. */
        rt_fetch_add_relaxed(&slot->cown->readers, (uint32_t)READER);
        rt_store_release(&before->next, slot);
    } else {
        rt_fetch_add_relaxed(&slot->cown->readers, (uint32_t)READER);
    }
    grant_readers(mark_granted(slot), ready);
    return true;
}

bool
rt_slot_request(rt_slot *slot, rt_chain *ready)
{
    return slot->mode == RT_READ ? request_read(slot, ready) : request_write(slot);
}

/* ---- release ---- */

/* The slot behind, or NULL if there is none and the queue is empty now. */
static rt_slot *
leave_queue(rt_slot *slot)
{
    rt_slot *next = rt_load_acquire(&slot->next);
    rt_slot *self = slot;
    if (next)
        return next;
    if (rt_cas_release(&slot->cown->tail, &self, (rt_slot *)NULL))
        return NULL;
    return wait_for_next(slot);
}

static void
release_write(rt_slot *slot, rt_chain *ready)
{
    rt_slot *next = leave_queue(slot);
    if (!next)
        return;
    if (next->mode == RT_READ) {
        rt_fetch_add_relaxed(&slot->cown->readers, (uint32_t)READER);
        grant_readers(next, ready);
    } else {
        count_down(next->owner, ready);
    }
}

static void
release_read(rt_slot *slot, rt_chain *ready)
{
    rt_cown *cown = slot->cown;
    rt_slot *next = leave_queue(slot);
    bool last;

    /* If it is a reader it may have been granted, and be gone: only our own word says what is behind us. */
    if (next && !(rt_load_relaxed(&slot->state) & RT_SLOT_NEXT_READER)) {
        /* One step registers the writer and uncounts this reader. */
        rt_store_relaxed(&cown->writer, next);
        last = rt_fetch_sub_acq_rel(&cown->readers, (uint32_t)(READER - WRITER)) == READER;
    } else {
        last = rt_fetch_sub_acq_rel(&cown->readers, (uint32_t)READER) == READER + WRITER;
    }
    if (last)
        grant_registered(cown, ready);
}

void
rt_slot_release(rt_slot *slot, rt_chain *ready)
{
    rt_slot_check(slot);
    if (slot->mode == RT_READ)
        release_read(slot, ready);
    else
        release_write(slot, ready);
}

/* ---- checks of the test builds ---- */

#ifdef RT_CHECKS

static void
check(bool holds, const char *what, const rt_cown *cown)
{
    if (holds)
        return;
    fprintf(stderr, "cown %llu: %s\n", (unsigned long long)cown->id, what);
    abort();
}

void
rt_slot_check(rt_slot *slot)
{
    rt_cown *cown = slot->cown;
    uint32_t readers = rt_load_checked(&cown->readers);
    check(rt_load_checked(&slot->state) & RT_SLOT_LINKED, "held by a slot that is not linked", cown);
    if (slot->mode == RT_READ) {
        check(readers >= READER, "read by a reader that is not counted", cown);
        return;
    }
    check(readers == 0, "written while readers are counted or another writer is registered", cown);
    check(rt_load_checked(&cown->tail) != NULL, "written, and its queue is empty", cown);
}

void
rt_cown_check_free(rt_cown *cown)
{
    check(rt_load_checked(&cown->readers) == 0, "gone with readers counted", cown);
}

#endif
