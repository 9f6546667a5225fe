/* A matrix put on a queue of concurrent.interpreters crosses without being copied and changes owner.
 *
 * What crosses is a parcel. The one who receives it takes it out; CPython then releases what is left in the interpreter
 * that sent it. A parcel that nobody took, because the rest of a tuple could not be sent or the queue is gone, goes
 * back into the matrix it came from, or is freed where no name is left for that. */
#include "matrix_internal.h"
#include "matrix_lock.h"

#include <stdlib.h>

#include "crossing.h"
#include "matrix_crossing.h"

#if BOCMAT_HAVE_CROSSING

typedef struct {
    matrix_parcel parcel;
    atomic_flag taken;
    MatrixObject *from; /* which the crossing data keeps */
} crossing;

static PyObject *
crossing_arrive(crossing_data *data)
{
    crossing *shared = data->shared;
    PyObject *module = PyImport_ImportModule("bocmat._core"), *matrix = NULL;

    if (!module)
        return NULL;
    if (atomic_flag_test_and_set_explicit(&shared->taken, memory_order_acquire))
        PyErr_SetString(PyExc_RuntimeError, "the matrix was received already");
    else
        matrix = matrix_arrive(PyModule_GetState(module), &shared->parcel, 0);
    Py_DECREF(module);
    return matrix;
}

static void
crossing_release(void *what)
{
    crossing *shared = what;

    if (!atomic_flag_test_and_set_explicit(&shared->taken, memory_order_acquire)) {
        if (Py_REFCNT(shared->from) > 1 && !shared->from->data)
            matrix_return(shared->from, &shared->parcel);
        else
            parcel_drop(&shared->parcel);
    }
    free(shared);
}

/* The instruction that is being run: CPython tries to pickle what refused to cross, within the same one. */
static void
instruction_here(instruction *here)
{
    PyFrameObject *frame = PyEval_GetFrame();
    PyCodeObject *code = frame ? PyFrame_GetCode(frame) : NULL;

    *here = (instruction){code, frame ? PyFrame_GetLasti(frame) : -1};
    Py_XDECREF(code);
}

static int
crossing_depart_locked(MatrixObject *self, crossing_data *data)
{
    crossing *shared;

    if (!matrix_can_leave(self)) {
        core_state *state = state_of((PyObject *)self);

        state->stayed = self;
        instruction_here(&state->stayed_at);
        return -1;
    }
    shared = malloc(sizeof *shared);
    if (!shared || matrix_leave(self, &shared->parcel) < 0) {
        free(shared);
        if (!PyErr_Occurred())
            PyErr_NoMemory();
        return -1;
    }
    shared->taken = (atomic_flag)ATOMIC_FLAG_INIT;
    shared->from = self;
    crossing_fill(data, shared, (PyObject *)self, crossing_arrive, crossing_release);
    return 0;
}

static int
crossing_depart_matrix(PyThreadState *thread, PyObject *object, crossing_data *data)
{
    int status;

    (void)thread;
    MATRIX_BEGIN(object);
    status = crossing_depart_locked((MatrixObject *)object, data);
    MATRIX_END();
    return status;
}

int
matrix_add_crossing(core_state *state)
{
    return crossing_register(state->matrix_type, crossing_depart_matrix);
}

bool
matrix_must_not_cross(MatrixObject *self)
{
    core_state *state = state_of((PyObject *)self);
    instruction here;

    if (state->stayed != self)
        return false;
    instruction_here(&here);
    return here.code == state->stayed_at.code && here.at == state->stayed_at.at && !matrix_can_leave(self);
}

#else

int
matrix_add_crossing(core_state *state)
{
    (void)state;
    return 0;
}

bool
matrix_must_not_cross(MatrixObject *self)
{
    (void)self;
    return false;
}

#endif
