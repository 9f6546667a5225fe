/* Vectors and batches of them: dot, outer and cross products, directions, the trace.
 *
 * A batch is read as one vector a row or a column of a window:
 *
 *   shape               vectors are
 *   n x width           the rows, also where the columns would fit
 *   width x n           the columns
 *   either, with axis   1: the rows, 0: the columns; those must be `width` long
 */
#include "matrix_methods.h"

typedef struct {
    mk_window window; /* its rows are the vectors */
    Py_ssize_t count, width;
    int axis; /* 1 if they are rows of the matrix, 0 if columns */
} vector_batch;

static bool
is_width(Py_ssize_t length, Py_ssize_t widest)
{
    return length == 2 || (length == 3 && widest == 3);
}

static mk_window
turned(mk_window window)
{
    return (mk_window){window.at, window.column_stride, window.row_stride};
}

/* `axis` 0 or 1. */
static vector_batch
batch_along(const matrix_operand *from, int axis)
{
    if (axis == 1)
        return (vector_batch){from->window, from->rows, from->columns, 1};
    return (vector_batch){turned(from->window), from->columns, from->rows, 0};
}

static bool
batch_read(const char *what, const matrix_operand *from, int axis, Py_ssize_t widest, vector_batch *batch)
{
    bool rows = is_width(from->columns, widest), columns = is_width(from->rows, widest);

    if (axis == ARGS_NO_AXIS)
        axis = rows || !columns;
    if (axis == 1 ? rows : columns) {
        *batch = batch_along(from, axis);
        return true;
    }
    if (rows || columns)
        PyErr_Format(PyExc_ValueError, "%s: in the shape (%zd, %zd) the %s are vectors, not along axis %d", what,
                     from->rows, from->columns, rows ? "rows" : "columns", axis);
    else
        PyErr_Format(PyExc_ValueError, "%s takes vectors of %s, rows or columns; the shape is (%zd, %zd)", what,
                     widest == 3 ? "2 or 3 elements" : "2 elements", from->rows, from->columns);
    return false;
}

/* A Matrix for one number a vector. */
static PyObject *
batch_numbers(core_state *state, const vector_batch *batch, mk_window *out)
{
    PyObject *result = batch->axis == 1 ? matrix_empty(state, batch->count, 1) : matrix_empty(state, 1, batch->count);

    if (result) {
        *out = matrix_window((MatrixObject *)result);
        if (batch->axis == 0)
            *out = turned(*out);
    }
    return result;
}

static inline bool
is_vector(const matrix_operand *from)
{
    return from->rows == 1 || from->columns == 1;
}

/* Anything but a single number. */
static bool
vectors_require(core_state *state, PyObject *value, const char *what, matrix_operand *operand)
{
    if (!operand_require(state, value, what, operand))
        return false;
    if (operand->source)
        return true;
    PyErr_Format(PyExc_TypeError, "%s takes vectors, not a number", what);
    return false;
}

/* ---- vecdot ---- */

/* A row and a column of one length are both read as the first is. */
static void
flat_alike(const matrix_operand *left, matrix_operand *right)
{
    if (is_vector(left) && is_vector(right) && left->rows != right->rows && left->rows == right->columns &&
        left->columns == right->rows) {
        right->window = turned(right->window);
        right->rows = left->rows;
        right->columns = left->columns;
    }
}

static PyObject *
vecdot_compute(core_state *state, int axis, matrix_operand *left, matrix_operand *right)
{
    matrix_operand *operands[2] = {left, right};
    matrix_unlocked unlocked;
    Py_ssize_t rows, columns;
    PyObject *result;
    mk_window a, b;
    bool is_long;

    if (!operand_settle(left) || !operand_settle(right))
        return NULL;
    flat_alike(left, right);
    if (!operands_broadcast("vecdot()", operands, 2, &rows, &columns))
        return NULL;
    a = operand_spread(left, rows, columns);
    b = operand_spread(right, rows, columns);
    is_long = rows * columns >= LONG_ELEMENTS;
    if (axis == ARGS_NO_AXIS) {
        double sum;

        matrix_unlock(&unlocked, is_long, operands, 2);
        sum = mk_dot((size_t)rows, (size_t)columns, a, b);
        matrix_lock(&unlocked);
        return PyFloat_FromDouble(sum);
    }
    result = matrix_empty(state, axis == 0 ? 1 : rows, axis == 0 ? columns : 1);
    if (!result)
        return NULL;
    matrix_unlock(&unlocked, is_long, operands, 2);
    mk_dot_axis(axis, (size_t)rows, (size_t)columns, matrix_window((MatrixObject *)result), a, b);
    matrix_lock(&unlocked);
    return result;
}

PyObject *
matrix_vecdot(METHOD_ARGS)
{
    static const args_spec spec = {"vecdot", 2, 1, {"other", "axis", NULL}};
    core_state *state = state_of(self);
    matrix_operand left = {.source = self}, right;
    PyObject *given[2], *result;
    int axis;

    if (count == 1 && !keywords && are_small_alike(self, args[0]) && small_count((MatrixObject *)self))
        return PyFloat_FromDouble(mk_dot(1, small_count((MatrixObject *)self), small_line((MatrixObject *)self),
                                         small_line((MatrixObject *)args[0])));
    if (!args_take(&spec, args, count, keywords, given) || !args_axis(given[1], &axis) ||
        !operand_require(state, given[0], "vecdot()", &right))
        return NULL;
    result = vecdot_compute(state, axis, &left, &right);
    operand_drop(&right);
    return result;
}

/* ---- outer ---- */

/* All elements in the order of the rows, as one column; copied where no stride says that. */
static bool
flatten(core_state *state, matrix_operand *operand, mk_window *column)
{
    if (operand->columns == 1 || operand->rows == 0 || operand->columns == 0) {
        *column = (mk_window){operand->window.at, operand->window.row_stride, 0};
        return true;
    }
    if (operand->rows != 1 && operand->window.row_stride != operand->columns * operand->window.column_stride) {
        PyObject *copy = matrix_copy_window(state, operand->window, operand->rows, operand->columns);

        if (!copy)
            return false;
        Py_XSETREF(operand->made, copy);
        operand->source = copy;
        if (!operand_settle(operand))
            return false;
    }
    *column = (mk_window){operand->window.at, operand->window.column_stride, 0};
    return true;
}

static PyObject *
outer_compute(core_state *state, matrix_operand *left, matrix_operand *right, matrix_result *result)
{
    matrix_operand *operands[3] = {left, right, &result->target};
    matrix_unlocked unlocked;
    Py_ssize_t rows, columns;
    mk_window a, b;

    if (!operand_settle(left) || !operand_settle(right))
        return NULL;
    rows = left->rows * left->columns;
    columns = right->rows * right->columns;
    if (!matrix_shape_fits(rows, columns) || !result_settle(state, "outer()", result, rows, columns, operands, 2) ||
        !flatten(state, left, &a) || !flatten(state, right, &b)) {
        Py_CLEAR(result->object);
        return NULL;
    }
    matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, operands, 3);
    mk_binary(MK_BINARY_multiply, (size_t)rows, (size_t)columns, result->target.window, a, turned(b));
    matrix_lock(&unlocked);
    return result->object;
}

PyObject *
matrix_outer(METHOD_ARGS)
{
    static const args_spec spec = {"outer", 1, 1, {"other", "out", NULL}};
    core_state *state = state_of(self);
    matrix_operand left = {.source = self}, right;
    PyObject *given[2], *answer;
    matrix_result result;

    if (!args_take(&spec, args, count, keywords, given) || !result_take(state, given[1], &result) ||
        !operand_require(state, given[0], "outer()", &right))
        return NULL;
    answer = outer_compute(state, &left, &right, &result);
    operand_drop(&right);
    operand_drop(&left);
    return answer;
}

/* ---- cross ---- */

/* Reads `other` next to `batch`: one vector, or as many. */
static bool
cross_partner(const matrix_operand *other, const vector_batch *batch, mk_window *window)
{
    vector_batch partner = batch_along(other, batch->axis);

    if (is_vector(other) && other->rows * other->columns == batch->width) {
        partner = batch_along(other, other->rows == 1);
        partner.window.row_stride = 0;
        partner.count = batch->count;
    }
    *window = partner.window;
    return partner.count == batch->count && partner.width == batch->width;
}

static PyObject *
cross_numbers(core_state *state, const vector_batch *batch, bool single, mk_window a, mk_window b)
{
    PyObject *result;
    mk_window out;

    if (single) {
        double z;

        mk_cross2(1, (mk_window){&z, 0, 0}, a, b);
        return PyFloat_FromDouble(z);
    }
    result = batch_numbers(state, batch, &out);
    if (result)
        mk_cross2((size_t)batch->count, out, a, b);
    return result;
}

static PyObject *
cross_compute(core_state *state, int axis, matrix_operand *left, matrix_operand *right)
{
    matrix_operand *batched;
    vector_batch batch;
    PyObject *result;
    mk_window a, b, out;

    if (!operand_settle(left) || !operand_settle(right))
        return NULL;
    batched = is_vector(left) && !is_vector(right) ? right : left; /* the one that has the result's shape */
    if (!batch_read("cross()", batched, axis, 3, &batch))
        return NULL;
    a = b = batch.window;
    if (!cross_partner(batched == left ? right : left, &batch, batched == left ? &b : &a)) {
        PyErr_Format(PyExc_ValueError, "cross(): shapes (%zd, %zd) and (%zd, %zd) do not fit together", left->rows,
                     left->columns, right->rows, right->columns);
        return NULL;
    }
    if (batch.width == 2)
        return cross_numbers(state, &batch, is_vector(batched), a, b);
    result = matrix_empty(state, batched->rows, batched->columns);
    if (!result)
        return NULL;
    out = matrix_window((MatrixObject *)result);
    mk_cross3((size_t)batch.count, batch.axis == 1 ? out : turned(out), a, b);
    return result;
}

PyObject *
matrix_cross(METHOD_ARGS)
{
    static const args_spec spec = {"cross", 2, 1, {"other", "axis", NULL}};
    core_state *state = state_of(self);
    matrix_operand left = {.source = self}, right;
    PyObject *given[2], *result;
    int axis;

    if (!args_take(&spec, args, count, keywords, given) || !args_axis(given[1], &axis) ||
        !vectors_require(state, given[0], "cross()", &right))
        return NULL;
    result = cross_compute(state, axis, &left, &right);
    operand_drop(&right);
    return result;
}

/* ---- angle, perpendicular, normalize ---- */

PyObject *
matrix_angle(METHOD_ARGS)
{
    static const args_spec spec = {"angle", 1, 0, {"axis", NULL}};
    matrix_operand from = {.source = self}, *operands[1] = {&from};
    matrix_unlocked unlocked;
    PyObject *given[1], *result;
    vector_batch batch;
    mk_window out;
    int axis;

    if (!args_take(&spec, args, count, keywords, given) || !args_axis(given[0], &axis) || !operand_settle(&from) ||
        !batch_read("angle()", &from, axis, 2, &batch))
        return NULL;
    if (is_vector(&from)) {
        double angle;

        mk_angle(1, (mk_window){&angle, 0, 0}, batch.window);
        return PyFloat_FromDouble(angle);
    }
    result = batch_numbers(state_of(self), &batch, &out);
    if (!result)
        return NULL;
    matrix_unlock(&unlocked, batch.count >= LONG_ELEMENTS, operands, 1);
    mk_angle((size_t)batch.count, out, batch.window);
    matrix_lock(&unlocked);
    return result;
}

/* Room for a result of the operand's shape, and both as vectors. */
static bool
batch_settle(core_state *state, const char *what, matrix_operand *from, vector_batch *batch, matrix_result *result)
{
    matrix_operand *operands[1] = {from};
    int axis = batch->axis;

    if (!result_settle(state, what, result, from->rows, from->columns, operands, 1))
        return false;
    *batch = batch_along(from, axis); /* it may have been moved, or copied away from the result */
    return true;
}

static mk_window
batch_target(const vector_batch *batch, const matrix_result *result)
{
    return batch->axis == 1 ? result->target.window : turned(result->target.window);
}

PyObject *
matrix_perpendicular(METHOD_ARGS)
{
    static const args_spec spec = {"perpendicular", 1, 0, {"axis", "in_place", "out", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self};
    vector_batch batch;
    matrix_result result;
    PyObject *given[3];
    int axis;

    if (!args_take(&spec, args, count, keywords, given) || !args_axis(given[0], &axis) ||
        !target_take(state, self, "perpendicular()", given[1], given[2], &result) || !operand_settle(&from) ||
        !batch_read("perpendicular()", &from, axis, 2, &batch))
        return NULL;
    if (batch_settle(state, "perpendicular()", &from, &batch, &result))
        mk_perpendicular((size_t)batch.count, batch_target(&batch, &result), batch.window);
    else
        Py_CLEAR(result.object);
    operand_drop(&from);
    return result.object;
}

/* A vector of any length, a batch by its shape, any other matrix along the axis or, without one, as one vector. */
static bool
normalize_read(matrix_operand *from, int axis, vector_batch *batch, bool *whole)
{
    bool batched = is_width(from->rows, 3) || is_width(from->columns, 3);

    *whole = false;
    if (is_vector(from)) {
        int own = from->rows == 1;

        *batch = batch_along(from, own);
        if (axis == ARGS_NO_AXIS || axis == own || from->rows == from->columns)
            return true;
        PyErr_Format(PyExc_ValueError, "normalize(): the shape (%zd, %zd) is one vector, not along axis %d", from->rows,
                     from->columns, axis);
        return false;
    }
    if (batched)
        return batch_read("normalize()", from, axis, 3, batch);
    *whole = axis == ARGS_NO_AXIS;
    *batch = batch_along(from, *whole ? 1 : axis);
    return true;
}

static void
normalize_compute(matrix_operand *from, const vector_batch *batch, bool whole, matrix_result *result)
{
    matrix_operand *operands[2] = {from, &result->target};
    mk_window out = batch_target(batch, result);
    matrix_unlocked unlocked;

    matrix_unlock(&unlocked, from->rows * from->columns >= LONG_ELEMENTS, operands, 2);
    if (whole)
        mk_normalize_whole((size_t)batch->count, (size_t)batch->width, out, batch->window, 1.0);
    else
        mk_normalize((size_t)batch->count, (size_t)batch->width, out, batch->window, 1.0);
    matrix_lock(&unlocked);
}

PyObject *
matrix_normalize(METHOD_ARGS)
{
    static const args_spec spec = {"normalize", 1, 0, {"axis", "in_place", "out", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self};
    vector_batch batch;
    matrix_result result;
    PyObject *given[3];
    bool whole;
    int axis;

    if (!args_take(&spec, args, count, keywords, given) || !args_axis(given[0], &axis) ||
        !target_take(state, self, "normalize()", given[1], given[2], &result) || !operand_settle(&from) ||
        !normalize_read(&from, axis, &batch, &whole))
        return NULL;
    if (batch_settle(state, "normalize()", &from, &batch, &result))
        normalize_compute(&from, &batch, whole, &result);
    else
        Py_CLEAR(result.object);
    operand_drop(&from);
    return result.object;
}

/* ---- trace ---- */

PyObject *
matrix_trace(METHOD_ARGS)
{
    static const args_spec spec = {"trace", 1, 0, {"offset", NULL}};
    matrix_operand from = {.source = self};
    Py_ssize_t offset = 0, length, rows, columns;
    PyObject *given[1];
    mk_window diagonal;

    if ((count || keywords) &&
        (!args_take(&spec, args, count, keywords, given) || (given[0] && !args_index(given[0], "offset", &offset))))
        return NULL;
    if (!operand_settle(&from))
        return NULL;
    rows = from.rows;
    columns = from.columns;
    diagonal = from.window;
    if (offset >= columns || offset <= -rows)
        return PyFloat_FromDouble(0.0);
    if (offset > 0) {
        diagonal.at += offset * diagonal.column_stride;
        columns -= offset;
    } else {
        diagonal.at -= offset * diagonal.row_stride;
        rows += offset;
    }
    length = rows < columns ? rows : columns;
    diagonal.column_stride += diagonal.row_stride;
    diagonal.row_stride = 0;
    return PyFloat_FromDouble(mk_reduce(MK_REDUCE_sum, 1, (size_t)length, diagonal));
}
