/* The values as bytes, how many that takes, and pickle. */
#include "matrix_methods.h"

#include <string.h>

#include "matrix_borrow.h"
#include "matrix_crossing.h"

/* ---- pickle ---- */

/* The values as a bytes-like object in row-major order: from protocol 5 on the memory itself, out of band where the
 * pickler has a place for that. It is read-only, so that in band it comes back as bytes, which need no copy. */
static PyObject *
pickled_values(PyObject *self, int protocol)
{
    PyObject *still, *values;

    if (protocol < 5)
        return matrix_tobytes(self, NULL, 0, NULL);
    still = matrix_snapshot(state_of(self), self);
    if (!still)
        return NULL;
    values_copied((size_t)(((MatrixObject *)still)->rows * ((MatrixObject *)still)->columns)); /* into the pickle */
    values = PyPickleBuffer_FromObject(still);
    Py_DECREF(still);
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

enum { FEW_BYTES = 1 << 14 /* are copied sooner than borrowed */ };

/* A matrix over the memory of bytes, which copies them when it is written. NULL, without an exception, where they do
 * not suit. */
static PyObject *
matrix_over_bytes(core_state *state, const Py_ssize_t shape[2], PyObject *values)
{
    PyObject *result;
    matrix_buffer *buffer;

    if (!PyBytes_CheckExact(values) || PyBytes_GET_SIZE(values) < FEW_BYTES ||
        PyBytes_GET_SIZE(values) != shape[0] * shape[1] * (Py_ssize_t)sizeof(double) ||
        (uintptr_t)PyBytes_AS_STRING(values) % _Alignof(double) != 0)
        return NULL;
    buffer = buffer_new_borrowed();
    if (!buffer)
        return PyErr_NoMemory();
    if (PyObject_GetBuffer(values, buffer->exporter, PyBUF_SIMPLE) < 0) {
        buffer_drop(buffer);
        return NULL;
    }
    result = matrix_over(state, buffer, shape);
    if (result)
        ((MatrixObject *)result)->flags = 0;
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
    if (result && view.len) {
        memcpy(((MatrixObject *)result)->data, view.buf, (size_t)view.len);
        values_copied((size_t)(rows * columns));
    }
    PyBuffer_Release(&view);
    return result;
}

/* _restore(rows, columns, values): what a pickled matrix is read back with. */
PyObject *
matrix_restore(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords)
{
    static const args_spec spec = {"_restore", 3, 3, {"rows", "columns", "values", NULL}};
    core_state *state = PyModule_GetState(module);
    PyObject *given[3], *result;
    Py_ssize_t shape[2];

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "rows", &shape[0]) ||
        !args_index(given[1], "columns", &shape[1]) || !matrix_shape_fits(shape[0], shape[1]))
        return NULL;
    result = matrix_over_bytes(state, shape, given[2]);
    return result || PyErr_Occurred() ? result : matrix_of_bytes(state, shape[0], shape[1], given[2]);
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
