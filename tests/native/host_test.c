#include "host_test.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/atomic.h"
#include "runtime/systematic.h"

/* These are the test's own and must not be points where the scheduler switches: plain C11 atomics. */
static _Atomic(int64_t) passed, failed;
static _Atomic(int64_t) runs, drops, made, destroyed, entered, left;
static _Atomic(int) fail_status, fail_before, fail_count, fail_turn;

static const char *scenario_name = "";
static uint32_t scenario_workers;
static uint64_t scenario_seed;

void
test_check(bool holds, const char *what, const char *file, int line)
{
    if (holds) {
        ++passed;
        return;
    }
    if (++failed <= 20)
        fprintf(stderr, "%s:%d: %s (scenario %s, %" PRIu32 " workers, seed %" PRIu64 ")\n", file, line, what,
                scenario_name, scenario_workers, scenario_seed);
}

void
test_check_equal(int64_t a, int64_t b, const char *what, const char *file, int line)
{
    char text[300];
    if (a == b) {
        ++passed;
        return;
    }
    snprintf(text, sizeof(text), "%s: %" PRId64 " and %" PRId64, what, a, b);
    test_check(false, text, file, line);
}

/* ---- chance and threads ---- */

uint64_t
test_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void
test_point(void)
{
#ifdef RT_SYSTEMATIC
    rt_sys_step(NULL);
#else
    static _Thread_local uint64_t state;
    if (test_random(&state) % 64 == 0)
        sched_yield();
#endif
}

void
test_spawn(test_thread *thread, void (*function)(void *context), void *context)
{
    CHECK_EQUAL(rt_thread_start(&thread->thread, function, context), RT_OK);
}

void
test_join(test_thread *thread)
{
    rt_thread_join(&thread->thread);
}

/* ---- the host ---- */

enum { NUMBER = 1, COWN = 2 };

typedef struct {
    test_body body;
    _Alignas(16) char captures[];
} closure;

static _Thread_local rt_runtime *current;

static int
host_enter(rt_worker *worker)
{
    (void)worker;
    int turn = fail_turn++;

    if (turn >= fail_before && turn < fail_before + fail_count)
        return fail_status;
    test_point();
    current = rt_worker_runtime(worker);
    rt_worker_set_data(worker, &entered);
    ++entered;
    return RT_OK;
}

static void
host_leave(rt_worker *worker)
{
    CHECK(rt_worker_self() == worker && rt_worker_data(worker) == &entered);
    ++left;
}

/* Whether a thread is idle, as the runtime told it. */
static _Thread_local bool idle;

static void
host_idle(rt_worker *worker)
{
    CHECK(rt_worker_self() == worker && !idle);
    idle = true;
}

static void
host_busy(rt_worker *worker)
{
    CHECK(rt_worker_self() == worker && idle);
    idle = false;
}

static void
host_run(rt_worker *worker, rt_behavior *behavior)
{
    closure *call = rt_behavior_captures(behavior);
    if (idle || rt_worker_self() != worker)
        test_check(false, "run while busy, on the worker's own thread", __FILE__, __LINE__);
    call->body(behavior, call->captures);
    ++runs;
}

static void
host_drop(rt_behavior *behavior)
{
    (void)behavior;
    ++drops;
}

static void
host_destroy(rt_value value)
{
    CHECK(value.kind == NUMBER || value.kind == COWN);
    ++destroyed;
    if (value.kind == COWN)
        rt_cown_release((rt_cown *)value.data); /* NOLINT(performance-no-int-to-ptr): a value is two words */
}

const rt_host test_host = {
    .enter = host_enter,
    .leave = host_leave,
    .idle = host_idle,
    .busy = host_busy,
    .run = host_run,
    .drop = host_drop,
    .destroy = host_destroy,
};

test_counts
test_counted(void)
{
    return (test_counts){runs, drops, made, destroyed, entered, left};
}

void
test_fail_enter(int status, int before, int count)
{
    fail_turn = 0;
    fail_status = status;
    fail_before = before;
    fail_count = count;
}

rt_runtime *
test_runtime(void)
{
    return current;
}

/* ---- cowns and behaviors ---- */

rt_value
test_value(int64_t number)
{
    ++made;
    return (rt_value){NUMBER, (uintptr_t)number};
}

rt_cown *
test_cown(int64_t number)
{
    rt_cown *cown = rt_cown_new(&test_host, test_value(number));
    CHECK(cown != NULL);
    return cown;
}

rt_cown *
test_cown_of_cown(rt_cown *held)
{
    ++made;
    return rt_cown_new(&test_host, (rt_value){COWN, (uintptr_t)held});
}

int64_t
test_number_of(rt_cown *cown)
{
    return (int64_t)rt_cown_value(cown)->data;
}

int64_t
test_number(rt_behavior *behavior, uint32_t index)
{
    return test_number_of(rt_behavior_argument(behavior, index).cown);
}

void
test_set_number(rt_behavior *behavior, uint32_t index, int64_t number)
{
    rt_cown_value(rt_behavior_argument(behavior, index).cown)->data = (uintptr_t)number;
}

void
test_set_result(rt_behavior *behavior, int64_t number)
{
    *rt_cown_value(rt_behavior_result(behavior)) = test_value(number);
}

rt_behavior *
test_make(test_body body, const void *captures, size_t size, const test_argument *arguments, uint32_t count)
{
    rt_behavior *behavior = rt_behavior_new(&test_host, count, sizeof(closure) + size);
    closure *call = rt_behavior_captures(behavior);

    call->body = body;
    if (size)
        memcpy(call->captures, captures, size);
    for (uint32_t i = 0; i < count; ++i)
        rt_behavior_set(behavior, i, arguments[i].cown, arguments[i].mode);
    return behavior;
}

int
test_schedule(rt_runtime *runtime, test_body body, const void *captures, size_t size, const test_argument *arguments,
              uint32_t count, rt_cown **result)
{
    rt_behavior *behavior = test_make(body, captures, size, arguments, count);
    int status;

    if (result) {
        *result = rt_behavior_result(behavior);
        rt_cown_retain(*result);
    }
    status = rt_schedule(runtime, behavior);
    if (status != RT_OK)
        rt_behavior_discard(behavior);
    return status;
}

void
test_run_here(rt_behavior *behavior)
{
    closure *call = rt_behavior_captures(behavior);

    call->body(behavior, call->captures);
}

void
test_guard_enter(test_guard *guard, rt_mode mode)
{
    if (mode == RT_WRITE) {
        CHECK_EQUAL(guard->writers++, 0);
        CHECK_EQUAL(guard->readers, 0);
    } else {
        int readers = ++guard->readers, most = guard->most_readers;
        CHECK_EQUAL(guard->writers, 0);
        while (most < readers && !atomic_compare_exchange_weak(&guard->most_readers, &most, readers)) {}
    }
}

void
test_guard_leave(test_guard *guard, rt_mode mode)
{
    if (mode == RT_WRITE)
        CHECK_EQUAL(guard->writers--, 1);
    else
        CHECK(guard->readers-- >= 1);
}

/* ---- runtimes ---- */

rt_runtime *
test_begin(uint32_t workers)
{
    rt_runtime *runtime = rt_runtime_new(&test_host);
    CHECK(runtime != NULL && !rt_running(runtime));
    CHECK_EQUAL(rt_start(runtime, workers), RT_OK);
    CHECK_EQUAL(rt_workers(runtime), workers);
    return runtime;
}

void
test_end(rt_runtime *runtime)
{
    uint64_t executed = 0;

    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    CHECK_EQUAL(rt_in_flight(runtime), 0);
    for (uint32_t i = 0; i < rt_workers(runtime); ++i)
        executed += rt_stats(runtime, i).executed;
    CHECK_EQUAL(rt_stop(runtime), 0);
    CHECK((int64_t)executed <= runs);
    rt_runtime_free(runtime);
}

/* ---- main ---- */

static void
run_scenario(const test_scenario *scenario, uint32_t workers)
{
    runs = drops = made = destroyed = entered = left = 0;
    fail_count = 0;
    scenario_name = scenario->name;
    scenario_workers = workers;
    scenario->run(workers);
    CHECK_EQUAL(made, destroyed);
    CHECK_EQUAL(entered, left);
}

static bool
wanted(const test_scenario *scenario, int argc, char **argv)
{
    for (int i = 1; i < argc; ++i)
        if (strstr(scenario->name, argv[i]))
            return true;
    return argc < 2;
}

#ifdef RT_SYSTEMATIC

enum { TWICE_EVERY = 25 };

static uint64_t
number_of_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text && *text ? strtoull(text, NULL, 10) : otherwise;
}

static uint64_t
run_seeded(const test_scenario *scenario, uint64_t seed)
{
    uint32_t most = scenario->most_workers ? scenario->most_workers : 8;
    uint64_t state = seed;
    /* Few workers meet more often; up to eight now and then. */
    uint64_t choice = test_random(&state);
    uint32_t workers = 1 + (uint32_t)(choice % (choice >> 32 & 7 ? 3 : most));

    if (workers > most)
        workers = most;
    scenario_seed = seed;
    rt_sys_begin(seed);
    run_scenario(scenario, workers);
    return rt_sys_end();
}

/* Every schedule with up to so many delays. */
static void
run_delayed(const test_scenario *scenario, uint32_t delays)
{
    uint64_t schedules = 0;
    uint32_t workers = scenario->most_workers ? scenario->most_workers : 2;

    rt_sys_search(delays);
    do {
        rt_sys_begin(scenario_seed = 1);
        run_scenario(scenario, workers);
        rt_sys_end();
        ++schedules;
    } while (!failed && rt_sys_search_next());
    printf("%s: %" PRIu64 " schedules with up to %" PRIu32 " delays, ", scenario->name, schedules, delays);
}

static void
run_all(int argc, char **argv, const test_scenario *scenarios, size_t count)
{
    uint32_t delays = (uint32_t)number_of_environment("DELAYS", 0);

    for (size_t i = 0; delays && i < count; ++i)
        if (wanted(&scenarios[i], argc, argv))
            run_delayed(&scenarios[i], delays);
    if (delays)
        return;

    uint64_t seeds = number_of_environment("SEEDS", 100), first = number_of_environment("SEED", 1), hash = 0;

    for (uint64_t seed = first; seed < first + seeds; ++seed) {
        for (size_t i = 0; i < count; ++i) {
            if (!wanted(&scenarios[i], argc, argv))
                continue;
            uint64_t trace = run_seeded(&scenarios[i], seed);
            hash = hash * UINT64_C(0x100000001b3) ^ trace;
            if (seed % TWICE_EVERY == 0 || seeds == 1)
                CHECK_EQUAL(run_seeded(&scenarios[i], seed), trace); /* a seed replays exactly */
        }
    }
    printf("seeds %" PRIu64 " to %" PRIu64 ", trace %016" PRIx64 ", ", first, first + seeds - 1, hash);
}

#else

static void
run_all(int argc, char **argv, const test_scenario *scenarios, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        uint32_t most = scenarios[i].most_workers ? scenarios[i].most_workers : 8;
        for (uint32_t workers = 1; wanted(&scenarios[i], argc, argv) && workers <= most; ++workers)
            run_scenario(&scenarios[i], workers);
    }
}

#endif

int
test_main(int argc, char **argv, const test_scenario *scenarios, size_t count)
{
    const char *name = strrchr(argv[0], '/');

    printf("%s: ", name ? name + 1 : argv[0]);
    fflush(stdout);
    run_all(argc, argv, scenarios, count);
    printf("%" PRId64 " passed, %" PRId64 " failed\n", (int64_t)passed, (int64_t)failed);
    return failed ? 1 : 0;
}
