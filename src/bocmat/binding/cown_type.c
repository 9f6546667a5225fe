/* The type Cown. Who may touch its value: the behavior that holds it; a thread of the main program that holds it by
 * hand (`with`, acquire); and, while no runtime runs, the main program. */
#include "cown.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "cown_pass.h"

uint32_t cown_process;

/* ---- values ---- */

/* An immutable value can stay where it is, encoded, however often it is read. An object of the threads backend is in
 * the cown itself. */
static bool
value_stays(core_state *state, const rt_value *place, PyObject *object)
{
    switch (place->kind & VALUE_KIND) {
    case VALUE_MATRIX:
        return false;
    case VALUE_OBJECT:
        return state->travel->is_main; /* elsewhere it is a copy */
    case VALUE_PAYLOAD:
        return PyUnicode_CheckExact(object) || PyBytes_CheckExact(object) || PyLong_CheckExact(object) ||
               PyComplex_CheckExact(object);
    default:
        return true;
    }
}

/* The very matrix that was given to the cown, if it is still that and this is the handle it was given to: its names
 * work again while it is held here. */
static PyObject *
cown_fetch_home(CownObject *self, const rt_value *place)
{
    value_matrix *held = (value_matrix *)place->data;
    matrix_parcel parcel;

    if (!self->home || (place->kind & VALUE_KIND) != VALUE_MATRIX || held->origin != self->origin)
        return NULL;
    parcel_copy_handle(&parcel, &held->parcel);
    matrix_return((MatrixObject *)self->home, &parcel);
    return Py_NewRef(self->home);
}

static int
cown_fetch(core_state *state, CownObject *self)
{
    rt_value *place = rt_cown_value(self->cown);
    bool reading = self->hold == HOLD_READ;

    if (self->value)
        return 0;
    if (!reading)
        self->value = cown_fetch_home(self, place);
    if (!self->value)
        self->value = value_decode(state, place, reading ? MATRIX_READ_ONLY : 0);
    if (!self->value)
        return -1;
    if ((place->kind & VALUE_KIND) == VALUE_MATRIX)
        self->origin = ((value_matrix *)place->data)->origin;
    if (reading && (place->kind & VALUE_KIND) == VALUE_OBJECT) {
        Py_SETREF(self->value, value_copy(state, self->value));
        if (!self->value)
            return -1;
    }
    self->exception = (place->kind & VALUE_EXCEPTION) != 0;
    if (place->kind & VALUE_UNREAD)
        __atomic_and_fetch(&place->kind, ~(uintptr_t)VALUE_UNREAD, __ATOMIC_RELAXED); /* readers may be many */
    if (!reading && !value_stays(state, place, self->value)) {
        value_clear(place);
        self->changed = true;
    }
    return 0;
}

static void
cown_put_back(core_state *state, CownObject *self)
{
    rt_value *place = rt_cown_value(self->cown), fresh;

    if (value_encode(state, self->value, &fresh) < 0) {
        cown_store_error(state, self->cown, error_take());
        return;
    }
    if (self->exception)
        fresh.kind |= VALUE_EXCEPTION;
    if ((fresh.kind & VALUE_KIND) == VALUE_MATRIX && !self->assigned)
        ((value_matrix *)fresh.data)->origin = self->origin;
    value_clear(place);
    *place = fresh;
}

void
cown_let_go(core_state *state, CownObject *self)
{
    if (self->value && self->hold == HOLD_WRITE && self->changed)
        cown_put_back(state, self);
    if (self->value && self->hold == HOLD_READ && matrix_check(state, self->value))
        matrix_revoke((MatrixObject *)self->value);
    Py_CLEAR(self->value);
    self->hold = HOLD_NONE;
    self->changed = false;
    self->assigned = false;
    self->exception = false;
}

void
cown_store_error(core_state *state, rt_cown *cown, PyObject *error)
{
    rt_value *place = rt_cown_value(cown), fresh = {VALUE_NONE, 0};
    static const char *const ways[] = {"pack_exception", "plain_exception"};

    for (size_t i = 0; i < 2; i++) {
        PyObject *pack = travel_function(state, ways[i]), *packed = NULL;
        int result = -1;

        if (pack)
            packed = PyObject_CallOneArg(pack, error);
        if (packed)
            result = value_encode(state, packed, &fresh);
        Py_XDECREF(pack);
        Py_XDECREF(packed);
        if (result == 0)
            break;
        PyErr_Clear();
    }
    Py_DECREF(error);
    fresh.kind |= VALUE_EXCEPTION | VALUE_UNREAD;
    value_clear(place);
    *place = fresh;
    failure_add(cown);
}

/* ---- who holds it ---- */

static int
held_put(core_state *state, CownObject *self)
{
    PyObject *key = PyLong_FromVoidPtr(self->cown);
    int result = key ? PyDict_SetItem(state->travel->held, key, (PyObject *)self) : -1;

    Py_XDECREF(key);
    return result;
}

static CownObject *
held_get(core_state *state, const rt_cown *cown)
{
    PyObject *key, *found = NULL;

    if (!PyDict_GET_SIZE(state->travel->held))
        return NULL;
    key = PyLong_FromVoidPtr((void *)(uintptr_t)cown);
    if (key)
        found = PyDict_GetItemWithError(state->travel->held, key);
    Py_XDECREF(key);
    return (CownObject *)found;
}

static void
held_remove(core_state *state, const rt_cown *cown)
{
    PyObject *key = PyLong_FromVoidPtr((void *)(uintptr_t)cown);

    if (!key || PyDict_DelItem(state->travel->held, key) < 0)
        PyErr_Clear();
    Py_XDECREF(key);
}

void
cown_let_go_all(core_state *state)
{
    PyObject *held = state->travel->held, *cowns;

    if (!PyDict_GET_SIZE(held))
        return;
    cowns = PyDict_Values(held);
    for (Py_ssize_t i = 0; cowns && i < PyList_GET_SIZE(cowns); i++) {
        CownObject *self = (CownObject *)PyList_GET_ITEM(cowns, i);

        if (!self->pass) {
            cown_let_go(state, self);
            held_remove(state, self->cown);
        }
    }
    Py_XDECREF(cowns);
}

/* The handle through which the calling program part holds this cown, borrowed; NULL with RuntimeError. */
static CownObject *
cown_holder(core_state *state, CownObject *self)
{
    worker_context *context;
    CownObject *other;

    if (self->process != cown_process) {
        PyErr_Format(PyExc_RuntimeError, "cown %llu belongs to the process that this one was forked from",
                     (unsigned long long)rt_cown_id(self->cown));
        return NULL;
    }
    if (self->hold != HOLD_NONE)
        return self;
    context = worker_current();
    if (context) {
        for (uint32_t i = 0; i < context->held_count; i++) {
            other = (CownObject *)context->held[i];
            if (other->cown == self->cown)
                return other;
        }
    }
    else {
        other = held_get(state, self->cown);
        if (other)
            return other;
        if (!backend_runtime() && state->travel->is_main) {
            self->hold = HOLD_WRITE;
            return held_put(state, self) < 0 ? NULL : self;
        }
    }
    PyErr_Format(PyExc_RuntimeError,
                 "cown %llu is not held here: its value can be used in a behavior scheduled with @when on it, inside "
                 "'with cown:', or after wait()",
                 (unsigned long long)rt_cown_id(self->cown));
    return NULL;
}

static CownObject *
cown_writer(core_state *state, CownObject *self)
{
    CownObject *holder = cown_holder(state, self);

    if (holder && holder->hold == HOLD_READ) {
        PyErr_Format(PyExc_RuntimeError, "cown %llu is held by read(): its value cannot be assigned",
                     (unsigned long long)rt_cown_id(self->cown));
        return NULL;
    }
    return holder;
}

/* ---- holding by hand ---- */

static int
cown_acquire_by_hand(core_state *state, CownObject *self, double timeout)
{
    rt_runtime *runtime = backend_runtime();

    if (self->hold != HOLD_NONE || self->process != cown_process || held_get(state, self->cown) || worker_current()) {
        PyErr_Format(PyExc_RuntimeError, "cown %llu cannot be acquired here: %s",
                     (unsigned long long)rt_cown_id(self->cown),
                     worker_current() ? "a behavior names its cowns in @when" : "it is held already");
        return -1;
    }
    if (runtime) {
        self->pass = pass_acquire(runtime, self->cown, RT_WRITE, timeout);
        if (!self->pass)
            return -1;
    }
    self->hold = HOLD_WRITE;
    self->acquired_by_hand = true;
    return held_put(state, self);
}

static int
cown_release_by_hand(core_state *state, CownObject *self)
{
    if (!self->acquired_by_hand) {
        PyErr_Format(PyExc_RuntimeError, "cown %llu was not acquired by acquire() or 'with'",
                     (unsigned long long)rt_cown_id(self->cown));
        return -1;
    }
    self->acquired_by_hand = false;
    cown_let_go(state, self);
    if (self->pass) {
        rt_behavior_finish(self->pass);
        self->pass = NULL;
    }
    held_remove(state, self->cown);
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
    rt_behavior *pass;

    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:get", names, &limit) ||
        !timeout_from(limit, &timeout))
        return NULL;
    if (self->hold != HOLD_NONE || worker_current() || !backend_runtime()) {
        holder = cown_holder(state, self);
        if (!holder || cown_fetch(state, holder) < 0)
            return NULL;
        if (holder->exception || !matrix_check(state, holder->value))
            return value_or_raise(Py_NewRef(holder->value), holder->exception);
        return PyObject_CallMethod(holder->value, "copy", NULL);
    }
    pass = pass_acquire(backend_runtime(), self->cown, RT_READ, timeout);
    if (!pass)
        return NULL;
    value = cown_peek(state, self->cown);
    rt_behavior_finish(pass);
    return value;
}

static PyObject *
cown_unwrap(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    core_state *state = state_of(object);
    CownObject *holder;
    PyObject *value;
    bool exception;

    holder = cown_writer(state, (CownObject *)object);
    if (!holder || cown_fetch(state, holder) < 0)
        return NULL;
    value = holder->value;
    exception = holder->exception;
    holder->value = Py_NewRef(Py_None);
    holder->changed = true;
    holder->exception = false;
    return value_or_raise(value, exception);
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

static CownObject *
cown_alloc(PyTypeObject *type)
{
    CownObject *self = PyObject_GC_New(CownObject, type);

    if (!self)
        return NULL;
    self->cown = NULL;
    self->value = NULL;
    self->hold = HOLD_NONE;
    self->home = NULL;
    self->origin = 0;
    self->changed = self->assigned = self->exception = self->acquired_by_hand = false;
    self->pass = NULL;
    self->process = cown_process;
    PyObject_GC_Track(self);
    return self;
}

PyObject *
cown_wrap(core_state *state, rt_cown *cown)
{
    CownObject *self = cown_alloc(state->cown_type);

    if (!self)
        return NULL;
    rt_cown_retain(cown);
    self->cown = cown;
    return (PyObject *)self;
}

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
    Py_VISIT(((CownObject *)object)->home);
    return 0;
}

static int
cown_clear(PyObject *object)
{
    Py_CLEAR(((CownObject *)object)->value);
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

    if (self->value)
        return PyUnicode_FromFormat("<Cown %llu: %R>", (unsigned long long)rt_cown_id(self->cown), self->value);
    return PyUnicode_FromFormat("<Cown %llu>", (unsigned long long)rt_cown_id(self->cown));
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

    if (!Py_IS_TYPE(right, state->cown_type))
        Py_RETURN_NOTIMPLEMENTED;
    uint64_t a = rt_cown_id(cown_of(left)), b = rt_cown_id(cown_of(right));

    Py_RETURN_RICHCOMPARE(a, b, op);
}

/* ---- pickles: only within the process ---- */

typedef struct pickled {
    struct pickled *next;
    rt_cown *cown;
} pickled;

static _Atomic(pickled *) pickled_cowns;

rt_cown *
cown_pickled(long long process, unsigned long long number)
{
    if (process != (long long)getpid())
        return NULL;
    for (pickled *p = atomic_load(&pickled_cowns); p; p = p->next) {
        if (rt_cown_id(p->cown) == number)
            return p->cown;
    }
    return NULL;
}

/* Nobody knows when the last pickle of a cown is gone: one that was pickled lives as long as the process. */
static PyObject *
cown_reduce(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    core_state *state = state_of(object);
    rt_cown *cown = cown_of(object);
    unsigned long long number = rt_cown_id(cown);
    PyObject *function;

    if (!cown_pickled(getpid(), number)) {
        pickled *p = malloc(sizeof *p);

        if (!p)
            return PyErr_NoMemory();
        rt_cown_retain(cown);
        p->cown = cown;
        p->next = atomic_load(&pickled_cowns);
        while (!atomic_compare_exchange_weak(&pickled_cowns, &p->next, p)) {
        }
    }
    function = PyObject_GetAttrString(state->module, "_cown_of_pickle");
    return function ? Py_BuildValue("(N(LK))", function, (long long)getpid(), number) : NULL;
}

static PyObject *
cown_copy(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    return Py_NewRef(object);
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
    {"acquire", cown_acquire, METH_NOARGS,
     "acquire($self, /)\n--\n\n"
     "Wait for the cown, after everything scheduled earlier on it, and hold it until release()."},
    {"release", cown_release, METH_NOARGS, "release($self, /)\n--\n\nLet go of a cown held by acquire()."},
    {"__enter__", cown_enter, METH_NOARGS, "__enter__($self, /)\n--\n\nHold the cown and give its value."},
    {"__exit__", (PyCFunction)(void (*)(void))cown_exit, METH_FASTCALL,
     "__exit__($self, /, *arguments)\n--\n\nLet go of the cown."},
    {"__reduce__", cown_reduce, METH_NOARGS, "__reduce__($self, /)\n--\n\nFor pickle: a pickled Cown can be loaded in the process that made it."},
    {"__copy__", cown_copy, METH_NOARGS, "__copy__($self, /)\n--\n\nThe Cown itself."},
    {"__deepcopy__", cown_copy, METH_O, "__deepcopy__($self, memo, /)\n--\n\nThe Cown itself."},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     "__class_getitem__($type, item, /)\n--\n\nFor annotations: Cown[int]."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef cown_attributes[] = {
    {"value", cown_get_value, cown_set_value,
     "The value, for whoever holds the cown. Assigning it clears `exception`.", NULL},
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
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = cown_slots,
};

int
cown_add_types(PyObject *module, core_state *state)
{
    state->cown_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &cown_spec, NULL);
    if (!state->cown_type)
        return -1;
    return PyModule_AddType(module, state->cown_type);
}
