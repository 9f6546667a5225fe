/* The seeded scheduler of the tests (-DRT_SYSTEMATIC): exactly one thread runs at a time, and at every atomic operation
 * a seeded generator decides which. In an ordinary build nothing of this exists.
 *
 *   thread     set by                                 then
 *   RUNNABLE   made, woken, or stepped over           may be chosen
 *   BLOCKED    rt_sys_wait on a word it agrees with   RUNNABLE when woken, or when its time is over; when nothing can
 *                                                     run, time goes on to the next deadline; if none: deadlock
 *   ENDED      its function returned                  joined
 *
 * Only the thread that holds the baton runs or touches these states.
 */
#ifndef BOCMAT_RT_SYSTEMATIC_H
#define BOCMAT_RT_SYSTEMATIC_H

#include <stddef.h>

#ifdef RT_SYSTEMATIC

#include <stdbool.h>
#include <stdint.h>

/* Makes the calling thread the only one, holding the baton. */
void rt_sys_begin(uint64_t seed);
/* Every other thread must have been joined. Returns the hash of all decisions taken. */
uint64_t rt_sys_end(void);

/* Every schedule with at most so many delays, instead of seeds. Left alone, a thread goes on until it blocks or pauses,
 * and then the next one does, in a ring; a delay passes over one. rt_sys_search is followed by runs, each from
 * rt_sys_begin to rt_sys_end and with other delays, until rt_sys_search_next says that there are no others. */
void rt_sys_search(uint32_t delays);
bool rt_sys_search_next(void);

/* A place where another thread may go on instead: before an atomic operation on that word, or before something else. */
void rt_sys_step(const volatile void *address);
/* The caller spins for something another thread must do: lets another one go first, if any can run. */
void rt_sys_pause(void);
/* A number from the seed, for tests that want to choose. */
uint64_t rt_sys_random(void);

/* Blocks on `address` until woken: true; or, if `nanoseconds` is not negative, until it times out: false. The caller
 * has seen, since its last step, that the word still says to wait. */
bool rt_sys_wait(const void *address, int64_t nanoseconds);
void rt_sys_wake(const void *address, int count);
/* Virtual: advances by a little with each step and to the deadline when a wait times out. */
int64_t rt_sys_now(void);

/* Called by the maker, by the new thread first and last, and by whoever joins before it really joins. */
int rt_sys_thread_new(void);
void rt_sys_thread_enter(int thread);
void rt_sys_thread_exit(void);
void rt_sys_thread_join(int thread);

#define RT_STEP(address) rt_sys_step(address)

#else

#define RT_STEP(address) ((void)0)

#endif

#endif
