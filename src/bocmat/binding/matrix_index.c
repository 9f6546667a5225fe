/* Keys: what m[key] selects, reading and writing through it. */
#include "matrix_methods.h"

/* ---- keys ---- */

bool
key_position(Py_ssize_t *index, Py_ssize_t length, const char *axis)
{
    Py_ssize_t at = *index < 0 ? *index + length : *index;

    if (at < 0 || at >= length) {
        PyErr_Format(PyExc_IndexError, "%s index %zd is out of range for %zd", axis, *index, length);
        return false;
    }
    *index = at;
    return true;
}

bool
key_axis(PyObject *key, Py_ssize_t length, const char *axis, axis_key *taken)
{
    taken->single = false;
    if (PyLong_CheckExact(key) || (PyIndex_Check(key) && !PyBool_Check(key))) {
        taken->start = PyNumber_AsSsize_t(key, PyExc_IndexError);
        if (taken->start == -1 && PyErr_Occurred())
            return false;
        taken->step = 1;
        taken->count = 1;
        taken->single = true;
        return key_position(&taken->start, length, axis);
    }
    if (PySlice_Check(key)) {
        Py_ssize_t stop;

        if (PySlice_Unpack(key, &taken->start, &stop, &taken->step) < 0)
            return false;
        taken->count = PySlice_AdjustIndices(length, &taken->start, &stop, taken->step);
        if (!taken->count)
            taken->start = 0; /* a window over nothing still points into the matrix */
        if (taken->count < 2)
            taken->step = 1; /* a step that is never taken may be of any size, and would overflow in products */
        return true;
    }
    if (key == Py_Ellipsis) {
        *taken = (axis_key){0, 1, length, false};
        return true;
    }
    PyErr_Format(PyExc_TypeError, "a matrix is indexed by ints, slices and `...`, not by %s", Py_TYPE(key)->tp_name);
    return false;
}

bool
key_take(PyObject *key, Py_ssize_t rows, Py_ssize_t columns, matrix_key *taken)
{
    PyObject *row = key, *column = Py_Ellipsis;

    taken->rows = rows;
    taken->columns = columns;
    if (PyTuple_Check(key)) {
        Py_ssize_t length = PyTuple_GET_SIZE(key);

        if (length > 2) {
            PyErr_Format(PyExc_IndexError, "a matrix has two axes, and the key has %zd parts", length);
            return false;
        }
        row = length > 0 ? PyTuple_GET_ITEM(key, 0) : Py_Ellipsis;
        column = length > 1 ? PyTuple_GET_ITEM(key, 1) : Py_Ellipsis;
    }
    return key_axis(row, rows, "row", &taken->row) && key_axis(column, columns, "column", &taken->column);
}

/* An int, or an n x 1 matrix indexed by one: the plain case of a vector. */
static inline bool
key_is_element(const matrix_key *key, PyObject *written, Py_ssize_t columns)
{
    return key->row.single && (key->column.single || (columns == 1 && !PyTuple_Check(written)));
}

static bool
key_still_fits(const matrix_key *key, Py_ssize_t rows, Py_ssize_t columns)
{
    if (key->rows == rows && key->columns == columns)
        return true;
    PyErr_SetString(PyExc_RuntimeError, "the matrix was reshaped while its key was read");
    return false;
}

/* ---- reading ---- */

PyObject *
matrix_subscript(PyObject *self, PyObject *key)
{
    MatrixObject *matrix = (MatrixObject *)self;
    Py_ssize_t rows = matrix->rows, columns = matrix->columns;
    matrix_key taken;
    mk_window part;

    if (!key_take(key, rows, columns, &taken) || !matrix_usable(matrix) ||
        !key_still_fits(&taken, matrix->rows, matrix->columns))
        return NULL;
    part = key_window(&taken, matrix_window(matrix));
    if (key_is_element(&taken, key, columns))
        return PyFloat_FromDouble(*part.at);
    return matrix_copy_window(state_of(self), part, taken.row.count, taken.column.count);
}

PyObject *
matrix_item_at(PyObject *self, Py_ssize_t index)
{
    MatrixObject *matrix = (MatrixObject *)self;
    mk_window window;

    if (!matrix_usable(matrix) || !key_position(&index, matrix->rows, "row"))
        return NULL;
    window = matrix_window(matrix);
    window.at += index * window.row_stride;
    if (matrix->columns == 1)
        return PyFloat_FromDouble(*window.at);
    return matrix_copy_window(state_of(self), window, 1, matrix->columns);
}

Py_ssize_t
matrix_length(PyObject *self)
{
    return ((MatrixObject *)self)->rows;
}

/* ---- writing ---- */

/* A value for rows x columns: broadcasts, or is a flat sequence for one column. */
static bool
value_fits(matrix_operand *value, Py_ssize_t rows, Py_ssize_t columns, bool any_orientation)
{
    if ((value->rows == rows || value->rows == 1) && (value->columns == columns || value->columns == 1))
        return true;
    if ((value->flat || any_orientation) && ((value->rows == 1 && value->columns == rows && columns == 1) ||
                                             (value->columns == 1 && value->rows == columns && rows == 1))) {
        value->window = (mk_window){value->window.at, value->window.column_stride, value->window.row_stride};
        value->rows = rows;
        value->columns = columns;
        return true;
    }
    PyErr_Format(PyExc_ValueError, "values of shape (%zd, %zd) do not fit into the part of shape (%zd, %zd)",
                 value->rows, value->columns, rows, columns);
    return false;
}

/* `written` is settled for writing here, after the value has been converted. */
static int
assign_taken(core_state *state, matrix_operand *target, const matrix_key *key, matrix_operand *value)
{
    bool line = is_view(target->source) && ((MatrixViewObject *)target->source)->line != VIEW_BLOCK;
    matrix_operand *both[2] = {target, value};
    matrix_operand part;
    matrix_unlocked unlocked;

    if (!operand_settle_writable(target) || !operand_settle(value) ||
        !key_still_fits(key, target->rows, target->columns) ||
        !value_fits(value, key->row.count, key->column.count, line))
        return -1;
    part = (matrix_operand){.window = key_window(key, target->window),
                            .rows = key->row.count,
                            .columns = key->column.count,
                            .source = target->source};
    if (!value->source) {
        mk_fill((size_t)part.rows, (size_t)part.columns, part.window, value->scalar);
        return 0;
    }
    if (value->window.at == part.window.at && value->rows == part.rows && value->columns == part.columns &&
        value->window.row_stride == part.window.row_stride && value->window.column_stride == part.window.column_stride)
        return 0; /* `m.view[0] += 1` ends with writing a view onto itself */
    if (!operand_detach(state, value, &part) || !value_fits(value, part.rows, part.columns, line))
        return -1;
    matrix_unlock(&unlocked, part.rows * part.columns >= LONG_ELEMENTS, both, 2);
    mk_copy((size_t)part.rows, (size_t)part.columns, part.window, operand_spread(value, part.rows, part.columns));
    matrix_lock(&unlocked);
    return 0;
}

int
matrix_assign(core_state *state, PyObject *target, const matrix_key *key, PyObject *value)
{
    matrix_operand to = {.source = target}, from;
    int status;

    if (!operand_require(state, value, "assignment", &from))
        return -1;
    status = assign_taken(state, &to, key, &from);
    operand_drop(&from);
    return status;
}

int
matrix_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    matrix_key taken;

    if (!value) {
        PyErr_SetString(PyExc_TypeError, "a matrix cannot lose elements");
        return -1;
    }
    if (!key_take(key, ((MatrixObject *)self)->rows, ((MatrixObject *)self)->columns, &taken))
        return -1;
    if (key_is_element(&taken, key, ((MatrixObject *)self)->columns) && PyFloat_CheckExact(value)) {
        if (!matrix_writable((MatrixObject *)self) ||
            !key_still_fits(&taken, ((MatrixObject *)self)->rows, ((MatrixObject *)self)->columns))
            return -1;
        *key_window(&taken, matrix_window((MatrixObject *)self)).at = PyFloat_AS_DOUBLE(value);
        return 0;
    }
    return matrix_assign(state_of(self), self, &taken, value);
}

/* ---- take ---- */

/* The positions in `indices`, a list, tuple, range, or matrix or array of whole numbers. */
static Py_ssize_t *
positions_take(core_state *state, PyObject *indices, Py_ssize_t length, const char *axis, Py_ssize_t *count)
{
    PyObject *fast = NULL;
    Py_ssize_t *positions = NULL;

    (void)state;
    if (is_matrix(indices) || is_view(indices) || PyUnicode_Check(indices) || PyBytes_Check(indices)) {
        PyErr_Format(PyExc_TypeError, "indices are a sequence of ints, not a %s", Py_TYPE(indices)->tp_name);
        return NULL;
    }
    fast = PySequence_Tuple(indices);
    if (!fast)
        return NULL;
    *count = PyTuple_GET_SIZE(fast);
    positions = PyMem_Malloc((size_t)(*count + 1) * sizeof *positions);
    if (!positions)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; positions && i < *count; i++)
        if (!args_index(PyTuple_GET_ITEM(fast, i), "an index", positions + i) ||
            !key_position(positions + i, length, axis)) {
            PyMem_Free(positions);
            positions = NULL;
        }
    Py_DECREF(fast);
    return positions;
}

PyObject *
matrix_take(METHOD_ARGS)
{
    static const args_spec spec = {"take", 2, 1, {"indices", "axis", "out", NULL}};
    core_state *state = state_of(self);
    PyObject *given[3];
    Py_ssize_t rows, columns, length, *positions = NULL;
    matrix_operand from = {.source = self}, *operands[1] = {&from};
    matrix_result result;
    mk_window to;
    int axis;

    if (!args_take(&spec, args, count, keywords, given) || !args_axis(given[1], &axis) ||
        !result_take(state, given[2], &result))
        return NULL;
    if (axis == ARGS_NO_AXIS)
        axis = 0;
    shape_of(self, &rows, &columns);
    positions = positions_take(state, given[0], axis == 0 ? rows : columns, axis == 0 ? "row" : "column", &length);
    if (!positions)
        return NULL;
    if (!operand_settle(&from))
        goto done;
    if (from.rows != rows || from.columns != columns) {
        PyErr_SetString(PyExc_RuntimeError, "the matrix was reshaped while its indices were read");
        goto done;
    }
    if (!result_settle(state, "take()", &result, axis == 0 ? length : rows, axis == 0 ? columns : length, operands, 1))
        goto done;
    to = result.target.window;
    if (to.at == from.window.at && rows && columns) { /* onto itself, in another order */
        PyObject *copy = matrix_copy_window(state, from.window, rows, columns);

        if (!copy) {
            Py_CLEAR(result.object);
            goto done;
        }
        from.made = from.source = copy;
        (void)operand_settle(&from);
    }
    for (Py_ssize_t i = 0; i < length; i++) {
        mk_window part = from.window;

        part.at += positions[i] * (axis == 0 ? part.row_stride : part.column_stride);
        mk_copy(axis == 0 ? 1 : (size_t)rows, axis == 0 ? (size_t)columns : 1, to, part);
        to.at += axis == 0 ? to.row_stride : to.column_stride;
    }
done:
    operand_drop(&from);
    PyMem_Free(positions);
    return result.object;
}
