/* A cown named more than once is held once, in the stronger of its modes; many cowns in any order. */
#include "host_test.h"

enum { COWNS = 3, ARGUMENTS = 4 };

static test_guard guards[COWNS];

typedef struct {
    uint32_t which[ARGUMENTS];
    rt_mode modes[ARGUMENTS];
    rt_cown *cowns[COWNS];
} naming;

static void
look_at_arguments(rt_behavior *behavior, void *captures)
{
    naming *mine = captures;
    rt_mode strongest[COWNS] = {RT_READ, RT_READ, RT_READ};
    uint32_t first[COWNS] = {ARGUMENTS, ARGUMENTS, ARGUMENTS};

    CHECK_EQUAL(rt_behavior_count(behavior), ARGUMENTS);
    for (uint32_t i = ARGUMENTS; i-- > 0;) {
        first[mine->which[i]] = i;
        if (mine->modes[i] == RT_WRITE)
            strongest[mine->which[i]] = RT_WRITE;
    }
    for (uint32_t i = 0; i < ARGUMENTS; ++i) {
        rt_argument argument = rt_behavior_argument(behavior, i);
        CHECK(argument.cown == mine->cowns[mine->which[i]]);
        CHECK_EQUAL(argument.mode, strongest[mine->which[i]]);
        CHECK_EQUAL(argument.first, first[mine->which[i]]);
    }
    for (uint32_t c = 0; c < COWNS; ++c)
        if (first[c] < ARGUMENTS)
            test_guard_enter(&guards[c], strongest[c]);
    test_point();
    for (uint32_t c = 0; c < COWNS; ++c)
        if (first[c] < ARGUMENTS)
            test_guard_leave(&guards[c], strongest[c]);
}

/* Every way to name three cowns in four arguments, in random modes. */
static void
every_naming(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[COWNS] = {test_cown(0), test_cown(0), test_cown(0)};
    uint64_t random = workers;
    int shapes = COWNS * COWNS * COWNS * COWNS;

    for (int n = 0; n < SCALED(10 * shapes, 20); ++n) {
        int shape = SCALED(n, (int)(test_random(&random) % 81)) % shapes;
        naming names = {.cowns = {cowns[0], cowns[1], cowns[2]}};
        test_argument arguments[ARGUMENTS];
        for (uint32_t i = 0; i < ARGUMENTS; ++i, shape /= COWNS) {
            names.which[i] = (uint32_t)(shape % COWNS);
            names.modes[i] = test_random(&random) % 3 ? RT_READ : RT_WRITE;
            arguments[i] = (test_argument){cowns[names.which[i]], names.modes[i]};
        }
        CHECK_EQUAL(test_schedule(runtime, look_at_arguments, &names, sizeof(names), arguments, ARGUMENTS, NULL),
                    RT_OK);
    }
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    for (int i = 0; i < COWNS; ++i)
        rt_cown_release(cowns[i]);
    test_end(runtime);
}

static void
add_index(rt_behavior *behavior, void *captures)
{
    (void)captures;
    for (uint32_t i = 0; i < rt_behavior_count(behavior); ++i)
        if (rt_behavior_argument(behavior, i).first == i)
            test_set_number(behavior, i, test_number(behavior, i) + 1);
}

/* Hundreds of cowns, every one named three times, in shuffled orders. */
static void
many_cowns(uint32_t workers)
{
    enum { MANY = SCALED(300, 20), TIMES = SCALED(20, 3) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[MANY];
    test_argument arguments[3 * MANY];
    uint64_t random = workers;

    for (int i = 0; i < MANY; ++i)
        cowns[i] = test_cown(0);
    for (int i = 0; i < 3 * MANY; ++i)
        arguments[i] = WRITE(cowns[i % MANY]);
    for (int n = 0; n < TIMES; ++n) {
        for (uint64_t i = 3 * MANY - 1; i > 0; --i) {
            uint64_t j = test_random(&random) % (i + 1);
            test_argument moved = arguments[i];
            arguments[i] = arguments[j];
            arguments[j] = moved;
        }
        CHECK_EQUAL(test_schedule(runtime, add_index, NULL, 0, arguments, 3 * MANY, NULL), RT_OK);
    }
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    for (int i = 0; i < MANY; ++i) {
        CHECK_EQUAL(test_number_of(cowns[i]), TIMES);
        rt_cown_release(cowns[i]);
    }
    test_end(runtime);
}

TEST_MAIN({"every_naming", every_naming, 0}, {"many_cowns", many_cowns, 0})
