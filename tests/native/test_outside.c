/* Many threads that are no workers, scheduling at once. */
#include "host_test.h"

enum { THREADS = SCALED(8, 3) };

typedef struct {
    rt_runtime *runtime;
    rt_cown *shared, *own;
    int count;
} source;

typedef struct {
    int64_t expected;
} turn;

/* Cown 0 is the source's own and counts its behaviors in order; cown 1 is everybody's. */
static void
count_both(rt_behavior *behavior, void *captures)
{
    turn *mine = captures;
    int64_t seen = test_number(behavior, 1);
    CHECK_EQUAL(test_number(behavior, 0), mine->expected);
    test_point();
    test_set_number(behavior, 0, mine->expected + 1);
    test_set_number(behavior, 1, seen + 1);
    test_set_result(behavior, seen);
}

static void
schedule_many(void *context)
{
    source *me = context;
    for (turn t = {0}; t.expected < me->count; ++t.expected) {
        rt_cown *result;
        CHECK_EQUAL(WHEN_INTO(&result, me->runtime, count_both, &t, WRITE(me->own), WRITE(me->shared)), RT_OK);
        if (t.expected % 3)
            test_point();
        rt_cown_release(result); /* before, while or after it runs */
    }
}

static void
each_in_its_order(uint32_t workers)
{
    enum { COUNT = SCALED(400, 6) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *shared = test_cown(0);
    source sources[THREADS];
    test_thread threads[THREADS];

    for (int i = 0; i < THREADS; ++i) {
        sources[i] = (source){runtime, shared, test_cown(0), COUNT};
        test_spawn(&threads[i], schedule_many, &sources[i]);
    }
    for (int i = 0; i < THREADS; ++i)
        test_join(&threads[i]);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(shared), COUNT * THREADS);
    for (int i = 0; i < THREADS; ++i) {
        CHECK_EQUAL(test_number_of(sources[i].own), COUNT);
        rt_cown_release(sources[i].own);
    }
    rt_cown_release(shared);
    test_end(runtime);
}

/* Nothing in common: each schedules on cowns it makes and forgets. */
static void
set_to_one(rt_behavior *behavior, void *captures)
{
    (void)captures;
    test_set_number(behavior, 0, 1);
}

static void
make_and_forget(void *context)
{
    source *me = context;
    for (int n = 0; n < me->count; ++n) {
        rt_cown *cown = test_cown(0);
        CHECK_EQUAL(test_schedule(me->runtime, set_to_one, NULL, 0, (test_argument[]){WRITE(cown)}, 1, NULL), RT_OK);
        rt_cown_release(cown);
    }
}

static void
nothing_in_common(uint32_t workers)
{
    enum { COUNT = SCALED(1000, 8) };
    rt_runtime *runtime = test_begin(workers);
    source sources[THREADS];
    test_thread threads[THREADS];

    for (int i = 0; i < THREADS; ++i) {
        sources[i] = (source){runtime, NULL, NULL, COUNT};
        test_spawn(&threads[i], make_and_forget, &sources[i]);
    }
    for (int i = 0; i < THREADS; ++i)
        test_join(&threads[i]);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_counted().run, COUNT * THREADS);
    test_end(runtime);
}

TEST_MAIN({"each_in_its_order", each_in_its_order, 0}, {"nothing_in_common", nothing_in_common, 0})
