/* Memory for behaviors and cowns: made by one thread, let go of by another, over and over.
 *
 *   a free block is in   and moves on
 *   a thread's list      one at a time, without a lock; a whole batch at a time to the depot
 *   the depot            a batch at a time, under a lock, to a thread that has none; what is too much is freed
 *
 * A thread holds at most two batches of a size. In builds with a sanitizer every block comes from malloc, so that it
 * sees who uses one too late.
 */
#ifndef BOCMAT_RT_BLOCK_H
#define BOCMAT_RT_BLOCK_H

#include <stddef.h>
#include <stdint.h>

/* 16-aligned, not zeroed; NULL: no memory. */
void *rt_block_new(size_t size);
/* `size` as it was asked for. From any thread. */
void rt_block_free(void *block, size_t size);
/* In the child of a fork: whoever held the lock is gone. */
void rt_blocks_forked(void);

#endif
