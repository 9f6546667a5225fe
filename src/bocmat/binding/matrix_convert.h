/* Numbers of every real format, as doubles. */
#ifndef BOCMAT_MATRIX_CONVERT_H
#define BOCMAT_MATRIX_CONVERT_H

#include "matrix_internal.h"

/* How one number lies in memory. */
typedef struct {
    char kind;    /* b bool, i signed, u unsigned, f IEEE 754 binary, g long double; 0: no real number */
    bool swapped; /* its bytes stand in the other order than this machine's */
    size_t width; /* in bytes */
} number_format;

/* Reads a one-number format of the struct module (NULL is "B"); false for any other or one that contradicts `width`. */
bool number_format_read(const char *text, Py_ssize_t width, number_format *format);
/* False for a kind that does not come in that width. */
bool number_format_known(number_format format);
/* rows x columns numbers, that many bytes from one to the next, into rows of doubles. The format is a known one. */
void numbers_read(number_format format, Py_ssize_t rows, Py_ssize_t columns, const char *at, Py_ssize_t row_step,
                  Py_ssize_t column_step, double *to);

#endif
