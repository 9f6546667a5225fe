/* What an operation works on: Python values become windows of doubles here. */
#include "matrix_internal.h"
#include "matrix_lock.h"

#include <string.h>

/* ---- sequences of numbers ---- */

/* One element that is not a plain float. Its __float__ may do anything to the list it is in. */
static bool
double_from_item(PyObject *item, double *to)
{
    bool fine;

    Py_INCREF(item);
    fine = args_double(item, "an element", to);
    Py_DECREF(item);
    return fine;
}

static bool
still_has(PyObject *fast, Py_ssize_t count)
{
    if (PySequence_Fast_GET_SIZE(fast) >= count)
        return true;
    PyErr_SetString(PyExc_RuntimeError, "the list changed its length while it was read");
    return false;
}

static bool
doubles_read(PyObject *fast, double *to, Py_ssize_t count)
{
    PyObject *const *items = PySequence_Fast_ITEMS(fast);

    for (Py_ssize_t i = 0; i < count; i++) {
        if (PyFloat_CheckExact(items[i])) {
            to[i] = PyFloat_AS_DOUBLE(items[i]);
            continue;
        }
        if (!double_from_item(items[i], to + i) || !still_has(fast, count))
            return false;
        items = PySequence_Fast_ITEMS(fast);
    }
    return true;
}

bool
doubles_from_sequence(PyObject *fast, double *to, Py_ssize_t count)
{
    bool fine;

    MATRIX_BEGIN(fast);
    fine = still_has(fast, count) && doubles_read(fast, to, count);
    MATRIX_END();
    return fine;
}

PyObject *
sequence_item(PyObject *fast, Py_ssize_t i)
{
    PyObject *item = NULL;

    MATRIX_BEGIN(fast);
    if (i < PySequence_Fast_GET_SIZE(fast))
        item = Py_NewRef(PySequence_Fast_GET_ITEM(fast, i));
    MATRIX_END();
    return item;
}

/* Rows that are lists, matrices or arrays themselves. */
static PyObject *
matrix_from_rows(core_state *state, PyObject *rows)
{
    Py_ssize_t count = PySequence_Fast_GET_SIZE(rows), columns = -1;
    PyObject *result = NULL, *row = NULL, *line = NULL;

    for (Py_ssize_t i = 0; i < count; i++) {
        Py_ssize_t length;
        bool flat;

        row = sequence_item(rows, i);
        if (!row) {
            PyErr_SetString(PyExc_RuntimeError, "the list changed its length while it was read");
            goto fail;
        }
        if (args_is_number(row) && !PyObject_CheckBuffer(row)) {
            PyErr_Format(PyExc_ValueError, "row %zd is a number and others are rows", i);
            goto fail;
        }
        if (PyList_CheckExact(row) || PyTuple_CheckExact(row)) {
            length = PySequence_Fast_GET_SIZE(row);
            line = row;
            Py_INCREF(line);
        } else {
            line = matrix_from_values(state, row, &flat);
            if (!line)
                goto fail;
            if (((MatrixObject *)line)->rows != 1) {
                PyErr_Format(PyExc_ValueError, "row %zd has the shape (%zd, %zd), not that of a row", i,
                             ((MatrixObject *)line)->rows, ((MatrixObject *)line)->columns);
                goto fail;
            }
            length = ((MatrixObject *)line)->columns;
        }
        if (columns < 0) {
            columns = length;
            result = matrix_empty(state, count, columns);
            if (!result)
                goto fail;
        }
        if (length != columns) {
            PyErr_Format(PyExc_ValueError, "row 0 has %zd values and row %zd has %zd", columns, i, length);
            goto fail;
        }
        if (line == row) {
            if (!doubles_from_sequence(row, ((MatrixObject *)result)->data + i * columns, columns))
                goto fail;
        } else {
            mk_copy(1, (size_t)columns, (mk_window){((MatrixObject *)result)->data + i * columns, columns, 1},
                    matrix_window((MatrixObject *)line));
        }
        Py_CLEAR(line);
        Py_CLEAR(row);
    }
    return result;
fail:
    Py_XDECREF(line);
    Py_XDECREF(row);
    Py_XDECREF(result);
    return NULL;
}

/* True if a sequence's first element is a row rather than a number. */
static bool
is_row(PyObject *first)
{
    if (PyFloat_CheckExact(first) || PyLong_CheckExact(first))
        return false;
    if (PyUnicode_Check(first) || PyBytes_Check(first) || PyByteArray_Check(first))
        return false;
    if (is_matrix(first) || is_view(first) || PyList_Check(first) || PyTuple_Check(first))
        return true;
    if (args_is_number(first) && !PySequence_Check(first))
        return false;
    return PySequence_Check(first) && PySequence_Size(first) >= 0;
}

static bool
holds_rows(PyObject *fast)
{
    PyObject *first = sequence_item(fast, 0);
    bool rows = first && is_row(first);

    Py_XDECREF(first);
    return rows;
}

/* Without a GIL under its own lock: nothing is settled yet, so that the caller's may be let go of. */
static PyObject *
matrix_of_ours(core_state *state, PyObject *values)
{
    matrix_operand operand = {.source = values};
    PyObject *result = NULL;

    MATRIX_BEGIN(values);
    if (operand_settle(&operand))
        result = matrix_copy_window(state, operand.window, operand.rows, operand.columns);
    MATRIX_END();
    return result;
}

PyObject *
matrix_from_values(core_state *state, PyObject *values, bool *flat)
{
    PyObject *fast, *result = NULL;

    *flat = false;
    if (is_matrix(values) || is_view(values))
        return matrix_of_ours(state, values);
    if (PyUnicode_Check(values) || PyBytes_Check(values) || PyByteArray_Check(values)) {
        PyErr_Format(PyExc_TypeError, "a matrix is made of real numbers, not of %s", Py_TYPE(values)->tp_name);
        return NULL;
    }
    if (PyObject_CheckBuffer(values)) {
        result = matrix_from_array(state, values, flat);
        if (result || PyErr_Occurred())
            return result;
    }
    if (PyDict_Check(values) || PyAnySet_Check(values)) {
        PyErr_Format(PyExc_TypeError, "a matrix is made of an ordered sequence, not of a %s", Py_TYPE(values)->tp_name);
        return NULL;
    }
    fast = PySequence_Fast(values, "");
    if (!fast) {
        if (PyErr_ExceptionMatches(PyExc_TypeError))
            PyErr_Format(PyExc_TypeError, "a matrix is made of numbers, rows of numbers or an array, not of %s",
                         Py_TYPE(values)->tp_name);
        return NULL;
    }
    if (holds_rows(fast)) {
        result = matrix_from_rows(state, fast);
    } else {
        Py_ssize_t count = PySequence_Fast_GET_SIZE(fast);

        PyErr_Clear(); /* a length that holds_rows asked for in vain */
        *flat = true;
        result = matrix_empty(state, 1, count);
        if (result && !doubles_from_sequence(fast, ((MatrixObject *)result)->data, count))
            Py_CLEAR(result);
    }
    Py_DECREF(fast);
    return result;
}

/* ---- operands ---- */

static void
operand_clear(matrix_operand *operand)
{
    operand->source = NULL;
    operand->made = NULL;
    operand->flat = false;
}

static take_result
take_number(PyObject *value, matrix_operand *operand)
{
    if (!args_double(value, "an operand", &operand->scalar))
        return TAKE_ERROR;
    operand->rows = operand->columns = 1;
    operand->window = (mk_window){&operand->scalar, 0, 0};
    return TAKE_DONE;
}

static take_result
take_converted(core_state *state, PyObject *value, matrix_operand *operand)
{
    operand->made = matrix_from_values(state, value, &operand->flat);
    operand->source = operand->made;
    return operand->made ? TAKE_DONE : TAKE_ERROR;
}

take_result
operand_take(core_state *state, PyObject *value, matrix_operand *operand)
{
    PyTypeObject *type = Py_TYPE(value);

    operand_clear(operand);
    if (is_matrix(value) || is_view(value)) {
        operand->source = value;
        return TAKE_DONE;
    }
    if (type == &PyFloat_Type || type == &PyLong_Type)
        return take_number(value, operand);
    if (PyList_Check(value) || PyTuple_Check(value) || PyRange_Check(value))
        return take_converted(state, value, operand);
    if (PyFloat_Check(value) || PyLong_Check(value))
        return take_number(value, operand);
    if (PyBytes_Check(value) || PyByteArray_Check(value) || PyUnicode_Check(value) || PyComplex_Check(value))
        return TAKE_FOREIGN;
    if (PyObject_CheckBuffer(value)) {
        operand->made = matrix_from_array(state, value, &operand->flat);
        operand->source = operand->made;
        if (operand->made)
            return TAKE_DONE;
        if (PyErr_Occurred())
            return TAKE_ERROR;
    }
    return args_is_number(value) && !PySequence_Check(value) ? take_number(value, operand) : TAKE_FOREIGN;
}

bool
operand_require(core_state *state, PyObject *value, const char *what, matrix_operand *operand)
{
    take_result taken = operand_take(state, value, operand);

    if (taken == TAKE_FOREIGN)
        PyErr_Format(PyExc_TypeError, "%s takes a matrix, a real number or a sequence of them, not %s", what,
                     Py_TYPE(value)->tp_name);
    return taken == TAKE_DONE;
}

bool
operand_settle(matrix_operand *operand)
{
    PyObject *source = operand->source;

    if (!source)
        return true;
    if (is_matrix(source)) {
        MatrixObject *matrix = (MatrixObject *)source;

        if (!matrix->data) {
            matrix_refuse(matrix);
            return false;
        }
        operand->rows = matrix->rows;
        operand->columns = matrix->columns;
        operand->window = matrix_window(matrix);
        return true;
    }
    operand->rows = ((MatrixViewObject *)source)->rows;
    operand->columns = ((MatrixViewObject *)source)->columns;
    return view_window((MatrixViewObject *)source, &operand->window);
}

bool
operand_settle_writable(matrix_operand *operand)
{
    PyObject *source = operand->source;
    MatrixObject *matrix = (MatrixObject *)source;

    if (is_view(source)) {
        if (((MatrixViewObject *)source)->read_only) {
            PyErr_SetString(PyExc_TypeError, "the view is read-only");
            return false;
        }
        matrix = ((MatrixViewObject *)source)->matrix;
    }
    return matrix_writable(matrix) && operand_settle(operand);
}

/* First and last address that a window touches. */
static void
window_span(const matrix_operand *operand, const double **low, const double **high)
{
    ptrdiff_t down = (operand->rows - 1) * operand->window.row_stride;
    ptrdiff_t along = (operand->columns - 1) * operand->window.column_stride;

    *low = operand->window.at + (down < 0 ? down : 0) + (along < 0 ? along : 0);
    *high = operand->window.at + (down > 0 ? down : 0) + (along > 0 ? along : 0);
}

bool
operand_detach(core_state *state, matrix_operand *operand, const matrix_operand *out)
{
    const double *low, *high, *out_low, *out_high;
    PyObject *copy;

    if (!operand->source || operand->rows * operand->columns == 0 || out->rows * out->columns == 0)
        return true;
    if (operand->window.at == out->window.at && operand->rows == out->rows && operand->columns == out->columns &&
        (operand->rows == 1 || operand->window.row_stride == out->window.row_stride) &&
        (operand->columns == 1 || operand->window.column_stride == out->window.column_stride))
        return true; /* the same elements in the same order */
    window_span(operand, &low, &high);
    window_span(out, &out_low, &out_high);
    if (high < out_low || low > out_high)
        return true;
    copy = matrix_copy_window(state, operand->window, operand->rows, operand->columns);
    if (!copy)
        return false;
    Py_XSETREF(operand->made, copy);
    operand->source = copy;
    return operand_settle(operand);
}

void
operand_drop(matrix_operand *operand)
{
    Py_CLEAR(operand->made);
}

bool
operands_broadcast(const char *what, matrix_operand *const *operands, int count, Py_ssize_t *rows, Py_ssize_t *columns)
{
    Py_ssize_t r = operands[0]->rows, c = operands[0]->columns;
    int i;

    for (i = 1; i < count; i++)
        if (!shape_join(r, operands[i]->rows, &r) || !shape_join(c, operands[i]->columns, &c))
            break;
    *rows = r;
    *columns = c;
    if (i == count)
        return true;
    if (count == 3)
        PyErr_Format(PyExc_ValueError, "%s: shapes (%zd, %zd), (%zd, %zd) and (%zd, %zd) do not fit together", what,
                     operands[0]->rows, operands[0]->columns, operands[1]->rows, operands[1]->columns,
                     operands[2]->rows, operands[2]->columns);
    else
        PyErr_Format(PyExc_ValueError, "%s: shapes (%zd, %zd) and (%zd, %zd) do not fit together", what,
                     operands[0]->rows, operands[0]->columns, operands[1]->rows, operands[1]->columns);
    return false;
}

/* ---- results ---- */

bool
result_take(core_state *state, PyObject *out, matrix_result *result)
{
    (void)state;
    result->object = NULL;
    operand_clear(&result->target);
    if (!out || out == Py_None)
        return true;
    if (!is_matrix(out) && !is_view(out)) {
        PyErr_Format(PyExc_TypeError, "out must be a Matrix or a MatrixView, not %s", Py_TYPE(out)->tp_name);
        return false;
    }
    result->target.source = out;
    return true;
}

bool
target_take(core_state *state, PyObject *self, const char *what, PyObject *in_place, PyObject *out,
            matrix_result *result)
{
    bool flag;

    if (!args_flag(in_place, &flag))
        return false;
    if (flag && out && out != Py_None) {
        PyErr_Format(PyExc_ValueError, "%s takes in_place or out, not both", what);
        return false;
    }
    return result_take(state, flag ? self : out, result);
}

bool
result_settle(core_state *state, const char *what, matrix_result *result, Py_ssize_t rows, Py_ssize_t columns,
              matrix_operand *const *operands, int count)
{
    matrix_operand *target = &result->target;

    if (!target->source) {
        result->object = matrix_empty(state, rows, columns);
        target->source = result->object;
        return result->object && operand_settle(target);
    }
    shape_of(target->source, &target->rows, &target->columns);
    if (target->rows != rows || target->columns != columns) {
        PyErr_Format(PyExc_ValueError, "%s: the result has the shape (%zd, %zd), what it should go to (%zd, %zd)", what,
                     rows, columns, target->rows, target->columns);
        return false;
    }
    if (!operand_settle_writable(target))
        return false;
    for (int i = 0; i < count; i++)
        if (!operand_settle(operands[i]) || !operand_detach(state, operands[i], target))
            return false;
    result->object = Py_NewRef(target->source);
    return true;
}
