/* The values as bytes, how many that takes, and pickle. */
#include "matrix_methods.h"

#include <string.h>

#include "matrix_crossing.h"

/* ---- pickle ---- */

/* The values as a bytes-like object in row-major order: from protocol 5 on the matrix itself, out of band where the
 * pickler has a place for that. */
static PyObject *
pickled_values(PyObject *self, int protocol)
{
    matrix_operand from = {.source = self};
    PyObject *whole = self, *values;

    if (!operand_settle(&from))
        return NULL;
    if (protocol < 5)
        return matrix_tobytes(self, NULL, 0, NULL);
    if (window_is_row_major(from.window, from.rows, from.columns))
        Py_INCREF(whole);
    else
        whole = matrix_copy_window(state_of(self), from.window, from.rows, from.columns);
    if (!whole)
        return NULL;
    values = PyPickleBuffer_FromObject(whole);
    Py_DECREF(whole);
    return values;
}

PyObject *
matrix_reduce_ex(METHOD_ARGS)
{
    static const args_spec spec = {"__reduce_ex__", 1, 1, {"", NULL}};
    PyObject *given[1], *values, *restore, *result;
    Py_ssize_t protocol;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "protocol", &protocol))
        return NULL;
    if (is_view(self)) {
        PyErr_SetString(PyExc_TypeError, "a MatrixView does not travel; take a copy()");
        return NULL;
    }
    if (matrix_must_not_cross((MatrixObject *)self))
        return NULL;
    values = pickled_values(self, protocol < 5 ? (int)protocol : 5);
    if (!values)
        return NULL;
    restore = PyObject_GetAttrString(state_of(self)->module, "_restore");
    result = restore ? Py_BuildValue("(O(nnO))", restore, ((MatrixObject *)self)->rows, ((MatrixObject *)self)->columns,
                                     values)
                     : NULL;
    Py_XDECREF(restore);
    Py_DECREF(values);
    return result;
}

/* A matrix with a copy of the bytes of a contiguous buffer. */
static PyObject *
matrix_of_bytes(core_state *state, Py_ssize_t rows, Py_ssize_t columns, PyObject *values)
{
    PyObject *result = NULL;
    Py_buffer view;

    if (!matrix_shape_fits(rows, columns) || PyObject_GetBuffer(values, &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (view.len != rows * columns * (Py_ssize_t)sizeof(double))
        PyErr_Format(PyExc_ValueError, "%zd bytes are not a matrix of shape (%zd, %zd), which takes %zd", view.len,
                     rows, columns, rows * columns * (Py_ssize_t)sizeof(double));
    else
        result = matrix_empty(state, rows, columns);
    if (result && view.len)
        memcpy(((MatrixObject *)result)->data, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return result;
}

/* _restore(rows, columns, values): what a pickled matrix is read back with. The values are copied. */
PyObject *
matrix_restore(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords)
{
    static const args_spec spec = {"_restore", 3, 3, {"rows", "columns", "values", NULL}};
    PyObject *given[3];
    Py_ssize_t rows, columns;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "rows", &rows) ||
        !args_index(given[1], "columns", &columns))
        return NULL;
    return matrix_of_bytes(PyModule_GetState(module), rows, columns, given[2]);
}

PyObject *
matrix_frombytes(METHOD_ARGS)
{
    static const args_spec spec = {"frombytes", 2, 2, {"data", "shape", NULL}};
    PyObject *given[2];
    Py_ssize_t rows, columns;

    if (!args_take(&spec, args, count, keywords, given) || !args_shape(given[1], &rows, &columns))
        return NULL;
    return matrix_of_bytes(state_of_type((PyTypeObject *)self), rows, columns, given[0]);
}

PyObject *
matrix_sizeof(METHOD_ARGS)
{
    static const args_spec spec = {"__sizeof__", 0, 0, {NULL}};
    const MatrixObject *matrix = (MatrixObject *)self;

    if (!args_take(&spec, args, count, keywords, NULL))
        return NULL;
    return PyLong_FromSize_t((size_t)Py_TYPE(self)->tp_basicsize + (matrix->buffer ? buffer_bytes(matrix->buffer) : 0));
}
