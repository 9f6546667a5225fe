/* What BLAS is in use, and how many threads it may take.
 *
 * OpenBLAS (its pthreads build) keeps one count for the process: setting it is a store that every later call reads,
 * from whatever thread; a call that runs keeps what it took. A count above the pool's size makes the missing threads,
 * under a lock of its own; lowering it ends none: they sleep. With 1, calls from any number of threads run side by
 * side, each on its caller; with more, they share the pool one at a time.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "blas.h"
#include "mk.h"

static int default_threads = 1;
static atomic_flag count_lock = ATOMIC_FLAG_INIT; /* held for a few stores */
static int alone;  /* calls of blas_alone_begin that have not ended; while there are any, BLAS has 1 thread */
static int wanted; /* what it gets back then */
static char name[96];

/* The library was loaded before us, as one we are linked to; it has counted the cores by now. */
__attribute__((constructor)) static void
ask_blas(void)
{
    default_threads = BLAS(openblas_get_num_threads)();
    const char *config = BLAS(openblas_get_config)(); /* "OpenBLAS 0.3.34 NO_LAPACK ... SkylakeX MAX_THREADS=64" */
    size_t words = strcspn(config, " ");
    words += strspn(config + words, " ");
    words += strcspn(config + words, " ");
    if (words > 60)
        words = 60;
    snprintf(name, sizeof name, "%.*s %.30s", (int)words, config, BLAS(openblas_get_corename)());
}

static void
lock(void)
{
    while (atomic_flag_test_and_set_explicit(&count_lock, memory_order_acquire)) {}
}

static void
unlock(void)
{
    atomic_flag_clear_explicit(&count_lock, memory_order_release);
}

static void
set_threads(int count)
{
    if (count != BLAS(openblas_get_num_threads)())
        BLAS(openblas_set_num_threads)(count);
}

int
mk_blas_threads(int count)
{
    if (count < 1)
        count = 1;
    lock();
    int before = alone ? wanted : BLAS(openblas_get_num_threads)();
    if (alone)
        wanted = count;
    else
        set_threads(count);
    unlock();
    return before;
}

void
blas_alone_begin(void)
{
    lock();
    if (alone++ == 0) {
        wanted = BLAS(openblas_get_num_threads)();
        set_threads(1);
    }
    unlock();
}

void
blas_alone_end(void)
{
    lock();
    if (--alone == 0)
        set_threads(wanted);
    unlock();
}

void
mk_blas_forked(void)
{
    unlock();
    alone = 0;
    set_threads(default_threads);
}

int
mk_blas_default_threads(void)
{
    return default_threads;
}

const char *
mk_blas_name(void)
{
    return name;
}
