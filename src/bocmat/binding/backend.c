#include "backend.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "cown.h"
#include "payload.h"

/* ---- dropping ---- */

void
host_destroy(rt_value value)
{
    value_clear(&value);
}

const rt_host value_host = {.destroy = host_destroy};
const rt_host pinned_host = {.destroy = host_destroy};

/* Objects of the main interpreter whose last reference went away elsewhere: a stack that anyone pushes to and the main
 * program empties. */
typedef struct orphan {
    struct orphan *next;
    PyObject *object;
} orphan;

static _Atomic(orphan *) orphans;

static int
orphans_drop(void *Py_UNUSED(ignored))
{
    orphan *first = atomic_exchange_explicit(&orphans, NULL, memory_order_acquire);

    while (first) {
        orphan *next = first->next;

        Py_DECREF(first->object);
        free(first);
        first = next;
    }
    return 0;
}

void
object_drop(PyObject *object)
{
    PyThreadState *thread = thread_state_current();
    orphan *o;

    if (thread && PyThreadState_GetInterpreter(thread) == PyInterpreterState_Main()) {
        Py_DECREF(object);
        return;
    }
    o = malloc(sizeof *o);
    if (!o)
        return; /* leaks one reference rather than touch it here */
    o->object = object;
    o->next = atomic_load_explicit(&orphans, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&orphans, &o->next, o, memory_order_release, memory_order_relaxed)) {}
    if (!o->next)
        (void)Py_AddPendingCall(orphans_drop, NULL); /* if it is full, a later one comes by */
}

/* ---- errors ---- */

int
raise_status(int status)
{
    PyObject *type = PyExc_RuntimeError;

    if (status == RT_NO_MEMORY)
        type = PyExc_MemoryError;
    else if (status == RT_TIMEOUT)
        type = PyExc_TimeoutError;
    if (!PyErr_Occurred())
        PyErr_SetString(type, rt_status_text(status));
    return -1;
}

void
raise_timeout(const char *what, double seconds)
{
    PyObject *number = PyFloat_FromDouble(seconds);

    if (number)
        PyErr_Format(PyExc_TimeoutError, "%s within %R seconds", what, number);
    Py_XDECREF(number);
}

/* ---- settings of the workers ---- */

/* Written by the main program while no worker runs a behavior of the new start; read by workers. Old ones are kept:
 * a worker may be reading. They are few (one a start that changed something). */
static _Atomic(payload *) settings;
static atomic_uint settings_version;

void
worker_settings_publish(payload *block)
{
    atomic_store_explicit(&settings, block, memory_order_release);
    atomic_fetch_add_explicit(&settings_version, 1, memory_order_release);
}

int
worker_settings_apply(worker_context *context)
{
    uint32_t version = atomic_load_explicit(&settings_version, memory_order_acquire);
    PyObject *worker, *value, *result = NULL;
    decoder d;

    if (context->settings == version || context->state->travel->is_main)
        return 0;
    context->settings = version;
    decoder_init(&d, context->state, atomic_load_explicit(&settings, memory_order_acquire), 0);
    value = decoder_next(&d);
    decoder_clear(&d);
    worker = value ? PyImport_ImportModule("bocmat.worker") : NULL;
    if (worker)
        result = PyObject_CallMethod(worker, "apply_settings", "O", value);
    Py_XDECREF(value);
    Py_XDECREF(worker);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

void
worker_flush(worker_context *context)
{
    static const char *const streams[] = {"stdout", "stderr"};

    if (!context->output_pending)
        return;
    context->output_pending = false;
    for (size_t i = 0; i < 2; i++) {
        PyObject *stream = PySys_GetObject(streams[i]), *result = NULL;

        if (stream && stream != Py_None)
            result = PyObject_CallMethod(stream, "flush", NULL);
        Py_XDECREF(result);
        PyErr_Clear();
    }
}
