/* Workers that wake on one core part: moving to another one, and long work after sleeps on which they do. */
#include "host_test.h"

#ifdef __linux__
#include <sched.h>
#endif

enum { MOST_CORES = 64 };

/* Fills in cores that this thread may run on, the one it runs on first; 0 where that cannot be told. */
static int
cores_here(int *cores)
{
    int count = 0;

#if defined(__linux__) && !defined(RT_SYSTEMATIC)
    cpu_set_t allowed;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 0;
    for (int core = 0; core < CPU_SETSIZE && count < MOST_CORES; ++core)
        if (CPU_ISSET((size_t)core, &allowed))
            cores[count++] = core;
#else
    (void)cores;
#endif
    return count;
}

static void
a_thread_leaves_a_core(uint32_t workers)
{
    int cores[MOST_CORES], after[MOST_CORES], count = cores_here(cores);

    (void)workers;
    if (!count) {
        CHECK_EQUAL(rt_core(), -1);
        CHECK(!rt_core_leave(NULL, 0));
        return;
    }
    if (count == MOST_CORES) /* there may be more */
        return;
    CHECK(!rt_core_leave(cores, count));
    for (int i = 0; i < count && count > 1; ++i) {
        /* All but one are taken: it is on that one until it runs on, which it may do anywhere. */
        int free = cores[i];
        cores[i] = cores[(i + 1) % count];
        CHECK(rt_core_leave(cores, count));
        cores[i] = free;
    }
    CHECK_EQUAL(cores_here(after), count);
    for (int i = 0; i < count; ++i)
        CHECK_EQUAL(after[i], cores[i]);
}

static void
add_after_a_while(rt_behavior *behavior, void *captures)
{
    int64_t end = rt_now() + SCALED(300000, 0);

    (void)captures;
    do
        test_point();
    while (rt_now() < end);
    test_set_number(behavior, 0, test_number(behavior, 0) + 1);
}

/* Long work, sleep, long work: from the second time on workers look who else is on their core. */
static void
long_work_after_sleeps(uint32_t workers)
{
    enum { COWNS = SCALED(8, 2), ROUNDS = SCALED(60, 2) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[COWNS];

    for (int i = 0; i < COWNS; ++i)
        cowns[i] = test_cown(0);
    for (int round = 0; round < ROUNDS; ++round) {
        for (int i = 0; i < COWNS; ++i)
            CHECK_EQUAL(test_schedule(runtime, add_after_a_while, NULL, 0, (test_argument[]){WRITE(cowns[i])}, 1, NULL),
                        RT_OK);
        CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    }
    for (int i = 0; i < COWNS; ++i) {
        CHECK_EQUAL(test_number_of(cowns[i]), ROUNDS);
        rt_cown_release(cowns[i]);
    }
    test_end(runtime);
}

TEST_MAIN({"a_thread_leaves_a_core", a_thread_leaves_a_core, 1}, {"long_work_after_sleeps", long_work_after_sleeps, 0})
