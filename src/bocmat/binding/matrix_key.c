/* Keys: what m[key] selects.
 *
 *   a part of a key                          along its axis
 *   int, slice, `...`                        a window
 *   list, tuple, range, array of ints        positions
 *   list or array of booleans                those that are true
 *   Matrix, MatrixView, array of doubles     by its shape: of the axis's own (rows x 1, 1 x columns) a mask, as
 *                                            comparing a column or a row gives it; any other vector positions
 *
 * Alone, booleans or a Matrix of the matrix's own shape are a mask of its elements. Two parts that are no windows are
 * pairs and broadcast. What could be meant either way raises.
 */
#include "matrix_pick.h"

/* ---- windows ---- */

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
    PyErr_Format(PyExc_TypeError, "a matrix is indexed by ints, slices, `...`, lists and masks, not by %s",
                 Py_TYPE(key)->tp_name);
    return false;
}

/* The parts of a key for rows and columns, `...` where there is none; borrowed. */
static bool
key_split(PyObject *key, PyObject **row, PyObject **column)
{
    Py_ssize_t length, kept = 0;
    PyObject *parts[2] = {Py_Ellipsis, Py_Ellipsis};

    if (!PyTuple_Check(key)) {
        *row = key;
        *column = Py_Ellipsis;
        return true;
    }
    length = PyTuple_GET_SIZE(key);
    for (Py_ssize_t i = 0; i < length; i++) {
        PyObject *part = PyTuple_GET_ITEM(key, i);

        if (part == Py_Ellipsis && length == 3) /* between or beside two others it stands for nothing */
            continue;
        if (kept == 2) {
            PyErr_Format(PyExc_IndexError, "a matrix has two axes, and the key has %zd parts", length);
            return false;
        }
        parts[kept++] = part;
    }
    *row = parts[0];
    *column = parts[1];
    return true;
}

bool
key_take(PyObject *key, Py_ssize_t rows, Py_ssize_t columns, matrix_key *taken)
{
    PyObject *row, *column;

    taken->rows = rows;
    taken->columns = columns;
    return key_split(key, &row, &column) && key_axis(row, rows, "row", &taken->row) &&
           key_axis(column, columns, "column", &taken->column);
}

bool
key_still_fits(const matrix_key *key, Py_ssize_t rows, Py_ssize_t columns)
{
    if (key->rows == rows && key->columns == columns)
        return true;
    PyErr_Format(PyExc_RuntimeError, "the matrix was reshaped while its key was read, from (%zd, %zd) to (%zd, %zd)",
                 key->rows, key->columns, rows, columns);
    return false;
}

/* ---- picks ---- */

bool
picks_asked(PyObject *key)
{
    if (!PyTuple_Check(key))
        return part_is_list(key);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); i++)
        if (part_is_list(PyTuple_GET_ITEM(key, i)))
            return true;
    return false;
}

void
picks_clear(matrix_picks *picks, Py_ssize_t rows, Py_ssize_t columns)
{
    picks->key = (matrix_key){{0, 1, rows, false}, {0, 1, columns, false}, rows, columns};
    list_clear(&picks->row);
    list_clear(&picks->column);
    picks->mask = (matrix_operand){.source = NULL};
    picks->offsets = NULL;
    picks->offset_memory = NULL;
}

void
picks_drop(matrix_picks *picks)
{
    list_drop(&picks->row);
    list_drop(&picks->column);
    operand_drop(&picks->mask);
    if (picks->offset_memory)
        buffer_drop(picks->offset_memory);
    picks->offset_memory = NULL;
}

bool
picks_pair(matrix_picks *picks)
{
    const pick_list *row = &picks->row, *column = &picks->column;

    picks->kind = PICK_PAIRS;
    if (!shape_join(row->rows, column->rows, &picks->rows) ||
        !shape_join(row->columns, column->columns, &picks->columns)) {
        PyErr_Format(PyExc_IndexError, "positions of shapes (%zd, %zd) and (%zd, %zd) do not fit together", row->rows,
                     row->columns, column->rows, column->columns);
        return false;
    }
    return true;
}

/* A mask of elements, if the key is one list that is one. */
static bool
list_is_mask(const pick_list *list, Py_ssize_t rows, Py_ssize_t columns)
{
    return !list->flat && list->values && list->kind != LIST_POSITIONS &&
           (list->kind == LIST_TRUTHS || (list->rows == rows && list->columns == columns));
}

static bool
picks_mask(pick_list *list, Py_ssize_t rows, Py_ssize_t columns, matrix_picks *picks)
{
    if (list->rows != rows || list->columns != columns) {
        PyErr_Format(PyExc_IndexError, "a mask of shape (%zd, %zd) does not fit a matrix of shape (%zd, %zd)",
                     list->rows, list->columns, rows, columns);
        return false;
    }
    picks->kind = PICK_MASK;
    picks->mask.source = picks->mask.made = list->values;
    list->values = NULL;
    picks->rows = 1;
    return true;
}

/* One list, the other axis a window. */
static bool
picks_one(matrix_picks *picks, int axis)
{
    pick_list *list = axis == 0 ? &picks->row : &picks->column;
    const axis_key *other = axis == 0 ? &picks->key.column : &picks->key.row;
    Py_ssize_t length = axis == 0 ? picks->key.rows : picks->key.columns;
    const char *name = axis == 0 ? "row" : "column";

    if (!list_decide(list, axis, picks->key.rows, picks->key.columns))
        return false;
    if (other->single && list->rows > 1 && list->columns > 1 && list->kind == LIST_POSITIONS) {
        *(axis == 0 ? picks->column.few : picks->row.few) = other->start; /* an int broadcasts */
        return list_positions(list, length, name) && picks_pair(picks);
    }
    if (!list_along(list, length, name))
        return false;
    picks->kind = axis == 0 ? PICK_ROWS : PICK_COLUMNS;
    picks->rows = axis == 0 ? list_count(list) : other->count;
    picks->columns = axis == 0 ? other->count : list_count(list);
    return true;
}

bool
picks_take(core_state *state, PyObject *key, Py_ssize_t rows, Py_ssize_t columns, matrix_picks *picks)
{
    PyObject *row, *column;
    bool by_row, by_column;

    picks_clear(picks, rows, columns);
    if (!key_split(key, &row, &column))
        return false;
    by_row = part_is_list(row);
    by_column = part_is_list(column);
    if (by_row ? !list_read(state, row, &picks->row) : !key_axis(row, rows, "row", &picks->key.row))
        return false;
    if (by_column ? !list_read(state, column, &picks->column)
                  : !key_axis(column, columns, "column", &picks->key.column))
        return false;
    if (column == Py_Ellipsis && list_is_mask(&picks->row, rows, columns))
        return picks_mask(&picks->row, rows, columns, picks);
    if (row == Py_Ellipsis && list_is_mask(&picks->column, rows, columns))
        return picks_mask(&picks->column, rows, columns, picks);
    if (!by_column || !by_row)
        return picks_one(picks, by_row ? 0 : 1);
    return list_decide(&picks->row, 0, rows, columns) && list_decide(&picks->column, 1, rows, columns) &&
           list_positions(&picks->row, rows, "row") && list_positions(&picks->column, columns, "column") &&
           picks_pair(picks);
}

bool
picks_take_line(core_state *state, PyObject *part, int axis, Py_ssize_t rows, Py_ssize_t columns, matrix_picks *picks)
{
    pick_list *list = axis == 0 ? &picks->row : &picks->column;

    picks_clear(picks, rows, columns);
    if (!list_read(state, part, list))
        return false;
    if (list_is_mask(list, rows, columns))
        return picks_mask(list, rows, columns, picks);
    return picks_one(picks, axis);
}

/* ---- settling ---- */

static mk_positions
list_table(const pick_list *list, Py_ssize_t stride)
{
    return (mk_positions){list->at, list->rows > 1 ? list->columns : 0, list->columns > 1, stride};
}

/* Where the pairs lie in the window. */
static bool
pairs_settle(matrix_picks *picks, mk_window window)
{
    Py_ssize_t count = picks->rows * picks->columns;

    if (!matrix_shape_fits(picks->rows, picks->columns))
        return false;
    if (list_count(&picks->row) == count) {
        picks->offsets = picks->row.at; /* written where they were read, element by element */
    } else if (list_count(&picks->column) == count) {
        picks->offsets = picks->column.at;
    } else {
        picks->offset_memory = buffer_new((size_t)count);
        if (!picks->offset_memory) {
            PyErr_NoMemory();
            return false;
        }
        picks->offsets = (ptrdiff_t *)(void *)picks->offset_memory->values;
    }
    mk_offsets((size_t)picks->rows, (size_t)picks->columns, picks->offsets, list_table(&picks->row, window.row_stride),
               list_table(&picks->column, window.column_stride));
    return true;
}

static bool
mask_settle(core_state *state, matrix_picks *picks)
{
    matrix_operand *mask = &picks->mask;
    bool valid;

    if (!operand_settle(mask) || !key_still_fits(&picks->key, mask->rows, mask->columns))
        return false;
    if (mask->window.column_stride != 1) {
        PyObject *copy = matrix_copy_window(state, mask->window, mask->rows, mask->columns);

        if (!copy)
            return false;
        Py_XSETREF(mask->made, copy);
        mask->source = copy;
        if (!operand_settle(mask))
            return false;
    }
    picks->columns = (Py_ssize_t)mk_mask_count((size_t)mask->rows, (size_t)mask->columns, mask->window, &valid);
    if (!valid)
        PyErr_Format(PyExc_ValueError,
                     "a key of the matrix's own shape (%zd, %zd) is a mask of 0 and 1, and this one holds other "
                     "values; positions are picked by a list, or by take()",
                     mask->rows, mask->columns);
    return valid;
}

bool
picks_settle(core_state *state, matrix_picks *picks, const matrix_operand *matrix)
{
    if (!key_still_fits(&picks->key, matrix->rows, matrix->columns))
        return false;
    if (picks->kind == PICK_PAIRS)
        return pairs_settle(picks, matrix->window);
    return picks->kind != PICK_MASK || mask_settle(state, picks);
}
