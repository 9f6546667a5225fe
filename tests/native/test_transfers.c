/* Transfers between random cowns: no unit is lost or made, and whoever looks at all accounts sees the whole sum. */
#include "host_test.h"

enum { ACCOUNTS = SCALED(16, 4), EACH = 1000 };

typedef struct {
    int64_t amount;
} transfer;

static void
move(rt_behavior *behavior, void *captures)
{
    transfer *mine = captures;
    test_set_number(behavior, 0, test_number(behavior, 0) - mine->amount);
    test_point();
    test_set_number(behavior, 1, test_number(behavior, 1) + mine->amount);
}

static void
look(rt_behavior *behavior, void *captures)
{
    int64_t sum = 0;
    (void)captures;
    for (uint32_t i = 0; i < rt_behavior_count(behavior); ++i) {
        sum += test_number(behavior, i);
        test_point();
    }
    CHECK_EQUAL(sum, (int64_t)ACCOUNTS * EACH);
}

typedef struct {
    rt_runtime *runtime;
    rt_cown **accounts;
    uint64_t random;
    int count;
} customer;

static void
be_customer(void *context)
{
    customer *me = context;
    test_argument all[ACCOUNTS];

    for (int n = 0; n < me->count; ++n) {
        uint32_t from = (uint32_t)(test_random(&me->random) % ACCOUNTS);
        uint32_t to = (from + 1 + (uint32_t)(test_random(&me->random) % (ACCOUNTS - 1))) % ACCOUNTS;
        transfer t = {(int64_t)(test_random(&me->random) % 100)};
        rt_mode mode = test_random(&me->random) % 4 ? RT_READ : RT_WRITE;
        CHECK_EQUAL(WHEN(me->runtime, move, &t, WRITE(me->accounts[from]), WRITE(me->accounts[to])), RT_OK);
        if (n % 8 != 7)
            continue;
        for (uint32_t i = 0; i < ACCOUNTS; ++i)
            all[i] = (test_argument){me->accounts[(i + from) % ACCOUNTS], mode};
        CHECK_EQUAL(test_schedule(me->runtime, look, NULL, 0, all, ACCOUNTS, NULL), RT_OK);
    }
}

static void
transfer_with(uint32_t workers, uint32_t customers, int count)
{
    enum { MOST_CUSTOMERS = 8 };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *accounts[ACCOUNTS];
    test_thread threads[MOST_CUSTOMERS];
    customer all[MOST_CUSTOMERS];
    int64_t sum = 0;

    for (int i = 0; i < ACCOUNTS; ++i)
        accounts[i] = test_cown(EACH);
    for (uint32_t i = 0; i < customers; ++i) {
        all[i] = (customer){runtime, accounts, 100 * workers + i, count};
        test_spawn(&threads[i], be_customer, &all[i]);
    }
    for (uint32_t i = 0; i < customers; ++i)
        test_join(&threads[i]);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    for (int i = 0; i < ACCOUNTS; ++i) {
        sum += test_number_of(accounts[i]);
        rt_cown_release(accounts[i]);
    }
    CHECK_EQUAL(sum, (int64_t)ACCOUNTS * EACH);
    test_end(runtime);
}

static void
one_customer(uint32_t workers)
{
    transfer_with(workers, 1, SCALED(3000, 16));
}

static void
as_many_customers_as_workers(uint32_t workers)
{
    transfer_with(workers, workers, SCALED(600, 8));
}

/* A transfer that makes the next one from inside, so that workers link against each other. */
typedef struct {
    rt_cown **accounts;
    uint64_t random;
    int left;
} journey;

static void
travel(rt_behavior *behavior, void *captures)
{
    journey next = *(journey *)captures;
    transfer t = {1};

    move(behavior, &t);
    if (next.left-- == 0)
        return;
    uint32_t from = (uint32_t)(test_random(&next.random) % ACCOUNTS);
    uint32_t to = (from + 1 + (uint32_t)(test_random(&next.random) % (ACCOUNTS - 1))) % ACCOUNTS;
    CHECK_EQUAL(WHEN(test_runtime(), travel, &next, WRITE(next.accounts[from]), WRITE(next.accounts[to])), RT_OK);
}

static void
from_inside(uint32_t workers)
{
    enum { JOURNEYS = SCALED(16, 3), LENGTH = SCALED(200, 6) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *accounts[ACCOUNTS];
    int64_t sum = 0;

    for (int i = 0; i < ACCOUNTS; ++i)
        accounts[i] = test_cown(EACH);
    for (uint64_t i = 0; i < JOURNEYS; ++i) {
        journey j = {accounts, i, LENGTH};
        CHECK_EQUAL(WHEN(runtime, travel, &j, WRITE(accounts[0]), WRITE(accounts[1])), RT_OK);
    }
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_counted().run, JOURNEYS * (LENGTH + 1));
    for (int i = 0; i < ACCOUNTS; ++i) {
        sum += test_number_of(accounts[i]);
        rt_cown_release(accounts[i]);
    }
    CHECK_EQUAL(sum, (int64_t)ACCOUNTS * EACH);
    test_end(runtime);
}

TEST_MAIN({"one_customer", one_customer, 0}, {"as_many_customers_as_workers", as_many_customers_as_workers, 0},
          {"from_inside", from_inside, 0})
