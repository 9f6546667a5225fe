#include "around.h"

#include "backend.h"
#include "payload_codes.h"

typedef struct around_name {
    PyObject *globals, *name;
    PyObject *value;   /* when the definition was made here; NULL: unset */
    Py_ssize_t length; /* of a list, dict or set: those that grow count as changed */
    uint32_t space;
    bool changed; /* from then on it goes with every behavior */
} around_name;

static Py_ssize_t
length_of(PyObject *value)
{
    if (!value)
        return -1;
    if (PyList_CheckExact(value))
        return PyList_GET_SIZE(value);
    if (PyDict_CheckExact(value))
        return PyDict_GET_SIZE(value);
    return PyAnySet_CheckExact(value) ? PySet_GET_SIZE(value) : -1;
}

static around_name *
around_find(travel_state *travel, uint32_t space, PyObject *name)
{
    for (uint32_t i = 0; i < travel->around_count; i++) {
        if (travel->around[i].name == name && travel->around[i].space == space)
            return &travel->around[i];
    }
    return NULL;
}

/* `name` is interned. */
static int
around_add(travel_state *travel, uint32_t space, PyObject *globals, PyObject *name, bool changed)
{
    around_name *found = around_find(travel, space, name);
    PyObject *value;

    if (found) {
        found->changed |= changed || found->globals != globals;
        if (found->globals != globals) /* the module was made anew */
            Py_SETREF(found->globals, Py_NewRef(globals));
        return 0;
    }
    if (travel->around_count == travel->around_size) {
        uint32_t size = travel->around_size ? travel->around_size * 2 : 16;
        around_name *grown = PyMem_Realloc(travel->around, size * sizeof *grown);

        if (!grown) {
            PyErr_NoMemory();
            return -1;
        }
        travel->around = grown;
        travel->around_size = size;
    }
    value = PyDict_GetItemWithError(globals, name);
    if (!value && PyErr_Occurred())
        return -1;
    travel->around[travel->around_count++] = (around_name){
        Py_NewRef(globals), Py_NewRef(name), Py_XNewRef(value), length_of(value), space, changed,
    };
    return 0;
}

static PyObject *
sent_key(uint32_t space, PyObject *name)
{
    return Py_BuildValue("(IO)", (unsigned int)space, name);
}

static int
was_sent(travel_state *travel, uint32_t space, PyObject *name)
{
    PyObject *key;
    int result;

    if (!travel->sent)
        return 0;
    key = sent_key(space, name);
    result = key ? PySet_Contains(travel->sent, key) : -1;
    Py_XDECREF(key);
    return result;
}

int
around_function(core_state *state, PyObject *function)
{
    travel_state *travel = state->travel;
    code_entry *entry;

    if (backend_shares_objects())
        return 0;
    entry = function_entry(state, function);
    if (!entry)
        return -1;
    for (uint32_t i = 0; i < entry->template->global_count; i++) {
        uint32_t space = entry->template->space;
        PyObject *name = entry->names[i];
        /* Workers may have another value of it from functions that came before. */
        int sent = around_find(travel, space, name) ? 0 : was_sent(travel, space, name);

        if (sent < 0 || around_add(travel, space, PyFunction_GET_GLOBALS(function), name, sent) < 0)
            return -1;
    }
    return 0;
}

int
around_sent(core_state *state, code_entry *entry)
{
    travel_state *travel = state->travel;

    if (entry->sent || !travel->is_main || backend_shares_objects())
        return 0;
    if (!travel->sent && !(travel->sent = PySet_New(NULL)))
        return -1;
    for (uint32_t i = 0; i < entry->template->global_count; i++) {
        PyObject *key = sent_key(entry->template->space, entry->names[i]);
        int result = key ? PySet_Add(travel->sent, key) : -1;

        Py_XDECREF(key);
        if (result < 0)
            return -1;
    }
    entry->sent = true;
    return 0;
}

int
around_brought(core_state *state, PyObject *function, PyObject *name)
{
    code_entry *entry;
    around_name *found;

    if (state->travel->is_main)
        return 0;
    entry = function_entry(state, function);
    if (!entry)
        return -1;
    found = around_find(state->travel, entry->template->space, name);
    return found && found->changed;
}

/* One name, unless this payload sets it already, and unless it cannot travel. */
static int
around_put(encoder *e, uint32_t space, PyObject *name, PyObject *value)
{
    encoder_mark mark = encoder_here(e);
    size_t length = e->length;
    int met = encoder_mention(e, name, space), result;

    if (met) {
        e->length = length;
        return met < 0 ? -1 : 0;
    }
    result = encoder_number(e, CODE_BOUND, space);
    if (result == 0)
        result = encoder_put(e, name);
    if (result == 0)
        result = value ? encoder_put(e, value) : encoder_put_unset(e);
    if (result == 0 || !PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError))
        return result;
    PyErr_Clear();
    return encoder_rewind(e, mark);
}

int
around_encode(encoder *e)
{
    travel_state *travel = e->travel;

    for (uint32_t i = 0; i < travel->around_count; i++) {
        around_name *around = &travel->around[i];
        PyObject *value = PyDict_GetItemWithError(around->globals, around->name);
        int result;

        if (!value && PyErr_Occurred())
            return -1;
        around->changed |= value != around->value || length_of(value) != around->length;
        if (!around->changed)
            continue;
        Py_XINCREF(value);
        result = around_put(e, around->space, around->name, value);
        Py_XDECREF(value);
        if (result < 0)
            return -1;
    }
    return encoder_code(e, CODE_NONE);
}

static int
around_set(decoder *d, uint32_t space, PyObject *name)
{
    PyObject *globals = decoder_space(d, space), *value;
    unsigned char code;
    int result;

    if (!globals || decoder_remember(d, Py_None) < 0) /* the name itself has an index */
        return -1;
    code = decoder_code(d);
    if (code == CODE_UNSET) {
        result = PyDict_Contains(globals, name);
        result = result > 0 ? PyDict_DelItem(globals, name) : result;
    } else {
        value = decoder_value(d, code);
        result = value ? PyDict_SetItem(globals, name, value) : -1;
        Py_XDECREF(value);
    }
    /* What arrives in the main interpreter has globals of its own; what goes out from there is the module's. */
    if (result < 0 || backend_shares_objects() || d->travel->is_main)
        return result;
    return around_add(d->travel, space, globals, name, true); /* and with what it schedules in turn */
}

int
around_decode(decoder *d)
{
    while (decoder_code(d) == CODE_BOUND) {
        uint32_t space = decoder_number(d);
        PyObject *name = decoder_next(d);
        int result;

        if (!name)
            return -1;
        PyUnicode_InternInPlace(&name);
        result = around_set(d, space, name);
        Py_DECREF(name);
        if (result < 0)
            return -1;
    }
    return 0;
}

void
around_clear(travel_state *travel)
{
    for (uint32_t i = 0; i < travel->around_count; i++) {
        Py_DECREF(travel->around[i].globals);
        Py_DECREF(travel->around[i].name);
        Py_XDECREF(travel->around[i].value);
    }
    PyMem_Free(travel->around);
    travel->around = NULL;
    travel->around_count = travel->around_size = 0;
    Py_CLEAR(travel->sent);
}
