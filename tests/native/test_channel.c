/* Messages: many senders and receivers over overlapping sets of channels. Nothing is lost, nothing comes twice, and
 * what one sender puts into one channel comes out in its order. The number of workers is the number of receivers. */
#include <stdio.h>
#include <string.h>

#include "host_test.h"

enum { CHANNELS = 4, SENDERS = 4, MOST_RECEIVERS = 8, SENT = SCALED(4000, 12) };

/* A value says who sent it, where, and as which of the sender's messages there; kind 0 would be nothing. */
static _Atomic(int64_t) destroyed;

static void
destroy_value(rt_value value)
{
    CHECK_EQUAL(value.kind, 1);
    ++destroyed;
}

static const rt_host host = {.destroy = destroy_value};

static rt_value
value_of(uint32_t sender, uint32_t channel, uint32_t index)
{
    return (rt_value){1, (uintptr_t)sender << 40 | (uintptr_t)channel << 32 | index};
}

static uint32_t
sender_of(rt_value value)
{
    return (uint32_t)(value.data >> 40);
}

static uint32_t
channel_of(rt_value value)
{
    return (uint32_t)(value.data >> 32 & 0xff);
}

static uint32_t
index_of(rt_value value)
{
    return (uint32_t)value.data;
}

static rt_channel *
named(rt_channels *all, const char *name)
{
    uint64_t hash = 5381;
    for (const char *at = name; *at; ++at)
        hash = hash * 33 + (unsigned char)*at;
    return rt_channel_named(all, (rt_name){name, strlen(name), 1, hash});
}

/* ---- many of both ---- */

typedef struct {
    rt_channels *all;
    rt_channel *channels[CHANNELS];
    _Atomic(int64_t) received;
} exchange;

static void
exchange_begin(exchange *e)
{
    *e = (exchange){.all = rt_channels_new(&host)};
    destroyed = 0;
    for (int i = 0; i < CHANNELS; ++i) {
        char name[24];
        snprintf(name, sizeof(name), "c%d", i);
        e->channels[i] = named(e->all, name);
    }
}

typedef struct {
    exchange *e;
    uint32_t number;
    uint64_t random;
    uint32_t next[CHANNELS]; /* of each channel, what it sends next */
} sender;

static void
send_many(void *context)
{
    sender *me = context;
    for (int n = 0; n < SENT; ++n) {
        uint32_t to = (uint32_t)test_random(&me->random) % CHANNELS;
        CHECK_EQUAL(rt_send(me->e->channels[to], value_of(me->number, to, me->next[to]++)), RT_OK);
        if (test_random(&me->random) % 8 == 0)
            test_point();
    }
}

typedef struct {
    exchange *e;
    uint64_t random;
    int64_t seen[SENDERS + 1][CHANNELS]; /* the last index, or -1 */
    uint64_t count[SENDERS][CHANNELS];
    bool over;
} receiver;

/* What it gets of a sender in a channel ascends: what others take leaves gaps. */
static void
note(receiver *me, rt_channel *from, rt_value value)
{
    uint32_t who = sender_of(value), where = channel_of(value);

    CHECK(from == me->e->channels[where]);
    if (who == SENDERS) {
        me->over = true;
        return;
    }
    CHECK((int64_t)index_of(value) > me->seen[who][where]);
    me->seen[who][where] = index_of(value);
    ++me->count[who][where];
    ++me->e->received;
}

static void
receive_many(void *context)
{
    receiver *me = context;
    while (!me->over) {
        rt_channel *asked[CHANNELS + 1], *from = NULL;
        rt_value value;
        uint32_t count = 0;
        uint64_t choice = test_random(&me->random);
        int64_t limit = choice % 4 == 0 ? 0 : choice % 4 == 1 ? 2000 : -1;
        uint32_t mask = limit < 0 ? 15 : 1 + (uint32_t)(choice >> 8) % 15; /* whoever may have to wait asks all */
        int status;

        for (uint32_t i = CHANNELS; i-- > 0;)
            if (mask >> i & 1)
                asked[count++] = me->e->channels[i];
        asked[count] = asked[0]; /* named twice */
        status = rt_receive(asked, count + 1, limit, false, &from, &value);
        CHECK(status == RT_OK || (status == RT_TIMEOUT && limit >= 0) || status == RT_INTERRUPTED);
        if (status == RT_OK)
            note(me, from, value);
        else
            test_point();
    }
}

/* Every receiver ends when it gets a message of a sender that does not exist. */
static void
end_receivers(exchange *e, test_thread *threads, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i)
        CHECK_EQUAL(rt_send(e->channels[i % CHANNELS], value_of(SENDERS, i % CHANNELS, 0)), RT_OK);
    for (uint32_t i = 0; i < count; ++i)
        test_join(&threads[i]);
}

static void
spawn_receivers(exchange *e, test_thread *threads, receiver *receivers, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        receivers[i] = (receiver){.e = e, .random = i + 99};
        memset(receivers[i].seen, -1, sizeof(receivers[i].seen));
        test_spawn(&threads[i], receive_many, &receivers[i]);
    }
}

static void
spawn_senders(exchange *e, test_thread *threads, sender *senders)
{
    for (uint32_t i = 0; i < SENDERS; ++i) {
        senders[i] = (sender){.e = e, .number = i, .random = i + 5};
        test_spawn(&threads[i], send_many, &senders[i]);
    }
}

static void
many(uint32_t workers, bool drains)
{
    static receiver receivers[MOST_RECEIVERS];
    test_thread sending[SENDERS], receiving[MOST_RECEIVERS];
    sender senders[SENDERS];
    exchange e;
    int64_t expected = 0;

    exchange_begin(&e);
    spawn_receivers(&e, receiving, receivers, workers);
    spawn_senders(&e, sending, senders);
    for (int i = 0; drains && i < SCALED(50, 4); ++i) {
        test_point();
        if (i % 2)
            rt_drain(e.channels[i / 2 % CHANNELS]);
        else
            rt_channels_drain(e.all);
    }
    for (int i = 0; i < SENDERS; ++i)
        test_join(&sending[i]);
    end_receivers(&e, receiving, workers);
    rt_channels_drain(e.all);
    for (uint32_t who = 0; who < SENDERS; ++who) {
        for (uint32_t where = 0; where < CHANNELS; ++where) {
            uint64_t sum = 0;
            for (uint32_t i = 0; i < workers; ++i)
                sum += receivers[i].count[who][where];
            CHECK(sum <= senders[who].next[where]);
            expected += senders[who].next[where];
        }
    }
    CHECK_EQUAL(e.received + destroyed, expected);
    rt_channels_free(e.all);
}

static void
many_to_many(uint32_t workers)
{
    many(workers, false);
}

static void
drained_in_between(uint32_t workers)
{
    many(workers, true);
}

/* Receivers whose sets overlap without being the same: each channel's messages go to some of them. There are as many
 * as they need whoever takes which, so that one that sleeps beside its message is found: the test would not end. */
typedef struct {
    exchange *e;
    uint32_t first;
    int64_t wanted;
    int64_t got[CHANNELS];
} counter;

static void
receive_exactly(void *context)
{
    counter *me = context;
    rt_channel *asked[2] = {me->e->channels[me->first], me->e->channels[(me->first + 1) % CHANNELS]};
    while (me->wanted > 0) {
        rt_channel *from;
        rt_value value;
        int status = rt_receive(asked, 2, -1, false, &from, &value);
        if (status == RT_INTERRUPTED)
            continue;
        CHECK_EQUAL(status, RT_OK);
        CHECK(from == asked[0] || from == asked[1]);
        ++me->got[channel_of(value)];
        --me->wanted;
    }
}

static void
overlapping(uint32_t workers)
{
    enum { EACH = SCALED(2000, 5) };
    test_thread threads[CHANNELS];
    counter counters[CHANNELS];
    int64_t got[CHANNELS] = {0};
    exchange e;
    uint64_t random = workers;

    exchange_begin(&e);
    for (uint32_t i = 0; i < CHANNELS; ++i) {
        counters[i] = (counter){.e = &e, .first = i, .wanted = EACH};
        test_spawn(&threads[i], receive_exactly, &counters[i]);
    }
    /* Both channels of receiver i hold enough for it whatever its neighbours take: EACH in every channel, twice. */
    for (uint32_t n = 0; n < EACH * 2; ++n) {
        for (uint32_t i = 0; i < CHANNELS; ++i)
            CHECK_EQUAL(rt_send(e.channels[i], value_of(0, i, n)), RT_OK);
        if (test_random(&random) % 4 == 0)
            test_point();
    }
    for (uint32_t i = 0; i < CHANNELS; ++i) {
        test_join(&threads[i]);
        for (uint32_t c = 0; c < CHANNELS; ++c)
            got[c] += counters[i].got[c];
    }
    for (uint32_t c = 0; c < CHANNELS; ++c)
        CHECK(got[c] <= EACH * 2);
    CHECK_EQUAL(destroyed, 0);
    rt_channels_drain(e.all);
    CHECK_EQUAL(destroyed, CHANNELS * EACH);
    rt_channels_free(e.all);
}

/* As many messages as receivers, through channels that all of them ask: each gets one. Senders that come upon the same
 * waiter at once must go on to the next. */
typedef struct {
    exchange *e;
    uint32_t number;
} party;

static void
send_one(void *context)
{
    party *me = context;
    CHECK_EQUAL(rt_send(me->e->channels[me->number % CHANNELS], value_of(0, me->number % CHANNELS, 0)), RT_OK);
}

static void
receive_one(void *context)
{
    party *me = context;
    rt_channel *from;
    rt_value value;
    int status;

    do
        status = rt_receive(me->e->channels, CHANNELS, -1, false, &from, &value);
    while (status == RT_INTERRUPTED);
    CHECK_EQUAL(status, RT_OK);
}

static void
one_each(uint32_t workers)
{
    test_thread receiving[MOST_RECEIVERS], sending[MOST_RECEIVERS];
    party parties[MOST_RECEIVERS];
    exchange e;

    exchange_begin(&e);
    for (int round = 0; round < SCALED(100, 2); ++round) {
        for (uint32_t i = 0; i < workers; ++i) {
            parties[i] = (party){&e, i};
            test_spawn(&receiving[i], receive_one, &parties[i]);
        }
        for (uint32_t i = 0; i < workers; ++i)
            test_spawn(&sending[i], send_one, &parties[i]);
        for (uint32_t i = 0; i < workers; ++i) {
            test_join(&sending[i]);
            test_join(&receiving[i]);
        }
    }
    rt_channels_free(e.all);
    CHECK_EQUAL(destroyed, 0);
}

/* ---- one of each ---- */

/* What one thread sends to several channels comes out in its order when all are asked at once. */
static void
check_order(void *context)
{
    exchange *e = context;
    for (uint32_t n = 0; n < SENT;) {
        rt_channel *from;
        rt_value value;
        int status = rt_receive(e->channels, CHANNELS, -1, false, &from, &value);
        if (status == RT_INTERRUPTED)
            continue;
        CHECK_EQUAL(status, RT_OK);
        CHECK_EQUAL(index_of(value), n);
        ++n;
    }
}

static void
in_order_over_all(uint32_t workers)
{
    uint64_t random = workers;
    test_thread thread;
    exchange e;

    exchange_begin(&e);
    test_spawn(&thread, check_order, &e);
    for (uint32_t n = 0; n < SENT; ++n) {
        uint32_t to = (uint32_t)test_random(&random) % CHANNELS;
        CHECK_EQUAL(rt_send(e.channels[to], value_of(0, to, n)), RT_OK);
    }
    test_join(&thread);
    rt_channels_free(e.all);
}

/* Each waits for the other: a wake-up that is lost is a deadlock. */
static void
answer(void *context)
{
    exchange *e = context;
    for (uint32_t n = 0; n < SENT; ++n) {
        rt_channel *from;
        rt_value value;
        while (rt_receive(&e->channels[0], 1, -1, false, &from, &value) != RT_OK) {}
        CHECK_EQUAL(index_of(value), n);
        CHECK_EQUAL(rt_send(e->channels[1], value), RT_OK);
    }
}

static void
ping_pong(uint32_t workers)
{
    test_thread thread;
    exchange e;

    (void)workers;
    exchange_begin(&e);
    test_spawn(&thread, answer, &e);
    for (uint32_t n = 0; n < SENT; ++n) {
        rt_channel *from;
        rt_value value;
        CHECK_EQUAL(rt_send(e.channels[0], value_of(0, 0, n)), RT_OK);
        while (rt_receive(&e.channels[1], 2, -1, false, &from, &value) != RT_OK) {}
        CHECK(from == e.channels[1]);
        CHECK_EQUAL(index_of(value), n);
    }
    test_join(&thread);
    rt_channels_free(e.all);
}

/* ---- stopping ---- */

typedef struct {
    exchange *e;
    rt_atomic_u32 *stopped;
    bool stoppable;
    int64_t got;
} stopper;

static void
wait_for_end(void *context)
{
    stopper *me = context;
    for (;;) {
        rt_channel *from;
        rt_value value;
        int status = rt_receive(me->e->channels, CHANNELS, -1, me->stoppable, &from, &value);
        if (status == RT_NOT_RUNNING) {
            CHECK(me->stoppable);
            break;
        }
        if (status == RT_OK && ++me->got && index_of(value) == 1)
            break;
        CHECK(status == RT_OK || status == RT_INTERRUPTED);
    }
}

static void
stopped_waits(uint32_t workers)
{
    test_thread threads[MOST_RECEIVERS], other;
    stopper stoppers[MOST_RECEIVERS], stays;
    rt_channel *from;
    rt_value value;
    exchange e;
    int64_t got = 0;

    exchange_begin(&e);
    stays = (stopper){.e = &e};
    test_spawn(&other, wait_for_end, &stays);
    for (uint32_t i = 0; i < workers; ++i) {
        stoppers[i] = (stopper){.e = &e, .stoppable = true};
        test_spawn(&threads[i], wait_for_end, &stoppers[i]);
    }
    CHECK_EQUAL(rt_send(e.channels[2], value_of(0, 2, 0)), RT_OK);
    test_point();
    rt_channels_stop_waits(e.all);
    for (uint32_t i = 0; i < workers; ++i)
        test_join(&threads[i]);
    rt_channels_allow_waits(e.all);
    CHECK_EQUAL(rt_send(e.channels[3], value_of(0, 3, 1)), RT_OK); /* the other one waits on */
    test_join(&other);
    for (uint32_t i = 0; i < workers; ++i)
        got += stoppers[i].got;
    CHECK_EQUAL(got + stays.got, 2);
    CHECK_EQUAL(rt_receive(e.channels, CHANNELS, 1000, true, &from, &value), RT_TIMEOUT);
    rt_channels_free(e.all);
}

/* ---- names ---- */

typedef struct {
    rt_channels *all;
    rt_channel *found[SCALED(300, 24)];
} namer;

static void
name_many(void *context)
{
    namer *me = context;
    for (int i = 0; i < SCALED(300, 24); ++i) {
        char name[24];
        snprintf(name, sizeof(name), "name %d", i);
        me->found[i] = named(me->all, name);
        CHECK_EQUAL(rt_send(me->found[i], value_of(1, 1, (uint32_t)i)), RT_OK);
    }
}

static void
same_name_same_channel(uint32_t workers)
{
    static namer namers[MOST_RECEIVERS];
    test_thread threads[MOST_RECEIVERS];
    rt_channels *all = rt_channels_new(&host);

    destroyed = 0;
    for (uint32_t i = 0; i < workers; ++i) {
        namers[i].all = all;
        test_spawn(&threads[i], name_many, &namers[i]);
    }
    for (uint32_t i = 0; i < workers; ++i)
        test_join(&threads[i]);
    for (int n = 0; n < SCALED(300, 24); ++n) {
        for (uint32_t i = 0; i < workers; ++i)
            CHECK(namers[i].found[n] == namers[0].found[n]);
        CHECK(n == 0 || namers[0].found[n] != namers[0].found[n - 1]);
    }
    CHECK(rt_channel_named(all, (rt_name){"x", 1, 1, 7}) != rt_channel_named(all, (rt_name){"x", 1, 2, 7}));
    CHECK(rt_channel_named(all, (rt_name){"", 0, 1, 7}) == rt_channel_named(all, (rt_name){"y", 0, 1, 7}));
    rt_channels_free(all);
    CHECK_EQUAL(destroyed, (int64_t)workers * SCALED(300, 24));
}

TEST_MAIN({"many_to_many", many_to_many, 0}, {"drained_in_between", drained_in_between, 0},
          {"overlapping", overlapping, 2}, {"one_each", one_each, 0}, {"in_order_over_all", in_order_over_all, 2},
          {"ping_pong", ping_pong, 2}, {"stopped_waits", stopped_waits, 0},
          {"same_name_same_channel", same_name_same_channel, 0})
