/* Parking: see the table in park.h. */
#include "park.h"

#define SEARCHING 1u
#define SLEEPING  65536u

static inline uint32_t
searching(uint32_t counts)
{
    return counts % SLEEPING;
}

static inline uint32_t
sleeping(uint32_t counts)
{
    return counts / SLEEPING;
}

bool
rt_parking_search(rt_parking *parking, uint32_t most)
{
    if (searching(rt_load_relaxed(&parking->counts)) >= most)
        return false;
    rt_fetch_add_seq_cst(&parking->counts, SEARCHING);
    return true;
}

bool
rt_parking_found(rt_parking *parking)
{
    return searching(rt_fetch_sub_seq_cst(&parking->counts, SEARCHING)) == 1;
}

void
rt_parking_park(rt_parking *parking, rt_sleeper *self, bool searching)
{
    rt_lock_take(&parking->lock);
    rt_store_relaxed(&self->asleep, 1u);
    self->next = parking->first;
    parking->first = self;
    rt_fetch_add_seq_cst(&parking->counts, searching ? SLEEPING - SEARCHING : SLEEPING);
    rt_lock_drop(&parking->lock);
    rt_fence_seq_cst();
}

void
rt_parking_cancel(rt_parking *parking, rt_sleeper *self)
{
    rt_lock_take(&parking->lock);
    for (rt_sleeper **at = &parking->first; *at; at = &(*at)->next) {
        if (*at == self) {
            *at = self->next;
            rt_store_relaxed(&self->asleep, 0u);
            rt_fetch_sub_seq_cst(&parking->counts, SLEEPING - SEARCHING);
            break;
        }
    }
    rt_lock_drop(&parking->lock);
}

void
rt_parking_sleep(rt_sleeper *self)
{
    while (rt_load_acquire(&self->asleep))
        rt_wait(&self->asleep, 1u, -1);
}

/* Takes the first sleeper off the list, with the lock held. Once its word is 0 it may be gone: the address remains. */
static rt_atomic_u32 *
rouse(rt_parking *parking)
{
    rt_sleeper *sleeper = parking->first;
    if (!sleeper)
        return NULL;
    parking->first = sleeper->next;
    rt_fetch_sub_seq_cst(&parking->counts, SLEEPING - SEARCHING);
    sleeper->waker = rt_core();
    rt_store_release(&sleeper->asleep, 0u);
    return &sleeper->asleep;
}

bool
rt_parking_wake_one(rt_parking *parking)
{
    rt_atomic_u32 *word = NULL;
    uint32_t counts;

    rt_fence_seq_cst();
    counts = rt_load_relaxed(&parking->counts);
    if (sleeping(counts) == 0 || searching(counts) > 0)
        return false;
    rt_lock_take(&parking->lock);
    if (searching(rt_load_seq_cst(&parking->counts)) == 0)
        word = rouse(parking);
    rt_lock_drop(&parking->lock);
    if (word)
        rt_wake(word, 1);
    return word;
}

void
rt_parking_wake_all(rt_parking *parking)
{
    rt_atomic_u32 *word;
    do {
        rt_lock_take(&parking->lock);
        word = rouse(parking);
        rt_lock_drop(&parking->lock);
        if (word)
            rt_wake(word, 1);
    } while (word);
}
