/* Threads and waiting: a futex on Linux, a table of condition variables elsewhere. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <time.h>

#include <unistd.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#endif

#define NANOSECONDS 1000000000

bool
rt_many_cores(void)
{
#ifdef RT_SYSTEMATIC
    return true;
#else
    return sysconf(_SC_NPROCESSORS_ONLN) != 1;
#endif
}

void
rt_yield(void)
{
#ifndef RT_SYSTEMATIC
    sched_yield();
#endif
}

#if defined(__linux__) && !defined(RT_SYSTEMATIC)

int
rt_core(void)
{
    return sched_getcpu();
}

bool
rt_core_leave(const int *cores, int count)
{
    cpu_set_t allowed, others;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return false;
    others = allowed;
    for (int i = 0; i < count; ++i)
        CPU_CLR((size_t)cores[i], &others);
    if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof others, &others) != 0)
        return false;
    sched_setaffinity(0, sizeof allowed, &allowed);
    return true;
}

#else

int
rt_core(void)
{
    return -1;
}

bool
rt_core_leave(const int *cores, int count)
{
    (void)cores;
    (void)count;
    return false;
}

#endif

#ifdef RT_SYSTEMATIC

int64_t
rt_now(void)
{
    return rt_sys_now();
}

int
rt_wait(rt_atomic_u32 *word, uint32_t expected, int64_t nanoseconds)
{
    if (rt_load_seq_cst(word) != expected)
        return RT_OK;
    return rt_sys_wait((const void *)word, nanoseconds) ? RT_OK : RT_TIMEOUT;
}

void
rt_wake(rt_atomic_u32 *word, int count)
{
    rt_sys_step(word);
    rt_sys_wake((const void *)word, count);
}

void
rt_backoff(uint32_t *rounds)
{
    ++*rounds;
    rt_sys_pause();
}

#else

enum { PAUSES = 64, YIELDS = 512, NAP_NANOSECONDS = 50000 };

static inline void
cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

static struct timespec
timespec_of(int64_t nanoseconds)
{
    return (struct timespec){.tv_sec = (time_t)(nanoseconds / NANOSECONDS),
                             .tv_nsec = (long)(nanoseconds % NANOSECONDS)};
}

int64_t
rt_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NANOSECONDS + now.tv_nsec;
}

void
rt_backoff(uint32_t *rounds)
{
    if (++*rounds < PAUSES) {
        cpu_pause();
    } else if (*rounds < YIELDS) {
        sched_yield();
    } else {
        struct timespec nap = timespec_of(NAP_NANOSECONDS);
        nanosleep(&nap, NULL);
    }
}

#if defined(__linux__)

int
rt_wait(rt_atomic_u32 *word, uint32_t expected, int64_t nanoseconds)
{
    struct timespec limit = timespec_of(nanoseconds < 0 ? 0 : nanoseconds);
    long answer = syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, nanoseconds < 0 ? NULL : &limit, NULL, 0);
    if (answer == 0)
        return RT_OK;
    return errno == ETIMEDOUT ? RT_TIMEOUT : errno == EINTR ? RT_INTERRUPTED : RT_OK;
}

void
rt_wake(rt_atomic_u32 *word, int count)
{
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

#else

/* Words are spread over a few mutexes by their address. A waiter tests the word under the mutex and a waker takes it
 * before it wakes, so a change made before the wake is seen or the wake is felt. */
enum { BUCKETS = 64 };

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
} buckets[BUCKETS];
static pthread_once_t buckets_made = PTHREAD_ONCE_INIT;

static void
make_buckets(void)
{
    for (int i = 0; i < BUCKETS; ++i) {
        pthread_mutex_init(&buckets[i].mutex, NULL);
        pthread_cond_init(&buckets[i].changed, NULL);
    }
}

static unsigned
bucket_of(const rt_atomic_u32 *word)
{
    pthread_once(&buckets_made, make_buckets);
    return (unsigned)((uintptr_t)word >> 6) % BUCKETS;
}

int
rt_wait(rt_atomic_u32 *word, uint32_t expected, int64_t nanoseconds)
{
    unsigned i = bucket_of(word);
    struct timespec limit;
    int answer = 0;

    if (nanoseconds >= 0) {
        clock_gettime(CLOCK_REALTIME, &limit);
        int64_t end = limit.tv_nsec + nanoseconds % NANOSECONDS;
        limit.tv_sec += (time_t)(nanoseconds / NANOSECONDS + end / NANOSECONDS);
        limit.tv_nsec = (long)(end % NANOSECONDS);
    }
    pthread_mutex_lock(&buckets[i].mutex);
    if (rt_load_seq_cst(word) == expected) {
        if (nanoseconds < 0)
            answer = pthread_cond_wait(&buckets[i].changed, &buckets[i].mutex);
        else
            answer = pthread_cond_timedwait(&buckets[i].changed, &buckets[i].mutex, &limit);
    }
    pthread_mutex_unlock(&buckets[i].mutex);
    return answer == ETIMEDOUT ? RT_TIMEOUT : RT_OK;
}

void
rt_wake(rt_atomic_u32 *word, int count)
{
    unsigned i = bucket_of(word);
    (void)count; /* others share the bucket: all of them look again */
    pthread_mutex_lock(&buckets[i].mutex);
    pthread_cond_broadcast(&buckets[i].changed);
    pthread_mutex_unlock(&buckets[i].mutex);
}

#endif
#endif

static void *
thread_main(void *argument)
{
    rt_thread *thread = argument;
#ifdef RT_SYSTEMATIC
    rt_sys_thread_enter(thread->number);
#endif
    thread->function(thread->context);
#ifdef RT_SYSTEMATIC
    rt_sys_thread_exit();
#endif
    return NULL;
}

int
rt_thread_start(rt_thread *thread, void (*function)(void *context), void *context)
{
    thread->function = function;
    thread->context = context;
#ifdef RT_SYSTEMATIC
    thread->number = rt_sys_thread_new();
#endif
    return pthread_create(&thread->handle, NULL, thread_main, thread) ? RT_NO_THREAD : RT_OK;
}

void
rt_thread_join(rt_thread *thread)
{
#ifdef RT_SYSTEMATIC
    rt_sys_thread_join(thread->number);
#endif
    pthread_join(thread->handle, NULL);
}

void
rt_mutex_take(rt_mutex *mutex)
{
    uint32_t seen = 0;
    if (rt_cas_acquire(&mutex->state, &seen, 1u))
        return;
    while (rt_exchange_acquire(&mutex->state, 2u) != 0)
        rt_wait(&mutex->state, 2u, -1);
}

void
rt_mutex_drop(rt_mutex *mutex)
{
    if (rt_exchange_release(&mutex->state, 0u) == 2u)
        rt_wake(&mutex->state, 1);
}
