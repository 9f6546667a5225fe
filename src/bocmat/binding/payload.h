/* Values as they travel between owners.
 *
 * None, bool, int, float, complex, str, bytes, and tuples, lists, dicts and sets of them are encoded natively, with
 * sharing and cycles; so are instances of plain classes (instance.h), matrices and cowns (as handles beside the bytes),
 * functions (as their template and what they captured), and whatever goes by name. A value that holds anything else is
 * one pickle, its matrices and cowns still handles.
 */
#ifndef BOCMAT_PAYLOAD_H
#define BOCMAT_PAYLOAD_H

#include "travel.h"

#include "../runtime/runtime.h"
#include "matrix.h"

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
    size_t length;  /* of the bytes */
    size_t late_at; /* where in them the late values are (see encoder_put_late); 0: there are none */
    uint32_t handle_count;
    uint32_t late_handle; /* the first handle of the late values */
    handle handles[];
} payload;

static inline const unsigned char *
payload_bytes(const payload *p)
{
    return (const unsigned char *)(p->handles + p->handle_count);
}

/* The template of the function that it begins with, as a behavior's does; NULL if it begins otherwise. */
const function_template *payload_template(const payload *p);

bool payload_has_matrix(const payload *p);

/* Drops the handles, not the block. Any thread; an OBJECT handle attaches to the main interpreter. */
void payload_clear(payload *p);

typedef enum {
    ENCODE_MOVE, /* matrices leave their names */
    ENCODE_SHARE /* matrices are shared copy-on-write: captures, the noticeboard, definitions */
} encode_mode;

/* What has been met in this value already, so that the second mention refers to the first. */
typedef struct {
    void *key;
    uint32_t space, index; /* a name is met once a namespace, an object once */
} memo_entry;

enum { MEMO_FEW = 16 }; /* cells that need no allocation; a power of two, as every size is */

typedef struct {
    memo_entry *cells; /* NULL: `few` */
    uint32_t size, used;
    memo_entry few[MEMO_FEW];
} encode_memo;

typedef struct {
    core_state *state;
    travel_state *travel;
    encode_mode mode;
    bool objects_allowed; /* what cannot be copied is shared (threads backend) */
    unsigned char *data;
    size_t length, size;
    /* What the handles will be made of: strong references to matrices and Cowns (and objects). */
    PyObject **pending;
    uint32_t pending_count, pending_size;
    encode_memo memo;
    uint32_t memo_next;
    PyObject *late, *late_names; /* lists; NULL until there is a late value */
    bool apart;                  /* a captured value that a late one may share something with has a native form */
    bool together;               /* so all of those are late */
    uint32_t frozen;             /* how many frozensets are open */
    size_t late_at;
    uint32_t late_handle;
} encoder;

void encoder_init(encoder *e, core_state *state, encode_mode mode);
/* Appends one value: 0, or -1 with an exception, after which the encoder can only be cleared. */
int encoder_put(encoder *e, PyObject *value);
/* The same for a captured variable, but a value without a native form waits, and is pickled by encoder_end together
 * with the others: what they share stays shared. `name` makes the text that an error calls the variable by. */
typedef struct {
    const char *what; /* "captured variable" */
    PyObject *name;
    const char *function;
} captured_name;
int encoder_put_captured(encoder *e, PyObject *value, const captured_name *name);
/* True if captured values were pickled and others were not, between which what they share would be lost: the encoder
 * is empty again, all have to be put once more, and those go together this time. */
bool encoder_again(encoder *e);
/* After the last value, before encoder_size. 0, or -1 with a TypeError that names the variable. */
int encoder_end(encoder *e);
/* Appends a number, for the caller's own use. */
int encoder_put_count(encoder *e, uint32_t count);
/* Appends the mark of something unset (an empty cell). */
int encoder_put_unset(encoder *e);
/* Bytes that the payload will take. */
size_t encoder_size(const encoder *e);
/* Writes the payload to `at` (encoder_size bytes, 8-aligned). Matrices leave or are shared now: 0, or -1 with an
 * exception and every matrix where it was. */
int encoder_finish(encoder *e, payload *at);
/* The same in a block of malloc's; NULL with an exception. */
payload *encoder_block(encoder *e);
void encoder_clear(encoder *e);
/* All of that for one value, in a block of malloc's; NULL with an exception and every matrix where it was. */
payload *payload_of(core_state *state, PyObject *object, encode_mode mode);

/* Finds the dict that functions of a namespace run in. Workers' interpreters have one each; in the main
 * interpreter every behavior and value has its own. Borrowed, NULL with an exception. */
typedef struct decoder decoder;
struct decoder {
    core_state *state;
    travel_state *travel;
    const payload *from;
    const unsigned char *at;
    uint32_t matrix_flags;
    PyObject *spaces; /* main interpreter: {number: dict} of this behavior or value; NULL: the interpreter's own */
    PyObject **memo;
    uint32_t memo_count, memo_size;
    uint32_t next_handle;
    PyObject *late; /* the late values, a tuple, once one was asked for */
};

void decoder_init(decoder *d, core_state *state, const payload *from, uint32_t matrix_flags);
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
    VALUE_INT,       /* data: int64 */
    VALUE_FLOAT,     /* data: the bits of a double */
    VALUE_MATRIX,    /* data: value_matrix * */
    VALUE_PAYLOAD,   /* data: payload * */
    VALUE_OBJECT,    /* data: PyObject * of the main interpreter (threads backend) */
    VALUE_FAILED,    /* data: value_failed * */
    VALUE_PINNED,    /* data: PyObject * of the main interpreter, which alone sees it (a pinned cown) */
    VALUE_CANCELLED, /* the CancelledError of a behavior that was cancelled */
    VALUE_KIND = 0xff,
    VALUE_EXCEPTION = 0x100, /* raised, not returned */
    VALUE_UNREAD = 0x200     /* raised, and nobody has looked at it */
};

typedef struct {
    matrix_parcel parcel;
    uint64_t origin; /* which giving of a matrix to a cown this goes back to, whoever held it since */
} value_matrix;

/* A value could not be encoded when its behavior ended: why, and what the cown held before. */
typedef struct {
    rt_value error, old;
} value_failed;

/* Whether a matrix, or a view of one, is anywhere in it. */
bool value_has_matrix(core_state *state, PyObject *object);
/* Encodes for hand-over. 0, or -1 with an exception and everything as it was. */
int value_encode(core_state *state, PyObject *object, rt_value *value);
/* The same for a message, which is a copy on the threads backend too, unless it cannot be copied: then the object
 * itself, if there is no matrix in it. */
int value_encode_sent(core_state *state, PyObject *object, rt_value *value);
/* Encodes for many readers, its matrices shared copy-on-write, itself as it is now. 0, or -1 with an exception that
 * names it. */
int value_encode_shared(core_state *state, PyObject *object, const captured_name *name, rt_value *value);
/* A deep copy, by way of an encoding; what cannot be copied is shared. A new reference. */
PyObject *value_copy(core_state *state, PyObject *object);
/* A new reference. `flags` as for matrix_arrive. The value keeps what it has (a matrix is then shared). */
PyObject *value_decode(core_state *state, const rt_value *value, uint32_t flags);
/* Puts the value `old`, which is taken over, under the exception that stands in `place`; and brings it back, the
 * exception dropped. */
void value_cover(rt_value *place, rt_value old);
void value_uncover(rt_value *place);
/* Drops what it holds and leaves VALUE_EMPTY. Any thread. */
void value_clear(rt_value *value);

#endif
