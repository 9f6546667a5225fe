/* Sorting: sort, argsort, topk, unique. */
#include "matrix_order.h"

#include <math.h>

/* An axis that is the last one where none is given, and none where None is. */
static bool
take_axis_or_last(PyObject *value, int *axis)
{
    *axis = 1;
    return !value || args_axis(value, axis);
}

/* A row as a window of rows of so many elements, one after another. */
static mk_window
folded(mk_window row, Py_ssize_t columns)
{
    return (mk_window){row.at, columns * row.column_stride, row.column_stride};
}

/* ---- sort, argsort ---- */

static PyObject *
sort_compute(core_state *state, int axis, bool descending, matrix_operand *from, matrix_result *result)
{
    matrix_operand *operands[2] = {from, &result->target};
    bool flat = axis == ARGS_NO_AXIS;
    size_t rows, columns;
    matrix_unlocked unlocked;
    scratch_room scratch;
    mk_window in, out;

    if (!operand_settle(from) || !result_settle(state, "sort()", result, flat ? 1 : from->rows,
                                                flat ? from->rows * from->columns : from->columns, operands, 1)) {
        Py_CLEAR(result->object);
        return NULL;
    }
    rows = flat ? 1 : (size_t)from->rows;
    columns = (size_t)(flat ? from->rows * from->columns : from->columns);
    out = result->target.window;
    in = flat ? out : from->window;
    if (!scratch_take(&scratch, mk_sort_scratch(flat ? 1 : axis, rows, columns, out, in))) {
        Py_CLEAR(result->object);
        return NULL;
    }
    matrix_unlock(&unlocked, rows * columns >= LONG_SORT, operands, 2);
    if (flat && out.at != from->window.at)
        mk_copy((size_t)from->rows, (size_t)from->columns, folded(out, from->columns), from->window);
    mk_sort(flat ? 1 : axis, rows, columns, out, in, descending, scratch.at);
    matrix_lock(&unlocked);
    scratch_drop(&scratch);
    return result->object;
}

PyObject *
matrix_sort(METHOD_ARGS)
{
    static const args_spec spec = {"sort", 1, 0, {"axis", "descending", "in_place", "out", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self};
    matrix_result result = {.object = NULL};
    PyObject *given[4], *answer;
    bool descending = false;
    int axis = 1;

    if ((count || keywords) &&
        (!args_take(&spec, args, count, keywords, given) || !take_axis_or_last(given[0], &axis) ||
         !args_flag(given[1], &descending) || !target_take(state, self, "sort()", given[2], given[3], &result)))
        return NULL;
    answer = sort_compute(state, axis, descending, &from, &result);
    operand_drop(&from);
    return answer;
}

/* All elements as one run in the order of their rows, in scratch, which then becomes positions. */
static void
argsort_flat(const matrix_operand *from, mk_window out, bool descending, double *scratch)
{
    size_t rows = (size_t)from->rows, columns = (size_t)from->columns, n = rows * columns;
    double *positions = out.column_stride == 1 ? out.at : scratch + n;
    mk_window keys = {scratch, from->columns, 1};

    if (descending)
        mk_unary(MK_UNARY_negate, rows, columns, keys, from->window);
    else
        mk_copy(rows, columns, keys, from->window);
    mk_sort_along(n, scratch, positions);
    if (positions != out.at)
        mk_copy(1, n, out, row_of(positions));
}

static PyObject *
argsort_compute(core_state *state, int axis, bool descending, matrix_operand *from, matrix_result *result)
{
    matrix_operand *operands[2] = {from, &result->target};
    bool flat = axis == ARGS_NO_AXIS;
    Py_ssize_t size;
    size_t rows, columns, room;
    matrix_unlocked unlocked;
    scratch_room scratch;

    if (!operand_settle(from))
        return NULL;
    size = from->rows * from->columns;
    if (!result_settle(state, "argsort()", result, flat ? 1 : from->rows, flat ? size : from->columns, operands, 1)) {
        Py_CLEAR(result->object);
        return NULL;
    }
    rows = (size_t)from->rows;
    columns = (size_t)from->columns;
    room = flat ? 2 * rows * columns : mk_argsort_scratch(axis, rows, columns, result->target.window, from->window);
    if (flat && result->target.window.column_stride == 1)
        room = rows * columns;
    if (!scratch_take(&scratch, room)) {
        Py_CLEAR(result->object);
        return NULL;
    }
    matrix_unlock(&unlocked, rows * columns >= LONG_SORT, operands, 2);
    if (flat)
        argsort_flat(from, result->target.window, descending, scratch.at);
    else
        mk_argsort(axis, rows, columns, result->target.window, from->window, descending, scratch.at);
    matrix_lock(&unlocked);
    scratch_drop(&scratch);
    return result->object;
}

PyObject *
matrix_argsort(METHOD_ARGS)
{
    static const args_spec spec = {"argsort", 1, 0, {"axis", "descending", "out", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self};
    matrix_result result = {.object = NULL};
    PyObject *given[3], *answer;
    bool descending = false;
    int axis = 1;

    if ((count || keywords) &&
        (!args_take(&spec, args, count, keywords, given) || !take_axis_or_last(given[0], &axis) ||
         !args_flag(given[1], &descending) || !result_take(state, given[2], &result)))
        return NULL;
    answer = argsort_compute(state, axis, descending, &from, &result);
    operand_drop(&from);
    return answer;
}

/* ---- topk ---- */

/* An operand's elements as one row, copied if no single step leads through them in the order of their rows. */
static bool
operand_flatten(core_state *state, matrix_operand *operand)
{
    Py_ssize_t rows = operand->rows, columns = operand->columns;

    if (rows > 1 && columns > 1 && operand->window.row_stride != columns * operand->window.column_stride) {
        PyObject *copy = matrix_copy_window(state, operand->window, rows, columns);

        if (!copy)
            return false;
        Py_XSETREF(operand->made, copy);
        operand->source = copy;
        if (!operand_settle(operand))
            return false;
    }
    operand->window =
        (mk_window){operand->window.at, 0, columns == 1 ? operand->window.row_stride : operand->window.column_stride};
    operand->rows = 1;
    operand->columns = rows * columns;
    return true;
}

/* The mask, spread over the elements that it speaks about; as a row if those are taken as one. */
static bool
mask_settle(core_state *state, matrix_operand *mask, const matrix_operand *from, bool flat)
{
    matrix_operand *both[2] = {(matrix_operand *)from, mask};
    Py_ssize_t rows, columns;

    if (!operand_settle(mask) || !operands_broadcast("topk(where=)", both, 2, &rows, &columns))
        return false;
    if (rows != from->rows || columns != from->columns) {
        PyErr_Format(PyExc_ValueError, "topk(): a mask of shape (%zd, %zd) for a matrix of shape (%zd, %zd)",
                     mask->rows, mask->columns, from->rows, from->columns);
        return false;
    }
    mask->window = operand_spread(mask, rows, columns);
    mask->rows = rows;
    mask->columns = columns;
    return !flat || operand_flatten(state, mask);
}

/* Positions, k of each line, as a list, or a list of lists. */
static PyObject *
positions_listed(mk_window positions, Py_ssize_t lines, Py_ssize_t k, bool flat)
{
    PyObject *list = PyList_New(flat ? k : lines);

    if (flat) {
        for (Py_ssize_t j = 0; list && j < k; j++) {
            PyObject *position = PyLong_FromDouble(positions.at[j * positions.column_stride]);

            if (!position)
                Py_CLEAR(list);
            else
                PyList_SET_ITEM(list, j, position);
        }
        return list;
    }
    for (Py_ssize_t i = 0; list && i < lines; i++) {
        PyObject *line = positions_listed(positions, 1, k, true);

        positions.at += positions.row_stride;
        if (!line)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, line);
    }
    return list;
}

/* What has been asked for. */
typedef struct {
    Py_ssize_t k;
    int axis;
    bool largest, as_matrix;
} topk_wish;

/* Both results exist; fills them. False for want of memory. */
static bool
topk_fill(const topk_wish *wish, matrix_operand *from, matrix_operand *mask, mk_window values, mk_window positions)
{
    matrix_operand *operands[2] = {from, mask};
    int axis = wish->axis == ARGS_NO_AXIS ? 1 : wish->axis;
    size_t rows = (size_t)from->rows, columns = (size_t)from->columns, k = (size_t)wish->k;
    matrix_unlocked unlocked;
    scratch_room scratch;

    if (!scratch_take(&scratch, mk_first_scratch(axis, rows, columns, from->window, k)))
        return false;
    matrix_unlock(&unlocked, rows * columns >= LONG_SORT, operands, mask ? 2 : 1);
    mk_first(axis, rows, columns, values, positions, from->window, mask ? &mask->window : NULL, k, wish->largest,
             scratch.at);
    matrix_lock(&unlocked);
    scratch_drop(&scratch);
    return true;
}

/* `from` is settled. */
static PyObject *
topk_compute(core_state *state, const topk_wish *wish, matrix_operand *from, matrix_operand *mask)
{
    bool flat = wish->axis == ARGS_NO_AXIS, down = wish->axis == 0;
    PyObject *values = NULL, *positions = NULL, *answer = NULL;
    Py_ssize_t length;

    if ((mask && !mask_settle(state, mask, from, flat)) || (flat && !operand_flatten(state, from)))
        return NULL;
    length = down ? from->rows : from->columns;
    if (wish->k < 1 || wish->k > length) {
        PyErr_Format(PyExc_ValueError, "topk() of %zd elements gives 1 to %zd of them, not %zd", length, length,
                     wish->k);
        return NULL;
    }
    values = matrix_empty(state, down ? wish->k : from->rows, down ? from->columns : wish->k);
    positions = matrix_empty(state, down ? wish->k : from->rows, down ? from->columns : wish->k);
    if (values && positions) {
        mk_window at = matrix_window((MatrixObject *)positions);

        if (!topk_fill(wish, from, mask, matrix_window((MatrixObject *)values), at))
            goto done;
        if (!wish->as_matrix) {
            if (down)
                at = (mk_window){at.at, at.column_stride, at.row_stride};
            Py_XSETREF(positions, positions_listed(at, down ? from->columns : from->rows, wish->k, flat));
        }
        if (positions)
            answer = PyTuple_Pack(2, values, positions);
    }
done:
    Py_XDECREF(values);
    Py_XDECREF(positions);
    return answer;
}

PyObject *
matrix_topk(METHOD_ARGS)
{
    static const args_spec spec = {"topk", 5, 1, {"k", "axis", "largest", "where", "as_matrix", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self}, mask = {.source = NULL};
    topk_wish wish = {.largest = true};
    PyObject *given[5], *answer = NULL;
    bool masked;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "k", &wish.k) ||
        !args_axis(given[1], &wish.axis) || (given[2] && !args_flag(given[2], &wish.largest)) ||
        !args_flag(given[4], &wish.as_matrix))
        return NULL;
    masked = given[3] && given[3] != Py_None;
    if (masked && !operand_require(state, given[3], "topk(where=)", &mask))
        return NULL;
    if (operand_settle(&from))
        answer = topk_compute(state, &wish, &from, masked ? &mask : NULL);
    operand_drop(&from);
    operand_drop(&mask);
    return answer;
}

/* ---- unique ---- */

enum { UNIQUE_INDEX, UNIQUE_INVERSE, UNIQUE_COUNTS, UNIQUE_EXTRAS };

/* Of zeros of both signs, the one that stands first. */
static void
unique_zero(double *distinct, Py_ssize_t count, const matrix_operand *from)
{
    Py_ssize_t zero = 0;

    while (zero < count && distinct[zero] < 0.0)
        zero++;
    if (zero == count || distinct[zero] != 0.0)
        return;
    for (Py_ssize_t i = 0; i < from->rows; i++)
        for (Py_ssize_t j = 0; j < from->columns; j++) {
            double x = from->window.at[i * from->window.row_stride + j * from->window.column_stride];

            if (x == 0.0) {
                distinct[zero] = x;
                return;
            }
        }
}

/* The extras that are asked for, each NULL or a new matrix with its values set. */
static bool
unique_extras(core_state *state, const bool *wanted, const matrix_operand *from, Py_ssize_t count, const double *starts,
              const double *positions, PyObject **extras)
{
    Py_ssize_t size = from->rows * from->columns;

    for (int extra = 0; extra < UNIQUE_EXTRAS; extra++) {
        bool whole = extra == UNIQUE_INVERSE;
        double *to;

        if (!wanted[extra])
            continue;
        extras[extra] = matrix_empty(state, whole ? from->rows : 1, whole ? from->columns : count);
        if (!extras[extra])
            return false;
        to = ((MatrixObject *)extras[extra])->data;
        for (Py_ssize_t k = 0; k < count; k++) {
            Py_ssize_t start = (Py_ssize_t)starts[k], end = k + 1 < count ? (Py_ssize_t)starts[k + 1] : size;

            if (extra == UNIQUE_INDEX)
                to[k] = positions[start];
            else if (extra == UNIQUE_COUNTS)
                to[k] = (double)(end - start);
            else
                for (Py_ssize_t i = start; i < end; i++)
                    to[(Py_ssize_t)positions[i]] = (double)k;
        }
    }
    return true;
}

/* The answer: the values, or a tuple of them and what else was asked for. */
static PyObject *
unique_answer(core_state *state, const bool *wanted, const matrix_operand *from, Py_ssize_t count, const double *keys,
              const double *starts, const double *positions)
{
    PyObject *parts[1 + UNIQUE_EXTRAS] = {NULL}, *answer = NULL;
    int extras = wanted[0] + wanted[1] + wanted[2];

    parts[0] = matrix_copy_window(state, row_of((double *)keys), 1, count);
    if (parts[0])
        unique_zero(((MatrixObject *)parts[0])->data, count, from);
    if (!parts[0] || !extras)
        return parts[0];
    if (unique_extras(state, wanted, from, count, starts, positions, parts + 1)) {
        answer = PyTuple_New(1 + extras);
        for (int part = 0, place = 0; answer && part <= UNIQUE_EXTRAS; part++)
            if (parts[part])
                PyTuple_SET_ITEM(answer, place++, Py_NewRef(parts[part]));
    }
    for (int part = 0; part <= UNIQUE_EXTRAS; part++)
        Py_XDECREF(parts[part]);
    return answer;
}

PyObject *
matrix_unique(METHOD_ARGS)
{
    static const args_spec spec = {"unique", 3, 0, {"return_index", "return_inverse", "return_counts", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self}, *operands[1] = {&from};
    bool wanted[UNIQUE_EXTRAS] = {false}, along, starting;
    PyObject *given[UNIQUE_EXTRAS], *answer;
    matrix_unlocked unlocked;
    scratch_room scratch;
    double *keys, *positions, *starts;
    size_t n, distinct;

    if ((count || keywords) &&
        (!args_take(&spec, args, count, keywords, given) || !args_flag(given[0], &wanted[UNIQUE_INDEX]) ||
         !args_flag(given[1], &wanted[UNIQUE_INVERSE]) || !args_flag(given[2], &wanted[UNIQUE_COUNTS])))
        return NULL;
    if (!operand_settle(&from))
        return NULL;
    n = (size_t)(from.rows * from.columns);
    along = wanted[UNIQUE_INDEX] || wanted[UNIQUE_INVERSE];
    starting = along || wanted[UNIQUE_COUNTS];
    if (!scratch_take(&scratch, n * (1U + along + starting)))
        return NULL;
    keys = scratch.at;
    starts = starting ? keys + n : NULL;
    positions = along ? starts + n : NULL;
    matrix_unlock(&unlocked, n >= LONG_SORT, operands, 1);
    mk_copy((size_t)from.rows, (size_t)from.columns, (mk_window){keys, from.columns, 1}, from.window);
    if (along)
        mk_sort_along(n, keys, positions);
    else
        mk_sort(1, 1, n, row_of(keys), row_of(keys), false, NULL);
    distinct = mk_distinct(n, keys, starts);
    matrix_lock(&unlocked);
    answer = unique_answer(state, wanted, &from, (Py_ssize_t)distinct, keys, starts, positions);
    scratch_drop(&scratch);
    return answer;
}
