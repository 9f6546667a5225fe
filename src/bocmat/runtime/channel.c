/* Sending, receiving and waiting: see channel.h. */
#include "channel.h"

#include <stdlib.h>

#include "block.h"

enum { WAITING, CLAIMED, GIVEN, LEFT, STOPPED };

#ifdef RT_SYSTEMATIC
enum { LOOK_NANOSECONDS = 100, AWAY_NANOSECONDS = 50 };
#else
enum { LOOK_NANOSECONDS = 20000, AWAY_NANOSECONDS = 2000 };
#endif

struct rt_waiter {
    rt_atomic_u32 state; /* slept on */
    bool stoppable;
    rt_channel *channel; /* GIVEN: from here, */
    rt_message *message; /* this */
};

/* ---- the queue; with the lock held ---- */

/* Moves the inbox, whose newest message is first, to the end of the queue. */
static void
collect(rt_channel *channel)
{
    rt_message *message, *oldest = NULL, *newest;

    if (!rt_load_relaxed(&channel->inbox))
        return;
    newest = message = rt_exchange_acquire(&channel->inbox, NULL);
    while (message) {
        rt_message *next = message->next;
        message->next = oldest;
        oldest = message;
        message = next;
    }
    if (rt_load_own(&channel->first))
        channel->last->next = oldest;
    else
        rt_store_relaxed(&channel->first, oldest);
    channel->last = newest;
}

static rt_message *
take_first(rt_channel *channel)
{
    rt_message *message = rt_load_own(&channel->first);
    rt_store_relaxed(&channel->first, message->next);
    return message;
}

static void
link_in(rt_waiting *link)
{
    rt_channel *channel = link->channel;

    link->next = NULL;
    link->previous = channel->last_waiting;
    if (link->previous)
        link->previous->next = link;
    else
        channel->first_waiting = link;
    channel->last_waiting = link;
    link->linked = true;
    rt_store_relaxed(&channel->waiting, rt_load_own(&channel->waiting) + 1);
}

static void
unlink(rt_waiting *link)
{
    rt_channel *channel = link->channel;

    if (!link->linked)
        return;
    *(link->previous ? &link->previous->next : &channel->first_waiting) = link->next;
    *(link->next ? &link->next->previous : &channel->last_waiting) = link->previous;
    link->linked = false;
    rt_store_relaxed(&channel->waiting, rt_load_own(&channel->waiting) - 1);
}

/* ---- sending ---- */

/* Gives messages to waiters while there are both. Returns true after so many that the rest should wait for their
 * wake-ups. */
static bool
give_some(rt_channel *channel)
{
    enum { MOST = 16 };
    rt_atomic_u32 *words[MOST];
    int count = 0;
    bool more;

    rt_lock_take(&channel->lock);
    collect(channel);
    while (count < MOST && rt_load_own(&channel->first) && channel->first_waiting) {
        rt_waiting *link = channel->first_waiting;
        rt_waiter *waiter = link->waiter;
        uint32_t expected = WAITING;

        unlink(link);
        if (!rt_cas_acquire(&waiter->state, &expected, CLAIMED))
            continue;
        waiter->channel = channel;
        waiter->message = take_first(channel);
        words[count++] = &waiter->state;
        rt_store_release(&waiter->state, GIVEN);
    }
    more = rt_load_own(&channel->first) && channel->first_waiting;
    rt_lock_drop(&channel->lock);
    for (int i = 0; i < count; ++i)
        rt_wake(words[i], 1); /* its owner may be gone: the address remains */
    return more;
}

int
rt_send(rt_channel *channel, rt_value value)
{
    rt_message *message = rt_block_new(sizeof(*message)), *first;

    if (!message)
        return RT_NO_MEMORY;
    message->value = value;
    message->number = rt_fetch_add_acq_rel(&channel->all->order, 1);
    first = rt_load_relaxed(&channel->inbox);
    do
        message->next = first;
    while (!rt_cas_seq_cst(&channel->inbox, &first, message));
    if (rt_load_seq_cst(&channel->waiting) != 0) /* or the waiter's look, after its fence, finds the message */
        while (give_some(channel)) {}
    return RT_OK;
}

static void
destroy(const rt_host *host, rt_message *message)
{
    while (message) {
        rt_message *next = message->next;
        host->destroy(message->value);
        rt_block_free(message, sizeof(*message));
        message = next;
    }
}

void
rt_drain(rt_channel *channel)
{
    rt_message *all;

    rt_lock_take(&channel->lock);
    collect(channel);
    all = rt_load_own(&channel->first);
    rt_store_relaxed(&channel->first, NULL);
    rt_lock_drop(&channel->lock);
    destroy(channel->all->host, all);
}

/* ---- receiving: the channels asked, each once, in the order of locking ---- */

typedef struct {
    rt_waiting *links;
    uint32_t count;
} choice;

static int
compare_links(const void *a, const void *b)
{
    size_t left = ((const rt_waiting *)a)->channel->place, right = ((const rt_waiting *)b)->channel->place;
    return (left > right) - (left < right);
}

static choice
choice_of(rt_waiting *links, rt_channel *const *from, uint32_t count)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < count; ++i)
        links[i] = (rt_waiting){.channel = from[i]};
    if (count > 1)
        qsort(links, count, sizeof(*links), compare_links);
    for (uint32_t i = 0; i < count; ++i)
        if (i == 0 || links[i].channel != links[kept - 1].channel)
            links[kept++] = links[i];
    return (choice){links, kept};
}

static void
lock_all(const choice *asked)
{
    for (uint32_t i = 0; i < asked->count; ++i)
        rt_lock_take(&asked->links[i].channel->lock);
}

static void
unlock_all(const choice *asked)
{
    for (uint32_t i = 0; i < asked->count; ++i)
        rt_lock_drop(&asked->links[i].channel->lock);
}

static rt_channel *
lowest(const choice *asked)
{
    rt_channel *found = NULL;
    uint64_t number = 0;

    for (uint32_t i = 0; i < asked->count; ++i) {
        rt_channel *channel = asked->links[i].channel;
        rt_message *first;

        collect(channel);
        first = rt_load_own(&channel->first);
        if (first && (!found || first->number < number)) {
            found = channel;
            number = first->number;
        }
    }
    return found;
}

/* The message that arrived first, with the locks held; NULL: none. */
static rt_message *
take(const choice *asked, rt_channel **channel)
{
    *channel = lowest(asked);
    if (*channel && asked->count > 1)
        *channel = lowest(asked); /* what came before it was put before it was seen */
    return *channel ? take_first(*channel) : NULL;
}

/* With the locks held, or as a hint. */
static bool
any_arrived(const choice *asked)
{
    for (uint32_t i = 0; i < asked->count; ++i) {
        rt_channel *channel = asked->links[i].channel;
        if (rt_load_relaxed(&channel->inbox) || rt_load_own(&channel->first))
            return true;
    }
    return false;
}

/* The message that arrived first; or NULL, and it is linked into all channels. */
static rt_message *
take_or_link(const choice *asked, rt_waiter *waiter, rt_channel **channel)
{
    rt_message *message;

    lock_all(asked);
    message = take(asked, channel);
    if (!message) {
        for (uint32_t i = 0; i < asked->count; ++i) {
            asked->links[i].waiter = waiter;
            link_in(&asked->links[i]);
        }
        rt_fence_seq_cst();
        if (any_arrived(asked)) {
            for (uint32_t i = 0; i < asked->count; ++i)
                unlink(&asked->links[i]);
            message = take(asked, channel);
        }
    }
    unlock_all(asked);
    return message;
}

static rt_message *
take_at_once(const choice *asked, rt_channel **channel)
{
    rt_message *message;

    lock_all(asked);
    message = take(asked, channel);
    unlock_all(asked);
    return message;
}

/* ---- waiting ---- */

/* Takes it off the lists. The channel that gave has done so itself, and does not look at it any more. */
static void
unlink_all(const choice *asked, const rt_channel *gave)
{
    for (uint32_t i = 0; i < asked->count; ++i) {
        rt_channel *channel = asked->links[i].channel;
        if (channel == gave)
            continue;
        rt_lock_take(&channel->lock);
        unlink(&asked->links[i]);
        rt_lock_drop(&channel->lock);
    }
}

enum { MISSES = 8, MISSES_MOST = 6 }; /* bits of `patience` that count misses; above them, waits to skip */

/* Whether a message came while it looked. When something else was put on its core meanwhile it gives up: then there
 * is no core to spare, and the message may have come from there. */
static bool
look_around(const choice *asked, int64_t nanoseconds)
{
    int64_t now = rt_now(), before;
    int64_t end = now + (nanoseconds < 0 || nanoseconds > LOOK_NANOSECONDS ? LOOK_NANOSECONDS : nanoseconds);
    bool arrived;

    do {
        uint32_t rounds = 0;
        rt_backoff(&rounds);
        arrived = any_arrived(asked);
        before = now;
        now = rt_now();
    } while (!arrived && now < end && now - before < AWAY_NANOSECONDS);
    return arrived && now - before < AWAY_NANOSECONDS;
}

/* Looks for a message for a little while, if that was of use here before. */
static void
look_first(const choice *asked, int64_t nanoseconds)
{
    rt_channel *channel = asked->links[0].channel;
    uint32_t patience = rt_load_relaxed(&channel->patience), misses = patience % (1u << MISSES);

    if (!channel->all->many_cores)
        return;
    if (patience >> MISSES)
        patience -= 1u << MISSES;
    else if (look_around(asked, nanoseconds))
        patience = 0;
    else {
        misses += misses < MISSES_MOST;
        patience = ((1u << 2 * misses) - 1) << MISSES | misses;
    }
    rt_store_relaxed(&channel->patience, patience);
}

/* Until there is a message or another end: RT_OK, RT_TIMEOUT, RT_INTERRUPTED or RT_NOT_RUNNING. */
static int
sleep_until_given(rt_waiter *waiter, int64_t nanoseconds)
{
    int64_t end = nanoseconds < 0 || nanoseconds > INT64_MAX / 2 ? -1 : rt_now() + nanoseconds, left = -1;
    uint32_t rounds = 0;

    for (;;) {
        uint32_t state = rt_load_acquire(&waiter->state);
        int status;

        if (state == GIVEN)
            return RT_OK;
        if (state == STOPPED)
            return RT_NOT_RUNNING;
        if (state == CLAIMED) {
            rt_backoff(&rounds);
            continue;
        }
        if (end >= 0) {
            left = end - rt_now();
            left = left < 0 ? 0 : left;
        }
        status = left == 0 ? RT_TIMEOUT : rt_wait(&waiter->state, WAITING, left);
        state = WAITING;
        if (status != RT_OK && rt_cas_acquire(&waiter->state, &state, LEFT))
            return status;
    }
}

void
rt_channel_stop_waits(rt_channel *channel)
{
    rt_lock_take(&channel->lock);
    for (rt_waiting *link = channel->first_waiting, *next; link; link = next) {
        rt_waiter *waiter = link->waiter;
        uint32_t expected = WAITING;

        next = link->next;
        if (!waiter->stoppable)
            continue;
        unlink(link);
        if (rt_cas_acq_rel(&waiter->state, &expected, STOPPED))
            rt_wake(&waiter->state, 1); /* it stays until this lock is dropped */
    }
    rt_lock_drop(&channel->lock);
}

static int
wait_for_one(const choice *asked, int64_t nanoseconds, bool stoppable, rt_channel **channel, rt_message **message)
{
    rt_waiter waiter = {.stoppable = stoppable};
    int status;

    atomic_init(&waiter.state, WAITING);
    look_first(asked, nanoseconds);
    *message = take_or_link(asked, &waiter, channel);
    if (*message)
        return RT_OK;
    /* Whoever stops waits sets the word and then goes through the channels: this one was there, or sees it. */
    if (stoppable && rt_load_seq_cst(&asked->links[0].channel->all->stopped)) {
        uint32_t expected = WAITING;
        rt_cas_acq_rel(&waiter.state, &expected, STOPPED);
    }
    status = sleep_until_given(&waiter, nanoseconds);
    unlink_all(asked, status == RT_OK ? waiter.channel : NULL);
    *message = waiter.message;
    *channel = waiter.channel;
    return status;
}

int
rt_receive(rt_channel *const *from, uint32_t count, int64_t nanoseconds, bool stoppable, rt_channel **channel,
           rt_value *value)
{
    enum { FEW = 8 };
    rt_waiting few[FEW], *links = few;
    rt_message *message = NULL;
    choice asked;
    int status;

    if (count == 0)
        return RT_INVALID;
    if (count > FEW && !(links = malloc(count * sizeof(*links))))
        return RT_NO_MEMORY;
    asked = choice_of(links, from, count);
    if (nanoseconds == 0) {
        message = take_at_once(&asked, channel);
        status = message ? RT_OK : RT_TIMEOUT;
    } else {
        status = wait_for_one(&asked, nanoseconds, stoppable, channel, &message);
    }
    if (links != few)
        free(links);
    if (status == RT_OK) {
        *value = message->value;
        rt_block_free(message, sizeof(*message));
    }
    return status;
}
