/* The threads backend: workers are threads of the main interpreter. With a GIL they take turns (and compute side by
 * side where large matrix operations let go of it); without one they run in parallel. */
#include "board.h"

#include <stdlib.h>

static int
threads_enter(rt_worker *worker)
{
    worker_context *context = calloc(1, sizeof *context);

    if (!context)
        return RT_NO_MEMORY;
    context->state = main_core_state();
    context->thread = PyThreadState_New(PyInterpreterState_Main());
    if (!context->thread) {
        free(context);
        return RT_NO_MEMORY;
    }
    rt_worker_set_data(worker, context);
    return RT_OK;
}

static void
threads_leave(rt_worker *worker)
{
    worker_context *context = rt_worker_data(worker);

    if (thread_state_current() != context->thread)
        PyEval_RestoreThread(context->thread);
    board_view_free(context);
    PyThreadState_Clear(context->thread);
    PyThreadState_DeleteCurrent();
    rt_worker_set_data(worker, NULL);
    free(context);
}

static void
threads_idle(rt_worker *worker)
{
    if (!thread_state_current())
        return;
    board_view_idle(rt_worker_data(worker));
    PyEval_SaveThread();
}

static void
threads_busy(rt_worker *worker)
{
    worker_context *context = rt_worker_data(worker);

    if (thread_state_current() != context->thread)
        PyEval_RestoreThread(context->thread);
}

static void
threads_run(rt_worker *worker, rt_behavior *behavior)
{
    behavior_run(rt_worker_data(worker), behavior);
}

const rt_host threads_host = {
    .enter = threads_enter,
    .leave = threads_leave,
    .idle = threads_idle,
    .busy = threads_busy,
    .run = threads_run,
    .drop = behavior_drop,
    .destroy = host_destroy,
};
