/* Making matrices: the constructor and its named forms. */
#include "matrix_methods.h"

#include <math.h>

static PyObject *
matrix_zeroed(core_state *state, Py_ssize_t rows, Py_ssize_t columns)
{
    return matrix_shape_fits(rows, columns) ? (PyObject *)matrix_new_zeroed(state, rows, columns) : NULL;
}

static PyObject *
matrix_filled(core_state *state, Py_ssize_t rows, Py_ssize_t columns, double value)
{
    PyObject *result;

    if (shape_is_small(rows, columns)) {
        MatrixObject *made = matrix_new_small(state, rows, columns);

        for (Py_ssize_t i = 0; made && i < rows * columns; i++)
            made->inline_values[i] = value;
        return (PyObject *)made;
    }
    if (value == 0.0 && !signbit(value))
        return matrix_zeroed(state, rows, columns);
    result = matrix_empty(state, rows, columns);
    if (result)
        mk_fill((size_t)rows, (size_t)columns, matrix_window((MatrixObject *)result), value);
    return result;
}

/* Whether it is a list or tuple that begins with a number, or with nothing. */
static bool
is_flat(PyObject *values)
{
    PyObject *first;
    bool flat;

    if (!PyList_CheckExact(values) && !PyTuple_CheckExact(values))
        return false;
    first = sequence_item(values, 0);
    flat = !first || args_is_number(first);
    Py_XDECREF(first);
    return flat;
}

/* rows x columns values from a flat sequence, an array or a matrix of that many. */
static PyObject *
matrix_from_flat(core_state *state, Py_ssize_t rows, Py_ssize_t columns, PyObject *values)
{
    PyObject *given = NULL, *result = NULL;
    MatrixObject *from;
    bool flat;

    if (!matrix_shape_fits(rows, columns))
        return NULL;
    if (is_flat(values)) {
        Py_ssize_t count = PySequence_Fast_GET_SIZE(values);

        if (count != rows * columns) {
            PyErr_Format(PyExc_ValueError, "a matrix of shape (%zd, %zd) takes %zd values, not %zd", rows, columns,
                         rows * columns, count);
            return NULL;
        }
        result = matrix_empty(state, rows, columns);
        if (result && !doubles_from_sequence(values, ((MatrixObject *)result)->data, rows * columns))
            Py_CLEAR(result);
        return result;
    }
    given = matrix_from_values(state, values, &flat);
    if (!given)
        return NULL;
    from = (MatrixObject *)given;
    if ((from->rows != rows || from->columns != columns) &&
        ((from->rows != 1 && from->columns != 1) || from->rows * from->columns != rows * columns)) {
        PyErr_Format(PyExc_ValueError, "values of shape (%zd, %zd) do not fill a matrix of shape (%zd, %zd)",
                     from->rows, from->columns, rows, columns);
        goto done;
    }
    from->rows = rows; /* fresh and row-major: giving it another shape moves nothing */
    from->columns = columns;
    if (from->buffer) {
        from->stride.row_stride = columns;
        from->stride.column_stride = 1;
    }
    result = Py_NewRef(given);
done:
    Py_DECREF(given);
    return result;
}

PyObject *
matrix_vectorcall(PyObject *type, PyObject *const *args, size_t flags, PyObject *keywords)
{
    static const args_spec spec = {"Matrix", 3, 1, {"rows", "columns", "values", NULL}};
    core_state *state = state_of_type((PyTypeObject *)type);
    PyObject *given[3];
    Py_ssize_t rows, columns;
    double value;
    bool flat;

    if (!args_take(&spec, args, PyVectorcall_NARGS(flags), keywords, given))
        return NULL;
    if (!given[1] || given[1] == Py_None) {
        if (given[2] || (args_is_number(given[0]) && !PyObject_CheckBuffer(given[0]))) {
            PyErr_SetString(PyExc_TypeError, "Matrix() takes rows and columns, or one nested list or array");
            return NULL;
        }
        return matrix_from_values(state, given[0], &flat);
    }
    if (!args_index(given[0], "rows", &rows) || !args_index(given[1], "columns", &columns))
        return NULL;
    if (!given[2] || given[2] == Py_None)
        return matrix_zeroed(state, rows, columns);
    if (args_is_number(given[2]) && !PySequence_Check(given[2])) {
        if (!args_double(given[2], "the value of a matrix", &value))
            return NULL;
        return matrix_filled(state, rows, columns, value);
    }
    return matrix_from_flat(state, rows, columns, given[2]);
}

/* For Matrix.__new__ and subclasses of type that do not know vectorcall. */
PyObject *
matrix_tp_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *result, *items = PySequence_Tuple(args);

    if (!items)
        return NULL;
    result = PyObject_VectorcallDict((PyObject *)type, ((PyTupleObject *)items)->ob_item,
                                     (size_t)PyTuple_GET_SIZE(items), keywords);
    Py_DECREF(items);
    return result;
}

/* ---- by shape ---- */

#define state_of_class(cls) state_of_type((PyTypeObject *)(cls))

static PyObject *
filled_by_shape(METHOD_ARGS, const char *name, double value)
{
    args_spec spec = {name, 1, 1, {"size", NULL}};
    PyObject *given[1];
    Py_ssize_t rows, columns;

    if (!args_take(&spec, args, count, keywords, given) || !args_shape(given[0], &rows, &columns))
        return NULL;
    return matrix_filled(state_of_class(self), rows, columns, value);
}

PyObject *
matrix_zeros(METHOD_ARGS)
{
    return filled_by_shape(self, args, count, keywords, "zeros", 0.0);
}

PyObject *
matrix_ones(METHOD_ARGS)
{
    return filled_by_shape(self, args, count, keywords, "ones", 1.0);
}

PyObject *
matrix_empty_method(METHOD_ARGS)
{
    static const args_spec spec = {"empty", 1, 1, {"size", NULL}};
    PyObject *given[1];
    Py_ssize_t rows, columns;

    if (!args_take(&spec, args, count, keywords, given) || !args_shape(given[0], &rows, &columns))
        return NULL;
    return matrix_empty(state_of_class(self), rows, columns);
}

PyObject *
matrix_full(METHOD_ARGS)
{
    static const args_spec spec = {"full", 2, 2, {"size", "value", NULL}};
    PyObject *given[2];
    Py_ssize_t rows, columns;
    double value;

    if (!args_take(&spec, args, count, keywords, given) || !args_shape(given[0], &rows, &columns) ||
        !args_double(given[1], "value", &value))
        return NULL;
    return matrix_filled(state_of_class(self), rows, columns, value);
}

PyObject *
matrix_eye(METHOD_ARGS)
{
    static const args_spec spec = {"eye", 2, 1, {"rows", "columns", NULL}};
    PyObject *given[2], *result;
    Py_ssize_t rows, columns, least;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "rows", &rows))
        return NULL;
    columns = rows;
    if (given[1] && given[1] != Py_None && !args_index(given[1], "columns", &columns))
        return NULL;
    result = matrix_zeroed(state_of_class(self), rows, columns);
    if (!result)
        return NULL;
    least = rows < columns ? rows : columns;
    for (Py_ssize_t i = 0; i < least; i++)
        ((MatrixObject *)result)->data[i * (columns + 1)] = 1.0;
    return result;
}

PyObject *
matrix_diag(METHOD_ARGS)
{
    static const args_spec spec = {"diag", 1, 1, {"values", NULL}};
    core_state *state = state_of_class(self);
    PyObject *given[1], *result = NULL, *values;
    MatrixObject *from;
    Py_ssize_t length;
    bool flat;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    values = matrix_from_values(state, given[0], &flat);
    if (!values)
        return NULL;
    from = (MatrixObject *)values;
    length = from->rows * from->columns;
    if (length && from->rows != 1 && from->columns != 1) {
        PyErr_Format(PyExc_ValueError, "diag() takes one row or column of values, not the shape (%zd, %zd)", from->rows,
                     from->columns);
        goto done;
    }
    result = matrix_zeroed(state, length, length);
    for (Py_ssize_t i = 0; result && i < length; i++)
        ((MatrixObject *)result)->data[i * (length + 1)] = from->data[i];
done:
    Py_DECREF(values);
    return result;
}

/* ---- ranges ---- */

static double
range_length(double start, double stop, double step)
{
    double parts = (stop - start) / step;

    if (parts == 0.0 && stop != start) /* too little to be told from nothing, and not nothing */
        return signbit(parts) ? 0.0 : 1.0;
    return isnan(parts) ? parts : fmax(ceil(parts), 0.0);
}

/* The first two values, and the others at the distance that these turned out to have. */
static void
range_fill(Py_ssize_t length, double *to, double first, double second)
{
    double step = second - first;

    to[0] = first;
    if (length > 1)
        to[1] = second;
    for (Py_ssize_t i = 2; i < length; i++)
        to[i] = first + (double)i * step;
}

/* Of a distance `across` in so many `parts`; a step that underflows is taken from the parts instead. */
static void
space_fill(Py_ssize_t length, double *to, double start, double across, double parts)
{
    double step = across / parts;

    if (!(parts > 0.0))
        for (Py_ssize_t i = 0; i < length; i++)
            to[i] = (double)i * across + start;
    else if (step == 0.0)
        for (Py_ssize_t i = 0; i < length; i++)
            to[i] = (double)i / parts * across + start;
    else
        for (Py_ssize_t i = 0; i < length; i++)
            to[i] = (double)i * step + start;
}

PyObject *
matrix_arange(METHOD_ARGS)
{
    static const args_spec spec = {"arange", 3, 1, {"start", "stop", "step", NULL}};
    PyObject *given[3], *result;
    double start, stop, step = 1.0, length;

    if (!args_take(&spec, args, count, keywords, given) || !args_double(given[0], "start", &start))
        return NULL;
    stop = start;
    if (!given[1] || given[1] == Py_None)
        start = 0.0;
    else if (!args_double(given[1], "stop", &stop))
        return NULL;
    if (given[2] && given[2] != Py_None && !args_double(given[2], "step", &step))
        return NULL;
    length = range_length(start, stop, step);
    if (step == 0.0 || !isfinite(length)) {
        PyErr_SetString(PyExc_ValueError, "arange() needs finite bounds and a step that is not zero");
        return NULL;
    }
    if (length > (double)(PY_SSIZE_T_MAX / 16)) {
        PyErr_SetString(PyExc_ValueError, "arange() of that many values is too large to address");
        return NULL;
    }
    result = matrix_empty(state_of_class(self), 1, (Py_ssize_t)length);
    if (result && length > 0)
        range_fill((Py_ssize_t)length, ((MatrixObject *)result)->data, start, start + step);
    return result;
}

PyObject *
matrix_linspace(METHOD_ARGS)
{
    static const args_spec spec = {"linspace", 4, 2, {"start", "stop", "count", "endpoint", NULL}};
    PyObject *given[4], *result;
    Py_ssize_t length = 50;
    double start, stop;
    bool endpoint = true, drop;

    if (!args_take(&spec, args, count, keywords, given) || !args_double(given[0], "start", &start) ||
        !args_double(given[1], "stop", &stop))
        return NULL;
    if (given[2] && !args_index(given[2], "count", &length))
        return NULL;
    if (given[3]) {
        if (!args_flag(given[3], &drop))
            return NULL;
        endpoint = drop;
    }
    if (length < 0) {
        PyErr_Format(PyExc_ValueError, "linspace() cannot give %zd values", length);
        return NULL;
    }
    result = matrix_empty(state_of_class(self), 1, length);
    if (!result)
        return NULL;
    space_fill(length, ((MatrixObject *)result)->data, start, stop - start, (double)(endpoint ? length - 1 : length));
    if (endpoint && length > 1)
        ((MatrixObject *)result)->data[length - 1] = stop;
    return result;
}

/* ---- from other values ---- */

PyObject *
matrix_from_view(METHOD_ARGS)
{
    static const args_spec spec = {"from_view", 1, 1, {"view", NULL}};
    matrix_operand from = {.source = NULL};
    PyObject *given[1], *result = NULL;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    if (!is_view(given[0])) {
        PyErr_Format(PyExc_TypeError, "from_view() takes a MatrixView, not %s", Py_TYPE(given[0])->tp_name);
        return NULL;
    }
    from.source = given[0];
    if (operand_settle(&from))
        result = matrix_copy_window(state_of_class(self), from.window, from.rows, from.columns);
    return result;
}

PyObject *
matrix_vector(METHOD_ARGS)
{
    static const args_spec spec = {"vector", 2, 1, {"values", "as_column", NULL}};
    PyObject *given[2], *result;
    MatrixObject *vector;
    Py_ssize_t length;
    bool as_column, flat;

    if (!args_take(&spec, args, count, keywords, given) || !args_flag(given[1], &as_column))
        return NULL;
    result = matrix_from_values(state_of_class(self), given[0], &flat);
    if (!result)
        return NULL;
    vector = (MatrixObject *)result;
    length = vector->rows * vector->columns;
    if (length && vector->rows != 1 && vector->columns != 1) {
        PyErr_Format(PyExc_ValueError, "vector() takes one row or column of values, not the shape (%zd, %zd)",
                     vector->rows, vector->columns);
        Py_DECREF(result);
        return NULL;
    }
    vector->rows = as_column ? length : 1;
    vector->columns = as_column ? 1 : length;
    if (vector->buffer) {
        vector->stride.row_stride = vector->columns;
        vector->stride.column_stride = 1;
    }
    return result;
}

/* The shape of `parts` one after the other along `axis`. */
static bool
concat_shape(const matrix_operand *parts, Py_ssize_t count, int axis, Py_ssize_t *rows, Py_ssize_t *columns)
{
    Py_ssize_t along = 0, across = axis == 0 ? parts[0].columns : parts[0].rows;

    for (Py_ssize_t i = 0; i < count; i++) {
        if ((axis == 0 ? parts[i].columns : parts[i].rows) != across) {
            PyErr_Format(PyExc_ValueError,
                         "concat() along axis %d: shapes (%zd, %zd) and (%zd, %zd) do not fit together", axis,
                         parts[0].rows, parts[0].columns, parts[i].rows, parts[i].columns);
            return false;
        }
        if (__builtin_add_overflow(along, axis == 0 ? parts[i].rows : parts[i].columns, &along)) {
            PyErr_SetString(PyExc_ValueError, "concat() of that many values is too large to address");
            return false;
        }
    }
    *rows = axis == 0 ? along : across;
    *columns = axis == 0 ? across : along;
    return true;
}

static bool
part_take(core_state *state, PyObject *value, matrix_operand *part)
{
    if (!operand_require(state, value, "concat()", part))
        return false;
#if !BOCMAT_GIL /* nobody holds the locks of matrices in a sequence: what they hold now, under the lock of each */
    if (part->source && !part->made) {
        part->source = part->made = matrix_from_values(state, value, &part->flat);
        return part->made != NULL;
    }
#endif
    return true;
}

PyObject *
matrix_concat(METHOD_ARGS)
{
    static const args_spec spec = {"concat", 2, 1, {"values", "axis", NULL}};
    core_state *state = state_of_class(self);
    PyObject *given[2], *fast, *result = NULL;
    enum { FEW = 4 };
    matrix_operand few[FEW], *parts = few;
    Py_ssize_t length, taken = 0, rows, columns, at = 0;
    int axis;

    if (!args_take(&spec, args, count, keywords, given) || !args_axis(given[1], &axis))
        return NULL;
    if (axis == ARGS_NO_AXIS)
        axis = 0;
    fast = PySequence_Tuple(given[0]);
    if (!fast)
        return NULL;
    length = PyTuple_GET_SIZE(fast);
    if (!length) {
        PyErr_SetString(PyExc_ValueError, "concat() of no matrices");
        goto done;
    }
    if (length > FEW)
        parts = PyMem_Malloc((size_t)length * sizeof *parts);
    if (!parts) {
        PyErr_NoMemory();
        goto done;
    }
    for (; taken < length; taken++)
        if (!part_take(state, PyTuple_GET_ITEM(fast, taken), parts + taken))
            goto done;
    for (Py_ssize_t i = 0; i < length; i++)
        if (!operand_settle(parts + i))
            goto done;
    if (!concat_shape(parts, length, axis, &rows, &columns))
        goto done;
    result = matrix_empty(state, rows, columns);
    for (Py_ssize_t i = 0; result && i < length; i++) {
        mk_window to = matrix_window((MatrixObject *)result);

        to.at += at * (axis == 0 ? to.row_stride : to.column_stride);
        at += axis == 0 ? parts[i].rows : parts[i].columns;
        values_copy((size_t)parts[i].rows, (size_t)parts[i].columns, to, parts[i].window);
    }
done:
    for (Py_ssize_t i = 0; i < taken; i++)
        operand_drop(parts + i);
    if (parts != few)
        PyMem_Free(parts);
    Py_DECREF(fast);
    return result;
}
