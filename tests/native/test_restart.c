/* Workers are made once and parked between stop and start. */
#include "host_test.h"

#if !defined(RT_SYSTEMATIC) && !defined(RT_SANITIZED)
#include <sys/wait.h>
#include <unistd.h>
#define CAN_FORK 1
#endif

static void
add_one(rt_behavior *behavior, void *captures)
{
    (void)captures;
    test_set_number(behavior, 0, test_number(behavior, 0) + 1);
}

static void
many_times_with_other_counts(uint32_t workers)
{
    enum { TIMES = SCALED(60, 5), EACH = SCALED(20, 3) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    uint32_t most = workers;
    uint64_t random = workers;

    for (int n = 1; n <= TIMES; ++n) {
        for (int i = 0; i < EACH; ++i)
            CHECK_EQUAL(test_schedule(runtime, add_one, NULL, 0, (test_argument[]){WRITE(cown)}, 1, NULL), RT_OK);
        CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
        CHECK_EQUAL(rt_stop(runtime), 0);
        CHECK(!rt_running(runtime));
        CHECK_EQUAL(rt_workers(runtime), 0);
        CHECK_EQUAL(test_number_of(cown), n * EACH);
        uint32_t count = 1 + (uint32_t)(test_random(&random) % SCALED(8, 4));
        CHECK_EQUAL(rt_start(runtime, count), RT_OK);
        CHECK_EQUAL(rt_workers(runtime), count);
        CHECK_EQUAL(rt_start(runtime, count), RT_INVALID);
        if (count > most)
            most = count;
        CHECK_EQUAL(test_counted().entered, most);
    }
    CHECK_EQUAL(test_counted().left, 0);
    rt_cown_release(cown);
    test_end(runtime);
    CHECK_EQUAL(test_counted().left, most);
}

/* Stopped before its workers have even noticed that they were started. */
static void
at_once(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    for (int n = 0; n < SCALED(200, 8); ++n) {
        CHECK_EQUAL(rt_stop(runtime), 0);
        CHECK_EQUAL(rt_start(runtime, workers), RT_OK);
    }
    test_end(runtime);
}

static void
never_started(uint32_t workers)
{
    rt_runtime *runtime = rt_runtime_new(&test_host);
    rt_cown *cown = test_cown(0);

    CHECK_EQUAL(test_schedule(runtime, add_one, NULL, 0, (test_argument[]){WRITE(cown)}, 1, NULL), RT_NOT_RUNNING);
    CHECK_EQUAL(rt_stop(runtime), 0);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(rt_start(runtime, 0), RT_INVALID);
    CHECK_EQUAL(rt_start(runtime, 100000 + workers), RT_INVALID);
    CHECK(!rt_running(runtime));
    CHECK_EQUAL(rt_stats(runtime, 0).executed, 0);
    rt_cown_release(cown);
    rt_runtime_free(runtime);
}

/* A worker that cannot be set up: the start says so; the next one makes it again, and keeps those that were. */
static void
worker_that_fails(uint32_t workers)
{
    rt_runtime *runtime = rt_runtime_new(&test_host);
    rt_cown *cown = test_cown(0);

    test_fail_enter(RT_HOST_FAILED, (int)workers - 1, 1);
    CHECK_EQUAL(rt_start(runtime, workers), RT_HOST_FAILED);
    CHECK(!rt_running(runtime));
    CHECK_EQUAL(test_counted().entered, workers - 1);
    CHECK_EQUAL(rt_start(runtime, workers), RT_OK);
    CHECK_EQUAL(test_counted().entered, workers);
    CHECK_EQUAL(test_schedule(runtime, add_one, NULL, 0, (test_argument[]){WRITE(cown)}, 1, NULL), RT_OK);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(cown), 1);
    rt_cown_release(cown);
    test_end(runtime);
}

/* Several threads start and stop at once: one start wins. */
static _Atomic(int) started;

static void
start_and_stop(void *context)
{
    rt_runtime *runtime = context;
    for (int n = 0; n < SCALED(50, 4); ++n) {
        int status = rt_start(runtime, 2);
        CHECK(status == RT_OK || status == RT_INVALID);
        if (status == RT_OK) {
            CHECK_EQUAL(++started, 1);
            test_point();
            --started;
            CHECK_EQUAL(rt_stop(runtime), 0);
        }
    }
}

static void
from_several_threads(uint32_t workers)
{
    enum { THREADS = 3 };
    rt_runtime *runtime = rt_runtime_new(&test_host);
    test_thread threads[THREADS];

    (void)workers;
    for (int i = 0; i < THREADS; ++i)
        test_spawn(&threads[i], start_and_stop, runtime);
    for (int i = 0; i < THREADS; ++i)
        test_join(&threads[i]);
    CHECK(!rt_running(runtime));
    rt_runtime_free(runtime);
}

#ifdef CAN_FORK

static void
sleep_until_stopped(rt_behavior *behavior, void *captures)
{
    uint32_t rounds = 0;
    (void)behavior, (void)captures;
    while (rt_running(test_runtime()))
        rt_backoff(&rounds);
}

/* The child of a fork in the middle of work starts from nothing and can work, with new cowns. */
static void
after_fork(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    int status = -1;

    for (uint32_t i = 0; i < workers + 2; ++i)
        CHECK_EQUAL(test_schedule(runtime, sleep_until_stopped, NULL, 0, NULL, 0, NULL), RT_OK);
    CHECK_EQUAL(test_schedule(runtime, sleep_until_stopped, NULL, 0, (test_argument[]){WRITE(cown)}, 1, NULL), RT_OK);
    pid_t child = fork();
    if (child == 0) {
        rt_runtime_forked(runtime);
        rt_cown *own = test_cown(0);
        bool fine = !rt_running(runtime) && rt_in_flight(runtime) == 0 && rt_quiesce(runtime, -1) == RT_OK &&
                    rt_start(runtime, 2) == RT_OK &&
                    test_schedule(runtime, add_one, NULL, 0, (test_argument[]){WRITE(own)}, 1, NULL) == RT_OK &&
                    rt_quiesce(runtime, -1) == RT_OK && test_number_of(own) == 1 && rt_stop(runtime) == 0;
        rt_runtime_free(runtime);
        _exit(fine ? 0 : 1);
    }
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(rt_stop(runtime) >= 0);
    rt_cown_release(cown);
    rt_runtime_free(runtime);
}

#else

static void
after_fork(uint32_t workers)
{
    (void)workers; /* the seeded scheduler and the sanitizers have threads of their own ideas */
}

#endif

TEST_MAIN({"many_times_with_other_counts", many_times_with_other_counts, 0}, {"at_once", at_once, 0},
          {"never_started", never_started, 1}, {"worker_that_fails", worker_that_fails, 0},
          {"from_several_threads", from_several_threads, 1}, {"after_fork", after_fork, 4})
