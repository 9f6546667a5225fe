/* Readers among writers. */
#include "host_test.h"

static int64_t pair[2];
static test_guard guard;

static void
write_pair(rt_behavior *behavior, void *captures)
{
    int64_t number = *(int64_t *)captures;
    (void)behavior;
    test_guard_enter(&guard, RT_WRITE);
    pair[0] = number;
    test_point();
    pair[1] = number;
    test_guard_leave(&guard, RT_WRITE);
}

static void
read_pair(rt_behavior *behavior, void *captures)
{
    int64_t number = *(int64_t *)captures;
    (void)behavior;
    test_guard_enter(&guard, RT_READ);
    CHECK_EQUAL(pair[0], number); /* the last one written before it in the order of scheduling */
    test_point();
    CHECK_EQUAL(pair[1], number);
    test_guard_leave(&guard, RT_READ);
}

static void
reset(void)
{
    pair[0] = pair[1] = 0;
    guard.writers = guard.readers = guard.most_readers = 0;
}

static void
never_half_written(uint32_t workers)
{
    enum { COUNT = SCALED(4000, 24) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    uint64_t random = workers;
    int64_t written = 0;

    reset();
    for (int n = 0; n < COUNT; ++n) {
        if (test_random(&random) % 4 == 0) {
            ++written;
            CHECK_EQUAL(WHEN(runtime, write_pair, &written, WRITE(cown)), RT_OK);
        } else {
            CHECK_EQUAL(WHEN(runtime, read_pair, &written, READ(cown)), RT_OK);
        }
    }
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(pair[1], written);
    rt_cown_release(cown);
    test_end(runtime);
}

/* Readers that stay until as many are inside as there are workers: they finish only if they really overlap. */
static _Atomic(uint32_t) inside;

static void
stay(rt_behavior *behavior, void *captures)
{
    uint32_t expected = *(uint32_t *)captures, rounds = 0;
    (void)behavior;
    ++inside;
    while (inside < expected)
        rt_backoff(&rounds);
}

static void
readers_overlap(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0), *other = test_cown(0);
    int64_t number = 1;

    for (int round = 0; round < SCALED(30, 2); ++round) {
        reset();
        inside = 0;
        CHECK_EQUAL(WHEN(runtime, write_pair, &number, WRITE(cown)), RT_OK);
        for (uint32_t i = 0; i < workers; ++i)
            CHECK_EQUAL(WHEN(runtime, stay, &workers, READ(cown), READ(other)), RT_OK);
        CHECK_EQUAL(WHEN(runtime, write_pair, &number, WRITE(cown)), RT_OK);
        CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
        CHECK_EQUAL(inside, workers);
    }
    rt_cown_release(cown);
    rt_cown_release(other);
    test_end(runtime);
}

/* Readers that follow each other until a writer has been: a writer that readers could overtake would never come. */
static void
read_until_written(rt_behavior *behavior, void *captures)
{
    int64_t number = *(int64_t *)captures;
    test_guard_enter(&guard, RT_READ);
    if (pair[0] < number)
        CHECK_EQUAL(WHEN(test_runtime(), read_until_written, &number, READ(rt_behavior_argument(behavior, 0).cown)),
                    RT_OK);
    test_guard_leave(&guard, RT_READ);
}

static void
writers_do_not_starve(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);

    reset();
    for (int64_t round = 1; round <= SCALED(50, 3); ++round) {
        for (uint32_t i = 0; i < workers + 1; ++i)
            CHECK_EQUAL(WHEN(runtime, read_until_written, &round, READ(cown)), RT_OK);
        CHECK_EQUAL(WHEN(runtime, write_pair, &round, WRITE(cown)), RT_OK);
    }
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(pair[0], SCALED(50, 3));
    rt_cown_release(cown);
    test_end(runtime);
}

/* Readers and writers of several cowns from several threads: exclusive where they write, together where they read. */
enum { COWNS = 3 };

static test_guard guards[COWNS];

typedef struct {
    uint32_t cowns[COWNS];
    rt_mode modes[COWNS];
    uint32_t count;
} visit;

static void
pay_visit(rt_behavior *behavior, void *captures)
{
    visit *mine = captures;
    CHECK_EQUAL(mine->count, rt_behavior_count(behavior));
    for (uint32_t i = 0; i < mine->count; ++i)
        test_guard_enter(&guards[mine->cowns[i]], mine->modes[i]);
    test_point();
    for (uint32_t i = 0; i < mine->count; ++i)
        test_guard_leave(&guards[mine->cowns[i]], mine->modes[i]);
}

typedef struct {
    rt_runtime *runtime;
    rt_cown **cowns;
    uint64_t random;
    int count;
} visitor;

static void
be_visitor(void *context)
{
    visitor *me = context;
    for (int n = 0; n < me->count; ++n) {
        visit v = {.count = 1 + (uint32_t)(test_random(&me->random) % COWNS)};
        uint32_t start = (uint32_t)(test_random(&me->random) % COWNS);
        test_argument arguments[COWNS];
        for (uint32_t i = 0; i < v.count; ++i) {
            v.cowns[i] = (start + i) % COWNS;
            v.modes[i] = test_random(&me->random) % 3 ? RT_READ : RT_WRITE;
            arguments[i] = (test_argument){me->cowns[v.cowns[i]], v.modes[i]};
        }
        CHECK_EQUAL(test_schedule(me->runtime, pay_visit, &v, sizeof(v), arguments, v.count, NULL), RT_OK);
    }
}

static void
visitors_of_several_cowns(uint32_t workers)
{
    enum { VISITORS = 3 };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[COWNS];
    test_thread threads[VISITORS];
    visitor visitors[VISITORS];

    for (int i = 0; i < COWNS; ++i) {
        cowns[i] = test_cown(0);
        guards[i].most_readers = 0;
    }
    for (uint32_t i = 0; i < VISITORS; ++i) {
        visitors[i] = (visitor){runtime, cowns, 10 * workers + i, SCALED(1500, 8)};
        test_spawn(&threads[i], be_visitor, &visitors[i]);
    }
    for (int i = 0; i < VISITORS; ++i)
        test_join(&threads[i]);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    for (int i = 0; i < COWNS; ++i)
        rt_cown_release(cowns[i]);
    test_end(runtime);
}

TEST_MAIN({"never_half_written", never_half_written, 0}, {"readers_overlap", readers_overlap, 0},
          {"writers_do_not_starve", writers_do_not_starve, 0},
          {"visitors_of_several_cowns", visitors_of_several_cowns, 0})
