/* Scheduling a function over cowns, however it was asked for. */
#ifndef BOCMAT_WHEN_H
#define BOCMAT_WHEN_H

#include "state.h"

/* An argument of @when as it is now: whoever changes a list later does not change what was asked for. A new reference.
 */
PyObject *argument_fixed(PyObject *argument);

/* The Cown of the result; NULL with an exception and nothing scheduled. `arguments` is a tuple of what argument_fixed
 * gives, `name` a str or NULL. */
PyObject *when_schedule(core_state *state, PyObject *arguments, PyObject *function, PyObject *name);

/* Adds whencall(). */
int whencall_add(PyObject *module);

#endif
