/* The seeded scheduler: see systematic.h. Compiled to nothing but in the tests that ask for it. */
#ifdef RT_SYSTEMATIC

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "systematic.h"

#include <inttypes.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_THREADS = 64, STEP_NANOSECONDS = 20 };

/* So many steps, and something spins that nobody will ever let go. */
#define MOST_STEPS UINT64_C(20000000)
/* A wait as long as this counts as one without end: else no deadlock would be found. */
#define FOR_EVER   INT64_C(1000000000000)

typedef enum { RUNNABLE, BLOCKED, ENDED } thread_state;

typedef struct {
    sem_t baton;
    thread_state state;
    const void *address; /* BLOCKED: on this */
    int64_t deadline;    /* BLOCKED: until then, or -1 */
    bool timed_out;
} thread;

static struct {
    bool active;
    thread threads[MOST_THREADS];
    int count, current;
    uint64_t seed, random, hash, steps;
    uint32_t chance; /* of a switch at a step, in 256ths */
    int64_t now;
} sys;

static _Thread_local int self;

uint64_t
rt_sys_random(void)
{
    uint64_t z = (sys.random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

typedef struct {
    uint32_t delays, most; /* taken here; as many as there was another thread for, and were left */
} decision;

static struct {
    bool on;
    uint32_t delays, left;
    decision *decisions;
    size_t count, place, room;
} search;

static void
fail(const char *what)
{
    static const char *const names[] = {"runnable", "blocked", "ended"};
    fprintf(stderr, "%s with seed %" PRIu64 " after %" PRIu64 " steps\n", what, sys.seed, sys.steps);
    for (size_t i = 0; search.on && i < search.place; ++i)
        if (search.decisions[i].delays)
            fprintf(stderr, "  decision %zu of %zu: %" PRIu32 " delays\n", i, search.place, search.decisions[i].delays);
    for (int i = 0; i < sys.count; ++i)
        fprintf(stderr, "  thread %d %s on %p%s\n", i, names[sys.threads[i].state], sys.threads[i].address,
                i == self ? ", this one" : "");
    abort();
}

/* Only one core: the others could not run anyway, and a baton passed on the same core is passed faster. */
static void
stay_on_one_core(void)
{
#if defined(__linux__)
    cpu_set_t cores;
    int core = sched_getcpu();
    CPU_ZERO(&cores);
    CPU_SET((size_t)(core < 0 ? 0 : core), &cores);
    sched_setaffinity(0, sizeof(cores), &cores);
#endif
}

static void
take_baton(void)
{
    while (sem_wait(&sys.threads[self].baton) != 0) {}
}

static void
give_baton(int to)
{
    sys.current = to;
    sem_post(&sys.threads[to].baton);
}

static void
switch_to(int to)
{
    sys.hash = (sys.hash ^ (uint64_t)(to + 1)) * UINT64_C(0x100000001b3);
    if (to == self)
        return;
    give_baton(to);
    take_baton();
}

/* ---- every schedule with few delays: delay bounding (Emmi, Qadeer, Rakamaric 2011) ---- */

/* How many threads to pass over here, of `most` that can be. */
static int
delays_here(int most)
{
    if (search.place == search.count) {
        if (search.count == search.room) {
            search.room = search.room ? 2 * search.room : 1024;
            search.decisions = realloc(search.decisions, search.room * sizeof(decision));
            if (!search.decisions)
                fail("no memory");
        }
        search.decisions[search.count++] = (decision){0, (uint32_t)most < search.left ? (uint32_t)most : search.left};
    }
    decision *here = &search.decisions[search.place++];
    search.left -= here->delays;
    return (int)here->delays;
}

void
rt_sys_search(uint32_t delays)
{
    search.on = true;
    search.delays = delays;
    search.count = 0;
}

bool
rt_sys_search_next(void)
{
    while (search.count > 0) {
        decision *last = &search.decisions[search.count - 1];
        if (last->delays < last->most) {
            ++last->delays;
            return true;
        }
        --search.count;
    }
    search.on = false;
    return false;
}

/* ---- choosing ---- */

/* A runnable thread by chance, other than `except`, or -1. */
static int
choose(int except)
{
    int found[MOST_THREADS], count = 0;
    for (int n = 1; n <= sys.count; ++n) {
        int i = (self + n) % sys.count;
        if (i != except && sys.threads[i].state == RUNNABLE)
            found[count++] = i;
    }
    if (count == 0)
        return -1;
    return found[search.on ? (uint64_t)delays_here(count - 1) : rt_sys_random() % (uint64_t)count];
}

/* In a search: whether to go on here, and if not, with whom. */
static void
delay_step(void)
{
    int found[MOST_THREADS], count = 0, delays;
    for (int n = 1; n < sys.count; ++n) {
        int i = (self + n) % sys.count;
        if (sys.threads[i].state == RUNNABLE)
            found[count++] = i;
    }
    delays = count ? delays_here(count) : 0;
    if (delays)
        switch_to(found[delays - 1]);
}

/* The one whose wait ends first; time moves there. -1: nobody's ever does. */
static int
let_one_time_out(void)
{
    int first = -1;
    for (int i = 0; i < sys.count; ++i) {
        const thread *one = &sys.threads[i];
        if (one->state == BLOCKED && one->deadline >= 0 && (first < 0 || one->deadline < sys.threads[first].deadline))
            first = i;
    }
    if (first >= 0) {
        if (sys.now < sys.threads[first].deadline)
            sys.now = sys.threads[first].deadline;
        sys.threads[first].state = RUNNABLE;
        sys.threads[first].timed_out = true;
    }
    return first;
}

/* Waits whose time is over end, as time goes by. */
static void
let_time_out(void)
{
    for (int i = 0; i < sys.count; ++i) {
        thread *one = &sys.threads[i];
        if (one->state == BLOCKED && one->deadline >= 0 && one->deadline <= sys.now) {
            one->state = RUNNABLE;
            one->timed_out = true;
        }
    }
}

static void
count_step(void)
{
    sys.now += STEP_NANOSECONDS;
    if (++sys.steps > MOST_STEPS)
        fail("no end");
    if (sys.steps % 64 == 0)
        let_time_out();
}

void
rt_sys_step(const volatile void *address)
{
    (void)address;
    if (!sys.active)
        return;
    count_step();
    if (search.on) {
        delay_step();
        return;
    }
    uint64_t chance = rt_sys_random();
    if ((uint32_t)(chance & 255) >= sys.chance)
        return;
    /* Now and then a wait ends for no reason, as an operating system's may. */
    if (chance >> 8 & 255) {
        int to = choose(self);
        if (to >= 0)
            switch_to(to);
        return;
    }
    int lucky = (int)(rt_sys_random() % (uint64_t)sys.count);
    if (sys.threads[lucky].state == BLOCKED)
        sys.threads[lucky].state = RUNNABLE;
}

void
rt_sys_pause(void)
{
    if (!sys.active)
        return;
    count_step();
    int to = choose(self);
    if (to < 0)
        to = let_one_time_out();
    if (to >= 0)
        switch_to(to);
}

static void
block(const void *address, int64_t nanoseconds)
{
    thread *me = &sys.threads[self];
    me->state = BLOCKED;
    me->address = address;
    me->deadline = nanoseconds < 0 || nanoseconds > FOR_EVER ? -1 : sys.now + nanoseconds;
    me->timed_out = false;
    int to = choose(-1);
    if (to < 0)
        to = let_one_time_out();
    if (to < 0)
        fail("deadlock");
    switch_to(to);
}

bool
rt_sys_wait(const void *address, int64_t nanoseconds)
{
    if (!sys.active)
        fail("a wait outside the seeded scheduler");
    block(address, nanoseconds);
    return !sys.threads[self].timed_out;
}

void
rt_sys_wake(const void *address, int count)
{
    int start = search.on ? 0 : (int)(rt_sys_random() % (uint64_t)(sys.count ? sys.count : 1));
    for (int i = 0; i < sys.count && count > 0; ++i) {
        thread *one = &sys.threads[(start + i) % sys.count];
        if (one->state == BLOCKED && one->address == address) {
            one->state = RUNNABLE;
            --count;
        }
    }
}

int64_t
rt_sys_now(void)
{
    return sys.now;
}

int
rt_sys_thread_new(void)
{
    if (sys.count == MOST_THREADS)
        fail("too many threads");
    thread *one = &sys.threads[sys.count];
    sem_init(&one->baton, 0, 0);
    one->state = RUNNABLE;
    one->address = NULL;
    return sys.count++;
}

void
rt_sys_thread_enter(int number)
{
    self = number;
    take_baton();
}

void
rt_sys_thread_exit(void)
{
    sys.threads[self].state = ENDED;
    rt_sys_wake(&sys.threads[self], MOST_THREADS);
    int to = choose(-1);
    if (to < 0)
        to = let_one_time_out();
    if (to < 0)
        fail("deadlock");
    sys.hash = (sys.hash ^ (uint64_t)(to + 1)) * UINT64_C(0x100000001b3);
    give_baton(to);
}

void
rt_sys_thread_join(int number)
{
    while (sys.threads[number].state != ENDED)
        block(&sys.threads[number], -1);
}

void
rt_sys_begin(uint64_t seed)
{
    static bool pinned;
    if (!pinned)
        stay_on_one_core();
    pinned = true;
    sys.seed = sys.random = seed;
    sys.chance = (uint32_t)(32 + rt_sys_random() % 96); /* an eighth to a half */
    sys.hash = UINT64_C(0xcbf29ce484222325);
    sys.steps = 0;
    search.place = 0;
    search.left = search.delays;
    sys.now = 1000000000;
    sys.count = sys.current = 0;
    rt_sys_thread_new();
    self = 0;
    sys.active = true;
}

uint64_t
rt_sys_end(void)
{
    for (int i = 1; i < sys.count; ++i)
        if (sys.threads[i].state != ENDED)
            fail("a thread that was not joined");
    for (int i = 0; i < sys.count; ++i)
        sem_destroy(&sys.threads[i].baton);
    sys.active = false;
    return sys.hash ^ sys.steps;
}

#else

/* ISO C wants a translation unit to hold something. */
typedef int rt_systematic_is_off;

#endif
