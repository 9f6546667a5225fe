/* Cowns: their values here, and who holds them. Who may touch a value: the behavior that holds the cown; a thread of
 * the main program that holds it by hand (`with`, acquire); and, while no runtime runs, the main program. */
#include "cown.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "cown_pass.h"
#include "failure.h"
#include "pump.h"

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

int
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
        /* The encoded form is good for the case that the next one cannot be made; but it would be one more holder of a
         * matrix, which is then copied when it is written. */
        if ((place->kind & VALUE_KIND) != VALUE_PAYLOAD || payload_has_matrix((const payload *)place->data))
            value_clear(place);
        self->changed = true;
    }
    return 0;
}

/* What was assigned cannot be encoded: an exception takes its place, over what the cown held before. */
static void
cown_put_failure(core_state *state, CownObject *self, PyObject *error)
{
    rt_value *place = rt_cown_value(self->cown), old = *place;

    *place = (rt_value){VALUE_EMPTY, 0};
    if (old.kind == VALUE_EMPTY && self->before && value_encode(state, self->before, &old) < 0)
        PyErr_Clear();
    failure_store(state, self->cown, error);
    value_cover(place, old);
}

static void
cown_put_back(core_state *state, CownObject *self)
{
    rt_value *place = rt_cown_value(self->cown), fresh;

    if (cown_is_pinned(self->cown)) {
        fresh = (rt_value){VALUE_PINNED, (uintptr_t)Py_NewRef(self->value)};
    } else if (value_encode(state, self->value, &fresh) < 0 &&
               !(pump_interrupted() && value_encode(state, self->value, &fresh) == 0)) {
        cown_put_failure(state, self, error_take());
        return;
    }
    if (self->exception)
        fresh.kind |= VALUE_EXCEPTION;
    if ((fresh.kind & VALUE_KIND) == VALUE_MATRIX && !self->assigned)
        ((value_matrix *)fresh.data)->origin = self->origin;
    value_clear(place);
    *place = fresh;
}

/* On the threads backend an object stays in its cown; but a matrix may have been put into it. */
static bool
cown_took_matrix(core_state *state, CownObject *self)
{
    return state->has_matrices && (rt_cown_value(self->cown)->kind & VALUE_KIND) == VALUE_OBJECT &&
           value_has_matrix(state, self->value);
}

void
cown_let_go(core_state *state, CownObject *self)
{
    if (self->value && self->hold == HOLD_WRITE && (self->changed || cown_took_matrix(state, self)))
        cown_put_back(state, self);
    if (self->value && self->hold == HOLD_READ && matrix_check(state, self->value) && !cown_is_pinned(self->cown))
        matrix_revoke((MatrixObject *)self->value);
    Py_CLEAR(self->value);
    Py_CLEAR(self->before);
    self->hold = HOLD_NONE;
    self->changed = false;
    self->assigned = false;
    self->exception = false;
}

/* ---- who holds it ---- */

int
held_put(core_state *state, CownObject *self)
{
    PyObject *key = PyLong_FromVoidPtr(self->cown);
    int result = key ? PyDict_SetItem(state->travel->held, key, (PyObject *)self) : -1;

    Py_XDECREF(key);
    return result;
}

CownObject *
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

void
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

        if (!self->acquired_by_hand) {
            cown_let_go(state, self);
            held_remove(state, self->cown);
        }
    }
    Py_XDECREF(cowns);
}

void
held_join(core_state *state, rt_runtime *runtime)
{
    PyObject *cowns = PyDict_Values(state->travel->held);

    for (Py_ssize_t i = 0; cowns && i < PyList_GET_SIZE(cowns); i++) {
        CownObject *self = (CownObject *)PyList_GET_ITEM(cowns, i);

        if (self->acquired_by_hand && !self->pass)
            self->pass = pass_acquire(state, runtime, self->cown, RT_WRITE, -1.0); /* free: granted at once */
    }
    PyErr_Clear();
    Py_XDECREF(cowns);
}

rt_cown *
held_here(core_state *state)
{
    PyObject *cowns = PyDict_GET_SIZE(state->travel->held) ? PyDict_Values(state->travel->held) : NULL;
    unsigned long thread = PyThread_get_thread_ident();
    rt_cown *found = NULL;

    for (Py_ssize_t i = 0; cowns && i < PyList_GET_SIZE(cowns); i++) {
        CownObject *self = (CownObject *)PyList_GET_ITEM(cowns, i);

        if (self->acquired_by_hand && self->pass && self->thread == thread)
            found = self->cown;
    }
    PyErr_Clear();
    Py_XDECREF(cowns);
    return found;
}

/* The handle through which the calling program part holds this cown, borrowed; NULL with RuntimeError. */
CownObject *
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
    } else {
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

CownObject *
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

/* ---- handles ---- */

CownObject *
cown_alloc(PyTypeObject *type)
{
    CownObject *self = PyObject_GC_New(CownObject, type);

    if (!self)
        return NULL;
    self->cown = NULL;
    self->value = NULL;
    self->before = NULL;
    self->hold = HOLD_NONE;
    self->home = NULL;
    self->origin = 0;
    self->changed = self->assigned = self->exception = self->acquired_by_hand = false;
    self->pass = NULL;
    self->thread = 0;
    self->process = cown_process;
    PyObject_GC_Track(self);
    return self;
}

PyObject *
cown_wrap(core_state *state, rt_cown *cown)
{
    CownObject *self = cown_alloc(cown_is_pinned(cown) ? state->pinned_type : state->cown_type);

    if (!self)
        return NULL;
    rt_cown_retain(cown);
    self->cown = cown;
    return (PyObject *)self;
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
bool
cown_keep_pickled(rt_cown *cown)
{
    pickled *p;

    if (cown_pickled(getpid(), rt_cown_id(cown)))
        return true;
    p = malloc(sizeof *p);
    if (!p)
        return false;
    rt_cown_retain(cown);
    p->cown = cown;
    p->next = atomic_load(&pickled_cowns);
    while (!atomic_compare_exchange_weak(&pickled_cowns, &p->next, p)) {}
    return true;
}
