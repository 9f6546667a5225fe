/* Crossing to other interpreters by CPython's own queues. */
#ifndef BOCMAT_MATRIX_CROSSING_H
#define BOCMAT_MATRIX_CROSSING_H

#include "matrix.h"

/* Tells CPython how a Matrix crosses, where it can be told: 0, or -1 with an exception. */
int matrix_add_crossing(core_state *state);
/* True, with the reason set, if the matrix has just refused to cross and is now to be pickled in the place of that. */
bool matrix_must_not_cross(MatrixObject *self);

#endif
