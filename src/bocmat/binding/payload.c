/* Encoding. Decoding is in payload_decode.c, functions are in function.c. */
#include "payload_codes.h"

#include <stdlib.h>

#include "cown.h"
#include "function.h"

void
encoder_init(encoder *e, core_state *state, encode_mode mode)
{
    memset(e, 0, sizeof *e);
    e->memo.size = MEMO_FEW;
    e->state = state;
    e->travel = state->travel;
    e->mode = mode;
    e->objects_allowed = backend_shares_objects();
    TRAVEL_LOCK(e->travel);
    e->data = e->travel->scratch;
    e->size = e->travel->scratch_size;
    e->travel->scratch = NULL;
    e->travel->scratch_size = 0;
    TRAVEL_UNLOCK(e->travel);
}

void
encoder_clear(encoder *e)
{
    for (uint32_t i = 0; i < e->pending_count; i++)
        Py_DECREF(e->pending[i]);
    PyMem_Free(e->pending);
    PyMem_Free(e->memo.cells);
    Py_XDECREF(e->late);
    Py_XDECREF(e->late_names);
    TRAVEL_LOCK(e->travel);
    if (!e->travel->scratch && e->size <= 1 << 16) {
        e->travel->scratch = e->data;
        e->travel->scratch_size = e->size;
        e->data = NULL;
    }
    TRAVEL_UNLOCK(e->travel);
    PyMem_Free(e->data);
    e->data = NULL;
}

/* ---- bytes ---- */

static int
encoder_grow(encoder *e, size_t more)
{
    size_t size = e->size ? e->size : 256;
    unsigned char *data;

    if (more > (size_t)PY_SSIZE_T_MAX - e->length) {
        PyErr_NoMemory();
        return -1;
    }
    while (size < e->length + more)
        size *= 2;
    data = PyMem_Realloc(e->data, size);
    if (!data) {
        PyErr_NoMemory();
        return -1;
    }
    e->data = data;
    e->size = size;
    return 0;
}

int
encoder_bytes(encoder *e, const void *data, size_t length)
{
    if (e->size - e->length < length && encoder_grow(e, length) < 0)
        return -1;
    if (length)
        memcpy(e->data + e->length, data, length);
    e->length += length;
    return 0;
}

int
encoder_code(encoder *e, unsigned char code)
{
    return encoder_bytes(e, &code, 1);
}

int
encoder_number(encoder *e, unsigned char code, uint32_t number)
{
    unsigned char bytes[1 + sizeof number];

    bytes[0] = code;
    memcpy(bytes + 1, &number, sizeof number);
    return encoder_bytes(e, bytes, sizeof bytes);
}

int
encoder_put_count(encoder *e, uint32_t count)
{
    return encoder_bytes(e, &count, sizeof count);
}

int
encoder_put_unset(encoder *e)
{
    return encoder_code(e, CODE_UNSET);
}

/* A code, a length that may pass 4 GiB, and that many bytes. */
static int
encoder_run(encoder *e, unsigned char code, const void *data, size_t length)
{
    return encoder_code(e, code) < 0 || encoder_bytes(e, &length, sizeof length) < 0 ||
                   encoder_bytes(e, data, length) < 0
               ? -1
               : 0;
}

/* ---- what was met before ---- */

static uint32_t
memo_hash(const void *key, uint32_t space)
{
    return (uint32_t)((((uintptr_t)key >> 4) + (uintptr_t)space * 7919) * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

/* The cell that has the key, or the free one where it belongs. */
static memo_entry *
memo_cell(memo_entry *cells, uint32_t size, const void *key, uint32_t space)
{
    uint32_t at = memo_hash(key, space) & (size - 1);

    while (cells[at].key && (cells[at].key != key || cells[at].space != space))
        at = (at + 1) & (size - 1);
    return &cells[at];
}

static memo_entry *
memo_cells(encode_memo *memo)
{
    return memo->cells ? memo->cells : memo->few;
}

/* Makes room, keeping only entries with an index below `keep`. */
static int
memo_rebuild(encode_memo *memo, uint32_t size, uint32_t keep)
{
    memo_entry *old = memo_cells(memo), *fresh = PyMem_Calloc(size, sizeof *fresh);
    uint32_t used = 0;

    if (!fresh) {
        PyErr_NoMemory();
        return -1;
    }
    for (uint32_t i = 0; i < memo->size; i++) {
        if (old[i].key && old[i].index < keep) {
            *memo_cell(fresh, size, old[i].key, old[i].space) = old[i];
            used++;
        }
    }
    PyMem_Free(memo->cells);
    memo->cells = fresh;
    memo->size = size;
    memo->used = used;
    return 0;
}

int
encoder_mention(encoder *e, void *key, uint32_t space)
{
    encode_memo *memo = &e->memo;
    memo_entry *cell;

    if (memo->used * 2 >= memo->size && memo_rebuild(memo, memo->size * 2, UINT32_MAX) < 0)
        return -1;
    cell = memo_cell(memo_cells(memo), memo->size, key, space);
    if (cell->key)
        return encoder_number(e, CODE_REFERENCE, cell->index) < 0 ? -1 : 1;
    *cell = (memo_entry){key, space, e->memo_next++};
    memo->used++;
    return 0;
}

/* ---- handles ---- */

static int
encoder_pend(encoder *e, PyObject *object)
{
    if (e->pending_count == e->pending_size) {
        uint32_t size = e->pending_size ? e->pending_size * 2 : 4;
        PyObject **pending = PyMem_Realloc(e->pending, size * sizeof *pending);

        if (!pending) {
            PyErr_NoMemory();
            return -1;
        }
        e->pending = pending;
        e->pending_size = size;
    }
    e->pending[e->pending_count++] = Py_NewRef(object);
    return 0;
}

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

static int
encode_str(encoder *e, PyObject *value)
{
    unsigned char head[2] = {CODE_STR, 0};
    size_t length = (size_t)PyUnicode_GET_LENGTH(value);

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

static int
encode_dict(encoder *e, PyObject *dict)
{
    int met = encoder_mention(e, dict, SPACE_OBJECT);
    Py_ssize_t count = PyDict_GET_SIZE(dict), at = 0, done = 0;
    PyObject *key, *value;

    if (met)
        return met < 0 ? -1 : 0;
    if (count > (Py_ssize_t)INT32_MAX)
        return ENCODE_NOT_NATIVE;
    if (encoder_number(e, CODE_DICT, (uint32_t)count) < 0)
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
    while (!result && (item = PyIter_Next(items))) {
        result = encoder_native(e, item);
        Py_DECREF(item);
    }
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
        if (code->by_value)
            return function_encode(e, value);
        known = travel_known(e->state, value, &entry);
        if (known == 0) {
            code->by_value = true;
            return function_encode(e, value);
        }
    }
    else {
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
    else
        result = ENCODE_NOT_NATIVE;
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
    if (Py_IS_TYPE(value, e->state->cown_type))
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

/* One pickle; bocmat.travel.dumps puts the matrices and cowns it meets into a list. */
static int
encode_pickle(encoder *e, PyObject *value)
{
    PyObject *dumps = NULL, *handles = NULL, *pickle = NULL;
    size_t length;
    int result = -1;

    dumps = travel_function(e->state, "dumps");
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

typedef struct {
    size_t length;
    uint32_t pending_count, memo_next;
} encoder_mark;

static int
encoder_rewind(encoder *e, encoder_mark mark)
{
    e->length = mark.length;
    while (e->pending_count > mark.pending_count)
        Py_DECREF(e->pending[--e->pending_count]);
    if (e->memo_next != mark.memo_next) {
        e->memo_next = mark.memo_next;
        return memo_rebuild(&e->memo, e->memo.size, mark.memo_next);
    }
    return 0;
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
    encoder_mark mark = {e->length, e->pending_count, e->memo_next};
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

int
encoder_put_captured(encoder *e, PyObject *value, const captured_name *name)
{
    encoder_mark mark = {e->length, e->pending_count, e->memo_next};
    int result = encoder_native(e, value);

    if (result < 0) {
        PyObject *error = error_take(), *text = captured_text(name);

        error_put(error);
        return encoder_blame(text);
    }
    if (result == ENCODE_NOT_NATIVE)
        result = encoder_rewind(e, mark) < 0 ? -1 : encoder_wait(e, value, name);
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
        encoder_mark mark = {e->length, e->pending_count, e->memo_next};

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
    encoder_mark mark = {e->length, e->pending_count, e->memo_next};
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

/* ---- the block ---- */

size_t
encoder_size(const encoder *e)
{
    return sizeof(payload) + e->pending_count * sizeof(handle) + e->length;
}

static int
handle_fill(encoder *e, handle *h, PyObject *object)
{
    if (matrix_check(e->state, object)) {
        MatrixObject *matrix = (MatrixObject *)object;

        h->kind = HANDLE_MATRIX;
        return e->mode == ENCODE_MOVE ? matrix_leave(matrix, &h->parcel) : matrix_share(matrix, &h->parcel);
    }
    if (Py_IS_TYPE(object, e->state->cown_type)) {
        h->kind = HANDLE_COWN;
        h->cown = cown_of(object);
        rt_cown_retain(h->cown);
        return 0;
    }
    h->kind = HANDLE_OBJECT;
    h->object = Py_NewRef(object);
    return 0;
}

int
encoder_finish(encoder *e, payload *at)
{
    at->length = e->length;
    at->late_at = e->late_at;
    at->handle_count = e->pending_count;
    at->late_handle = e->late_handle;
    memset(at->handles, 0, e->pending_count * sizeof(handle));
    for (uint32_t i = 0; i < e->pending_count; i++) {
        if (handle_fill(e, &at->handles[i], e->pending[i]) < 0) {
            at->handles[i].kind = HANDLE_EMPTY;
            for (uint32_t j = 0; j < i && e->mode == ENCODE_MOVE; j++) {
                if (at->handles[j].kind == HANDLE_MATRIX) {
                    matrix_return((MatrixObject *)e->pending[j], &at->handles[j].parcel);
                    at->handles[j].kind = HANDLE_EMPTY;
                }
            }
            payload_clear(at);
            return -1;
        }
    }
    memcpy(at->handles + e->pending_count, e->data, e->length);
    return 0;
}

payload *
payload_of(core_state *state, PyObject *object, encode_mode mode)
{
    encoder e;
    payload *block = NULL;

    encoder_init(&e, state, mode);
    if (encoder_put(&e, object) == 0 && encoder_end(&e) == 0) {
        block = malloc(encoder_size(&e));
        if (!block)
            PyErr_NoMemory();
        else if (encoder_finish(&e, block) < 0) {
            free(block);
            block = NULL;
        }
    }
    encoder_clear(&e);
    return block;
}

void
payload_clear(payload *p)
{
    for (uint32_t i = 0; i < p->handle_count; i++) {
        handle *h = &p->handles[i];

        if (h->kind == HANDLE_MATRIX)
            parcel_drop(&h->parcel);
        else if (h->kind == HANDLE_COWN)
            rt_cown_release(h->cown);
        else if (h->kind == HANDLE_OBJECT)
            object_drop(h->object);
        h->kind = HANDLE_EMPTY;
    }
}
