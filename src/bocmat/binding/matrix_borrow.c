/* Memory of others, read or borrowed: arrays of any real format. */
#include "matrix_borrow.h"

bool
array_shape(const Py_buffer *view, Py_ssize_t shape[2], Py_ssize_t strides[2])
{
    int from = 2 - view->ndim;

    if (view->ndim > 2) {
        PyErr_Format(PyExc_ValueError, "a matrix has two dimensions, the array has %d", view->ndim);
        return false;
    }
    shape[0] = shape[1] = 1;
    for (int i = 0; i < view->ndim; i++)
        shape[from + i] = view->shape ? view->shape[i] : view->len / view->itemsize;
    strides[1] = view->itemsize; /* what an exporter that names no strides means */
    strides[0] = shape[1] * view->itemsize;
    for (int i = 0; view->strides && i < view->ndim; i++)
        strides[from + i] = view->strides[i];
    if (view->ndim < 2)
        strides[0] = shape[1] * strides[1];
    return true;
}

/* True for doubles as this machine computes with them. */
static bool
is_plain_double(number_format format, const char *at)
{
    return format.kind == 'f' && format.width == sizeof(double) && !format.swapped &&
           (uintptr_t)at % _Alignof(double) == 0;
}

bool
array_can_share(number_format format, const char *at, const Py_ssize_t shape[2], const Py_ssize_t strides[2])
{
    return is_plain_double(format, at) && shape[0] && shape[1] &&
           (shape[1] == 1 || strides[1] == (Py_ssize_t)sizeof(double)) &&
           (shape[0] == 1 || strides[0] == shape[1] * (Py_ssize_t)sizeof(double));
}

PyObject *
matrix_of_numbers(core_state *state, number_format format, const char *at, const Py_ssize_t shape[2],
                  const Py_ssize_t strides[2])
{
    const Py_ssize_t width = sizeof(double);
    PyObject *result = matrix_empty(state, shape[0], shape[1]);

    if (!result || !shape[0] || !shape[1])
        return result;
    if (is_plain_double(format, at) && strides[0] % width == 0 && strides[1] % width == 0)
        mk_copy((size_t)shape[0], (size_t)shape[1], matrix_window((MatrixObject *)result),
                (mk_window){(double *)(uintptr_t)at, strides[0] / width, strides[1] / width});
    else
        numbers_read(format, shape[0], shape[1], at, strides[0], strides[1], ((MatrixObject *)result)->data);
    return result;
}

/* Asks for a strided view, where the exporter has one: false without an exception if it has none. */
static bool
array_open(PyObject *array, Py_buffer *view, int flags)
{
    if (PyObject_GetBuffer(array, view, flags) == 0)
        return true;
    if (PyErr_ExceptionMatches(PyExc_BufferError) || PyErr_ExceptionMatches(PyExc_ValueError) ||
        PyErr_ExceptionMatches(PyExc_TypeError))
        PyErr_Clear();
    return false;
}

PyObject *
matrix_from_array(core_state *state, PyObject *array, bool *flat)
{
    Py_ssize_t shape[2], strides[2];
    PyObject *result = NULL;
    number_format format;
    Py_buffer view;

    if (!array_open(array, &view, PyBUF_FULL_RO))
        return NULL;
    *flat = view.ndim == 1;
    if (!array_shape(&view, shape, strides))
        goto done;
    if (!number_format_read(view.format, view.itemsize, &format) || view.suboffsets) {
        if (view.format && view.format[0] == 'O')
            goto done; /* objects: read as a sequence */
        PyErr_Format(PyExc_TypeError, "a matrix is made of real numbers, not of the array format '%s'",
                     view.format ? view.format : "B");
        goto done;
    }
    result = matrix_of_numbers(state, format, view.buf, shape, strides);
done:
    PyBuffer_Release(&view);
    return result;
}

PyObject *
matrix_over(core_state *state, matrix_buffer *buffer, const Py_ssize_t shape[2])
{
    MatrixObject *self = matrix_new(state, 0, 0);

    if (!self) {
        buffer_drop(buffer);
        return NULL;
    }
    buffer->values = buffer->exporter->buf;
    self->buffer = buffer;
    self->data = buffer->values;
    self->rows = shape[0];
    self->columns = shape[1];
    self->stride.row_stride = shape[1];
    self->stride.column_stride = 1;
    self->flags = buffer->exporter->readonly ? MATRIX_READ_ONLY : 0;
    return (PyObject *)self;
}

PyObject *
matrix_from_buffer(METHOD_ARGS)
{
    static const args_spec spec = {"from_buffer", 1, 1, {"", NULL}};
    core_state *state = state_of_type((PyTypeObject *)self);
    Py_ssize_t shape[2], strides[2];
    PyObject *given[1], *result;
    matrix_buffer *buffer;
    number_format format;
    Py_buffer *view;
    bool flat;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    if (!PyObject_CheckBuffer(given[0])) {
        PyErr_Format(PyExc_TypeError, "from_buffer() takes an object with the buffer protocol, not %s",
                     Py_TYPE(given[0])->tp_name);
        return NULL;
    }
    buffer = buffer_new_borrowed();
    if (!buffer)
        return PyErr_NoMemory();
    view = buffer->exporter;
    if (!array_open(given[0], view, PyBUF_FULL) && (PyErr_Occurred() || !array_open(given[0], view, PyBUF_FULL_RO))) {
        view->obj = NULL;
        buffer_drop(buffer);
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_BufferError, "%s gives no buffer", Py_TYPE(given[0])->tp_name);
        return NULL;
    }
    if (!array_shape(view, shape, strides)) {
        buffer_drop(buffer);
        return NULL;
    }
    if (number_format_read(view->format, view->itemsize, &format) && !view->suboffsets &&
        array_can_share(format, view->buf, shape, strides))
        return matrix_over(state, buffer, shape);
    buffer_drop(buffer);
    result = matrix_from_array(state, given[0], &flat);
    if (!result && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "from_buffer() found no real numbers in a %s", Py_TYPE(given[0])->tp_name);
    return result;
}
