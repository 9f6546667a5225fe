/* MatrixView: a window on a matrix that it keeps alive and follows. */
#include "matrix_methods.h"
#include "matrix_pick.h"

#include <stddef.h>
#include <string.h>

static MatrixViewObject *
view_new(core_state *state, MatrixObject *matrix)
{
    MatrixViewObject *self = PyObject_New(MatrixViewObject, state->matrix_view_type);

    if (!self)
        return NULL;
    Py_INCREF(matrix);
    self->matrix = matrix;
    self->matrix_rows = matrix->rows;
    self->matrix_columns = matrix->columns;
    self->row_start = self->column_start = 0;
    self->row_step = self->column_step = 1;
    self->rows = matrix->rows;
    self->columns = matrix->columns;
    self->transposed = false;
    self->read_only = false;
    self->whole = false;
    self->line = VIEW_BLOCK;
    return self;
}

void
view_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    Py_DECREF(((MatrixViewObject *)object)->matrix);
    PyObject_Free(object);
    Py_DECREF(type);
}

bool
view_window(MatrixViewObject *self, mk_window *window)
{
    MatrixObject *matrix = self->matrix;
    mk_window whole;

    if (!matrix_usable(matrix))
        return false;
    if (matrix->rows != self->matrix_rows || matrix->columns != self->matrix_columns) {
        PyErr_Format(PyExc_RuntimeError, "the view was made on a matrix of shape (%zd, %zd), which now is (%zd, %zd)",
                     self->matrix_rows, self->matrix_columns, matrix->rows, matrix->columns);
        return false;
    }
    whole = matrix_window(matrix);
    window->at = whole.at + self->row_start * whole.row_stride + self->column_start * whole.column_stride;
    window->row_stride = whole.row_stride * self->row_step;
    window->column_stride = whole.column_stride * self->column_step;
    if (self->transposed)
        *window = (mk_window){window->at, window->column_stride, window->row_stride};
    return true;
}

PyObject *
view_new_whole(core_state *state, MatrixObject *matrix)
{
    MatrixViewObject *self;

    if (!matrix_usable(matrix))
        return NULL;
    self = view_new(state, matrix);
    if (self)
        self->whole = true;
    return (PyObject *)self;
}

static MatrixViewObject *
view_copy(MatrixViewObject *self)
{
    const size_t fields = offsetof(MatrixViewObject, matrix);
    MatrixViewObject *copy = PyObject_New(MatrixViewObject, Py_TYPE(self));

    if (!copy)
        return NULL;
    memcpy((char *)copy + fields, (const char *)self + fields, sizeof *copy - fields);
    Py_INCREF(copy->matrix);
    copy->whole = false;
    return copy;
}

PyObject *
view_transposed(PyObject *object)
{
    MatrixViewObject *self = (MatrixViewObject *)object, *view = view_copy(self);

    if (!view)
        return NULL;
    view->rows = self->columns;
    view->columns = self->rows;
    view->transposed = !self->transposed;
    if (self->line != VIEW_BLOCK)
        view->line = self->line == VIEW_ROW ? VIEW_COLUMN : VIEW_ROW;
    return (PyObject *)view;
}

/* The part of a view that a key in the view's own coordinates selects. */
static MatrixViewObject *
view_part(MatrixViewObject *self, const matrix_key *key)
{
    MatrixViewObject *part = view_copy(self);
    const axis_key *rows = &key->row, *columns = &key->column;

    if (!part)
        return NULL;
    part->rows = rows->count;
    part->columns = columns->count;
    if (self->transposed) { /* the view's rows are the matrix's columns */
        rows = &key->column;
        columns = &key->row;
    }
    part->row_start += rows->start * part->row_step;
    part->row_step *= rows->step;
    part->column_start += columns->start * part->column_step;
    part->column_step *= columns->step;
    if (self->line == VIEW_BLOCK && (key->row.single || key->column.single))
        part->line = key->row.single ? VIEW_ROW : VIEW_COLUMN;
    return part;
}

PyObject *
view_new_line(core_state *state, MatrixObject *matrix, char line, Py_ssize_t index, bool read_only)
{
    MatrixViewObject *self;

    if (!key_position(&index, line == VIEW_ROW ? matrix->rows : matrix->columns, line == VIEW_ROW ? "row" : "column"))
        return NULL;
    self = view_new(state, matrix);
    if (!self)
        return NULL;
    self->line = line;
    self->read_only = read_only;
    if (line == VIEW_ROW) {
        self->row_start = index;
        self->rows = 1;
    } else {
        self->column_start = index;
        self->columns = 1;
    }
    return (PyObject *)self;
}

/* ---- keys ---- */

/* A key in the view's coordinates; a line takes one part, which counts its elements. */
static bool
view_key(MatrixViewObject *self, PyObject *key, matrix_key *taken)
{
    axis_key whole = {0, 1, 1, false};

    taken->rows = self->rows;
    taken->columns = self->columns;
    if (self->line == VIEW_BLOCK)
        return key_take(key, self->rows, self->columns, taken);
    if (PyTuple_Check(key)) {
        PyErr_SetString(PyExc_TypeError, "a row or column view has one axis: index it with an int or a slice");
        return false;
    }
    if (self->line == VIEW_ROW) {
        taken->row = whole;
        return key_axis(key, self->columns, "view", &taken->column);
    }
    taken->column = whole;
    return key_axis(key, self->rows, "view", &taken->row);
}

static bool
view_key_is_element(const MatrixViewObject *self, const matrix_key *key)
{
    if (self->line == VIEW_BLOCK)
        return key->row.single && key->column.single && !self->whole;
    return key->row.single || key->column.single;
}

PyObject *
view_subscript(PyObject *object, PyObject *key)
{
    MatrixViewObject *self = (MatrixViewObject *)object;
    matrix_key taken;
    mk_window window;

    if (picks_asked(key)) {
        PyErr_Format(PyExc_TypeError,
                     "a view is a window, which no list or mask selects (%s given): copy()[...] or take() copies what "
                     "it picks",
                     Py_TYPE(key)->tp_name);
        return NULL;
    }
    if (!view_key(self, key, &taken) || !view_window(self, &window))
        return NULL;
    if (view_key_is_element(self, &taken))
        return PyFloat_FromDouble(*key_window(&taken, window).at);
    return (PyObject *)view_part(self, &taken);
}

int
view_ass_subscript(PyObject *object, PyObject *key, PyObject *value)
{
    MatrixViewObject *self = (MatrixViewObject *)object;
    matrix_key taken;

    if (!value) {
        PyErr_SetString(PyExc_TypeError, "a view cannot lose elements");
        return -1;
    }
    if (picks_asked(key) && (self->line == VIEW_BLOCK || !PyTuple_Check(key)))
        return assign_picks(object, key,
                            self->line == VIEW_BLOCK ? ARGS_NO_AXIS
                            : self->line == VIEW_ROW ? 1
                                                     : 0,
                            self->rows, self->columns, value);
    if (!view_key(self, key, &taken))
        return -1;
    return matrix_assign(state_of(object), object, &taken, value);
}

Py_ssize_t
view_length(PyObject *object)
{
    MatrixViewObject *self = (MatrixViewObject *)object;

    return self->line == VIEW_ROW ? self->columns : self->rows;
}

PyObject *
view_item_at(PyObject *object, Py_ssize_t index)
{
    MatrixViewObject *self = (MatrixViewObject *)object;
    matrix_key key = {{0, 1, 1, true}, {0, 1, self->columns, false}, self->rows, self->columns};
    mk_window window;

    if (!view_window(self, &window))
        return NULL;
    if (self->line == VIEW_ROW) {
        if (!key_position(&index, self->columns, "view"))
            return NULL;
        return PyFloat_FromDouble(window.at[index * window.column_stride]);
    }
    if (!key_position(&index, self->rows, "view"))
        return NULL;
    if (self->line == VIEW_COLUMN)
        return PyFloat_FromDouble(window.at[index * window.row_stride]);
    key.row.start = index;
    return (PyObject *)view_part(self, &key);
}

/* ---- row_view, column_view ---- */

static PyObject *
line_view(METHOD_ARGS, const args_spec *spec, char line)
{
    core_state *state = state_of(self);
    PyObject *given[3], *view, *part;
    Py_ssize_t index;
    bool read_only;

    if (!args_take(spec, args, count, keywords, given) || !args_index(given[0], spec->names[0], &index) ||
        !args_flag(given[2], &read_only) || !matrix_usable((MatrixObject *)self))
        return NULL;
    view = view_new_line(state, (MatrixObject *)self, line, index, read_only);
    if (!view || !given[1] || given[1] == Py_None)
        return view;
    if (PyIndex_Check(given[1])) {                                   /* one cell, as a view */
        matrix_key key = {{0, 1, 1, false}, {0, 1, 1, false}, 0, 0}; /* for view_part, which asks no shape */
        bool fine = line == VIEW_ROW ? key_axis(given[1], ((MatrixViewObject *)view)->columns, "column", &key.column)
                                     : key_axis(given[1], ((MatrixViewObject *)view)->rows, "row", &key.row);

        part = fine ? (PyObject *)view_part((MatrixViewObject *)view, &key) : NULL;
    } else {
        part = view_subscript(view, given[1]);
    }
    Py_DECREF(view);
    return part;
}

PyObject *
matrix_row_view(METHOD_ARGS)
{
    static const args_spec spec = {"row_view", 2, 1, {"row", "columns", "read_only", NULL}};

    return line_view(self, args, count, keywords, &spec, VIEW_ROW);
}

PyObject *
matrix_column_view(METHOD_ARGS)
{
    static const args_spec spec = {"column_view", 2, 1, {"column", "rows", "read_only", NULL}};

    return line_view(self, args, count, keywords, &spec, VIEW_COLUMN);
}
