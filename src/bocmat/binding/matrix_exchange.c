/* Values in and out without Python numbers: buffer protocol, arrays, pickle. */
#include "matrix_methods.h"

#include <string.h>

/* ---- out: the buffer protocol ---- */

static bool
buffer_is_c_ordered(const mk_window *window, Py_ssize_t rows, Py_ssize_t columns)
{
    return rows == 0 || columns == 0 ||
           ((columns == 1 || window->column_stride == 1) && (rows == 1 || window->row_stride == columns));
}

static bool
buffer_is_fortran_ordered(const mk_window *window, Py_ssize_t rows, Py_ssize_t columns)
{
    mk_window transposed = {window->at, window->column_stride, window->row_stride};

    return buffer_is_c_ordered(&transposed, columns, rows);
}

/* What the consumer asks of the layout. */
static bool
layout_suits(int flags, const mk_window *window, Py_ssize_t rows, Py_ssize_t columns)
{
    bool c = buffer_is_c_ordered(window, rows, columns), fortran = buffer_is_fortran_ordered(window, rows, columns);

    if ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS)
        return c;
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS)
        return fortran;
    if ((flags & PyBUF_ANY_CONTIGUOUS) == PyBUF_ANY_CONTIGUOUS)
        return c || fortran;
    return (flags & PyBUF_STRIDES) == PyBUF_STRIDES || c;
}

int
matrix_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    matrix_operand from = {.source = self};
    MatrixObject *matrix = is_view(self) ? ((MatrixViewObject *)self)->matrix : (MatrixObject *)self;
    bool read_only = (matrix->flags & MATRIX_READ_ONLY) || (is_view(self) && ((MatrixViewObject *)self)->read_only);
    Py_ssize_t *layout;

    view->obj = NULL;
    if (!matrix_usable(matrix))
        return -1;
    if ((flags & PyBUF_WRITABLE) && read_only) {
        PyErr_SetString(PyExc_BufferError, "the matrix is read-only");
        return -1;
    }
    /* Writes through the export must not reach an alias, so the values become its own first. */
    if (!(matrix->flags & MATRIX_READ_ONLY) && matrix->exports < MATRIX_PIN && !matrix_writable(matrix))
        return -1;
    if (!operand_settle(&from))
        return -1;
    if (!layout_suits(flags, &from.window, from.rows, from.columns)) {
        PyErr_SetString(PyExc_BufferError, "the matrix is not stored in the order asked for; take a copy()");
        return -1;
    }
    layout = PyMem_New(Py_ssize_t, 4);
    if (!layout) {
        PyErr_NoMemory();
        return -1;
    }
    layout[0] = from.rows;
    layout[1] = from.columns;
    layout[2] = from.window.row_stride * (Py_ssize_t)sizeof(double);
    layout[3] = from.window.column_stride * (Py_ssize_t)sizeof(double);
    *view = (Py_buffer){
        .buf = from.window.at,
        .obj = Py_NewRef(self),
        .len = from.rows * from.columns * (Py_ssize_t)sizeof(double),
        .itemsize = sizeof(double),
        .readonly = read_only,
        .ndim = 2,
        .format = flags & PyBUF_FORMAT ? (char *)(uintptr_t)"d" : NULL,
        .shape = flags & PyBUF_ND ? layout : NULL,
        .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? layout + 2 : NULL,
        .internal = layout,
    };
    exports_add(matrix, 1);
    return 0;
}

void
matrix_releasebuffer(PyObject *self, Py_buffer *view)
{
    MatrixObject *matrix = is_view(self) ? ((MatrixViewObject *)self)->matrix : (MatrixObject *)self;

    exports_drop(matrix, 1);
    PyMem_Free(view->internal);
}

/* ---- in: arrays of any real format ---- */

/* One value of a struct format in native order, as a double; false if the format is not a real number's. */
static bool
read_number(char format, const char *at, double *number)
{
#define READ(letter, type)                \
    case letter: {                        \
        type value;                       \
        memcpy(&value, at, sizeof value); \
        *number = (double)value;          \
        return true;                      \
    }
    switch (format) {
        READ('?', unsigned char)
        READ('b', signed char)
        READ('B', unsigned char)
        READ('h', short)
        READ('H', unsigned short)
        READ('i', int)
        READ('I', unsigned int)
        READ('l', long)
        READ('L', unsigned long)
        READ('q', long long)
        READ('Q', unsigned long long)
        READ('n', Py_ssize_t)
        READ('N', size_t)
        READ('f', float)
        READ('d', double)
        READ('g', long double)
#undef READ
    case 'e':
#if PY_VERSION_HEX >= 0x030B0000
        *number = PyFloat_Unpack2(at, PY_LITTLE_ENDIAN);
#else
        *number = _PyFloat_Unpack2((const unsigned char *)at, PY_LITTLE_ENDIAN);
#endif
        return true;
    default:
        return false;
    }
}

/* The letter of a one-number format, and whether its bytes are in the other order. 0 for anything else. Under an
 * explicit order sizes are the standard ones, which only l and L do not share with the machine. */
static char
format_letter(const Py_buffer *view, bool *swapped)
{
    const char *format = view->format ? view->format : "B";
    const char native = PY_LITTLE_ENDIAN ? '<' : '>';
    bool standard = false;

    *swapped = false;
    if (*format == '@') {
        format++;
    } else if (*format == '<' || *format == '>' || *format == '=' || *format == '!') {
        *swapped = *format != '=' && (*format == '!' ? '>' : *format) != native;
        standard = true;
        format++;
    }
    if (!format[0] || format[1])
        return 0;
    if (standard && (*format == 'l' || *format == 'L') && view->itemsize == 4)
        return *format == 'l' ? 'i' : 'I';
    return *format;
}

static bool
is_plain_double(const Py_buffer *view)
{
    bool swapped;

    return format_letter(view, &swapped) == 'd' && !swapped && view->itemsize == sizeof(double) &&
           (uintptr_t)view->buf % _Alignof(double) == 0;
}

/* An array as rows x columns with byte strides; false with ValueError for three dimensions. */
static bool
array_shape(const Py_buffer *view, Py_ssize_t shape[2], Py_ssize_t strides[2])
{
    if (view->ndim > 2) {
        PyErr_Format(PyExc_ValueError, "a matrix has two dimensions, the array has %d", view->ndim);
        return false;
    }
    shape[0] = shape[1] = 1;
    strides[0] = strides[1] = view->itemsize;
    for (int i = 0; i < view->ndim; i++) {
        shape[2 - view->ndim + i] = view->shape[i];
        strides[2 - view->ndim + i] = view->strides[i];
    }
    if (view->ndim < 2)
        strides[0] = shape[1] * view->itemsize;
    return true;
}

static bool
array_read(const Py_buffer *view, const Py_ssize_t shape[2], const Py_ssize_t strides[2], double *to)
{
    bool swapped;
    char letter = format_letter(view, &swapped), element[16];
    size_t width = (size_t)view->itemsize;

    for (Py_ssize_t i = 0; i < shape[0]; i++)
        for (Py_ssize_t j = 0; j < shape[1]; j++) {
            const char *at = (const char *)view->buf + i * strides[0] + j * strides[1];

            if (swapped && width <= sizeof element) {
                for (size_t k = 0; k < width; k++)
                    element[k] = at[width - 1 - k];
                at = element;
            }
            if (!read_number(letter, at, to++))
                return false;
        }
    return true;
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
    Py_buffer view;
    double number;
    bool swapped;
    char zeros[16] = {0};

    if (!array_open(array, &view, PyBUF_FULL_RO))
        return NULL;
    *flat = view.ndim == 1;
    if (!array_shape(&view, shape, strides))
        goto done;
    if (!read_number(format_letter(&view, &swapped), zeros, &number) || view.suboffsets) {
        if (view.format && view.format[0] == 'O')
            goto done; /* objects: read as a sequence */
        PyErr_Format(PyExc_TypeError, "a matrix is made of real numbers, not of the array format '%s'",
                     view.format ? view.format : "B");
        goto done;
    }
    result = matrix_empty(state, shape[0], shape[1]);
    if (!result)
        goto done;
    if (is_plain_double(&view) && strides[0] % (Py_ssize_t)sizeof(double) == 0 &&
        strides[1] % (Py_ssize_t)sizeof(double) == 0)
        mk_copy(
            (size_t)shape[0], (size_t)shape[1], matrix_window((MatrixObject *)result),
            (mk_window){view.buf, strides[0] / (Py_ssize_t)sizeof(double), strides[1] / (Py_ssize_t)sizeof(double)});
    else
        (void)array_read(&view, shape, strides, ((MatrixObject *)result)->data);
done:
    PyBuffer_Release(&view);
    return result;
}

/* A matrix over an exporter's own memory; takes over `view`, which was PyMem-allocated. */
static PyObject *
matrix_over(core_state *state, Py_buffer *view, const Py_ssize_t shape[2])
{
    MatrixObject *self = matrix_new(state, 0, 0);
    matrix_buffer *buffer = self ? malloc(sizeof *buffer) : NULL;

    if (!buffer) {
        Py_XDECREF(self);
        return PyErr_NoMemory();
    }
    atomic_init(&buffer->holders, 1);
    buffer->parent = NULL;
    buffer->values = view->buf;
    buffer->capacity = 0;
    buffer->exporter = view;
    self->buffer = buffer;
    self->data = view->buf;
    self->rows = shape[0];
    self->columns = shape[1];
    self->stride.row_stride = shape[1];
    self->stride.column_stride = 1;
    self->flags = view->readonly ? MATRIX_READ_ONLY : 0;
    return (PyObject *)self;
}

PyObject *
matrix_from_buffer(METHOD_ARGS)
{
    static const args_spec spec = {"from_buffer", 1, 1, {"", NULL}};
    core_state *state = state_of_type((PyTypeObject *)self);
    Py_ssize_t shape[2], strides[2];
    PyObject *given[1], *result;
    Py_buffer *view;
    bool flat;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    if (!PyObject_CheckBuffer(given[0])) {
        PyErr_Format(PyExc_TypeError, "from_buffer() takes an object with the buffer protocol, not %s",
                     Py_TYPE(given[0])->tp_name);
        return NULL;
    }
    view = PyMem_Calloc(1, sizeof *view);
    if (!view)
        return PyErr_NoMemory();
    if (!array_open(given[0], view, PyBUF_FULL) && !array_open(given[0], view, PyBUF_FULL_RO)) {
        PyMem_Free(view);
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_BufferError, "%s gives no buffer", Py_TYPE(given[0])->tp_name);
        return NULL;
    }
    if (!array_shape(view, shape, strides))
        goto fail;
    if (is_plain_double(view) && PyBuffer_IsContiguous(view, 'C') && !view->suboffsets && shape[0] && shape[1]) {
        result = matrix_over(state, view, shape);
        if (result)
            return result;
        goto fail;
    }
    PyBuffer_Release(view);
    PyMem_Free(view);
    result = matrix_from_array(state, given[0], &flat);
    if (!result && !PyErr_Occurred())
        PyErr_Format(PyExc_TypeError, "from_buffer() found no real numbers in a %s", Py_TYPE(given[0])->tp_name);
    return result;
fail:
    PyBuffer_Release(view);
    PyMem_Free(view);
    return NULL;
}

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
    if (buffer_is_c_ordered(&from.window, from.rows, from.columns))
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

/* _restore(rows, columns, values): what a pickled matrix is read back with. The values are copied. */
PyObject *
matrix_restore(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords)
{
    static const args_spec spec = {"_restore", 3, 3, {"rows", "columns", "values", NULL}};
    PyObject *given[3], *result = NULL;
    Py_ssize_t rows, columns;
    Py_buffer view;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "rows", &rows) ||
        !args_index(given[1], "columns", &columns) || !matrix_shape_fits(rows, columns) ||
        PyObject_GetBuffer(given[2], &view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (view.len != rows * columns * (Py_ssize_t)sizeof(double))
        PyErr_Format(PyExc_ValueError, "%zd bytes are not a matrix of shape (%zd, %zd)", view.len, rows, columns);
    else
        result = matrix_empty(PyModule_GetState(module), rows, columns);
    if (result)
        memcpy(((MatrixObject *)result)->data, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return result;
}
