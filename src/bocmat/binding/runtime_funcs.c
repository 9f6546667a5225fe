/* The module's functions: starting, waiting and stopping, for bocmat.lifecycle; definitions and functions, for
 * bocmat.travel. None of them is public. */
#include "board.h"
#include "cown.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "../../../kernels/mk.h"
#include "around.h"
#include "cown_pass.h"
#include "failure.h"
#include "function.h"
#include "interp.h"
#include "messages.h"
#include "payload_codes.h"
#include "pump.h"

static rt_runtime *runtimes[BACKEND_COUNT]; /* made when first started; changed by the main interpreter only */
static _Atomic(rt_runtime *) running;
static atomic_int backend; /* of the running one, or what would be started */
static core_state *main_state;
static uint64_t completed_before; /* behaviors done before the runtime was last started */

static const rt_host *const hosts[BACKEND_COUNT] = {
#if BOCMAT_HAVE_INTERPRETERS
    [BACKEND_INTERPRETERS] = &interpreters_host,
#endif
    [BACKEND_THREADS] = &threads_host,
};

rt_runtime *
backend_runtime(void)
{
    return atomic_load_explicit(&running, memory_order_acquire);
}

backend_kind
backend_current(void)
{
    return (backend_kind)atomic_load_explicit(&backend, memory_order_relaxed);
}

const rt_host *
backend_host(void)
{
    return hosts[backend_current()];
}

bool
backend_shares_objects(void)
{
    return backend_current() == BACKEND_THREADS;
}

core_state *
main_core_state(void)
{
    return main_state;
}

/* ---- start and stop ---- */

static PyObject *
func_choose_backend(PyObject *module, PyObject *name)
{
    core_state *state = PyModule_GetState(module);
    int kind = PyUnicode_Check(name) && PyUnicode_CompareWithASCIIString(name, "threads") == 0 ? BACKEND_THREADS
                                                                                               : BACKEND_INTERPRETERS;

    if (!state->travel->is_main || backend_runtime())
        Py_RETURN_NONE;
    if (!hosts[kind]) {
        PyErr_Format(PyExc_ValueError, "this Python has no %R backend", name);
        return NULL;
    }
    atomic_store_explicit(&backend, kind, memory_order_relaxed);
    Py_RETURN_NONE;
}

static PyObject *
func_start(PyObject *module, PyObject *args)
{
    core_state *state = PyModule_GetState(module);
    PyObject *paths, *settings;
    unsigned int workers;
    int status;
    backend_kind kind = backend_current();

    if (!PyArg_ParseTuple(args, "IO!O:_start", &workers, &PyList_Type, &paths, &settings))
        return NULL;
    if (!state->travel->is_main || worker_current()) {
        PyErr_SetString(PyExc_RuntimeError, "only the main program can start the runtime");
        return NULL;
    }
    cown_let_go_all(state);
    if (interp_set_path(paths) < 0)
        return NULL;
    if (settings != Py_None) {
        payload *block = payload_of(state, settings, ENCODE_SHARE);

        if (!block)
            return NULL;
        worker_settings_publish(block);
    }
    if (!runtimes[kind])
        runtimes[kind] = rt_runtime_new(hosts[kind]);
    if (!runtimes[kind])
        return PyErr_NoMemory();
    mk_blas_threads(1);
    completed_before = rt_completed(runtimes[kind]);
    Py_BEGIN_ALLOW_THREADS
    status = rt_start(runtimes[kind], workers);
    Py_END_ALLOW_THREADS
    if (status < 0) {
        mk_blas_threads(mk_blas_default_threads());
        raise_status(status);
        return NULL;
    }
    held_join(state, runtimes[kind]);
    atomic_store_explicit(&running, runtimes[kind], memory_order_release);
    Py_RETURN_NONE;
}

/* Stops the workers: if `drop`, with what is queued dropped and counted, and behaviors that wait for messages told;
 * else only if all is quiet (-1 if not). */
static PyObject *
func_stop(PyObject *Py_UNUSED(module), PyObject *drop)
{
    rt_runtime *runtime = backend_runtime();
    int64_t dropped = 0;

    if (runtime) {
        if (drop == Py_True)
            messages_stop_waits();
        Py_BEGIN_ALLOW_THREADS
        dropped = drop == Py_True ? rt_stop(runtime) : rt_stop_quiet(runtime);
        Py_END_ALLOW_THREADS
        if (dropped < 0)
            return PyLong_FromLong(-1);
        atomic_store_explicit(&running, NULL, memory_order_release);
        mk_blas_threads(mk_blas_default_threads());
    }
    if (drop == Py_True)
        messages_end();
    return PyLong_FromLongLong(dropped);
}

/* At exit: ends the threads and interpreters that stop has parked. */
static PyObject *
func_shut_down(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    for (int kind = 0; kind < BACKEND_COUNT; kind++) {
        rt_runtime *runtime = runtimes[kind];

        runtimes[kind] = NULL;
        if (runtime) {
            Py_BEGIN_ALLOW_THREADS
            rt_runtime_free(runtime);
            Py_END_ALLOW_THREADS
        }
    }
    Py_RETURN_NONE;
}

/* In the child of a fork: there is no runtime here. */
static PyObject *
func_forked(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    for (int kind = 0; kind < BACKEND_COUNT; kind++) {
        if (runtimes[kind])
            rt_runtime_forked(runtimes[kind]);
        runtimes[kind] = NULL;
    }
    board_forked();
    cown_process++;
    messages_forked();
    atomic_store_explicit(&running, NULL, memory_order_release);
    mk_blas_forked();
    Py_RETURN_NONE;
}

/* (backend, workers) of what runs, or None. */
static PyObject *
func_running(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    rt_runtime *runtime = backend_runtime();

    if (!runtime)
        Py_RETURN_NONE;
    return Py_BuildValue("(sI)", backend_current() == BACKEND_THREADS ? "threads" : "interpreters",
                         (unsigned int)rt_workers(runtime));
}

/* ---- waiting ---- */

static PyObject *
func_in_flight(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    rt_runtime *runtime = backend_runtime();

    return PyLong_FromLongLong(runtime ? rt_in_flight(runtime) : 0);
}

/* Behaviors done since the start. */
static PyObject *
func_completed(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    rt_runtime *runtime = backend_runtime();

    return PyLong_FromUnsignedLongLong(runtime ? rt_completed(runtime) - completed_before : 0);
}

static PyObject *
func_stats(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    rt_runtime *runtime = backend_runtime();
    PyObject *list = PyList_New(0);

    for (uint32_t i = 0; list && runtime && i < rt_workers(runtime); i++) {
        rt_worker_stats stats = rt_stats(runtime, i);
        PyObject *item =
            Py_BuildValue("{sIsKsKsK}", "worker", (unsigned int)i, "executed", (unsigned long long)stats.executed,
                          "stolen", (unsigned long long)stats.stolen, "parked", (unsigned long long)stats.parked);

        if (!item || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *
func_take_failures(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return failures_take();
}

/* The number of a cown that the calling thread holds by hand, for which wait() would wait in vain; or None. */
static PyObject *
func_held_here(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    rt_cown *cown = held_here(PyModule_GetState(module));

    if (!cown)
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLongLong(rt_cown_id(cown));
}

static PyObject *
func_in_behavior(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(worker_current() != NULL);
}

static PyObject *
func_is_main(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    core_state *state = PyModule_GetState(module);

    return PyBool_FromLong(state->travel->is_main);
}

/* The backends that this build has. */
static PyObject *
func_backends(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    return BOCMAT_HAVE_INTERPRETERS ? Py_BuildValue("(ss)", "interpreters", "threads")
                                    : Py_BuildValue("(s)", "threads");
}

static PyObject *
func_mark_output(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    worker_context *context = worker_current();

    if (context)
        context->output_pending = true;
    Py_RETURN_NONE;
}

/* ---- definitions and functions ---- */

static PyObject *
func_definition_reserve(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    uint32_t number = registry_definition_reserve();

    return number == UINT32_MAX ? PyErr_NoMemory() : PyLong_FromUnsignedLong(number);
}

static PyObject *
func_definition_set(PyObject *Py_UNUSED(module), PyObject *args)
{
    unsigned int number;
    const char *data;
    Py_ssize_t length;

    if (!PyArg_ParseTuple(args, "Iy#:_definition_set", &number, &data, &length))
        return NULL;
    if (registry_definition_set(number, data, (size_t)length) < 0)
        return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *
func_definition_get(PyObject *Py_UNUSED(module), PyObject *argument)
{
    unsigned long number = PyLong_AsUnsignedLong(argument);
    registry_text data;

    if (PyErr_Occurred())
        return NULL;
    data = registry_definition((uint32_t)number);
    if (!data.text)
        Py_RETURN_NONE;
    return PyBytes_FromStringAndSize(data.text, (Py_ssize_t)data.length);
}

/* This class is definition `number` here. */
static PyObject *
func_definition_here(PyObject *module, PyObject *args)
{
    core_state *state = PyModule_GetState(module);
    unsigned int number;
    PyObject *object;

    if (!PyArg_ParseTuple(args, "IO:_definition_here", &number, &object))
        return NULL;
    if (travel_known_add(state, object, CODE_DEFINITION, number) < 0)
        return NULL;
    if (!object_table_put(state->travel, &state->travel->defined, number, Py_NewRef(object)))
        return NULL;
    Py_RETURN_NONE;
}

/* The class of definition `number`, made if need be. */
static PyObject *
func_defined(PyObject *module, PyObject *argument)
{
    unsigned long number = PyLong_AsUnsignedLong(argument);

    if (PyErr_Occurred())
        return NULL;
    return travel_defined(PyModule_GetState(module), (uint32_t)number);
}

/* (template number, names of the globals it captures) of a function of the running program that is to be pickled. */
static PyObject *
func_template_of(PyObject *module, PyObject *function)
{
    code_entry *entry;
    PyObject *names;

    if (!PyFunction_Check(function)) {
        PyErr_Format(PyExc_TypeError, "not a function: %.200s", Py_TYPE(function)->tp_name);
        return NULL;
    }
    entry = function_entry(PyModule_GetState(module), function);
    if (!entry || around_sent(PyModule_GetState(module), entry) < 0)
        return NULL;
    names = PyTuple_New(entry->template->global_count);
    for (uint32_t i = 0; names && i < entry->template->global_count; i++)
        PyTuple_SET_ITEM(names, i, Py_NewRef(entry->names[i]));
    return names ? Py_BuildValue("(IN)", (unsigned int)entry->template->id, names) : NULL;
}

/* The function belongs to a definition. */
static PyObject *
func_surround(PyObject *module, PyObject *function)
{
    if (!PyFunction_Check(function)) {
        PyErr_Format(PyExc_TypeError, "not a function: %.200s", Py_TYPE(function)->tp_name);
        return NULL;
    }
    if (around_function(PyModule_GetState(module), function) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* Whether a behavior brought that name along for the globals of the function, if only to say that it is unset. */
static PyObject *
func_brought(PyObject *module, PyObject *args)
{
    PyObject *function, *name;
    int result;

    if (!PyArg_ParseTuple(args, "O!U:_brought", &PyFunction_Type, &function, &name))
        return NULL;
    Py_INCREF(name);
    PyUnicode_InternInPlace(&name);
    result = around_brought(PyModule_GetState(module), function, name);
    Py_DECREF(name);
    return result < 0 ? NULL : PyBool_FromLong(result);
}

/* A function of that template without anything captured, its cells missing. */
static PyObject *
func_function_make(PyObject *module, PyObject *argument)
{
    unsigned long number = PyLong_AsUnsignedLong(argument);

    if (PyErr_Occurred())
        return NULL;
    return function_make(PyModule_GetState(module), (uint32_t)number);
}

static PyObject *
func_function_close(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *function, *cells;

    if (!PyArg_ParseTuple(args, "O!O!:_function_close", &PyFunction_Type, &function, &PyTuple_Type, &cells) ||
        PyFunction_SetClosure(function, cells) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* What the pickle of a Cown says: which process made it, and which it is. */
static PyObject *
func_cown_of_pickle(PyObject *module, PyObject *args)
{
    long long process;
    unsigned long long number;
    rt_cown *cown;

    if (!PyArg_ParseTuple(args, "LK:_cown_of_pickle", &process, &number))
        return NULL;
    cown = cown_pickled(process, number);
    if (!cown) {
        PyErr_Format(PyExc_ValueError,
                     "cown %llu is not one of this process: a pickled Cown stays in the process that "
                     "made it",
                     number);
        return NULL;
    }
    return cown_wrap(PyModule_GetState(module), cown);
}

static PyMethodDef functions[] = {
    {"_choose_backend", func_choose_backend, METH_O, NULL},
    {"_start", func_start, METH_VARARGS, NULL},
    {"_stop", func_stop, METH_O, NULL},
    {"_shut_down", func_shut_down, METH_NOARGS, NULL},
    {"_forked", func_forked, METH_NOARGS, NULL},
    {"_running", func_running, METH_NOARGS, NULL},
    {"_in_flight", func_in_flight, METH_NOARGS, NULL},
    {"_completed", func_completed, METH_NOARGS, NULL},
    {"_stats", func_stats, METH_NOARGS, NULL},
    {"_take_failures", func_take_failures, METH_NOARGS, NULL},
    {"_held_here", func_held_here, METH_NOARGS, NULL},
    {"_in_behavior", func_in_behavior, METH_NOARGS, NULL},
    {"_is_main", func_is_main, METH_NOARGS, NULL},
    {"_backends", func_backends, METH_NOARGS, NULL},
    {"_mark_output", func_mark_output, METH_NOARGS, NULL},
    {"_definition_reserve", func_definition_reserve, METH_NOARGS, NULL},
    {"_definition_set", func_definition_set, METH_VARARGS, NULL},
    {"_definition_get", func_definition_get, METH_O, NULL},
    {"_definition_here", func_definition_here, METH_VARARGS, NULL},
    {"_defined", func_defined, METH_O, NULL},
    {"_template_of", func_template_of, METH_O, NULL},
    {"_surround", func_surround, METH_O, NULL},
    {"_brought", func_brought, METH_VARARGS, NULL},
    {"_function_make", func_function_make, METH_O, NULL},
    {"_function_close", func_function_close, METH_VARARGS, NULL},
    {"_cown_of_pickle", func_cown_of_pickle, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int
boc_add_types(PyObject *module, core_state *state)
{
    if (travel_init(state) < 0)
        return -1;
    if (state->travel->is_main) {
        main_state = state;
        if (!backend_runtime() && !hosts[BACKEND_INTERPRETERS])
            atomic_store_explicit(&backend, BACKEND_THREADS, memory_order_relaxed);
    }
    if (cown_add_types(module, state) < 0 || when_add_types(module, state) < 0 || board_add(module, state) < 0)
        return -1;
    if (PyModule_AddFunctions(module, functions) < 0 || messages_add(module) < 0)
        return -1;
    return pump_add_functions(module);
}

void
boc_clear_state(core_state *state)
{
    if (main_state == state)
        main_state = NULL;
    travel_clear(state);
}
