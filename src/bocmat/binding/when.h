/* Scheduling a function over cowns, however it was asked for. */
#ifndef BOCMAT_WHEN_H
#define BOCMAT_WHEN_H

#include "backend.h"

/* An argument of @when as it is now: whoever changes a list later does not change what was asked for. A new reference.
 */
PyObject *argument_fixed(PyObject *argument);

/* Whether this can be called with so many parameters, and not only later: 0, or -1 with a TypeError. */
int when_check(PyObject *function, Py_ssize_t given);
/* The Cown of the result; NULL with an exception and nothing scheduled. `arguments` is a tuple of what argument_fixed
 * gives, `name` a str or NULL. A `spare` one has no effect but its result, and does not run when nobody wants that. */
PyObject *when_schedule(core_state *state, PyObject *arguments, PyObject *function, PyObject *name, bool spare);

/* The runtime that takes what is scheduled here: the worker's own, the running one, or one started now. NULL with an
 * exception. */
rt_runtime *when_runtime(core_state *state);
/* Schedules it, starting the runtime anew if another thread has just stopped it. A status, and unless that is RT_OK the
 * behavior is still the caller's: RT_INVALID means that the backend is not `kind` any more. */
int when_hand_over(rt_runtime *runtime, rt_behavior *behavior, backend_kind kind);

/* Adds whencall() and _when_spare(). */
int whencall_add(PyObject *module);

#endif
