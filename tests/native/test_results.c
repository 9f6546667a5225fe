/* Results: fan-out and fan-in, behaviors on results of behaviors, results nobody keeps. */
#include "host_test.h"

static void
give(rt_behavior *behavior, void *captures)
{
    test_set_result(behavior, *(int64_t *)captures);
}

static void
give_sum(rt_behavior *behavior, void *captures)
{
    int64_t sum = 0;
    (void)captures;
    for (uint32_t i = 0; i < rt_behavior_count(behavior); ++i)
        sum += test_number(behavior, i);
    test_set_result(behavior, sum);
}

static void
fan_out_and_in(uint32_t workers)
{
    enum { PARTS = SCALED(300, 20) };
    rt_runtime *runtime = test_begin(workers);
    test_argument arguments[PARTS];
    rt_cown *sum;

    for (int64_t i = 0; i < PARTS; ++i) {
        arguments[i].mode = i % 2 ? RT_READ : RT_WRITE;
        CHECK_EQUAL(test_schedule(runtime, give, &i, sizeof(i), NULL, 0, &arguments[i].cown), RT_OK);
    }
    CHECK_EQUAL(test_schedule(runtime, give_sum, NULL, 0, arguments, PARTS, &sum), RT_OK);
    for (int i = 0; i < PARTS; ++i)
        rt_cown_release(arguments[i].cown);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(sum), PARTS * (PARTS - 1) / 2);
    rt_cown_release(sum);
    test_end(runtime);
}

/* A tree of sums, each over two results, scheduled before the leaves have run. */
static void
results_of_results(uint32_t workers)
{
    enum { LEAVES = SCALED(256, 16) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *row[LEAVES];

    for (int64_t i = 0; i < LEAVES; ++i)
        CHECK_EQUAL(test_schedule(runtime, give, &i, sizeof(i), NULL, 0, &row[i]), RT_OK);
    for (int count = LEAVES; count > 1; count /= 2) {
        for (int i = 0; i < count / 2; ++i) {
            rt_cown *left = row[2 * i], *right = row[2 * i + 1];
            CHECK_EQUAL(
                test_schedule(runtime, give_sum, NULL, 0, (test_argument[]){WRITE(left), READ(right)}, 2, &row[i]),
                RT_OK);
            rt_cown_release(left);
            rt_cown_release(right);
        }
    }
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(row[0]), LEAVES * (LEAVES - 1) / 2);
    rt_cown_release(row[0]);
    test_end(runtime);
}

static void
give_one_more(rt_behavior *behavior, void *captures)
{
    (void)captures;
    test_set_result(behavior, test_number(behavior, 0) + 1);
}

/* Each works on the result of the one before; only the last result is kept. */
static void
long_line_of_results(uint32_t workers)
{
    enum { LENGTH = SCALED(20000, 40) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *last;
    int64_t zero = 0;

    CHECK_EQUAL(test_schedule(runtime, give, &zero, sizeof(zero), NULL, 0, &last), RT_OK);
    for (int i = 0; i < LENGTH; ++i) {
        rt_cown *before = last;
        CHECK_EQUAL(test_schedule(runtime, give_one_more, NULL, 0, (test_argument[]){READ(before)}, 1, &last), RT_OK);
        rt_cown_release(before);
    }
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(last), LENGTH);
    rt_cown_release(last);
    test_end(runtime);
}

static void
result_ids_are_unique(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *first = test_cown(0), *result, *second;
    int64_t one = 1;

    CHECK_EQUAL(test_schedule(runtime, give, &one, sizeof(one), NULL, 0, &result), RT_OK);
    second = test_cown(0);
    CHECK(rt_cown_id(first) < rt_cown_id(result) && rt_cown_id(result) < rt_cown_id(second));
    rt_cown_release(first);
    rt_cown_release(result);
    rt_cown_release(second);
    test_end(runtime);
}

/* A behavior waits for the result of one that is never scheduled: discarding that one lets it go. */
static void
result_of_a_discarded_behavior(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_behavior *never = test_make(give, &(int64_t){1}, sizeof(int64_t), NULL, 0);
    rt_cown *cown = test_cown(7), *sum;

    CHECK_EQUAL(test_schedule(runtime, give_sum, NULL, 0,
                              (test_argument[]){WRITE(cown), READ(rt_behavior_result(never))}, 2, &sum),
                RT_OK);
    CHECK_EQUAL(rt_quiesce(runtime, 0), RT_TIMEOUT);
    CHECK_EQUAL(rt_in_flight(runtime), 1);
    rt_behavior_discard(never);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(sum), 7);
    rt_cown_release(cown);
    rt_cown_release(sum);
    test_end(runtime);
}

/* Values that hold cowns that hold cowns: letting go of the first takes no stack for the others. */
static void
cowns_in_cowns(uint32_t workers)
{
    enum { DEPTH = SCALED(200000, 50) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);

    for (int i = 0; i < DEPTH; ++i)
        cown = test_cown_of_cown(cown);
    rt_cown_release(cown);
    CHECK_EQUAL(test_counted().destroyed, DEPTH + 1);
    test_end(runtime);
}

TEST_MAIN({"fan_out_and_in", fan_out_and_in, 0}, {"results_of_results", results_of_results, 0},
          {"long_line_of_results", long_line_of_results, 0}, {"result_ids_are_unique", result_ids_are_unique, 2},
          {"result_of_a_discarded_behavior", result_of_a_discarded_behavior, 3}, {"cowns_in_cowns", cowns_in_cowns, 1})
