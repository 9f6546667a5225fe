#include "instance.h"

#include "payload_codes.h"

/* ---- which classes are plain ---- */

enum { ASKED_MOST = 100 }; /* a class that changes all the time is not asked after again */

/* What most classes that are not plain fail at. */
static bool
may_be_plain(PyTypeObject *type)
{
    return type->tp_new == PyBaseObject_Type.tp_new && type->tp_getattro == PyObject_GenericGetAttr &&
           type->tp_itemsize == 0 && PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE);
}

/* 1, 0, or -1 with an exception. */
static int
ask_plain(core_state *state, PyTypeObject *type)
{
    PyObject *ask = pickles_function(state, "is_plain");
    PyObject *answer = ask ? PyObject_CallOneArg(ask, (PyObject *)type) : NULL;
    int plain = answer ? PyObject_IsTrue(answer) : -1;

    Py_XDECREF(ask);
    Py_XDECREF(answer);
    return plain;
}

/* The same, from what is known of this version of the class where possible. */
static int
is_plain(core_state *state, PyTypeObject *type)
{
    travel_state *travel = state->travel;
    size_t at = (size_t)(((uintptr_t)type >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32) % PLAIN_CELLS;
    unsigned int version = type_version(type);
    plain_cell cell;
    int plain;

    if (!may_be_plain(type))
        return 0;
    TRAVEL_LOCK(travel);
    cell = travel->plain[at];
    TRAVEL_UNLOCK(travel);
    if (cell.type != type)
        cell = (plain_cell){.type = type};
    else if (version && cell.version == version)
        return cell.plain;
    else if (cell.asked == ASKED_MOST)
        return 0;
    version = type_version_new(type);
    plain = ask_plain(state, type);
    if (plain < 0)
        return -1;
    cell.asked++;
    cell.plain = plain > 0;
    cell.version = type_version(type) == version ? version : 0;
    TRAVEL_LOCK(travel);
    travel->plain[at] = cell;
    TRAVEL_UNLOCK(travel);
    return plain;
}

/* ---- encoding ---- */

/* Whether a class was given to copyreg.pickle, which pickle follows before anything else. */
static int
has_reducer(travel_state *travel, PyTypeObject *type)
{
    if (!travel->reducers) {
        PyObject *copyreg = PyImport_ImportModule("copyreg");

        travel->reducers = copyreg ? PyObject_GetAttrString(copyreg, "dispatch_table") : NULL;
        Py_XDECREF(copyreg);
        if (!travel->reducers)
            return -1;
    }
    return PyDict_Contains(travel->reducers, (PyObject *)type);
}

/* Whether an attribute of the instance itself may stand for a method that pickle looks for. */
static bool
has_special_name(PyObject *dict)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    while (PyDict_Next(dict, &at, &key, &value)) {
        if (!PyUnicode_CheckExact(key) ||
            (PyUnicode_GET_LENGTH(key) > 4 && PyUnicode_READ_CHAR(key, 0) == '_' && PyUnicode_READ_CHAR(key, 1) == '_'))
            return true;
    }
    return false;
}

static int
encode_state(encoder *e, PyObject *object)
{
    PyObject *dict = PyObject_GenericGetDict(object, NULL);
    int result;

    if (!dict)
        return -1;
    result = PyDict_CheckExact(dict) && !has_special_name(dict) ? encoder_pairs(e, dict) : ENCODE_NOT_NATIVE;
    Py_DECREF(dict);
    return result;
}

int
instance_encode(encoder *e, PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    int result = is_plain(e->state, type), met;

    if (result <= 0 || e->frozen)
        return result < 0 ? -1 : ENCODE_NOT_NATIVE;
    result = has_reducer(e->travel, type);
    if (result)
        return result < 0 ? -1 : ENCODE_NOT_NATIVE;
    met = encoder_mention(e, object, SPACE_OBJECT);
    if (met)
        return met < 0 ? -1 : 0;
    result = encoder_code(e, CODE_INSTANCE) < 0 ? -1 : encoder_native(e, (PyObject *)type);
    if (result == 0)
        result = encode_state(e, object);
    /* What cannot travel this way may be pickled, or shared, and otherwise pickle has its say about it. */
    if (result < 0 && (PyErr_ExceptionMatches(PyExc_TypeError) || PyErr_ExceptionMatches(PyExc_AttributeError) ||
                       PyErr_ExceptionMatches(PyExc_ValueError))) {
        PyErr_Clear();
        result = ENCODE_NOT_NATIVE;
    }
    return result;
}

/* ---- decoding ---- */

/* The class may have changed here, or be another one than where the instance comes from: 1 if it is plain here too. */
static int
plain_here(decoder *d, PyObject *cls)
{
    return PyType_Check(cls) ? is_plain(d->state, (PyTypeObject *)cls) : 0;
}

static PyObject *
instance_new(PyObject *cls, bool plain)
{
    PyObject *nothing, *object;

    if (!plain)
        return PyObject_CallMethod(cls, "__new__", "O", cls);
    nothing = PyTuple_New(0);
    object = nothing ? PyBaseObject_Type.tp_new((PyTypeObject *)cls, nothing, NULL) : NULL;
    Py_XDECREF(nothing);
    return object;
}

static int
decode_pairs(decoder *d, PyObject *dict)
{
    uint32_t count = decoder_next_count(d);
    int result = 0;

    for (uint32_t i = 0; i < count && result == 0; i++) {
        PyObject *key = decoder_next(d), *value;

        if (!key)
            return -1;
        PyUnicode_InternInPlace(&key);
        value = decoder_next(d);
        result = value ? PyDict_SetItem(dict, key, value) : -1;
        Py_DECREF(key);
        Py_XDECREF(value);
    }
    return result;
}

/* As pickle would. */
static int
decode_state_slowly(decoder *d, PyObject *object)
{
    PyObject *dict = PyDict_New(), *set, *done = NULL;

    if (dict && decode_pairs(d, dict) == 0) {
        set = pickles_function(d->state, "set_state");
        done = set ? PyObject_CallFunctionObjArgs(set, object, dict, NULL) : NULL;
        Py_XDECREF(set);
    }
    Py_XDECREF(dict);
    Py_XDECREF(done);
    return done ? 0 : -1;
}

static int
decode_state(decoder *d, PyObject *object)
{
    PyObject *dict = PyObject_GenericGetDict(object, NULL);
    int result = dict ? decode_pairs(d, dict) : -1;

    Py_XDECREF(dict);
    return result;
}

PyObject *
instance_decode(decoder *d)
{
    PyObject *cls = decoder_next(d), *object = NULL;
    int plain = cls ? plain_here(d, cls) : -1, result = -1;

    if (plain >= 0)
        object = instance_new(cls, plain > 0);
    if (object && decoder_remember(d, object) == 0)
        result = plain ? decode_state(d, object) : decode_state_slowly(d, object);
    if (result < 0)
        Py_CLEAR(object);
    Py_XDECREF(cls);
    return object;
}
