/* Globals that methods of the running program's classes name.
 *
 * A class is defined once an interpreter, and its methods find their globals in the namespace that the functions of the
 * same module find theirs in. What these were when the class first travelled goes with the definition. Who is rebound
 * or grows since then, or went with a function before, goes with every behavior, as it is when that is scheduled,
 * whether it names the class or a cown that may hold instances. On the threads backend methods see the module itself.
 */
#ifndef BOCMAT_AROUND_H
#define BOCMAT_AROUND_H

#include "function.h"
#include "payload.h"

/* The names that this function takes from its globals belong to a definition: 0, or -1 with an exception. */
int around_function(core_state *state, PyObject *function);
/* Those that this one takes have gone out with it: what a worker has of them may differ from what a definition brings
 * later. 0, or -1 with an exception. */
int around_sent(core_state *state, code_entry *entry);
/* Whether a behavior has set that name, which is interned, in the globals of this function here, or unset it; -1 with
 * an exception. */
int around_brought(core_state *state, PyObject *function, PyObject *name);
/* Appends what has changed, behind a behavior's function. What cannot travel is left out. */
int around_encode(encoder *e);
/* Sets it in the namespaces here. */
int around_decode(decoder *d);
void around_clear(travel_state *travel);

#endif
