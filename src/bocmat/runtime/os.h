/* What the runtime needs of an operating system: threads, a clock, waiting for a word to change; and a tiny lock. */
#ifndef BOCMAT_RT_OS_H
#define BOCMAT_RT_OS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "atomic.h"
#include "runtime.h"

#if defined(__GLIBC__)
/* Small enough for the space that glibc keeps for libraries loaded later; saves a call at every scheduling. */
#define RT_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#else
#define RT_THREAD_LOCAL _Thread_local
#endif

typedef struct rt_thread {
    pthread_t handle;
    void (*function)(void *context);
    void *context;
#ifdef RT_SYSTEMATIC
    int number;
#endif
} rt_thread;

/* `thread` stays where it is until joined. RT_OK or RT_NO_THREAD. */
int rt_thread_start(rt_thread *thread, void (*function)(void *context), void *context);
void rt_thread_join(rt_thread *thread);

/* Monotonic, in nanoseconds. */
int64_t rt_now(void);

/* Whether the machine has more than one core. */
bool rt_many_cores(void);

/* The core that the calling thread runs on; -1 where that cannot be told. */
int rt_core(void);
/* Moves the calling thread to a core that is not among these; false if there is none that it may run on. It may run
 * where it could before. */
bool rt_core_leave(const int *cores, int count);

/* Another thread that waits for this core gets it. */
void rt_yield(void);

/* Sleeps while `*word` is `expected`: RT_OK when woken, when the word differs, or for no reason; RT_TIMEOUT after
 * `nanoseconds` (negative: no limit); RT_INTERRUPTED when this thread handled a signal. */
int rt_wait(rt_atomic_u32 *word, uint32_t expected, int64_t nanoseconds);
/* Wakes up to `count` of those that wait on the word. Does not touch it, so it may be gone already. */
void rt_wake(rt_atomic_u32 *word, int count);

/* Lets another thread have this core: pauses first, yields after some rounds, sleeps a moment after many, so that a
 * lock's holder that lost its core gets it back under any scheduling policy. */
void rt_backoff(uint32_t *rounds);

/* For what takes a few instructions. */
typedef struct {
    rt_atomic_u32 taken;
} rt_lock;

static inline void
rt_lock_take(rt_lock *lock)
{
    uint32_t rounds = 0;
    while (rt_exchange_acquire(&lock->taken, 1u) != 0) {
        do
            rt_backoff(&rounds);
        while (rt_load_relaxed(&lock->taken) != 0);
    }
}

static inline void
rt_lock_drop(rt_lock *lock)
{
    rt_store_release(&lock->taken, 0u);
}

/* For what may take long: start and stop. 0 free, 1 taken, 2 taken and somebody may be waiting. */
typedef struct {
    rt_atomic_u32 state;
} rt_mutex;

void rt_mutex_take(rt_mutex *mutex);
void rt_mutex_drop(rt_mutex *mutex);

#endif
