/* Atomic operations with their memory order in the name. Each is also a point where the seeded scheduler may switch. */
#ifndef BOCMAT_RT_ATOMIC_H
#define BOCMAT_RT_ATOMIC_H

#include <stdatomic.h>
#include <stdint.h>

#include "systematic.h"

#define RT_CACHE_LINE 64

typedef _Atomic(uint32_t) rt_atomic_u32;
typedef _Atomic(uint64_t) rt_atomic_u64;

#define rt_load_relaxed(at) (RT_STEP(at), atomic_load_explicit((at), memory_order_relaxed))
#define rt_load_acquire(at) (RT_STEP(at), atomic_load_explicit((at), memory_order_acquire))
#define rt_load_seq_cst(at) (RT_STEP(at), atomic_load_explicit((at), memory_order_seq_cst))

#define rt_store_relaxed(at, value) (RT_STEP(at), atomic_store_explicit((at), (value), memory_order_relaxed))
#define rt_store_release(at, value) (RT_STEP(at), atomic_store_explicit((at), (value), memory_order_release))
#define rt_store_seq_cst(at, value) (RT_STEP(at), atomic_store_explicit((at), (value), memory_order_seq_cst))

#define rt_exchange_acquire(at, value) (RT_STEP(at), atomic_exchange_explicit((at), (value), memory_order_acquire))
#define rt_exchange_release(at, value) (RT_STEP(at), atomic_exchange_explicit((at), (value), memory_order_release))
#define rt_exchange_acq_rel(at, value) (RT_STEP(at), atomic_exchange_explicit((at), (value), memory_order_acq_rel))

#define rt_fetch_add_relaxed(at, value) (RT_STEP(at), atomic_fetch_add_explicit((at), (value), memory_order_relaxed))
#define rt_fetch_add_release(at, value) (RT_STEP(at), atomic_fetch_add_explicit((at), (value), memory_order_release))
#define rt_fetch_add_acq_rel(at, value) (RT_STEP(at), atomic_fetch_add_explicit((at), (value), memory_order_acq_rel))
#define rt_fetch_add_seq_cst(at, value) (RT_STEP(at), atomic_fetch_add_explicit((at), (value), memory_order_seq_cst))
#define rt_fetch_sub_relaxed(at, value) (RT_STEP(at), atomic_fetch_sub_explicit((at), (value), memory_order_relaxed))
#define rt_fetch_sub_acq_rel(at, value) (RT_STEP(at), atomic_fetch_sub_explicit((at), (value), memory_order_acq_rel))
#define rt_fetch_sub_seq_cst(at, value) (RT_STEP(at), atomic_fetch_sub_explicit((at), (value), memory_order_seq_cst))
#define rt_fetch_or_acq_rel(at, value)  (RT_STEP(at), atomic_fetch_or_explicit((at), (value), memory_order_acq_rel))

/* Compare and swap: the order of success is in the name; on failure `*expected` is what was seen, relaxed. */
#define rt_cas_acquire(at, expected, value) \
    (RT_STEP(at),                           \
     atomic_compare_exchange_strong_explicit((at), (expected), (value), memory_order_acquire, memory_order_relaxed))
#define rt_cas_release(at, expected, value) \
    (RT_STEP(at),                           \
     atomic_compare_exchange_strong_explicit((at), (expected), (value), memory_order_release, memory_order_relaxed))
#define rt_cas_seq_cst(at, expected, value) \
    (RT_STEP(at),                           \
     atomic_compare_exchange_strong_explicit((at), (expected), (value), memory_order_seq_cst, memory_order_relaxed))
#define rt_cas_acq_rel(at, expected, value) \
    (RT_STEP(at),                           \
     atomic_compare_exchange_strong_explicit((at), (expected), (value), memory_order_acq_rel, memory_order_relaxed))

/* Between a store and a load of something else, on both sides: one of the two sees the other's store. */
#define rt_fence_seq_cst() (RT_STEP(NULL), atomic_thread_fence(memory_order_seq_cst))

/* What an assertion looks at: no step, or the test builds would have others than those without. */
#define rt_load_checked(at) atomic_load_explicit((at), memory_order_acquire)

/* A counter that one thread writes and any thread reads: no read-modify-write needed, and no step for its owner's own
 * read. The release publishes what the owner did before it counted. */
#define rt_load_own(at)  atomic_load_explicit((at), memory_order_relaxed)
#define rt_count_own(at) rt_store_release((at), rt_load_own(at) + 1)

#endif
