/* Who is awake, who looks for work, who sleeps: so that work is never left to sleepers, and a producer makes no system
 * call while somebody is looking anyway.
 *
 *   worker      counted as     leaves by
 *   RUNNING     nothing        search: SEARCHING, or park: SLEEPING
 *   SEARCHING   searching      found: RUNNING; park: SLEEPING
 *   SLEEPING    sleeping       a waker takes it off the list, or it cancels itself: SEARCHING
 *
 * Both counts are one word, so each change is one step. The list of sleepers, the words they sleep on and `sleeping`
 * change under the lock.
 *
 * No wake-up is lost:
 *   producer   put the item;  fence;  read the word:    nobody sleeps, or somebody searches -> nothing to do
 *   sleeper    change the word (searching -> sleeping);  fence;  look at every queue once more
 * If the producer read the word before the sleeper changed it, the sleeper's second look sees the item. If it read it
 * after, it counted the sleeper. A searcher that made the producer do nothing either becomes such a sleeper, or finds
 * an item; the last one to find looks whether there is more, and if so wakes the next.
 */
#ifndef BOCMAT_RT_PARK_H
#define BOCMAT_RT_PARK_H

#include <stdbool.h>
#include <stdint.h>

#include "atomic.h"
#include "os.h"

typedef struct rt_sleeper {
    rt_atomic_u32 asleep; /* 1: on the list */
    int waker;            /* the core of who took it off */
    struct rt_sleeper *next;
} rt_sleeper;

typedef struct {
    _Alignas(RT_CACHE_LINE) rt_atomic_u32 counts; /* searching + sleeping * 65536 */
    rt_lock lock;
    rt_sleeper *first;
} rt_parking;

/* RUNNING -> SEARCHING, if fewer than `most` search already. */
bool rt_parking_search(rt_parking *parking, uint32_t most);
/* SEARCHING -> RUNNING. True for the last one: look whether there is more work, then wake. */
bool rt_parking_found(rt_parking *parking);
/* SEARCHING or RUNNING -> SLEEPING. The caller looks at every queue once more, then cancels or sleeps. */
void rt_parking_park(rt_parking *parking, rt_sleeper *self, bool searching);
/* SLEEPING -> SEARCHING, by itself (unless a waker was faster: then it is SEARCHING already). */
void rt_parking_cancel(rt_parking *parking, rt_sleeper *self);
/* Until a waker made it SEARCHING. */
void rt_parking_sleep(rt_sleeper *self);
/* Work has been put where others find it. True if somebody was woken. */
bool rt_parking_wake_one(rt_parking *parking);
void rt_parking_wake_all(rt_parking *parking);

#endif
