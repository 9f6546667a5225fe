/* Writing on the noticeboard: every write, deletion and update is a behavior over the board's cown, so they come in
 * order and are waited for. What needs no interpreter is done at once on the thread that finds the board free, or by
 * whoever gives it on; updates, which call a function, are run by workers. */
#include "board.h"

#include <stdlib.h>

#include "args.h"
#include "around.h"
#include "cown_pass.h"
#include "docs.h"
#include "failure.h"
#include "function.h"
#include "matrix_random.h"
#include "task.h"
#include "when.h"

static rt_board *the_board; /* made with the first module, and anew after a fork */

rt_board *
board_here(void)
{
    return the_board;
}

void
board_forked(void)
{
    rt_board *fresh = rt_board_new(&value_host);

    if (fresh)
        the_board = fresh; /* the parent's is left as it is: some thread may have been at it */
}

/* ---- keys ---- */

int
board_key_take(PyObject *object, board_key *key)
{
    Py_ssize_t length;

    *key = (board_key){0};
    if (!PyUnicode_Check(object)) {
        PyErr_Format(PyExc_TypeError, "a key of the noticeboard is a str, not %.200s", Py_TYPE(object)->tp_name);
        return -1;
    }
    key->string = PyUnicode_FromObject(object);
    if (!key->string)
        return -1;
    key->text = PyUnicode_AsUTF8AndSize(key->string, &length);
    if (!key->text && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) { /* half a surrogate pair */
        PyErr_Clear();
        key->bytes = PyUnicode_AsEncodedString(key->string, "utf-8", "surrogatepass");
        if (key->bytes) {
            key->text = PyBytes_AS_STRING(key->bytes);
            length = PyBytes_GET_SIZE(key->bytes);
        }
    }
    if (!key->text) {
        board_key_clear(key);
        return -1;
    }
    key->length = (size_t)length;
    return 0;
}

void
board_key_clear(board_key *key)
{
    Py_CLEAR(key->string);
    Py_CLEAR(key->bytes);
}

/* ---- what is to be done, and doing it ---- */

/* Whoever made it ready does it, attached to an interpreter or not. */
static void
notice_apply(rt_behavior *behavior, void *Py_UNUSED(context))
{
    task_notice *task = rt_behavior_captures(behavior);
    int status = task->removes ? rt_board_remove(the_board, task->key, task->length)
                               : rt_board_put(the_board, task->key, task->length, task->value);

    if (status < 0) {
        value_clear(&task->value);
        failure_note(rt_behavior_result(behavior), "a noticeboard entry was not written, for want of memory");
    }
    atomic_store_explicit(&task->done, true, memory_order_release);
    rt_behavior_finish(behavior);
}

/* Takes over the value, unless it fails: NULL with MemoryError. */
static rt_behavior *
notice_make(const board_key *key, bool removes, rt_value value)
{
    rt_behavior *behavior = rt_behavior_new(backend_host(), 1, sizeof(task_notice) + key->length);
    task_notice *task;

    if (!behavior) {
        PyErr_NoMemory();
        return NULL;
    }
    task = rt_behavior_captures(behavior);
    task->kind = TASK_NOTICE;
    task->removes = removes;
    atomic_init(&task->done, false);
    task->value = value;
    task->length = key->length;
    memcpy(task->key, key->text, key->length);
    rt_behavior_set(behavior, 0, rt_board_cown(the_board), RT_WRITE);
    rt_behavior_on_ready(behavior, notice_apply, NULL);
    return behavior;
}

/* The calling behavior does not see what it writes: it has its snapshot first. */
static int
settle_before_writing(void)
{
    worker_context *context = worker_current();

    return context ? board_view_settle(context) : 0;
}

/* The behavior is the runtime's, or gone: 0, or -1 with an exception. */
static int
notice_schedule(core_state *state, rt_behavior *behavior)
{
    backend_kind kind = backend_current();
    rt_runtime *runtime = when_runtime(state);
    int status = RT_NOT_RUNNING;

    if (runtime && settle_before_writing() == 0)
        status = backend_current() == kind ? when_hand_over(runtime, behavior, kind) : RT_INVALID;
    if (status == RT_OK)
        return 0;
    behavior_drop(behavior);
    rt_behavior_discard(behavior);
    if (status == RT_INVALID)
        PyErr_SetString(PyExc_RuntimeError, "another thread has just started the runtime on another backend");
    return raise_status(status);
}

static int
notice_post(core_state *state, const board_key *key, bool removes, rt_value value)
{
    rt_behavior *behavior = notice_make(key, removes, value);

    if (behavior)
        return notice_schedule(state, behavior);
    value_clear(&value);
    return -1;
}

/* ---- values ---- */

/* What stands under the key from now on: 0, or -1 with an exception that says whose value it was. */
static int
notice_encode(core_state *state, const board_key *key, PyObject *object, const char *function, rt_value *value)
{
    captured_name name = {"value of key", key->string, function};

    if (object == state->removed) {
        PyErr_Format(PyExc_ValueError, "%s(%R, REMOVED): REMOVED is no value; notice_delete(%R) deletes the entry",
                     function, key->string, key->string);
        return -1;
    }
    return value_encode_shared(state, object, &name, value);
}

/* ---- notice_write, notice_seed, notice_delete ---- */

static PyObject *
func_notice_write(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const args_spec spec = {"notice_write", 2, 2, {"key", "value", NULL}};
    core_state *state = PyModule_GetState(module);
    PyObject *values[ARGS_MAX];
    board_key key;
    rt_value value;
    int status = -1;

    if (!args_take(&spec, args, count, names, values) || board_key_take(values[0], &key) < 0)
        return NULL;
    if (notice_encode(state, &key, values[1], "notice_write", &value) == 0)
        status = notice_post(state, &key, false, value);
    board_key_clear(&key);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
func_notice_delete(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const args_spec spec = {"notice_delete", 1, 1, {"key", NULL}};
    PyObject *values[ARGS_MAX];
    board_key key;
    int status;

    if (!args_take(&spec, args, count, names, values) || board_key_take(values[0], &key) < 0)
        return NULL;
    status = notice_post(PyModule_GetState(module), &key, true, (rt_value){VALUE_EMPTY, 0});
    board_key_clear(&key);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

/* Waits until whatever was asked of the board before is done. */
static int
wait_for_board(core_state *state)
{
    rt_runtime *runtime = backend_runtime();
    rt_behavior *pass;

    if (!runtime)
        return 0; /* another thread's wait() has seen to it */
    pass = pass_acquire(state, runtime, rt_board_cown(the_board), RT_WRITE, -1.0);
    if (!pass)
        return -1;
    rt_behavior_finish(pass);
    return 0;
}

static int
notice_seed(core_state *state, const board_key *key, rt_value value)
{
    rt_behavior *behavior = notice_make(key, false, value);
    task_notice *task;
    rt_cown *result;
    int status;

    if (!behavior) {
        value_clear(&value);
        return -1;
    }
    task = rt_behavior_captures(behavior);
    result = rt_behavior_result(behavior);
    rt_cown_retain(result); /* keeps the block while this thread looks at it */
    status = notice_schedule(state, behavior);
    if (status == 0 && !atomic_load_explicit(&task->done, memory_order_acquire))
        status = wait_for_board(state);
    rt_cown_release(result);
    return status;
}

static PyObject *
func_notice_seed(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const args_spec spec = {"notice_seed", 2, 2, {"key", "value", NULL}};
    core_state *state = PyModule_GetState(module);
    PyObject *values[ARGS_MAX];
    board_key key;
    rt_value value;
    int status = -1;

    if (!args_take(&spec, args, count, names, values) || board_key_take(values[0], &key) < 0)
        return NULL;
    if (worker_current() || !state->travel->is_main)
        PyErr_SetString(PyExc_RuntimeError, "notice_seed() is for the main program; a behavior uses notice_write()");
    else if (notice_encode(state, &key, values[1], "notice_seed", &value) == 0)
        status = notice_seed(state, &key, value);
    board_key_clear(&key);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- notice_update ---- */

/* With its function, key and default in one block, not yet scheduled. */
static rt_behavior *
update_make(encoder *e, PyObject *name)
{
    size_t name_at = (offsetof(task_call, captures) + encoder_size(e) + 7) & ~(size_t)7;
    Py_ssize_t length = 0;
    const char *text = PyUnicode_AsUTF8AndSize(name, &length);
    rt_behavior *behavior;
    task_call *call;

    PyErr_Clear();
    behavior = rt_behavior_new(backend_host(), 1, name_at + (size_t)length + 1);
    if (!behavior) {
        PyErr_NoMemory();
        return NULL;
    }
    call = rt_behavior_captures(behavior);
    call->kind = TASK_UPDATE;
    if (text) {
        memcpy((char *)call + name_at, text, (size_t)length);
        call->name_at = (uint32_t)name_at;
    }
    if (encoder_finish(e, &call->captures) < 0) {
        rt_behavior_discard(behavior);
        return NULL;
    }
    rt_behavior_set(behavior, 0, rt_board_cown(the_board), RT_WRITE);
    return behavior;
}

/* (func, args, keywords) of a functools.partial, which then needs no pickle; of anything else, itself. A new reference.
 */
static PyObject *
function_apart(PyObject *function)
{
    PyObject *parts[3] = {NULL}, *extra = NULL, *result = NULL;
    static const char *const names[3] = {"func", "args", "keywords"};
    bool plain;

    if (strcmp(Py_TYPE(function)->tp_name, "functools.partial") != 0)
        return Py_NewRef(function);
    extra = PyObject_GetAttrString(function, "__dict__");
    plain = extra && PyDict_Check(extra) && PyDict_GET_SIZE(extra) == 0;
    for (int i = 0; plain && i < 3; i++) {
        parts[i] = PyObject_GetAttrString(function, names[i]);
        plain = parts[i] != NULL;
    }
    if (plain && PyTuple_CheckExact(parts[1]) && PyDict_CheckExact(parts[2]))
        result = PyTuple_Pack(3, parts[0], parts[1], parts[2]);
    else if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_AttributeError))
        result = Py_NewRef(function);
    if (result)
        PyErr_Clear();
    Py_XDECREF(extra);
    for (int i = 0; i < 3; i++)
        Py_XDECREF(parts[i]);
    return result;
}

/* The partial again. */
static PyObject *
function_whole(PyObject *parts)
{
    PyObject *functools = PyImport_ImportModule("functools"), *partial = NULL, *first = NULL, *args = NULL;
    PyObject *whole = NULL;

    if (functools)
        partial = PyObject_GetAttrString(functools, "partial");
    if (partial)
        first = PyTuple_Pack(1, PyTuple_GET_ITEM(parts, 0));
    if (first)
        args = PySequence_Concat(first, PyTuple_GET_ITEM(parts, 1));
    if (args)
        whole = PyObject_Call(partial, args, PyTuple_GET_ITEM(parts, 2));
    Py_XDECREF(functools);
    Py_XDECREF(partial);
    Py_XDECREF(first);
    Py_XDECREF(args);
    return whole;
}

static int
update_encode_function(encoder *e, PyObject *function)
{
    PyObject *apart;
    int status = -1;

    if (PyFunction_Check(function))
        return function_encode(e, function);
    apart = function_apart(function);
    if (apart)
        status = encoder_put(e, apart);
    Py_XDECREF(apart);
    return status;
}

static int
update_post(core_state *state, const board_key *key, PyObject *function, PyObject *otherwise)
{
    captured_name name = {"default of key", key->string, "notice_update"};
    PyObject *called = PyUnicode_FromFormat("notice_update of %R", key->string);
    rt_behavior *behavior = NULL;
    rt_runtime *runtime = NULL;
    encoder e;

    if (called)
        runtime = when_runtime(state); /* first, since the backend says how a function is captured */
    if (runtime) {
        encoder_init(&e, state, ENCODE_SHARE);
        if (update_encode_function(&e, function) == 0 && around_encode(&e) == 0 && encoder_put(&e, key->string) == 0 &&
            encoder_put_captured(&e, otherwise, &name) == 0 && encoder_end(&e) == 0)
            behavior = update_make(&e, called);
        encoder_clear(&e);
    }
    Py_XDECREF(called);
    if (!behavior)
        return -1;
    ((task_call *)rt_behavior_captures(behavior))->stream = stream_child(state);
    return notice_schedule(state, behavior);
}

static int
check_update(const board_key *key, PyObject *function)
{
    int flags = PyFunction_Check(function) ? ((PyCodeObject *)PyFunction_GET_CODE(function))->co_flags : 0;

    if (!PyCallable_Check(function)) {
        PyErr_Format(PyExc_TypeError, "notice_update(%R, fn) takes a function, not %.200s", key->string,
                     Py_TYPE(function)->tp_name);
        return -1;
    }
    if (flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)) {
        PyErr_Format(PyExc_TypeError, "notice_update(%R, fn) takes a plain function, not %s", key->string,
                     flags & CO_GENERATOR ? "a generator function" : "an async function");
        return -1;
    }
    return 0;
}

static PyObject *
func_notice_update(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const args_spec spec = {"notice_update", 3, 2, {"key", "fn", "default", NULL}};
    PyObject *values[ARGS_MAX];
    board_key key;
    int status = -1;

    if (!args_take(&spec, args, count, names, values) || board_key_take(values[0], &key) < 0)
        return NULL;
    if (check_update(&key, values[1]) == 0)
        status = update_post(PyModule_GetState(module), &key, values[1], values[2] ? values[2] : Py_None);
    board_key_clear(&key);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

/* What stands under the key now, or the default: a new reference. It is the function's own, to change as it likes. */
static PyObject *
update_current(core_state *state, const board_key *key, PyObject *otherwise)
{
    rt_snapshot *snapshot = rt_board_take(the_board);
    const rt_notice *notice = rt_snapshot_find(snapshot, key->text, key->length);
    PyObject *current = notice ? value_decode(state, &notice->value, 0) : Py_NewRef(otherwise);

    rt_snapshot_release(snapshot);
    return current;
}

/* Calls the function, or what function_apart made of it: if that fails it is made whole, for the report. */
static PyObject *
update_call(PyObject **function, PyObject *current)
{
    PyObject *last, *args = NULL, *result = NULL, *error, *whole;

    if (!PyTuple_CheckExact(*function)) /* no tuple can be called */
        return PyObject_CallOneArg(*function, current);
    last = PyTuple_Pack(1, current);
    if (last)
        args = PySequence_Concat(PyTuple_GET_ITEM(*function, 1), last);
    if (args)
        result = PyObject_Call(PyTuple_GET_ITEM(*function, 0), args, PyTuple_GET_ITEM(*function, 2));
    Py_XDECREF(last);
    Py_XDECREF(args);
    if (result)
        return result;
    error = error_take();
    whole = function_whole(*function);
    if (whole)
        Py_SETREF(*function, whole);
    PyErr_Clear();
    error_put(error);
    return NULL;
}

static int
update_put(core_state *state, const board_key *key, PyObject *result)
{
    rt_value value;
    int status;

    if (result == state->removed) {
        status = rt_board_remove(the_board, key->text, key->length);
    } else {
        if (notice_encode(state, key, result, "notice_update", &value) < 0)
            return -1;
        status = rt_board_put(the_board, key->text, key->length, value);
        if (status < 0)
            value_clear(&value);
    }
    return status < 0 ? raise_status(status) : 0;
}

PyObject *
notice_update_run(core_state *state, decoder *d, payload *captures, PyObject **function)
{
    PyObject *string = decoder_next(d), *otherwise = string ? decoder_next(d) : NULL;
    PyObject *current = NULL, *result = NULL;
    board_key key = {0};
    int status = -1;

    payload_clear(captures);
    if (otherwise && board_key_take(string, &key) == 0)
        current = update_current(state, &key, otherwise);
    Py_XDECREF(string);
    Py_XDECREF(otherwise);
    if (current)
        result = update_call(function, current);
    Py_XDECREF(current);
    if (result)
        status = update_put(state, &key, result);
    Py_XDECREF(result);
    board_key_clear(&key);
    return status < 0 ? NULL : Py_NewRef(Py_None);
}

/* ---- REMOVED ---- */

static PyObject *
removed_repr(PyObject *Py_UNUSED(self))
{
    return PyUnicode_FromString("REMOVED");
}

static PyObject *
removed_reduce(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(ignored))
{
    return PyUnicode_FromString("REMOVED"); /* by name: there is one an interpreter */
}

static PyMethodDef removed_methods[] = {
    {"__reduce__", removed_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot removed_slots[] = {
    {Py_tp_doc, "What a function of notice_update returns to delete the entry."},
    {Py_tp_repr, removed_repr},
    {Py_tp_methods, removed_methods},
    {0, NULL},
};

static PyType_Spec removed_spec = {
    .name = "bocmat._core.RemovedType",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = removed_slots,
};

static int
removed_add(PyObject *module, core_state *state)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &removed_spec, NULL);

    if (type)
        state->removed = type->tp_alloc(type, 0);
    Py_XDECREF(type);
    return state->removed ? PyModule_AddObjectRef(module, "REMOVED", state->removed) : -1;
}

/* ---- the module's functions ---- */

#define KEY          PARAMETER("key", "str", "Any.")
#define BAD_KEY      CASE("TypeError", "`key` is no str")
#define BAD_VALUE    "\nTypeError\n    `key` is no str, or the value cannot travel; the message names the key."
#define REMOVED_CASE CASE("ValueError", "The value is `REMOVED`.")

static PyMethodDef functions[] = {
    {"notice_write", (PyCFunction)(void (*)(void))func_notice_write, METH_FASTCALL | METH_KEYWORDS,
     "notice_write($module, /, key, value)\n--\n\n"
     "Put a value on the noticeboard under a key, asynchronously." PARAMETERS(KEY PARAMETER(
         "value", "object", "Taken as it is now; a matrix is shared copy-on-write.")) RAISES(BAD_VALUE REMOVED_CASE)
         NOTES("Starts the runtime if it is not running. One thread's or behavior's writes are seen in their "
               "order; who writes in a behavior does not see it in that behavior, and `quiesce()` waits for it.")
             EXAMPLES(DO("notice_write(\"limit\", 10)") DO("quiesce()") TRY("notice_read(\"limit\")", "10"))},
    {"notice_seed", (PyCFunction)(void (*)(void))func_notice_seed, METH_FASTCALL | METH_KEYWORDS,
     "notice_seed($module, /, key, value)\n--\n\n"
     "Put a value on the noticeboard and return when it is there." PARAMETERS(
         KEY PARAMETER("value", "object", "Taken as it is now; a matrix is shared copy-on-write."))
         RAISES(BAD_VALUE REMOVED_CASE CASE("RuntimeError", "Called in a behavior."))
             NOTES("For the main program. Starts the runtime if it is not running.")
                 EXAMPLES(DO("notice_seed(\"name\", \"x\")") TRY("notice_read(\"name\")", "'x'"))},
    {"notice_update", (PyCFunction)(void (*)(void))func_notice_update, METH_FASTCALL | METH_KEYWORDS,
     "notice_update($module, /, key, fn, default=None)\n--\n\n"
     "Replace a value on the noticeboard by a function of it, asynchronously and in one step." PARAMETERS(
         KEY PARAMETER("fn", "callable",
                       "Called on a worker with the value; gives the new one, or `REMOVED` to delete "
                       "the entry. What it captures travels as a behavior's does.")
             PARAMETER("default", "object, optional", "What `fn` gets where there is no such key."))
         RAISES(CASE("TypeError",
                     "`key` is no str, `fn` is no plain function, or something captured cannot travel; the "
                     "message names it."))
             NOTES("If `fn` raises, or gives what cannot travel, the entry stays as it was and `wait()` or `quiesce()` "
                   "reports it. No other write comes between reading and writing, so `fn` should be quick. What it "
                   "reads on the board is what was there before the update; what it writes or schedules comes later.")
                 EXAMPLES(DO("notice_update(\"total\", lambda total: total + 2, 40)") DO("quiesce()")
                              TRY("notice_read(\"total\")", "42"))},
    {"notice_delete", (PyCFunction)(void (*)(void))func_notice_delete, METH_FASTCALL | METH_KEYWORDS,
     "notice_delete($module, /, key)\n--\n\n"
     "Take an entry off the noticeboard, asynchronously; nothing happens if there is none." PARAMETERS(KEY)
         RAISES(CASE("TypeError", "`key` is no str.")) EXAMPLES(DO("notice_seed(\"gone\", 1)") DO(
             "notice_delete(\"gone\")") DO("quiesce()") TRY("notice_read(\"gone\", \"nothing\")", "'nothing'"))},
    {NULL, NULL, 0, NULL},
};

int
board_add(PyObject *module, core_state *state)
{
    if (!the_board && !(the_board = rt_board_new(&value_host))) {
        PyErr_NoMemory();
        return -1;
    }
    if (removed_add(module, state) < 0 || PyModule_AddFunctions(module, functions) < 0)
        return -1;
    return board_view_add(module);
}
