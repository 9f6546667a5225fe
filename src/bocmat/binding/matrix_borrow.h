/* Memory of others: what reading and borrowing arrays share with tensors. */
#ifndef BOCMAT_MATRIX_BORROW_H
#define BOCMAT_MATRIX_BORROW_H

#include "matrix_convert.h"
#include "matrix_methods.h"

/* An array as rows x columns with byte strides; false with ValueError for three dimensions. */
bool array_shape(const Py_buffer *view, Py_ssize_t shape[2], Py_ssize_t strides[2]);
/* True if a matrix can lie in that memory as it is: doubles, row by row. */
bool array_can_share(number_format format, const char *at, const Py_ssize_t shape[2], const Py_ssize_t strides[2]);
/* A new matrix with those numbers; the format is a known one. */
PyObject *matrix_of_numbers(core_state *state, number_format format, const char *at, const Py_ssize_t shape[2],
                            const Py_ssize_t strides[2]);
/* A matrix over the memory of a borrowed buffer's exporter, doubles in C order. Takes over the buffer, which is dropped
 * where that fails. */
PyObject *matrix_over(core_state *state, matrix_buffer *buffer, const Py_ssize_t shape[2]);

#endif
