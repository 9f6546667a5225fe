/* Running sums and products, differences. */
#include "matrix_reduce.h"

static PyObject *
running_compute(core_state *state, mk_running_op op, const char *what, int axis, PyObject *self, matrix_result *result)
{
    matrix_operand from = {.source = self}, *operands[2] = {&from, &result->target};
    matrix_unlocked unlocked;
    Py_ssize_t rows, columns;
    mk_window to;

    if (!operand_settle(&from))
        return NULL;
    rows = axis == ARGS_NO_AXIS ? 1 : from.rows;
    columns = axis == ARGS_NO_AXIS ? from.rows * from.columns : from.columns;
    if (!result_settle(state, what, result, rows, columns, operands, 1)) {
        Py_CLEAR(result->object);
    } else {
        to = result->target.window;
        if (axis == ARGS_NO_AXIS)
            to.row_stride = from.columns * to.column_stride;
        matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, operands, 2);
        mk_running(op, axis == ARGS_NO_AXIS ? -1 : axis, (size_t)from.rows, (size_t)from.columns, to, from.window);
        matrix_lock(&unlocked);
    }
    operand_drop(&from);
    return result->object;
}

static PyObject *
running_method(METHOD_ARGS, const args_spec *spec, const char *what, mk_running_op op)
{
    PyObject *given[4] = {NULL};
    matrix_result result;
    bool in_place;
    int axis;

    if (!args_take(spec, args, count, keywords, given) || !args_axis(given[0], &axis) ||
        !reduction_dtype(what, given[1]) || !args_flag(given[2], &in_place))
        return NULL;
    if (in_place && given[3] && given[3] != Py_None) {
        PyErr_Format(PyExc_ValueError, "%s takes in_place or out, not both", what);
        return NULL;
    }
    if (!result_take(state_of(self), in_place ? self : given[3], &result))
        return NULL;
    return running_compute(state_of(self), op, what, axis, self, &result);
}

#define RUNNING(name, op)                                                                        \
    PyObject *matrix_##name(METHOD_ARGS)                                                         \
    {                                                                                            \
        static const args_spec spec = {#name, 1, 0, {"axis", "dtype", "in_place", "out", NULL}}; \
        return running_method(self, args, count, keywords, &spec, #name "()", op);               \
    }
RUNNING(cumsum, MK_RUNNING_SUM)
RUNNING(cumprod, MK_RUNNING_PRODUCT)
#undef RUNNING

/* ---- differences ---- */

/* `from` less itself one element before, along the axis. */
static PyObject *
diff_once(core_state *state, int axis, PyObject *self, matrix_result *result)
{
    matrix_operand from = {.source = self}, *operands[2] = {&from, &result->target};
    matrix_unlocked unlocked;
    Py_ssize_t rows, columns;
    mk_window later;

    if (!operand_settle(&from))
        return NULL;
    rows = axis == 0 && from.rows ? from.rows - 1 : from.rows;
    columns = axis == 1 && from.columns ? from.columns - 1 : from.columns;
    if (!result_settle(state, "diff()", result, rows, columns, operands, 1)) {
        Py_CLEAR(result->object);
    } else if (rows && columns) {
        later = from.window;
        later.at += axis == 0 ? later.row_stride : later.column_stride;
        matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, operands, 2);
        mk_binary(MK_BINARY_subtract, (size_t)rows, (size_t)columns, result->target.window, later, from.window);
        matrix_lock(&unlocked);
    }
    operand_drop(&from);
    return result->object;
}

/* n times, n at least 1; all but the last time to a matrix in between. */
static PyObject *
diff_often(core_state *state, int axis, Py_ssize_t n, PyObject *self, matrix_result *result)
{
    PyObject *from = Py_NewRef(self), *answer;
    Py_ssize_t lengths[2];

    shape_of(self, &lengths[0], &lengths[1]);
    if (n > lengths[axis])
        n = lengths[axis] ? lengths[axis] : 1; /* then nothing is left, and nothing less nothing is that */
    for (; n > 1; n--) {
        matrix_result between;

        (void)result_take(state, NULL, &between);
        Py_SETREF(from, diff_once(state, axis, from, &between));
        if (!from)
            return NULL;
    }
    answer = diff_once(state, axis, from, result);
    Py_DECREF(from);
    return answer;
}

static PyObject *
diff_none(core_state *state, PyObject *self, matrix_result *result)
{
    matrix_operand from = {.source = self}, *operands[1] = {&from};

    if (!operand_settle(&from))
        return NULL;
    if (!result_settle(state, "diff()", result, from.rows, from.columns, operands, 1))
        Py_CLEAR(result->object);
    else if (result->target.window.at != from.window.at)
        mk_copy((size_t)from.rows, (size_t)from.columns, result->target.window, from.window);
    operand_drop(&from);
    return result->object;
}

PyObject *
matrix_diff(METHOD_ARGS)
{
    static const args_spec spec = {"diff", 2, 0, {"n", "axis", "out", NULL}};
    PyObject *given[3];
    matrix_result result;
    Py_ssize_t n = 1;
    int axis = 1;

    if (!args_take(&spec, args, count, keywords, given) || (given[0] && !args_index(given[0], "n", &n)))
        return NULL;
    if (given[1] == Py_None) {
        PyErr_SetString(PyExc_TypeError, "diff(): axis must be -2, -1, 0 or 1, not None");
        return NULL;
    }
    if ((given[1] && !args_axis(given[1], &axis)) || !result_take(state_of(self), given[2], &result))
        return NULL;
    if (n < 0) {
        PyErr_Format(PyExc_ValueError, "diff(): n must not be negative, not %zd", n);
        return NULL;
    }
    return n ? diff_often(state_of(self), axis, n, self, &result) : diff_none(state_of(self), self, &result);
}
