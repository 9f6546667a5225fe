/* Behaviors that are cancelled, by somebody or because nobody wants their results, against those that begin. */
#include "host_test.h"

/* What a cancelled behavior leaves. */
enum { LEFT = -1000 };

/* A behavior that holds a cown until the test says so, so that others are known to be waiting. */
static void
stay(rt_behavior *behavior, void *context)
{
    rt_behavior **place = context;
    *place = behavior;
}

static rt_behavior *
shut(rt_runtime *runtime, rt_cown *gate)
{
    rt_behavior *held = NULL, *behavior = test_make(NULL, NULL, 0, (test_argument[]){WRITE(gate)}, 1);

    rt_behavior_on_ready(behavior, stay, &held);
    CHECK_EQUAL(rt_schedule(runtime, behavior), RT_OK);
    CHECK(held == behavior); /* nobody else uses the gate */
    return held;
}

static void
add_one(rt_behavior *behavior, void *captures)
{
    (void)captures;
    test_point();
    for (uint32_t i = 0; i < rt_behavior_count(behavior); ++i)
        if (rt_behavior_argument(behavior, i).mode == RT_WRITE)
            test_set_number(behavior, i, test_number(behavior, i) + 1);
    test_set_result(behavior, 1);
}

static void
give_sum(rt_behavior *behavior, void *captures)
{
    int64_t sum = *(int64_t *)captures;
    test_point();
    for (uint32_t i = 0; i < rt_behavior_count(behavior); ++i)
        sum += test_number(behavior, i);
    test_set_result(behavior, sum);
}

static bool
cancel(rt_cown *result)
{
    rt_value value = test_value(LEFT);
    rt_cancelling answer = rt_cancel(result, value);

    if (answer != RT_CANCELLED_NOW)
        test_host.destroy(value);
    return answer != RT_TOO_LATE;
}

/* One that is sure to wait: it never runs, what depends on it does and at once, and asking again says the same. */
static void
cancelled_while_it_waits(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *gate = test_cown(0), *other = test_cown(7), *result, *sum, *after;
    rt_behavior *held = shut(runtime, gate);
    int64_t none = 0;

    CHECK_EQUAL(WHEN_INTO(&result, runtime, add_one, &none, WRITE(gate), WRITE(other)), RT_OK);
    CHECK_EQUAL(WHEN_INTO(&sum, runtime, give_sum, &none, READ(result)), RT_OK);
    CHECK_EQUAL(WHEN_INTO(&after, runtime, add_one, &none, WRITE(gate), WRITE(other)), RT_OK);
    CHECK(!cancel(gate));
    CHECK(cancel(result));
    CHECK(cancel(result));
    while (rt_in_flight(runtime) > 3) /* all but the one that holds the gate, and the two behind it */
        test_point();
    CHECK_EQUAL(test_number_of(sum), LEFT);
    CHECK(!cancel(sum));
    rt_behavior_finish(held);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK(cancel(result));
    CHECK(!cancel(after));
    CHECK_EQUAL(test_number_of(gate), 1);
    CHECK_EQUAL(test_number_of(other), 8);
    CHECK_EQUAL(test_counted().dropped, 1);
    rt_cown_release(gate);
    rt_cown_release(other);
    rt_cown_release(result);
    rt_cown_release(sum);
    rt_cown_release(after);
    test_end(runtime);
}

/* ---- cancelling against beginning ---- */

enum { RACES = SCALED(1500, 8), CANCELLERS = 2 };

typedef struct {
    rt_cown *results[RACES];
    rt_atomic_u32 ready; /* how many of them are there */
    _Atomic(uint8_t) cancelled[RACES];
} race;

static race the_race;

static void
cancel_all(void *context)
{
    (void)context;
    for (uint32_t i = 0; i < RACES; ++i) {
        while (rt_load_acquire(&the_race.ready) <= i)
            test_point();
        if (cancel(the_race.results[i]))
            the_race.cancelled[i] = 1;
    }
}

/* Each either runs or is cancelled; all who ask hear the same; what depends on it sees which. */
static void
race_of_kind(uint32_t workers, bool serves)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0), *sums[RACES];
    test_thread threads[CANCELLERS];
    int64_t none = 0, run = 0;

    rt_store_relaxed(&the_race.ready, 0u);
    for (int i = 0; i < RACES; ++i)
        the_race.cancelled[i] = 0;
    for (int i = 0; i < CANCELLERS; ++i)
        test_spawn(&threads[i], cancel_all, NULL);
    for (uint32_t i = 0; i < RACES; ++i) {
        rt_behavior *behavior = test_make(add_one, NULL, 0, (test_argument[]){WRITE(cown)}, 1);
        the_race.results[i] = rt_behavior_result(behavior);
        rt_cown_retain(the_race.results[i]);
        if (serves)
            rt_behavior_serve(behavior);
        CHECK_EQUAL(rt_schedule(runtime, behavior), RT_OK);
        CHECK_EQUAL(WHEN_INTO(&sums[i], runtime, give_sum, &none, READ(the_race.results[i])), RT_OK);
        rt_store_release(&the_race.ready, i + 1);
        if (serves && rt_serve_begin(runtime)) {
            rt_behavior *next;
            while ((next = rt_serve_next(runtime)) != NULL) {
                test_run_here(next);
                rt_behavior_finish(next);
            }
            rt_serve_end(runtime);
        }
    }
    for (int i = 0; i < CANCELLERS; ++i)
        test_join(&threads[i]);
    while (serves && rt_quiesce(runtime, 0) != RT_OK) {
        rt_behavior *next = NULL;
        CHECK(rt_serve_begin(runtime));
        if ((next = rt_serve_next(runtime)) != NULL) {
            test_run_here(next);
            rt_behavior_finish(next);
        }
        rt_serve_end(runtime);
        test_point();
    }
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    for (int i = 0; i < RACES; ++i) {
        CHECK_EQUAL(test_number_of(sums[i]), the_race.cancelled[i] ? LEFT : 1);
        CHECK_EQUAL(cancel(the_race.results[i]), the_race.cancelled[i]);
        run += !the_race.cancelled[i];
        rt_cown_release(sums[i]);
        rt_cown_release(the_race.results[i]);
    }
    CHECK_EQUAL(test_number_of(cown), run);
    CHECK_EQUAL(test_counted().dropped, RACES - run);
    rt_cown_release(cown);
    test_end(runtime);
}

static void
cancelling_against_workers(uint32_t workers)
{
    race_of_kind(workers, false);
}

static void
cancelling_against_who_serves(uint32_t workers)
{
    race_of_kind(workers, true);
}

/* Stopping drops what is queued, some of it cancelled before and some while it is dropped. */
static void
cancelling_against_a_stop(uint32_t workers)
{
    enum { COUNT = SCALED(200, 8) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *gate = test_cown(0), *results[COUNT];
    rt_behavior *held = shut(runtime, gate);
    test_thread thread;
    int64_t none = 0;

    for (int i = 0; i < COUNT; ++i)
        CHECK_EQUAL(WHEN_INTO(&results[i], runtime, add_one, &none, WRITE(gate)), RT_OK);
    for (int i = 0; i < RACES; ++i)
        the_race.results[i] = results[i % COUNT];
    rt_store_release(&the_race.ready, (uint32_t)RACES);
    test_spawn(&thread, cancel_all, NULL);
    CHECK_EQUAL(rt_stop(runtime), 0); /* they wait for the gate, and are dropped when that is given back */
    rt_behavior_finish(held);
    test_join(&thread);
    CHECK_EQUAL(rt_in_flight(runtime), 0);
    CHECK_EQUAL(test_counted().dropped, COUNT);
    CHECK_EQUAL(test_number_of(gate), 0);
    for (int i = 0; i < COUNT; ++i)
        rt_cown_release(results[i]);
    rt_cown_release(gate);
    rt_runtime_free(runtime);
}

/* ---- spare ones ---- */

/* The longest way to it: a number that does not grow beyond any bound. */
static void
give_way(rt_behavior *behavior, void *captures)
{
    int64_t longest = 0;
    test_point();
    for (uint32_t i = 0; i < rt_behavior_count(behavior); ++i)
        if (test_number(behavior, i) > longest)
            longest = test_number(behavior, i);
    test_set_result(behavior, longest + *(int64_t *)captures);
}

static rt_cown *
spare_of(rt_runtime *runtime, test_body body, int64_t number, const test_argument *arguments, uint32_t count)
{
    rt_behavior *behavior = test_make(body, &number, sizeof(number), arguments, count);
    rt_cown *result = rt_behavior_result(behavior);

    rt_behavior_spare(behavior);
    rt_cown_retain(result);
    CHECK_EQUAL(rt_schedule(runtime, behavior), RT_OK);
    return result;
}

static rt_cown *
spare(rt_runtime *runtime, int64_t number, const test_argument *arguments, uint32_t count)
{
    return spare_of(runtime, give_sum, number, arguments, count);
}

/* A long line of them, nobody wants the end: nothing of it runs. From the kept one upwards all do. */
static void
line_that_nobody_wants(uint32_t workers)
{
    enum { LENGTH = SCALED(20000, 12), KEPT = LENGTH / 2 };
    for (int keep = 0; keep < 2; ++keep) {
        int64_t before = test_counted().run;
        rt_runtime *runtime = test_begin(workers);
        rt_cown *gate = test_cown(0), *last, *kept = NULL;
        rt_behavior *held = shut(runtime, gate);

        last = spare(runtime, 1, (test_argument[]){READ(gate)}, 1);
        for (int i = 1; i < LENGTH; ++i) {
            rt_cown *next = spare(runtime, 1, (test_argument[]){READ(last)}, 1);
            if (keep && i == KEPT)
                rt_cown_retain(kept = next);
            rt_cown_release(last);
            last = next;
        }
        rt_cown_release(last);
        rt_behavior_finish(held);
        CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
        CHECK_EQUAL(test_counted().run - before, keep ? KEPT + 1 : 0);
        if (kept) {
            CHECK_EQUAL(test_number_of(kept), KEPT + 1);
            rt_cown_release(kept);
        }
        rt_cown_release(gate);
        test_end(runtime);
    }
}

/* What is needed by one that is wanted, or that is not spare, is needed. */
static void
branches_of_which_one_is_wanted(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *gate = test_cown(0), *root, *left, *right, *both, *total;
    rt_behavior *held = shut(runtime, gate);
    int64_t none = 0;

    root = spare(runtime, 1, (test_argument[]){READ(gate)}, 1);
    left = spare(runtime, 10, (test_argument[]){READ(root)}, 1);
    right = spare(runtime, 100, (test_argument[]){READ(root)}, 1);
    both = spare(runtime, 1000, (test_argument[]){READ(left), READ(right)}, 2);
    CHECK_EQUAL(WHEN_INTO(&total, runtime, give_sum, &none, READ(right), READ(right)), RT_OK);
    rt_cown_release(root);
    rt_cown_release(left);
    rt_cown_release(right);
    rt_cown_release(both);
    rt_cown_release(total);
    rt_behavior_finish(held);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_counted().run, 3); /* root, right, total */
    CHECK_EQUAL(test_counted().dropped, 2);
    rt_cown_release(gate);
    test_end(runtime);
}

/* Somebody cancels one in the middle: what only it needs does not run, what depends on it does. */
static void
cancelled_in_the_middle(uint32_t workers)
{
    rt_runtime *runtime = test_begin(workers);
    rt_cown *gate = test_cown(0), *first, *middle, *last;
    rt_behavior *held = shut(runtime, gate);

    first = spare(runtime, 1, (test_argument[]){WRITE(gate)}, 1);
    middle = spare(runtime, 2, (test_argument[]){READ(first)}, 1);
    last = spare(runtime, 4, (test_argument[]){READ(middle)}, 1);
    rt_cown_release(first);
    CHECK(cancel(middle));
    rt_cown_release(middle);
    CHECK_EQUAL(test_counted().dropped, 2);
    rt_behavior_finish(held);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(test_number_of(last), LEFT + 4);
    rt_cown_release(last);
    rt_cown_release(gate);
    test_end(runtime);
}

typedef struct {
    rt_cown **cowns;
    int count, step;
} letting_go;

static void
let_go(void *context)
{
    letting_go *all = context;
    for (int i = 0; i < all->count; i += all->step) {
        test_point();
        rt_cown_release(all->cowns[i]);
    }
}

/* A net of them, let go of by two threads while it runs; those that are kept have the values they always have. */
static void
net_let_go_of_while_it_runs(uint32_t workers)
{
    enum { COUNT = SCALED(2000, 20), KEPT = 5 };
    rt_runtime *runtime = test_begin(workers);
    static rt_cown *results[COUNT];
    static int64_t expected[COUNT];
    uint64_t random = workers;
    test_thread thread;

    for (int i = 0; i < COUNT; ++i) {
        uint64_t choice = test_random(&random);
        int from = i > 30 ? i - 30 : 0;
        int a = i ? from + (int)(choice % (uint64_t)(i - from)) : 0;
        int b = i ? from + (int)((choice >> 32) % (uint64_t)(i - from)) : 0;
        uint32_t count = i ? 1 + (uint32_t)(choice >> 20 & 1) : 0;
        test_argument arguments[2] = {READ(results[a]), READ(results[b])};

        expected[i] = 1;
        for (uint32_t n = 0; n < count; ++n)
            if (expected[n ? b : a] >= expected[i])
                expected[i] = expected[n ? b : a] + 1;
        results[i] = spare_of(runtime, give_way, 1, arguments, count);
    }
    for (int i = 0; i < COUNT; i += KEPT)
        rt_cown_retain(results[i]);
    letting_go odd = {results + 1, COUNT - 1, 2}, even = {results, COUNT, 2};
    test_spawn(&thread, let_go, &odd);
    let_go(&even);
    test_join(&thread);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    for (int i = 0; i < COUNT; i += KEPT) {
        CHECK_EQUAL(test_number_of(results[i]), expected[i]);
        rt_cown_release(results[i]);
    }
    test_end(runtime);
}

TEST_MAIN({"cancelled_while_it_waits", cancelled_while_it_waits, 0},
          {"cancelling_against_workers", cancelling_against_workers, 0},
          {"cancelling_against_who_serves", cancelling_against_who_serves, 0},
          {"cancelling_against_a_stop", cancelling_against_a_stop, 3},
          {"line_that_nobody_wants", line_that_nobody_wants, 0},
          {"branches_of_which_one_is_wanted", branches_of_which_one_is_wanted, 3},
          {"cancelled_in_the_middle", cancelled_in_the_middle, 3},
          {"net_let_go_of_while_it_runs", net_let_go_of_while_it_runs, 0})
