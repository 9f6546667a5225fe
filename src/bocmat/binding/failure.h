/* Exceptions that behaviors raised: in the cown, and reported by the next wait() if nobody looks at them there. */
#ifndef BOCMAT_FAILURE_H
#define BOCMAT_FAILURE_H

#include "backend.h"

/* Puts an exception into a cown that is held here, as raised by the behavior that runs; the reference is taken over.
 * Never fails. */
void failure_store(core_state *state, rt_cown *cown, PyObject *error);

/* Without an exception and without Python: only the report. The cown is held by whoever calls. */
void failure_note(rt_cown *cown, const char *text);

/* The reports of what nobody has looked at until now, in the order in which it happened: a list of str. */
PyObject *failures_take(void);

#endif
