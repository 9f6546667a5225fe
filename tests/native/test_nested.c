/* Behaviors that schedule behaviors. */
#include "host_test.h"

/* A tree: each node schedules two below it and adds one to a count that all share. */
typedef struct {
    rt_cown *count;
    int depth;
} node;

static void
add_one(rt_behavior *behavior, void *captures)
{
    (void)captures;
    test_set_number(behavior, 0, test_number(behavior, 0) + 1);
}

static void
grow(rt_behavior *behavior, void *captures)
{
    node below = *(node *)captures;
    (void)behavior;
    CHECK_EQUAL(WHEN(test_runtime(), add_one, &below, WRITE(below.count)), RT_OK);
    for (int i = 0; below.depth > 0 && i < 2; ++i) {
        node child = {below.count, below.depth - 1};
        CHECK_EQUAL(test_schedule(test_runtime(), grow, &child, sizeof(child), NULL, 0, NULL), RT_OK);
    }
}

static void
tree(uint32_t workers)
{
    enum { DEPTH = SCALED(9, 4) };
    rt_runtime *runtime = test_begin(workers);
    node root = {test_cown(0), DEPTH};

    CHECK_EQUAL(test_schedule(runtime, grow, &root, sizeof(root), NULL, 0, NULL), RT_OK);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(root.count), (1 << (DEPTH + 1)) - 1);
    rt_cown_release(root.count);
    test_end(runtime);
}

/* What a behavior schedules on the cown it holds comes after what was scheduled there before. */
typedef struct {
    int64_t expected;
    int64_t then; /* schedules a behavior that expects this, or -1 */
} place;

static void
expect(rt_behavior *behavior, void *captures)
{
    place *mine = captures;
    CHECK_EQUAL(test_number(behavior, 0), mine->expected);
    test_set_number(behavior, 0, mine->expected + 1);
    if (mine->then >= 0) {
        place next = {mine->then, -1};
        CHECK_EQUAL(WHEN(test_runtime(), expect, &next, WRITE(rt_behavior_argument(behavior, 0).cown)), RT_OK);
    }
}

/* Stays until the flag is set, so that what follows is linked while it runs. */
static _Atomic(int) linked;

static void
hold(rt_behavior *behavior, void *captures)
{
    uint32_t rounds = 0;
    while (!linked)
        rt_backoff(&rounds);
    expect(behavior, captures);
}

static void
on_the_cown_it_holds(uint32_t workers)
{
    enum { ROUNDS = SCALED(100, 4) };
    rt_runtime *runtime = test_begin(workers);

    for (int round = 0; round < ROUNDS; ++round) {
        rt_cown *cown = test_cown(0);
        linked = 0;
        CHECK_EQUAL(WHEN(runtime, hold, &((place){0, 3}), WRITE(cown)), RT_OK);
        CHECK_EQUAL(WHEN(runtime, expect, &((place){1, 4}), WRITE(cown)), RT_OK);
        CHECK_EQUAL(WHEN(runtime, expect, &((place){2, 5}), WRITE(cown)), RT_OK);
        linked = 1;
        CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
        CHECK_EQUAL(test_number_of(cown), 6);
        rt_cown_release(cown);
    }
    test_end(runtime);
}

/* What a behavior schedules while it runs must not wait for it: with two workers another one takes it. */
static _Atomic(int) helped;

static void
help(rt_behavior *behavior, void *captures)
{
    (void)behavior, (void)captures;
    helped = 1;
}

static void
wait_for_help(rt_behavior *behavior, void *captures)
{
    uint32_t rounds = 0;
    (void)behavior, (void)captures;
    CHECK_EQUAL(test_schedule(test_runtime(), help, NULL, 0, NULL, 0, NULL), RT_OK);
    while (!helped)
        rt_backoff(&rounds);
}

static void
others_take_what_a_running_one_schedules(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers + 1);

    for (int round = 0; round < SCALED(30, 3); ++round) {
        helped = 0;
        CHECK_EQUAL(test_schedule(runtime, wait_for_help, NULL, 0, NULL, 0, NULL), RT_OK);
        CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    }
    test_end(runtime);
}

/* A worker knows itself; other threads are none. */
static void
know_thyself(rt_behavior *behavior, void *captures)
{
    rt_worker *self = rt_worker_self();
    uint32_t workers = *(uint32_t *)captures;
    (void)behavior;
    CHECK(self != NULL && rt_worker_index(self) < workers && rt_worker_runtime(self) == test_runtime());
    CHECK_EQUAL(rt_quiesce(test_runtime(), -1), RT_INVALID);
    CHECK_EQUAL(rt_stop(test_runtime()), RT_INVALID);
    CHECK_EQUAL(rt_start(test_runtime(), 1), RT_INVALID);
}

static void
workers_know_themselves(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);

    CHECK(rt_worker_self() == NULL);
    for (int i = 0; i < 10; ++i)
        CHECK_EQUAL(test_schedule(runtime, know_thyself, &workers, sizeof(workers), NULL, 0, NULL), RT_OK);
    test_end(runtime);
}

TEST_MAIN({"tree", tree, 0}, {"on_the_cown_it_holds", on_the_cown_it_holds, 0},
          {"others_take_what_a_running_one_schedules", others_take_what_a_running_one_schedules, 7},
          {"workers_know_themselves", workers_know_themselves, 3})
