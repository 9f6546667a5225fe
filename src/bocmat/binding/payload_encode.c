/* Encoding: the form of every kind of value. Functions are in function.c. */
#include "payload_codes.h"

#include "cown.h"
#include "function.h"
#include "instance.h"

/* ---- handles ---- */

static int
encode_handle(encoder *e, unsigned char code, PyObject *object)
{
    int met = encoder_mention(e, object, SPACE_OBJECT);

    if (met)
        return met < 0 ? -1 : 0;
    return encoder_code(e, code) < 0 || encoder_pend(e, object) < 0 ? -1 : 0;
}

static int
encode_matrix(encoder *e, PyObject *object)
{
    MatrixObject *matrix = (MatrixObject *)object;

    if (e->mode == ENCODE_MOVE ? !matrix_can_leave(matrix) : !matrix_usable(matrix))
        return -1;
    return encode_handle(e, CODE_MATRIX, object);
}

/* ---- scalars ---- */

static int
encode_int(encoder *e, PyObject *value)
{
    int overflow;
    long long small = PyLong_AsLongLongAndOverflow(value, &overflow);
    PyObject *bytes = NULL;
    int result = -1;

    if (!overflow) {
        int64_t number = small;

        return encoder_code(e, CODE_INT) < 0 ? -1 : encoder_bytes(e, &number, sizeof number);
    }
    bytes = PyObject_CallMethod(value, "bit_length", NULL);
    if (!bytes)
        return -1;
    size_t length = PyLong_AsSize_t(bytes) / 8 + 1;
    Py_DECREF(bytes);
    if (encoder_code(e, CODE_LONG) < 0 || encoder_bytes(e, &length, sizeof length) < 0)
        return -1;
    bytes = long_to_bytes(value, length);
    if (bytes)
        result = encoder_bytes(e, PyBytes_AS_STRING(bytes), length);
    Py_XDECREF(bytes);
    return result;
}

enum { LONG_TEXT = 256 }; /* characters: the same text twice is better written once */

static int
encode_str(encoder *e, PyObject *value)
{
    size_t length = (size_t)PyUnicode_GET_LENGTH(value);
    unsigned char head[2] = {length < LONG_TEXT ? CODE_STR : CODE_TEXT, 0};
    int met = length < LONG_TEXT ? 0 : encoder_mention(e, value, SPACE_OBJECT);

    if (met)
        return met < 0 ? -1 : 0;

#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(value) < 0)
        return -1;
#endif
    head[1] = (unsigned char)PyUnicode_KIND(value);
    if (encoder_bytes(e, head, sizeof head) < 0 || encoder_bytes(e, &length, sizeof length) < 0)
        return -1;
    return encoder_bytes(e, PyUnicode_DATA(value), length * head[1]);
}

/* ---- containers ---- */

static int
encode_items(encoder *e, unsigned char code, PyObject *sequence)
{
    int met = encoder_mention(e, sequence, SPACE_OBJECT);
    Py_ssize_t count = PySequence_Fast_GET_SIZE(sequence);

    if (met)
        return met < 0 ? -1 : 0;
    if (count > (Py_ssize_t)INT32_MAX)
        return ENCODE_NOT_NATIVE;
    if (encoder_number(e, code, (uint32_t)count) < 0)
        return -1;
    /* A list may change under a pickle of one of its own elements: what is read each turn is checked. */
    for (Py_ssize_t i = 0; i < count; i++) {
        if (PySequence_Fast_GET_SIZE(sequence) != count) {
            PyErr_SetString(PyExc_RuntimeError, "a list changed size while it was being encoded");
            return -1;
        }
        PyObject *item = Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i));
        int result = encoder_native(e, item);

        Py_DECREF(item);
        if (result)
            return result;
    }
    return 0;
}

int
encoder_pairs(encoder *e, PyObject *dict)
{
    Py_ssize_t count = PyDict_GET_SIZE(dict), at = 0, done = 0;
    PyObject *key, *value;

    if (count > (Py_ssize_t)INT32_MAX)
        return ENCODE_NOT_NATIVE;
    if (encoder_put_count(e, (uint32_t)count) < 0)
        return -1;
    while (PyDict_Next(dict, &at, &key, &value)) {
        Py_INCREF(key);
        Py_INCREF(value);
        int result = encoder_native(e, key);

        if (!result)
            result = encoder_native(e, value);
        Py_DECREF(key);
        Py_DECREF(value);
        if (result)
            return result;
        done++;
        if (PyDict_GET_SIZE(dict) != count)
            break;
    }
    if (done != count) {
        PyErr_SetString(PyExc_RuntimeError, "a dict changed size while it was being encoded");
        return -1;
    }
    return 0;
}

static int
encode_dict(encoder *e, PyObject *dict)
{
    int met = encoder_mention(e, dict, SPACE_OBJECT);

    if (met)
        return met < 0 ? -1 : 0;
    return encoder_code(e, CODE_DICT) < 0 ? -1 : encoder_pairs(e, dict);
}

static int
encode_set(encoder *e, unsigned char code, PyObject *set)
{
    int met = encoder_mention(e, set, SPACE_OBJECT);
    PyObject *items, *item;
    int result = 0;

    if (met)
        return met < 0 ? -1 : 0;
    if (encoder_number(e, code, (uint32_t)PySet_GET_SIZE(set)) < 0)
        return -1;
    items = PyObject_GetIter(set);
    if (!items)
        return -1;
    e->frozen += code == CODE_FROZENSET;
    while (!result && (item = PyIter_Next(items))) {
        result = encoder_native(e, item);
        Py_DECREF(item);
    }
    e->frozen -= code == CODE_FROZENSET;
    Py_DECREF(items);
    return PyErr_Occurred() ? -1 : result;
}

/* ---- any value ---- */

/* Functions, classes, modules: by name, by definition, or as a function of the running program. */
static int
encode_named(encoder *e, PyObject *value)
{
    known_entry entry;
    bool plain = PyFunction_Check(value);
    int known;

    if (travel_known_already(e->travel, value, &entry))
        return encoder_number(e, entry.code, entry.number);
    if (plain) {
        code_entry *code = function_entry(e->state, value);

        if (!code)
            return -1;
        known = code->by_value ? 0 : travel_known(e->state, value, &entry);
        if (known == 0) {
            code->by_value = true;
            /* It may refer to the frozenset, which cannot be made before what is in it. */
            return e->frozen ? ENCODE_NOT_NATIVE : function_encode(e, value);
        }
    } else {
        known = travel_known(e->state, value, &entry);
        if (known == 0)
            return ENCODE_NOT_NATIVE;
    }
    return known < 0 ? -1 : encoder_number(e, entry.code, entry.number);
}

static int
encode_container(encoder *e, PyObject *value)
{
    int result;

    if (Py_EnterRecursiveCall(" while encoding a value"))
        return -1;
    if (PyTuple_CheckExact(value))
        result = encode_items(e, CODE_TUPLE, value);
    else if (PyList_CheckExact(value))
        result = encode_items(e, CODE_LIST, value);
    else if (PyDict_CheckExact(value))
        result = encode_dict(e, value);
    else if (Py_IS_TYPE(value, &PySet_Type))
        result = encode_set(e, CODE_SET, value);
    else if (Py_IS_TYPE(value, &PyFrozenSet_Type))
        result = encode_set(e, CODE_FROZENSET, value);
    else if (PyFunction_Check(value) || PyType_Check(value) || PyModule_Check(value) || PyCFunction_Check(value))
        result = encode_named(e, value);
    else if (value == e->state->removed)
        result = encoder_code(e, CODE_REMOVED);
    else
        result = instance_encode(e, value);
    Py_LeaveRecursiveCall();
    return result;
}

int
encoder_native(encoder *e, PyObject *value)
{
    if (value == Py_None)
        return encoder_code(e, CODE_NONE);
    if (PyBool_Check(value))
        return encoder_code(e, value == Py_True ? CODE_TRUE : CODE_FALSE);
    if (PyLong_CheckExact(value))
        return encode_int(e, value);
    if (PyFloat_CheckExact(value)) {
        double number = PyFloat_AS_DOUBLE(value);

        return encoder_code(e, CODE_FLOAT) < 0 ? -1 : encoder_bytes(e, &number, sizeof number);
    }
    if (PyUnicode_CheckExact(value))
        return encode_str(e, value);
    if (matrix_check(e->state, value))
        return encode_matrix(e, value);
    if (cown_check(e->state, value))
        return encode_handle(e, CODE_COWN, value);
    if (Py_IS_TYPE(value, e->state->matrix_view_type)) {
        PyErr_SetString(PyExc_TypeError, "a MatrixView does not travel; pass its copy()");
        return -1;
    }
    if (PyBytes_CheckExact(value))
        return encoder_run(e, CODE_BYTES, PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value));
    if (PyComplex_CheckExact(value)) {
        Py_complex number = PyComplex_AsCComplex(value);

        return encoder_code(e, CODE_COMPLEX) < 0 ? -1 : encoder_bytes(e, &number, sizeof number);
    }
    return encode_container(e, value);
}

/* One pickle; bocmat.pickles.dumps puts the matrices and cowns it meets into a list. */
static int
encode_pickle(encoder *e, PyObject *value)
{
    PyObject *dumps = NULL, *handles = NULL, *pickle = NULL;
    size_t length;
    int result = -1;

    dumps = pickles_function(e->state, "dumps");
    handles = PyList_New(0);
    if (!dumps || !handles)
        goto done;
    pickle = PyObject_CallFunctionObjArgs(dumps, value, handles, NULL);
    if (!pickle)
        goto done;
    if (encoder_number(e, CODE_PICKLE, (uint32_t)PyList_GET_SIZE(handles)) < 0)
        goto done;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(handles); i++) {
        PyObject *item = PyList_GET_ITEM(handles, i);

        if (matrix_check(e->state, item) &&
            (e->mode == ENCODE_MOVE ? !matrix_can_leave((MatrixObject *)item) : !matrix_usable((MatrixObject *)item)))
            goto done;
        if (encoder_pend(e, item) < 0)
            goto done;
    }
    length = (size_t)PyBytes_GET_SIZE(pickle);
    result = encoder_bytes(e, &length, sizeof length) < 0 ? -1 : encoder_bytes(e, PyBytes_AS_STRING(pickle), length);
done:
    Py_XDECREF(dumps);
    Py_XDECREF(handles);
    Py_XDECREF(pickle);
    return result;
}

/* Threads backend: what cannot be copied is shared instead. */
static bool
shared_instead(const encoder *e)
{
    return e->objects_allowed && e->mode == ENCODE_SHARE &&
           (PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_AttributeError) ||
            PyErr_ExceptionMatches(PyExc_ValueError));
}

int
encoder_put(encoder *e, PyObject *value)
{
    encoder_mark mark = encoder_here(e);
    int result = encoder_native(e, value);

    if (result != ENCODE_NOT_NATIVE)
        return result;
    return encoder_rewind(e, mark) < 0 ? -1 : encode_pickle(e, value);
}

/* ---- captured variables ---- */

static PyObject *
captured_text(const captured_name *name)
{
    return PyUnicode_FromFormat("the %s %R of function '%s'", name->what, name->name, name->function);
}

/* The exception that is set becomes a TypeError that names the variable, with the reason as its cause; -1. Takes over
 * the text. */
static int
encoder_blame(PyObject *text)
{
    PyObject *reason, *error;

    if (!text || !PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError) ||
        PyErr_ExceptionMatches(PyExc_RuntimeError) || PyErr_ExceptionMatches(PyExc_BufferError)) {
        Py_XDECREF(text);
        return -1;
    }
    reason = error_take();
    PyErr_Format(PyExc_TypeError, "%U cannot travel to a worker: %S", text, reason);
    Py_DECREF(text);
    error = error_take();
    PyException_SetContext(error, Py_NewRef(reason));
    PyException_SetCause(error, reason);
    error_put(error);
    return -1;
}

static int
encoder_wait(encoder *e, PyObject *value, const captured_name *name)
{
    PyObject *text;
    int result;

    if (!e->late) {
        e->late = PyList_New(0);
        e->late_names = PyList_New(0);
        if (!e->late || !e->late_names)
            return -1;
    }
    text = captured_text(name);
    if (!text)
        return -1;
    result = encoder_number(e, CODE_LATE, (uint32_t)PyList_GET_SIZE(e->late));
    if (result == 0)
        result = PyList_Append(e->late, value);
    if (result == 0)
        result = PyList_Append(e->late_names, text);
    Py_DECREF(text);
    return result;
}

/* Whether something in it may be in another value too, which would notice if it were not the same object. */
static bool
may_share(const encoder *e, PyObject *value)
{
    return matrix_check(e->state, value) ||
           (PyObject_IS_GC(value) && !PyFunction_Check(value) && !PyType_Check(value) && !PyModule_Check(value) &&
            !PyCFunction_Check(value) && !cown_check(e->state, value));
}

int
encoder_put_captured(encoder *e, PyObject *value, const captured_name *name)
{
    encoder_mark mark = encoder_here(e);
    int result = e->together && may_share(e, value) ? ENCODE_NOT_NATIVE : encoder_native(e, value);

    if (result < 0) {
        PyObject *error = error_take(), *text = captured_text(name);

        error_put(error);
        return encoder_blame(text);
    }
    if (result == ENCODE_NOT_NATIVE)
        return encoder_rewind(e, mark) < 0 ? -1 : encoder_wait(e, value, name);
    e->apart |= e->memo_next != mark.memo_next && may_share(e, value);
    return result;
}

/* One at a time, which finds the one that cannot be pickled. On the threads backend that is shared instead, whole. */
static int
encode_late_singly(encoder *e)
{
    if (encoder_number(e, CODE_TUPLE, (uint32_t)PyList_GET_SIZE(e->late)) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(e->late); i++) {
        PyObject *value = PyList_GET_ITEM(e->late, i);
        encoder_mark mark = encoder_here(e);

        if (encode_pickle(e, value) == 0)
            continue;
        if (!shared_instead(e))
            return encoder_blame(Py_NewRef(PyList_GET_ITEM(e->late_names, i)));
        PyErr_Clear();
        if (encoder_rewind(e, mark) < 0 || encoder_code(e, CODE_OBJECT) < 0 || encoder_pend(e, value) < 0)
            return -1;
    }
    return 0;
}

int
encoder_end(encoder *e)
{
    encoder_mark mark = encoder_here(e);
    PyObject *values;
    int result;

    if (!e->late)
        return 0;
    e->late_at = e->length;
    e->late_handle = e->pending_count;
    values = PyList_AsTuple(e->late);
    result = values ? encode_pickle(e, values) : -1;
    Py_XDECREF(values);
    if (result == 0)
        return 0;
    if (PyErr_ExceptionMatches(PyExc_MemoryError))
        return -1;
    PyErr_Clear();
    return encoder_rewind(e, mark) < 0 ? -1 : encode_late_singly(e);
}
