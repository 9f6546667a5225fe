/* The interpreters backend: every worker thread owns a sub-interpreter with a GIL of its own. */
#include "interp.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "board.h"

#if BOCMAT_HAVE_INTERPRETERS

/* Where modules are found before the settings can be decoded (that takes a module): texts, each ended by a NUL, the
 * last one empty. Set by the main program before it starts workers. */
static char *search_path;

int
interp_set_path(PyObject *paths)
{
    size_t length = 1;
    char *block, *at;

    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(paths); i++) {
        Py_ssize_t size;

        if (!PyUnicode_Check(PyList_GET_ITEM(paths, i)) || !PyUnicode_AsUTF8AndSize(PyList_GET_ITEM(paths, i), &size)) {
            PyErr_Clear();
            continue;
        }
        length += (size_t)size + 1;
    }
    block = at = malloc(length);
    if (!block) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(paths); i++) {
        PyObject *path = PyList_GET_ITEM(paths, i);
        const char *text = PyUnicode_Check(path) ? PyUnicode_AsUTF8(path) : NULL;

        PyErr_Clear();
        if (!text || !*text)
            continue; /* the working directory, as "", goes with the settings */
        strcpy(at, text);
        at += strlen(text) + 1;
    }
    *at = '\0';
    free(search_path);
    search_path = block;
    return 0;
}

static int
apply_search_path(void)
{
    PyObject *paths = PyList_New(0);
    int result = paths ? 0 : -1;

    for (const char *at = search_path; !result && at && *at; at += strlen(at) + 1) {
        PyObject *path = PyUnicode_FromString(at);

        result = path ? PyList_Append(paths, path) : -1;
        Py_XDECREF(path);
    }
    if (!result && search_path && *search_path)
        result = PySys_SetObject("path", paths);
    Py_XDECREF(paths);
    return result;
}

/* Before 3.14 interpreters are made one after the other: what they share while they come to be (static types, the
 * modules of one phase) is not always guarded there. Taken by threads that are attached to none. */
#if PY_VERSION_HEX < 0x030E0000
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;
#define MAKING_LOCK()   pthread_mutex_lock(&making)
#define MAKING_UNLOCK() pthread_mutex_unlock(&making)
#else
#define MAKING_LOCK()   ((void)0)
#define MAKING_UNLOCK() ((void)0)
#endif

/* In the new interpreter: our module, which sys.modules keeps. */
static int
interpreter_furnish(worker_context *context)
{
    PyObject *core;

    if (apply_search_path() < 0)
        return -1;
    core = PyImport_ImportModule("bocmat._core");
    if (!core)
        return -1;
    context->state = PyModule_GetState(core);
    Py_DECREF(core);
    return 0;
}

/* What has to go while the interpreter's modules are still whole. */
static void
interpreter_tidy(void)
{
    PyObject *worker = PyImport_ImportModule("bocmat.worker"), *result = NULL;

    if (worker)
        result = PyObject_CallMethod(worker, "tidy", NULL);
    PyErr_Clear();
    Py_XDECREF(worker);
    Py_XDECREF(result);
}

/* The calling thread is attached to its interpreter, or to none. */
static void
interp_leave(rt_worker *worker)
{
    worker_context *context = rt_worker_data(worker);

    if (thread_state_current() != context->thread)
        PyEval_RestoreThread(context->thread);
    worker_flush(context);
    board_view_free(context);
    if (context->state)
        interpreter_tidy();
    Py_EndInterpreter(context->thread);
    PyEval_RestoreThread(context->main_thread);
    PyThreadState_Clear(context->main_thread);
    PyThreadState_DeleteCurrent();
    rt_worker_set_data(worker, NULL);
    free(context);
}

/* The calling thread is attached to none, before and after. */
static int
interpreter_make(rt_worker *worker)
{
    worker_context *context = calloc(1, sizeof *context);
    PyInterpreterConfig config = {
        .use_main_obmalloc = 0,
        .allow_fork = 0,
        .allow_exec = 0,
        .allow_threads = 1,
        .allow_daemon_threads = 0,
        .check_multi_interp_extensions = 1,
        .gil = PyInterpreterConfig_OWN_GIL,
    };
    PyStatus status;

    if (!context)
        return RT_NO_MEMORY;
    context->main_thread = PyThreadState_New(PyInterpreterState_Main());
    if (!context->main_thread) {
        free(context);
        return RT_NO_MEMORY;
    }
    PyEval_RestoreThread(context->main_thread);
    status = Py_NewInterpreterFromConfig(&context->thread, &config);
    if (PyStatus_Exception(status)) {
        /* the main interpreter's state is current again */
        PyThreadState_Clear(context->main_thread);
        PyThreadState_DeleteCurrent();
        free(context);
        return RT_HOST_FAILED;
    }
    rt_worker_set_data(worker, context);
    if (interpreter_furnish(context) < 0) {
        PyErr_Print();
        interp_leave(worker);
        return RT_HOST_FAILED;
    }
    PyEval_SaveThread();
    return RT_OK;
}

static int
interp_enter(rt_worker *worker)
{
    int status;

    MAKING_LOCK();
    status = interpreter_make(worker);
    MAKING_UNLOCK();
    return status;
}

static void
interp_idle(rt_worker *worker)
{
    if (!thread_state_current())
        return;
    board_view_idle(rt_worker_data(worker));
    PyEval_SaveThread();
}

static void
interp_busy(rt_worker *worker)
{
    worker_context *context = rt_worker_data(worker);

    if (thread_state_current() != context->thread)
        PyEval_RestoreThread(context->thread);
}

static void
interp_run(rt_worker *worker, rt_behavior *behavior)
{
    behavior_run(rt_worker_data(worker), behavior);
}

PyObject *
object_bring(core_state *state, const rt_value *value)
{
    worker_context *context = worker_current();
    payload *block = NULL;
    PyObject *object;
    rt_value encoded;

    if (context && context->main_thread) {
        PyEval_SaveThread();
        PyEval_RestoreThread(context->main_thread); /* an errand in the interpreter where the object lives */
        block = payload_of(main_core_state(), (PyObject *)value->data, ENCODE_SHARE);
        PyErr_Clear();
        PyEval_SaveThread();
        PyEval_RestoreThread(context->thread);
    }
    if (!block) {
        PyErr_SetString(PyExc_TypeError, "what this cown holds was put there on the threads backend and cannot travel "
                                         "to another interpreter");
        return NULL;
    }
    encoded = (rt_value){VALUE_PAYLOAD, (uintptr_t)block};
    object = value_decode(state, &encoded, 0);
    value_clear(&encoded);
    return object;
}

const rt_host interpreters_host = {
    .enter = interp_enter,
    .leave = interp_leave,
    .idle = interp_idle,
    .busy = interp_busy,
    .run = interp_run,
    .drop = behavior_drop,
    .destroy = host_destroy,
};

#else

int
interp_set_path(PyObject *Py_UNUSED(paths))
{
    return 0;
}

PyObject *
object_bring(core_state *Py_UNUSED(state), const rt_value *Py_UNUSED(value))
{
    PyErr_SetString(PyExc_SystemError, "this Python has no interpreters backend");
    return NULL;
}

#endif
