/* Keys that are no window: lists of positions, masks, arrays of either. matrix_key.c reads them, matrix_gather.c and
 * matrix_scatter.c go through them. */
#ifndef BOCMAT_MATRIX_PICK_H
#define BOCMAT_MATRIX_PICK_H

#include "matrix_internal.h"

enum { PICK_FEW = 16 /* positions that need no memory of their own */ };

typedef enum {
    LIST_POSITIONS,
    LIST_TRUTHS, /* booleans */
    LIST_EITHER  /* doubles: the shape says which */
} list_kind;

/* A list as it was given; list_positions makes it one of positions. Holds pointers into itself. */
typedef struct {
    ptrdiff_t *at; /* `few`, or in `memory` */
    matrix_buffer *memory;
    PyObject *values;         /* doubles that have not been read yet, a Matrix or MatrixView; NULL if `at` holds all */
    Py_ssize_t rows, columns; /* its own shape: a flat one is 1 x n */
    bool flat;
    list_kind kind;
    ptrdiff_t few[PICK_FEW];
} pick_list;

typedef enum {
    PICK_ROWS,    /* positions of rows, a window of columns */
    PICK_COLUMNS, /* a window of rows, positions of columns */
    PICK_PAIRS,   /* a position of either for each element */
    PICK_MASK     /* the elements where a mask of the matrix's own shape is 1 */
} pick_kind;

typedef struct {
    pick_kind kind;
    matrix_key key; /* the axis that is a window, and the shape all of it was read for */
    pick_list row, column;
    matrix_operand mask;
    ptrdiff_t *offsets; /* of pairs, once settled */
    matrix_buffer *offset_memory;
    Py_ssize_t rows, columns; /* of what is picked; a mask's columns are known once settled */
} matrix_picks;

/* True if a key, or a part of a key that is a pair, is a list, a mask or an array. */
bool picks_asked(PyObject *key);
/* Reads a key that is none. Drop the picks whatever the answer. */
bool picks_take(core_state *state, PyObject *key, Py_ssize_t rows, Py_ssize_t columns, matrix_picks *picks);
/* The same where `part` counts along one axis (0: rows) of a matrix of which the other is taken whole. */
bool picks_take_line(core_state *state, PyObject *part, int axis, Py_ssize_t rows, Py_ssize_t columns,
                     matrix_picks *picks);
/* Positions along an axis (0 rows, ARGS_NO_AXIS all elements row by row); one for every line across it. */
bool picks_take_axis(core_state *state, PyObject *indices, int axis, Py_ssize_t rows, Py_ssize_t columns,
                     matrix_picks *picks);
bool picks_take_along(core_state *state, PyObject *indices, int axis, Py_ssize_t rows, Py_ssize_t columns,
                      matrix_picks *picks);
void picks_drop(matrix_picks *picks);
/* Nothing in them yet. */
void picks_clear(matrix_picks *picks, Py_ssize_t rows, Py_ssize_t columns);
/* Two lists of positions, which broadcast, become pairs. */
bool picks_pair(matrix_picks *picks);
/* Finds the offsets and counts the mask, after `matrix`, which they pick from, was settled for good. */
bool picks_settle(core_state *state, matrix_picks *picks, const matrix_operand *matrix);
/* False with RuntimeError if the matrix has another shape than that the key was read for. */
bool key_still_fits(const matrix_key *key, Py_ssize_t rows, Py_ssize_t columns);

/* Positions in one dimension: an int, a list of ints, an array or a matrix of whole numbers; booleans are refused. */
bool list_take(core_state *state, PyObject *indices, Py_ssize_t length, const char *axis, pick_list *list);
/* True for a list, a tuple, a range, an array or a matrix; false for what is one index, slice or mistake. */
bool part_is_list(PyObject *part);
/* Reads one, of any shape; drop the list whatever the answer. */
bool list_read(core_state *state, PyObject *from, pick_list *list);
/* What the shape of a Matrix says that it is along one axis of a matrix of rows x columns. */
bool list_decide(pick_list *list, int axis, Py_ssize_t rows, Py_ssize_t columns);
/* Makes it one of positions, counted from the start. Runs no Python code but for errors. */
bool list_positions(pick_list *list, Py_ssize_t length, const char *axis);
/* The same in one dimension. */
bool list_along(pick_list *list, Py_ssize_t length, const char *axis);
/* Room for so many in `at`. */
bool list_room(pick_list *list, Py_ssize_t count);
void list_clear(pick_list *list);
void list_drop(pick_list *list);

static inline Py_ssize_t
list_count(const pick_list *list)
{
    return list->rows * list->columns;
}

/* What the picks select, as a new matrix or in `result`. */
PyObject *picks_read(core_state *state, const char *what, PyObject *self, matrix_picks *picks, matrix_result *result);
/* Writes `value` there, or adds it. 0 or -1. */
int picks_write(core_state *state, PyObject *target, matrix_picks *picks, PyObject *value, bool add);

/* self[key] = value for a key of lists and masks; with an axis, for a key that counts along that one. 0 or -1. */
int assign_picks(PyObject *self, PyObject *key, int axis, Py_ssize_t rows, Py_ssize_t columns, PyObject *value);

/* A value for rows x columns: broadcasts, or is a sequence for one column. */
bool value_fits(matrix_operand *value, Py_ssize_t rows, Py_ssize_t columns, bool any_orientation);
/* Copies an operand that overlaps `out` at all, the same elements in the same order included. */
bool operand_detach_moved(core_state *state, matrix_operand *operand, const matrix_operand *out);

#endif
