/* Sorting: sort, argsort, topk, unique. */
#include "matrix_methods.h"

#include <string.h>

enum {
    LONG_SORT = 1 << 14, /* elements from which on others may run meanwhile */
    SCRATCH_HERE = 64
};

/* Room for a kernel: on the stack while it is small. */
typedef struct {
    matrix_buffer *buffer;
    double *at, here[SCRATCH_HERE];
} scratch_room;

static bool
scratch_take(scratch_room *scratch, size_t count)
{
    scratch->buffer = NULL;
    scratch->at = scratch->here;
    if (count <= SCRATCH_HERE)
        return true;
    scratch->buffer = buffer_new(count);
    if (!scratch->buffer) {
        PyErr_NoMemory();
        return false;
    }
    scratch->at = scratch->buffer->values;
    return true;
}

static void
scratch_drop(scratch_room *scratch)
{
    if (scratch->buffer)
        buffer_drop(scratch->buffer);
}

/* An axis that is the last one where none is given, and none where None is. */
static bool
take_axis_or_last(PyObject *value, int *axis)
{
    *axis = 1;
    return !value || args_axis(value, axis);
}

/* A row of all elements, row by row, over the window of rows x columns that `row` is. */
static mk_window
folded(mk_window row, Py_ssize_t columns)
{
    return (mk_window){row.at, columns * row.column_stride, row.column_stride};
}

/* ---- sort, argsort ---- */

typedef struct {
    int axis;
    bool descending;
} order_wish;

static PyObject *
sort_compute(core_state *state, order_wish wish, matrix_operand *from, matrix_result *result)
{
    matrix_operand *operands[2] = {from, &result->target};
    bool flat = wish.axis == ARGS_NO_AXIS;
    size_t rows, columns;
    matrix_unlocked unlocked;
    scratch_room scratch;
    mk_window in, out;

    if (!operand_settle(from) || !result_settle(state, "sort()", result, flat ? 1 : from->rows,
                                                flat ? from->rows * from->columns : from->columns, operands, 1))
        return NULL;
    rows = (size_t)from->rows;
    columns = (size_t)from->columns;
    in = flat ? result->target.window : from->window;
    out = result->target.window;
    if (!scratch_take(&scratch, mk_sort_scratch(flat ? 1 : wish.axis, flat ? 1 : rows, flat ? rows * columns : columns,
                                                out, in))) {
        Py_CLEAR(result->object);
        return NULL;
    }
    matrix_unlock(&unlocked, rows * columns >= LONG_SORT, operands, 2);
    if (flat) {
        if (out.at != from->window.at)
            mk_copy(rows, columns, folded(out, from->columns), from->window);
        mk_sort(1, 1, rows * columns, out, in, wish.descending, scratch.at);
    } else {
        mk_sort(wish.axis, rows, columns, out, in, wish.descending, scratch.at);
    }
    matrix_lock(&unlocked);
    scratch_drop(&scratch);
    return result->object;
}

PyObject *
matrix_sort(METHOD_ARGS)
{
    static const args_spec spec = {"sort", 1, 0, {"axis", "descending", "in_place", "out", NULL}};
    core_state *state = state_of(self);
    order_wish wish = {1, false};
    matrix_operand from = {.source = self};
    matrix_result result = {NULL, {.source = NULL}};
    PyObject *given[4], *answer;
    bool in_place;

    if (count || keywords) {
        if (!args_take(&spec, args, count, keywords, given) || !take_axis_or_last(given[0], &wish.axis) ||
            !args_flag(given[1], &wish.descending) || !args_flag(given[2], &in_place) ||
            !result_take(state, given[3], &result))
            return NULL;
        if (in_place && result.target.source) {
            PyErr_SetString(PyExc_TypeError, "sort() takes in_place or out, not both");
            return NULL;
        }
        if (in_place)
            result.target.source = self;
    }
    answer = sort_compute(state, wish, &from, &result);
    operand_drop(&from);
    return answer;
}

/* The operand's elements as one consecutive or evenly spaced row; copied where they are neither. */
static bool
operand_flatten(core_state *state, matrix_operand *operand)
{
    Py_ssize_t rows = operand->rows, columns = operand->columns;

    if (rows != 1 && columns != 1 && rows && columns &&
        operand->window.row_stride != columns * operand->window.column_stride) {
        PyObject *copy = matrix_copy_window(state, operand->window, rows, columns);

        if (!copy)
            return false;
        Py_XSETREF(operand->made, copy);
        operand->source = copy;
        if (!operand_settle(operand))
            return false;
    }
    if (columns == 1 && rows != 1)
        operand->window.column_stride = operand->window.row_stride;
    operand->rows = 1;
    operand->columns = rows * columns;
    operand->window.row_stride = 0;
    return true;
}

static PyObject *
argsort_compute(core_state *state, order_wish wish, matrix_operand *from, matrix_result *result)
{
    matrix_operand *operands[2] = {from, &result->target};
    int axis = wish.axis == ARGS_NO_AXIS ? 1 : wish.axis;
    size_t rows, columns;
    matrix_unlocked unlocked;
    scratch_room scratch;

    if (!operand_settle(from) || (wish.axis == ARGS_NO_AXIS && !operand_flatten(state, from)) ||
        !result_settle(state, "argsort()", result, from->rows, from->columns, operands, 0))
        return NULL;
    /* The result may lie where the elements do, and writing it may have moved them. */
    if (result->target.source != result->object || !from->made) {
        if (!operand_settle(from) || (wish.axis == ARGS_NO_AXIS && !operand_flatten(state, from)) ||
            !operand_detach(state, from, &result->target)) {
            Py_CLEAR(result->object);
            return NULL;
        }
    }
    rows = (size_t)from->rows;
    columns = (size_t)from->columns;
    if (!scratch_take(&scratch,
                      mk_argsort_scratch(axis, rows, columns, result->target.window, from->window))) {
        Py_CLEAR(result->object);
        return NULL;
    }
    matrix_unlock(&unlocked, rows * columns >= LONG_SORT, operands, 2);
    mk_argsort(axis, rows, columns, result->target.window, from->window, wish.descending, scratch.at);
    matrix_lock(&unlocked);
    scratch_drop(&scratch);
    return result->object;
}

PyObject *
matrix_argsort(METHOD_ARGS)
{
    static const args_spec spec = {"argsort", 1, 0, {"axis", "descending", "out", NULL}};
    core_state *state = state_of(self);
    order_wish wish = {1, false};
    matrix_operand from = {.source = self};
    matrix_result result = {NULL, {.source = NULL}};
    PyObject *given[3], *answer;

    if ((count || keywords) &&
        (!args_take(&spec, args, count, keywords, given) || !take_axis_or_last(given[0], &wish.axis) ||
         !args_flag(given[1], &wish.descending) || !result_take(state, given[2], &result)))
        return NULL;
    answer = argsort_compute(state, wish, &from, &result);
    operand_drop(&from);
    return answer;
}
