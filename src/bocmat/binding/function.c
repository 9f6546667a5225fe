/* Functions and what they captured, on their way. Templates are in template.c. */
#include "function.h"

#include "around.h"
#include "backend.h"
#include "payload_codes.h"

/* ---- encoding: code, template, parts, then names, defaults, keyword defaults, attributes, cells, globals ---- */

enum {
    PART_DEFAULTS = 1,
    PART_KEYWORD_DEFAULTS = 2,
    PART_ATTRIBUTES = 4,
    PART_CLOSURE = 8,
    PART_NAMES = 16 /* a decorator gave it another name, or another docstring */
};

static int
encode_defaults(encoder *e, const function_template *template, PyObject *function, PyObject *defaults)
{
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(function);
    Py_ssize_t count = PyTuple_GET_SIZE(defaults);

    if (encoder_put_count(e, (uint32_t)count) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < count; i++) {
        captured_name name = {"default of parameter", NULL, template->name.text};
        int result;

        name.name = code_parameter(code, code->co_argcount - count + i);
        if (!name.name)
            return -1;
        result = encoder_put_captured(e, PyTuple_GET_ITEM(defaults, i), &name);
        Py_DECREF(name.name);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int
encode_keyword_defaults(encoder *e, const function_template *template, PyObject *defaults)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;

    if (encoder_put_count(e, (uint32_t)PyDict_GET_SIZE(defaults)) < 0)
        return -1;
    while (PyDict_Next(defaults, &at, &key, &value)) {
        captured_name name = {"default of parameter", key, template->name.text};

        if (encoder_put(e, key) < 0 || encoder_put_captured(e, value, &name) < 0)
            return -1;
    }
    return 0;
}

static int
encode_cells(encoder *e, const function_template *template, PyObject *function, PyObject *closure)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(closure); i++) {
        captured_name name = {"captured variable", NULL, template->name.text};
        PyObject *cell = PyTuple_GET_ITEM(closure, i), *content;
        int met = encoder_mention(e, cell, SPACE_OBJECT), result;

        if (met < 0)
            return -1;
        if (met)
            continue;
        if (encoder_code(e, CODE_CELL) < 0)
            return -1;
        content = PyCell_Get(cell);
        if (!content) {
            if (encoder_put_unset(e) < 0)
                return -1;
            continue;
        }
        name.name = code_free_name((PyCodeObject *)PyFunction_GET_CODE(function), i);
        result = name.name ? encoder_put_captured(e, content, &name) : -1;
        Py_XDECREF(name.name);
        Py_DECREF(content);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* A name of a namespace travels once a payload, whichever functions use it. */
static int
encode_globals(encoder *e, const code_entry *entry, PyObject *globals)
{
    const function_template *template = entry->template;

    for (uint32_t i = 0; i < template->global_count; i++) {
        captured_name name = {"global variable", entry->names[i], template->name.text};
        size_t length = e->length;
        int met = encoder_mention(e, entry->names[i], template->space), result;
        PyObject *value;

        if (met < 0)
            return -1;
        if (met) {
            e->length = length;
            if (encoder_code(e, CODE_BOUND) < 0)
                return -1;
            continue;
        }
        value = Py_XNewRef(PyDict_GetItemWithError(globals, entry->names[i]));
        if (value)
            result = encoder_put_captured(e, value, &name);
        else
            result = PyErr_Occurred() ? -1 : encoder_put_unset(e);
        Py_XDECREF(value);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* True if name and docstring are not those that the code itself gives. */
static bool
is_renamed(PyFunctionObject *function)
{
    PyCodeObject *code = (PyCodeObject *)function->func_code;

    if (function->func_name != code->co_name)
        return true;
#if PY_VERSION_HEX >= 0x030B0000
    return function->func_qualname != code->co_qualname;
#else
    return false;
#endif
}

static int
encode_names(encoder *e, PyFunctionObject *function)
{
    PyObject *doc = function->func_doc && PyUnicode_CheckExact(function->func_doc) ? function->func_doc : Py_None;

    return encoder_put(e, function->func_name) < 0 || encoder_put(e, function->func_qualname) < 0 ||
                   encoder_put(e, doc) < 0
               ? -1
               : 0;
}

static unsigned char
function_parts(PyObject *function)
{
    PyObject *defaults = PyFunction_GET_DEFAULTS(function), *keyword_defaults = PyFunction_GET_KW_DEFAULTS(function);
    PyObject *attributes = ((PyFunctionObject *)function)->func_dict;
    int parts = 0;

    parts |= defaults && defaults != Py_None ? PART_DEFAULTS : 0;
    parts |= keyword_defaults && keyword_defaults != Py_None ? PART_KEYWORD_DEFAULTS : 0;
    parts |= attributes && PyDict_GET_SIZE(attributes) ? PART_ATTRIBUTES : 0;
    parts |= PyFunction_GET_CLOSURE(function) ? PART_CLOSURE : 0;
    parts |= is_renamed((PyFunctionObject *)function) ? PART_NAMES : 0;
    return (unsigned char)parts;
}

static int
encode_part(encoder *e, const function_template *template, PyObject *function, int part)
{
    captured_name name = {NULL, ((PyFunctionObject *)function)->func_name, template->name.text};

    switch (part) {
    case PART_NAMES:
        return encode_names(e, (PyFunctionObject *)function);
    case PART_DEFAULTS:
        return encode_defaults(e, template, function, PyFunction_GET_DEFAULTS(function));
    case PART_KEYWORD_DEFAULTS:
        return encode_keyword_defaults(e, template, PyFunction_GET_KW_DEFAULTS(function));
    case PART_ATTRIBUTES:
        name.what = "attributes of";
        return encoder_put_captured(e, ((PyFunctionObject *)function)->func_dict, &name);
    default:
        return encode_cells(e, template, function, PyFunction_GET_CLOSURE(function));
    }
}

/* The order in which parts stand. */
static const int parts_in_order[] = {PART_NAMES, PART_DEFAULTS, PART_KEYWORD_DEFAULTS, PART_ATTRIBUTES, PART_CLOSURE};

enum { PART_COUNT = sizeof parts_in_order / sizeof parts_in_order[0] };

int
function_encode(encoder *e, PyObject *function)
{
    code_entry *entry = function_entry(e->state, function);
    unsigned char parts = function_parts(function);
    int met;

    if (!entry)
        return -1;
    met = encoder_mention(e, function, SPACE_OBJECT);
    if (met)
        return met < 0 ? -1 : 0;
    if (encoder_number(e, CODE_FUNCTION, entry->template->id) < 0 || encoder_code(e, parts) < 0)
        return -1;
    for (int i = 0; i < PART_COUNT; i++) {
        if (parts & parts_in_order[i] && encode_part(e, entry->template, function, parts_in_order[i]) < 0)
            return -1;
    }
    if (encode_globals(e, entry, PyFunction_GET_GLOBALS(function)) < 0)
        return -1;
    return around_sent(e->state, entry); /* now: a definition that went with it has the same values */
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

/* A worker interpreter's own dict of a namespace; in the main interpreter, which several share, a fresh one. A new
 * reference. */
static PyObject *
space_here(core_state *state, uint32_t space)
{
    travel_state *travel = state->travel;
    PyObject *dict = travel->is_main ? NULL : object_table_get(travel, &travel->spaces, space);

    if (dict)
        return Py_NewRef(dict);
    dict = space_new(state, space);
    if (!dict || travel->is_main)
        return dict;
    return Py_XNewRef(object_table_put(travel, &travel->spaces, space, dict));
}

/* In the main interpreter a behavior's functions see globals of their own, because others are in use at the same time:
 * those of other behaviors, on the threads backend, and those that came with values. */
PyObject *
decoder_space(decoder *d, uint32_t space)
{
    PyObject *dict, *key;

    if (!d->travel->is_main) {
        dict = space_here(d->state, space);
        Py_XDECREF(dict); /* the table keeps it */
        return dict;
    }
    if (!d->spaces && !(d->spaces = PyDict_New()))
        return NULL;
    key = PyLong_FromUnsignedLong(space);
    if (!key)
        return NULL;
    dict = PyDict_GetItemWithError(d->spaces, key);
    if (!dict && !PyErr_Occurred()) {
        dict = space_here(d->state, space);
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

static PyObject *
function_new(travel_state *travel, const function_template *template, PyObject *code, bool bare, PyObject *globals)
{
    bool shareable = bare && !travel->is_main; /* nothing of its own: one serves all behaviors */
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
decode_keyword_defaults(decoder *d, PyObject *function)
{
    uint32_t count = decoder_next_count(d);
    PyObject *defaults = PyDict_New();
    int result = defaults ? 0 : -1;

    for (uint32_t i = 0; !result && i < count; i++) {
        PyObject *key = decoder_next(d), *value = key ? decoder_next(d) : NULL;

        result = value ? PyDict_SetItem(defaults, key, value) : -1;
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    if (!result)
        result = PyFunction_SetKwDefaults(function, defaults);
    Py_XDECREF(defaults);
    return result;
}

static int
decode_names(decoder *d, PyFunctionObject *function)
{
    PyObject *name = decoder_next(d), *qualified = name ? decoder_next(d) : NULL,
             *doc = qualified ? decoder_next(d) : NULL;

    if (!doc) {
        Py_XDECREF(name);
        Py_XDECREF(qualified);
        return -1;
    }
    Py_SETREF(function->func_name, name);
    Py_SETREF(function->func_qualname, qualified);
    Py_XSETREF(function->func_doc, doc);
    return 0;
}

static int
decode_closure(decoder *d, const function_template *template, PyObject *function)
{
    PyObject *closure = PyTuple_New(template->free_count);
    int result = closure ? 0 : -1;

    for (uint32_t i = 0; !result && i < template->free_count; i++) {
        PyObject *cell = decoder_next(d);

        if (cell)
            PyTuple_SET_ITEM(closure, i, cell);
        else
            result = -1;
    }
    if (!result)
        result = PyFunction_SetClosure(function, closure);
    Py_XDECREF(closure);
    return result;
}

static int
decode_part(decoder *d, const function_template *template, PyObject *function, int part)
{
    PyObject *value;
    int result;

    switch (part) {
    case PART_NAMES:
        return decode_names(d, (PyFunctionObject *)function);
    case PART_DEFAULTS:
        return decode_defaults(d, function);
    case PART_KEYWORD_DEFAULTS:
        return decode_keyword_defaults(d, function);
    case PART_CLOSURE:
        return decode_closure(d, template, function);
    default:
        break;
    }
    value = decoder_next(d);
    result = value ? PyObject_SetAttrString(function, "__dict__", value) : -1;
    Py_XDECREF(value);
    return result;
}

/* Sets the captured globals in the namespace that the function runs in. */
static int
decode_globals(decoder *d, const code_entry *entry, PyObject *globals)
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
            result = PyDict_Contains(globals, entry->names[i]);
            result = result > 0 ? PyDict_DelItem(globals, entry->names[i]) : result;
        } else {
            value = decoder_value(d, code);
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
    int result;

    if (!globals)
        return NULL;
    code = template_code(d->state, template);
    if (!code)
        return NULL;
    function = function_new(d->travel, template, code, parts == 0, globals);
    if (!function)
        return NULL;
    result = decoder_remember(d, function);
    for (int i = 0; result == 0 && i < PART_COUNT; i++) {
        if (parts & parts_in_order[i])
            result = decode_part(d, template, function, parts_in_order[i]);
    }
    if (result == 0)
        result = decode_globals(d, code_extra_get(code, d->travel->code_index), globals);
    if (result < 0)
        Py_CLEAR(function);
    return function;
}

PyObject *
function_make(core_state *state, uint32_t number)
{
    const function_template *template = registry_template(number);
    PyObject *globals = space_here(state, template->space), *code = NULL, *function = NULL;

    if (globals)
        code = template_code(state, template);
    if (code)
        function = function_new(state->travel, template, code, false, globals);
    Py_XDECREF(globals);
    return function;
}
