/* What one interpreter's copy of the extension module holds. Reached from an object through its type. */
#ifndef BOCMAT_STATE_H
#define BOCMAT_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>

#include "pycompat.h"

/* A place in running code, to be compared and never looked into. */
typedef struct {
    const void *code;
    int at;
} instruction;

typedef struct core_state {
    PyObject *module; /* borrowed: the module outlives its state */

    /* matrix_*.c */
    PyTypeObject *matrix_type;
    PyTypeObject *matrix_view_type;
    PyTypeObject *matrix_iterator_type;
    struct MatrixObject *free_matrices; /* headers kept for reuse with their types, linked through their data pointer */
    int free_matrix_count;
    bool has_matrices;            /* one was made here at some time */
    PyObject *linalg_error;       /* LinAlgError */
    struct random_stream *stream; /* what random matrices are drawn from outside of behaviors */
    struct tensor_list *tensors;
    struct {
        PyObject *ask, *device;                               /* the names of the methods that are called, */
        PyObject *version, *by_version, *by_version_and_copy; /* what they get, and by which keywords */
    } dlpack;
    const struct MatrixObject *stayed; /* which last refused to cross to another interpreter, */
    instruction stayed_at;             /* and where it was asked to */

    /* cown_type.c, when_type.c */
    PyTypeObject *cown_type;
    PyTypeObject *pinned_type; /* PinnedCown, its one subclass */
    PyTypeObject *read_type;
    PyTypeObject *when_type;

    PyObject *removed; /* board.c: REMOVED */

    /* function.c, payload.c, interp.c: see travel.h */
    struct travel_state *travel;
} core_state;

extern struct PyModuleDef core_module;

/* The state behind an object of one of the module's own (heap) types. */
static inline core_state *
state_of_type(PyTypeObject *type)
{
    return (core_state *)module_state(((PyHeapTypeObject *)type)->ht_module);
}

#define state_of(object) state_of_type(Py_TYPE(object))

/* Each adds its types or functions to the module while it is executed: 0, or -1 with an exception. */
int matrix_add_types(PyObject *module, core_state *state);
int boc_add_types(PyObject *module, core_state *state);

/* For traverse and clear of the module state. */
int matrix_traverse_state(core_state *state, visitproc visit, void *arg);
void matrix_clear_state(core_state *state);
void boc_clear_state(core_state *state);

#endif
