/* Stop: what is queued is dropped, once; cowns stay usable; nothing is lost and nothing is left. */
#include "host_test.h"

static void
add_one(rt_behavior *behavior, void *captures)
{
    (void)captures;
    for (uint32_t i = 0; i < rt_behavior_count(behavior); ++i)
        test_set_number(behavior, i, test_number(behavior, i) + 1);
}

static int
schedule_one(rt_runtime *runtime, rt_cown *cown)
{
    return test_schedule(runtime, add_one, NULL, 0, (test_argument[]){WRITE(cown)}, 1, NULL);
}

/* Runs until the flag is set. */
static _Atomic(int) release, running;

static void
block(rt_behavior *behavior, void *captures)
{
    uint32_t rounds = 0;
    ++running;
    while (!release)
        rt_backoff(&rounds);
    add_one(behavior, captures);
}

static void
let_go(void *context)
{
    uint32_t rounds = 0;
    rt_runtime *runtime = context;
    while (rt_running(runtime))
        rt_backoff(&rounds);
    release = 1;
}

/* A worker is in the middle of one behavior; what waits for its cown, what waits for that, and what merely waits for a
 * worker is dropped. */
static void
queued_is_dropped(uint32_t workers)
{
    enum { COUNT = SCALED(500, 10) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *held = test_cown(0), *other = test_cown(0), *result;
    test_thread thread;
    uint32_t rounds = 0;

    release = running = 0;
    for (uint32_t i = 0; i < workers; ++i) {
        rt_cown *own = i ? test_cown(0) : held;
        CHECK_EQUAL(test_schedule(runtime, block, NULL, 0, (test_argument[]){WRITE(own)}, 1, NULL), RT_OK);
        if (i)
            rt_cown_release(own);
    }
    while (running < (int)workers)
        rt_backoff(&rounds);
    CHECK_EQUAL(test_schedule(runtime, add_one, NULL, 0, (test_argument[]){WRITE(held), WRITE(other)}, 2, &result),
                RT_OK);
    for (int i = 0; i < COUNT; ++i) {
        CHECK_EQUAL(schedule_one(runtime, i % 2 ? held : other), RT_OK);
        CHECK_EQUAL(test_schedule(runtime, add_one, NULL, 0, NULL, 0, NULL), RT_OK);
    }
    CHECK_EQUAL(test_schedule(runtime, add_one, NULL, 0, (test_argument[]){WRITE(result)}, 1, NULL), RT_OK);
    test_spawn(&thread, let_go, runtime);
    /* What is released behind the running one is dropped by its worker, the rest by this thread: all are counted. */
    CHECK_EQUAL(rt_stop(runtime), 2 * COUNT + 2);
    test_join(&thread);
    CHECK_EQUAL(test_counted().dropped, 2 * COUNT + 2);
    CHECK_EQUAL(test_counted().run, workers);
    CHECK_EQUAL(rt_in_flight(runtime), 0);
    CHECK_EQUAL(test_number_of(held), 1);
    CHECK_EQUAL(schedule_one(runtime, held), RT_NOT_RUNNING);

    CHECK_EQUAL(rt_start(runtime, workers), RT_OK);
    CHECK_EQUAL(test_schedule(runtime, add_one, NULL, 0, (test_argument[]){WRITE(held), WRITE(other)}, 2, NULL), RT_OK);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(held), 2);
    CHECK_EQUAL(test_number_of(other), 1);
    rt_cown_release(held);
    rt_cown_release(other);
    rt_cown_release(result);
    test_end(runtime);
}

/* A long row behind one cown is dropped without a stack as long. */
static void
long_row_is_dropped(uint32_t workers)
{
    enum { COUNT = SCALED(100000, 40) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    test_thread thread;

    release = running = 0;
    CHECK_EQUAL(test_schedule(runtime, block, NULL, 0, (test_argument[]){WRITE(cown)}, 1, NULL), RT_OK);
    for (int i = 0; i < COUNT; ++i)
        CHECK_EQUAL(schedule_one(runtime, cown), RT_OK);
    test_spawn(&thread, let_go, runtime);
    /* The first may not have begun, and is dropped too then. */
    CHECK_EQUAL(rt_stop(runtime) + test_counted().run, COUNT + 1);
    test_join(&thread);
    rt_cown_release(cown);
    rt_runtime_free(runtime);
}

/* Threads go on scheduling while it is stopped and started: each behavior is refused, dropped or run. */
typedef struct {
    rt_runtime *runtime;
    rt_cown *cowns[2];
    _Atomic(int) *ending;
    int accepted, refused;
} insister;

static void
insist(void *context)
{
    insister *me = context;
    for (int n = 0; !*me->ending || n < SCALED(100, 4); ++n) {
        int status = test_schedule(me->runtime, add_one, NULL, 0,
                                   (test_argument[]){WRITE(me->cowns[n & 1]), WRITE(me->cowns[~n & 1])},
                                   1 + (uint32_t)(n >> 1 & 1), NULL);
        CHECK(status == RT_OK || status == RT_NOT_RUNNING);
        *(status == RT_OK ? &me->accepted : &me->refused) += 1;
        test_point();
        if (n > 200000)
            break;
    }
}

static void
schedule_against_stop(uint32_t workers)
{
    enum { THREADS = 2 };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[2] = {test_cown(0), test_cown(0)};
    insister insisters[THREADS];
    test_thread threads[THREADS];
    _Atomic(int) ending = 0;
    int64_t accepted = 0, dropped = 0;

    for (int i = 0; i < THREADS; ++i) {
        insisters[i] = (insister){runtime, {cowns[0], cowns[1]}, &ending, 0, 0};
        test_spawn(&threads[i], insist, &insisters[i]);
    }
    for (int n = 0; n < SCALED(20, 3); ++n) {
        test_point();
        dropped += rt_stop(runtime);
        CHECK_EQUAL(rt_stop(runtime), 0);
        CHECK_EQUAL(rt_start(runtime, 1 + (workers + (uint32_t)n) % workers), RT_OK);
    }
    /* The last stop: what got in just before it must not stay behind. */
    dropped += rt_stop(runtime);
    ending = 1;
    for (int i = 0; i < THREADS; ++i) {
        test_join(&threads[i]);
        accepted += insisters[i].accepted;
    }
    CHECK_EQUAL(rt_in_flight(runtime), 0);
    CHECK_EQUAL(test_counted().run + test_counted().dropped, accepted);
    CHECK(dropped <= test_counted().dropped);
    rt_cown_release(cowns[0]);
    rt_cown_release(cowns[1]);
    test_end(runtime);
}

/* A quiet stop takes nothing away: it happens when nothing is in flight, and refuses what comes too late. */
static void
be_patient(void *context)
{
    insister *me = context;
    for (int n = 0; n < SCALED(300, 6);) {
        int status = test_schedule(me->runtime, add_one, NULL, 0, (test_argument[]){WRITE(me->cowns[n & 1])}, 1, NULL);
        n += status == RT_OK;
        *(status == RT_OK ? &me->accepted : &me->refused) += 1;
        CHECK(status == RT_OK || status == RT_NOT_RUNNING);
    }
    --*me->ending;
}

static void
quiet_stop(uint32_t workers)
{
    enum { THREADS = 2 };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[2] = {test_cown(0), test_cown(0)};
    insister insisters[THREADS];
    test_thread threads[THREADS];
    _Atomic(int) ending = THREADS;
    int64_t accepted = 0;

    for (int i = 0; i < THREADS; ++i) {
        insisters[i] = (insister){runtime, {cowns[0], cowns[1]}, &ending, 0, 0};
        test_spawn(&threads[i], be_patient, &insisters[i]);
    }
    while (ending) {
        int status = rt_stop_quiet(runtime);
        CHECK(status == RT_OK || status == RT_TIMEOUT);
        CHECK_EQUAL(rt_running(runtime), status != RT_OK);
        if (status == RT_OK)
            CHECK_EQUAL(rt_start(runtime, workers), RT_OK);
        test_point();
    }
    for (int i = 0; i < THREADS; ++i) {
        test_join(&threads[i]);
        accepted += insisters[i].accepted;
    }
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_counted().dropped, 0);
    CHECK_EQUAL(test_number_of(cowns[0]) + test_number_of(cowns[1]), accepted);
    CHECK_EQUAL(rt_stop_quiet(runtime), RT_OK);
    CHECK(!rt_running(runtime));
    rt_cown_release(cowns[0]);
    rt_cown_release(cowns[1]);
    rt_runtime_free(runtime);
}

/* A cown that another loop still holds when the runtime stops: what waits for it is dropped when it comes back. */
static rt_behavior *held_outside;

static void
keep(rt_behavior *behavior, void *context)
{
    (void)context;
    held_outside = behavior;
}

static void
held_outside_over_a_stop(uint32_t workers)
{
    for (int restart = 0; restart < 2; ++restart) {
        rt_runtime *runtime = test_begin(workers);
        rt_cown *cown = test_cown(0);
        rt_behavior *outside = test_make(add_one, NULL, 0, (test_argument[]){WRITE(cown)}, 1);
        test_counts before = test_counted();

        held_outside = NULL;
        rt_behavior_on_ready(outside, keep, NULL);
        CHECK_EQUAL(rt_schedule(runtime, outside), RT_OK);
        CHECK(held_outside == outside);
        CHECK_EQUAL(schedule_one(runtime, cown), RT_OK);
        CHECK_EQUAL(rt_stop(runtime), 0);
        CHECK_EQUAL(rt_in_flight(runtime), 2);
        if (restart)
            CHECK_EQUAL(rt_start(runtime, workers), RT_OK);
        rt_behavior_finish(outside);
        CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
        CHECK_EQUAL(test_counted().dropped, before.dropped + 1);
        if (restart) {
            CHECK_EQUAL(schedule_one(runtime, cown), RT_OK);
            CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
            CHECK_EQUAL(test_number_of(cown), 1);
        }
        rt_cown_release(cown);
        test_end(runtime);
    }
}

/* Dropped behaviors whose on_ready was never called, and a stop that finds on_ready behaviors in a row. */
static void
on_ready_is_dropped(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    test_thread thread;
    uint32_t rounds = 0;

    release = running = 0;
    held_outside = NULL;
    CHECK_EQUAL(test_schedule(runtime, block, NULL, 0, (test_argument[]){WRITE(cown)}, 1, NULL), RT_OK);
    while (!running)
        rt_backoff(&rounds);
    for (int i = 0; i < 5; ++i) {
        rt_behavior *behavior = test_make(add_one, NULL, 0, (test_argument[]){READ(cown)}, 1);
        rt_behavior_on_ready(behavior, keep, NULL);
        CHECK_EQUAL(rt_schedule(runtime, behavior), RT_OK);
    }
    test_spawn(&thread, let_go, runtime);
    CHECK_EQUAL(rt_stop(runtime), 5);
    test_join(&thread);
    CHECK(held_outside == NULL);
    rt_cown_release(cown);
    rt_runtime_free(runtime);
}

TEST_MAIN({"queued_is_dropped", queued_is_dropped, 0}, {"long_row_is_dropped", long_row_is_dropped, 2},
          {"schedule_against_stop", schedule_against_stop, 0}, {"quiet_stop", quiet_stop, 0},
          {"held_outside_over_a_stop", held_outside_over_a_stop, 3}, {"on_ready_is_dropped", on_ready_is_dropped, 3})
