/* Values as they travel between owners.
 *
 * None, bool, int, float, complex, str, bytes, and tuples, lists, dicts and sets of them are encoded natively, with
 * sharing and cycles; so are matrices and cowns (as handles beside the bytes), functions (as their template and what
 * they captured), and whatever goes by name. A value that holds anything else is one pickle, its matrices and cowns
 * still handles.
 */
#ifndef BOCMAT_PAYLOAD_H
#define BOCMAT_PAYLOAD_H

#include "../runtime/runtime.h"
#include "matrix.h"
#include "travel.h"

typedef enum {
    HANDLE_EMPTY,
    HANDLE_MATRIX,
    HANDLE_COWN,
    HANDLE_OBJECT /* threads backend: something that cannot be copied, shared */
} handle_kind;

typedef struct {
    handle_kind kind;
    union {
        matrix_parcel parcel;
        rt_cown *cown;
        PyObject *object;
    };
} handle;

/* One block: this, the handles, the bytes. */
typedef struct payload {
    size_t length; /* of the bytes */
    uint32_t handle_count;
    uint32_t spare;
    handle handles[];
} payload;

static inline const unsigned char *
payload_bytes(const payload *p)
{
    return (const unsigned char *)(p->handles + p->handle_count);
}

/* Drops the handles, not the block. Any thread; an OBJECT handle attaches to the main interpreter. */
void payload_clear(payload *p);

typedef enum {
    ENCODE_MOVE, /* matrices leave their names */
    ENCODE_SHARE /* matrices are shared copy-on-write: captures, the noticeboard, definitions */
} encode_mode;

/* What has been met in this value already, so that the second mention refers to the first. */
typedef struct {
    struct {
        void *key;
        uint32_t space, index; /* a name is met once a namespace, an object once */
    } *cells;
    uint32_t size, used;
} encode_memo;

typedef struct {
    core_state *state;
    travel_state *travel;
    encode_mode mode;
    bool objects_allowed; /* what cannot be copied is shared (threads backend) */
    bool weak;            /* see function.h */
    unsigned char *data;
    size_t length, size;
    /* What the handles will be made of: strong references to matrices and Cowns (and objects). */
    PyObject **pending;
    uint32_t pending_count, pending_size;
    encode_memo memo;
    uint32_t memo_next;
} encoder;

void encoder_init(encoder *e, core_state *state, encode_mode mode);
/* Appends one value: 0, or -1 with an exception, after which the encoder can only be cleared. */
int encoder_put(encoder *e, PyObject *value);
/* Appends a number, for the caller's own use. */
int encoder_put_count(encoder *e, uint32_t count);
/* Appends the mark of something unset (an empty cell). */
int encoder_put_unset(encoder *e);
/* Bytes that the payload will take. */
size_t encoder_size(const encoder *e);
/* Writes the payload to `at` (encoder_size bytes, 8-aligned). Matrices leave or are shared now: 0, or -1 with an
 * exception and every matrix where it was. */
int encoder_finish(encoder *e, payload *at);
void encoder_clear(encoder *e);

/* Finds the dict that functions of a namespace run in. Interpreters have one each; on the threads backend every
 * behavior has its own. Borrowed, NULL with an exception. */
typedef struct decoder decoder;
struct decoder {
    core_state *state;
    travel_state *travel;
    const payload *from;    /* its handles, or */
    PyObject *objects;      /* a tuple of what the handles stand for, borrowed */
    const unsigned char *at;
    uint32_t matrix_flags;
    PyObject *spaces; /* threads backend: {number: dict} of this behavior; NULL: the interpreter's own */
    PyObject **memo;  /* borrowed from what is being built, which holds them until decoding ends */
    uint32_t memo_count, memo_size;
    uint32_t next_handle;
};

void decoder_init(decoder *d, core_state *state, const payload *from, uint32_t matrix_flags);
/* From bytes whose handles are given as objects. */
void decoder_init_bytes(decoder *d, core_state *state, const void *bytes, PyObject *objects);
/* The next value, a new reference; NULL with an exception; NULL without one for an unset mark. Handles are copied, not
 * taken: the payload still has its own until payload_clear. */
PyObject *decoder_next(decoder *d);
uint32_t decoder_next_count(decoder *d);
void decoder_clear(decoder *d);

/* The dict of a namespace for what this decoder makes; borrowed. */
PyObject *decoder_space(decoder *d, uint32_t space);

/* ---- what a cown holds ---- */

enum {
    VALUE_EMPTY = 0, /* nothing: reads as None */
    VALUE_NONE,
    VALUE_FALSE,
    VALUE_TRUE,
    VALUE_INT,     /* data: int64 */
    VALUE_FLOAT,   /* data: the bits of a double */
    VALUE_MATRIX,  /* data: matrix_parcel * */
    VALUE_PAYLOAD, /* data: payload * */
    VALUE_OBJECT,  /* data: PyObject * of the main interpreter (threads backend) */
    VALUE_KIND = 0xff,
    VALUE_EXCEPTION = 0x100, /* raised, not returned */
    VALUE_UNREAD = 0x200     /* raised, and nobody has looked at it */
};

/* Encodes for hand-over. 0, or -1 with an exception and everything as it was. */
int value_encode(core_state *state, PyObject *object, rt_value *value);
/* A deep copy, by way of an encoding; what cannot be copied is shared. A new reference. */
PyObject *value_copy(core_state *state, PyObject *object);
/* A new reference. `flags` as for matrix_arrive. The value keeps what it has (a matrix is then shared). */
PyObject *value_decode(core_state *state, const rt_value *value, uint32_t flags);
/* Drops what it holds and leaves VALUE_EMPTY. Any thread. */
void value_clear(rt_value *value);

#endif
