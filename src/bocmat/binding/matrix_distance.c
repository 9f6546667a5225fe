/* Distances of pairs of rows. */
#include "matrix_methods.h"

static const struct {
    const char *name;
    mk_distance_metric metric;
    bool of_directions; /* of the rows divided by their lengths */
} metrics[] = {
    {"euclidean", MK_DISTANCE_EUCLIDEAN, false},
    {"sqeuclidean", MK_DISTANCE_SQUARED, false},
    {"cosine", MK_DISTANCE_HALF_SQUARED, true}, /* 1 - cos t = |u - v|^2 / 2 of unit vectors, and no digit is lost */
};

enum { METRICS = sizeof metrics / sizeof metrics[0] };

static int
metric_take(PyObject *value)
{
    if (!value)
        return 0;
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "metric must be a string, not %s", Py_TYPE(value)->tp_name);
        return -1;
    }
    for (int i = 0; i < METRICS; i++)
        if (PyUnicode_CompareWithASCIIString(value, metrics[i].name) == 0)
            return i;
    PyErr_Format(PyExc_ValueError, "metric must be 'euclidean', 'sqeuclidean' or 'cosine', not %R", value);
    return -1;
}

/* A new matrix of the operand's rows, each divided by its length, instead of the operand. */
static bool
directions(core_state *state, matrix_operand *operand)
{
    PyObject *made = matrix_empty(state, operand->rows, operand->columns);
    matrix_operand *operands[1] = {operand};
    matrix_unlocked unlocked;

    if (!made)
        return false;
    matrix_unlock(&unlocked, operand->rows * operand->columns >= LONG_ELEMENTS, operands, 1);
    mk_normalize((size_t)operand->rows, (size_t)operand->columns, matrix_window((MatrixObject *)made), operand->window,
                 0.0);
    matrix_lock(&unlocked);
    Py_XSETREF(operand->made, made);
    operand->source = made;
    return operand_settle(operand);
}

static PyObject *
distance_compute(core_state *state, int metric, matrix_operand *left, matrix_operand *right)
{
    matrix_operand *operands[2] = {left, right};
    matrix_unlocked unlocked;
    PyObject *result;

    if (!operand_settle(left) || !operand_settle(right))
        return NULL;
    if (left->columns != right->columns) {
        PyErr_Format(PyExc_ValueError, "cdist(): rows of the shapes (%zd, %zd) and (%zd, %zd) differ in length",
                     left->rows, left->columns, right->rows, right->columns);
        return NULL;
    }
    result = matrix_empty(state, left->rows, right->rows);
    if (!result)
        return NULL;
    if (metrics[metric].of_directions) {
        if (!directions(state, left) || !operand_settle(right) || !directions(state, right)) {
            Py_DECREF(result);
            return NULL;
        }
        if (left->columns == 0) { /* the direction of nothing */
            mk_fill((size_t)left->rows, (size_t)right->rows, matrix_window((MatrixObject *)result), Py_NAN);
            return result;
        }
    }
    matrix_unlock(&unlocked, (double)left->rows * (double)right->rows * (double)left->columns >= (double)LONG_ELEMENTS,
                  operands, 2);
    mk_distance(metrics[metric].metric, (size_t)left->rows, (size_t)right->rows, (size_t)left->columns,
                matrix_window((MatrixObject *)result), left->window, right->window);
    matrix_lock(&unlocked);
    return result;
}

PyObject *
matrix_cdist(METHOD_ARGS)
{
    static const args_spec spec = {"cdist", 3, 2, {"a", "b", "metric", NULL}};
    core_state *state = state_of_type((PyTypeObject *)self);
    PyObject *given[3], *result = NULL;
    matrix_operand left, right;
    int metric;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    metric = metric_take(given[2]);
    if (metric < 0 || !operand_require(state, given[0], "cdist()", &left))
        return NULL;
    if (operand_require(state, given[1], "cdist()", &right)) {
        result = distance_compute(state, metric, &left, &right);
        operand_drop(&right);
    }
    operand_drop(&left);
    return result;
}
