/* Whose random numbers are drawn: every behavior has a stream of its own, and so has the rest of an interpreter.
 *
 *   stream          entered                             its key comes from
 *   the program's   no behavior runs on this thread     Matrix.seed, or is arbitrary
 *   a behavior's    stream_enter, by who runs it        stream_child of the stream it was scheduled under
 *
 * The key of a child is made of its parent's key and of how many behaviors that parent has scheduled before. So it is
 * the same wherever and whenever the behavior runs. Numbers are made when the first is drawn; a behavior that draws
 * none costs two words.
 */
#ifndef BOCMAT_MATRIX_RANDOM_H
#define BOCMAT_MATRIX_RANDOM_H

#include "state.h"

#include "../../../kernels/mk.h"

typedef struct random_stream {
    uint64_t key;
    uint64_t scheduled; /* behaviors that got their keys from it */
    bool ready;         /* numbers are those of the key */
    mk_random numbers;
} random_stream;

/* The calling thread draws from `stream`, of this key, until it leaves it; stream_leave takes what this returned. */
random_stream *stream_enter(random_stream *stream, uint64_t key);
void stream_leave(random_stream *previous);
/* The key of the stream of a behavior that is scheduled now. */
uint64_t stream_child(core_state *state);

/* The stream that the calling thread draws from, until it gives it back. */
random_stream *stream_take(core_state *state);
void stream_give(random_stream *stream);
mk_random *stream_numbers(random_stream *stream);
/* Nobody else draws from it. */
bool stream_is_own(const random_stream *stream);
void stream_seed(core_state *state, uint64_t key);
/* Unlike any other process's and interpreter's, as far as a clock and addresses can tell. */
uint64_t stream_arbitrary_key(const core_state *state);

/* Makes the program's stream. 0, or -1 with MemoryError. */
int matrix_random_start(core_state *state);

#endif
