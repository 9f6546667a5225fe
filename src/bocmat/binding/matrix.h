/* The matrix: layout, ownership, hand-over. What the rest of the binding knows of it. */
#ifndef BOCMAT_MATRIX_H
#define BOCMAT_MATRIX_H

#include "state.h"

#include <stdatomic.h>

#include "../../../kernels/mk.h"

/* Values of a large matrix: one C allocation, counted, shared copy-on-write by the headers and parcels that hold it.
 * Whoever writes while `holders` is above 1 takes a copy first; only a holder can add a holder, so a holder that
 * reads 1 (acquire) is alone and stays alone. Dropping is a release decrement; the last one frees.
 *
 * A tile's buffer has a `parent`: its values lie inside the parent's, disjoint from every other tile's, and it keeps
 * the parent alive. Borrowed memory (from_buffer) has an exporter, a Py_buffer that can only be released in its own
 * interpreter, and so never travels: hand-over copies it. Memory of a tensor is given back otherwise, but alike. Where
 * the exporter is read-only, either the header is too, or the memory is that of bytes: then whoever writes takes a
 * copy. */
typedef struct matrix_buffer {
    atomic_size_t holders;
    struct matrix_buffer *parent;
    double *values;
    size_t capacity; /* doubles, as recycled; 0 for tiles and borrowed memory */
    Py_buffer *exporter;
} matrix_buffer;

enum {
    MATRIX_INLINE = 9 /* values a header holds itself: a header is then 128 bytes */
};

enum { MATRIX_PIN = 1 << 20 };

enum {
    MATRIX_READ_ONLY = 1, /* inside read(cown), or borrowed from a read-only exporter: writing raises */
    MATRIX_SPLIT = 2,     /* held by its own tiles */
    MATRIX_ADDRESSED = 4  /* __array_interface__ gave its address away, for nobody knows how long: the memory stays */
};

typedef struct MatrixObject {
    PyObject_HEAD
    double *data; /* NULL: held elsewhere. Otherwise `inline_values` or inside the buffer */
    Py_ssize_t rows, columns;
    matrix_buffer *buffer; /* NULL: the values are inline, row-major */
    uint32_t flags;
    uint32_t exports; /* live memoryviews, ndarrays and other consumers; in steps of MATRIX_PIN, computations that
                         run without the GIL */
    union {
        double inline_values[MATRIX_INLINE];
        struct {
            Py_ssize_t row_stride, column_stride; /* in elements; a transpose swaps them, a tile's row stride is its
                                                     parent's */
            double *split_data;                   /* where `data` was, while the tiles hold the values */
        } stride;
    };
} MatrixObject;

/* A matrix on its way between owners: no Python object, no interpreter; move it with memcpy. Always a buffer, never
 * inline, never borrowed memory. */
typedef struct {
    matrix_buffer *buffer;
    double *data;
    Py_ssize_t rows, columns, row_stride, column_stride;
} matrix_parcel;

#define matrix_check(state, object) Py_IS_TYPE(object, (state)->matrix_type)

/* New, values unset. NULL with MemoryError or ValueError (negative or overflowing shape, named in the message). */
PyObject *matrix_empty(core_state *state, Py_ssize_t rows, Py_ssize_t columns);

/* True if its values can be used here and now; otherwise false with a RuntimeError that says where they are. */
bool matrix_usable(MatrixObject *self);
/* The same for writing: a read-only matrix raises, a shared buffer is copied first. */
bool matrix_writable(MatrixObject *self);

static inline mk_window
matrix_window(const MatrixObject *self)
{
    if (!self->buffer)
        return (mk_window){self->data, self->columns, 1};
    return (mk_window){self->data, self->stride.row_stride, self->stride.column_stride};
}

/* Hand-over. `matrix_can_leave` raises (BufferError while exported, RuntimeError if not held or read-only) and changes
 * nothing; after it answered true, `matrix_leave` fails only for want of memory or, without a GIL, because another
 * thread was faster. After leaving, the header stays
 * with its shape and refuses every use until `matrix_return` puts the values back into that same header. */
bool matrix_can_leave(MatrixObject *self);
int matrix_leave(MatrixObject *self, matrix_parcel *parcel);
void matrix_return(MatrixObject *self, matrix_parcel *parcel);
/* A second holder of the same values, copy-on-write (a capture, the noticeboard). 0 or -1. */
int matrix_share(MatrixObject *self, matrix_parcel *parcel);
/* A new header over the parcel, which is consumed even on failure. `flags` is 0 or MATRIX_READ_ONLY. */
PyObject *matrix_arrive(core_state *state, matrix_parcel *parcel, uint32_t flags);

/* The right to read a matrix of read(cown) is over: names left for it refuse every use. */
void matrix_revoke(MatrixObject *self);

/* The rest needs no interpreter. */
void parcel_drop(matrix_parcel *parcel);
void parcel_copy_handle(matrix_parcel *to, const matrix_parcel *from); /* one more holder */

#endif
