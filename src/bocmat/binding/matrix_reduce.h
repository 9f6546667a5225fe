/* What all reductions take: axis, dtype, out, where, keepdims. Shared by matrix_reduce.c, matrix_arg.c and
 * matrix_statistics.c. */
#ifndef BOCMAT_MATRIX_REDUCE_H
#define BOCMAT_MATRIX_REDUCE_H

#include "matrix_methods.h"

typedef struct {
    const char *what; /* for messages */
    int axis;
    bool into; /* the result is a matrix: along an axis, with keepdims= or with out= */
    matrix_operand from, mask;
    mk_window mask_window;
    const mk_window *where; /* NULL, or the mask over the shape of `from` */
    matrix_result result;
} reduction;

/* Takes what was given, any of it NULL; may run any Python code. Drop the reduction whatever this answers. */
bool reduction_take(core_state *state, reduction *self, PyObject *axis, PyObject *dtype, PyObject *out, PyObject *where,
                    PyObject *keepdims);
/* Settles the operands. Refuses an empty matrix unless there is an identity. */
bool reduction_settle(reduction *self, bool has_identity);
/* Then finds room for a result of the shape rows x columns, in `result`; reduction_place for that of one reduction. */
bool reduction_place_shape(core_state *state, reduction *self, Py_ssize_t rows, Py_ssize_t columns);
bool reduction_place(core_state *state, reduction *self);
void reduction_drop(reduction *self);

void reduction_unlock(reduction *self, matrix_unlocked *unlocked);

/* True for a small matrix that is not empty, with no argument or only an int as axis: nothing else is to be taken. */
static inline bool
reduction_is_brief(PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *keywords, int *axis)
{
    Py_ssize_t named = keywords ? PyTuple_GET_SIZE(keywords) : 0;
    Py_ssize_t given;

    if (!is_small(self) || !((MatrixObject *)self)->rows || !((MatrixObject *)self)->columns)
        return false;
    *axis = ARGS_NO_AXIS;
    if (count + named == 0)
        return true;
    if (count + named != 1 || !long_is_short(args[0], &given) ||
        (named && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(keywords, 0), "axis") != 0))
        return false;
    *axis = (int)(given & 1);
    return given >= -2 && given <= 1;
}

/* None, float or a name of float64; anything else raises TypeError. */
bool reduction_dtype(const char *what, PyObject *dtype);

#endif
