/* What the files matrix_*.c share among themselves; the rest of the binding includes matrix.h.
 *
 * Every operation takes the same steps in the same order:
 *   take     arguments are converted; this may run any Python code
 *   settle   windows are read off the operands; from here on no Python code runs, so they stay true
 *   compute  a kernel, without the GIL if it is long (matrix_unlock pins the operands meanwhile)
 */
#ifndef BOCMAT_MATRIX_INTERNAL_H
#define BOCMAT_MATRIX_INTERNAL_H

#include "args.h"
#include "matrix.h"

#include <string.h>

/* ---- matrix_buffer.c: memory ---- */

/* A buffer of at least `count` doubles, one holder; NULL for want of memory (no exception: needs no interpreter). */
matrix_buffer *buffer_new(size_t count);
/* The same, all zeros: a large one takes pages that are zero already, and costs nothing until it is used. */
matrix_buffer *buffer_new_zeroed(size_t count);
/* A buffer that lies inside `parent`, which gets one more holder. */
matrix_buffer *buffer_new_tile(matrix_buffer *parent, double *values);
/* A buffer over memory of others, whose `exporter` is a view that holds nothing yet; its holder sets `values`. */
matrix_buffer *buffer_new_borrowed(void);
/* Such a buffer is given back by that call instead of releasing the view. */
void buffer_give_back_by(matrix_buffer *buffer, void (*give_back)(void *owner), void *owner);
/* What it takes itself: a tile and borrowed memory without the values, which others own. */
size_t buffer_bytes(const matrix_buffer *buffer);
/* One holder less. Borrowed memory can only be dropped in its own interpreter. */
void buffer_drop(matrix_buffer *buffer);

static inline void
buffer_hold(matrix_buffer *buffer)
{
    atomic_fetch_add_explicit(&buffer->holders, 1, memory_order_relaxed);
}

/* True for the only holder; it then stays the only one until it shares the buffer itself. */
static inline bool
buffer_alone(matrix_buffer *buffer)
{
    return atomic_load_explicit(&buffer->holders, memory_order_acquire) == 1;
}

/* ---- matrix_object.c: headers ---- */

void matrix_dealloc(PyObject *self);
/* matrix_empty for a shape that has been checked. */
MatrixObject *matrix_new(core_state *state, Py_ssize_t rows, Py_ssize_t columns);
/* The same, all zeros. */
MatrixObject *matrix_new_zeroed(core_state *state, Py_ssize_t rows, Py_ssize_t columns);
/* A new header on the same values, transposed if asked to: copy-on-write where that can be, otherwise a copy. */
PyObject *matrix_alias(core_state *state, MatrixObject *self, bool transposed);
/* A row-major copy of a window. */
PyObject *matrix_copy_window(core_state *state, mk_window window, Py_ssize_t rows, Py_ssize_t columns);
/* The values of a Matrix or MatrixView as they are now, row-major and read-only: shared until somebody writes them
 * where that can be, otherwise copied. NULL with RuntimeError if they are held elsewhere. */
PyObject *matrix_snapshot(core_state *state, PyObject *self);
/* Lets the kept headers go, for good. */
void matrix_free_headers(core_state *state);
/* mk_copy from one matrix's memory to another's, counted while tests ask for it (not so few that they are inline); and
 * what is copied otherwise. */
void values_copy(size_t rows, size_t columns, mk_window to, mk_window from);
void values_copied(size_t count);
/* Raises because the values are not here. */
void matrix_refuse(MatrixObject *self);
/* True if rows * columns doubles can be counted in bytes; otherwise a ValueError names the shape. */
bool matrix_shape_fits(Py_ssize_t rows, Py_ssize_t columns);

/* True while a buffer, an array, a tensor or a long computation uses its memory. */
bool matrix_is_exported(MatrixObject *self);
/* True if nobody else holds the values, and they are not those of bytes, which never change. */
static inline bool
matrix_is_alone(const MatrixObject *self)
{
    const matrix_buffer *buffer = self->buffer;

    return !buffer || (buffer_alone(self->buffer) && !(buffer->exporter && buffer->exporter->readonly));
}

/* Our own types, whichever interpreter they are of: neither can be subclassed, so the destructor tells them. */
static inline bool
is_matrix(PyObject *object)
{
    return Py_TYPE(object)->tp_dealloc == matrix_dealloc;
}

/* ---- matrix_view.c ---- */

/* A window in the coordinates of its matrix, so that it follows when the values move to another buffer. */
typedef struct {
    PyObject_HEAD
    MatrixObject *matrix;
    Py_ssize_t matrix_rows, matrix_columns; /* its shape when the view was made */
    Py_ssize_t row_start, row_step, column_start, column_step;
    Py_ssize_t rows, columns; /* as seen through the view, after transposition */
    bool transposed;          /* the view's rows run along the matrix's columns */
    bool read_only;
    bool whole; /* it is what m.view answers: every key gives a view, a pair of ints too */
    char line;  /* VIEW_* */
} MatrixViewObject;

enum {
    VIEW_BLOCK, /* two-dimensional: indexed as a matrix is */
    VIEW_ROW,   /* a line: one index counts its elements */
    VIEW_COLUMN
};

void view_dealloc(PyObject *self);
bool view_window(MatrixViewObject *self, mk_window *window);

static inline bool
is_view(PyObject *object)
{
    return Py_TYPE(object)->tp_dealloc == view_dealloc;
}

/* ---- matrix_operand.c: one operand of an operation ---- */

typedef struct {
    mk_window window; /* valid after settling; a scalar's points into this very struct, so it cannot be moved */
    Py_ssize_t rows, columns;
    PyObject *source; /* borrowed: a Matrix or MatrixView; NULL for a scalar */
    PyObject *made;   /* a matrix converted for this operand, to be dropped */
    double scalar;
    bool flat; /* one-dimensional in Python: a row, or where a column is needed, that */
} matrix_operand;

typedef enum { TAKE_ERROR = -1, TAKE_FOREIGN, TAKE_DONE } take_result;

/* Matrix, MatrixView, real number, list, tuple, range or array of real numbers. Anything else is foreign and no
 * exception is set. Drop the operand if the answer is TAKE_DONE. */
take_result operand_take(core_state *state, PyObject *value, matrix_operand *operand);
/* The same, with a TypeError for what is foreign. */
bool operand_require(core_state *state, PyObject *value, const char *what, matrix_operand *operand);
/* Reads the window and the shape. False with RuntimeError if the values are held elsewhere. */
bool operand_settle(matrix_operand *operand);
/* Settles for writing: read-only ones raise, shared ones become their own. Settle the other operands afterwards. */
bool operand_settle_writable(matrix_operand *operand);
/* After settling `out`: copies the operand if its elements overlap out's in another order. */
bool operand_detach(core_state *state, matrix_operand *operand, const matrix_operand *out);
void operand_drop(matrix_operand *operand);

/* The operand as a window of rows x columns, which it broadcasts to. */
static inline mk_window
operand_spread(const matrix_operand *operand, Py_ssize_t rows, Py_ssize_t columns)
{
    mk_window window = operand->window;

    if (operand->rows != rows)
        window.row_stride = 0;
    if (operand->columns != columns)
        window.column_stride = 0;
    return window;
}

/* NumPy's rule for one dimension. */
static inline bool
shape_join(Py_ssize_t a, Py_ssize_t b, Py_ssize_t *joined)
{
    *joined = a == 1 ? b : a;
    return a == b || a == 1 || b == 1;
}

/* The shape that `count` settled operands broadcast to; false with a ValueError that names all shapes. */
bool operands_broadcast(const char *what, matrix_operand *const *operands, int count, Py_ssize_t *rows,
                        Py_ssize_t *columns);

/* Where a result goes: a new matrix, `out`, or the first operand itself. */
typedef struct {
    PyObject *object; /* a new reference, NULL until settled */
    matrix_operand target;
} matrix_result;

/* `out` is NULL or None for a new matrix. Checks its type, runs no code. */
bool result_take(core_state *state, PyObject *out, matrix_result *result);
/* The same for methods that take in_place= and out=, which exclude each other. */
bool target_take(core_state *state, PyObject *self, const char *what, PyObject *in_place, PyObject *out,
                 matrix_result *result);
/* Finds or makes room for rows x columns, settles the operands (again, where writing moved them) and detaches those
 * that overlap it. */
bool result_settle(core_state *state, const char *what, matrix_result *result, Py_ssize_t rows, Py_ssize_t columns,
                   matrix_operand *const *operands, int count);

/* Builds a matrix from a nested list, a flat list or an array; `flat` says which it was. */
PyObject *matrix_from_values(core_state *state, PyObject *values, bool *flat);
/* The same from an object with the buffer protocol; NULL without an exception if it is not one of numbers. */
PyObject *matrix_from_array(core_state *state, PyObject *array, bool *flat);
/* An item of a list or tuple: a new reference; NULL, without an exception, where it is not that long. */
PyObject *sequence_item(PyObject *fast, Py_ssize_t i);
/* Reads the `count` numbers of a list or tuple of that length. */
bool doubles_from_sequence(PyObject *fast, double *to, Py_ssize_t count);

/* ---- small operands: inline values and numbers, which need no steps ---- */

/* Two small matrices of one shape, or one and a number: one run of values. Cannot be moved, `left` or `right` may point
 * into it. */
typedef struct {
    MatrixObject *like; /* has the shape of the result */
    const double *left, *right;
    unsigned repeated; /* as kernels take it */
    double number;
} matrix_pair;

/* Any two of them, ready for a kernel: one at least is a matrix. Cannot be moved, a window may point into it. */
typedef struct {
    Py_ssize_t rows, columns; /* of the result */
    size_t lines, length;     /* of the work: one line where nothing broadcasts */
    mk_window left, right;
    double number;
} matrix_small;

static inline bool
is_small(PyObject *object)
{
    return is_matrix(object) && ((MatrixObject *)object)->data == ((MatrixObject *)object)->inline_values;
}

/* True for a shape whose values are inline. */
static inline bool
shape_is_small(Py_ssize_t rows, Py_ssize_t columns)
{
    return (size_t)rows <= MATRIX_INLINE && (size_t)columns <= MATRIX_INLINE && rows * columns <= MATRIX_INLINE;
}

/* matrix_new for a result as small as its operands. */
static inline MatrixObject *
matrix_new_small(core_state *state, Py_ssize_t rows, Py_ssize_t columns)
{
    MatrixObject *self = state->free_matrices;

    if (!self || rows * columns > MATRIX_INLINE)
        return matrix_new(state, rows, columns);
    state->free_matrices = (MatrixObject *)(void *)self->data;
    state->free_matrix_count--;
    object_revive((PyObject *)self);
    self->data = self->inline_values;
    self->rows = rows;
    self->columns = columns;
    self->buffer = NULL;
    self->flags = 0;
    self->exports = 0;
    return self;
}

/* A plain float or int; false, without an exception, for what is neither or is too large. */
static inline bool
small_number(PyObject *object, double *number)
{
    if (PyFloat_CheckExact(object)) {
        *number = PyFloat_AS_DOUBLE(object);
        return true;
    }
    if (!PyLong_CheckExact(object))
        return false;
    *number = PyLong_AsDouble(object);
    if (*number != -1.0 || !PyErr_Occurred())
        return true;
    PyErr_Clear();
    return false;
}

static inline mk_window
small_line(const MatrixObject *matrix)
{
    return (mk_window){matrix->data, matrix->rows * matrix->columns, 1};
}

static inline mk_window
small_spread(const MatrixObject *matrix)
{
    return (mk_window){matrix->data, matrix->rows == 1 ? 0 : matrix->columns, matrix->columns == 1 ? 0 : 1};
}

static inline void
small_shape(matrix_small *small, const MatrixObject *like)
{
    small->rows = like->rows;
    small->columns = like->columns;
    small->lines = 1;
    small->length = (size_t)(like->rows * like->columns);
}

static inline size_t
small_count(const MatrixObject *matrix)
{
    return (size_t)(matrix->rows * matrix->columns);
}

/* False for everything that is not so simple. */
static inline bool
pair_take(PyObject *left, PyObject *right, matrix_pair *pair)
{
    MatrixObject *a = (MatrixObject *)left, *b = (MatrixObject *)right;

    pair->like = a;
    pair->left = a->inline_values;
    pair->right = b->inline_values;
    pair->repeated = 0;
    if (is_small(left)) {
        if (is_small(right))
            return a->rows == b->rows && a->columns == b->columns;
        pair->right = &pair->number;
        pair->repeated = 2;
        return small_number(right, &pair->number);
    }
    pair->like = b;
    pair->left = &pair->number;
    pair->repeated = 1;
    return is_small(right) && small_number(left, &pair->number);
}

/* True if nothing keeps a small matrix from being written. */
static inline bool
small_is_free(const MatrixObject *matrix)
{
    return !matrix->flags && matrix->exports < MATRIX_PIN;
}

/* The target of a call with `count` positional arguments and only out= besides: a small matrix of the shape of `like`
 * that may be written. NULL, without an exception, for every other call. */
static inline MatrixObject *
small_out(PyObject *const *args, Py_ssize_t count, PyObject *keywords, const MatrixObject *like)
{
    MatrixObject *out = (MatrixObject *)args[count];
    PyObject *name;

    if (PyTuple_GET_SIZE(keywords) != 1 || !is_small(args[count]))
        return NULL;
    name = PyTuple_GET_ITEM(keywords, 0);
    if (!PyUnicode_IS_ASCII(name) || PyUnicode_GET_LENGTH(name) != 3 ||
        memcmp(PyUnicode_1BYTE_DATA(name), "out", 3) != 0)
        return NULL;
    return small_is_free(out) && out->rows == like->rows && out->columns == like->columns ? out : NULL;
}

/* Where the result of a call with `count` positional arguments goes, of the shape of `like`: a new matrix (NULL for
 * want of memory), or a new reference to what small_out finds. False for every other call. */
static inline bool
small_result(core_state *state, PyObject *const *args, Py_ssize_t count, PyObject *keywords, const MatrixObject *like,
             MatrixObject **to)
{
    if (!keywords) {
        *to = matrix_new_small(state, like->rows, like->columns);
        return true;
    }
    *to = small_out(args, count, keywords, like);
    Py_XINCREF(*to);
    return *to;
}

/* False for everything that is not so simple, shapes that do not fit among it. */
static inline bool
small_take(PyObject *left, PyObject *right, matrix_small *small)
{
    MatrixObject *a = (MatrixObject *)left, *b = (MatrixObject *)right;

    if (!is_small(left)) {
        if (!is_small(right) || !small_number(left, &small->number))
            return false;
        small_shape(small, b);
        small->left = (mk_window){&small->number, 0, 0};
        small->right = small_line(b);
        return true;
    }
    small_shape(small, a);
    small->left = small_line(a);
    if (!is_small(right)) {
        small->right = (mk_window){&small->number, 0, 0};
        return small_number(right, &small->number);
    }
    small->right = small_line(b);
    if (a->rows == b->rows && a->columns == b->columns)
        return true;
    small->left = small_spread(a);
    small->right = small_spread(b);
    if (!shape_join(a->rows, b->rows, &small->rows) || !shape_join(a->columns, b->columns, &small->columns))
        return false;
    small->lines = (size_t)small->rows;
    small->length = (size_t)small->columns;
    return true;
}

/* Both small and of one shape. */
static inline bool
are_small_alike(PyObject *left, PyObject *right)
{
    return is_small(left) && is_small(right) && ((MatrixObject *)left)->rows == ((MatrixObject *)right)->rows &&
           ((MatrixObject *)left)->columns == ((MatrixObject *)right)->columns;
}

/* One operand of three: a number, or a small matrix of the shape of `like`. */
static inline bool
three_take(PyObject *object, const MatrixObject *like, double *number, mk_window *window)
{
    MatrixObject *matrix = (MatrixObject *)object;

    *window = (mk_window){number, 0, 0};
    if (!is_small(object))
        return small_number(object, number);
    *window = small_line(matrix);
    return matrix->rows == like->rows && matrix->columns == like->columns;
}

typedef void three_kernel(size_t rows, size_t columns, mk_window out, mk_window x, mk_window y, mk_window z);

/* A kernel's new result where x is a small matrix, y and z what three_take takes; false for everything else. */
static inline bool
small_three(core_state *state, three_kernel *kernel, PyObject *x, PyObject *y, PyObject *z, PyObject **answer)
{
    MatrixObject *like = (MatrixObject *)x, *made;
    mk_window second, third;
    double numbers[2];

    if (!is_small(x) || !three_take(y, like, &numbers[0], &second) || !three_take(z, like, &numbers[1], &third))
        return false;
    made = matrix_new_small(state, like->rows, like->columns);
    if (made)
        kernel(1, small_count(like), small_line(made), small_line(like), second, third);
    *answer = (PyObject *)made;
    return true;
}

/* The window of a new matrix that holds the result. */
static inline mk_window
small_target(const matrix_small *small, const MatrixObject *result)
{
    return (mk_window){result->data, (ptrdiff_t)small->length, 1};
}

/* ---- long computations ---- */

enum {
    LONG_ELEMENTS = 100000, /* element-wise work from here on lets other threads run */
    LONG_PRODUCT = 64 * 64 * 64,
    TAKEN_OVER = 1 << 14 /* smaller temporaries are not worth the question whether they are */
};

typedef struct {
    PyThreadState *saved;
    MatrixObject *pinned[4];
} matrix_unlocked;

/* If `work` is long, pins the operands' matrices and lets go of the GIL. Until matrix_lock, the pinned ones can be
 * neither written, reshaped nor handed over by others: those get BufferError. */
void matrix_unlock(matrix_unlocked *unlocked, bool is_long, matrix_operand *const *operands, int count);
void matrix_lock(matrix_unlocked *unlocked);

/* True if `object`, an operand of the operator that runs, is a temporary matrix in whose place a result of rows x
 * columns may be written: large, of that shape, row-major, and nobody but the operator can see it. The number is an
 * OPERATOR_* of pycompat.h. */
static inline bool
can_take_over(PyObject *object, Py_ssize_t rows, Py_ssize_t columns, int number)
{
    const MatrixObject *matrix = (const MatrixObject *)object;

    return is_matrix(object) && matrix->data && matrix->buffer && matrix->rows == rows && matrix->columns == columns &&
           rows * columns >= TAKEN_OVER && matrix->stride.column_stride == 1 && matrix->stride.row_stride == columns &&
           !matrix->exports && !matrix->flags && !matrix->buffer->exporter && !matrix->buffer->parent &&
           buffer_alone(matrix->buffer) && object_is_spent(object, number);
}

/* ---- matrix_index.c: keys ---- */

/* What a key selects along one axis. */
typedef struct {
    Py_ssize_t start, step, count;
    bool single; /* an int: the axis falls away */
} axis_key;

typedef struct {
    axis_key row, column;
    Py_ssize_t rows, columns; /* the shape that it was read for; reading it may have run code that changed it */
} matrix_key;

/* An int, slice, `...`, or a pair of them, within rows x columns. */
bool key_take(PyObject *key, Py_ssize_t rows, Py_ssize_t columns, matrix_key *taken);
bool key_axis(PyObject *key, Py_ssize_t length, const char *axis, axis_key *taken);
bool key_position(Py_ssize_t *index, Py_ssize_t length, const char *axis);

static inline mk_window
key_window(const matrix_key *key, mk_window in)
{
    in.at += key->row.start * in.row_stride + key->column.start * in.column_stride;
    in.row_stride *= key->row.step;
    in.column_stride *= key->column.step;
    return in;
}

/* Writes `value` through the part of `target` that `key` selects in its coordinates. 0 or -1. */
int matrix_assign(core_state *state, PyObject *target, const matrix_key *key, PyObject *value);

/* matrix_exchange.c: settles what an export is to show. Its values become its own, so that writes through the export
 * reach no alias; `read_only` says whether there may be none. False as operand_settle. Count the export then. */
bool matrix_export_settle(matrix_operand *from, bool *read_only);

/* ---- small things ---- */

/* The state behind either of two operands, one of which is ours. */
static inline core_state *
state_of_either(PyObject *left, PyObject *right)
{
    return is_matrix(left) || is_view(left) ? state_of(left) : state_of(right);
}

/* Rows, columns of a Matrix or MatrixView, known even where the values are not here. */
static inline void
shape_of(PyObject *self, Py_ssize_t *rows, Py_ssize_t *columns)
{
    if (is_matrix(self)) {
        *rows = ((MatrixObject *)self)->rows;
        *columns = ((MatrixObject *)self)->columns;
    } else {
        *rows = ((MatrixViewObject *)self)->rows;
        *columns = ((MatrixViewObject *)self)->columns;
    }
}

/* True if the elements stand one after the other, row by row. */
static inline bool
window_is_row_major(mk_window window, Py_ssize_t rows, Py_ssize_t columns)
{
    return rows == 0 || columns == 0 ||
           ((columns == 1 || window.column_stride == 1) && (rows == 1 || window.row_stride == columns));
}

/* Calls of a method: METH_FASTCALL | METH_KEYWORDS. */
#define METHOD_ARGS PyObject *self, PyObject *const *args, Py_ssize_t count, PyObject *keywords

#endif
