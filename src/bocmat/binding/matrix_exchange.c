/* Values in and out without Python numbers: buffer protocol, arrays, pickle. */
#include "matrix_methods.h"
#include "matrix_lock.h"

#include <string.h>

/* ---- out: the buffer protocol ---- */

/* What the consumer asks of the layout. */
static bool
layout_suits(int flags, const mk_window *window, Py_ssize_t rows, Py_ssize_t columns)
{
    mk_window turned = {window->at, window->column_stride, window->row_stride};
    bool c = window_is_row_major(*window, rows, columns), fortran = window_is_row_major(turned, columns, rows);

    if ((flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS)
        return c;
    if ((flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS)
        return fortran;
    if ((flags & PyBUF_ANY_CONTIGUOUS) == PyBUF_ANY_CONTIGUOUS)
        return c || fortran;
    return (flags & PyBUF_STRIDES) == PyBUF_STRIDES || c;
}

bool
matrix_export_settle(matrix_operand *from, bool *read_only)
{
    MatrixObject *matrix = matrix_behind(from->source);

    *read_only =
        (matrix->flags & MATRIX_READ_ONLY) || (is_view(from->source) && ((MatrixViewObject *)from->source)->read_only);
    if (!matrix_usable(matrix))
        return false;
    /* Writes through the export must not reach an alias, so the values become its own first. Those that a computation
     * reads just now cannot move, and need not if they are its own already. */
    if (!(matrix->flags & MATRIX_READ_ONLY) && !(matrix->exports >= MATRIX_PIN && matrix_is_alone(matrix)) &&
        !matrix_writable(matrix))
        return false;
    return operand_settle(from);
}

int
matrix_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    matrix_operand from = {.source = self};
    Py_ssize_t *layout;
    bool read_only;

    view->obj = NULL;
    if (!matrix_export_settle(&from, &read_only))
        return -1;
    if ((flags & PyBUF_WRITABLE) && read_only) {
        PyErr_SetString(PyExc_BufferError, "the matrix is read-only");
        return -1;
    }
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
        .ndim = flags & PyBUF_ND ? 2 : 1,
        .format = flags & PyBUF_FORMAT ? (char *)(uintptr_t)"d" : NULL,
        .shape = flags & PyBUF_ND ? layout : NULL,
        .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? layout + 2 : NULL,
        .internal = layout,
    };
    exports_add(matrix_behind(self), 1);
    return 0;
}

void
matrix_releasebuffer(PyObject *self, Py_buffer *view)
{
    exports_drop(matrix_behind(self), 1);
    PyMem_Free(view->internal);
}
