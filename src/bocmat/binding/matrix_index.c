/* m[key], m[key] = value. */
#include "matrix_methods.h"
#include "matrix_pick.h"

/* ---- reading ---- */

/* An int, or an n x 1 matrix indexed by one: the plain case of a vector. */
static inline bool
key_is_element(const matrix_key *key, PyObject *written, Py_ssize_t columns)
{
    return key->row.single && (key->column.single || (columns == 1 && !PyTuple_Check(written)));
}

/* What lists and masks pick is a copy. */
static PyObject *
subscript_picks(PyObject *self, PyObject *key, Py_ssize_t rows, Py_ssize_t columns)
{
    core_state *state = state_of(self);
    matrix_result result = {.object = NULL};
    matrix_picks picks;
    PyObject *answer = NULL;

    if (picks_take(state, key, rows, columns, &picks))
        answer = picks_read(state, "m[key]", self, &picks, &result);
    picks_drop(&picks);
    return answer;
}

/* An exact int within the axis, which is nearly every index; otherwise -1 and no exception. */
static inline Py_ssize_t
plain_index(PyObject *key, Py_ssize_t length)
{
    Py_ssize_t at;

    if (!long_is_short(key, &at))
        return -1;
    if (at < 0)
        at += length;
    return (size_t)at < (size_t)length ? at : -1;
}

/* The place of the one element that a pair of plain ints selects; NULL and no exception for any other key. */
static inline double *
plain_element(MatrixObject *matrix, PyObject *key)
{
    Py_ssize_t row, column;
    mk_window window;

    if (!PyTuple_CheckExact(key) || PyTuple_GET_SIZE(key) != 2 || !matrix->data)
        return NULL;
    row = plain_index(PyTuple_GET_ITEM(key, 0), matrix->rows);
    column = plain_index(PyTuple_GET_ITEM(key, 1), matrix->columns);
    if (row < 0 || column < 0)
        return NULL;
    window = matrix_window(matrix);
    return window.at + row * window.row_stride + column * window.column_stride;
}

/* One end of a slice, brought between `least` and `most`. */
static inline bool
plain_end(PyObject *end, Py_ssize_t absent, Py_ssize_t length, Py_ssize_t least, Py_ssize_t *at)
{
    Py_ssize_t most = length + least;

    *at = absent;
    if (end == Py_None)
        return true;
    if (!long_is_short(end, at))
        return false;
    if (*at < 0)
        *at += length;
    *at = *at < least ? least : *at > most ? most : *at;
    return true;
}

/* An int or a slice of ints, which is nearly every part of a key: no code of others runs to read it. False, and no
 * exception, for anything else and for what is to be refused. */
static inline bool
plain_part(PyObject *part, Py_ssize_t length, axis_key *taken)
{
    const PySliceObject *slice = (const PySliceObject *)part;
    Py_ssize_t stop, step = 1, across;
    bool back;

    taken->step = 1;
    if (!PySlice_Check(part)) {
        taken->start = plain_index(part, length);
        taken->count = 1;
        taken->single = true;
        return taken->start >= 0;
    }
    if (slice->step != Py_None && (!long_is_short(slice->step, &step) || step == 0))
        return false;
    back = step < 0; /* from the last one, at length - 1, to the one before the first, at -1 */
    if (!plain_end(slice->start, back ? length - 1 : 0, length, -back, &taken->start) ||
        !plain_end(slice->stop, back ? -1 : length, length, -back, &stop))
        return false;
    across = back ? taken->start - stop : stop - taken->start;
    taken->count = across <= 0 ? 0 : step == 1 ? across : (across - 1) / (back ? -step : step) + 1;
    if (!taken->count)
        taken->start = 0; /* a window over nothing still points into the matrix */
    if (taken->count > 1)
        taken->step = step; /* one that is never taken may be of any size, and would overflow in products */
    taken->single = false;
    return true;
}

static inline bool
plain_key(PyObject *key, Py_ssize_t rows, Py_ssize_t columns, matrix_key *taken)
{
    taken->rows = rows;
    taken->columns = columns;
    if (PyTuple_CheckExact(key))
        return PyTuple_GET_SIZE(key) == 2 && plain_part(PyTuple_GET_ITEM(key, 0), rows, &taken->row) &&
               plain_part(PyTuple_GET_ITEM(key, 1), columns, &taken->column);
    taken->column = (axis_key){0, 1, columns, false};
    return plain_part(key, rows, &taken->row);
}

PyObject *
matrix_subscript(PyObject *self, PyObject *key)
{
    MatrixObject *matrix = (MatrixObject *)self;
    const double *element = plain_element(matrix, key);
    Py_ssize_t rows = matrix->rows, columns = matrix->columns;
    matrix_key taken;
    mk_window part;

    if (element)
        return PyFloat_FromDouble(*element);
    if (!plain_key(key, rows, columns, &taken)) {
        if (picks_asked(key))
            return subscript_picks(self, key, rows, columns);
        if (!key_take(key, rows, columns, &taken))
            return NULL;
    }
    if (!matrix_usable(matrix) || !key_still_fits(&taken, matrix->rows, matrix->columns))
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

bool
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
    values_copy((size_t)part.rows, (size_t)part.columns, part.window, operand_spread(value, part.rows, part.columns));
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
assign_picks(PyObject *self, PyObject *key, int axis, Py_ssize_t rows, Py_ssize_t columns, PyObject *value)
{
    core_state *state = state_of(self);
    matrix_picks picks;
    int status = -1;

    if (axis == ARGS_NO_AXIS ? picks_take(state, key, rows, columns, &picks)
                             : picks_take_line(state, key, axis, rows, columns, &picks))
        status = picks_write(state, self, &picks, value, false);
    picks_drop(&picks);
    return status;
}

/* A number, or a small matrix of the part's own shape, put where the key, which nothing has run since, selects. */
static int
assign_plain(MatrixObject *matrix, const matrix_key *key, PyObject *value)
{
    Py_ssize_t rows = key->row.count, columns = key->column.count;
    MatrixObject *given = (MatrixObject *)value;
    mk_window from, to;
    double number;

    if (small_number(value, &number))
        from = (mk_window){&number, 0, 0};
    else if (is_small(value) && given != matrix && given->rows == rows && given->columns == columns)
        from = (mk_window){given->inline_values, columns, 1};
    else
        return matrix_assign(state_of((PyObject *)matrix), (PyObject *)matrix, key, value);
    if (!matrix_writable(matrix))
        return -1;
    to = key_window(key, matrix_window(matrix));
    if (rows > MATRIX_INLINE || columns > MATRIX_INLINE) {
        mk_copy((size_t)rows, (size_t)columns, to, from);
        return 0;
    }
    for (Py_ssize_t i = 0; i < rows; i++)
        for (Py_ssize_t j = 0; j < columns; j++)
            to.at[i * to.row_stride + j * to.column_stride] = from.at[i * from.row_stride + j * from.column_stride];
    return 0;
}

int
matrix_ass_subscript(PyObject *self, PyObject *key, PyObject *value)
{
    MatrixObject *matrix = (MatrixObject *)self;
    matrix_key taken;

    if (!value) {
        PyErr_SetString(PyExc_TypeError, "a matrix cannot lose elements");
        return -1;
    }
    if (PyFloat_CheckExact(value) && plain_element(matrix, key)) {
        if (!matrix_writable(matrix))
            return -1;
        *plain_element(matrix, key) = PyFloat_AS_DOUBLE(value);
        return 0;
    }
    if (plain_key(key, matrix->rows, matrix->columns, &taken))
        return assign_plain(matrix, &taken, value);
    if (picks_asked(key))
        return assign_picks(self, key, ARGS_NO_AXIS, matrix->rows, matrix->columns, value);
    if (!key_take(key, matrix->rows, matrix->columns, &taken))
        return -1;
    if (key_is_element(&taken, key, matrix->columns) && PyFloat_CheckExact(value)) {
        if (!matrix_writable(matrix) || !key_still_fits(&taken, matrix->rows, matrix->columns))
            return -1;
        *key_window(&taken, matrix_window(matrix)).at = PyFloat_AS_DOUBLE(value);
        return 0;
    }
    return matrix_assign(state_of(self), self, &taken, value);
}
