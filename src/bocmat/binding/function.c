#include "function.h"

#include <marshal.h>
#include <stdlib.h>

#include "cown.h"
#include "payload_codes.h"

/* ---- templates ---- */

void
code_entry_free(void *pointer)
{
    code_entry *entry = pointer;

    while (entry) {
        code_entry *next = entry->next;

        for (uint32_t i = 0; entry->names && i < entry->template->global_count; i++)
            Py_XDECREF(entry->names[i]);
        Py_XDECREF(entry->module);
        free(entry->names);
        free(entry);
        entry = next;
    }
}

static int
text_from(PyObject *object, registry_text *text)
{
    Py_ssize_t length = 0;

    if (PyBytes_Check(object)) {
        text->text = PyBytes_AS_STRING(object);
        length = PyBytes_GET_SIZE(object);
    }
    else {
        text->text = (char *)(uintptr_t)PyUnicode_AsUTF8AndSize(object, &length);
    }
    text->length = (size_t)length;
    return text->text ? 0 : -1;
}

/* The entry for a template and the names that its code takes from its globals. */
static code_entry *
entry_new(const function_template *template, PyObject *module)
{
    code_entry *entry = calloc(1, sizeof *entry);

    if (!entry)
        goto no_memory;
    entry->template = template;
    entry->names = calloc(template->global_count + 1, sizeof *entry->names);
    if (!entry->names)
        goto no_memory;
    for (uint32_t i = 0; i < template->global_count; i++) {
        entry->names[i] = PyUnicode_InternFromString(template->globals[i].text);
        if (!entry->names[i])
            goto failed;
    }
    entry->module = Py_NewRef(module);
    return entry;
no_memory:
    PyErr_NoMemory();
failed:
    code_entry_free(entry);
    return NULL;
}

/* bocmat.travel.describe(function) answers (module, file, qualified name, line, names of globals). */
static const function_template *
template_from(PyObject *code_bytes, PyObject *description, PyCodeObject *code)
{
    function_template draft = {0};
    const function_template *template = NULL;
    PyObject *names = PyTuple_GET_ITEM(description, 4);
    const char *module = PyUnicode_AsUTF8(PyTuple_GET_ITEM(description, 0));
    const char *file = PyUnicode_AsUTF8(PyTuple_GET_ITEM(description, 1));

    if (!module || !file)
        return NULL;
    draft.space = registry_space_add(module, file);
    draft.global_count = (uint32_t)PyTuple_GET_SIZE(names);
    draft.globals = calloc(draft.global_count + 1, sizeof *draft.globals);
    if (draft.space == UINT32_MAX || !draft.globals) {
        PyErr_NoMemory();
        goto done;
    }
    for (uint32_t i = 0; i < draft.global_count; i++) {
        if (text_from(PyTuple_GET_ITEM(names, i), &draft.globals[i]) < 0)
            goto done;
    }
    if (text_from(code_bytes, &draft.code) < 0 || text_from(PyTuple_GET_ITEM(description, 2), &draft.name) < 0)
        goto done;
    draft.file = (registry_text){strlen(file), (char *)(uintptr_t)file};
    draft.line = (int)PyLong_AsLong(PyTuple_GET_ITEM(description, 3));
    draft.argument_count = code->co_argcount;
    draft.keyword_only_count = code->co_kwonlyargcount;
    draft.takes_varargs = (code->co_flags & CO_VARARGS) != 0;
    draft.free_count = (uint32_t)code_free_count(code);
    template = registry_template_add(&draft);
    if (!template)
        PyErr_NoMemory();
done:
    free(draft.globals);
    return template;
}

/* Makes the entry and hangs it on the code object, which owns it from then on. */
static code_entry *
entry_add(core_state *state, PyObject *code, const function_template *template, PyObject *module)
{
    travel_state *travel = state->travel;
    code_entry *entry = entry_new(template, module), *first;
    int result = 0;

    if (!entry)
        return NULL;
    TRAVEL_LOCK(travel);
    first = code_extra_get(code, travel->code_index);
    if (first) {
        entry->next = first->next;
        first->next = entry;
    }
    else {
        result = code_extra_set(code, travel->code_index, entry);
    }
    TRAVEL_UNLOCK(travel);
    if (result < 0) {
        code_entry_free(entry);
        return NULL;
    }
    return entry;
}

static code_entry *
entry_make(core_state *state, PyObject *function)
{
    PyObject *code = PyFunction_GET_CODE(function), *describe = NULL, *description = NULL, *bytes = NULL;
    const function_template *template;
    code_entry *entry = NULL;

    describe = travel_function(state, "describe");
    if (!describe)
        goto done;
    description = PyObject_CallOneArg(describe, function);
    if (!description)
        goto done;
    bytes = PyMarshal_WriteObjectToString(code, Py_MARSHAL_VERSION);
    if (!bytes)
        goto done;
    template = template_from(bytes, description, (PyCodeObject *)code);
    if (!template)
        goto done;
    entry = entry_add(state, code, template, PyTuple_GET_ITEM(description, 0));
done:
    Py_XDECREF(describe);
    Py_XDECREF(description);
    Py_XDECREF(bytes);
    return entry;
}

code_entry *
function_entry(core_state *state, PyObject *function)
{
    travel_state *travel = state->travel;
    PyObject *module = PyDict_GetItemWithError(PyFunction_GET_GLOBALS(function), travel->name_name);
    code_entry *entry;

    if (!module && PyErr_Occurred())
        return NULL;
    TRAVEL_LOCK(travel);
    entry = code_extra_get(PyFunction_GET_CODE(function), travel->code_index);
    while (entry && entry->module != module &&
           !(module && PyUnicode_Check(module) && PyUnicode_Compare(module, entry->module) == 0))
        entry = entry->next;
    TRAVEL_UNLOCK(travel);
    return entry ? entry : entry_make(state, function);
}

/* ---- encoding: code, template, parts, then defaults, keyword defaults, attributes, cells, globals ---- */

enum { PART_DEFAULTS = 1, PART_KEYWORD_DEFAULTS = 2, PART_ATTRIBUTES = 4, PART_CLOSURE = 8, PART_WEAK = 16 };

/* Says which variable of which function could not travel; the reason stays as the cause. */
static int
blame(const function_template *template, const char *what, PyObject *name)
{
    PyObject *reason, *error;

    if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError) ||
        PyErr_ExceptionMatches(PyExc_RuntimeError) || PyErr_ExceptionMatches(PyExc_BufferError))
        return -1;
    reason = error_take();
    PyErr_Format(PyExc_TypeError, "the %s %R of function '%s' cannot travel to a worker: %S", what, name,
                 template->name.text, reason);
    error = error_take();
    PyException_SetContext(error, Py_NewRef(reason));
    PyException_SetCause(error, reason);
    error_put(error);
    return -1;
}

static int
encode_defaults(encoder *e, const function_template *template, PyObject *function, PyObject *defaults)
{
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(function);
    Py_ssize_t count = PyTuple_GET_SIZE(defaults);

    if (encoder_put_count(e, (uint32_t)count) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (encoder_put(e, PyTuple_GET_ITEM(defaults, i)) < 0) {
            PyObject *name = code_parameter(code, code->co_argcount - count + i);
            int result = name ? blame(template, "default of parameter", name) : -1;

            Py_XDECREF(name);
            return result;
        }
    }
    return 0;
}

static int
encode_cells(encoder *e, const function_template *template, PyObject *function, PyObject *closure)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(closure); i++) {
        PyObject *cell = PyTuple_GET_ITEM(closure, i);
        int met = encoder_mention(e, cell, SPACE_OBJECT);

        if (met < 0)
            return -1;
        if (met)
            continue;
        PyObject *content = PyCell_Get(cell);
        int result = encoder_code(e, CODE_CELL);

        if (!result)
            result = content ? encoder_put(e, content) : encoder_put_unset(e);
        Py_XDECREF(content);
        if (result < 0) {
            PyObject *name = code_free_name((PyCodeObject *)PyFunction_GET_CODE(function), i);

            result = name ? blame(template, "captured variable", name) : -1;
            Py_XDECREF(name);
            return result;
        }
    }
    return 0;
}

/* A name of a namespace travels once a payload, whichever functions use it. */
static int
encode_globals(encoder *e, const code_entry *entry, PyObject *globals)
{
    const function_template *template = entry->template;

    for (uint32_t i = 0; i < template->global_count; i++) {
        size_t length = e->length;
        int met = encoder_mention(e, entry->names[i], template->space);

        if (met < 0)
            return -1;
        if (met) {
            e->length = length;
            if (encoder_code(e, CODE_BOUND) < 0)
                return -1;
            continue;
        }
        PyObject *value = PyDict_GetItemWithError(globals, entry->names[i]);

        if (!value) {
            if (PyErr_Occurred() || encoder_put_unset(e) < 0)
                return -1;
            continue;
        }
        Py_INCREF(value);
        int result = encoder_put(e, value);

        Py_DECREF(value);
        if (result < 0)
            return blame(template, "global variable", entry->names[i]);
    }
    return 0;
}

int
function_encode(encoder *e, PyObject *function)
{
    code_entry *entry = function_entry(e->state, function);
    PyObject *defaults, *keyword_defaults, *attributes, *closure;
    unsigned char parts = 0;
    int met;

    if (!entry)
        return -1;
    met = encoder_mention(e, function, SPACE_OBJECT);
    if (met)
        return met < 0 ? -1 : 0;
    const function_template *template = entry->template;

    defaults = PyFunction_GET_DEFAULTS(function);
    keyword_defaults = PyFunction_GET_KW_DEFAULTS(function);
    closure = PyFunction_GET_CLOSURE(function);
    attributes = ((PyFunctionObject *)function)->func_dict;
    parts |= (unsigned char)(defaults && defaults != Py_None ? PART_DEFAULTS : 0);
    parts |= (unsigned char)(keyword_defaults && keyword_defaults != Py_None ? PART_KEYWORD_DEFAULTS : 0);
    parts |= (unsigned char)(attributes && PyDict_GET_SIZE(attributes) ? PART_ATTRIBUTES : 0);
    parts |= (unsigned char)(closure ? PART_CLOSURE : 0);
    parts |= (unsigned char)(e->weak ? PART_WEAK : 0);
    if (encoder_number(e, CODE_FUNCTION, template->id) < 0 || encoder_code(e, parts) < 0)
        return -1;
    if (parts & PART_DEFAULTS && encode_defaults(e, template, function, defaults) < 0)
        return -1;
    if (parts & PART_KEYWORD_DEFAULTS && encoder_put(e, keyword_defaults) < 0)
        return blame(template, "keyword defaults", keyword_defaults);
    if (parts & PART_ATTRIBUTES && encoder_put(e, attributes) < 0)
        return blame(template, "attributes", attributes);
    if (parts & PART_CLOSURE && encode_cells(e, template, function, closure) < 0)
        return -1;
    return encode_globals(e, entry, PyFunction_GET_GLOBALS(function));
}

/* ---- decoding ---- */

/* The names that a module's functions find around themselves whatever they name. */
static PyObject *
space_new(core_state *state, uint32_t space)
{
    const char *module, *file;
    PyObject *make, *dict = NULL;

    registry_space(space, &module, &file);
    make = travel_function(state, "make_space");
    if (make)
        dict = PyObject_CallFunction(make, "ss", module, file);
    Py_XDECREF(make);
    return dict;
}

/* On the threads backend a behavior's functions see globals of their own, because others run at the same time. */
PyObject *
decoder_space(decoder *d, uint32_t space)
{
    object_table *table = &d->travel->spaces;
    PyObject *dict, *key;

    if (!backend_shares_objects()) {
        dict = object_table_get(d->travel, table, space);
        if (dict)
            return dict;
        dict = space_new(d->state, space);
        return dict ? object_table_put(d->travel, table, space, dict) : NULL;
    }
    if (!d->spaces && !(d->spaces = PyDict_New()))
        return NULL;
    key = PyLong_FromUnsignedLong(space);
    if (!key)
        return NULL;
    dict = PyDict_GetItemWithError(d->spaces, key);
    if (!dict && !PyErr_Occurred()) {
        dict = space_new(d->state, space);
        if (dict) {
            int result = PyDict_SetItem(d->spaces, key, dict);

            Py_DECREF(dict);
            if (result < 0)
                dict = NULL;
        }
    }
    Py_DECREF(key);
    return dict;
}

/* Code objects keep an entry of ours, so that scheduling from here finds the template at once. Borrowed: the table
 * keeps it for good. */
static PyObject *
template_code(decoder *d, const function_template *template)
{
    object_table *table = &d->travel->codes;
    PyObject *code = object_table_get(d->travel, table, template->id), *module;
    const char *module_text, *file;
    code_entry *entry = NULL;

    if (code)
        return code;
    code = PyMarshal_ReadObjectFromString(template->code.text, (Py_ssize_t)template->code.length);
    if (!code)
        return NULL;
    registry_space(template->space, &module_text, &file);
    module = PyUnicode_InternFromString(module_text);
    if (module)
        entry = entry_add(d->state, code, template, module);
    Py_XDECREF(module);
    if (!entry) {
        Py_DECREF(code);
        return NULL;
    }
    entry->by_value = true;
    return object_table_put(d->travel, table, template->id, code);
}

static PyObject *
function_new(decoder *d, const function_template *template, PyObject *code, unsigned char parts, PyObject *globals)
{
    travel_state *travel = d->travel;
    bool shareable = (parts & ~PART_WEAK) == 0 && !backend_shares_objects();
    PyObject *function = shareable ? object_table_get(travel, &travel->functions, template->id) : NULL;

    if (function)
        return Py_NewRef(function);
    function = PyFunction_New(code, globals);
    if (!function)
        return NULL;
#if PY_VERSION_HEX < 0x030B0000
    PyObject *name = PyUnicode_FromString(template->name.text);

    if (!name) {
        Py_DECREF(function);
        return NULL;
    }
    Py_SETREF(((PyFunctionObject *)function)->func_qualname, name);
#endif
    return shareable ? Py_XNewRef(object_table_put(travel, &travel->functions, template->id, function)) : function;
}

PyObject *
cell_decode(decoder *d)
{
    PyObject *cell = PyCell_New(NULL), *content;

    if (!cell || decoder_remember(d, cell) < 0)
        goto failed;
    content = decoder_next(d);
    if (!content && PyErr_Occurred())
        goto failed;
    if (content) {
        PyCell_Set(cell, content);
        Py_DECREF(content);
    }
    return cell;
failed:
    Py_XDECREF(cell);
    return NULL;
}

static int
decode_defaults(decoder *d, PyObject *function)
{
    uint32_t count = decoder_next_count(d);
    PyObject *defaults = PyTuple_New(count);
    int result = -1;

    if (!defaults)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        PyObject *value = decoder_next(d);

        if (!value)
            goto done;
        PyTuple_SET_ITEM(defaults, i, value);
    }
    result = PyFunction_SetDefaults(function, defaults);
done:
    Py_DECREF(defaults);
    return result;
}

static int
decode_parts(decoder *d, const function_template *template, PyObject *function, unsigned char parts)
{
    PyObject *part;
    int result = 0;

    if (parts & PART_DEFAULTS && decode_defaults(d, function) < 0)
        return -1;
    if (parts & PART_KEYWORD_DEFAULTS) {
        part = decoder_next(d);
        result = part ? PyFunction_SetKwDefaults(function, part) : -1;
        Py_XDECREF(part);
    }
    if (!result && parts & PART_ATTRIBUTES) {
        part = decoder_next(d);
        result = part ? PyObject_SetAttrString(function, "__dict__", part) : -1;
        Py_XDECREF(part);
    }
    if (!result && parts & PART_CLOSURE) {
        part = PyTuple_New(template->free_count);
        result = part ? 0 : -1;
        for (uint32_t i = 0; !result && i < template->free_count; i++) {
            PyObject *cell = decoder_next(d);

            if (!cell)
                result = -1;
            else
                PyTuple_SET_ITEM(part, i, cell);
        }
        if (!result)
            result = PyFunction_SetClosure(function, part);
        Py_XDECREF(part);
    }
    return result;
}

/* Sets the captured globals in the namespace that the function runs in. */
static int
decode_globals(decoder *d, const code_entry *entry, PyObject *globals, bool weak)
{
    for (uint32_t i = 0; i < entry->template->global_count; i++) {
        unsigned char code = decoder_code(d);
        PyObject *value;
        int result;

        if (code == CODE_BOUND)
            continue;
        if (decoder_remember(d, Py_None) < 0) /* the name itself has an index */
            return -1;
        if (code == CODE_UNSET) {
            result = weak ? 0 : PyDict_Contains(globals, entry->names[i]);
            result = result > 0 ? PyDict_DelItem(globals, entry->names[i]) : result;
        }
        else {
            value = decoder_value(d, code);
            if (value && weak)
                result = PyDict_SetDefault(globals, entry->names[i], value) ? 0 : -1;
            else
                result = value ? PyDict_SetItem(globals, entry->names[i], value) : -1;
            Py_XDECREF(value);
        }
        if (result < 0)
            return -1;
    }
    return 0;
}

PyObject *
function_decode(decoder *d)
{
    const function_template *template = registry_template(decoder_number(d));
    unsigned char parts = decoder_code(d);
    PyObject *globals = decoder_space(d, template->space), *code, *function;

    if (!globals)
        return NULL;
    code = template_code(d, template);
    if (!code)
        return NULL;
    function = function_new(d, template, code, parts, globals);
    if (!function || decoder_remember(d, function) < 0 || decode_parts(d, template, function, parts) < 0 ||
        decode_globals(d, code_extra_get(code, d->travel->code_index), globals, (parts & PART_WEAK) != 0) < 0)
        Py_CLEAR(function);
    return function;
}
