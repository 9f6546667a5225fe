/* DLPack's structures, for matrix_dlpack.c and matrix_from_dlpack.c. */
#ifndef BOCMAT_MATRIX_TENSOR_H
#define BOCMAT_MATRIX_TENSOR_H

#include "matrix_borrow.h"

typedef struct {
    void *data;
    struct {
        int32_t type, number;
    } device;
    int32_t ndim;
    struct {
        uint8_t code, bits;
        uint16_t lanes;
    } dtype;
    int64_t *shape;
    int64_t *strides; /* in elements; NULL: one after the other, row by row */
    uint64_t byte_offset;
} dl_tensor;

typedef struct dl_managed {
    dl_tensor tensor;
    void *context;
    void (*deleter)(struct dl_managed *self);
} dl_managed;

typedef struct dl_versioned {
    struct {
        uint32_t major, minor;
    } version;
    void *context;
    void (*deleter)(struct dl_versioned *self);
    uint64_t flags;
    dl_tensor tensor;
} dl_versioned;

enum { DL_PROCESSOR = 1, DL_INT = 0, DL_UINT = 1, DL_FLOAT = 2, DL_BOOL = 6 };
enum { DL_READ_ONLY = 1, DL_COPIED = 2, DL_MAJOR = 1, DL_MINOR = 0 };

#define DL_PLAIN     "dltensor"
#define DL_VERSIONED "dltensor_versioned"

/* Two ints, as a version or a device is given; false with TypeError. */
bool tensor_two_numbers(PyObject *value, const char *what, Py_ssize_t numbers[2]);

static inline bool
tensor_is_given(PyObject *value)
{
    return value && value != Py_None;
}

#endif
