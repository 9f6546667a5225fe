/* Three behaviors over two cowns, with the whole runtime around them, small enough that `DELAYS=2` goes through every
 * schedule with so many delays: from start to stop, scheduled from a second thread too. */
#include "host_test.h"

enum { BEHAVIORS = 3, COWNS = 2 };

static test_guard guards[COWNS];

typedef struct {
    rt_mode modes[COWNS];
    uint32_t first, count; /* of the cowns it names */
} part;

static void
play(rt_behavior *behavior, void *captures)
{
    part *mine = captures;
    for (uint32_t i = 0; i < mine->count; ++i)
        test_guard_enter(&guards[mine->first + i], mine->modes[i]);
    test_point();
    for (uint32_t i = 0; i < mine->count; ++i) {
        if (mine->modes[i] == RT_WRITE)
            test_set_number(behavior, i, test_number(behavior, i) + 1);
        test_guard_leave(&guards[mine->first + i], mine->modes[i]);
    }
}

typedef struct {
    rt_runtime *runtime;
    rt_cown **cowns;
    const part *part;
} player;

static void
schedule(void *context)
{
    player *me = context;
    test_argument arguments[COWNS];
    for (uint32_t i = 0; i < me->part->count; ++i)
        arguments[i] = (test_argument){me->cowns[me->part->first + i], me->part->modes[i]};
    CHECK_EQUAL(test_schedule(me->runtime, play, me->part, sizeof(part), arguments, me->part->count, NULL), RT_OK);
}

static void
run_parts(uint32_t workers, const part *parts)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[COWNS] = {test_cown(0), test_cown(0)};
    player players[BEHAVIORS];
    test_thread thread;
    int64_t written[COWNS] = {0};

    for (int i = 0; i < BEHAVIORS; ++i) {
        players[i] = (player){runtime, cowns, &parts[i]};
        for (uint32_t k = 0; k < parts[i].count; ++k)
            written[parts[i].first + k] += parts[i].modes[k] == RT_WRITE;
    }
    test_spawn(&thread, schedule, &players[0]);
    for (int i = 1; i < BEHAVIORS; ++i)
        schedule(&players[i]);
    test_join(&thread);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    for (int i = 0; i < COWNS; ++i) {
        CHECK_EQUAL(test_number_of(cowns[i]), written[i]);
        rt_cown_release(cowns[i]);
    }
    test_end(runtime);
}

static void
writers_that_overlap(uint32_t workers)
{
    static const part parts[BEHAVIORS] = {
        {{RT_WRITE, RT_WRITE}, 0, 2}, {{RT_WRITE, RT_WRITE}, 0, 2}, {{RT_WRITE}, 1, 1}};
    run_parts(workers, parts);
}

static void
readers_and_a_writer(uint32_t workers)
{
    static const part parts[BEHAVIORS] = {{{RT_READ, RT_WRITE}, 0, 2}, {{RT_READ}, 0, 1}, {{RT_WRITE, RT_READ}, 0, 2}};
    run_parts(workers, parts);
}

static void
strangers(uint32_t workers)
{
    static const part parts[BEHAVIORS] = {{{RT_WRITE}, 0, 1}, {{RT_WRITE}, 1, 1}, {{RT_READ}, 1, 1}};
    run_parts(workers, parts);
}

TEST_MAIN({"writers_that_overlap", writers_that_overlap, 2}, {"readers_and_a_writer", readers_and_a_writer, 2},
          {"strangers", strangers, 2})
