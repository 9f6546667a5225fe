/* Recycled blocks: see block.h. */
#include "block.h"

#include <pthread.h>
#include <stdlib.h>

#include "os.h"

#if defined(RT_SANITIZED) || defined(RT_SYSTEMATIC) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void *
rt_block_new(size_t size)
{
    return malloc(size);
}

void
rt_block_free(void *block, size_t size)
{
    (void)size;
    free(block);
}

void
rt_blocks_forked(void)
{
}

#else

enum {
    GRAIN = 64,   /* sizes are multiples of it */
    CLASSES = 16, /* so many sizes are recycled */
    BATCH = 32,
    MOST_BATCHES = 512 /* of a size in the depot */
};

typedef struct free_block {
    struct free_block *next;
    struct free_block *next_batch; /* of the first of a batch in the depot */
} free_block;

typedef struct {
    free_block *first; /* at most BATCH */
    uint32_t count;
    free_block *spare; /* a whole batch, or NULL */
} thread_list;

typedef struct {
    thread_list lists[CLASSES];
} thread_cache;

static struct {
    _Alignas(RT_CACHE_LINE) rt_lock lock;
    free_block *batches;
    uint32_t count;
} depot[CLASSES];

static RT_THREAD_LOCAL thread_cache *cache;
static pthread_key_t cache_key;
static pthread_once_t cache_key_made = PTHREAD_ONCE_INIT;

static void
free_list(free_block *block)
{
    while (block) {
        free_block *next = block->next;
        free(block);
        block = next;
    }
}

/* A thread ends: its blocks are nobody's. */
static void
free_cache(void *ending)
{
    thread_cache *its = ending;
    for (int i = 0; i < CLASSES; ++i) {
        free_list(its->lists[i].first);
        free_list(its->lists[i].spare);
    }
    free(its);
    cache = NULL;
}

static void
make_cache_key(void)
{
    if (pthread_key_create(&cache_key, free_cache) != 0)
        abort();
}

static thread_cache *
make_cache(void)
{
    pthread_once(&cache_key_made, make_cache_key);
    cache = calloc(1, sizeof(*cache));
    if (cache)
        pthread_setspecific(cache_key, cache);
    return cache;
}

static void
give_batch(uint32_t class, free_block *batch)
{
    rt_lock_take(&depot[class].lock);
    if (depot[class].count < MOST_BATCHES) {
        batch->next_batch = depot[class].batches;
        depot[class].batches = batch;
        ++depot[class].count;
        batch = NULL;
    }
    rt_lock_drop(&depot[class].lock);
    free_list(batch);
}

static free_block *
take_batch(uint32_t class)
{
    free_block *batch;
    rt_lock_take(&depot[class].lock);
    batch = depot[class].batches;
    if (batch) {
        depot[class].batches = batch->next_batch;
        --depot[class].count;
    }
    rt_lock_drop(&depot[class].lock);
    return batch;
}

void *
rt_block_new(size_t size)
{
    uint32_t class = (uint32_t)((size - 1) / GRAIN);
    thread_cache *mine = cache;

    if (size == 0 || size > CLASSES * GRAIN || (!mine && !(mine = make_cache())))
        return malloc(size);
    thread_list *list = &mine->lists[class];
    if (!list->first) {
        list->first = list->spare ? list->spare : take_batch(class);
        list->spare = NULL;
        if (!list->first)
            return malloc(((size_t)class + 1) * GRAIN);
        list->count = BATCH;
    }
    free_block *block = list->first;
    list->first = block->next;
    --list->count;
    return block;
}

void
rt_block_free(void *block, size_t size)
{
    uint32_t class = (uint32_t)((size - 1) / GRAIN);
    thread_cache *mine = cache;
    free_block *freed = block;

    if (size == 0 || size > CLASSES * GRAIN || (!mine && !(mine = make_cache()))) {
        free(block);
        return;
    }
    thread_list *list = &mine->lists[class];
    if (list->count == BATCH) {
        if (list->spare)
            give_batch(class, list->spare);
        list->spare = list->first;
        list->first = NULL;
        list->count = 0;
    }
    freed->next = list->first;
    list->first = freed;
    ++list->count;
}

void
rt_blocks_forked(void)
{
    for (int i = 0; i < CLASSES; ++i) {
        rt_store_relaxed(&depot[i].lock.taken, 0u);
        depot[i].batches = NULL;
        depot[i].count = 0;
    }
}

#endif
