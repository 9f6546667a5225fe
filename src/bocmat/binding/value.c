/* What a cown holds: a scalar in the two words themselves, a matrix's parcel, an encoded payload, or (threads backend)
 * the object itself. */
#include <stdlib.h>

#include "cown.h"
#include "payload.h"

static int
value_encode_matrix(MatrixObject *matrix, rt_value *value)
{
    matrix_parcel *parcel;

    if (!matrix_can_leave(matrix))
        return -1;
    parcel = malloc(sizeof *parcel);
    if (!parcel) {
        PyErr_NoMemory();
        return -1;
    }
    if (matrix_leave(matrix, parcel) < 0) {
        free(parcel);
        return -1;
    }
    *value = (rt_value){VALUE_MATRIX, (uintptr_t)parcel};
    return 0;
}

static int
value_encode_payload(core_state *state, PyObject *object, rt_value *value)
{
    encoder e;
    payload *block = NULL;
    int result = -1;

    encoder_init(&e, state, ENCODE_MOVE);
    if (encoder_put(&e, object) < 0)
        goto done;
    block = malloc(encoder_size(&e));
    if (!block) {
        PyErr_NoMemory();
        goto done;
    }
    result = encoder_finish(&e, block);
    if (result < 0)
        free(block);
    else
        *value = (rt_value){VALUE_PAYLOAD, (uintptr_t)block};
done:
    encoder_clear(&e);
    return result;
}

int
value_encode(core_state *state, PyObject *object, rt_value *value)
{
    if (object == Py_None) {
        *value = (rt_value){VALUE_NONE, 0};
        return 0;
    }
    if (PyBool_Check(object)) {
        *value = (rt_value){object == Py_True ? VALUE_TRUE : VALUE_FALSE, 0};
        return 0;
    }
    if (PyFloat_CheckExact(object)) {
        double number = PyFloat_AS_DOUBLE(object);

        value->kind = VALUE_FLOAT;
        memcpy(&value->data, &number, sizeof number);
        return 0;
    }
    if (PyLong_CheckExact(object)) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(object, &overflow);

        if (!overflow) {
            *value = (rt_value){VALUE_INT, (uintptr_t)number};
            return 0;
        }
    }
    if (matrix_check(state, object))
        return value_encode_matrix((MatrixObject *)object, value);
    if (backend_shares_objects()) {
        if (Py_IS_TYPE(object, state->matrix_view_type)) {
            PyErr_SetString(PyExc_TypeError, "a MatrixView does not travel; pass view.copy() instead");
            return -1;
        }
        *value = (rt_value){VALUE_OBJECT, (uintptr_t)Py_NewRef(object)};
        return 0;
    }
    return value_encode_payload(state, object, value);
}

PyObject *
value_copy(core_state *state, PyObject *object)
{
    encoder e;
    payload *block = NULL;
    PyObject *copy = NULL;

    encoder_init(&e, state, ENCODE_SHARE);
    if (encoder_put(&e, object) == 0) {
        block = malloc(encoder_size(&e));
        if (!block)
            PyErr_NoMemory();
        else if (encoder_finish(&e, block) == 0) {
            rt_value value = {VALUE_PAYLOAD, (uintptr_t)block};

            copy = value_decode(state, &value, 0);
            payload_clear(block);
        }
        free(block);
    }
    encoder_clear(&e);
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
        parcel_copy_handle(&parcel, (const matrix_parcel *)value->data);
        return matrix_arrive(state, &parcel, flags);
    case VALUE_PAYLOAD:
        return value_decode_payload(state, value, flags);
    case VALUE_OBJECT:
        if (!state->travel->is_main)
            return object_bring(state, value);
        return Py_NewRef((PyObject *)value->data);
    default:
        PyErr_Format(PyExc_SystemError, "bocmat: a cown holds a value of the unknown kind %zu", (size_t)value->kind);
        return NULL;
    }
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
        parcel_drop((matrix_parcel *)old.data);
        free((matrix_parcel *)old.data);
        break;
    case VALUE_PAYLOAD:
        drop_payload((payload *)old.data);
        break;
    case VALUE_OBJECT:
        object_drop((PyObject *)old.data);
        break;
    default:
        break;
    }
}
