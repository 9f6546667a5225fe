/* Behaviors that another loop runs: handed over when they hold their cowns, done when that loop says so. */
#include "host_test.h"

/* A loop of our own: one thread, a list. */
enum { MOST = 4096 };

typedef struct {
    rt_lock lock;
    rt_behavior *waiting[MOST];
    uint32_t put, taken;
    rt_atomic_u32 signal;
    bool closing;
} loop;

static loop the_loop;

static void
loop_put(rt_behavior *behavior, void *context)
{
    loop *to = context;
    rt_lock_take(&to->lock);
    to->waiting[to->put++ % MOST] = behavior;
    rt_lock_drop(&to->lock);
    rt_fetch_add_acq_rel(&to->signal, 1u);
    rt_wake(&to->signal, 1);
}

static void
loop_close(loop *to)
{
    rt_lock_take(&to->lock);
    to->closing = true;
    rt_lock_drop(&to->lock);
    rt_fetch_add_acq_rel(&to->signal, 1u);
    rt_wake(&to->signal, 1);
}

static void
add_one(rt_behavior *behavior)
{
    for (uint32_t i = 0; i < rt_behavior_count(behavior); ++i) {
        int64_t seen = test_number(behavior, i);
        test_point();
        test_set_number(behavior, i, seen + 1);
    }
}

static void
loop_run(void *context)
{
    loop *from = context;
    for (;;) {
        uint32_t signal = rt_load_acquire(&from->signal);
        rt_lock_take(&from->lock);
        rt_behavior *behavior = from->taken < from->put ? from->waiting[from->taken++ % MOST] : NULL;
        bool closing = from->closing;
        rt_lock_drop(&from->lock);
        if (behavior) {
            add_one(behavior);
            rt_behavior_finish(behavior);
        } else if (closing) {
            return;
        } else {
            rt_wait(&from->signal, signal, -1);
        }
    }
}

static void
body(rt_behavior *behavior, void *captures)
{
    (void)captures;
    add_one(behavior);
}

/* Half of the behaviors run on workers, half in the loop, on the same cowns. */
static void
loop_among_workers(uint32_t workers)
{
    enum { COUNT = SCALED(2000, 20) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[2] = {test_cown(0), test_cown(0)};
    test_thread thread;
    int64_t expected[2] = {0, 0};
    uint64_t random = workers;

    the_loop = (loop){0};
    test_spawn(&thread, loop_run, &the_loop);
    for (int n = 0; n < COUNT; ++n) {
        uint64_t choice = test_random(&random);
        test_argument arguments[2] = {WRITE(cowns[choice & 1]), WRITE(cowns[~choice & 1])};
        uint32_t count = 1 + (choice >> 1 & 1);
        rt_behavior *behavior = test_make(body, NULL, 0, arguments, count);
        if (choice >> 2 & 1)
            rt_behavior_on_ready(behavior, loop_put, &the_loop);
        CHECK_EQUAL(rt_schedule(runtime, behavior), RT_OK);
        ++expected[choice & 1];
        expected[~choice & 1] += count - 1;
    }
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    loop_close(&the_loop);
    test_join(&thread);
    for (int i = 0; i < 2; ++i) {
        CHECK_EQUAL(test_number_of(cowns[i]), expected[i]);
        rt_cown_release(cowns[i]);
    }
    test_end(runtime);
}

/* Nobody else is needed to finish it: a long row of such behaviors behind one must take no stack. */
static void
finish_at_once(rt_behavior *behavior, void *context)
{
    (void)context;
    add_one(behavior);
    rt_behavior_finish(behavior);
}

static void
row_finished_at_once(uint32_t workers)
{
    enum { COUNT = SCALED(100000, 50) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    rt_behavior *first = test_make(body, NULL, 0, (test_argument[]){WRITE(cown)}, 1);

    the_loop = (loop){0};
    rt_behavior_on_ready(first, loop_put, &the_loop);
    CHECK_EQUAL(rt_schedule(runtime, first), RT_OK);
    for (int i = 0; i < COUNT; ++i) {
        rt_behavior *behavior = test_make(body, NULL, 0, (test_argument[]){WRITE(cown)}, 1);
        rt_behavior_on_ready(behavior, finish_at_once, NULL);
        CHECK_EQUAL(rt_schedule(runtime, behavior), RT_OK);
    }
    CHECK_EQUAL(rt_quiesce(runtime, 0), RT_TIMEOUT);
    CHECK_EQUAL(the_loop.put, 1);
    rt_behavior_finish(first);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(cown), COUNT);
    rt_cown_release(cown);
    test_end(runtime);
}

/* What a waiting thread does: it asks for the cown, sleeps until it has it, looks, gives it back. */
static void
signal_thread(rt_behavior *behavior, void *context)
{
    rt_atomic_u32 *word = context;
    (void)behavior;
    rt_store_release(word, 1u);
    rt_wake(word, 1);
}

static void
a_thread_waits_for_a_cown(uint32_t workers)
{
    enum { COUNT = SCALED(200, 5) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    rt_atomic_u32 word;

    for (int n = 1; n <= COUNT; ++n) {
        rt_behavior *wait = test_make(body, NULL, 0, (test_argument[]){READ(cown)}, 1);
        CHECK_EQUAL(test_schedule(runtime, body, NULL, 0, (test_argument[]){WRITE(cown)}, 1, NULL), RT_OK);
        rt_store_relaxed(&word, 0u);
        rt_behavior_on_ready(wait, signal_thread, (void *)&word);
        CHECK_EQUAL(rt_schedule(runtime, wait), RT_OK);
        while (!rt_load_acquire(&word))
            rt_wait(&word, 0, -1);
        CHECK_EQUAL(test_number_of(cown), n);
        rt_behavior_finish(wait);
    }
    rt_cown_release(cown);
    test_end(runtime);
}

TEST_MAIN({"loop_among_workers", loop_among_workers, 0}, {"row_finished_at_once", row_finished_at_once, 3},
          {"a_thread_waits_for_a_cown", a_thread_waits_for_a_cown, 0})
