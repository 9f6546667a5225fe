/* Failures nobody has looked at: a stack of reports, each with the cown whose value it is about.
 *
 * The report is text, made where the behavior failed: whoever waits need not touch the value, which another behavior
 * may be using by then. Whether anybody looked is a flag in the value's kind, taken away by whoever does. */
#include "failure.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "payload.h"
#include "pump.h"

typedef struct failure {
    struct failure *next;
    rt_cown *cown;
    char text[];
} failure;

static _Atomic(failure *) failures;
/* Since they were last looked through: many that somebody has looked at are not kept until the next wait(). */
static atomic_size_t failure_count;

enum { SWEEP_AFTER = 4096 };

static bool
failure_unread(failure *f)
{
    return __atomic_load_n(&rt_cown_value(f->cown)->kind, __ATOMIC_RELAXED) & VALUE_UNREAD;
}

static void
failure_free(failure *f)
{
    rt_cown_release(f->cown);
    free(f);
}

static void
failure_push(failure *first, failure *last)
{
    last->next = atomic_load_explicit(&failures, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&failures, &last->next, first, memory_order_release,
                                                  memory_order_relaxed)) {}
}

/* Drops those that somebody has looked at. */
static void
failures_sweep(void)
{
    failure *f = atomic_exchange_explicit(&failures, NULL, memory_order_acquire), *first = NULL, **end = &first;

    while (f) {
        failure *next = f->next;

        if (failure_unread(f)) {
            *end = f;
            end = &f->next;
        } else {
            failure_free(f);
        }
        f = next;
    }
    if (first)
        failure_push(first, (failure *)(void *)((char *)end - offsetof(failure, next)));
}

static void
failure_add(rt_cown *cown, const char *text)
{
    size_t length = strlen(text) + 1;
    failure *f = malloc(sizeof *f + length);

    if (!f)
        return;
    rt_cown_retain(cown);
    f->cown = cown;
    memcpy(f->text, text, length);
    failure_push(f, f);
    if (atomic_fetch_add_explicit(&failure_count, 1, memory_order_relaxed) + 1 == SWEEP_AFTER) {
        atomic_store_explicit(&failure_count, 0, memory_order_relaxed);
        failures_sweep();
    }
}

void
failure_note(rt_cown *cown, const char *text)
{
    rt_cown_value(cown)->kind = VALUE_NONE | VALUE_EXCEPTION | VALUE_UNREAD;
    failure_add(cown, text);
}

/* bocmat.failures packs it, or stands in for what cannot travel, and gives the report. */
static int
failure_pack(core_state *state, const char *way, PyObject *error, rt_value *value, PyObject **report)
{
    PyObject *module = PyImport_ImportModule("bocmat.failures"), *source = NULL, *answer = NULL;
    int result = -1;

    if (module)
        source = behavior_source();
    if (source)
        answer = PyObject_CallMethod(module, way, "OO", error, source);
    if (answer && PyTuple_Check(answer) && PyTuple_GET_SIZE(answer) == 2) {
        Py_XSETREF(*report, Py_NewRef(PyTuple_GET_ITEM(answer, 1)));
        result = value_encode(state, PyTuple_GET_ITEM(answer, 0), value);
    }
    Py_XDECREF(module);
    Py_XDECREF(source);
    Py_XDECREF(answer);
    return result;
}

void
failure_store(core_state *state, rt_cown *cown, PyObject *error)
{
    rt_value *place = rt_cown_value(cown), fresh = {VALUE_NONE, 0};
    PyObject *report = NULL, *bytes = NULL;
    static const char *const ways[] = {"pack", "plain"};

    for (size_t i = 0; i < 2; i++) {
        int result = failure_pack(state, ways[i], error, &fresh, &report);

        if (result < 0 && pump_interrupted())
            result = failure_pack(state, ways[i], error, &fresh, &report);
        if (result == 0)
            break;
        PyErr_Clear();
    }
    Py_DECREF(error);
    fresh.kind |= VALUE_EXCEPTION | VALUE_UNREAD;
    value_clear(place);
    *place = fresh;
    if (report)
        bytes = PyUnicode_AsEncodedString(report, "utf-8", "backslashreplace");
    failure_add(cown, bytes ? PyBytes_AS_STRING(bytes) : "a behavior failed, for want of memory");
    PyErr_Clear();
    Py_XDECREF(bytes);
    Py_XDECREF(report);
}

PyObject *
failures_take(void)
{
    failure *f = atomic_exchange_explicit(&failures, NULL, memory_order_acquire);
    PyObject *list = PyList_New(0);

    while (f) {
        failure *next = f->next;
        uintptr_t kind = __atomic_fetch_and(&rt_cown_value(f->cown)->kind, ~(uintptr_t)VALUE_UNREAD, __ATOMIC_RELAXED);
        PyObject *text = list && kind & VALUE_UNREAD ? PyUnicode_FromString(f->text) : NULL;

        if (text && PyList_Append(list, text) < 0)
            Py_CLEAR(list);
        Py_XDECREF(text);
        failure_free(f);
        f = next;
    }
    if (list && PyList_Reverse(list) < 0)
        Py_CLEAR(list);
    return list;
}
