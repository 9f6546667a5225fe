/* A host for tests in C: behaviors run C functions, values are numbers, and everything made is counted.
 *
 * A program has one topic and a table of scenarios. Each scenario is run on threads with 1 to 8 workers, and unchanged,
 * scaled down, under the seeded scheduler.
 */
#ifndef BOCMAT_HOST_TEST_H
#define BOCMAT_HOST_TEST_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/os.h"
#include "runtime/runtime.h"

/* ---- checks ---- */

void test_check(bool holds, const char *what, const char *file, int line);
#define CHECK(condition)  test_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(a, b) test_check_equal((int64_t)(a), (int64_t)(b), #a " == " #b, __FILE__, __LINE__)
void test_check_equal(int64_t a, int64_t b, const char *what, const char *file, int line);

/* ---- scale and chance ---- */

#ifdef RT_SYSTEMATIC
#define SCALED(full, seeded) (seeded)
#else
#define SCALED(full, seeded) (full)
#endif

/* Where another thread may go on in the middle of a test's own work. */
void test_point(void);
/* Repeatable for a seed. `state` starts anywhere. */
uint64_t test_random(uint64_t *state);

/* ---- threads of the test ---- */

typedef struct {
    rt_thread thread;
} test_thread;

void test_spawn(test_thread *thread, void (*function)(void *context), void *context);
void test_join(test_thread *thread);

/* ---- cowns and behaviors ---- */

typedef struct {
    rt_cown *cown;
    rt_mode mode;
} test_argument;

#define WRITE(cown_) ((test_argument){(cown_), RT_WRITE})
#define READ(cown_)  ((test_argument){(cown_), RT_READ})

typedef void (*test_body)(rt_behavior *behavior, void *captures);

/* A number as a value; counted until it is destroyed. */
rt_value test_value(int64_t number);
/* A cown that holds a number; counted until it is destroyed. */
rt_cown *test_cown(int64_t number);
/* One that holds another cown (takes the reference): destroying one lets go of the other. */
rt_cown *test_cown_of_cown(rt_cown *held);
int64_t test_number(rt_behavior *behavior, uint32_t index);
void test_set_number(rt_behavior *behavior, uint32_t index, int64_t number);
/* Of a cown that nobody holds now. */
int64_t test_number_of(rt_cown *cown);
void test_set_result(rt_behavior *behavior, int64_t number);

rt_behavior *test_make(test_body body, const void *captures, size_t size, const test_argument *arguments,
                       uint32_t count);
/* Makes and schedules; the result's cown, retained, goes to `*result` unless that is NULL. The status of rt_schedule
 * (what it refused is discarded). */
int test_schedule(rt_runtime *runtime, test_body body, const void *captures, size_t size,
                  const test_argument *arguments, uint32_t count, rt_cown **result);

/* What a loop of a test does with a behavior that no worker runs; it finishes it afterwards. */
void test_run_here(rt_behavior *behavior);

/* WHEN(runtime, body, &captures, arguments...) with at least one argument. */
#define WHEN_INTO(result, runtime, body, captures, ...)                                               \
    test_schedule((runtime), (body), (captures), sizeof(*(captures)), (test_argument[]){__VA_ARGS__}, \
                  (uint32_t)(sizeof((test_argument[]){__VA_ARGS__}) / sizeof(test_argument)), (result))
#define WHEN(runtime, body, captures, ...) WHEN_INTO(NULL, runtime, body, captures, __VA_ARGS__)

/* Who is inside a cown, as its behaviors see it: one writer or any number of readers. */
typedef struct {
    _Atomic(int) writers, readers, most_readers;
} test_guard;

void test_guard_enter(test_guard *guard, rt_mode mode);
void test_guard_leave(test_guard *guard, rt_mode mode);

/* The runtime of the behavior that runs now. */
rt_runtime *test_runtime(void);

/* ---- runtimes ---- */

extern const rt_host test_host;

/* What the host was asked to do since the scenario began. */
typedef struct {
    int64_t run, dropped;    /* behaviors */
    int64_t made, destroyed; /* values */
    int64_t entered, left;   /* workers */
} test_counts;
test_counts test_counted(void);
/* The next `count` workers fail to enter with this status, after `before` more have succeeded. */
void test_fail_enter(int status, int before, int count);

/* A new runtime with workers at work; and its end: quiet, nothing dropped, nothing left over. */
rt_runtime *test_begin(uint32_t workers);
void test_end(rt_runtime *runtime);

typedef struct {
    const char *name;
    void (*run)(uint32_t workers);
    uint32_t most_workers; /* 0: 8 */
} test_scenario;

/* The whole of main: runs the scenarios whose names contain argv's, prints `N passed, M failed`. Seeded builds read
 * SEEDS (how many) and SEED (the first) from the environment. */
int test_main(int argc, char **argv, const test_scenario *scenarios, size_t count);
#define TEST_MAIN(...)                                                                     \
    int main(int argc, char **argv)                                                        \
    {                                                                                      \
        const test_scenario scenarios[] = {__VA_ARGS__};                                   \
        return test_main(argc, argv, scenarios, sizeof(scenarios) / sizeof(scenarios[0])); \
    }

#endif
