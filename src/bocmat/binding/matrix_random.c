/* Streams of random numbers: whose they are, and who draws from which. */
#include "matrix_random.h"

#include <time.h>
#include <unistd.h>

#if defined(__GLIBC__)
/* Small enough for the space that glibc keeps for libraries loaded later; saves a call at every scheduling. */
static _Thread_local random_stream *own __attribute__((tls_model("initial-exec")));
#else
static _Thread_local random_stream *own;
#endif

random_stream *
stream_enter(random_stream *stream, uint64_t key)
{
    random_stream *previous = own;

    stream->key = key;
    stream->scheduled = 0;
    stream->ready = false;
    own = stream;
    return previous;
}

void
stream_leave(random_stream *previous)
{
    own = previous;
}

/* A behavior's stream is used by one thread only. The program's belongs to all threads that run no behavior: the GIL
 * guards it, or where there is none, this. */
#if BOCMAT_GIL
#define PROGRAM_LOCK()   ((void)0)
#define PROGRAM_UNLOCK() ((void)0)
#else
static PyMutex program_mutex;
#define PROGRAM_LOCK()   PyMutex_Lock(&program_mutex)
#define PROGRAM_UNLOCK() PyMutex_Unlock(&program_mutex)
#endif

random_stream *
stream_take(core_state *state)
{
    if (own)
        return own;
    PROGRAM_LOCK();
    return state->stream;
}

void
stream_give(random_stream *stream)
{
    if (stream != own)
        PROGRAM_UNLOCK();
}

mk_random *
stream_numbers(random_stream *stream)
{
    if (!stream->ready) {
        mk_random_seed(&stream->numbers, stream->key);
        stream->ready = true;
    }
    return &stream->numbers;
}

bool
stream_is_own(const random_stream *stream)
{
    return stream == own;
}

void
stream_seed(core_state *state, uint64_t key)
{
    random_stream *stream = stream_take(state);

    stream->key = key;
    stream->scheduled = 0;
    stream->ready = false;
    stream_give(stream);
}

uint64_t
stream_child(core_state *state)
{
    random_stream *stream = stream_take(state);
    uint64_t key = mk_random_child(stream->key, stream->scheduled++);

    stream_give(stream);
    return key;
}

uint64_t
stream_arbitrary_key(const core_state *state)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return mk_random_child((uint64_t)now.tv_sec * UINT64_C(1000000007) ^ (uint64_t)now.tv_nsec << 20 ^
                               (uint64_t)getpid() << 40,
                           (uint64_t)(uintptr_t)state);
}

int
matrix_random_start(core_state *state)
{
    state->stream = PyMem_Calloc(1, sizeof *state->stream);
    if (!state->stream) {
        PyErr_NoMemory();
        return -1;
    }
    state->stream->key = stream_arbitrary_key(state);
    return 0;
}
