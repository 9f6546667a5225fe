/* What a cown holds: a scalar in the two words themselves, a matrix's parcel, an encoded payload, or (threads backend)
 * the object itself; in a pinned cown it is always the object. */
#include "cown.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "payload.h"

static int
value_encode_matrix(MatrixObject *matrix, rt_value *value)
{
    static atomic_uint_least64_t origins;
    value_matrix *held;

    if (!matrix_can_leave(matrix))
        return -1;
    held = malloc(sizeof *held);
    if (!held) {
        PyErr_NoMemory();
        return -1;
    }
    if (matrix_leave(matrix, &held->parcel) < 0) {
        free(held);
        return -1;
    }
    held->origin = atomic_fetch_add_explicit(&origins, 1, memory_order_relaxed) + 1;
    *value = (rt_value){VALUE_MATRIX, (uintptr_t)held};
    return 0;
}

/* Whether it fits into the two words, where it is then. */
static bool
value_encode_small(PyObject *object, rt_value *value)
{
    if (object == Py_None) {
        *value = (rt_value){VALUE_NONE, 0};
        return true;
    }
    if (PyBool_Check(object)) {
        *value = (rt_value){object == Py_True ? VALUE_TRUE : VALUE_FALSE, 0};
        return true;
    }
    if (PyFloat_CheckExact(object)) {
        double number = PyFloat_AS_DOUBLE(object);

        value->kind = VALUE_FLOAT;
        memcpy(&value->data, &number, sizeof number);
        return true;
    }
    if (PyLong_CheckExact(object)) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(object, &overflow);

        if (!overflow) {
            *value = (rt_value){VALUE_INT, (uintptr_t)number};
            return true;
        }
    }
    return false;
}

/* 1: it is one of those that need no encoding, and done; 0: it is not; -1: an exception. */
static int
value_encode_plain(core_state *state, PyObject *object, rt_value *value)
{
    if (value_encode_small(object, value))
        return 1;
    if (matrix_check(state, object))
        return value_encode_matrix((MatrixObject *)object, value) < 0 ? -1 : 1;
    return 0;
}

static int
value_share_matrix(MatrixObject *matrix, rt_value *value)
{
    value_matrix *held = calloc(1, sizeof *held);

    if (!held) {
        PyErr_NoMemory();
        return -1;
    }
    if (matrix_share(matrix, &held->parcel) < 0) {
        free(held);
        return -1;
    }
    *value = (rt_value){VALUE_MATRIX, (uintptr_t)held};
    return 0;
}

int
value_encode_shared(core_state *state, PyObject *object, const captured_name *name, rt_value *value)
{
    payload *block = NULL;
    encoder e;

    if (value_encode_small(object, value))
        return 0;
    if (matrix_check(state, object))
        return value_share_matrix((MatrixObject *)object, value);
    encoder_init(&e, state, ENCODE_SHARE);
    if (encoder_put_captured(&e, object, name) == 0 && encoder_end(&e) == 0)
        block = encoder_block(&e);
    encoder_clear(&e);
    *value = (rt_value){block ? VALUE_PAYLOAD : VALUE_EMPTY, (uintptr_t)block};
    return block ? 0 : -1;
}

static int
value_encode_payload(core_state *state, PyObject *object, rt_value *value)
{
    value->data = (uintptr_t)payload_of(state, object, ENCODE_MOVE);
    value->kind = value->data ? VALUE_PAYLOAD : VALUE_EMPTY;
    return value->data ? 0 : -1;
}

int
value_encode(core_state *state, PyObject *object, rt_value *value)
{
    int plain = value_encode_plain(state, object, value);

    if (plain)
        return plain < 0 ? -1 : 0;
    /* A matrix has to leave its names, wherever it is. */
    if (backend_shares_objects() && !value_has_matrix(state, object)) {
        *value = (rt_value){VALUE_OBJECT, (uintptr_t)Py_NewRef(object)};
        return 0;
    }
    return value_encode_payload(state, object, value);
}

int
value_encode_sent(core_state *state, PyObject *object, rt_value *value)
{
    int plain = value_encode_plain(state, object, value);
    PyObject *error;

    if (plain || value_encode_payload(state, object, value) == 0)
        return plain < 0 ? -1 : 0;
    if (!backend_shares_objects() || !state->travel->is_main || !PyErr_ExceptionMatches(PyExc_TypeError))
        return -1;
    error = error_take();
    if (value_has_matrix(state, object)) {
        error_put(error);
        return -1;
    }
    Py_DECREF(error);
    *value = (rt_value){VALUE_OBJECT, (uintptr_t)Py_NewRef(object)};
    return 0;
}

PyObject *
value_copy(core_state *state, PyObject *object)
{
    rt_value value = {VALUE_PAYLOAD, (uintptr_t)payload_of(state, object, ENCODE_SHARE)};
    PyObject *copy = NULL;

    if (value.data) {
        copy = value_decode(state, &value, 0);
        value_clear(&value);
    }
    return copy;
}

static PyObject *
value_decode_payload(core_state *state, const rt_value *value, uint32_t flags)
{
    decoder d;
    PyObject *object;

    decoder_init(&d, state, (const payload *)value->data, flags);
    object = decoder_next(&d);
    decoder_clear(&d);
    return object;
}

static PyObject *
cancelled_error(void)
{
    PyObject *module = PyImport_ImportModule("concurrent.futures"), *error = NULL;

    if (module)
        error = PyObject_CallMethod(module, "CancelledError", NULL);
    Py_XDECREF(module);
    return error;
}

PyObject *
value_decode(core_state *state, const rt_value *value, uint32_t flags)
{
    matrix_parcel parcel;
    double number;

    switch (value->kind & VALUE_KIND) {
    case VALUE_EMPTY:
    case VALUE_NONE:
        return Py_NewRef(Py_None);
    case VALUE_FALSE:
        return Py_NewRef(Py_False);
    case VALUE_TRUE:
        return Py_NewRef(Py_True);
    case VALUE_INT:
        return PyLong_FromLongLong((long long)value->data);
    case VALUE_FLOAT:
        memcpy(&number, &value->data, sizeof number);
        return PyFloat_FromDouble(number);
    case VALUE_MATRIX:
        parcel_copy_handle(&parcel, &((const value_matrix *)value->data)->parcel);
        return matrix_arrive(state, &parcel, flags);
    case VALUE_PAYLOAD:
        return value_decode_payload(state, value, flags);
    case VALUE_OBJECT:
        if (!state->travel->is_main)
            return object_bring(state, value);
        return Py_NewRef((PyObject *)value->data);
    case VALUE_FAILED:
        return value_decode(state, &((const value_failed *)value->data)->error, flags);
    case VALUE_CANCELLED:
        return cancelled_error();
    case VALUE_PINNED:
        if (state->travel->is_main)
            return Py_NewRef((PyObject *)value->data);
        PyErr_SetString(PyExc_RuntimeError, "the value of a PinnedCown can be used in the main interpreter only");
        return NULL;
    default:
        PyErr_Format(PyExc_SystemError, "bocmat: a cown holds a value of the unknown kind %zu", (size_t)value->kind);
        return NULL;
    }
}

void
value_cover(rt_value *place, rt_value old)
{
    value_failed *both;

    if ((old.kind & VALUE_KIND) == VALUE_FAILED)
        value_uncover(&old);
    if ((old.kind & VALUE_KIND) == VALUE_EMPTY)
        return;
    both = malloc(sizeof *both);
    if (!both) {
        value_clear(&old);
        return;
    }
    *both = (value_failed){*place, old};
    *place = (rt_value){VALUE_FAILED | (place->kind & ~(uintptr_t)VALUE_KIND), (uintptr_t)both};
}

void
value_uncover(rt_value *place)
{
    value_failed *both = (value_failed *)place->data;

    *place = both->old;
    value_clear(&both->error);
    free(both);
}

/* A value may hold cowns whose values hold cowns, as deep as a program cares to link them: what is dropped while
 * something is being dropped waits in a list, so the stack does not grow. */
typedef struct waiting {
    struct waiting *next;
    payload *block;
} waiting;

static _Thread_local waiting *waiting_first;
static _Thread_local bool dropping;

static void
drop_payload(payload *block)
{
    if (dropping) {
        waiting *w = (waiting *)malloc(sizeof *w);

        if (w) {
            *w = (waiting){waiting_first, block};
            waiting_first = w;
            return;
        }
    }
    bool outermost = !dropping;

    dropping = true;
    payload_clear(block);
    free(block);
    while (outermost && waiting_first) {
        waiting *w = waiting_first;

        waiting_first = w->next;
        payload_clear(w->block);
        free(w->block);
        free(w);
    }
    if (outermost)
        dropping = false;
}

void
value_clear(rt_value *value)
{
    rt_value old = *value;

    *value = (rt_value){VALUE_EMPTY, 0};
    switch (old.kind & VALUE_KIND) {
    case VALUE_MATRIX:
        parcel_drop(&((value_matrix *)old.data)->parcel);
        free((value_matrix *)old.data);
        break;
    case VALUE_PAYLOAD:
        drop_payload((payload *)old.data);
        break;
    case VALUE_OBJECT:
    case VALUE_PINNED:
        object_drop((PyObject *)old.data);
        break;
    case VALUE_FAILED:
        value_uncover(&old);
        value_clear(&old);
        break;
    default:
        break;
    }
}
