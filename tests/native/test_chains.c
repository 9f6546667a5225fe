/* Chains: behaviors on shared cowns run one at a time and in the order in which they were scheduled. */
#include "host_test.h"

typedef struct {
    int64_t expected;
} turn;

/* Cown 0 counts the behaviors that were before this one. */
static void
take_turn(rt_behavior *behavior, void *captures)
{
    turn *mine = captures;
    int64_t seen = test_number(behavior, 0);
    CHECK_EQUAL(seen, mine->expected);
    test_point();
    CHECK_EQUAL(test_number(behavior, 0), seen);
    test_set_number(behavior, 0, seen + 1);
}

static void
one_cown_in_order(uint32_t workers)
{
    enum { COUNT = SCALED(2000, 12) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);

    for (turn t = {0}; t.expected < COUNT; ++t.expected)
        CHECK_EQUAL(WHEN(runtime, take_turn, &t, WRITE(cown)), RT_OK);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(cown), COUNT);
    rt_cown_release(cown);
    test_end(runtime);
}

typedef struct {
    int64_t expected[3];
    uint32_t count;
} turns;

static void
take_turns(rt_behavior *behavior, void *captures)
{
    turns *mine = captures;
    for (uint32_t i = 0; i < mine->count; ++i) {
        CHECK_EQUAL(test_number(behavior, i), mine->expected[i]);
        test_point();
        test_set_number(behavior, i, mine->expected[i] + 1);
    }
}

/* One thread schedules on one to three of a few cowns: on each cown the order is that of scheduling. */
static void
many_cowns_in_order(uint32_t workers)
{
    enum { COWNS = 5, COUNT = SCALED(2000, 12) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[COWNS];
    int64_t scheduled[COWNS] = {0};
    uint64_t random = workers;

    for (int i = 0; i < COWNS; ++i)
        cowns[i] = test_cown(0);
    for (int n = 0; n < COUNT; ++n) {
        uint32_t start = (uint32_t)(test_random(&random) % COWNS), step = 1 + (uint32_t)(test_random(&random) % 2);
        turns t = {.count = 1 + (uint32_t)(test_random(&random) % 3)};
        test_argument arguments[3];
        for (uint32_t i = 0; i < t.count; ++i) {
            uint32_t which = (start + i * step) % COWNS;
            arguments[i] = WRITE(cowns[which]);
            t.expected[i] = scheduled[which]++;
        }
        CHECK_EQUAL(test_schedule(runtime, take_turns, &t, sizeof(t), arguments, t.count, NULL), RT_OK);
    }
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    for (int i = 0; i < COWNS; ++i) {
        CHECK_EQUAL(test_number_of(cowns[i]), scheduled[i]);
        rt_cown_release(cowns[i]);
    }
    test_end(runtime);
}

/* A behavior that schedules its successor on the cown it holds. */
static void
again(rt_behavior *behavior, void *captures)
{
    turn next = *(turn *)captures;
    int64_t seen = test_number(behavior, 0);
    if (seen > 0) {
        test_set_number(behavior, 0, seen - 1);
        CHECK_EQUAL(WHEN(test_runtime(), again, &next, WRITE(rt_behavior_argument(behavior, 0).cown)), RT_OK);
    }
}

/* Self-rescheduling chains get on side by side, and none keeps what others scheduled from running. */
static void
endless_chains_are_fair(uint32_t workers)
{
    enum { CHAINS = SCALED(12, 3), LENGTH = SCALED(500, 8), OTHERS = SCALED(100, 4) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[CHAINS], *other = test_cown(0);
    turn t = {0};

    for (int i = 0; i < CHAINS; ++i) {
        cowns[i] = test_cown(LENGTH);
        CHECK_EQUAL(WHEN(runtime, again, &t, WRITE(cowns[i])), RT_OK);
    }
    for (t.expected = 0; t.expected < OTHERS; ++t.expected)
        CHECK_EQUAL(WHEN(runtime, take_turn, &t, WRITE(other)), RT_OK);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(other), OTHERS);
    for (int i = 0; i < CHAINS; ++i) {
        CHECK_EQUAL(test_number_of(cowns[i]), 0);
        rt_cown_release(cowns[i]);
    }
    rt_cown_release(other);
    test_end(runtime);
}

/* Runs until another behavior, scheduled from outside, has set the flag: with one worker only fairness ends it. */
static _Atomic(int) flag;

static void
until_flag(rt_behavior *behavior, void *captures)
{
    turn next = *(turn *)captures;
    if (!flag)
        CHECK_EQUAL(WHEN(test_runtime(), until_flag, &next, WRITE(rt_behavior_argument(behavior, 0).cown)), RT_OK);
}

static void
set_flag(rt_behavior *behavior, void *captures)
{
    (void)behavior, (void)captures;
    flag = 1;
}

static void
endless_chain_does_not_starve(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *other = test_cown(0);
    turn t = {0};

    flag = 0;
    for (uint32_t i = 0; i < workers; ++i) {
        rt_cown *chain = test_cown(0);
        CHECK_EQUAL(WHEN(runtime, until_flag, &t, WRITE(chain)), RT_OK);
        rt_cown_release(chain);
    }
    CHECK_EQUAL(WHEN(runtime, set_flag, &t, WRITE(other)), RT_OK);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(flag, 1);
    rt_cown_release(other);
    test_end(runtime);
}

/* More ready at once than a worker's ring holds. */
static void
spread(rt_behavior *behavior, void *captures)
{
    turn t = {0};
    turn *mine = captures;
    (void)behavior;
    for (int64_t i = 0; i < mine->expected; ++i) {
        rt_cown *cown = test_cown(0);
        CHECK_EQUAL(WHEN(test_runtime(), take_turn, &t, WRITE(cown)), RT_OK);
        rt_cown_release(cown);
    }
}

static void
ring_overflows(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    turn t = {SCALED(1500, 270)};

    CHECK_EQUAL(test_schedule(runtime, spread, &t, sizeof(t), NULL, 0, NULL), RT_OK);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_counted().run, t.expected + 1);
    test_end(runtime);
}

TEST_MAIN({"one_cown_in_order", one_cown_in_order, 0}, {"many_cowns_in_order", many_cowns_in_order, 0},
          {"endless_chains_are_fair", endless_chains_are_fair, 0},
          {"endless_chain_does_not_starve", endless_chain_does_not_starve, 0}, {"ring_overflows", ring_overflows, 0})
