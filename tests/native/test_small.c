/* The smallest cases in which things go wrong: three behaviors over two cowns, each read or written or not named, from
 * one to three threads. All of them are gone through, and the seeded scheduler varies how they meet. */
#include "host_test.h"

enum { BEHAVIORS = 3, COWNS = 2, WAYS = 3 /* not at all, read, write */, SHAPES = 9 * 9 * 9 };

static test_guard guards[COWNS];
static _Atomic(int) next_place;

typedef struct {
    int number;
    int way[COWNS];
    int *place; /* in the order in which they ran */
} step;

static void
take_step(rt_behavior *behavior, void *captures)
{
    step *mine = captures;
    (void)behavior;
    for (int i = 0; i < COWNS; ++i)
        if (mine->way[i])
            test_guard_enter(&guards[i], mine->way[i] == 1 ? RT_READ : RT_WRITE);
    mine->place[mine->number] = next_place++;
    test_point();
    for (int i = 0; i < COWNS; ++i)
        if (mine->way[i])
            test_guard_leave(&guards[i], mine->way[i] == 1 ? RT_READ : RT_WRITE);
}

typedef struct {
    rt_runtime *runtime;
    rt_cown **cowns;
    step *steps;
    int first, count;
} walker;

static void
walk(void *context)
{
    walker *me = context;
    for (int n = me->first; n < me->first + me->count; ++n) {
        test_argument arguments[COWNS];
        uint32_t count = 0;
        for (int i = 0; i < COWNS; ++i)
            if (me->steps[n].way[i])
                arguments[count++] = (test_argument){me->cowns[i], me->steps[n].way[i] == 1 ? RT_READ : RT_WRITE};
        CHECK_EQUAL(test_schedule(me->runtime, take_step, &me->steps[n], sizeof(step), arguments, count, NULL), RT_OK);
    }
}

/* Two behaviors of one thread that cannot hold a cown together must run in the order of that thread. */
static bool
conflict(const step *a, const step *b)
{
    for (int i = 0; i < COWNS; ++i)
        if (a->way[i] && b->way[i] && a->way[i] + b->way[i] > 2)
            return true;
    return false;
}

static void
go(rt_runtime *runtime, uint64_t shape, int threads)
{
    rt_cown *cowns[COWNS] = {test_cown(0), test_cown(0)};
    int place[BEHAVIORS] = {-1, -1, -1};
    step steps[BEHAVIORS];
    test_thread handles[BEHAVIORS];
    walker walkers[BEHAVIORS];
    int owner[BEHAVIORS];

    next_place = 0;
    for (int n = 0; n < BEHAVIORS; ++n, shape /= WAYS * WAYS)
        steps[n] = (step){n, {(int)(shape % WAYS), (int)(shape / WAYS % WAYS)}, place};
    for (int i = 0, first = 0; i < threads; ++i) {
        int count = BEHAVIORS / threads + (i < BEHAVIORS % threads);
        walkers[i] = (walker){runtime, cowns, steps, first, count};
        for (; count > 0; --count)
            owner[first++] = i;
    }
    for (int i = 1; i < threads; ++i)
        test_spawn(&handles[i], walk, &walkers[i]);
    walk(&walkers[0]);
    for (int i = 1; i < threads; ++i)
        test_join(&handles[i]);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    for (int a = 0; a < BEHAVIORS; ++a)
        for (int b = a + 1; b < BEHAVIORS; ++b)
            if (owner[a] == owner[b] && conflict(&steps[a], &steps[b]))
                CHECK(place[a] < place[b]);
    CHECK_EQUAL(next_place, BEHAVIORS);
    for (int i = 0; i < COWNS; ++i)
        rt_cown_release(cowns[i]);
}

/* Seeded, a few shapes a seed, so that a thousand seeds meet each about five times with every number of threads. */
static void
run_shapes(uint32_t workers, int threads)
{
    static uint64_t at;
    rt_runtime *runtime = test_begin(workers);
#ifdef RT_SYSTEMATIC
    for (int i = 0; i < 4; ++i)
        go(runtime, rt_sys_random() % SHAPES, threads);
    (void)at;
#else
    for (uint64_t i = 0; i < SHAPES; ++i)
        go(runtime, (at += 11) % SHAPES, threads);
#endif
    test_end(runtime);
}

static void
one_thread(uint32_t workers)
{
    run_shapes(workers, 1);
}

static void
two_threads(uint32_t workers)
{
    run_shapes(workers, 2);
}

static void
three_threads(uint32_t workers)
{
    run_shapes(workers, 3);
}

TEST_MAIN({"one_thread", one_thread, 3}, {"two_threads", two_threads, 3}, {"three_threads", three_threads, 3})
