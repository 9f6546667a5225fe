/* repr and str. */
#include "matrix_methods.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    REPR_ALL = 100, /* elements that repr writes out */
    REPR_EDGE = 3,  /* otherwise this many at either end */
    STR_ALL = 400,  /* elements that str writes out */
    STR_EDGE = 3,   /* otherwise so many rows and columns at either edge */
    STR_DIGITS = 6
};

/* Text that grows; `failed` once memory ran out, with MemoryError set. */
typedef struct {
    char *at;
    size_t length, capacity;
    bool failed;
} text;

static void
text_add(text *to, const char *piece, size_t length)
{
    if (to->failed)
        return;
    if (to->length + length > to->capacity) {
        size_t capacity = (to->length + length) * 2 + 64;
        char *grown = PyMem_Realloc(to->at, capacity);

        if (!grown) {
            to->failed = true;
            PyErr_NoMemory();
            return;
        }
        to->at = grown;
        to->capacity = capacity;
    }
    memcpy(to->at + to->length, piece, length);
    to->length += length;
}

static void
text_put(text *to, const char *piece)
{
    text_add(to, piece, strlen(piece));
}

static PyObject *
text_finish(text *from)
{
    PyObject *result = from->failed ? NULL : PyUnicode_DecodeASCII(from->at, (Py_ssize_t)from->length, NULL);

    PyMem_Free(from->at);
    return result;
}

/* The shortest digits that read back as the same double, as a Python expression. */
static void
text_number(text *to, double value)
{
    char *digits;

    if (isnan(value)) {
        text_put(to, "float('nan')");
        return;
    }
    if (isinf(value)) {
        text_put(to, value > 0 ? "float('inf')" : "float('-inf')");
        return;
    }
    if (value == 0.0 && signbit(value)) {
        text_put(to, "-0.0"); /* the int -0 has no sign */
        return;
    }
    digits = PyOS_double_to_string(value, 'r', 0, 0, NULL);
    if (!digits) {
        to->failed = true;
        return;
    }
    text_put(to, digits);
    PyMem_Free(digits);
}

static double
element_at(const matrix_operand *from, Py_ssize_t flat)
{
    return from->window
        .at[flat / from->columns * from->window.row_stride + flat % from->columns * from->window.column_stride];
}

PyObject *
matrix_repr(PyObject *self)
{
    matrix_operand from = {.source = self};
    const char *name = is_view(self) ? "MatrixView" : "Matrix";
    const MatrixObject *matrix = is_view(self) ? ((MatrixViewObject *)self)->matrix : (MatrixObject *)self;
    text out = {0};
    char head[96];
    Py_ssize_t size;

    shape_of(self, &from.rows, &from.columns);
    if (!matrix->data)
        return PyUnicode_FromFormat("<%s of shape (%zd, %zd), %s>", name, from.rows, from.columns,
                                    matrix->flags & MATRIX_SPLIT ? "split into tiles" : "held elsewhere");
    if (!operand_settle(&from)) {
        PyErr_Clear();
        return PyUnicode_FromFormat("<%s of shape (%zd, %zd), its matrix has another shape now>", name, from.rows,
                                    from.columns);
    }
    size = from.rows * from.columns;
    (void)snprintf(head, sizeof head, "%s(%zd, %zd", name, from.rows, from.columns);
    text_put(&out, head);
    if (size)
        text_put(&out, ", [");
    for (Py_ssize_t i = 0; i < size; i++) {
        if (size > REPR_ALL && i == REPR_EDGE) {
            text_put(&out, ", ...");
            i = size - REPR_EDGE;
        }
        if (i)
            text_put(&out, ", ");
        text_number(&out, element_at(&from, i));
    }
    text_put(&out, size ? "])" : ")");
    return text_finish(&out);
}

/* ---- str: rows in brackets, columns aligned ---- */

static int
short_number(char *to, size_t length, double value)
{
    return snprintf(to, length, "%.*g", STR_DIGITS, value);
}

/* Steps over the middle of a long axis; -1 stands for the dots. */
static Py_ssize_t
next_shown(Py_ssize_t at, Py_ssize_t length, bool all)
{
    if (at < 0)
        return length - STR_EDGE;
    return !all && length > 2 * STR_EDGE && at == STR_EDGE - 1 ? -1 : at + 1;
}

static int
widest(const matrix_operand *from, bool all)
{
    char digits[40];
    int width = 1;

    for (Py_ssize_t i = 0; i < from->rows; i = next_shown(i, from->rows, all))
        for (Py_ssize_t j = 0; i >= 0 && j < from->columns; j = next_shown(j, from->columns, all)) {
            int length = j < 0 ? 3 : short_number(digits, sizeof digits, element_at(from, i * from->columns + j));

            width = length > width ? length : width;
        }
    return width;
}

static void
text_row(text *out, const matrix_operand *from, Py_ssize_t row, bool all, int width)
{
    char digits[40], padded[80];

    text_put(out, "[");
    for (Py_ssize_t j = 0; j < from->columns; j = next_shown(j, from->columns, all)) {
        if (j < 0)
            (void)snprintf(digits, sizeof digits, "...");
        else
            (void)short_number(digits, sizeof digits, element_at(from, row * from->columns + j));
        (void)snprintf(padded, sizeof padded, "%s%*s", j ? " " : "", width, digits);
        text_put(out, padded);
    }
    text_put(out, "]");
}

PyObject *
matrix_str(PyObject *self)
{
    matrix_operand from = {.source = self};
    const MatrixObject *matrix = is_view(self) ? ((MatrixViewObject *)self)->matrix : (MatrixObject *)self;
    text out = {0};
    bool all;
    int width;

    if (!matrix->data)
        return matrix_repr(self);
    if (!operand_settle(&from)) {
        PyErr_Clear();
        return matrix_repr(self);
    }
    all = from.rows * from.columns <= STR_ALL;
    width = widest(&from, all);
    text_put(&out, "[");
    for (Py_ssize_t i = 0; i < from.rows; i = next_shown(i, from.rows, all)) {
        if (i)
            text_put(&out, "\n ");
        if (i < 0)
            text_put(&out, "...");
        else
            text_row(&out, &from, i, all, width);
    }
    text_put(&out, "]");
    return text_finish(&out);
}
