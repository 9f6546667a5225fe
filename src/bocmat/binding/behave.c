/* One behavior on a worker: its arguments, its function, its result, and back go the values. */
#include "around.h"
#include "backend.h"
#include "board.h"
#include "cown.h"
#include "cown_pass.h"
#include "failure.h"
#include "matrix_random.h"
#include "pump.h"
#include "task.h"

enum { FEW = 8 }; /* cowns of a behavior that need no allocation */

typedef struct running {
    core_state *state;
    worker_context *context;
    rt_behavior *behavior;
    task_call *call;
    uint32_t cown_count;
    PyObject **cowns;      /* a Cown for each cown, duplicates the same object */
    PyObject **parameters; /* what the function gets: a Cown, or a list of them */
    PyObject *failed;      /* the function, if it raised */
    struct running *outer; /* what the thread ran before it ran this one */
    PyObject *few[2 * FEW];
} running;

static _Thread_local running *current;

static const uint32_t *
group_sizes(const task_call *call)
{
    return call->group_at ? (const uint32_t *)((const char *)call + call->group_at) : NULL;
}

static int
running_cowns(running *r)
{
    for (uint32_t i = 0; i < r->cown_count; i++) {
        rt_argument argument = rt_behavior_argument(r->behavior, i);

        if (argument.first != i) {
            r->cowns[i] = Py_NewRef(r->cowns[argument.first]);
            continue;
        }
        r->cowns[i] = cown_wrap(r->state, argument.cown);
        if (!r->cowns[i])
            return -1;
        ((CownObject *)r->cowns[i])->hold = argument.mode == RT_READ ? HOLD_READ : HOLD_WRITE;
    }
    return 0;
}

/* A group size of 0 stands for a cown of its own, n + 1 for a list of n. */
static int
running_parameters(running *r)
{
    const uint32_t *sizes = group_sizes(r->call);
    uint32_t next = 0;

    for (uint32_t i = 0; i < r->call->parameter_count; i++) {
        if (!sizes || sizes[i] == 0) {
            r->parameters[i] = Py_NewRef(r->cowns[next++]);
            continue;
        }
        r->parameters[i] = PyList_New(sizes[i] - 1);
        if (!r->parameters[i])
            return -1;
        for (uint32_t j = 0; j < sizes[i] - 1; j++)
            PyList_SET_ITEM(r->parameters[i], j, Py_NewRef(r->cowns[next++]));
    }
    return 0;
}

static PyObject *
running_call(running *r)
{
    decoder d;
    PyObject *function, *result = NULL;

    if (worker_settings_apply(r->context) < 0 || running_cowns(r) < 0 || running_parameters(r) < 0)
        return NULL;
    r->context->held = r->cowns;
    r->context->held_count = r->cown_count;
    decoder_init(&d, r->state, &r->call->captures, 0);
    function = decoder_next(&d);
    if (function && around_decode(&d) < 0)
        Py_CLEAR(function);
    if (function) {
        if (r->call->kind == TASK_UPDATE) {
            result = notice_update_run(r->state, &d, &r->call->captures, &function);
        } else {
            payload_clear(&r->call->captures); /* a captured matrix is then held by the function alone */
            result = PyObject_Vectorcall(function, r->parameters, r->call->parameter_count, NULL);
        }
        if (result)
            Py_DECREF(function);
        else
            r->failed = function;
    }
    decoder_clear(&d);
    return result;
}

static void
running_store(running *r, PyObject *result)
{
    rt_cown *cown = rt_behavior_result(r->behavior);
    rt_value *place = rt_cown_value(cown);

    if (!result || (value_encode(r->state, result, place) < 0 &&
                    !(pump_interrupted() && value_encode(r->state, result, place) == 0))) {
        PyObject *error = error_take();

        if (r->context->pumps)
            Py_XSETREF(r->context->raised, Py_NewRef(error));
        failure_store(r->state, cown, error);
    }
    Py_XDECREF(result);
    Py_CLEAR(r->failed);
}

static void
running_end(running *r)
{
    r->context->held = NULL;
    r->context->held_count = 0;
    if (!r->cowns)
        return;
    for (uint32_t i = 0; i < r->call->parameter_count; i++)
        Py_XDECREF(r->parameters[i]);
    for (uint32_t i = 0; i < r->cown_count; i++) {
        if (r->cowns[i] && rt_behavior_argument(r->behavior, i).first == i)
            cown_let_go(r->state, (CownObject *)r->cowns[i]);
    }
    for (uint32_t i = 0; i < r->cown_count; i++)
        Py_XDECREF(r->cowns[i]);
    if (r->cowns != r->few)
        PyMem_Free(r->cowns);
    worker_flush(r->context);
}

void
behavior_run(worker_context *context, rt_behavior *behavior)
{
    running r = {.state = context->state, .context = context, .behavior = behavior};
    random_stream stream, *previous;
    PyObject *result = NULL;

    r.call = rt_behavior_captures(behavior);
    r.outer = current;
    current = &r;
    previous = stream_enter(&stream, r.call->stream);
    r.cown_count = r.call->kind == TASK_UPDATE ? 0 : rt_behavior_count(behavior); /* the board's is nobody's argument */
    r.cowns = r.few;
    if (r.cown_count > FEW || r.call->parameter_count > FEW)
        r.cowns = PyMem_Calloc((size_t)r.cown_count + r.call->parameter_count, sizeof *r.cowns);
    r.parameters = r.cowns + r.cown_count;
    if (r.cowns)
        result = running_call(&r);
    else
        PyErr_NoMemory();
    running_store(&r, result);
    payload_clear(&r.call->captures);
    running_end(&r);
    board_view_end(context);
    current = r.outer;
    stream_leave(previous);
}

PyObject *
behavior_source(void)
{
    const task_call *call = current ? current->call : NULL;
    const function_template *template = call ? payload_template(&call->captures) : NULL;

    return Py_BuildValue("(zOssI)", call && call->name_at ? (const char *)call + call->name_at : NULL,
                         current && current->failed ? current->failed : Py_None, template ? template->name.text : NULL,
                         template ? template->file.text : "", template ? (unsigned int)template->line : 0U);
}

void
behavior_drop(rt_behavior *behavior)
{
    task_kind *kind = rt_behavior_captures(behavior);

    if (*kind == TASK_PASS)
        pass_drop(behavior);
    else if (*kind == TASK_NOTICE)
        value_clear(&((task_notice *)kind)->value);
    else
        payload_clear(&((task_call *)kind)->captures);
}
