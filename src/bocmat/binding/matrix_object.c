/* The header of a matrix: making and freeing it, copy-on-write, ownership and hand-over.
 *
 *   data            buffer    flags  the values are
 *   inline_values   NULL             in the header, row-major
 *   inside buffer   set              in the buffer, at the strides of the header
 *   NULL            NULL             held elsewhere: only the shape answers
 *   NULL            set       SPLIT  held by tiles; split_data is where `data` was
 *   NULL            set       ADDRESSED  held elsewhere as a copy; the memory stays, since its address is known
 *
 * Borrowed memory (a buffer with an exporter) always has one holder: aliases and hand-over copy it.
 */
#include "matrix_internal.h"
#include "matrix_lock.h"

#include <string.h>

#include "matrix_dlpack.h"

enum {
    FREE_MATRICES = 256 /* headers an interpreter keeps, 32 KiB */
};

/* The count that closes the list for good, once the interpreter's module has been cleared. */
static const int FREE_CLOSED = FREE_MATRICES;

bool
matrix_shape_fits(Py_ssize_t rows, Py_ssize_t columns)
{
    if (rows < 0 || columns < 0) {
        PyErr_Format(PyExc_ValueError, "a matrix cannot have the shape (%zd, %zd)", rows, columns);
        return false;
    }
    if (columns && rows > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof(double) / columns) {
        PyErr_Format(PyExc_ValueError, "a matrix of shape (%zd, %zd) is too large to address", rows, columns);
        return false;
    }
    return true;
}

/* A header without a place for values yet. */
static MatrixObject *
header_new(core_state *state)
{
    MatrixObject *self = state->free_matrices;

    if (self) {
        state->free_matrices = (MatrixObject *)(void *)self->data;
        state->free_matrix_count--;
        object_revive((PyObject *)self);
    } else {
        self = PyObject_New(MatrixObject, state->matrix_type);
        if (!self)
            return NULL;
        state->has_matrices = true;
    }
    self->flags = 0;
    self->exports = 0;
    return self;
}

/* A new header of this shape, its values inline or in a buffer that `allocate` makes. */
static inline MatrixObject *
matrix_new_by(core_state *state, Py_ssize_t rows, Py_ssize_t columns, matrix_buffer *(*allocate)(size_t count))
{
    MatrixObject *self = header_new(state);
    Py_ssize_t size = rows * columns;

    if (!self)
        return NULL;
    self->rows = rows;
    self->columns = columns;
    if (size <= MATRIX_INLINE) {
        self->buffer = NULL;
        self->data = self->inline_values;
        return self;
    }
    self->buffer = allocate((size_t)size);
    if (!self->buffer) {
        self->data = NULL;
        Py_DECREF(self);
        PyErr_NoMemory();
        return NULL;
    }
    self->data = self->buffer->values;
    self->stride.row_stride = columns;
    self->stride.column_stride = 1;
    return self;
}

MatrixObject *
matrix_new(core_state *state, Py_ssize_t rows, Py_ssize_t columns)
{
    return matrix_new_by(state, rows, columns, buffer_new);
}

MatrixObject *
matrix_new_zeroed(core_state *state, Py_ssize_t rows, Py_ssize_t columns)
{
    MatrixObject *self = matrix_new_by(state, rows, columns, buffer_new_zeroed);

    if (self && !self->buffer)
        memset(self->inline_values, 0, (size_t)(rows * columns) * sizeof(double));
    return self;
}

PyObject *
matrix_empty(core_state *state, Py_ssize_t rows, Py_ssize_t columns)
{
    if (!matrix_shape_fits(rows, columns))
        return NULL;
    return (PyObject *)matrix_new(state, rows, columns);
}

void
matrix_dealloc(PyObject *object)
{
    MatrixObject *self = (MatrixObject *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject *module = ((PyHeapTypeObject *)type)->ht_module;

    if (self->buffer)
        buffer_drop(self->buffer);
    if (BOCMAT_GIL && module) {
        core_state *state = module_state(module);

        if (state->free_matrix_count < FREE_MATRICES) {
            self->data = (double *)(void *)state->free_matrices;
            state->free_matrices = self;
            state->free_matrix_count++;
            return;
        }
    }
    PyObject_Free(self);
    Py_DECREF(type);
}

void
matrix_free_headers(core_state *state)
{
    while (state->free_matrices) {
        MatrixObject *next = (MatrixObject *)(void *)state->free_matrices->data;
        PyTypeObject *type = Py_TYPE(state->free_matrices);

        PyObject_Free(state->free_matrices);
        Py_DECREF(type);
        state->free_matrices = next;
    }
    state->free_matrix_count = FREE_CLOSED;
}

int
matrix_traverse_state(core_state *state, visitproc visit, void *arg)
{
    for (MatrixObject *header = state->free_matrices; header; header = (MatrixObject *)(void *)header->data)
        Py_VISIT(Py_TYPE(header));
    return 0;
}

/* ---- copies and aliases ---- */

PyObject *
matrix_copy_window(core_state *state, mk_window window, Py_ssize_t rows, Py_ssize_t columns)
{
    MatrixObject *copy;

    if (shape_is_small(rows, columns)) {
        double *to;

        copy = matrix_new_small(state, rows, columns);
        if (!copy)
            return NULL;
        to = copy->inline_values;
        for (Py_ssize_t i = 0; i < rows; i++)
            for (Py_ssize_t j = 0; j < columns; j++)
                *to++ = window.at[i * window.row_stride + j * window.column_stride];
        return (PyObject *)copy;
    }
    copy = matrix_new(state, rows, columns);
    if (copy)
        values_copy((size_t)rows, (size_t)columns, matrix_window(copy), window);
    return (PyObject *)copy;
}

/* True if another header or parcel may hold the same values. */
static bool
can_share(const MatrixObject *self)
{
    return self->buffer && !self->buffer->exporter && !self->exports && !(self->flags & MATRIX_ADDRESSED);
}

/* Its own copy of values that others hold too, row-major. */
static bool
take_own_copy(MatrixObject *self)
{
    matrix_buffer *own = buffer_new((size_t)(self->rows * self->columns));

    if (!own) {
        PyErr_NoMemory();
        return false;
    }
    values_copy((size_t)self->rows, (size_t)self->columns, (mk_window){own->values, self->columns, 1},
                matrix_window(self));
    buffer_drop(self->buffer);
    self->buffer = own;
    self->data = own->values;
    self->stride.row_stride = self->columns;
    self->stride.column_stride = 1;
    return true;
}

/* Values that lie in bytes become its own before they are shared, which borrowed memory cannot be. */
static bool
leave_bytes(MatrixObject *self)
{
    bool in_bytes = self->buffer && self->buffer->exporter && !(self->flags & MATRIX_READ_ONLY) &&
                    self->buffer->exporter->readonly && !self->exports;

    return !in_bytes || take_own_copy(self);
}

PyObject *
matrix_alias(core_state *state, MatrixObject *self, bool transposed)
{
    Py_ssize_t rows = self->rows, columns = self->columns;
    MatrixObject *alias;
    mk_window window;

    if (!leave_bytes(self))
        return NULL;
    window = matrix_window(self);
    if (transposed) {
        window = (mk_window){window.at, window.column_stride, window.row_stride};
        rows = self->columns;
        columns = self->rows;
    }
    if (!can_share(self))
        return matrix_copy_window(state, window, rows, columns);
    alias = header_new(state);
    if (!alias)
        return NULL;
    buffer_hold(self->buffer);
    alias->buffer = self->buffer;
    alias->data = self->data;
    alias->rows = rows;
    alias->columns = columns;
    alias->stride.row_stride = window.row_stride;
    alias->stride.column_stride = window.column_stride;
    return (PyObject *)alias;
}

PyObject *
matrix_snapshot(core_state *state, PyObject *self)
{
    matrix_operand from = {.source = self};
    PyObject *still;

    if (!operand_settle(&from))
        return NULL;
    if (is_matrix(self) && window_is_row_major(from.window, from.rows, from.columns))
        still = matrix_alias(state, (MatrixObject *)self, false);
    else
        still = matrix_copy_window(state, from.window, from.rows, from.columns);
    if (still)
        ((MatrixObject *)still)->flags |= MATRIX_READ_ONLY;
    return still;
}

/* ---- use ---- */

void
matrix_refuse(MatrixObject *self)
{
    if (self->flags & MATRIX_SPLIT)
        PyErr_Format(PyExc_RuntimeError,
                     "the matrix of shape (%zd, %zd) is split into tiles; join them to use it again", self->rows,
                     self->columns);
    else
        PyErr_Format(PyExc_RuntimeError,
                     "the matrix of shape (%zd, %zd) is held elsewhere: a cown, a behavior or a message has its values",
                     self->rows, self->columns);
}

bool
matrix_usable(MatrixObject *self)
{
    if (self->data)
        return true;
    matrix_refuse(self);
    return false;
}

bool
matrix_writable(MatrixObject *self)
{
    if (!matrix_usable(self))
        return false;
    if (self->flags & MATRIX_READ_ONLY) {
        PyErr_Format(PyExc_RuntimeError, "the matrix of shape (%zd, %zd) is read-only: %s", self->rows, self->columns,
                     self->buffer && self->buffer->exporter
                         ? "it lies in memory that must not be written"
                         : "it was read through read() or from the noticeboard; copy() it first");
        return false;
    }
    if (self->exports >= MATRIX_PIN) {
        PyErr_Format(PyExc_BufferError, "the matrix of shape (%zd, %zd) takes part in a computation of another thread",
                     self->rows, self->columns);
        return false;
    }
    return matrix_is_alone(self) || take_own_copy(self);
}

/* ---- hand-over ---- */

bool
matrix_is_exported(MatrixObject *self)
{
    if (self->exports)
        tensors_collect(state_of((PyObject *)self)->tensors);
    return self->exports != 0;
}

bool
matrix_can_leave(MatrixObject *self)
{
    if (!matrix_usable(self))
        return false;
    if (matrix_is_exported(self)) {
        PyErr_Format(
            PyExc_BufferError,
            "the matrix of shape (%zd, %zd) is in use by a memoryview, an array or a computation and cannot be "
            "handed over",
            self->rows, self->columns);
        return false;
    }
    if ((self->flags & MATRIX_ADDRESSED) && self->buffer && self->buffer->exporter) {
        PyErr_Format(PyExc_BufferError,
                     "the matrix of shape (%zd, %zd) lies in borrowed memory whose address __array_interface__ gave "
                     "away; hand over a copy()",
                     self->rows, self->columns);
        return false;
    }
    if ((self->flags & MATRIX_READ_ONLY) && !(self->buffer && self->buffer->exporter)) {
        PyErr_Format(PyExc_RuntimeError,
                     "the matrix of shape (%zd, %zd) belongs to a cown held with read(); hand over a copy()",
                     self->rows, self->columns);
        return false;
    }
    return true;
}

/* A parcel with a row-major copy of the values: 0 or -1. */
static int
parcel_copy_values(const MatrixObject *self, matrix_parcel *parcel)
{
    matrix_buffer *buffer = buffer_new((size_t)(self->rows * self->columns));

    if (!buffer) {
        PyErr_NoMemory();
        return -1;
    }
    values_copy((size_t)self->rows, (size_t)self->columns, (mk_window){buffer->values, self->columns, 1},
                matrix_window(self));
    *parcel = (matrix_parcel){buffer, buffer->values, self->rows, self->columns, self->columns, 1};
    return 0;
}

static matrix_parcel
parcel_of(const MatrixObject *self)
{
    return (matrix_parcel){
        self->buffer, self->data, self->rows, self->columns, self->stride.row_stride, self->stride.column_stride};
}

/* Lets go of the values, but for memory whose address is known. */
static void
header_release(MatrixObject *self)
{
    self->data = NULL;
    if (!self->buffer || self->flags & MATRIX_ADDRESSED)
        return;
    buffer_drop(self->buffer);
    self->buffer = NULL;
}

static int
header_leave(MatrixObject *self, matrix_parcel *parcel)
{
    if (can_share(self)) {
        *parcel = parcel_of(self);
        self->buffer = NULL;
        self->data = NULL;
        return 0;
    }
    if (parcel_copy_values(self, parcel) < 0)
        return -1;
    header_release(self);
    self->flags &= ~(uint32_t)MATRIX_READ_ONLY; /* it was the borrowed memory that must not be written */
    return 0;
}

int
matrix_leave(MatrixObject *self, matrix_parcel *parcel)
{
    int status = -1;

    MATRIX_BEGIN((PyObject *)self);
    /* Without a GIL another thread may have handed it over since the caller asked. */
    if (BOCMAT_GIL || matrix_can_leave(self))
        status = header_leave(self, parcel);
    MATRIX_END();
    return status;
}

/* Puts a parcel into a header that holds nothing. Few values go back inline, but for a tile's: they have a place. */
static void
header_receive(MatrixObject *self, matrix_parcel *parcel)
{
    bool stays = (self->flags & MATRIX_ADDRESSED) && self->buffer;

    self->rows = parcel->rows;
    self->columns = parcel->columns;
    if (stays) { /* where they were before: no operation changes how many there are */
        self->data = self->buffer->values;
        self->stride.row_stride = self->columns;
        self->stride.column_stride = 1;
        values_copy((size_t)self->rows, (size_t)self->columns, matrix_window(self),
                    (mk_window){parcel->data, parcel->row_stride, parcel->column_stride});
        buffer_drop(parcel->buffer);
    } else if (parcel->rows * parcel->columns <= MATRIX_INLINE && !parcel->buffer->parent) {
        self->buffer = NULL;
        self->data = self->inline_values;
        values_copy((size_t)self->rows, (size_t)self->columns, matrix_window(self),
                    (mk_window){parcel->data, parcel->row_stride, parcel->column_stride});
        buffer_drop(parcel->buffer);
    } else {
        self->buffer = parcel->buffer;
        self->data = parcel->data;
        self->stride.row_stride = parcel->row_stride;
        self->stride.column_stride = parcel->column_stride;
    }
    parcel->buffer = NULL;
}

void
matrix_return(MatrixObject *self, matrix_parcel *parcel)
{
    MATRIX_BEGIN((PyObject *)self);
    header_receive(self, parcel);
    MATRIX_END();
}

int
matrix_share(MatrixObject *self, matrix_parcel *parcel)
{
    int status = -1;

    MATRIX_BEGIN((PyObject *)self);
    if (!matrix_usable(self) || !leave_bytes(self)) {
        status = -1;
    } else if (!can_share(self)) {
        status = parcel_copy_values(self, parcel);
    } else {
        buffer_hold(self->buffer);
        *parcel = parcel_of(self);
        status = 0;
    }
    MATRIX_END();
    return status;
}

PyObject *
matrix_arrive(core_state *state, matrix_parcel *parcel, uint32_t flags)
{
    MatrixObject *self = header_new(state);

    if (!self) {
        parcel_drop(parcel);
        return NULL;
    }
    header_receive(self, parcel);
    self->flags = flags;
    return (PyObject *)self;
}

void
matrix_revoke(MatrixObject *self)
{
    /* An export keeps its share of the values, which whoever writes next copies. */
    if (self->data && !self->exports)
        header_release(self);
}

void
parcel_drop(matrix_parcel *parcel)
{
    if (parcel->buffer)
        buffer_drop(parcel->buffer);
    parcel->buffer = NULL;
}

void
parcel_copy_handle(matrix_parcel *to, const matrix_parcel *from)
{
    *to = *from;
    buffer_hold(to->buffer);
}

/* ---- long computations ---- */

void
matrix_unlock(matrix_unlocked *unlocked, bool is_long, matrix_operand *const *operands, int count)
{
    int pinned = 0;

    unlocked->saved = NULL;
    if (!is_long)
        return;
    for (int i = 0; i < count && pinned < 4; i++) {
        PyObject *source = operands[i]->source;

        if (!source)
            continue;
        unlocked->pinned[pinned] = is_matrix(source) ? (MatrixObject *)source : ((MatrixViewObject *)source)->matrix;
        exports_add(unlocked->pinned[pinned++], MATRIX_PIN);
    }
    for (; pinned < 4; pinned++)
        unlocked->pinned[pinned] = NULL;
    unlocked->saved = PyEval_SaveThread();
}

void
matrix_lock(matrix_unlocked *unlocked)
{
    if (!unlocked->saved)
        return;
    PyEval_RestoreThread(unlocked->saved);
    for (int i = 0; i < 4 && unlocked->pinned[i]; i++)
        exports_drop(unlocked->pinned[i], MATRIX_PIN);
}
