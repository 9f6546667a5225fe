#include "travel.h"

#include "around.h"
#include "function.h"
#include "payload_codes.h"

int
travel_init(core_state *state)
{
    travel_state *travel = PyMem_Calloc(1, sizeof *travel);

    if (!travel) {
        PyErr_NoMemory();
        return -1;
    }
    state->travel = travel;
    travel->is_main = PyInterpreterState_Get() == PyInterpreterState_Main();
    travel->code_index = code_extra_request(code_entry_free);
    if (travel->code_index < 0) {
        PyErr_SetString(PyExc_SystemError, "no slot is left for bocmat in the extras of code objects");
        return -1;
    }
    travel->name_name = PyUnicode_InternFromString("__name__");
    travel->held = PyDict_New();
    return travel->held && travel->name_name ? 0 : -1;
}

static void
object_table_clear(object_table *table)
{
    for (uint32_t i = 0; i < table->size; i++)
        Py_CLEAR(table->at[i]);
    PyMem_Free(table->at);
    table->at = NULL;
    table->size = 0;
}

void
travel_clear(core_state *state)
{
    travel_state *travel = state->travel;

    if (!travel)
        return;
    state->travel = NULL;
    for (uint32_t i = 0; i < travel->known_size; i++)
        Py_CLEAR(travel->known[i].object);
    PyMem_Free(travel->known);
    around_clear(travel);
    object_table_clear(&travel->functions);
    object_table_clear(&travel->codes);
    object_table_clear(&travel->defined);
    object_table_clear(&travel->named);
    object_table_clear(&travel->spaces);
    Py_CLEAR(travel->travel_module);
    Py_CLEAR(travel->pickles_module);
    Py_CLEAR(travel->name_name);
    Py_CLEAR(travel->reducers);
    Py_CLEAR(travel->held);
    PyMem_Free(travel->scratch);
    PyMem_Free(travel);
}

static PyObject *
module_function(PyObject **kept, const char *module, const char *name)
{
    if (!*kept)
        *kept = PyImport_ImportModule(module);
    return *kept ? PyObject_GetAttrString(*kept, name) : NULL;
}

PyObject *
travel_function(core_state *state, const char *name)
{
    return module_function(&state->travel->travel_module, "bocmat.travel", name);
}

PyObject *
pickles_function(core_state *state, const char *name)
{
    return module_function(&state->travel->pickles_module, "bocmat.pickles", name);
}

/* ---- tables by number ---- */

PyObject *
object_table_get(travel_state *travel, const object_table *table, uint32_t number)
{
    PyObject *object;

    TRAVEL_LOCK(travel);
    object = number < table->size ? table->at[number] : NULL;
    TRAVEL_UNLOCK(travel);
    return object;
}

static bool
object_table_reach(object_table *table, uint32_t number)
{
    uint32_t size = table->size ? table->size : 64;
    PyObject **at;

    if (number < table->size)
        return true;
    while (size <= number)
        size *= 2;
    at = PyMem_Realloc(table->at, size * sizeof *at);
    if (!at)
        return false;
    memset(at + table->size, 0, (size - table->size) * sizeof *at);
    table->at = at;
    table->size = size;
    return true;
}

PyObject *
object_table_put(travel_state *travel, object_table *table, uint32_t number, PyObject *object)
{
    PyObject *kept = NULL;

    TRAVEL_LOCK(travel);
    if (object_table_reach(table, number)) {
        kept = table->at[number];
        if (!kept)
            kept = table->at[number] = Py_NewRef(object);
    }
    TRAVEL_UNLOCK(travel);
    Py_DECREF(object);
    if (!kept)
        PyErr_NoMemory();
    return kept;
}

/* ---- known objects, by address ---- */

static known_entry *
known_cell(known_entry *cells, uint32_t size, PyObject *object)
{
    uint32_t at = (uint32_t)(((uintptr_t)object >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (size - 1);

    while (cells[at].object && cells[at].object != object)
        at = (at + 1) & (size - 1);
    return &cells[at];
}

bool
travel_known_already(travel_state *travel, PyObject *object, known_entry *entry)
{
    bool known = false;

    TRAVEL_LOCK(travel);
    if (travel->known_size) {
        *entry = *known_cell(travel->known, travel->known_size, object);
        known = entry->object != NULL;
    }
    TRAVEL_UNLOCK(travel);
    return known;
}

static bool
known_grow(travel_state *travel)
{
    uint32_t size = travel->known_size ? travel->known_size * 2 : 256;
    known_entry *cells = PyMem_Calloc(size, sizeof *cells);

    if (!cells)
        return false;
    for (uint32_t i = 0; i < travel->known_size; i++) {
        if (travel->known[i].object)
            *known_cell(cells, size, travel->known[i].object) = travel->known[i];
    }
    PyMem_Free(travel->known);
    travel->known = cells;
    travel->known_size = size;
    return true;
}

int
travel_known_add(core_state *state, PyObject *object, uint8_t code, uint32_t number)
{
    travel_state *travel = state->travel;
    known_entry *cell;
    bool fits;

    TRAVEL_LOCK(travel);
    fits = travel->known_used * 2 < travel->known_size || known_grow(travel);
    if (fits) {
        cell = known_cell(travel->known, travel->known_size, object);
        if (!cell->object) {
            travel->known_used++;
            *cell = (known_entry){Py_NewRef(object), number, code};
        }
    }
    TRAVEL_UNLOCK(travel);
    if (!fits)
        PyErr_NoMemory();
    return fits ? 0 : -1;
}

/* bocmat.travel.classify answers None, (module, name or None), the number of a definition, or the object itself: a
 * class that has yet to get one. */
static int
known_from_answer(core_state *state, PyObject *object, PyObject *answer, known_entry *entry)
{
    if (answer == Py_None)
        return 0;
    if (PyTuple_CheckExact(answer)) {
        PyObject *module = PyTuple_GET_ITEM(answer, 0), *name = PyTuple_GET_ITEM(answer, 1);
        const char *module_text = PyUnicode_AsUTF8(module);
        const char *name_text = name == Py_None ? NULL : PyUnicode_AsUTF8(name);

        if (!module_text || (name != Py_None && !name_text))
            return -1;
        entry->code = CODE_NAME;
        entry->number = registry_name_add(module_text, name_text);
        if (entry->number == UINT32_MAX) {
            PyErr_NoMemory();
            return -1;
        }
    } else {
        unsigned long number = PyLong_AsUnsignedLong(answer);

        if (PyErr_Occurred())
            return -1;
        /* Not known before bocmat.pickles says so: others cannot read a definition that is being made. */
        entry->code = CODE_DEFINITION;
        entry->number = (uint32_t)number;
        return 1;
    }
    return travel_known_add(state, object, entry->code, entry->number) < 0 ? -1 : 1;
}

/* Takes over the function, which may be NULL, with an exception. */
static PyObject *
call_one(PyObject *function, PyObject *argument)
{
    PyObject *result = function ? PyObject_CallOneArg(function, argument) : NULL;

    Py_XDECREF(function);
    return result;
}

int
travel_known(core_state *state, PyObject *object, known_entry *entry)
{
    PyObject *answer;
    int result;

    if (travel_known_already(state->travel, object, entry))
        return 1;
    answer = call_one(travel_function(state, "classify"), object);
    if (answer == object)
        Py_SETREF(answer, call_one(pickles_function(state, "define"), object));
    if (!answer)
        return -1;
    result = known_from_answer(state, object, answer, entry);
    Py_DECREF(answer);
    return result;
}

PyObject *
travel_named(core_state *state, uint32_t number)
{
    PyObject *object = object_table_get(state->travel, &state->travel->named, number);
    const char *module, *name;
    PyObject *find;

    if (object)
        return object;
    registry_name(number, &module, &name);
    find = travel_function(state, "find_named");
    object = find ? PyObject_CallFunction(find, "zz", module, name) : NULL;
    Py_XDECREF(find);
    if (!object)
        return NULL;
    if (travel_known_add(state, object, CODE_NAME, number) < 0) {
        Py_DECREF(object);
        return NULL;
    }
    return object_table_put(state->travel, &state->travel->named, number, object);
}

PyObject *
travel_defined(core_state *state, uint32_t number)
{
    PyObject *object = object_table_get(state->travel, &state->travel->defined, number), *find;

    if (object)
        return Py_NewRef(object);
    find = pickles_function(state, "find_defined");
    object = find ? PyObject_CallFunction(find, "I", number) : NULL;
    Py_XDECREF(find);
    return object;
}
