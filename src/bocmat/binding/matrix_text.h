/* Text that grows, and numbers in it. */
#ifndef BOCMAT_MATRIX_TEXT_H
#define BOCMAT_MATRIX_TEXT_H

#include "matrix_methods.h"

/* `failed` once memory ran out, with MemoryError set; then nothing is added any more. Starts as {0}. */
typedef struct {
    char *at;
    size_t length, capacity;
    bool failed;
} text;

void text_add(text *to, const char *piece, size_t length);
void text_put(text *to, const char *piece);
/* The shortest digits that read back as the same double; what is not finite as nan, inf and -inf. */
void text_number(text *to, double value);
/* Gives the text as a str, NULL with an exception if it failed, and frees it. */
PyObject *text_finish(text *from);

#endif
