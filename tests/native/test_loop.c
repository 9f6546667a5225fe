/* Behaviors that a thread of the embedder's runs: mixed with others on the same cowns, one server at a time, no call
 * lost, and a stop in between. */
#include "host_test.h"

#include "runtime/loop.h"

enum { THREADS = 3 };

static rt_runtime *the_runtime;
static _Atomic(int) servers; /* that run a behavior just now */
static _Atomic(int64_t) served, worked;
static bool stops; /* the scenario: what is refused then is forgotten */
static test_guard guards[2];

static void
reset(rt_runtime *runtime)
{
    the_runtime = runtime;
    served = worked = 0;
    stops = false;
}

/* Captures: which of the two guards stand for its cowns, and how many more it schedules. */
typedef struct {
    uint32_t which, count;
    uint32_t children;
    bool of_loop;
    rt_cown *cowns[2];
} work;

static void schedule_one(const work *mine);

static void
do_work(rt_behavior *behavior, void *captures)
{
    work *mine = captures;

    CHECK_EQUAL(rt_worker_self() == NULL, mine->of_loop);
    for (uint32_t i = 0; i < mine->count; ++i)
        test_guard_enter(&guards[mine->which ^ i], RT_WRITE);
    for (uint32_t i = 0; i < mine->count; ++i)
        test_set_number(behavior, i, test_number(behavior, i) + 1);
    test_point();
    for (uint32_t i = 0; i < mine->count; ++i)
        test_guard_leave(&guards[mine->which ^ i], RT_WRITE);
    ++*(mine->of_loop ? &served : &worked);
    if (mine->children) {
        work child = *mine;
        child.children = mine->children - 1;
        child.of_loop = !mine->of_loop;
        schedule_one(&child);
    }
}

static void
schedule_one(const work *mine)
{
    test_argument arguments[2] = {WRITE(mine->cowns[mine->which]), WRITE(mine->cowns[!mine->which])};
    rt_behavior *behavior = test_make(do_work, mine, sizeof(*mine), arguments, mine->count);

    if (mine->of_loop)
        rt_behavior_serve(behavior);
    if (rt_schedule(the_runtime, behavior) != RT_OK) {
        CHECK(stops);
        rt_behavior_discard(behavior);
    }
}

static void
run_served(rt_behavior *behavior)
{
    CHECK_EQUAL(servers++, 0);
    test_run_here(behavior);
    --servers;
    rt_behavior_finish(behavior);
}

/* Serves until the loop is empty, or, for one that is not preferred, until another wants to. */
static void
serve(bool preferred)
{
    rt_behavior *behavior;
    while ((preferred || !rt_serve_look(the_runtime).wanted) && (behavior = rt_serve_next(the_runtime)) != NULL)
        run_served(behavior);
    rt_serve_end(the_runtime);
}

static void
wait_serving(bool preferred)
{
    rt_quiesce_waiter waiter;
    int status;

    rt_quiesce_join(the_runtime, &waiter, preferred);
    while ((status = rt_quiesce_serving(&waiter, -1)) == RT_CALLED) {
        serve(preferred);
        rt_quiesce_join(the_runtime, &waiter, preferred);
    }
    rt_serve_quit(the_runtime, &waiter.candidate);
    CHECK_EQUAL(status, RT_OK);
}

typedef struct {
    uint64_t random;
    int count;
    rt_cown *cowns[2];
} source;

static void
schedule_many(void *context)
{
    source *me = context;
    for (int n = 0; n < me->count; ++n) {
        uint64_t choice = test_random(&me->random);
        work mine = {.which = (uint32_t)choice & 1,
                     .count = 1 + (uint32_t)(choice >> 1 & 1),
                     .children = (uint32_t)(choice >> 2 & 1),
                     .of_loop = (choice >> 3 & 1) != 0,
                     .cowns = {me->cowns[0], me->cowns[1]}};
        schedule_one(&mine);
        if (choice >> 4 & 1)
            test_point();
    }
}

static void
spawn_sources(test_thread *threads, source *sources, rt_cown *cowns[2], int count)
{
    for (int i = 0; i < THREADS; ++i) {
        sources[i] = (source){(uint64_t)i + 7, count, {cowns[0], cowns[1]}};
        test_spawn(&threads[i], schedule_many, &sources[i]);
    }
}

/* Many threads schedule both kinds, the calling one waits and serves. */
static void
one_waits(uint32_t workers)
{
    enum { COUNT = SCALED(400, 4) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[2] = {test_cown(0), test_cown(0)};
    test_thread threads[THREADS];
    source sources[THREADS];

    reset(runtime);
    spawn_sources(threads, sources, cowns, COUNT);
    wait_serving(true);
    for (int i = 0; i < THREADS; ++i)
        test_join(&threads[i]);
    wait_serving(true);
    CHECK_EQUAL(worked, test_counted().run);
    CHECK(served + worked >= COUNT * THREADS);
    CHECK_EQUAL(rt_serve_look(runtime).waiting, 0);
    for (int i = 0; i < 2; ++i)
        rt_cown_release(cowns[i]);
    test_end(runtime);
}

static void
wait_unpreferred(void *context)
{
    (void)context;
    wait_serving(false);
}

/* Several wait: all return, whoever serves. */
static void
several_wait(uint32_t workers)
{
    enum { COUNT = SCALED(200, 3) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[2] = {test_cown(0), test_cown(0)};
    test_thread threads[THREADS], waiting[2];
    source sources[THREADS];

    reset(runtime);
    for (int i = 0; i < 2; ++i)
        test_spawn(&waiting[i], wait_unpreferred, NULL);
    spawn_sources(threads, sources, cowns, COUNT);
    for (int i = 0; i < THREADS; ++i)
        test_join(&threads[i]);
    if (workers % 2)
        wait_serving(true);
    wait_serving(false);
    for (int i = 0; i < 2; ++i)
        test_join(&waiting[i]);
    CHECK_EQUAL(worked, test_counted().run);
    for (int i = 0; i < 2; ++i)
        rt_cown_release(cowns[i]);
    test_end(runtime);
}

/* A program's own loop: it comes by now and then; others wait without serving. */
static void
come_by(void *context)
{
    rt_atomic_u32 *over = context;
    while (!rt_load_acquire(over)) {
        uint32_t rounds = 0;
        if (rt_serve_begin(the_runtime))
            serve(true);
        rt_backoff(&rounds);
    }
}

static void
others_wait(uint32_t workers)
{
    enum { COUNT = SCALED(200, 3) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[2] = {test_cown(0), test_cown(0)};
    test_thread threads[THREADS], pumps[2];
    source sources[THREADS];
    rt_atomic_u32 over;

    reset(runtime);
    atomic_init(&over, 0);
    spawn_sources(threads, sources, cowns, COUNT);
    for (int i = 0; i < 2; ++i)
        test_spawn(&pumps[i], come_by, (void *)&over);
    for (int i = 0; i < THREADS; ++i)
        test_join(&threads[i]);
    CHECK_EQUAL(rt_quiesce(runtime, -1), RT_OK);
    rt_store_release(&over, 1u);
    for (int i = 0; i < 2; ++i)
        test_join(&pumps[i]);
    for (int i = 0; i < 2; ++i)
        rt_cown_release(cowns[i]);
    test_end(runtime);
}

/* What is served schedules while another thread tries, over and over, to stop a runtime that is quiet: nothing is
 * refused until the last is done. */
static void
schedule_from_loop(rt_behavior *behavior, void *captures)
{
    work *mine = captures;
    (void)behavior;
    ++served;
    if (mine->children) {
        work child = *mine;
        rt_behavior *next;
        --child.children;
        next = test_make(schedule_from_loop, &child, sizeof(child), (test_argument[]){WRITE(mine->cowns[0])}, 1);
        rt_behavior_serve(next);
        CHECK_EQUAL(rt_schedule(the_runtime, next), RT_OK);
    }
}

static void
stop_when_quiet(void *context)
{
    uint32_t rounds = 0;
    (void)context;
    while (rt_stop_quiet(the_runtime) != RT_OK)
        rt_backoff(&rounds);
}

static void
quiet_stop_meanwhile(uint32_t workers)
{
    enum { COUNT = SCALED(300, 5) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cown = test_cown(0);
    work first = {.children = COUNT - 1, .cowns = {cown}};
    rt_behavior *behavior = test_make(schedule_from_loop, &first, sizeof(first), (test_argument[]){WRITE(cown)}, 1);
    test_thread thread;

    reset(runtime);
    rt_behavior_serve(behavior);
    CHECK_EQUAL(rt_schedule(runtime, behavior), RT_OK);
    test_spawn(&thread, stop_when_quiet, NULL);
    wait_serving(false);
    test_join(&thread);
    CHECK_EQUAL(served, COUNT);
    CHECK(!rt_running(runtime));
    rt_cown_release(cown);
    test_end(runtime);
}

/* A stop in between: everything is run or dropped, once, and what was being served ends as it would. Then it starts
 * again. */
static void
wait_until_told(void *context)
{
    rt_atomic_u32 *over = context;
    while (!rt_load_acquire(over)) {
        uint32_t rounds = 0;
        wait_serving(false);
        rt_backoff(&rounds);
    }
}

static void
stop_in_between(uint32_t workers)
{
    enum { COUNT = SCALED(200, 3), ROUNDS = SCALED(5, 2) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[2] = {test_cown(0), test_cown(0)};
    test_thread threads[THREADS], waiting;
    source sources[THREADS];
    rt_atomic_u32 over;

    reset(runtime);
    stops = true;
    atomic_init(&over, 0);
    test_spawn(&waiting, wait_until_told, (void *)&over);
    for (int round = 0; round < ROUNDS; ++round) {
        spawn_sources(threads, sources, cowns, COUNT);
        test_point();
        CHECK(rt_stop(runtime) >= 0);
        for (int i = 0; i < THREADS; ++i)
            test_join(&threads[i]);
        CHECK_EQUAL(rt_start(runtime, workers), RT_OK);
    }
    rt_store_release(&over, 1u);
    wait_serving(false);
    test_join(&waiting);
    CHECK_EQUAL(worked, test_counted().run);
    CHECK_EQUAL(rt_in_flight(runtime), 0);
    for (int i = 0; i < 2; ++i)
        rt_cown_release(cowns[i]);
    test_end(runtime);
}

/* Dropped, and counted, when nobody ever comes by. */
static void
nobody_serves(uint32_t workers)
{
    enum { COUNT = SCALED(50, 5) };
    rt_runtime *runtime = test_begin(workers);
    rt_cown *cowns[2] = {test_cown(0), test_cown(0)};

    reset(runtime);
    for (int n = 0; n < COUNT; ++n)
        schedule_one(&(work){.which = (uint32_t)n & 1, .count = 1, .of_loop = true, .cowns = {cowns[0], cowns[1]}});
    CHECK_EQUAL(rt_quiesce(runtime, 0), RT_TIMEOUT);
    CHECK_EQUAL(rt_serve_look(runtime).waiting, 2); /* the first of each cown */
    CHECK_EQUAL(rt_stop(runtime), COUNT);
    CHECK_EQUAL(test_counted().dropped, COUNT);
    CHECK_EQUAL(served, 0);
    CHECK_EQUAL(rt_serve_look(runtime).waiting, 0);
    for (int i = 0; i < 2; ++i)
        rt_cown_release(cowns[i]);
    rt_runtime_free(runtime);
}

/* The list of candidates: who is called, and that a call goes on to the next. */
static void
count_call(rt_candidate *candidate)
{
    CHECK(!*(bool *)(void *)(candidate + 1));
    *(bool *)(void *)(candidate + 1) = true;
}

typedef struct {
    rt_candidate candidate;
    bool was_called;
} caller;

static bool
was_called(caller *one)
{
    bool was = one->was_called;
    one->was_called = false;
    return was;
}

static void
calls_are_passed_on(uint32_t workers)
{
    rt_loop loop = {.key = 3};
    rt_link items[2];
    caller a = {.candidate = {.call = count_call}}, b = a, main = a;

    (void)workers;
    main.candidate.preferred = true;
    rt_loop_join(&loop, &a.candidate);
    rt_loop_join(&loop, &b.candidate);
    CHECK(!rt_loop_put(&loop, 1, &items[0]));
    CHECK(!was_called(&a));
    CHECK(rt_loop_put(&loop, 3, &items[0]));
    CHECK(was_called(&a) && !was_called(&b));
    CHECK(rt_loop_put(&loop, 3, &items[1]));
    CHECK(!was_called(&a) && !was_called(&b)); /* it has been called already */
    rt_loop_quit(&loop, &a.candidate);
    CHECK(was_called(&b));
    rt_loop_join(&loop, &main.candidate);
    CHECK(was_called(&main));
    CHECK(!rt_loop_enter(&loop, &b.candidate)); /* leaves it to the preferred one */
    CHECK(rt_loop_look(&loop).wanted);
    rt_loop_quit(&loop, &main.candidate);
    CHECK(was_called(&b));
    CHECK(rt_loop_enter(&loop, &b.candidate));
    CHECK(!rt_loop_enter(&loop, NULL));
    rt_loop_join(&loop, &a.candidate);
    CHECK(!was_called(&a));
    CHECK(rt_loop_take(&loop) == &items[0]);
    rt_loop_leave(&loop);
    CHECK(was_called(&a));
    CHECK(rt_loop_enter(&loop, &a.candidate));
    CHECK(rt_loop_take(&loop) == &items[1] && rt_loop_take(&loop) == NULL);
    rt_loop_leave(&loop);
    CHECK(rt_loop_enter(&loop, NULL)); /* whoever asks, though there is nothing */
    rt_loop_leave(&loop);
    rt_loop_join(&loop, &main.candidate);
    CHECK(!rt_loop_enter(&loop, &main.candidate)); /* there is nothing to serve */
    rt_loop_quit(&loop, &main.candidate);
    CHECK(loop.first == NULL);
}

TEST_MAIN({"one_waits", one_waits, 0}, {"several_wait", several_wait, 0}, {"others_wait", others_wait, 0},
          {"quiet_stop_meanwhile", quiet_stop_meanwhile, 0}, {"stop_in_between", stop_in_between, 0},
          {"nobody_serves", nobody_serves, 0}, {"calls_are_passed_on", calls_are_passed_on, 1})
