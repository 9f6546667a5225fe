/* Scattering: m[key] = value with lists and masks, put(), put_along_axis(). */
#include "matrix_methods.h"
#include "matrix_pick.h"

static mk_window
turned(mk_window window)
{
    return (mk_window){window.at, window.column_stride, window.row_stride};
}

/* The values of a vector, or of anything read row by row, side by side. */
static const double *
values_side_by_side(core_state *state, matrix_operand *value)
{
    bool row = value->rows == 1 && value->window.column_stride == 1;
    bool column = value->columns == 1 && value->window.row_stride == 1;
    PyObject *copy;

    if (row || column)
        return value->window.at;
    copy = matrix_copy_window(state, value->window, value->rows, value->columns);
    if (!copy)
        return NULL;
    Py_XSETREF(value->made, copy);
    value->source = copy;
    return operand_settle(value) ? value->window.at : NULL;
}

static int
mask_write(core_state *state, matrix_operand *target, matrix_picks *picks, matrix_operand *value)
{
    matrix_operand *operands[3] = {target, &picks->mask, value};
    size_t rows = (size_t)target->rows, columns = (size_t)target->columns;
    const double *values = NULL;
    double number = 0.0;
    matrix_unlocked unlocked;
    bool one = value->rows * value->columns == 1;

    if (!operand_detach(state, &picks->mask, target))
        return -1;
    if (one)
        number = *value->window.at;
    else if (!(values = values_side_by_side(state, value)))
        return -1;
    matrix_unlock(&unlocked, target->rows * target->columns >= LONG_ELEMENTS, operands, 3);
    if (one)
        mk_where(rows, columns, target->window, picks->mask.window, (mk_window){&number, 0, 0}, target->window);
    else
        mk_expand(rows, columns, target->window, picks->mask.window, values, (size_t)picks->columns);
    matrix_lock(&unlocked);
    return 0;
}

static int
picks_write_settled(core_state *state, matrix_operand *target, matrix_picks *picks, matrix_operand *value, bool add)
{
    matrix_operand *operands[2] = {target, value};
    bool any_orientation = picks->kind == PICK_MASK || (picks->kind == PICK_PAIRS && picks->rows == 1) ||
                           (is_view(target->source) && ((MatrixViewObject *)target->source)->line != VIEW_BLOCK);
    size_t rows, columns;
    matrix_unlocked unlocked;
    mk_window from;

    if (!operand_settle_writable(target) || !picks_settle(state, picks, target) || !operand_settle(value) ||
        !value_fits(value, picks->rows, picks->columns, any_orientation) ||
        !operand_detach_moved(state, value, target) || !value_fits(value, picks->rows, picks->columns, any_orientation))
        return -1;
    if (picks->kind == PICK_MASK)
        return mask_write(state, target, picks, value);
    rows = (size_t)picks->rows;
    columns = (size_t)picks->columns;
    from = operand_spread(value, picks->rows, picks->columns);
    matrix_unlock(&unlocked, picks->rows * picks->columns >= LONG_ELEMENTS, operands, 2);
    if (picks->kind == PICK_ROWS)
        mk_scatter_rows(rows, columns, key_window(&picks->key, target->window), from, picks->row.at, add);
    else if (picks->kind == PICK_COLUMNS)
        mk_scatter_rows(columns, rows, turned(key_window(&picks->key, target->window)), turned(from), picks->column.at,
                        add);
    else
        mk_place(rows, columns, target->window.at, from, picks->offsets, add);
    matrix_lock(&unlocked);
    return 0;
}

int
picks_write(core_state *state, PyObject *target, matrix_picks *picks, PyObject *value, bool add)
{
    matrix_operand to = {.source = target}, from;
    int status;

    if (!operand_require(state, value, "assignment", &from))
        return -1;
    status = picks_write_settled(state, &to, picks, &from, add);
    operand_drop(&from);
    return status;
}

/* ---- put ---- */

typedef bool pick_function(core_state *state, PyObject *indices, int axis, Py_ssize_t rows, Py_ssize_t columns,
                           matrix_picks *picks);

static PyObject *
put_through(METHOD_ARGS, const args_spec *spec, pick_function *pick)
{
    core_state *state = state_of(self);
    PyObject *given[4];
    Py_ssize_t rows, columns;
    matrix_picks picks;
    int axis = 0, status = -1;
    bool add;

    if (!args_take(spec, args, count, keywords, given) || (given[2] && !args_axis(given[2], &axis)) ||
        !args_flag(given[3], &add))
        return NULL;
    shape_of(self, &rows, &columns);
    if (pick(state, given[0], axis, rows, columns, &picks))
        status = picks_write(state, self, &picks, given[1], add);
    picks_drop(&picks);
    return status < 0 ? NULL : Py_NewRef(self);
}

PyObject *
matrix_put(METHOD_ARGS)
{
    static const args_spec spec = {"put", 4, 2, {"indices", "values", "axis", "accumulate", NULL}};

    return put_through(self, args, count, keywords, &spec, picks_take_axis);
}

PyObject *
matrix_put_along_axis(METHOD_ARGS)
{
    static const args_spec spec = {"put_along_axis", 4, 2, {"indices", "values", "axis", "accumulate", NULL}};

    return put_through(self, args, count, keywords, &spec, picks_take_along);
}
