#include "pump.h"

#include <stdatomic.h>
#include <time.h>

#include "board.h"
#include "cown.h"

_Thread_local worker_context *pump_context;

static atomic_bool pinned_made;
static atomic_llong poll_milliseconds = 50;
static atomic_llong watch_milliseconds; /* 0: off */

int64_t
pump_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t
pump_deadline(double seconds)
{
    int64_t now = pump_now();

    return seconds < 0 || seconds > 1e9 ? INT64_MAX : now + (int64_t)(seconds * 1e9);
}

void
pump_pinned_made(void)
{
    atomic_store_explicit(&pinned_made, true, memory_order_release);
}

/* A function of bocmat.pinned, called. */
static PyObject *
pinned_call(const char *name, PyObject *arguments)
{
    PyObject *module = PyImport_ImportModule("bocmat.pinned"), *function = NULL, *result = NULL;

    if (module)
        function = PyObject_GetAttrString(module, name);
    if (function && arguments)
        result = PyObject_CallObject(function, arguments);
    Py_XDECREF(function);
    Py_XDECREF(module);
    Py_XDECREF(arguments);
    return result;
}

int
pump_part_of(const core_state *state)
{
    PyObject *is_main;
    int part;

    if (!state->travel->is_main || !atomic_load_explicit(&pinned_made, memory_order_acquire))
        return PUMP_NEVER;
    is_main = pinned_call("on_main_thread", PyTuple_New(0));
    if (!is_main)
        return -1;
    part = is_main == Py_True ? PUMP_FIRST : PUMP_UNLESS_MAIN_WAITS;
    Py_DECREF(is_main);
    return part;
}

/* ---- the watchdog ---- */

/* Reports a queue that has not been empty for too long: once, and again when as much time has passed. One thread serves
 * at a time, so the two variables are its own. */
static int
watch(rt_runtime *runtime)
{
    static int64_t reported_since, reported_at;
    long long limit = atomic_load_explicit(&watch_milliseconds, memory_order_relaxed);
    rt_loop_state loop;
    PyObject *result;

    if (!limit)
        return 0;
    loop = rt_serve_look(runtime);
    if (!loop.waiting || loop.nanoseconds / 1000000 < limit)
        return 0;
    if (reported_since == loop.since && (loop.since + loop.nanoseconds - reported_at) / 1000000 < limit)
        return 0;
    reported_since = loop.since;
    reported_at = loop.since + loop.nanoseconds;
    result = pinned_call("report_starving", Py_BuildValue("(LK)", (long long)(loop.nanoseconds / 1000000),
                                                          (unsigned long long)loop.waiting));
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* ---- running ---- */

bool
pump_interrupted(void)
{
    PyObject *error;

    if (!pump_context || !PyErr_ExceptionMatches(PyExc_KeyboardInterrupt))
        return false;
    error = error_take();
    Py_XSETREF(pump_context->raised, error);
    return true;
}

/* Whether an exception of a body ends the pumping. */
static bool
comes_out(const pump_limits *limits, PyObject *error)
{
    if (PyErr_GivenExceptionMatches(error, PyExc_Exception))
        return limits->fails;
    return !limits->waits || PyErr_GivenExceptionMatches(error, PyExc_KeyboardInterrupt);
}

static int
pump_one(core_state *state, rt_behavior *behavior, const pump_limits *limits, pump_count *count)
{
    worker_context context = {.state = state, .pumps = true};
    bool out;

    pump_context = &context;
    behavior_run(&context, behavior);
    board_view_free(&context);
    pump_context = NULL;
    count->executed++;
    out = context.raised && comes_out(limits, context.raised);
    if (context.raised)
        count->raised += PyErr_GivenExceptionMatches(context.raised, PyExc_Exception);
    if (out) /* whoever pumps looks at it */
        rt_cown_value(rt_behavior_result(behavior))->kind &= ~(uintptr_t)VALUE_UNREAD;
    rt_behavior_finish(behavior);
    if (out)
        error_put(context.raised);
    else
        Py_XDECREF(context.raised);
    return out ? -1 : 0;
}

int
pump_serve(core_state *state, rt_runtime *runtime, const pump_limits *limits, pump_count *count)
{
    int result = watch(runtime);

    while (result == 0 && count->executed < limits->most) {
        rt_loop_state loop = rt_serve_look(runtime);
        rt_behavior *behavior;

        if (!loop.waiting || (limits->gives_way && loop.wanted))
            break;
        if (limits->deadline != INT64_MAX && pump_now() >= limits->deadline) {
            count->deadline_reached = true;
            break;
        }
        behavior = rt_serve_next(runtime);
        if (!behavior) /* a stop took it */
            break;
        result = pump_one(state, behavior, limits, count);
        if (result == 0)
            result = PyErr_CheckSignals();
    }
    rt_serve_end(runtime);
    return result;
}

/* ---- the module's functions ---- */

/* (executed, deadline reached, raised) of pump(milliseconds, behaviors, raise_on_error); negative: no bound. */
static PyObject *
func_pump(PyObject *module, PyObject *args)
{
    core_state *state = PyModule_GetState(module);
    rt_runtime *runtime = backend_runtime();
    long long milliseconds, most;
    int fails;
    pump_count count = {0};
    pump_limits limits;
    const char *problem = NULL;

    if (!PyArg_ParseTuple(args, "LLp:_pump", &milliseconds, &most, &fails))
        return NULL;
    if (pump_context)
        problem = "pump() was called by a behavior that pump() or wait() is running: it does not nest";
    else if (worker_current())
        problem = "pump() was called in a behavior: the main program calls it";
    else if (!state->travel->is_main)
        problem = "pump() runs behaviors in the main interpreter and was called in another one";
    else if (!runtime)
        problem = "pump() needs a running runtime: call start(), or schedule a behavior, before";
    else if (!rt_serve_begin(runtime))
        problem = "pump() was called while pinned behaviors are run by another thread, in its pump(), wait() or "
                  "quiesce(): one thread does it at a time";
    if (problem) {
        PyErr_SetString(PyExc_RuntimeError, problem);
        return NULL;
    }
    limits = (pump_limits){.deadline = milliseconds < 0 ? INT64_MAX : pump_now() + milliseconds * 1000000,
                           .most = most < 0 ? INT64_MAX : most,
                           .fails = fails != 0};
    if (pump_serve(state, runtime, &limits, &count) < 0)
        return NULL;
    return Py_BuildValue("(LOL)", count.executed, count.deadline_reached ? Py_True : Py_False, count.raised);
}

typedef struct {
    core_state *state;
    rt_runtime *runtime;
    int64_t deadline;
    rt_quiesce_waiter waiter;
    int part; /* pump_part; joined if it has one */
} quiet_wait;

static int
quiet_wait_join(quiet_wait *wait)
{
    if (wait->part == PUMP_NEVER && (wait->part = pump_part_of(wait->state)) > PUMP_NEVER)
        rt_quiesce_join(wait->runtime, &wait->waiter, wait->part == PUMP_FIRST);
    return wait->part;
}

static void
quiet_wait_quit(quiet_wait *wait)
{
    if (wait->part > PUMP_NEVER)
        rt_serve_quit(wait->runtime, &wait->waiter.candidate);
    wait->part = PUMP_NEVER;
}

static int
quiet_wait_serve(quiet_wait *wait)
{
    pump_limits limits = {
        .deadline = wait->deadline, .most = INT64_MAX, .waits = true, .gives_way = wait->part != PUMP_FIRST};

    wait->part = PUMP_NEVER; /* joins again */
    return pump_serve(wait->state, wait->runtime, &limits, &(pump_count){0});
}

/* RT_OK when quiet, RT_TIMEOUT, or -1 with an exception. Short slices, so that a signal which another thread took is
 * noticed. */
static int
quiet_wait_end(quiet_wait *wait)
{
    for (;;) {
        int64_t slice = atomic_load_explicit(&poll_milliseconds, memory_order_relaxed) * 1000000, left;
        int status;

        if (quiet_wait_join(wait) < 0)
            return -1;
        left = wait->deadline == INT64_MAX ? slice : wait->deadline - pump_now();
        left = left < 0 ? 0 : left < slice ? left : slice;
        Py_BEGIN_ALLOW_THREADS
        status = wait->part ? rt_quiesce_serving(&wait->waiter, left) : rt_quiesce(wait->runtime, left);
        Py_END_ALLOW_THREADS
        if (status == RT_OK)
            return status;
        if (status == RT_CALLED) {
            if (quiet_wait_serve(wait) < 0)
                return -1;
            continue;
        }
        if (status != RT_TIMEOUT && status != RT_INTERRUPTED)
            return raise_status(status);
        if (PyErr_CheckSignals() < 0)
            return -1;
        if (status == RT_TIMEOUT && pump_now() >= wait->deadline)
            return status;
    }
}

/* True when quiet, False after `seconds` (negative: no limit). */
static PyObject *
func_quiesce(PyObject *module, PyObject *argument)
{
    double seconds = PyFloat_AsDouble(argument);
    quiet_wait wait = {.state = PyModule_GetState(module), .runtime = backend_runtime()};
    int status = RT_OK;

    if (seconds == -1.0 && PyErr_Occurred())
        return NULL;
    wait.deadline = pump_deadline(seconds);
    if (wait.runtime)
        status = quiet_wait_end(&wait);
    quiet_wait_quit(&wait);
    return status == RT_OK ? Py_NewRef(Py_True) : status == RT_TIMEOUT ? Py_NewRef(Py_False) : NULL;
}

/* How often wait() looks for signals that another thread took. */
static PyObject *
func_set_poll(PyObject *Py_UNUSED(module), PyObject *argument)
{
    long long milliseconds = PyLong_AsLongLong(argument);

    if (milliseconds == -1 && PyErr_Occurred())
        return NULL;
    atomic_store_explicit(&poll_milliseconds, milliseconds, memory_order_relaxed);
    Py_RETURN_NONE;
}

/* 0 turns the watchdog off. */
static PyObject *
func_set_watch(PyObject *Py_UNUSED(module), PyObject *argument)
{
    long long milliseconds = PyLong_AsLongLong(argument);

    if (milliseconds == -1 && PyErr_Occurred())
        return NULL;
    atomic_store_explicit(&watch_milliseconds, milliseconds, memory_order_relaxed);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_pump", func_pump, METH_VARARGS, NULL},
    {"_quiesce", func_quiesce, METH_O, NULL},
    {"_set_wait_poll", func_set_poll, METH_O, NULL},
    {"_set_pump_watch", func_set_watch, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

int
pump_add_functions(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
