/* Reductions: the rows of reduce.def, argmin and argmax. */
#include "matrix_methods.h"

#include <math.h>

static const char *const reduce_names[] = {
#define REDUCE(name, ...) #name "()",
#include "../../../kernels/reduce.def"
#undef REDUCE
};

/* NaN: there is none, and nothing cannot be reduced. */
static const double reduce_identities[] = {
#define REDUCE(name, identity, ...) identity,
#include "../../../kernels/reduce.def"
#undef REDUCE
};

static bool
refuse_empty(const char *what, const matrix_operand *from)
{
    if (from->rows && from->columns)
        return true;
    PyErr_Format(PyExc_ValueError, "%s of an empty matrix, shape (%zd, %zd)", what, from->rows, from->columns);
    return false;
}

static PyObject *
reduce_compute(core_state *state, mk_reduce_op op, int axis, matrix_operand *from)
{
    matrix_operand *operands[1] = {from};
    size_t rows, columns;
    matrix_unlocked unlocked;
    PyObject *result;
    bool is_long;

    if (!operand_settle(from) || (isnan(reduce_identities[op]) && !refuse_empty(reduce_names[op], from)))
        return NULL;
    rows = (size_t)from->rows;
    columns = (size_t)from->columns;
    is_long = rows * columns >= LONG_ELEMENTS;
    if (axis == ARGS_NO_AXIS) {
        double value;

        matrix_unlock(&unlocked, is_long, operands, 1);
        value = mk_reduce(op, rows, columns, from->window);
        matrix_lock(&unlocked);
        return PyFloat_FromDouble(value);
    }
    result = matrix_empty(state, axis == 0 ? 1 : from->rows, axis == 0 ? from->columns : 1);
    if (!result)
        return NULL;
    matrix_unlock(&unlocked, is_long, operands, 1);
    mk_reduce_axis(op, axis, rows, columns, matrix_window((MatrixObject *)result), from->window);
    matrix_lock(&unlocked);
    return result;
}

static inline PyObject *
reduce_method(METHOD_ARGS, const args_spec *spec, mk_reduce_op op)
{
    matrix_operand from = {.source = self};
    PyObject *given[1];
    int axis = ARGS_NO_AXIS;

    if ((count || keywords) && (!args_take(spec, args, count, keywords, given) || !args_axis(given[0], &axis)))
        return NULL;
    return reduce_compute(state_of(self), op, axis, &from);
}

#define REDUCE(name, ...)                                                           \
    PyObject *matrix_reduce_##name(METHOD_ARGS)                                     \
    {                                                                               \
        static const args_spec spec = {#name, 1, 0, {"axis", NULL}};                \
        return reduce_method(self, args, count, keywords, &spec, MK_REDUCE_##name); \
    }
#include "../../../kernels/reduce.def"
#undef REDUCE

/* ---- positions ---- */

static PyObject *
positions_as_list(const size_t *positions, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);

    for (Py_ssize_t i = 0; list && i < count; i++) {
        PyObject *position = PyLong_FromSize_t(positions[i]);

        if (!position)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, position);
    }
    return list;
}

static PyObject *
positions_as_matrix(core_state *state, const size_t *positions, Py_ssize_t count, int axis)
{
    PyObject *result = matrix_empty(state, axis == 0 ? 1 : count, axis == 0 ? count : 1);

    for (Py_ssize_t i = 0; result && i < count; i++)
        ((MatrixObject *)result)->data[i] = (double)positions[i];
    return result;
}

static PyObject *
arg_along(core_state *state, mk_arg_op op, int axis, bool as_matrix, matrix_operand *from)
{
    matrix_operand *operands[1] = {from};
    Py_ssize_t count = axis == 0 ? from->columns : from->rows;
    size_t *positions = PyMem_Malloc((size_t)(count + 1) * sizeof *positions);
    matrix_unlocked unlocked;
    PyObject *result;

    if (!positions)
        return PyErr_NoMemory();
    matrix_unlock(&unlocked, from->rows * from->columns >= LONG_ELEMENTS, operands, 1);
    mk_arg_axis(op, axis, (size_t)from->rows, (size_t)from->columns, positions, from->window);
    matrix_lock(&unlocked);
    result = as_matrix ? positions_as_matrix(state, positions, count, axis) : positions_as_list(positions, count);
    PyMem_Free(positions);
    return result;
}

static PyObject *
arg_method(METHOD_ARGS, const char *name, mk_arg_op op)
{
    args_spec spec = {name, 1, 0, {"axis", "as_matrix", NULL}};
    matrix_operand from = {.source = self}, *operands[1] = {&from};
    matrix_unlocked unlocked;
    PyObject *given[2];
    size_t position;
    bool as_matrix;
    int axis;

    if (!args_take(&spec, args, count, keywords, given) || !args_axis(given[0], &axis) ||
        !args_flag(given[1], &as_matrix) || !operand_settle(&from) || !refuse_empty(name, &from))
        return NULL;
    if (axis != ARGS_NO_AXIS)
        return arg_along(state_of(self), op, axis, as_matrix, &from);
    matrix_unlock(&unlocked, from.rows * from.columns >= LONG_ELEMENTS, operands, 1);
    position = mk_arg(op, (size_t)from.rows, (size_t)from.columns, from.window);
    matrix_lock(&unlocked);
    return PyLong_FromSize_t(position);
}

PyObject *
matrix_argmin(METHOD_ARGS)
{
    return arg_method(self, args, count, keywords, "argmin", MK_ARG_MIN);
}

PyObject *
matrix_argmax(METHOD_ARGS)
{
    return arg_method(self, args, count, keywords, "argmax", MK_ARG_MAX);
}
