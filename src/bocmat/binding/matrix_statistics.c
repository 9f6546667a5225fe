/* Variance, and what is found by its place in order: median and quantiles. */
#include "matrix_reduce.h"
#include "matrix_lock.h"

#include <math.h>

/* ---- variance ---- */

static PyObject *
variance_compute(core_state *state, reduction *self, double ddof, bool root)
{
    const matrix_operand *from = &self->from;
    matrix_unlocked unlocked;
    mk_window to;
    double value = 0.0;

    if (!reduction_settle(self, false) || (self->into && !reduction_place(state, self)))
        return NULL;
    to = self->into ? self->result.target.window : (mk_window){&value, 0, 0};
    reduction_unlock(self, &unlocked);
    if (self->axis == ARGS_NO_AXIS)
        *to.at = mk_variance((size_t)from->rows, (size_t)from->columns, from->window, self->where, ddof);
    else
        mk_variance_axis(self->axis, (size_t)from->rows, (size_t)from->columns, to, from->window, self->where, ddof);
    if (root)
        mk_unary(MK_UNARY_sqrt, self->axis == 1 ? (size_t)from->rows : 1, self->axis == 0 ? (size_t)from->columns : 1,
                 to, to);
    matrix_lock(&unlocked);
    return self->into ? Py_NewRef(self->result.object) : PyFloat_FromDouble(value);
}

static PyObject *
variance_method(METHOD_ARGS, const args_spec *spec, const char *what, bool root)
{
    reduction reduced = {.what = what, .axis = ARGS_NO_AXIS, .from = {.source = self}};
    core_state *state = state_of(self);
    PyObject *given[6], *result = NULL;
    double ddof = 0.0;

    if ((!count && !keywords) ||
        (args_take(spec, args, count, keywords, given) && (!given[3] || args_double(given[3], "ddof", &ddof)) &&
         reduction_take(state, &reduced, given[0], given[1], given[2], given[4], given[5])))
        result = variance_compute(state, &reduced, ddof, root);
    reduction_drop(&reduced);
    return result;
}

#define VARIANCE(name, root)                                                                                      \
    PyObject *matrix_##name(METHOD_ARGS)                                                                          \
    {                                                                                                             \
        static const args_spec spec = {#name, 1, 0, {"axis", "dtype", "out", "ddof", "where", "keepdims", NULL}}; \
        return variance_method(self, args, count, keywords, &spec, #name "()", root);                             \
    }
VARIANCE(var, false)
VARIANCE(std, true)
#undef VARIANCE

/* ---- quantiles ---- */

enum { ROOM_FEW = 512 };

/* The result is in the target, or, of everything, in `value`. */
static bool
quantile_compute(reduction *self, const mk_quantiles *which, mk_window to)
{
    const matrix_operand *from = &self->from;
    size_t rows = (size_t)from->rows, columns = (size_t)from->columns;
    size_t room = mk_quantile_room(self->axis == ARGS_NO_AXIS ? -1 : self->axis, rows, columns);
    double few[ROOM_FEW];
    matrix_buffer *buffer = NULL;
    matrix_unlocked unlocked;

    if (room > ROOM_FEW) {
        buffer = buffer_new(room);
        if (!buffer) {
            PyErr_NoMemory();
            return false;
        }
    }
    reduction_unlock(self, &unlocked);
    mk_quantile(which, self->axis == ARGS_NO_AXIS ? -1 : self->axis, rows, columns, to, from->window, self->where,
                buffer ? buffer->values : few);
    matrix_lock(&unlocked);
    if (buffer)
        buffer_drop(buffer);
    return true;
}

static PyObject *
median_compute(core_state *state, reduction *self)
{
    mk_quantiles which = {MK_MEDIAN, 1, NULL};
    mk_window to;
    double value;

    if (!reduction_settle(self, false) || (self->into && !reduction_place(state, self)))
        return NULL;
    to = self->into ? self->result.target.window : (mk_window){&value, 0, 0};
    if (self->axis == 1)
        to = (mk_window){to.at, to.column_stride, to.row_stride};
    if (!quantile_compute(self, &which, to))
        return NULL;
    return self->into ? Py_NewRef(self->result.object) : PyFloat_FromDouble(value);
}

PyObject *
matrix_median(METHOD_ARGS)
{
    static const args_spec spec = {"median", 1, 0, {"axis", "out", "where", "keepdims", NULL}};
    reduction reduced = {.what = "median()", .axis = ARGS_NO_AXIS, .from = {.source = self}};
    core_state *state = state_of(self);
    PyObject *given[4], *result = NULL;

    if (args_take(&spec, args, count, keywords, given) &&
        reduction_take(state, &reduced, given[0], NULL, given[1], given[2], given[3]))
        result = median_compute(state, &reduced);
    reduction_drop(&reduced);
    return result;
}

/* Shares of 0 to 1, from one number or a sequence of them. */
typedef struct {
    mk_quantiles which;
    matrix_operand operand;
    double *many; /* NULL for one */
    double one;
} shares;

static bool
is_whole(PyObject *object)
{
    return PyLong_Check(object) || (PyIndex_Check(object) && !PyFloat_Check(object) && !PySequence_Check(object));
}

/* Ends are taken as they are where they are asked for by ints, as NumPy does. */
static bool
are_whole(PyObject *q)
{
    Py_ssize_t count;
    bool whole;

    if (!PyList_CheckExact(q) && !PyTuple_CheckExact(q))
        return is_whole(q);
    MATRIX_BEGIN(q);
    count = PySequence_Fast_GET_SIZE(q);
    whole = count > 0;
    for (Py_ssize_t i = 0; i < count; i++)
        whole &= is_whole(PySequence_Fast_GET_ITEM(q, i));
    MATRIX_END();
    return whole;
}

/* A number that has a buffer, as those of NumPy have, was taken as a matrix of one element. */
static bool
has_no_length(PyObject *q)
{
    if (is_matrix(q) || is_view(q) || PyObject_Size(q) >= 0)
        return false;
    PyErr_Clear();
    return true;
}

static bool
shares_take(core_state *state, PyObject *q, shares *self)
{
    size_t count;

    self->many = NULL;
    self->which = (mk_quantiles){are_whole(q) ? MK_ORDERED : MK_LINEAR, 1, &self->one};
    if (!operand_require(state, q, "quantile()", &self->operand))
        return false;
    if (!operand_settle(&self->operand))
        goto fail;
    if (self->operand.rows != 1 && self->operand.columns != 1) {
        PyErr_Format(PyExc_ValueError, "quantile(): q has the shape (%zd, %zd); it is a number or one row of them",
                     self->operand.rows, self->operand.columns);
        goto fail;
    }
    count = (size_t)(self->operand.rows * self->operand.columns);
    if (self->operand.source && count == 1 && has_no_length(q)) {
        self->one = *self->operand.window.at;
    } else if (self->operand.source) {
        self->many = PyMem_Malloc((count + 1) * sizeof *self->many);
        if (!self->many) {
            PyErr_NoMemory();
            goto fail;
        }
        mk_copy((size_t)self->operand.rows, (size_t)self->operand.columns,
                (mk_window){self->many, self->operand.columns, 1}, self->operand.window);
        self->which.count = count;
        self->which.at = self->many;
    } else {
        self->one = self->operand.scalar;
    }
    for (size_t k = 0; k < count; k++)
        if (!(self->which.at[k] >= 0.0 && self->which.at[k] <= 1.0)) {
            PyObject *seen = PyFloat_FromDouble(self->which.at[k]);

            PyErr_Format(PyExc_ValueError, "quantile(): q must be within 0 and 1, not %R", seen);
            Py_XDECREF(seen);
            goto fail;
        }
    return true;
fail:
    operand_drop(&self->operand);
    PyMem_Free(self->many);
    return false;
}

static PyObject *
quantiles_place(core_state *state, reduction *self, const shares *asked)
{
    mk_window to;
    double value;

    if (!reduction_settle(self, false))
        return NULL;
    if (!asked->many) {
        if (self->into && !reduction_place(state, self))
            return NULL;
        to = self->into ? self->result.target.window : (mk_window){&value, 0, 0};
        if (self->axis == 1)
            to = (mk_window){to.at, to.column_stride, to.row_stride};
    } else {
        Py_ssize_t count = (Py_ssize_t)asked->which.count;

        if (!(self->axis == ARGS_NO_AXIS
                  ? reduction_place_shape(state, self, 1, count)
                  : reduction_place_shape(state, self, count, self->axis == 0 ? self->from.columns : self->from.rows)))
            return NULL;
        self->into = true;
        to = self->result.target.window;
        if (self->axis == ARGS_NO_AXIS)
            to = (mk_window){to.at, to.column_stride, to.row_stride};
    }
    if (!quantile_compute(self, &asked->which, to))
        return NULL;
    return self->into ? Py_NewRef(self->result.object) : PyFloat_FromDouble(value);
}

PyObject *
matrix_quantile(METHOD_ARGS)
{
    static const args_spec spec = {"quantile", 2, 1, {"q", "axis", "out", "where", "keepdims", NULL}};
    reduction reduced = {.what = "quantile()", .axis = ARGS_NO_AXIS, .from = {.source = self}};
    core_state *state = state_of(self);
    PyObject *given[5], *result = NULL;
    shares asked;

    if (!args_take(&spec, args, count, keywords, given) || !shares_take(state, given[0], &asked))
        return NULL;
    if (reduction_take(state, &reduced, given[1], NULL, given[2], given[3], given[4]))
        result = quantiles_place(state, &reduced, &asked);
    reduction_drop(&reduced);
    operand_drop(&asked.operand);
    PyMem_Free(asked.many);
    return result;
}
