/* What BLAS is in use, and how many threads it may take.
 *
 * OpenBLAS (its pthreads build) keeps one count for the process: setting it is a store that every later call reads,
 * from whatever thread; a call that runs keeps what it took. A count above the pool's size makes the missing threads,
 * under a lock of its own; lowering it ends none: they sleep. With 1, calls from any number of threads run side by
 * side, each on its caller; with more, they share the pool one at a time.
 */
#include <stdio.h>
#include <string.h>

#include "blas.h"
#include "mk.h"

static int default_threads = 1;
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

int
mk_blas_threads(int count)
{
    int before = BLAS(openblas_get_num_threads)();
    if (count < 1)
        count = 1;
    if (count != before)
        BLAS(openblas_set_num_threads)(count);
    return before;
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
