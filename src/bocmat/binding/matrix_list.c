/* Lists: positions and booleans as they stand in keys and arguments. */
#include "matrix_pick.h"
#include "matrix_lock.h"

#include <math.h>
#include <string.h>

/* ---- reading ---- */

void
list_clear(pick_list *list)
{
    list->at = list->few;
    list->memory = NULL;
    list->values = NULL;
    list->rows = list->columns = 1;
    list->flat = true;
    list->kind = LIST_POSITIONS;
}

void
list_drop(pick_list *list)
{
    if (list->memory)
        buffer_drop(list->memory);
    list->memory = NULL;
    Py_CLEAR(list->values);
}

bool
list_room(pick_list *list, Py_ssize_t count)
{
    if (count <= PICK_FEW)
        return true;
    list->memory = buffer_new((size_t)count); /* a position is as wide as a double */
    if (!list->memory) {
        PyErr_NoMemory();
        return false;
    }
    list->at = (ptrdiff_t *)(void *)list->memory->values;
    return true;
}

bool
part_is_list(PyObject *part)
{
    if (PyLong_CheckExact(part) || PySlice_Check(part) || part == Py_Ellipsis)
        return false;
    if (PyList_Check(part) || PyTuple_Check(part) || PyRange_Check(part) || is_matrix(part) || is_view(part))
        return true;
    if (PyUnicode_Check(part) || PyBytes_Check(part) || PyByteArray_Check(part) || PyDict_Check(part) ||
        !PySequence_Check(part))
        return false;
    if (PyIndex_Check(part) && PyObject_Size(part) < 0) { /* an array without dimensions */
        PyErr_Clear();
        return false;
    }
    return true;
}

/* The letter of an array's elements; 0 if it exports none. */
static char
array_letter(PyObject *array)
{
    Py_buffer view;
    const char *format;
    char letter;

    if (!PyObject_CheckBuffer(array))
        return 0;
    if (PyObject_GetBuffer(array, &view, PyBUF_FULL_RO) < 0) {
        PyErr_Clear();
        return 0;
    }
    format = view.format ? view.format : "B";
    if (*format && strchr("@=<>!", *format))
        format++;
    letter = format[0] && !format[1] ? format[0] : 0;
    PyBuffer_Release(&view);
    return letter;
}

static bool
is_truth(PyObject *item)
{
    return PyBool_Check(item) || (!PyLong_Check(item) && !PyFloat_Check(item) && array_letter(item) == '?');
}

/* One item that is not an exact int. */
static bool
list_read_item(pick_list *list, PyObject *item, Py_ssize_t i, Py_ssize_t *truths)
{
    int truth;

    if (is_truth(item)) {
        truth = PyObject_IsTrue(item);
        list->at[i] = truth > 0;
        *truths += 1;
        return truth >= 0;
    }
    if (!PyIndex_Check(item)) {
        PyErr_Format(PyExc_TypeError, "an index must be an int, not %s", Py_TYPE(item)->tp_name);
        return false;
    }
    list->at[i] = PyNumber_AsSsize_t(item, PyExc_IndexError);
    return !(list->at[i] == -1 && PyErr_Occurred());
}

/* True if every row of a nested list holds booleans. */
static bool
rows_are_truths(PyObject *rows)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(rows); i++) {
        PyObject *row = PySequence_Tuple(PyTuple_GET_ITEM(rows, i));
        bool all = row != NULL;

        for (Py_ssize_t j = 0; all && j < PyTuple_GET_SIZE(row); j++)
            all = is_truth(PyTuple_GET_ITEM(row, j));
        Py_XDECREF(row);
        if (!all) {
            PyErr_Clear();
            return false;
        }
    }
    return true;
}

/* Reads a list or tuple that holds nothing but short ints, which runs no Python code; false, without an
 * exception, for any other. */
static bool
list_read_plain(PyObject *from, pick_list *list)
{
    Py_ssize_t count, read = 0;

    MATRIX_BEGIN(from);
    count = PySequence_Fast_GET_SIZE(from);
    if (list_room(list, count)) {
        PyObject *const *items = PySequence_Fast_ITEMS(from);

        while (read < count && PyLong_CheckExact(items[read]) && long_short_value(items[read], list->at + read))
            read++;
    } else {
        PyErr_Clear(); /* raised again on the long way */
        count = -1;
    }
    MATRIX_END();
    if (read == count) {
        list->columns = count;
        return true;
    }
    list_drop(list);
    list->at = list->few;
    return false;
}

static bool
list_read_sequence(core_state *state, PyObject *from, pick_list *list)
{
    PyObject *items;
    Py_ssize_t count, truths = 0;
    bool fine = false;

    if ((PyList_CheckExact(from) || PyTuple_CheckExact(from)) && list_read_plain(from, list))
        return true;
    items = PySequence_Tuple(from);
    if (!items)
        return false;
    count = PyTuple_GET_SIZE(items);
    if (count && part_is_list(PyTuple_GET_ITEM(items, 0))) {
        list->kind = rows_are_truths(items) ? LIST_TRUTHS : LIST_POSITIONS;
        list->values = matrix_from_values(state, items, &list->flat);
        fine = list->values != NULL;
        goto done;
    }
    if (!list_room(list, count))
        goto done;
    list->columns = count;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyTuple_GET_ITEM(items, i);

        if (PyLong_CheckExact(item)) {
            list->at[i] = PyNumber_AsSsize_t(item, PyExc_IndexError);
            if (list->at[i] == -1 && PyErr_Occurred())
                goto done;
        } else if (!list_read_item(list, item, i, &truths)) {
            goto done;
        }
    }
    fine = !truths || truths == count;
    if (!fine)
        PyErr_Format(PyExc_TypeError, "a list of %zd items has %zd booleans among its positions", count, truths);
    if (truths)
        list->kind = LIST_TRUTHS;
done:
    Py_DECREF(items);
    return fine;
}

/* An array of machine ints in one dimension is taken as it is: false without an exception if it is none. */
static bool
list_read_ints(PyObject *from, pick_list *list)
{
    Py_buffer view;
    bool fine = false;

    if (PyObject_GetBuffer(from, &view, PyBUF_FULL_RO) < 0) {
        PyErr_Clear();
        return false;
    }
    if (view.ndim == 1 && view.itemsize == sizeof(ptrdiff_t) && view.format && !view.format[1] &&
        strchr("lqn", view.format[0]) && view.strides[0] == view.itemsize && list_room(list, view.shape[0])) {
        memcpy(list->at, view.buf, (size_t)view.len);
        list->columns = view.shape[0];
        fine = true;
    }
    PyBuffer_Release(&view);
    return fine;
}

bool
list_read(core_state *state, PyObject *from, pick_list *list)
{
    char letter;

    list_clear(list);
    if (is_matrix(from) || is_view(from)) {
        list->kind = LIST_EITHER;
        list->flat = false;
        list->values = Py_NewRef(from);
#if !BOCMAT_GIL /* read here, under its lock; the caller holds others */
        MATRIX_BEGIN(from);
        Py_SETREF(list->values, matrix_from_values(state, from, &list->flat));
        MATRIX_END();
#endif
        if (list->values)
            shape_of(list->values, &list->rows, &list->columns);
        return list->values != NULL;
    }
    letter = PyList_Check(from) || PyTuple_Check(from) ? 0 : array_letter(from);
    if (letter && strchr("lqn", letter)) {
        if (list_read_ints(from, list))
            return true;
        if (PyErr_Occurred())
            return false;
    }
    if (letter) {
        list->kind = letter == '?' ? LIST_TRUTHS : strchr("efdg", letter) ? LIST_EITHER : LIST_POSITIONS;
        list->values = matrix_from_array(state, from, &list->flat);
        if (!list->values && PyErr_Occurred())
            return false;
    }
    if (!list->values && !list_read_sequence(state, from, list))
        return false;
    if (list->values)
        shape_of(list->values, &list->rows, &list->columns);
    if (list->flat && list->kind == LIST_EITHER)
        list->kind = LIST_POSITIONS; /* one dimension of doubles that are whole numbers */
    return true;
}

/* ---- lists as positions ---- */

/* Says what is wrong with a value that is no position. */
static void
position_refuse(double value, Py_ssize_t length, const char *axis)
{
    PyObject *number = PyFloat_FromDouble(value);

    if (number && value == trunc(value) && isfinite(value))
        PyErr_Format(PyExc_IndexError, "%s index %R is out of range for %zd", axis, number, length);
    else if (number)
        PyErr_Format(PyExc_TypeError, "an index must be a whole number, not %R", number);
    Py_XDECREF(number);
}

/* Reads the doubles of a list into `at`; runs no Python code but for errors. */
static bool
list_settle(pick_list *list, Py_ssize_t length, const char *axis)
{
    matrix_operand from = {.source = list->values};
    size_t wrong, count;

    if (!list->values)
        return true;
    if (!operand_settle(&from) || !list_room(list, from.rows * from.columns))
        return false;
    list->rows = from.rows;
    list->columns = from.columns;
    count = (size_t)list_count(list);
    wrong = mk_whole_numbers((size_t)from.rows, (size_t)from.columns, list->at, from.window);
    if (wrong < count) {
        from.window.at += (Py_ssize_t)wrong / from.columns * from.window.row_stride +
                          (Py_ssize_t)wrong % from.columns * from.window.column_stride;
        position_refuse(*from.window.at, length, axis);
        return false;
    }
    Py_CLEAR(list->values);
    return true;
}

/* The positions of what is true; one dimension of `length`. */
static bool
list_compress(pick_list *list, Py_ssize_t length, const char *axis)
{
    Py_ssize_t count = list_count(list), kept = 0;

    if (count != length || (list->rows != 1 && list->columns != 1)) {
        PyErr_Format(PyExc_IndexError, "a mask of shape (%zd, %zd) does not fit the %s axis of length %zd", list->rows,
                     list->columns, axis, length);
        return false;
    }
    for (Py_ssize_t i = 0; i < count; i++)
        if (list->at[i] != 0 && list->at[i] != 1) {
            PyErr_Format(PyExc_ValueError,
                         "a mask holds 0 and 1, and this one, which has the %s axis's shape, %zd; positions are picked "
                         "by a list, or by take()",
                         axis, list->at[i]);
            return false;
        }
    for (Py_ssize_t i = 0; i < count; i++) {
        bool picked = list->at[i] != 0;

        list->at[kept] = i;
        kept += picked;
    }
    list->rows = 1;
    list->columns = kept;
    list->flat = true;
    return true;
}

bool
list_positions(pick_list *list, Py_ssize_t length, const char *axis)
{
    Py_ssize_t count, wrong;

    if (!list_settle(list, length, axis))
        return false;
    if (list->kind == LIST_TRUTHS)
        return list_compress(list, length, axis);
    count = list_count(list);
    wrong = (Py_ssize_t)mk_wrap((size_t)count, list->at, length);
    return wrong == count || key_position(list->at + wrong, length, axis);
}

bool
list_take(core_state *state, PyObject *indices, Py_ssize_t length, const char *axis, pick_list *list)
{
    list_clear(list);
    if (part_is_list(indices)) {
        if (!list_read(state, indices, list))
            return false;
        if (list->kind == LIST_TRUTHS) {
            PyErr_SetString(PyExc_TypeError, "indices are ints, and these are booleans; m[...] takes a mask");
            return false;
        }
    } else if (!args_index(indices, "an index", list->at)) {
        if (PyErr_ExceptionMatches(PyExc_OverflowError))
            PyErr_SetString(PyExc_IndexError, "an index is too large for any matrix");
        return false;
    }
    return list_positions(list, length, axis);
}

/* ---- what a shape says ---- */

/* True if all values of a Matrix are 0 or 1. */
static bool
is_zeros_and_ones(PyObject *values)
{
    matrix_operand from = {.source = values};

    if (!operand_settle(&from)) {
        PyErr_Clear(); /* raised again where the values are read */
        return false;
    }
    for (Py_ssize_t i = 0; i < from.rows; i++)
        for (Py_ssize_t j = 0; j < from.columns; j++) {
            double value = from.window.at[i * from.window.row_stride + j * from.window.column_stride];

            if (value != 0.0 && value != 1.0)
                return false;
        }
    return true;
}

bool
list_decide(pick_list *list, int axis, Py_ssize_t rows, Py_ssize_t columns)
{
    Py_ssize_t own = axis == 0 ? rows : columns, across = axis == 0 ? columns : rows, count = list_count(list);
    bool along = axis == 0 ? list->columns == 1 && list->rows == own : list->rows == 1 && list->columns == own;

    if (list->kind != LIST_EITHER)
        return true;
    list->kind = along ? LIST_TRUTHS : LIST_POSITIONS;
    if (along || (list->rows != 1 && list->columns != 1))
        return true;
    if ((count == own || (count == across && count > 1)) && is_zeros_and_ones(list->values)) {
        PyErr_Format(PyExc_ValueError,
                     "a key of shape (%zd, %zd) that holds only 0 and 1 could be a mask or positions for a matrix of "
                     "shape (%zd, %zd); pass a mask of %s shape (%zd, %zd), or positions as a list",
                     list->rows, list->columns, rows, columns, axis == 0 ? "rows, of" : "columns, of",
                     axis == 0 ? rows : 1, axis == 0 ? 1 : columns);
        return false;
    }
    return true;
}

bool
list_along(pick_list *list, Py_ssize_t length, const char *axis)
{
    if (!list_positions(list, length, axis))
        return false;
    if (list->rows == 1 || list->columns == 1)
        return true;
    PyErr_Format(PyExc_IndexError,
                 "a key of shape (%zd, %zd) is neither a mask of the matrix's own shape nor one row or column of "
                 "positions",
                 list->rows, list->columns);
    return false;
}
