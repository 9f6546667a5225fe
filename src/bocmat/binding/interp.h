/* The interpreters backend. */
#ifndef BOCMAT_INTERP_H
#define BOCMAT_INTERP_H

#include "backend.h"

/* The module search path that new interpreters begin with, from a list of str. 0, or -1 with an exception. */
int interp_set_path(PyObject *paths);

#endif
