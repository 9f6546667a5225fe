/* The same values in another shape or order. */
#include "matrix_methods.h"

/* ---- other shapes over the same order ---- */

/* rows x columns values in row-major order, as many as `self` has: shared until written where they lie so already. */
static PyObject *
reshaped(PyObject *self, Py_ssize_t rows, Py_ssize_t columns)
{
    matrix_operand from = {.source = self};
    PyObject *result;
    MatrixObject *made;
    bool in_order;

    if (!operand_settle(&from))
        return NULL;
    in_order = from.window.column_stride == 1 && from.window.row_stride == from.columns;
    if (is_matrix(self) && in_order)
        result = matrix_alias(state_of(self), (MatrixObject *)self, false);
    else
        result = matrix_copy_window(state_of(self), from.window, from.rows, from.columns);
    if (!result)
        return NULL;
    made = (MatrixObject *)result;
    made->rows = rows;
    made->columns = columns;
    if (made->buffer) {
        made->stride.row_stride = columns;
        made->stride.column_stride = 1;
    }
    return result;
}

/* A shape of `size` elements, of which one part may be -1: whatever fits. */
static bool
shape_complete(Py_ssize_t size, Py_ssize_t *rows, Py_ssize_t *columns)
{
    Py_ssize_t asked_rows = *rows, asked_columns = *columns, product;
    Py_ssize_t known = asked_rows == -1 ? asked_columns : asked_rows;

    if (asked_rows == -1 && known > 0 && size % known == 0)
        *rows = size / known;
    else if (asked_columns == -1 && known > 0 && size % known == 0)
        *columns = size / known;
    if (*rows >= 0 && *columns >= 0 && !__builtin_mul_overflow(*rows, *columns, &product) && product == size)
        return true;
    PyErr_Format(PyExc_ValueError, "%zd elements do not fill the shape (%zd, %zd)", size, asked_rows, asked_columns);
    return false;
}

/* (rows, columns), or one number for one row of so many. */
static bool
shape_given(PyObject *first, PyObject *second, Py_ssize_t *rows, Py_ssize_t *columns)
{
    PyObject *parts;
    Py_ssize_t count;
    bool fine;

    if (second && second != Py_None)
        return args_index(first, "rows", rows) && args_index(second, "columns", columns);
    *rows = 1;
    if (!PyTuple_Check(first) && !PyList_Check(first))
        return args_index(first, "columns", columns);
    parts = PySequence_Tuple(first);
    if (!parts)
        return false;
    count = PyTuple_GET_SIZE(parts);
    if (count != 1 && count != 2)
        PyErr_Format(PyExc_ValueError, "a matrix has two dimensions, the shape has %zd", count);
    fine = (count == 2 && args_index(PyTuple_GET_ITEM(parts, 0), "rows", rows) &&
            args_index(PyTuple_GET_ITEM(parts, 1), "columns", columns)) ||
           (count == 1 && args_index(PyTuple_GET_ITEM(parts, 0), "columns", columns));
    Py_DECREF(parts);
    return fine;
}

PyObject *
matrix_reshape(METHOD_ARGS)
{
    static const args_spec spec = {"reshape", 2, 1, {"rows", "columns", NULL}};
    PyObject *given[2];
    Py_ssize_t rows, columns, own_rows, own_columns;

    if (!args_take(&spec, args, count, keywords, given) || !shape_given(given[0], given[1], &rows, &columns))
        return NULL;
    shape_of(self, &own_rows, &own_columns);
    return shape_complete(own_rows * own_columns, &rows, &columns) ? reshaped(self, rows, columns) : NULL;
}

PyObject *
matrix_ravel(METHOD_ARGS)
{
    static const args_spec spec = {"ravel", 0, 0, {NULL}};
    Py_ssize_t rows, columns;

    if (!args_take(&spec, args, count, keywords, NULL))
        return NULL;
    shape_of(self, &rows, &columns);
    return reshaped(self, 1, rows * columns);
}

/* ---- transpose ---- */

static void
transpose_in_place(MatrixObject *matrix)
{
    Py_ssize_t rows = matrix->rows, columns = matrix->columns;

    if (matrix->buffer) { /* writable made it the only holder, perhaps of another buffer */
        Py_ssize_t stride = matrix->stride.row_stride;

        matrix->stride.row_stride = matrix->stride.column_stride;
        matrix->stride.column_stride = stride;
    } else {
        double values[MATRIX_INLINE];

        mk_copy((size_t)columns, (size_t)rows, (mk_window){values, rows, 1},
                (mk_window){matrix->inline_values, 1, columns});
        mk_copy(1, (size_t)(rows * columns), (mk_window){matrix->inline_values, 0, 1}, (mk_window){values, 0, 1});
    }
    matrix->rows = columns;
    matrix->columns = rows;
}

/* NumPy's functions hand an order of axes to a method of this name. */
static bool
takes_no_axes(PyObject *in_place)
{
    if (!in_place || !PySequence_Check(in_place))
        return true;
    PyErr_Format(PyExc_TypeError, "transpose(): in_place is true or false, not %s", Py_TYPE(in_place)->tp_name);
    return false;
}

PyObject *
matrix_transpose(METHOD_ARGS)
{
    static const args_spec spec = {"transpose", 1, 0, {"in_place", NULL}};
    MatrixObject *matrix = (MatrixObject *)self;
    PyObject *given[1];
    mk_window window;
    bool in_place;

    if (!args_take(&spec, args, count, keywords, given) || !takes_no_axes(given[0]) ||
        !args_flag(given[0], &in_place) || !matrix_usable(matrix))
        return NULL;
    window = matrix_window(matrix);
    if (!in_place)
        return matrix_copy_window(state_of(self), (mk_window){window.at, window.column_stride, window.row_stride},
                                  matrix->columns, matrix->rows);
    if (!matrix_writable(matrix))
        return NULL;
    if (matrix_is_exported(matrix)) {
        PyErr_Format(PyExc_BufferError,
                     "a matrix of shape (%zd, %zd) that is in use as a buffer cannot change its shape", matrix->rows,
                     matrix->columns);
        return NULL;
    }
    transpose_in_place(matrix);
    return Py_NewRef(self);
}

/* ---- other orders ---- */

static mk_window
window_from(mk_window window, Py_ssize_t row, Py_ssize_t column)
{
    window.at += row * window.row_stride + column * window.column_stride;
    return window;
}

/* Rolls a settled window along one axis into `to`: what leaves at one end comes in at the other. */
static void
roll_axis(mk_window to, const matrix_operand *from, Py_ssize_t shift, int axis)
{
    size_t rows = (size_t)from->rows, columns = (size_t)from->columns;
    Py_ssize_t length = axis == 0 ? from->rows : from->columns, last;

    shift %= length;
    shift += shift < 0 ? length : 0;
    last = length - shift;
    if (axis == 0) {
        mk_copy((size_t)last, columns, window_from(to, shift, 0), from->window);
        mk_copy((size_t)shift, columns, to, window_from(from->window, last, 0));
    } else {
        mk_copy(rows, (size_t)last, window_from(to, 0, shift), from->window);
        mk_copy(rows, (size_t)shift, to, window_from(from->window, 0, last));
    }
}

PyObject *
matrix_roll(METHOD_ARGS)
{
    static const args_spec spec = {"roll", 2, 1, {"shift", "axis", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self};
    PyObject *given[2], *result = NULL;
    Py_ssize_t shift, rows, columns;
    int axis;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "shift", &shift) ||
        !args_axis(given[1], &axis) || !operand_settle(&from))
        return NULL;
    rows = from.rows;
    columns = from.columns;
    if (axis == ARGS_NO_AXIS && rows > 1 && columns > 0) { /* as one row */
        if (from.window.column_stride != 1 || from.window.row_stride != columns) {
            from.made = matrix_copy_window(state, from.window, rows, columns);
            from.source = from.made;
            if (!from.made || !operand_settle(&from))
                goto done;
        }
        from.rows = 1;
        from.columns = rows * columns;
    }
    result = matrix_empty(state, rows, columns);
    if (result && rows > 0 && columns > 0)
        roll_axis((mk_window){((MatrixObject *)result)->data, from.columns, 1}, &from, shift, axis == 0 ? 0 : 1);
done:
    operand_drop(&from);
    return result;
}

PyObject *
matrix_flip(METHOD_ARGS)
{
    static const args_spec spec = {"flip", 1, 0, {"axis", NULL}};
    matrix_operand from = {.source = self};
    PyObject *given[1];
    mk_window window;
    int axis;

    if (!args_take(&spec, args, count, keywords, given) || !args_axis(given[0], &axis) || !operand_settle(&from))
        return NULL;
    window = from.window;
    if (from.rows == 0 || from.columns == 0)
        return matrix_empty(state_of(self), from.rows, from.columns);
    if (axis != 1) {
        window.at += (from.rows - 1) * window.row_stride;
        window.row_stride = -window.row_stride;
    }
    if (axis != 0) {
        window.at += (from.columns - 1) * window.column_stride;
        window.column_stride = -window.column_stride;
    }
    return matrix_copy_window(state_of(self), window, from.rows, from.columns);
}

/* ---- repeats ---- */

/* A matrix of rows * down x columns * across; ValueError where that is too large. */
static PyObject *
empty_times(core_state *state, Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t down, Py_ssize_t across)
{
    Py_ssize_t all_rows, all_columns;

    if (__builtin_mul_overflow(rows, down, &all_rows) || __builtin_mul_overflow(columns, across, &all_columns)) {
        PyErr_Format(PyExc_ValueError,
                     "a matrix of shape (%zd, %zd) repeated %zd times down and %zd across is too "
                     "large to address",
                     rows, columns, down, across);
        return NULL;
    }
    return matrix_empty(state, all_rows, all_columns);
}

PyObject *
matrix_tile_method(METHOD_ARGS)
{
    static const args_spec spec = {"tile", 2, 2, {"rows", "columns", NULL}};
    matrix_operand from = {.source = self};
    PyObject *given[2], *result;
    Py_ssize_t down, across;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "rows", &down) ||
        !args_index(given[1], "columns", &across))
        return NULL;
    if (down < 0 || across < 0) {
        PyErr_Format(PyExc_ValueError, "tile() cannot repeat %zd times down and %zd across", down, across);
        return NULL;
    }
    if (!operand_settle(&from))
        return NULL;
    result = empty_times(state_of(self), from.rows, from.columns, down, across);
    if (result)
        mk_tile((size_t)from.rows, (size_t)from.columns, (size_t)down, (size_t)across, ((MatrixObject *)result)->data,
                from.window);
    return result;
}

PyObject *
matrix_repeat_interleave(METHOD_ARGS)
{
    static const args_spec spec = {"repeat_interleave", 2, 1, {"repeats", "axis", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self};
    PyObject *given[2], *result;
    Py_ssize_t repeats, columns;
    mk_window to;
    int axis;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "repeats", &repeats) ||
        !args_axis(given[1], &axis))
        return NULL;
    if (repeats < 1) {
        PyErr_Format(PyExc_ValueError, "repeat_interleave() takes a positive number of repeats, not %zd", repeats);
        return NULL;
    }
    if (!operand_settle(&from))
        return NULL;
    columns = from.columns;
    if (axis == ARGS_NO_AXIS)
        result = empty_times(state, 1, from.rows * columns, 1, repeats);
    else
        result = empty_times(state, from.rows, columns, axis == 0 ? repeats : 1, axis == 0 ? 1 : repeats);
    if (!result)
        return NULL;
    to = (mk_window){((MatrixObject *)result)->data, columns * repeats, 1};
    if (axis == 0)
        mk_repeat_rows((size_t)from.rows, (size_t)columns, (size_t)repeats, to.at, from.window);
    else
        mk_repeat((size_t)from.rows, (size_t)columns, (size_t)repeats, to, from.window);
    return result;
}

/* ---- diagonal ---- */

PyObject *
matrix_diagonal(METHOD_ARGS)
{
    static const args_spec spec = {"diagonal", 1, 0, {"offset", NULL}};
    matrix_operand from = {.source = self};
    PyObject *given[1];
    Py_ssize_t offset = 0, row, column, length;
    mk_window window;

    if (!args_take(&spec, args, count, keywords, given) || (given[0] && !args_index(given[0], "offset", &offset)) ||
        !operand_settle(&from))
        return NULL;
    row = offset < 0 && offset >= -from.rows ? -offset : offset < 0 ? from.rows : 0;
    column = offset > 0 && offset <= from.columns ? offset : offset > 0 ? from.columns : 0;
    length = from.rows - row < from.columns - column ? from.rows - row : from.columns - column;
    if (!length)
        return matrix_empty(state_of(self), 1, 0);
    window = window_from(from.window, row, column);
    window.column_stride += window.row_stride;
    return matrix_copy_window(state_of(self), window, 1, length);
}
