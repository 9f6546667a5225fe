/* What sorting and searching share: room for a kernel to work in. */
#ifndef BOCMAT_MATRIX_ORDER_H
#define BOCMAT_MATRIX_ORDER_H

#include "matrix_methods.h"

enum {
    LONG_SORT = 1 << 14, /* elements from which on others may run meanwhile */
    SCRATCH_HERE = 64
};

/* On the stack while it is small. */
typedef struct {
    matrix_buffer *buffer;
    double *at, here[SCRATCH_HERE];
} scratch_room;

static inline bool
scratch_take(scratch_room *scratch, size_t count)
{
    scratch->buffer = NULL;
    scratch->at = scratch->here;
    if (count <= SCRATCH_HERE)
        return true;
    scratch->buffer = count <= PY_SSIZE_T_MAX / sizeof(double) ? buffer_new(count) : NULL;
    if (!scratch->buffer) {
        PyErr_NoMemory();
        return false;
    }
    scratch->at = scratch->buffer->values;
    return true;
}

static inline void
scratch_drop(scratch_room *scratch)
{
    if (scratch->buffer)
        buffer_drop(scratch->buffer);
}

static inline mk_window
row_of(double *at)
{
    return (mk_window){at, 0, 1};
}

#endif
