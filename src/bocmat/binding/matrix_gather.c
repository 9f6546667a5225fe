/* Gathering: m[key] with lists and masks, take(), take_along_axis(). */
#include "matrix_methods.h"
#include "matrix_pick.h"

bool
operand_detach_moved(core_state *state, matrix_operand *operand, const matrix_operand *out)
{
    matrix_operand turned = *out;

    /* Operands in the same order are left as they are; none is in the same order as one that lies elsewhere. */
    if (operand->window.at != out->window.at)
        return operand_detach(state, operand, out);
    if (!operand->source || operand->rows * operand->columns == 0 || out->rows * out->columns == 0)
        return true;
    turned.made = matrix_copy_window(state, operand->window, operand->rows, operand->columns);
    if (!turned.made)
        return false;
    Py_XSETREF(operand->made, turned.made);
    operand->source = turned.made;
    return operand_settle(operand);
}

static mk_window
turned(mk_window window)
{
    return (mk_window){window.at, window.column_stride, window.row_stride};
}

static void
picks_copy(const matrix_picks *picks, mk_window to, mk_window from)
{
    size_t rows = (size_t)picks->rows, columns = (size_t)picks->columns;
    matrix_key key = picks->key;

    switch (picks->kind) {
    case PICK_ROWS:
        mk_gather_rows(rows, columns, to, key_window(&key, from), picks->row.at);
        break;
    case PICK_COLUMNS:
        mk_gather_rows(columns, rows, turned(to), turned(key_window(&key, from)), picks->column.at);
        break;
    case PICK_MASK:
        mk_compress((size_t)key.rows, (size_t)key.columns, to.at, columns, from, picks->mask.window);
        break;
    case PICK_PAIRS:
    default:
        mk_pick(rows * columns, to.at, from.at, picks->offsets);
        break;
    }
}

/* Masks and pairs are read into consecutive elements; other results are copied into their place afterwards. */
static PyObject *
read_aside(core_state *state, const matrix_picks *picks, matrix_operand *from, matrix_result *result)
{
    PyObject *aside = matrix_empty(state, picks->rows, picks->columns);
    mk_window window;

    if (!aside)
        return NULL;
    window = matrix_window((MatrixObject *)aside);
    picks_copy(picks, window, from->window);
    mk_copy((size_t)picks->rows, (size_t)picks->columns, result->target.window, window);
    Py_DECREF(aside);
    return result->object;
}

static PyObject *
picks_read_settled(core_state *state, const char *what, matrix_picks *picks, matrix_operand *from,
                   matrix_result *result)
{
    matrix_operand *operands[3] = {from, &result->target, &picks->mask};
    Py_ssize_t row_stride;
    matrix_unlocked unlocked;
    bool given = result->target.source != NULL;

    if (picks->kind == PICK_MASK && from->window.column_stride != 1) {
        from->made = matrix_copy_window(state, from->window, from->rows, from->columns);
        from->source = from->made;
        if (!from->made || !operand_settle(from))
            return NULL;
    }
    if (picks->kind == PICK_MASK && !picks_settle(state, picks, from))
        return NULL;
    if (!result_settle(state, what, result, picks->rows, picks->columns, operands, 1) ||
        (given && !operand_detach_moved(state, from, &result->target)) ||
        (picks->kind != PICK_MASK && !picks_settle(state, picks, from)))
        return NULL;
    row_stride = result->target.window.row_stride;
    if (given && picks->kind == PICK_PAIRS &&
        (result->target.window.column_stride != 1 || row_stride != picks->columns))
        return read_aside(state, picks, from, result);
    matrix_unlock(&unlocked, picks->rows * picks->columns >= LONG_ELEMENTS, operands, 3);
    picks_copy(picks, result->target.window, from->window);
    matrix_lock(&unlocked);
    return result->object;
}

PyObject *
picks_read(core_state *state, const char *what, PyObject *self, matrix_picks *picks, matrix_result *result)
{
    matrix_operand from = {.source = self};
    PyObject *answer = NULL;

    if (operand_settle(&from) && key_still_fits(&picks->key, from.rows, from.columns))
        answer = picks_read_settled(state, what, picks, &from, result);
    if (!answer)
        Py_CLEAR(result->object);
    operand_drop(&from);
    return answer;
}

/* ---- take ---- */

/* The axis that a gathering method works along: 0 unless given, ARGS_NO_AXIS for None. */
static bool
axis_or_first(PyObject *given, int *axis)
{
    *axis = 0;
    return !given || args_axis(given, axis);
}

bool
picks_take_axis(core_state *state, PyObject *indices, int axis, Py_ssize_t rows, Py_ssize_t columns,
                matrix_picks *picks)
{
    pick_list *list = axis == 1 ? &picks->column : &picks->row;
    Py_ssize_t count;

    picks_clear(picks, rows, columns);
    if (!list_take(state, indices,
                   axis == ARGS_NO_AXIS ? rows * columns
                   : axis == 0          ? rows
                                        : columns,
                   axis == ARGS_NO_AXIS ? "flat"
                   : axis == 0          ? "row"
                                        : "column",
                   list))
        return false;
    count = list_count(list);
    if (axis != ARGS_NO_AXIS) {
        if (list->rows != 1 && list->columns != 1) {
            PyErr_Format(PyExc_ValueError, "indices of shape (%zd, %zd) are not one row or column of positions",
                         list->rows, list->columns);
            return false;
        }
        picks->kind = axis == 0 ? PICK_ROWS : PICK_COLUMNS;
        picks->rows = axis == 0 ? count : rows;
        picks->columns = axis == 0 ? columns : count;
        return true;
    }
    if (!list_room(&picks->column, count))
        return false;
    for (Py_ssize_t i = 0; i < count; i++) {
        picks->column.at[i] = list->at[i] % columns;
        list->at[i] /= columns;
    }
    picks->column.rows = list->rows;
    picks->column.columns = list->columns;
    return picks_pair(picks);
}

/* take() and take_along_axis() differ in what their indices mean. */
typedef bool picks_taker(core_state *state, PyObject *indices, int axis, Py_ssize_t rows, Py_ssize_t columns,
                         matrix_picks *picks);

static PyObject *
take_by(picks_taker *taker, const char *what, const args_spec *spec, METHOD_ARGS)
{
    core_state *state = state_of(self);
    PyObject *given[3], *answer = NULL;
    Py_ssize_t rows, columns;
    matrix_result result;
    matrix_picks picks;
    int axis;

    if (!args_take(spec, args, count, keywords, given) || !axis_or_first(given[1], &axis) ||
        !result_take(state, given[2], &result))
        return NULL;
    shape_of(self, &rows, &columns);
    if (taker(state, given[0], axis, rows, columns, &picks))
        answer = picks_read(state, what, self, &picks, &result);
    picks_drop(&picks);
    return answer;
}

PyObject *
matrix_take(METHOD_ARGS)
{
    static const args_spec spec = {"take", 2, 1, {"indices", "axis", "out", NULL}};

    return take_by(picks_take_axis, "take()", &spec, self, args, count, keywords);
}

/* ---- take_along_axis ---- */

/* The other axis of each index: a row of 0, 1, 2, ... or a column of them. */
static bool
list_count_up(pick_list *list, Py_ssize_t count, int axis)
{
    if (!list_room(list, count))
        return false;
    for (Py_ssize_t i = 0; i < count; i++)
        list->at[i] = i;
    list->rows = axis == 0 ? 1 : count;
    list->columns = axis == 0 ? count : 1;
    return true;
}

bool
picks_take_along(core_state *state, PyObject *indices, int axis, Py_ssize_t rows, Py_ssize_t columns,
                 matrix_picks *picks)
{
    pick_list *list = axis == 0 ? &picks->row : &picks->column;
    Py_ssize_t length = axis == 0 ? columns : rows;

    if (axis == ARGS_NO_AXIS)
        return picks_take_axis(state, indices, axis, rows, columns, picks);
    picks_clear(picks, rows, columns);
    if (!list_take(state, indices, axis == 0 ? rows : columns, axis == 0 ? "row" : "column", list))
        return false;
    if (list->flat) { /* one position for each line */
        list->rows = axis == 0 ? 1 : list->columns;
        list->columns = axis == 0 ? list->columns : 1;
    }
    if ((axis == 0 ? list->columns : list->rows) != length &&
        (list->flat || (axis == 0 ? list->columns : list->rows) != 1)) {
        PyErr_Format(PyExc_ValueError, "indices of shape (%zd, %zd) along axis %d do not fit a matrix of (%zd, %zd)",
                     list->rows, list->columns, axis, rows, columns);
        return false;
    }
    return list_count_up(axis == 0 ? &picks->column : &picks->row, length, axis) && picks_pair(picks);
}

PyObject *
matrix_take_along_axis(METHOD_ARGS)
{
    static const args_spec spec = {"take_along_axis", 2, 1, {"indices", "axis", "out", NULL}};

    return take_by(picks_take_along, "take_along_axis()", &spec, self, args, count, keywords);
}
