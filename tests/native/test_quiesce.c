/* Waiting until everything is done. */
#include "host_test.h"

#ifndef RT_SYSTEMATIC
#include <signal.h>
#include <string.h>
#include <unistd.h>
#endif

static _Atomic(int) release, done;

static void
block(rt_behavior *behavior, void *captures)
{
    uint32_t rounds = 0;
    (void)behavior, (void)captures;
    while (!release)
        rt_backoff(&rounds);
    ++done;
}

static int
schedule_block(rt_runtime *runtime)
{
    return test_schedule(runtime, block, NULL, 0, NULL, 0, NULL);
}

/* Behind a cown that this thread holds nothing can run: every wait must end by its limit. */
static rt_behavior *held;

static void
hold(rt_behavior *behavior, void *context)
{
    (void)context;
    held = behavior;
}

static void
wait_shortly(void *context)
{
    CHECK_EQUAL(rt_quiesce(context, 1000000), RT_TIMEOUT);
}

static void
wait_for_ever(void *context)
{
    CHECK_EQUAL(rt_quiesce(context, -1), RT_OK);
    CHECK_EQUAL(done, 1);
}

static void
limits_from_several_threads(uint32_t workers)
{
    enum { THREADS = 2 };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    rt_behavior *holder = test_make(block, NULL, 0, (test_argument[]){WRITE(cown)}, 1);
    test_thread shortly[THREADS], for_ever[THREADS];

    release = 1;
    done = 0;
    CHECK_EQUAL(rt_quiesce(runtime, 0), RT_OK);
    rt_behavior_on_ready(holder, hold, NULL);
    CHECK_EQUAL(rt_schedule(runtime, holder), RT_OK);
    CHECK_EQUAL(test_schedule(runtime, block, NULL, 0, (test_argument[]){WRITE(cown)}, 1, NULL), RT_OK);
    for (int i = 0; i < THREADS; ++i) {
        test_spawn(&shortly[i], wait_shortly, runtime);
        test_spawn(&for_ever[i], wait_for_ever, runtime);
    }
    CHECK_EQUAL(rt_quiesce(runtime, 0), RT_TIMEOUT);
    CHECK_EQUAL(rt_quiesce(runtime, 2000000), RT_TIMEOUT);
    for (int i = 0; i < THREADS; ++i)
        test_join(&shortly[i]);
    CHECK_EQUAL(rt_in_flight(runtime), 2);
    rt_behavior_finish(held);
    CHECK_EQUAL(rt_quiesce(runtime, INT64_MAX), RT_OK);
    for (int i = 0; i < THREADS; ++i)
        test_join(&for_ever[i]);
    rt_cown_release(cown);
    test_end(runtime);
}

/* Nothing is missed when the last behavior ends just as somebody begins to wait. */
static void
again_and_again(uint32_t workers)
{
    enum { TIMES = SCALED(1000, 12) };
    rt_runtime *runtime = test_begin(workers);

    release = 1;
    done = 0;
    for (int n = 0; n < TIMES; ++n) {
        int count = 1 + n % 4;
        int before = done;
        for (int i = 0; i < count; ++i)
            CHECK_EQUAL(schedule_block(runtime), RT_OK);
        CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
        CHECK_EQUAL(done, before + count);
        CHECK_EQUAL(rt_in_flight(runtime), 0);
    }
    test_end(runtime);
}

/* What a behavior schedules counts too, to any depth. */
static void
schedule_more(rt_behavior *behavior, void *captures)
{
    int left = *(int *)captures - 1;
    (void)behavior;
    test_point();
    if (left > 0)
        CHECK_EQUAL(test_schedule(test_runtime(), schedule_more, &left, sizeof(left), NULL, 0, NULL), RT_OK);
    else
        ++done;
}

static void
waits_for_what_they_schedule(uint32_t workers)
{
    enum { LENGTH = SCALED(300, 10), TIMES = SCALED(30, 3) };
    rt_runtime *runtime = test_begin(workers);
    int length = LENGTH;

    done = 0;
    for (int n = 1; n <= TIMES; ++n) {
        for (uint32_t i = 0; i < workers; ++i)
            CHECK_EQUAL(test_schedule(runtime, schedule_more, &length, sizeof(length), NULL, 0, NULL), RT_OK);
        CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
        CHECK_EQUAL(done, n * (int)workers);
    }
    test_end(runtime);
}

/* Idle workers sleep: no core is burnt, and each wakes again. */
static void
workers_sleep(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    uint32_t rounds = 0;
    uint64_t parked;

    do {
        parked = 0;
        for (uint32_t i = 0; i < workers; ++i)
            parked += rt_stats(runtime, i).parked > 0;
        rt_backoff(&rounds);
    } while (parked < workers);
    release = done = 0;
    for (uint32_t i = 0; i < workers; ++i)
        CHECK_EQUAL(schedule_block(runtime), RT_OK);
    CHECK_EQUAL(rt_quiesce(runtime, 1000), RT_TIMEOUT);
    release = 1;
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(done, workers);
    test_end(runtime);
}

#ifndef RT_SYSTEMATIC

static void
on_signal(int number)
{
    (void)number;
}

/* Sends signals until the waiter says that one has reached it. */
typedef struct {
    pthread_t waiter;
    _Atomic(int) reached;
} sender;

static void
send_signals(void *context)
{
    sender *me = context;
    while (!me->reached) {
        pthread_kill(me->waiter, SIGUSR1);
        usleep(1000);
    }
}

static void
a_signal_interrupts(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    rt_behavior *holder = test_make(block, NULL, 0, (test_argument[]){WRITE(cown)}, 1);
    struct sigaction action, before;
    test_thread thread;

    release = 1;
    rt_behavior_on_ready(holder, hold, NULL);
    CHECK_EQUAL(rt_schedule(runtime, holder), RT_OK);
    /* Also with a handler after which system calls go on. */
    for (int flags = 0; flags < 2; ++flags) {
        sender signals = {pthread_self(), 0};
        memset(&action, 0, sizeof(action));
        action.sa_handler = on_signal;
        action.sa_flags = flags ? SA_RESTART : 0;
        sigaction(SIGUSR1, &action, &before);
        test_spawn(&thread, send_signals, &signals);
        CHECK_EQUAL(rt_quiesce(runtime, -1), RT_INTERRUPTED);
        signals.reached = 1;
        test_join(&thread);
        sigaction(SIGUSR1, &before, NULL);
    }
    rt_behavior_finish(held);
    rt_cown_release(cown);
    test_end(runtime);
}

#else

static void
a_signal_interrupts(uint32_t workers)
{
    (void)workers; /* signals are no decision of the seeded scheduler */
}

#endif

TEST_MAIN({"limits_from_several_threads", limits_from_several_threads, 0}, {"again_and_again", again_and_again, 0},
          {"waits_for_what_they_schedule", waits_for_what_they_schedule, 0}, {"workers_sleep", workers_sleep, 0},
          {"a_signal_interrupts", a_signal_interrupts, 2})
