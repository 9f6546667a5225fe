/* The template of a code object, found in constant time through its extras, and the code object of a template. */
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
    } else {
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

/* bocmat.travel.describe(function) answers (module, file, qualified name, names of globals, line). */
static const function_template *
template_from(PyObject *code_bytes, PyObject *description, PyCodeObject *code)
{
    function_template draft = {0};
    const function_template *template = NULL;
    PyObject *names = PyTuple_GET_ITEM(description, 3);
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
    draft.free_count = (uint32_t)code_free_count(code);
    draft.line = (uint32_t)PyLong_AsLong(PyTuple_GET_ITEM(description, 4));
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
    } else {
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

/* ---- the other way ---- */

/* Code objects keep an entry of ours, so that scheduling from here finds the template at once. Borrowed: the table
 * keeps it for good. */
PyObject *
template_code(core_state *state, const function_template *template)
{
    object_table *table = &state->travel->codes;
    PyObject *code = object_table_get(state->travel, table, template->id), *module;
    const char *module_text, *file;
    code_entry *entry = NULL;

    if (code)
        return code;
    code = PyMarshal_ReadObjectFromString(template->code.text, (Py_ssize_t)template->code.length);
    if (code)
        code = code_of_short_lived(code);
    if (!code)
        return NULL;
    registry_space(template->space, &module_text, &file);
    module = PyUnicode_InternFromString(module_text);
    if (module)
        entry = entry_add(state, code, template, module);
    Py_XDECREF(module);
    if (!entry) {
        Py_DECREF(code);
        return NULL;
    }
    entry->by_value = true;
    return object_table_put(state->travel, table, template->id, code);
}
