#include "cown_pass.h"

#include <math.h>
#include <sched.h>

#include "pump.h"
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

static void
pass_signal(task_pass *pass)
{
    if (!atomic_exchange(&pass->signalled, true))
        PyThread_release_lock(pass->lock);
}

/* The state is decided: its thread may free the lock, and the behavior, as soon as it knows that this is over. */
static void
pass_decided(task_pass *pass)
{
    pass_signal(pass);
    atomic_store(&pass->let_go, true);
}

/* On the thread that made it ready. Whoever loses the race for the state leaves the rest to the other. */
static void
pass_ready(rt_behavior *behavior, void *Py_UNUSED(context))
{
    task_pass *pass = rt_behavior_captures(behavior);
    int expected = PASS_WAITING;

    if (atomic_compare_exchange_strong(&pass->state, &expected, PASS_GRANTED)) {
        pass_decided(pass);
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
        pass_decided(pass);
    else
        PyThread_free_lock(pass->lock);
}

/* ---- waiting ---- */

/* The thread among those that would run pinned behaviors: what it waits for may come after one. */
typedef struct {
    rt_candidate candidate; /* first */
    task_pass *pass;
    bool joined;
} pass_candidate;

static void
pass_call(rt_candidate *candidate)
{
    pass_signal(((pass_candidate *)candidate)->pass);
}

/* Called: one pinned behavior, then there may be the cown already. 0, or -1 with an exception. */
static int
pass_serve(core_state *state, rt_runtime *runtime, pass_candidate *self, int64_t deadline)
{
    pump_limits limits = {.deadline = deadline, .most = 1, .waits = true};

    if (!rt_serve_enter(runtime, &self->candidate))
        return 0;
    self->joined = false;
    if (pump_serve(state, runtime, &limits, &(pump_count){0}) < 0)
        return -1;
    rt_serve_join(runtime, &self->candidate);
    self->joined = true;
    return 0;
}

/* 0 once the state is decided, RT_TIMEOUT, or -1 with an exception. */
static int
pass_wait_serving(core_state *state, rt_runtime *runtime, pass_candidate *self, int64_t deadline)
{
    const int64_t longest = 500000000;
    task_pass *pass = self->pass;

    for (;;) {
        int64_t left = deadline == INT64_MAX ? longest : deadline - pump_now();
        PyLockStatus status;

        left = left < 0 ? 0 : left < longest ? left : longest;
        Py_BEGIN_ALLOW_THREADS
        status = PyThread_acquire_lock_timed(pass->lock, left / 1000, 1);
        Py_END_ALLOW_THREADS
        if (status == PY_LOCK_ACQUIRED) {
            atomic_store(&pass->signalled, false);
            if (atomic_load(&pass->state) != PASS_WAITING)
                return 0;
            if (self->joined && pass_serve(state, runtime, self, deadline) < 0)
                return -1;
        }
        if (PyErr_CheckSignals() < 0)
            return -1;
        if (status == PY_LOCK_FAILURE && pump_now() >= deadline)
            return RT_TIMEOUT;
    }
}

static int
pass_wait(core_state *state, rt_runtime *runtime, task_pass *pass, double timeout)
{
    pass_candidate self = {.candidate = {.call = pass_call, .preferred = true}, .pass = pass};
    int status, part = PUMP_NEVER;

    if (timeout != 0 && atomic_load(&pass->state) == PASS_WAITING)
        part = pump_part_of(state);
    if (part < 0)
        return -1;
    if (part == PUMP_FIRST) {
        rt_serve_join(runtime, &self.candidate);
        self.joined = true;
    }
    status = pass_wait_serving(state, runtime, &self, pump_deadline(timeout));
    if (self.joined)
        rt_serve_quit(runtime, &self.candidate);
    return status;
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
    atomic_init(&pass->signalled, false);
    atomic_init(&pass->let_go, false);
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
pass_acquire(core_state *state, rt_runtime *runtime, rt_cown *cown, rt_mode mode, double timeout)
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
    /* Another thread's wait() is stopping it just now, or has. */
    while (status == RT_NOT_RUNNING && (runtime = runtime_started()))
        status = rt_schedule(runtime, behavior);
    if (status < 0) {
        PyThread_free_lock(lock);
        rt_behavior_discard(behavior);
        raise_status(status);
        goto failed;
    }
    status = pass_wait(state, runtime, pass, timeout);
    if (status < 0 && atomic_compare_exchange_strong(&pass->state, &expected, PASS_ABANDONED)) {
        if (status == RT_TIMEOUT)
            raise_timeout("the cown was not free", timeout);
        goto failed;
    }
    /* Granted or dropped, perhaps just as the wait ended otherwise. */
    while (!atomic_load(&pass->let_go))
        sched_yield();
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
