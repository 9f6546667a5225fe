/* Channels: queues of messages with names, and threads that wait for the next one in any of several.
 *
 * A message moves one way:
 *
 *   a message is in     put there by                          taken by
 *   the inbox, a stack  its sender, one compare-and-swap      whoever has the channel's lock, all at once, turned over
 *   the queue           whoever has the lock                  a receiver that has the lock, or a sender for a waiter
 *   a waiter            a sender that has claimed it          the waiter
 *
 * A sender draws a number before it puts its message; a receiver that asks several channels takes the lowest of the
 * numbers at the heads of their queues. Drawing acquires and releases, so whatever was sent before a message that a
 * receiver sees, and has a lower number, is seen in a second look at the inboxes.
 *
 * A thread that waits is linked into every channel that it asked. Its word:
 *
 *   WAITING   itself, before it is linked                        CLAIMED, LEFT or STOPPED, by compare-and-swap
 *   CLAIMED   a sender that has the lock of a channel in which   GIVEN, by the same sender
 *             it is linked and there is a message
 *   GIVEN     that sender: the message is the waiter's           for good; the sender does not touch it any more
 *   LEFT      itself: its time is over, or a signal came         for good
 *   STOPPED   whoever stops such waits, under the same lock      for good
 *
 * A link changes under its channel's lock only; whoever claims a waiter, or finds it claimed, takes it off the
 * channel's list first. A waiter takes itself off the others before its memory goes: the lock keeps it where it is
 * while a sender looks. Locks of several channels are taken in the order in which these were made. A sender needs the
 * lock only if the channel has waiters; it never waits for a receiver to do anything but release a lock.
 *
 * No wake-up is lost. With all its channels locked, a waiter
 *   links itself, writing each channel's `waiting`;   fence;   looks at every inbox once more
 * and a sender
 *   puts its message;   reads `waiting`;   both sequentially consistent, as is the fence.
 * Either the put precedes the fence, and the waiter sees the message, or the read follows it, and the sender sees the
 * waiter, takes the lock after it and gives the message away. So a channel that nobody is at work on has messages or
 * waiters, not both: with overlapping sets too, since a sender that finds a waiter claimed by another channel's goes on
 * to the next one.
 *
 * Before all that a waiter looks at inboxes and queues for some microseconds, without a lock, and then takes or links
 * itself as if it had not looked. `patience` says whether that is worth it:
 *
 *   misses in a row (low 8 bits)   0 after a look that saw a message while it had its core; else one more, 6 at most
 *   waits to skip (above)          4 to the power of the misses, less 1; each wait that does not look counts it down
 *
 * Waiters load and store it, relaxed: an update that is lost makes a look too many or too few.
 */
#ifndef BOCMAT_RT_CHANNEL_H
#define BOCMAT_RT_CHANNEL_H

#include "atomic.h"
#include "os.h"
#include "runtime.h"

typedef struct rt_message {
    struct rt_message *next;
    uint64_t number;
    rt_value value;
} rt_message;

typedef struct rt_waiter rt_waiter;

typedef struct rt_waiting {
    rt_channel *channel;
    rt_waiter *waiter;
    struct rt_waiting *next, *previous;
    bool linked;
} rt_waiting;

struct rt_channel {
    _Alignas(RT_CACHE_LINE) _Atomic(rt_message *) inbox;
    rt_atomic_u32 waiting; /* links in the list below */
    _Alignas(RT_CACHE_LINE) rt_lock lock;
    rt_atomic_u32 patience;      /* said above */
    _Atomic(rt_message *) first; /* the queue; changed under the lock, read by whoever looks */
    rt_message *last;
    rt_waiting *first_waiting, *last_waiting; /* the one that came first is served first */
    rt_channels *all;
    size_t place; /* in the order of making, which is that of taking locks */
    rt_name name;
};

typedef struct {
    size_t size; /* a power of two, at least a quarter free */
    _Atomic(rt_channel *) cells[];
} rt_channel_table;

/* Channels are found without a lock. The table is filled, and when it becomes full replaced by a larger one, under the
 * lock; old ones stay, for somebody may be reading them, and what is not found is looked for again under the lock. */
struct rt_channels {
    const rt_host *host;
    _Atomic(rt_channel_table *) table;
    rt_lock lock;
    size_t count;
    rt_channel_table *old[64];
    uint32_t old_count;
    bool many_cores;                             /* looking is of use: another core may send meanwhile */
    rt_atomic_u32 stopped;                       /* stoppable waits end at once */
    _Alignas(RT_CACHE_LINE) rt_atomic_u64 order; /* the number drawn last */
};

/* Ends the stoppable waits in this channel. */
void rt_channel_stop_waits(rt_channel *channel);

#endif
