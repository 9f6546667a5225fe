/* Decoding: the mirror of payload.c. The bytes were written by this process, so they are trusted. */
#include "payload_codes.h"

#include "cown.h"
#include "function.h"
#include "instance.h"

void
decoder_init(decoder *d, core_state *state, const payload *from, uint32_t matrix_flags)
{
    memset(d, 0, sizeof *d);
    d->state = state;
    d->travel = state->travel;
    d->from = from;
    d->at = payload_bytes(from);
    d->matrix_flags = matrix_flags;
}

void
decoder_clear(decoder *d)
{
    Py_CLEAR(d->spaces);
    Py_CLEAR(d->late);
    for (uint32_t i = 0; i < d->memo_count; i++)
        Py_DECREF(d->memo[i]);
    PyMem_Free(d->memo);
    d->memo = NULL;
    d->memo_count = 0;
}

int
decoder_remember(decoder *d, PyObject *object)
{
    if (d->memo_count == d->memo_size) {
        uint32_t size = d->memo_size ? d->memo_size * 2 : 8;
        PyObject **memo = PyMem_Realloc(d->memo, size * sizeof *memo);

        if (!memo) {
            PyErr_NoMemory();
            return -1;
        }
        d->memo = memo;
        d->memo_size = size;
    }
    d->memo[d->memo_count++] = Py_NewRef(object);
    return 0;
}

/* ---- bytes ---- */

static void
decoder_bytes(decoder *d, void *to, size_t length)
{
    memcpy(to, d->at, length);
    d->at += length;
}

unsigned char
decoder_code(decoder *d)
{
    return *d->at++;
}

uint32_t
decoder_number(decoder *d)
{
    uint32_t number;

    decoder_bytes(d, &number, sizeof number);
    return number;
}

uint32_t
decoder_next_count(decoder *d)
{
    return decoder_number(d);
}

static size_t
decoder_length(decoder *d)
{
    size_t length;

    decoder_bytes(d, &length, sizeof length);
    return length;
}

/* ---- scalars ---- */

static PyObject *
decode_long(decoder *d)
{
    size_t length = decoder_length(d);
    PyObject *value = long_from_bytes(d->at, length);

    d->at += length;
    return value;
}

static PyObject *
decode_str(decoder *d)
{
    int kind = *d->at++;
    size_t length = decoder_length(d);
    PyObject *value;

    if ((uintptr_t)d->at % (unsigned)kind == 0) {
        value = PyUnicode_FromKindAndData(kind, d->at, (Py_ssize_t)length);
    } else {
        /* CPython reads the characters as whole words */
        void *aligned = PyMem_Malloc(length * (size_t)kind);

        if (!aligned)
            return PyErr_NoMemory();
        memcpy(aligned, d->at, length * (size_t)kind);
        value = PyUnicode_FromKindAndData(kind, aligned, (Py_ssize_t)length);
        PyMem_Free(aligned);
    }
    d->at += length * (size_t)kind;
    return value;
}

static PyObject *
decode_text(decoder *d)
{
    PyObject *text = decode_str(d);

    if (text && decoder_remember(d, text) < 0)
        Py_CLEAR(text);
    return text;
}

static PyObject *
decode_bytes(decoder *d)
{
    size_t length = decoder_length(d);
    PyObject *value = PyBytes_FromStringAndSize((const char *)d->at, (Py_ssize_t)length);

    d->at += length;
    return value;
}

/* ---- handles ---- */

static PyObject *
decode_handle_at(decoder *d, uint32_t index)
{
    const handle *h = &d->from->handles[index];
    matrix_parcel parcel;

    switch (h->kind) {
    case HANDLE_MATRIX:
        parcel_copy_handle(&parcel, &h->parcel);
        return matrix_arrive(d->state, &parcel, d->matrix_flags);
    case HANDLE_COWN:
        return cown_wrap(d->state, h->cown);
    case HANDLE_OBJECT:
        return Py_NewRef(h->object);
    case HANDLE_EMPTY:
        break;
    }
    PyErr_SetString(PyExc_SystemError, "bocmat: an encoded value refers to a handle that it does not have");
    return NULL;
}

static PyObject *
decode_handle(decoder *d, bool remembered)
{
    PyObject *object = decode_handle_at(d, d->next_handle++);

    if (object && remembered && decoder_remember(d, object) < 0)
        Py_CLEAR(object);
    return object;
}

static PyObject *
decode_pickle(decoder *d)
{
    uint32_t count = decoder_number(d);
    size_t length = decoder_length(d);
    PyObject *loads = NULL, *data = NULL, *handles = NULL, *value = NULL;

    handles = PyList_New(count);
    for (uint32_t i = 0; handles && i < count; i++) {
        PyObject *item = decode_handle_at(d, d->next_handle + i);

        if (!item)
            Py_CLEAR(handles);
        else
            PyList_SET_ITEM(handles, i, item);
    }
    if (!handles)
        goto done;
    data = PyBytes_FromStringAndSize((const char *)d->at, (Py_ssize_t)length);
    loads = pickles_function(d->state, "loads");
    if (data && loads)
        value = PyObject_CallFunctionObjArgs(loads, data, handles, NULL);
done:
    d->next_handle += count;
    d->at += length;
    Py_XDECREF(loads);
    Py_XDECREF(data);
    Py_XDECREF(handles);
    return value;
}

/* The late values are all decoded when the first is asked for, from where they stand, with a memo of their own. */
static PyObject *
decode_late(decoder *d)
{
    uint32_t index = decoder_number(d);
    decoder late;

    if (!d->late) {
        decoder_init(&late, d->state, d->from, d->matrix_flags);
        late.at += d->from->late_at;
        late.next_handle = d->from->late_handle;
        d->late = decoder_next(&late);
        decoder_clear(&late);
    }
    return d->late ? Py_NewRef(PyTuple_GET_ITEM(d->late, index)) : NULL;
}

/* ---- containers: remembered before they are filled, so that a cycle finds them ---- */

static PyObject *
decode_tuple(decoder *d)
{
    uint32_t count = decoder_number(d);
    PyObject *tuple = PyTuple_New(count);

    if (!tuple)
        return NULL;
    /* Methods of what is in it may see it before it is complete. */
    for (uint32_t i = 0; i < count; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(Py_None));
    if (decoder_remember(d, tuple) < 0)
        goto failed;
    for (uint32_t i = 0; i < count; i++) {
        PyObject *item = decoder_next(d);

        if (!item)
            goto failed;
        Py_DECREF(PyTuple_GET_ITEM(tuple, i));
        PyTuple_SET_ITEM(tuple, i, item);
    }
    return tuple;
failed:
    Py_DECREF(tuple);
    return NULL;
}

static PyObject *
decode_list(decoder *d)
{
    uint32_t count = decoder_number(d);
    PyObject *list = PyList_New(0);

    if (!list || decoder_remember(d, list) < 0)
        goto failed;
    for (uint32_t i = 0; i < count; i++) {
        PyObject *item = decoder_next(d);
        int result = item ? PyList_Append(list, item) : -1;

        Py_XDECREF(item);
        if (result < 0)
            goto failed;
    }
    return list;
failed:
    Py_XDECREF(list);
    return NULL;
}

static PyObject *
decode_dict(decoder *d)
{
    uint32_t count = decoder_number(d);
    PyObject *dict = PyDict_New();

    if (!dict || decoder_remember(d, dict) < 0)
        goto failed;
    for (uint32_t i = 0; i < count; i++) {
        PyObject *key = decoder_next(d);
        PyObject *value = key ? decoder_next(d) : NULL;
        int result = value ? PyDict_SetItem(dict, key, value) : -1;

        Py_XDECREF(key);
        Py_XDECREF(value);
        if (result < 0)
            goto failed;
    }
    return dict;
failed:
    Py_XDECREF(dict);
    return NULL;
}

/* A frozenset takes its place in the memo when it is complete: only while nobody else has it can items be added. */
static PyObject *
decode_set(decoder *d, bool frozen)
{
    uint32_t count = decoder_number(d), place = d->memo_count;
    PyObject *set = frozen ? PyFrozenSet_New(NULL) : PySet_New(NULL);

    if (!set || decoder_remember(d, frozen ? Py_None : set) < 0)
        goto failed;
    for (uint32_t i = 0; i < count; i++) {
        PyObject *item = decoder_next(d);
        int result = item ? PySet_Add(set, item) : -1;

        Py_XDECREF(item);
        if (result < 0)
            goto failed;
    }
    if (frozen)
        Py_SETREF(d->memo[place], Py_NewRef(set));
    return set;
failed:
    Py_XDECREF(set);
    return NULL;
}

/* ---- any value ---- */

static PyObject *
decode_container(decoder *d, unsigned char code)
{
    switch (code) {
    case CODE_TUPLE:
        return decode_tuple(d);
    case CODE_LIST:
        return decode_list(d);
    case CODE_DICT:
        return decode_dict(d);
    case CODE_SET:
        return decode_set(d, false);
    case CODE_FROZENSET:
        return decode_set(d, true);
    case CODE_INSTANCE:
        return instance_decode(d);
    case CODE_FUNCTION:
        return function_decode(d);
    case CODE_CELL:
        return cell_decode(d);
    default:
        PyErr_Format(PyExc_SystemError, "bocmat: an encoded value holds the unknown code %d", code);
        return NULL;
    }
}

PyObject *
decoder_value(decoder *d, unsigned char code)
{
    double numbers[2];
    int64_t integer;

    switch (code) {
    case CODE_NONE:
        return Py_NewRef(Py_None);
    case CODE_FALSE:
        return Py_NewRef(Py_False);
    case CODE_TRUE:
        return Py_NewRef(Py_True);
    case CODE_INT:
        decoder_bytes(d, &integer, sizeof integer);
        return PyLong_FromLongLong(integer);
    case CODE_LONG:
        return decode_long(d);
    case CODE_FLOAT:
        decoder_bytes(d, numbers, sizeof numbers[0]);
        return PyFloat_FromDouble(numbers[0]);
    case CODE_COMPLEX:
        decoder_bytes(d, numbers, sizeof numbers);
        return PyComplex_FromDoubles(numbers[0], numbers[1]);
    case CODE_STR:
        return decode_str(d);
    case CODE_TEXT:
        return decode_text(d);
    case CODE_BYTES:
        return decode_bytes(d);
    case CODE_MATRIX:
    case CODE_COWN:
        return decode_handle(d, true);
    case CODE_OBJECT:
        return decode_handle(d, false);
    case CODE_NAME:
        return Py_XNewRef(travel_named(d->state, decoder_number(d)));
    case CODE_DEFINITION:
        return travel_defined(d->state, decoder_number(d));
    case CODE_REFERENCE:
        return Py_NewRef(d->memo[decoder_number(d)]);
    case CODE_PICKLE:
        return decode_pickle(d);
    case CODE_LATE:
        return decode_late(d);
    case CODE_REMOVED:
        return Py_NewRef(d->state->removed);
    default:
        break;
    }
    if (Py_EnterRecursiveCall(" while decoding a value"))
        return NULL;
    PyObject *value = decode_container(d, code);

    Py_LeaveRecursiveCall();
    return value;
}

PyObject *
decoder_next(decoder *d)
{
    unsigned char code = decoder_code(d);

    return code == CODE_UNSET ? NULL : decoder_value(d, code);
}

const function_template *
payload_template(const payload *p)
{
    const unsigned char *bytes = payload_bytes(p);
    uint32_t number;

    if (p->length < 1 + sizeof number || bytes[0] != CODE_FUNCTION)
        return NULL;
    memcpy(&number, bytes + 1, sizeof number);
    return registry_template(number);
}
