/* The backends: who runs behaviors, and the one of them that runs now. */
#ifndef BOCMAT_BACKEND_H
#define BOCMAT_BACKEND_H

#include "state.h"

#include "../runtime/runtime.h"

typedef enum { BACKEND_INTERPRETERS, BACKEND_THREADS, BACKEND_COUNT } backend_kind;

/* What a thread that runs behaviors has to hand, on either backend: a worker (rt_worker_data), or a thread of the main
 * interpreter that runs a pinned one (pump_context). */
typedef struct {
    core_state *state;          /* of the interpreter that it runs behaviors in */
    PyThreadState *thread;      /* its state there */
    PyThreadState *main_thread; /* interpreters: its state in the main interpreter, for set-up and the odd errand */
    PyObject **held;            /* the Cowns of the behavior that is running, borrowed */
    uint32_t held_count;
    uint32_t settings;        /* version of the settings it has applied */
    bool output_pending;      /* something was written to its standard streams and not flushed */
    bool pumps;               /* no worker */
    struct board_view *board; /* what it sees of the noticeboard; NULL until it looks */
    PyObject *raised;         /* pumps: what the behavior raised */
} worker_context;

/* `destroy` of every host: drops a value. */
void host_destroy(rt_value value);

/* The module's state in the main interpreter. */
core_state *main_core_state(void);

/* Drops values; every cown and behavior of ours is made with it or with a host that has the same `destroy`. */
extern const rt_host value_host;
/* The same, of cowns whose value stays in the main interpreter. */
extern const rt_host pinned_host;
extern const rt_host interpreters_host;
extern const rt_host threads_host;

/* The running runtime, or NULL. */
rt_runtime *backend_runtime(void);
/* Starts it as start() does, after whoever is starting or stopping it has done; NULL with an exception. */
rt_runtime *runtime_started(void);
const rt_host *backend_host(void);
backend_kind backend_current(void);
/* Threads backend: a cown holds the object itself, and a capture that cannot be copied is shared. Decided by what runs
 * or, when nothing does, by what would be started. */
bool backend_shares_objects(void);

/* Of the pinned behavior that this thread runs, or NULL. */
extern _Thread_local worker_context *pump_context;

/* The calling thread's context if it runs behaviors, or NULL. */
static inline worker_context *
worker_current(void)
{
    rt_worker *worker = rt_worker_self();

    return worker ? rt_worker_data(worker) : pump_context;
}

/* Runs a behavior on the calling worker, attached to its interpreter: arguments, function, result, values released. */
void behavior_run(worker_context *context, rt_behavior *behavior);
/* What the calling thread runs, for the report of a failure: (name it was given, function, name, file, line), of which
 * all but the line may be None. A new reference. */
PyObject *behavior_source(void);
/* For a behavior that will not run: takes its captures apart. */
void behavior_drop(rt_behavior *behavior);

/* Drops a reference to an object of the main interpreter from any thread; at once where that is possible, else when the
 * main program next comes by. */
void object_drop(PyObject *object);
/* Reads a value that the threads backend left in a cown, on a worker that has an interpreter of its own: encodes it
 * there, decodes it here. */
PyObject *object_bring(core_state *state, const rt_value *value);

/* Raises what a negative status means; always -1. */
int raise_status(int status);

/* TimeoutError: what, and after how many seconds. */
void raise_timeout(const char *what, double seconds);

/* Makes the module's functions that start, wait and stop. */
int runtime_funcs_add(PyObject *module);
int cown_add_types(PyObject *module, core_state *state);
int when_add_types(PyObject *module, core_state *state);

/* The settings that workers apply before their next behavior (module search path and the like), encoded. Takes over the
 * block. */
struct payload;
void worker_settings_publish(struct payload *block);
/* Applies them if they are news. 0, or -1 with an exception. */
int worker_settings_apply(worker_context *context);
/* Flushes the worker's standard streams if they were written to. */
void worker_flush(worker_context *context);

#endif
