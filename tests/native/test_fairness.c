/* Fairness: nobody who keeps coming back keeps others from their turn. Where one worker does everything, the turns that
 * pass until then are bounded, and counted. */
#include "host_test.h"

/* Chains that go on until all the others, so many, have had their turn. */
static _Atomic(int64_t) others_left, turns;

static void
chain(rt_behavior *behavior, void *captures)
{
    int64_t mine = *(int64_t *)captures;
    ++turns;
    if (others_left > 0)
        CHECK_EQUAL(WHEN(test_runtime(), chain, &mine, WRITE(rt_behavior_argument(behavior, 0).cown)), RT_OK);
}

static void
have_turn(rt_behavior *behavior, void *captures)
{
    (void)behavior, (void)captures;
    --others_left;
}

static void
start_chain(rt_runtime *runtime)
{
    rt_cown *cown = test_cown(0);
    int64_t mine = 0;
    CHECK_EQUAL(WHEN(runtime, chain, &mine, WRITE(cown)), RT_OK);
    rt_cown_release(cown);
}

/* Begins a chain, and puts others behind it: into this worker's ring, and, as many as it has no room for, the inbox. */
static void
chain_and_others(rt_behavior *behavior, void *captures)
{
    int64_t count = *(int64_t *)captures;
    (void)behavior;
    start_chain(test_runtime());
    for (int64_t i = 0; i < count; ++i)
        CHECK_EQUAL(test_schedule(test_runtime(), have_turn, NULL, 0, NULL, 0, NULL), RT_OK);
    --others_left;
}

/* A chain may run this often before a turn of the ring; the inbox is looked at less often still. */
enum { TURNS_FOR_ONE = 64 };

static void
ring_and_inbox_have_their_turn(uint32_t workers)
{
    enum { IN_RINGS = SCALED(400, 8), FROM_OUTSIDE = SCALED(40, 5) };
    rt_runtime *runtime = test_begin(workers);
    int64_t others = IN_RINGS;

    turns = 0;
    others_left = (int64_t)workers * (IN_RINGS + 1) + FROM_OUTSIDE;
    for (uint32_t i = 0; i < workers; ++i)
        CHECK_EQUAL(test_schedule(runtime, chain_and_others, &others, sizeof(others), NULL, 0, NULL), RT_OK);
    for (int i = 0; i < FROM_OUTSIDE; ++i)
        CHECK_EQUAL(test_schedule(runtime, have_turn, NULL, 0, NULL, 0, NULL), RT_OK);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(others_left, 0);
    if (workers == 1)
        CHECK(turns <= TURNS_FOR_ONE * (IN_RINGS + 1 + FROM_OUTSIDE + 1));
    test_end(runtime);
}

/* More chains than workers, each on a cown of its own, one of them done after a few turns: the others cannot hold it
 * up. */
static void
few_turns(rt_behavior *behavior, void *captures)
{
    int64_t left = *(int64_t *)captures - 1;
    if (left > 0)
        CHECK_EQUAL(WHEN(test_runtime(), few_turns, &left, WRITE(rt_behavior_argument(behavior, 0).cown)), RT_OK);
    else
        others_left = 0;
}

static void
chains_among_chains(uint32_t workers)
{
    enum { CHAINS = 5 };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    int64_t length = SCALED(100, 4);

    turns = 0;
    others_left = 1;
    for (uint32_t i = 0; i < workers + CHAINS; ++i)
        start_chain(runtime);
    CHECK_EQUAL(WHEN(runtime, few_turns, &length, WRITE(cown)), RT_OK);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    if (workers == 1)
        CHECK(turns <= TURNS_FOR_ONE * (CHAINS + 1) * (SCALED(100, 4) + 1));
    rt_cown_release(cown);
    test_end(runtime);
}

/* A crowd of readers that keeps coming, from threads and from each other, until the writer has been. */
enum { CROWD = 2 };

static _Atomic(int) writer_scheduled, written;
static test_guard guard;

static void
read_it(rt_behavior *behavior, void *captures)
{
    int after_the_writer = *(int *)captures;
    test_guard_enter(&guard, RT_READ);
    if (after_the_writer)
        CHECK(written);
    if (!written) {
        int after = writer_scheduled;
        CHECK_EQUAL(WHEN(test_runtime(), read_it, &after, READ(rt_behavior_argument(behavior, 0).cown)), RT_OK);
    }
    test_guard_leave(&guard, RT_READ);
}

static void
write_it(rt_behavior *behavior, void *captures)
{
    (void)behavior, (void)captures;
    test_guard_enter(&guard, RT_WRITE);
    written = 1;
    test_guard_leave(&guard, RT_WRITE);
}

typedef struct {
    rt_runtime *runtime;
    rt_cown *cown;
    test_thread thread;
} reader;

static void
keep_reading(void *context)
{
    reader *me = context;
    int after;
    /* Bounded: readers come faster than they go. */
    for (int i = 0; !written && i < SCALED(20000, 60); ++i) {
        after = writer_scheduled;
        CHECK_EQUAL(WHEN(me->runtime, read_it, &after, READ(me->cown)), RT_OK);
        test_point();
    }
}

static void
no_crowd_of_readers_starves_a_writer(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    reader crowd[CROWD];

    writer_scheduled = written = 0;
    guard.most_readers = 0;
    for (int i = 0; i < CROWD; ++i) {
        crowd[i] = (reader){.runtime = runtime, .cown = cown};
        test_spawn(&crowd[i].thread, keep_reading, &crowd[i]);
    }
    for (int i = 0; i < SCALED(100, 5); ++i)
        test_point();
    CHECK_EQUAL(WHEN(runtime, write_it, &crowd[0].cown, WRITE(cown)), RT_OK);
    writer_scheduled = 1;
    for (int i = 0; i < CROWD; ++i)
        test_join(&crowd[i].thread);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK(written);
    rt_cown_release(cown);
    test_end(runtime);
}

TEST_MAIN({"ring_and_inbox_have_their_turn", ring_and_inbox_have_their_turn, 0},
          {"chains_among_chains", chains_among_chains, 0},
          {"no_crowd_of_readers_starves_a_writer", no_crowd_of_readers_starves_a_writer, 0})
