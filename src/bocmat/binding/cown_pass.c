#include "cown_pass.h"

#include <math.h>

#include "task.h"

bool
timeout_from(PyObject *object, double *seconds)
{
    *seconds = -1.0;
    if (object == Py_None)
        return true;
    if (PyBool_Check(object) || !(PyFloat_Check(object) || PyLong_Check(object))) {
        PyErr_Format(PyExc_TypeError, "timeout is a number of seconds or None, not %.200s", Py_TYPE(object)->tp_name);
        return false;
    }
    *seconds = PyFloat_AsDouble(object);
    if (*seconds == -1.0 && PyErr_Occurred())
        return false;
    if (isnan(*seconds) || *seconds < 0) {
        PyErr_Format(PyExc_ValueError, "timeout is a number of seconds from 0 up, not %R", object);
        return false;
    }
    if (*seconds > 1e9)
        *seconds = -1.0; /* for ever, to all intents */
    return true;
}

/* On the thread that made it ready. Whoever loses the race for the state leaves the rest to the other. */
static void
pass_ready(rt_behavior *behavior, void *Py_UNUSED(context))
{
    task_pass *pass = rt_behavior_captures(behavior);
    int expected = PASS_WAITING;

    if (atomic_compare_exchange_strong(&pass->state, &expected, PASS_GRANTED)) {
        PyThread_release_lock(pass->lock);
        return;
    }
    PyThread_free_lock(pass->lock);
    rt_behavior_finish(behavior);
}

void
pass_drop(rt_behavior *behavior)
{
    task_pass *pass = rt_behavior_captures(behavior);
    int expected = PASS_WAITING;

    if (atomic_compare_exchange_strong(&pass->state, &expected, PASS_DROPPED))
        PyThread_release_lock(pass->lock);
    else
        PyThread_free_lock(pass->lock);
}

/* 0 once the lock was released, RT_TIMEOUT, or -1 with an exception from a signal handler. */
static int
pass_wait(task_pass *pass, double timeout)
{
    double left = timeout;
    int64_t slice;
    PyLockStatus status;

    for (;;) {
        slice = timeout < 0 ? 500000 : (int64_t)(fmin(left, 0.5) * 1e6);
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(pass->lock, slice, 1);
        Py_END_ALLOW_THREADS
        if (status == PY_LOCK_ACQUIRED)
            return 0;
        if (PyErr_CheckSignals() < 0)
            return -1;
        left -= (double)slice / 1e6;
        if (timeout >= 0 && left <= 0)
            return RT_TIMEOUT;
    }
}

static rt_behavior *
pass_new(rt_cown *cown, rt_mode mode)
{
    rt_behavior *behavior = rt_behavior_new(backend_host(), 1, sizeof(task_pass));
    task_pass *pass;

    if (!behavior) {
        PyErr_NoMemory();
        return NULL;
    }
    pass = rt_behavior_captures(behavior);
    pass->kind = TASK_PASS;
    atomic_init(&pass->state, PASS_WAITING);
    pass->lock = PyThread_allocate_lock();
    if (!pass->lock) {
        rt_behavior_discard(behavior);
        PyErr_NoMemory();
        return NULL;
    }
    PyThread_acquire_lock(pass->lock, WAIT_LOCK);
    rt_behavior_set(behavior, 0, cown, mode);
    rt_behavior_on_ready(behavior, pass_ready, NULL);
    return behavior;
}

rt_behavior *
pass_acquire(rt_runtime *runtime, rt_cown *cown, rt_mode mode, double timeout)
{
    rt_behavior *behavior = pass_new(cown, mode);
    task_pass *pass;
    PyThread_type_lock lock;
    rt_cown *result;
    int status, expected = PASS_WAITING;

    if (!behavior)
        return NULL;
    pass = rt_behavior_captures(behavior);
    lock = pass->lock;
    result = rt_behavior_result(behavior);
    rt_cown_retain(result); /* keeps the block while this thread looks at it */
    status = rt_schedule(runtime, behavior);
    if (status < 0) {
        PyThread_free_lock(lock);
        rt_behavior_discard(behavior);
        raise_status(status);
        goto failed;
    }
    status = pass_wait(pass, timeout);
    if (status < 0 && atomic_compare_exchange_strong(&pass->state, &expected, PASS_ABANDONED)) {
        if (status == RT_TIMEOUT)
            raise_timeout("the cown was not free", timeout);
        goto failed;
    }
    /* Granted or dropped, perhaps just as the wait ended otherwise. */
    PyThread_free_lock(lock);
    if (atomic_load(&pass->state) == PASS_DROPPED) {
        PyErr_Clear();
        PyErr_SetString(PyExc_RuntimeError, "the runtime was stopped while this thread waited for a cown");
        goto failed;
    }
    if (status == -1) {
        rt_behavior_finish(behavior);
        goto failed;
    }
    rt_cown_release(result);
    return behavior;
failed:
    rt_cown_release(result);
    return NULL;
}
