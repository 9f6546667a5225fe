/* A behavior without a body: how a thread that is no worker waits for a cown and holds it. */
#ifndef BOCMAT_COWN_PASS_H
#define BOCMAT_COWN_PASS_H

#include "backend.h"

/* Waits (without the GIL) until the cown is the caller's; the main thread runs pinned behaviors meanwhile. End it with
 * rt_behavior_finish. NULL with TimeoutError after `timeout` seconds (negative: never), or with what a signal handler
 * raised. */
rt_behavior *pass_acquire(core_state *state, rt_runtime *runtime, rt_cown *cown, rt_mode mode, double timeout);

/* A dropped pass: wakes its thread, which raises. */
void pass_drop(rt_behavior *behavior);

/* Seconds from None, an int or a float: false with TypeError or ValueError (negative, NaN). None gives -1. */
bool timeout_from(PyObject *object, double *seconds);

#endif
