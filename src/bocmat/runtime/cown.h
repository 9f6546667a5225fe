/* A cown and its queue: a list of slots, first come first served, in which neighbouring readers hold it together.
 *
 * It is the fair reader-writer queue lock of Mellor-Crummey and Scott with two changes: nobody waits in it, a slot that
 * is granted counts down its owner instead; and the number of active readers and the presence of a waiting writer share
 * one word, so that exactly one reader, the last, finds the writer.
 *
 *   slot state    set by                                          means
 *   LINKED        its owner, once it has its place in the queues  the next slot may go on linking
 *                 of all its cowns
 *   NEXT_READER   the next slot, a reader, on a reader            who grants this slot grants the next too: no writer
 *   GRANTED       whoever grants it (readers only)                the next reader need not wait
 *   next          the next slot, as the last thing it does        this slot may be released and forgotten
 *
 *   cown       changed by
 *   tail       an arriving slot (exchange); the last slot, released (compare and swap to NULL)
 *   readers    2 a granted reader not yet released, + 1 while a writer is registered
 *   writer     the registered writer: whoever registers it, before it sets the 1
 *
 * A writer is registered when its turn has come but for the readers before it: by the last of them, in the step that
 * uncounts that reader; or by itself, if it finds the queue empty while readers that have left the queue are still
 * counted. There is one at most: it is first in the queue, and the next can be so only after it is released. Whoever
 * brings the word to 1 takes the registration back and grants the writer.
 *
 * Every reader is counted before it is granted, and before the slot ahead of it is gone. So while a writer is
 * registered the count only falls, and when it arrives at an empty queue it finds every reader before it counted.
 *
 * Who may touch a slot: its owner until it links it; then also the slot behind (state, next), until it sets next. The
 * owner releases a slot only after it was granted, and the release waits for the slot behind, if there is one, to set
 * next. `mode`, `cown` and `owner` never change after linking. Of the slot behind, the one that releases may read only
 * a waiting one: a reader behind a reader may have been granted long ago, and be gone. That there is one says
 * NEXT_READER.
 *
 * Orders. What the holders of a cown did to its value is published to the next holder along one of these: next (store
 * release by the slot behind; load acquire) and then the count of missing grants (acq_rel); tail (release when it
 * becomes NULL, acquire by the arriving exchange); readers (each uncounting is acq_rel, all changes are read-modify-
 * writes, so the last one has seen all; a writer's load acquire of 0 too).
 */
#ifndef BOCMAT_RT_COWN_H
#define BOCMAT_RT_COWN_H

#include <stdbool.h>
#include <stdint.h>

#include "atomic.h"
#include "os.h"
#include "queue.h"
#include "runtime.h"

/* Who owns slots: how many grants it lacks. At 0 it is ready, and goes into a chain by its link. */
typedef struct {
    rt_link link;
    rt_atomic_u32 missing;
} rt_owner;

enum { RT_SLOT_LINKED = 1, RT_SLOT_NEXT_READER = 2, RT_SLOT_GRANTED = 4 };

typedef struct rt_slot {
    _Atomic(struct rt_slot *) next;
    rt_owner *owner;
    rt_cown *cown;
    struct rt_slot *before; /* while it links: the slot ahead, NULL if there is none; of a result: see cancel.c */
    rt_atomic_u32 state;
    uint32_t first; /* the index of the first argument that names this cown; only that one's slot is linked */
    rt_mode mode;
} rt_slot;

struct rt_cown {
    _Atomic(rt_slot *) tail;
    _Atomic(rt_slot *) writer;
    rt_atomic_u32 readers;
    rt_atomic_u32 references;
    const rt_host *host;
    rt_value value;
    uint64_t id;
    uint16_t offset; /* from the start of its block: 0, or it is the result of a behavior that lives there */
    bool counted;    /* that behavior is spare: references are wanted, or not; see cancel.c */
    uint32_t size;   /* of the block */
};

/* With one reference, the caller's. */
void rt_cown_init(rt_cown *cown, const rt_host *host, rt_value value, size_t offset, uint32_t size);
/* Links a slot that nobody can be ahead of and that nobody has to grant: a result, held from the start. */
void rt_cown_hold(rt_cown *cown, rt_slot *slot);
/* Of the result of a spare behavior, where cancel.c counts: another reference to it is wanted; one is so no more, but
 * is still there and keeps the cown alive. */
void rt_result_want(rt_cown *result);
void rt_result_unwant(rt_cown *result);
/* Gives back a reference that is not among the wanted ones. */
void rt_cown_unref(rt_cown *cown);
/* True: no one but the caller has a reference, so no slot can be behind. */
bool rt_cown_alone(rt_cown *cown);

/* Linking, in three rounds over the slots of one owner, in the order of their cowns: */
void rt_slot_queue(rt_slot *slot);  /* takes its place behind slots that have theirs everywhere */
void rt_slot_settle(rt_slot *slot); /* all slots have their place: lets later ones pass */
/* Asks for the grant. True: granted already, and not counted down. Else the owner is counted down at any moment. Owners
 * that become ready by it are added to the chain. */
bool rt_slot_request(rt_slot *slot, rt_chain *ready);

/* Gives a granted slot back and grants what follows. The caller keeps the cown alive. */
void rt_slot_release(rt_slot *slot, rt_chain *ready);

#ifdef RT_CHECKS
/* Aborts unless the counts allow this granted slot to be held. */
void rt_slot_check(rt_slot *slot);
/* Aborts unless nobody holds the cown or waits for it. */
void rt_cown_check_free(rt_cown *cown);
#else
#define rt_slot_check(slot)      ((void)0)
#define rt_cown_check_free(cown) ((void)0)
#endif

#endif
