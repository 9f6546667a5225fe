/* Memory of large matrices: aligned, in size classes, recycled.
 *
 *   up to 1 MiB   each thread keeps what it frees, up to THREAD_KEEPS bytes
 *   above         the process keeps up to POOL_KEEPS bytes in a short list, the oldest leave first
 *
 * Fresh pages cost more than the arithmetic that fills them, which is why the large ones are kept. The list is
 * guarded by a flag that nobody waits for: who finds it taken goes to malloc, so a fork cannot leave it stuck.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE 1
#endif
#include "matrix_internal.h"

#include <pthread.h>
#include <stdlib.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

enum {
    ALIGNMENT = 64,
    LEAST = 16,      /* doubles */
    STEPS = 4,       /* size classes a doubling */
    THREAD_BINS = 53 /* classes up to 2^17 doubles */
};

static const size_t HUGE_PAGES_FROM = (size_t)4 << 20; /* bytes */
static const size_t THREAD_KEEPS = (size_t)4 << 20;
static const size_t POOL_KEEPS = (size_t)256 << 20;

/* What one thread keeps: per class a list, linked through `parent`. */
typedef struct {
    size_t bytes;
    matrix_buffer *bins[THREAD_BINS];
} thread_bins;

static _Thread_local thread_bins *own_bins;
static pthread_key_t bins_key;
static pthread_once_t bins_once = PTHREAD_ONCE_INIT;

enum { POOL_SLOTS = 32 };

static struct {
    atomic_flag taken;
    size_t bytes;
    int count;
    matrix_buffer *kept[POOL_SLOTS]; /* oldest first */
} pool = {.taken = ATOMIC_FLAG_INIT};

/* The class that holds `count` doubles, and how many it holds: LEAST * 2^k * (1, 1.25, 1.5 or 1.75). */
static int
class_of(size_t count, size_t *capacity)
{
    int doublings = 0, step;
    size_t base = LEAST, unit;

    if (count <= LEAST) {
        *capacity = LEAST;
        return 0;
    }
    while (base * 2 < count) {
        base *= 2;
        doublings++;
    }
    unit = base / STEPS;
    step = (int)((count - base + unit - 1) / unit); /* 1 to 4 */
    *capacity = base + (size_t)step * unit;
    return doublings * STEPS + step;
}

static void
bins_free(void *bins_of_thread)
{
    thread_bins *bins = bins_of_thread;

    own_bins = NULL;
    for (int i = 0; i < THREAD_BINS; i++)
        while (bins->bins[i]) {
            matrix_buffer *next = bins->bins[i]->parent;

            free(bins->bins[i]);
            bins->bins[i] = next;
        }
    free(bins);
}

static void
bins_make_key(void)
{
    (void)pthread_key_create(&bins_key, bins_free);
}

static thread_bins *
bins_here(void)
{
    if (!own_bins) {
        thread_bins *bins = calloc(1, sizeof *bins);

        (void)pthread_once(&bins_once, bins_make_key);
        if (bins && pthread_setspecific(bins_key, bins) == 0)
            own_bins = bins;
        else
            free(bins);
    }
    return own_bins;
}

static matrix_buffer *
pool_take(size_t capacity)
{
    matrix_buffer *found = NULL;

    if (atomic_flag_test_and_set_explicit(&pool.taken, memory_order_acquire))
        return NULL;
    for (int i = pool.count - 1; i >= 0; i--)
        if (pool.kept[i]->capacity == capacity) {
            found = pool.kept[i];
            pool.bytes -= capacity * sizeof(double);
            pool.count--;
            for (; i < pool.count; i++)
                pool.kept[i] = pool.kept[i + 1];
            break;
        }
    atomic_flag_clear_explicit(&pool.taken, memory_order_release);
    return found;
}

/* Keeps the buffer and lets the oldest go; false if it was not kept. */
static bool
pool_give(matrix_buffer *buffer)
{
    matrix_buffer *leave[POOL_SLOTS];
    size_t bytes = buffer->capacity * sizeof(double);
    int leaving = 0;

    if (bytes > POOL_KEEPS || atomic_flag_test_and_set_explicit(&pool.taken, memory_order_acquire))
        return false;
    while (leaving < pool.count && (pool.bytes + bytes > POOL_KEEPS || pool.count - leaving == POOL_SLOTS)) {
        leave[leaving] = pool.kept[leaving];
        pool.bytes -= leave[leaving++]->capacity * sizeof(double);
    }
    pool.count -= leaving;
    for (int i = 0; i < pool.count; i++)
        pool.kept[i] = pool.kept[i + leaving];
    pool.kept[pool.count++] = buffer;
    pool.bytes += bytes;
    atomic_flag_clear_explicit(&pool.taken, memory_order_release);
    while (leaving)
        free(leave[--leaving]);
    return true;
}

/* A large allocation in large pages, where the system has them. */
static void
prefer_huge_pages(void *at, size_t bytes)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (bytes >= HUGE_PAGES_FROM) {
        uintptr_t page = 4096, first = ((uintptr_t)at + page - 1) / page * page;

        (void)madvise((void *)first, ((uintptr_t)at + bytes - first) / page * page, MADV_HUGEPAGE);
    }
#else
    (void)at;
    (void)bytes;
#endif
}

/* Header and values in one allocation, the values on a cache line of their own. */
static matrix_buffer *
buffer_allocate(size_t capacity)
{
    size_t bytes = (ALIGNMENT + capacity * sizeof(double) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    matrix_buffer *buffer = aligned_alloc(ALIGNMENT, bytes);

    if (!buffer)
        return NULL;
    prefer_huge_pages(buffer, bytes);
    buffer->values = (double *)(void *)((char *)buffer + ALIGNMENT);
    buffer->capacity = capacity;
    return buffer;
}

/* The same from calloc, which knows that pages fresh from the system are zero and does not touch them. */
static matrix_buffer *
buffer_allocate_zeroed(size_t capacity)
{
    size_t bytes = sizeof(matrix_buffer) + ALIGNMENT + capacity * sizeof(double);
    matrix_buffer *buffer = calloc(1, bytes);

    if (!buffer)
        return NULL;
    prefer_huge_pages(buffer, bytes);
    buffer->values = (double *)(void *)(((uintptr_t)(buffer + 1) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    buffer->capacity = capacity;
    return buffer;
}

/* Such memory goes back where it came from: with it kept, calloc would soon have to clear what it gives out. Its values
 * follow its header sooner than those of aligned memory. */
static bool
from_calloc(const matrix_buffer *buffer)
{
    return (const char *)buffer->values != (const char *)buffer + ALIGNMENT;
}

static matrix_buffer *
buffer_first_held(matrix_buffer *buffer)
{
    if (!buffer)
        return NULL;
    atomic_init(&buffer->holders, 1);
    buffer->parent = NULL;
    buffer->exporter = NULL;
    return buffer;
}

matrix_buffer *
buffer_new(size_t count)
{
    size_t capacity;
    int class = class_of(count, &capacity);
    matrix_buffer *buffer = NULL;

    if (class < THREAD_BINS) {
        thread_bins *bins = bins_here();

        if (bins && bins->bins[class]) {
            buffer = bins->bins[class];
            bins->bins[class] = buffer->parent;
            bins->bytes -= capacity * sizeof(double);
        }
    } else {
        buffer = pool_take(capacity);
    }
    if (!buffer)
        buffer = buffer_allocate(capacity);
    return buffer_first_held(buffer);
}

matrix_buffer *
buffer_new_zeroed(size_t count)
{
    size_t capacity;
    matrix_buffer *buffer;

    if (class_of(count, &capacity) >= THREAD_BINS)
        return buffer_first_held(buffer_allocate_zeroed(capacity));
    buffer = buffer_new(count);
    if (buffer)
        mk_fill(1, count, (mk_window){buffer->values, 0, 1}, 0.0);
    return buffer;
}

/* Memory of others, and how it is given back. */
typedef struct {
    matrix_buffer buffer;
    Py_buffer view;
    void (*give_back)(void *owner); /* NULL: the view is released */
    void *owner;
} borrowed_buffer;

size_t
buffer_bytes(const matrix_buffer *buffer)
{
    if (buffer->capacity)
        return ALIGNMENT + buffer->capacity * sizeof(double);
    return buffer->exporter ? sizeof(borrowed_buffer) : sizeof *buffer;
}

matrix_buffer *
buffer_new_tile(matrix_buffer *parent, double *values)
{
    matrix_buffer *tile = malloc(sizeof *tile);

    if (!tile)
        return NULL;
    atomic_init(&tile->holders, 1);
    buffer_hold(parent);
    tile->parent = parent;
    tile->values = values;
    tile->capacity = 0;
    tile->exporter = NULL;
    return tile;
}

matrix_buffer *
buffer_new_borrowed(void)
{
    borrowed_buffer *borrowed = malloc(sizeof *borrowed);

    if (!borrowed)
        return NULL;
    atomic_init(&borrowed->buffer.holders, 1);
    borrowed->buffer.parent = NULL;
    borrowed->buffer.values = NULL;
    borrowed->buffer.capacity = 0;
    borrowed->buffer.exporter = &borrowed->view;
    borrowed->view.obj = NULL;
    borrowed->give_back = NULL;
    return &borrowed->buffer;
}

void
buffer_give_back_by(matrix_buffer *buffer, void (*give_back)(void *owner), void *owner)
{
    borrowed_buffer *borrowed = (borrowed_buffer *)buffer;

    borrowed->give_back = give_back;
    borrowed->owner = owner;
}

static void
borrowed_release(borrowed_buffer *borrowed)
{
    if (borrowed->give_back)
        borrowed->give_back(borrowed->owner);
    else
        PyBuffer_Release(&borrowed->view);
}

static void
buffer_recycle(matrix_buffer *buffer)
{
    size_t capacity, bytes = buffer->capacity * sizeof(double);
    int class = class_of(buffer->capacity, &capacity);

    if (class < THREAD_BINS) {
        thread_bins *bins = bins_here();

        if (bins && bins->bytes + bytes <= THREAD_KEEPS) {
            buffer->parent = bins->bins[class];
            bins->bins[class] = buffer;
            bins->bytes += bytes;
            return;
        }
    } else if (!from_calloc(buffer) && pool_give(buffer)) {
        return;
    }
    free(buffer);
}

void
buffer_drop(matrix_buffer *buffer)
{
    while (buffer && atomic_fetch_sub_explicit(&buffer->holders, 1, memory_order_acq_rel) == 1) {
        matrix_buffer *parent = buffer->parent;

        if (buffer->exporter)
            borrowed_release((borrowed_buffer *)buffer);
        if (buffer->capacity)
            buffer_recycle(buffer);
        else
            free(buffer);
        buffer = parent;
    }
}
