/* Reading the noticeboard. A thread that runs behaviors keeps the snapshot it read last, and what it has decoded of it
 * as long as nobody can change that; everybody else takes a snapshot for each look. */
#include "board.h"

#include <stdlib.h>

#include "args.h"
#include "cown.h"
#include "docs.h"

/* ---- values ---- */

enum { FROZEN_DEPTH = 8 };

/* Whether nobody can change it: one behavior may leave it to the next. */
static bool
is_frozen(const core_state *state, PyObject *object, int depth)
{
    if (object == Py_None || object == state->removed || PyBool_Check(object) || PyUnicode_CheckExact(object) ||
        PyLong_CheckExact(object) || PyFloat_CheckExact(object) || PyBytes_CheckExact(object) ||
        PyComplex_CheckExact(object) || matrix_check(state, object))
        return true;
    if (!PyTuple_CheckExact(object) || depth == FROZEN_DEPTH)
        return false;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(object); i++) {
        if (!is_frozen(state, PyTuple_GET_ITEM(object, i), depth + 1))
            return false;
    }
    return true;
}

static bool
value_holds_matrix(const rt_value *value)
{
    switch (value->kind & VALUE_KIND) {
    case VALUE_MATRIX:
        return true;
    case VALUE_PAYLOAD:
        return payload_has_matrix((const payload *)value->data);
    default:
        return false;
    }
}

static bool
value_is_light(const rt_value *value)
{
    switch (value->kind & VALUE_KIND) {
    case VALUE_MATRIX:
    case VALUE_OBJECT:
        return false;
    case VALUE_PAYLOAD:
        return ((const payload *)value->data)->handle_count == 0;
    default:
        return true;
    }
}

static PyObject *
key_decode(const rt_notice *notice)
{
    return PyUnicode_DecodeUTF8(notice->key, (Py_ssize_t)notice->length, "surrogatepass");
}

/* ---- what a thread that runs behaviors sees ---- */

static void
view_forget(board_view *view)
{
    PyObject *values = view->values, *shown = view->shown;

    view->values = view->shown = NULL;
    view->own = false;
    Py_XDECREF(shown);
    Py_XDECREF(values);
}

int
board_view_settle(worker_context *context)
{
    board_view *view = context->board;
    rt_snapshot *old;

    if (!view) {
        view = context->board = calloc(1, sizeof *view);
        if (!view) {
            PyErr_NoMemory();
            return -1;
        }
    }
    if (view->settled)
        return 0;
    if (!view->snapshot || !rt_board_has(board_here(), view->snapshot)) {
        old = view->snapshot;
        view->snapshot = rt_board_take(board_here());
        view->settled = true;
        if (old)
            rt_snapshot_release(old);
        view_forget(view);
        if (view->kept && (size_t)PyDict_GET_SIZE(view->kept) > 2 * rt_snapshot_count(view->snapshot) + 64)
            Py_CLEAR(view->kept); /* mostly of keys that are gone */
    }
    view->settled = true;
    return 0;
}

void
board_view_leave_behavior(worker_context *context)
{
    board_view *view = context->board;

    view->settled = false;
    if (view->own)
        view_forget(view);
}

void
board_view_idle(worker_context *context)
{
    board_view *view = context->board;

    if (!view || !view->snapshot)
        return;
    if (view->shown && view->light && rt_board_has(board_here(), view->snapshot))
        return; /* cheap to keep */
    view_forget(view);
    if (view->has_matrix)
        Py_CLEAR(view->kept);
    view->has_matrix = false;
    rt_snapshot_release(view->snapshot);
    view->snapshot = NULL;
}

void
board_view_free(worker_context *context)
{
    board_view *view = context->board;

    if (!view)
        return;
    context->board = NULL;
    view_forget(view);
    Py_CLEAR(view->kept);
    if (view->snapshot)
        rt_snapshot_release(view->snapshot);
    free(view);
}

/* The value that was decoded from this very entry, borrowed; NULL, perhaps with an exception. */
static PyObject *
kept_get(board_view *view, PyObject *key, const rt_notice *notice)
{
    PyObject *pair = view->kept ? PyDict_GetItemWithError(view->kept, key) : NULL;

    if (!pair || PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(pair, 0)) != notice->version)
        return NULL;
    return PyTuple_GET_ITEM(pair, 1);
}

static int
kept_put(board_view *view, PyObject *key, const rt_notice *notice, PyObject *value)
{
    PyObject *pair;
    int status;

    if (!view->kept && !(view->kept = PyDict_New()))
        return -1;
    pair = Py_BuildValue("(KO)", (unsigned long long)notice->version, value);
    status = pair ? PyDict_SetItem(view->kept, key, pair) : -1;
    Py_XDECREF(pair);
    view->has_matrix |= value_holds_matrix(&notice->value);
    return status;
}

/* The entry's value, put among the snapshot's; a new reference. */
static PyObject *
view_decode(core_state *state, board_view *view, PyObject *key, const rt_notice *notice)
{
    PyObject *value = Py_XNewRef(kept_get(view, key, notice));

    if (!value && !PyErr_Occurred()) {
        value = value_decode(state, &notice->value, MATRIX_READ_ONLY);
        if (value && !is_frozen(state, value, 0))
            view->own = true;
        else if (value && kept_put(view, key, notice, value) < 0)
            Py_CLEAR(value);
    }
    if (value && !view->values && !(view->values = PyDict_New()))
        Py_CLEAR(value);
    if (value && PyDict_SetItem(view->values, key, value) < 0)
        Py_CLEAR(value);
    return value;
}

/* A new reference; NULL without an exception: there is no such key. */
static PyObject *
view_read(core_state *state, worker_context *context, PyObject *object)
{
    PyObject *value = NULL;
    board_view *view;
    board_key key;

    if (board_view_settle(context) < 0)
        return NULL;
    view = context->board;
    if (view->values && PyUnicode_CheckExact(object)) {
        value = PyDict_GetItemWithError(view->values, object);
        if (value || PyErr_Occurred())
            return Py_XNewRef(value);
    }
    if (board_key_take(object, &key) < 0)
        return NULL;
    if (view->values)
        value = Py_XNewRef(PyDict_GetItemWithError(view->values, key.string));
    if (!value && !PyErr_Occurred()) {
        const rt_notice *notice = rt_snapshot_find(view->snapshot, key.text, key.length);

        if (notice)
            value = view_decode(state, view, key.string, notice);
    }
    board_key_clear(&key);
    return value;
}

typedef struct {
    core_state *state;
    board_view *view;
} view_filling;

static int
view_fill_one(const rt_notice *notice, void *context)
{
    view_filling *filling = context;
    PyObject *key = key_decode(notice), *value;

    if (!key)
        return -1;
    filling->view->light &= value_is_light(&notice->value);
    value = filling->view->values ? Py_XNewRef(PyDict_GetItemWithError(filling->view->values, key)) : NULL;
    if (!value && !PyErr_Occurred())
        value = view_decode(filling->state, filling->view, key, notice);
    Py_DECREF(key);
    Py_XDECREF(value);
    return value ? 0 : -1;
}

/* All of it as a mapping; a new reference. */
static PyObject *
view_show(core_state *state, worker_context *context)
{
    view_filling filling = {.state = state};
    board_view *view;

    if (board_view_settle(context) < 0)
        return NULL;
    view = filling.view = context->board;
    if (view->shown)
        return Py_NewRef(view->shown);
    if (!view->values && !(view->values = PyDict_New()))
        return NULL;
    view->light = true;
    if (rt_snapshot_each(view->snapshot, view_fill_one, &filling) < 0)
        return NULL;
    if (!view->shown)
        view->shown = PyDictProxy_New(view->values);
    return Py_XNewRef(view->shown);
}

/* ---- what anybody else sees: the board as it is now ---- */

typedef struct {
    core_state *state;
    PyObject *dict;
    uint32_t flags;
} contents;

static int
contents_add(const rt_notice *notice, void *context)
{
    contents *c = context;
    PyObject *key = key_decode(notice), *value = key ? value_decode(c->state, &notice->value, c->flags) : NULL;
    int status = value ? PyDict_SetItem(c->dict, key, value) : -1;

    Py_XDECREF(key);
    Py_XDECREF(value);
    return status;
}

/* A new dict; releases the snapshot. */
static PyObject *
snapshot_contents(core_state *state, rt_snapshot *snapshot, uint32_t flags)
{
    contents c = {state, PyDict_New(), flags};

    if (c.dict && rt_snapshot_each(snapshot, contents_add, &c) < 0)
        Py_CLEAR(c.dict);
    rt_snapshot_release(snapshot);
    return c.dict;
}

static PyObject *
board_read(core_state *state, PyObject *object)
{
    rt_snapshot *snapshot;
    const rt_notice *notice;
    PyObject *value = NULL;
    board_key key;

    if (board_key_take(object, &key) < 0)
        return NULL;
    snapshot = rt_board_take(board_here());
    notice = rt_snapshot_find(snapshot, key.text, key.length);
    if (notice)
        value = value_decode(state, &notice->value, MATRIX_READ_ONLY);
    rt_snapshot_release(snapshot);
    board_key_clear(&key);
    return value;
}

/* ---- the module's functions ---- */

static PyObject *
func_notice_read(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const args_spec spec = {"notice_read", 2, 1, {"key", "default", NULL}};
    core_state *state = PyModule_GetState(module);
    worker_context *context = worker_current();
    board_view *view = context ? context->board : NULL;
    PyObject *values[ARGS_MAX], *value;

    if (view && view->settled && view->values && !names && (count == 1 || count == 2) &&
        PyUnicode_CheckExact(args[0])) {
        value = PyDict_GetItemWithError(view->values, args[0]); /* seen before, as it mostly was */
        if (value || PyErr_Occurred())
            return Py_XNewRef(value);
    }
    if (!args_take(&spec, args, count, names, values))
        return NULL;
    value = context ? view_read(state, context, values[0]) : board_read(state, values[0]);
    if (value || PyErr_Occurred())
        return value;
    return Py_NewRef(values[1] ? values[1] : Py_None);
}

static PyObject *
func_noticeboard(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    core_state *state = PyModule_GetState(module);
    worker_context *context = worker_current();
    PyObject *dict, *proxy;

    if (context)
        return view_show(state, context);
    dict = snapshot_contents(state, rt_board_take(board_here()), MATRIX_READ_ONLY);
    proxy = dict ? PyDictProxy_New(dict) : NULL;
    Py_XDECREF(dict);
    return proxy;
}

/* Takes everything off the board, with no runtime running; a dict of it if asked for, else None. */
static PyObject *
func_board_clear(PyObject *module, PyObject *wanted)
{
    rt_snapshot *last = rt_board_take(board_here());
    int status = rt_board_clear(board_here());

    if (status == RT_OK && wanted == Py_True)
        return snapshot_contents(PyModule_GetState(module), last, 0);
    rt_snapshot_release(last);
    if (status == RT_OK)
        Py_RETURN_NONE;
    raise_status(status);
    return NULL;
}

static PyMethodDef functions[] = {
    {"notice_read", (PyCFunction)(void (*)(void))func_notice_read, METH_FASTCALL | METH_KEYWORDS,
     "notice_read($module, /, key, default=None)\n--\n\n"
     "Read what is on the noticeboard under a key." PARAMETERS(
         PARAMETER("key", "str", "Any.") PARAMETER("default", "object, optional", "The answer where there is none."))
         RETURNS("object", "In a behavior, of the snapshot that `noticeboard()` gives; a matrix is read-only and not "
                           "copied.") RAISES(CASE("TypeError", "`key` is no str."))
             EXAMPLES(TRY("notice_read(\"nobody wrote this\", 0)", "0"))},
    {"noticeboard", func_noticeboard, METH_NOARGS,
     "noticeboard($module, /)\n--\n\n"
     "Give a snapshot of the noticeboard." RETURNS(
         "types.MappingProxyType",
         "Every key with its value. In a behavior it is the same snapshot however often it is "
         "asked for, taken when the behavior first reads or writes; elsewhere what is there "
         "now. Matrices in it are read-only and not copied.")
         EXAMPLES(DO("notice_seed(\"name\", \"x\")") TRY("noticeboard()[\"name\"]", "'x'"))},
    {"_board_clear", func_board_clear, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

int
board_view_add(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
