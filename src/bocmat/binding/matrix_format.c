/* repr, str and format. */
#include "matrix_text.h"

#include <math.h>
#include <stdio.h>

enum {
    REPR_ALL = 100, /* elements that repr writes out */
    REPR_EDGE = 3,  /* otherwise this many at either end */
    STR_ALL = 400,  /* elements that str writes out */
    STR_EDGE = 3,   /* otherwise so many rows and columns at either edge */
    STR_DIGITS = 6
};

/* As a Python expression. */
static void
text_expression(text *to, double value)
{
    if (isnan(value))
        text_put(to, "float('nan')");
    else if (isinf(value))
        text_put(to, value > 0 ? "float('inf')" : "float('-inf')");
    else
        text_number(to, value);
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
        text_expression(&out, element_at(&from, i));
    }
    text_put(&out, size ? "])" : ")");
    return text_finish(&out);
}

/* ---- str and format: rows in brackets, columns aligned ---- */

/* The elements that are shown: all of a small matrix, of a large one those at the edges. */
typedef struct {
    Py_ssize_t rows, columns;
    bool rows_cut, columns_cut; /* dots stand after the first STR_EDGE */
    double values[STR_ALL];
    text cells;           /* their texts one after the other, */
    size_t ends[STR_ALL]; /* where each ends, */
    Py_ssize_t widest;    /* and the characters of the widest */
} shown_grid;

static Py_ssize_t
shown_at(Py_ssize_t at, Py_ssize_t length, bool cut)
{
    return cut && at >= STR_EDGE ? length - 2 * STR_EDGE + at : at;
}

static void
grid_take(shown_grid *grid, const matrix_operand *from)
{
    bool all = from->rows * from->columns <= STR_ALL;

    grid->rows_cut = from->rows > 2 * STR_EDGE && (!all || from->rows > STR_ALL);
    grid->columns_cut = from->columns > 2 * STR_EDGE && (!all || from->columns > STR_ALL);
    grid->rows = grid->rows_cut ? 2 * STR_EDGE : from->rows;
    grid->columns = grid->columns_cut ? 2 * STR_EDGE : from->columns;
    for (Py_ssize_t i = 0; i < grid->rows; i++)
        for (Py_ssize_t j = 0; j < grid->columns; j++)
            grid->values[i * grid->columns + j] =
                from->window.at[shown_at(i, from->rows, grid->rows_cut) * from->window.row_stride +
                                shown_at(j, from->columns, grid->columns_cut) * from->window.column_stride];
}

static Py_ssize_t
characters(const char *at, size_t length)
{
    Py_ssize_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)at[i] & 0xC0) != 0x80; /* not inside a character of UTF-8 */
    return count;
}

/* One element's text by `spec`, or in a few digits; false with an exception. */
static bool
cell_write(text *to, double value, PyObject *spec)
{
    PyObject *number = NULL, *formatted = NULL;
    const char *piece = NULL;
    Py_ssize_t length;

    if (!spec) {
        char *digits = PyOS_double_to_string(value, 'g', STR_DIGITS, 0, NULL);

        if (digits)
            text_put(to, digits);
        PyMem_Free(digits);
        return digits != NULL;
    }
    number = PyFloat_FromDouble(value);
    if (number)
        formatted = PyObject_Format(number, spec);
    if (formatted)
        piece = PyUnicode_AsUTF8AndSize(formatted, &length);
    if (piece)
        text_add(to, piece, (size_t)length);
    Py_XDECREF(number);
    Py_XDECREF(formatted);
    return piece != NULL;
}

static bool
grid_write(shown_grid *grid, PyObject *spec)
{
    for (Py_ssize_t i = 0; i < grid->rows * grid->columns; i++) {
        size_t before = grid->cells.length;
        Py_ssize_t width;

        if (!cell_write(&grid->cells, grid->values[i], spec) || grid->cells.failed)
            return false;
        grid->ends[i] = grid->cells.length;
        width = characters(grid->cells.at + before, grid->cells.length - before);
        grid->widest = width > grid->widest ? width : grid->widest;
    }
    if (grid->columns_cut && grid->widest < 3)
        grid->widest = 3;
    return true;
}

static void
text_aligned(text *out, const char *piece, size_t length, Py_ssize_t width)
{
    for (Py_ssize_t i = characters(piece, length); i < width; i++)
        text_add(out, " ", 1);
    text_add(out, piece, length);
}

static void
text_row(text *out, const shown_grid *grid, Py_ssize_t row)
{
    text_put(out, "[");
    for (Py_ssize_t j = 0; j < grid->columns; j++) {
        Py_ssize_t at = row * grid->columns + j;
        size_t begin = at ? grid->ends[at - 1] : 0;

        if (j)
            text_put(out, " ");
        if (grid->columns_cut && j == STR_EDGE) {
            text_aligned(out, "...", 3, grid->widest);
            text_put(out, " ");
        }
        text_aligned(out, grid->cells.at + begin, grid->ends[at] - begin, grid->widest);
    }
    text_put(out, "]");
}

static PyObject *
matrix_laid_out(PyObject *self, PyObject *spec)
{
    matrix_operand from = {.source = self};
    const MatrixObject *matrix = is_view(self) ? ((MatrixViewObject *)self)->matrix : (MatrixObject *)self;
    shown_grid *grid = matrix->data ? PyMem_Calloc(1, sizeof *grid) : NULL;
    PyObject *result = NULL;
    text out = {0};

    if (!matrix->data)
        return matrix_repr(self);
    if (!grid)
        return PyErr_NoMemory();
    if (!operand_settle(&from)) {
        PyErr_Clear();
        PyMem_Free(grid);
        return matrix_repr(self);
    }
    grid_take(grid, &from);
    if (grid_write(grid, spec)) {
        text_put(&out, "[");
        for (Py_ssize_t i = 0; i < grid->rows; i++) {
            if (i)
                text_put(&out, "\n ");
            if (grid->rows_cut && i == STR_EDGE)
                text_put(&out, "...\n ");
            text_row(&out, grid, i);
        }
        text_put(&out, "]");
        result = text_finish(&out);
    }
    PyMem_Free(grid->cells.at);
    PyMem_Free(grid);
    return result;
}

PyObject *
matrix_str(PyObject *self)
{
    return matrix_laid_out(self, NULL);
}

PyObject *
matrix_format(METHOD_ARGS)
{
    static const args_spec spec = {"__format__", 1, 1, {"", NULL}};
    PyObject *given[1], *zero, *checked;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    if (!PyUnicode_Check(given[0]))
        return PyErr_Format(PyExc_TypeError, "a format is a str, not %s", Py_TYPE(given[0])->tp_name);
    if (!PyUnicode_GET_LENGTH(given[0]))
        return matrix_laid_out(self, NULL);
    zero = PyFloat_FromDouble(0.0); /* a wrong format is wrong for no elements too */
    checked = zero ? PyObject_Format(zero, given[0]) : NULL;
    Py_XDECREF(zero);
    if (!checked)
        return NULL;
    Py_DECREF(checked);
    return matrix_laid_out(self, given[0]);
}
