/* The type Cown: its methods and attributes. What they rest on is in cown.c. */
#include "cown.h"

#include <unistd.h>

#include "cown_pass.h"
#include "docs.h"
#include "pump.h"

/* ---- holding by hand ---- */

static int
cown_refuse_hold(CownObject *self, const char *why)
{
    PyErr_Format(PyExc_RuntimeError, "cown %llu cannot be acquired here: %s",
                 (unsigned long long)rt_cown_id(self->cown), why);
    return -1;
}

/* The handle through which this thread, or nobody but a look after wait(), holds the cown; NULL if nobody does, or
 * another thread by hand, who is waited for in the cown's queue. */
static CownObject *
held_mine(core_state *state, CownObject *self)
{
    CownObject *held = held_get(state, self->cown);

    return held && held->acquired_by_hand && held->thread != PyThread_get_thread_ident() ? NULL : held;
}

/* The runtime in whose queues a thread waits for the cown; NULL without an exception if there is nobody to wait for. */
static rt_runtime *
runtime_for_hold(core_state *state, CownObject *self)
{
    rt_runtime *runtime = backend_runtime();

    return runtime || !held_get(state, self->cown) ? runtime : runtime_started();
}

static int
cown_acquire_by_hand(core_state *state, CownObject *self, double timeout)
{
    CownObject *held;
    rt_runtime *runtime;
    rt_behavior *pass = NULL;

    if (self->process != cown_process)
        return cown_refuse_hold(self, "it belongs to the process that this one was forked from");
    if (worker_current())
        return cown_refuse_hold(self, "a behavior names its cowns in @when");
    held = held_mine(state, self);
    if (held && held->acquired_by_hand)
        return cown_refuse_hold(self, "this thread holds it already");
    if (held) { /* only looked at, after wait() */
        cown_let_go(state, held);
        held_remove(state, self->cown);
    }
    runtime = runtime_for_hold(state, self);
    if (runtime)
        pass = pass_acquire(state, runtime, self->cown, RT_WRITE, timeout);
    if (!pass && PyErr_Occurred())
        return -1;
    self->pass = pass;
    self->thread = PyThread_get_thread_ident();
    self->hold = HOLD_WRITE;
    self->acquired_by_hand = true;
    return held_put(state, self);
}

static int
cown_release_by_hand(core_state *state, CownObject *self)
{
    rt_behavior *pass = self->pass;

    if (!self->acquired_by_hand) {
        PyErr_Format(PyExc_RuntimeError, "cown %llu was not acquired by acquire() or 'with'",
                     (unsigned long long)rt_cown_id(self->cown));
        return -1;
    }
    cown_let_go(state, self);
    self->acquired_by_hand = false;
    self->pass = NULL;
    held_remove(state, self->cown);
    if (pass)
        rt_behavior_finish(pass); /* from here on another thread may hold it, through this very handle */
    return 0;
}

static PyObject *
cown_acquire(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    if (cown_acquire_by_hand(state_of(object), (CownObject *)object, -1.0) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
cown_release(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    if (cown_release_by_hand(state_of(object), (CownObject *)object) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
cown_enter(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    core_state *state = state_of(object);
    CownObject *self = (CownObject *)object;

    if (cown_acquire_by_hand(state, self, -1.0) < 0)
        return NULL;
    if (cown_fetch(state, self) < 0) {
        PyObject *error = error_take();

        if (cown_release_by_hand(state, self) < 0)
            PyErr_Clear();
        error_put(error);
        return NULL;
    }
    return Py_NewRef(self->value);
}

static PyObject *
cown_exit(PyObject *object, PyObject *const *Py_UNUSED(arguments), Py_ssize_t Py_UNUSED(count))
{
    if (cown_release_by_hand(state_of(object), (CownObject *)object) < 0)
        return NULL;
    Py_RETURN_FALSE;
}

/* ---- results ---- */

/* The value, or its exception raised. Takes over the reference. */
static PyObject *
value_or_raise(PyObject *value, bool exception)
{
    if (!value || !exception)
        return value;
    PyErr_SetObject((PyObject *)Py_TYPE(value), value);
    Py_DECREF(value);
    return NULL;
}

/* A value of the caller's own, while the cown stands still for reading. */
static PyObject *
cown_peek(core_state *state, rt_cown *cown)
{
    rt_value *place = rt_cown_value(cown);
    PyObject *value = value_decode(state, place, 0);

    if (value)
        __atomic_and_fetch(&place->kind, ~(uintptr_t)VALUE_UNREAD, __ATOMIC_RELAXED);
    return value_or_raise(value, (place->kind & VALUE_EXCEPTION) != 0);
}

static PyObject *
cown_get(PyObject *object, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"timeout", NULL};
    core_state *state = state_of(object);
    CownObject *self = (CownObject *)object, *holder;
    PyObject *limit = Py_None, *value;
    double timeout = -1.0;
    rt_runtime *runtime;
    rt_behavior *pass;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:get", names, &limit) || !timeout_from(limit, &timeout))
        return NULL;
    if (worker_current() || held_mine(state, self) || !(runtime = runtime_for_hold(state, self))) {
        holder = PyErr_Occurred() ? NULL : cown_holder(state, self);
        if (!holder || cown_fetch(state, holder) < 0)
            return NULL;
        if (holder->exception || !matrix_check(state, holder->value) || cown_is_pinned(holder->cown))
            return value_or_raise(Py_NewRef(holder->value), holder->exception);
        return PyObject_CallMethod(holder->value, "copy", NULL);
    }
    pass = pass_acquire(state, runtime, self->cown, RT_READ, timeout);
    if (!pass)
        return NULL;
    value = cown_peek(state, self->cown);
    rt_behavior_finish(pass);
    return value;
}

/* Out of a handle that holds its cown. */
static PyObject *
cown_take_out(core_state *state, CownObject *holder)
{
    rt_value *place = rt_cown_value(holder->cown);
    PyObject *value;
    bool exception;

    if (cown_fetch(state, holder) < 0)
        return NULL;
    value = holder->value;
    exception = holder->exception;
    holder->exception = false;
    if ((place->kind & VALUE_KIND) == VALUE_FAILED && exception && !holder->assigned) {
        value_uncover(place); /* what it held before what could not travel */
        holder->value = NULL;
        holder->changed = false;
    } else {
        holder->value = Py_NewRef(Py_None);
        holder->changed = true;
    }
    return value_or_raise(value, exception);
}

/* While the runtime runs, of a cown that nobody uses just now. */
static PyObject *
cown_take_out_free(core_state *state, CownObject *self, rt_runtime *runtime)
{
    rt_behavior *pass = pass_acquire(state, runtime, self->cown, RT_WRITE, 0.0);
    PyObject *other, *value = NULL;

    if (!pass) {
        if (PyErr_ExceptionMatches(PyExc_TimeoutError))
            PyErr_Format(PyExc_RuntimeError, "cown %llu cannot be unwrapped: behaviors that use it are in flight",
                         (unsigned long long)rt_cown_id(self->cown));
        return NULL;
    }
    other = cown_wrap(state, self->cown);
    if (other) {
        PyObject *error;

        ((CownObject *)other)->hold = HOLD_WRITE;
        value = cown_take_out(state, (CownObject *)other);
        error = error_take();
        cown_let_go(state, (CownObject *)other);
        if (error)
            error_put(error);
        Py_DECREF(other);
    }
    rt_behavior_finish(pass);
    return value;
}

static PyObject *
cown_unwrap(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    core_state *state = state_of(object);
    CownObject *self = (CownObject *)object, *holder;
    rt_runtime *runtime;

    if (!worker_current() && self->process == cown_process && !held_mine(state, self) &&
        (runtime = runtime_for_hold(state, self)))
        return cown_take_out_free(state, self, runtime);
    holder = PyErr_Occurred() ? NULL : cown_writer(state, self);
    return holder ? cown_take_out(state, holder) : NULL;
}

/* ---- attributes ---- */

static PyObject *
cown_get_value(PyObject *object, void *Py_UNUSED(closure))
{
    core_state *state = state_of(object);
    CownObject *holder = cown_holder(state, (CownObject *)object);

    if (!holder || cown_fetch(state, holder) < 0)
        return NULL;
    return Py_NewRef(holder->value);
}

static int
cown_set_value(PyObject *object, PyObject *value, void *Py_UNUSED(closure))
{
    CownObject *holder = cown_writer(state_of(object), (CownObject *)object);

    if (!holder)
        return -1;
    if (!value) {
        PyErr_SetString(PyExc_TypeError, "the value of a cown cannot be deleted; assign None");
        return -1;
    }
    if (holder->value && !holder->before && rt_cown_value(holder->cown)->kind == VALUE_EMPTY) {
        holder->before = holder->value;
        holder->value = NULL;
    }
    Py_XSETREF(holder->value, Py_NewRef(value));
    holder->changed = true;
    holder->assigned = true;
    holder->exception = false;
    return 0;
}

static PyObject *
cown_get_exception(PyObject *object, void *Py_UNUSED(closure))
{
    core_state *state = state_of(object);
    CownObject *holder = cown_holder(state, (CownObject *)object);

    if (!holder)
        return NULL;
    if (holder->value)
        return PyBool_FromLong(holder->exception);
    __atomic_and_fetch(&rt_cown_value(holder->cown)->kind, ~(uintptr_t)VALUE_UNREAD, __ATOMIC_RELAXED);
    return PyBool_FromLong((rt_cown_value(holder->cown)->kind & VALUE_EXCEPTION) != 0);
}

static int
cown_set_exception(PyObject *object, PyObject *value, void *Py_UNUSED(closure))
{
    core_state *state = state_of(object);
    CownObject *holder = cown_writer(state, (CownObject *)object);
    int truth = value ? PyObject_IsTrue(value) : 0;

    if (!holder || truth < 0 || cown_fetch(state, holder) < 0)
        return -1;
    holder->exception = truth != 0;
    holder->changed = true;
    return 0;
}

static PyObject *
cown_get_acquired(PyObject *object, void *Py_UNUSED(closure))
{
    CownObject *self = (CownObject *)object, *other;
    worker_context *context = worker_current();

    if (self->hold != HOLD_NONE)
        return PyBool_FromLong(!state_of(object)->travel->is_main || context || self->acquired_by_hand);
    for (uint32_t i = 0; context && i < context->held_count; i++) {
        other = (CownObject *)context->held[i];
        if (other->cown == self->cown)
            Py_RETURN_TRUE;
    }
    other = context ? NULL : held_get(state_of(object), self->cown);
    return PyBool_FromLong(other && other->acquired_by_hand);
}

/* ---- the object ---- */

static PyObject *
cown_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"value", NULL};
    core_state *state = state_of_type(type);
    PyObject *value;
    rt_value encoded;
    CownObject *self;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:Cown", names, &value))
        return NULL;
    self = cown_alloc(type);
    if (!self)
        return NULL;
    if (value_encode(state, value, &encoded) < 0)
        goto failed;
    self->cown = rt_cown_new(&value_host, encoded);
    if (!self->cown) {
        value_clear(&encoded);
        PyErr_NoMemory();
        goto failed;
    }
    if (encoded.kind == VALUE_MATRIX) {
        self->home = Py_NewRef(value);
        self->origin = ((value_matrix *)encoded.data)->origin;
    }
    return (PyObject *)self;
failed:
    Py_DECREF(self);
    return NULL;
}

static int
cown_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((CownObject *)object)->value);
    Py_VISIT(((CownObject *)object)->before);
    Py_VISIT(((CownObject *)object)->home);
    return 0;
}

static int
cown_clear(PyObject *object)
{
    Py_CLEAR(((CownObject *)object)->value);
    Py_CLEAR(((CownObject *)object)->before);
    Py_CLEAR(((CownObject *)object)->home);
    return 0;
}

static void
cown_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    CownObject *self = (CownObject *)object;

    PyObject_GC_UnTrack(object);
    Py_XDECREF(self->value);
    Py_XDECREF(self->before);
    Py_XDECREF(self->home);
    if (self->cown)
        rt_cown_release(self->cown);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *
cown_repr(PyObject *object)
{
    CownObject *self = (CownObject *)object;
    const char *kind = cown_is_pinned(self->cown) ? "PinnedCown" : "Cown";
    unsigned long long id = rt_cown_id(self->cown);

    if (self->value)
        return PyUnicode_FromFormat("<%s %llu: %R>", kind, id, self->value);
    return PyUnicode_FromFormat("<%s %llu>", kind, id);
}

static Py_hash_t
cown_hash(PyObject *object)
{
    return (Py_hash_t)(rt_cown_id(cown_of(object)) & PY_SSIZE_T_MAX);
}

static PyObject *
cown_compare(PyObject *left, PyObject *right, int op)
{
    core_state *state = state_of(left);

    if (!cown_check(state, right))
        Py_RETURN_NOTIMPLEMENTED;
    uint64_t a = rt_cown_id(cown_of(left)), b = rt_cown_id(cown_of(right));

    Py_RETURN_RICHCOMPARE(a, b, op);
}

/* ---- pickles and copies ---- */

static PyObject *
cown_reduce(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    core_state *state = state_of(object);
    rt_cown *cown = cown_of(object);
    PyObject *function;

    if (!cown_keep_pickled(cown))
        return PyErr_NoMemory();
    function = PyObject_GetAttrString(state->module, "_cown_of_pickle");
    if (!function)
        return NULL;
    return Py_BuildValue("(N(LK))", function, (long long)getpid(), (unsigned long long)rt_cown_id(cown));
}

static PyObject *
cown_copy(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(object);
}

static PyObject *
cown_init_subclass(PyObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(keywords))
{
    PyErr_Format(PyExc_TypeError, "%.200s: a Cown cannot be subclassed; give it an object of your own class",
                 ((PyTypeObject *)type)->tp_name);
    return NULL;
}

static PyMethodDef cown_methods[] = {
    {"get", (PyCFunction)(void (*)(void))cown_get, METH_VARARGS | METH_KEYWORDS,
     "get($self, /, timeout=None)\n--\n\n"
     "Wait for the value, after everything scheduled earlier on this cown.\n\n"
     "The value stays in the cown; a Matrix comes as a copy. The exception of a behavior is raised.\n\n"
     "Raises\n------\nTimeoutError\n    After `timeout` seconds (0 polls).\n"
     "RuntimeError\n    In a behavior that does not hold this cown."},
    {"unwrap", cown_unwrap, METH_NOARGS,
     "unwrap($self, /)\n--\n\n"
     "Take the value out, leaving None; an exception is cleared and raised.\n\n"
     "Raises\n------\nRuntimeError\n    If the cown is not held here and the runtime runs."},
    {"cancel", cown_cancel, METH_NOARGS, cown_cancel_doc},
    {"acquire", cown_acquire, METH_NOARGS,
     "acquire($self, /)\n--\n\n"
     "Wait for the cown, after everything scheduled earlier on it, and hold it until release()."},
    {"release", cown_release, METH_NOARGS, "release($self, /)\n--\n\nLet go of a cown held by acquire()."},
    {"__enter__", cown_enter, METH_NOARGS, "__enter__($self, /)\n--\n\nHold the cown and give its value."},
    {"__exit__", (PyCFunction)(void (*)(void))cown_exit, METH_FASTCALL,
     "__exit__($self, /, *arguments)\n--\n\nLet go of the cown."},
    {"__reduce__", cown_reduce, METH_NOARGS,
     "__reduce__($self, /)\n--\n\nFor pickle: a pickled Cown can be loaded in the process that made it."},
    {"__copy__", cown_copy, METH_NOARGS, "__copy__($self, /)\n--\n\nThe Cown itself."},
    {"__deepcopy__", cown_copy, METH_O, "__deepcopy__($self, memo, /)\n--\n\nThe Cown itself."},
    {"__init_subclass__", (PyCFunction)(void (*)(void))cown_init_subclass, METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "__init_subclass__($type, /, *arguments, **keywords)\n--\n\nRefuses: a Cown cannot be subclassed."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "__class_getitem__($type, item, /)\n--\n\nFor annotations: Cown[int]."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef cown_attributes[] = {
    {"value", cown_get_value, cown_set_value, "The value, for whoever holds the cown. Assigning it clears `exception`.",
     NULL},
    {"exception", cown_get_exception, cown_set_exception, "True if the value is an exception that was raised.", NULL},
    {"acquired", cown_get_acquired, NULL, "True if this program part holds the cown.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot cown_slots[] = {
    {Py_tp_doc, "Cown(value)\n--\n\n"
                "A concurrently owned value: whoever wants it says so with @when and gets it alone.\n\n"
                "A Matrix given to a cown leaves its maker: every other name for it refuses use."},
    {Py_tp_new, cown_new},
    {Py_tp_dealloc, cown_dealloc},
    {Py_tp_traverse, cown_traverse},
    {Py_tp_clear, cown_clear},
    {Py_tp_repr, cown_repr},
    {Py_tp_hash, cown_hash},
    {Py_tp_richcompare, cown_compare},
    {Py_tp_methods, cown_methods},
    {Py_tp_getset, cown_attributes},
    {0, NULL},
};

static PyType_Spec cown_spec = {
    .name = "bocmat._core.Cown",
    .basicsize = sizeof(CownObject),
    /* A base type, of PinnedCown alone: __init_subclass__ refuses others. */
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = cown_slots,
};

/* ---- PinnedCown ---- */

static PyObject *
pinned_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"value", NULL};
    core_state *state = state_of_type(type);
    PyObject *value;
    CownObject *self;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:PinnedCown", names, &value))
        return NULL;
    if (!state->travel->is_main || rt_worker_self()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "a PinnedCown is made by the main program or by a behavior over one: what it "
                        "holds stays in the main interpreter");
        return NULL;
    }
    self = cown_alloc(type);
    if (!self)
        return NULL;
    self->cown = rt_cown_new(&pinned_host, (rt_value){VALUE_PINNED, (uintptr_t)Py_NewRef(value)});
    if (!self->cown) {
        Py_DECREF(value);
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    pump_pinned_made();
    return (PyObject *)self;
}

#define PINNED_DOC                                                                                                  \
    "PinnedCown(value)\n--\n\n"                                                                                     \
    "A cown whose value never leaves the main interpreter: a window, an open file, a NumPy array, a lock.\n\n"      \
    "Whoever holds it gets the very object. A behavior any of whose cowns is pinned runs in the main interpreter: " \
    "in a thread that is in wait() or quiesce(), or in pump(). The cown itself travels wherever a Cown "            \
    "does." PARAMETERS(                                                                                             \
        PARAMETER("value", "object", "Anything; neither copied nor encoded. A Matrix stays with its names."))       \
        RAISES(CASE("RuntimeError", "In a behavior, unless that runs over a pinned cown itself."))                  \
            EXAMPLES(DO("from bocmat import PinnedCown, wait, when") DO("lines = []") DO("log = PinnedCown(lines)") \
                         DO("@when(log)\n... def _(log):\n...     log.value.append('here')") DO("wait()")           \
                             TRY("lines", "['here']"))

static PyType_Slot pinned_slots[] = {
    {Py_tp_doc, PINNED_DOC},         {Py_tp_new, pinned_new},   {Py_tp_dealloc, cown_dealloc},
    {Py_tp_traverse, cown_traverse}, {Py_tp_clear, cown_clear}, {0, NULL},
};

static PyType_Spec pinned_spec = {
    .name = "bocmat._core.PinnedCown",
    .basicsize = sizeof(CownObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = pinned_slots,
};

int
cown_add_types(PyObject *module, core_state *state)
{
    state->cown_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &cown_spec, NULL);
    if (!state->cown_type || PyModule_AddType(module, state->cown_type) < 0)
        return -1;
    state->pinned_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &pinned_spec, (PyObject *)state->cown_type);
    return state->pinned_type ? PyModule_AddType(module, state->pinned_type) : -1;
}
