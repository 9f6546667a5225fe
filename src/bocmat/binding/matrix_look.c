/* Looking at a matrix or a view: attributes, values out, copies, iteration. */
#include "docs.h"
#include "matrix_methods.h"
#include "matrix_lock.h"

/* ---- attributes ---- */

static PyObject *
get_rows(PyObject *self, void *unused)
{
    Py_ssize_t rows, columns;

    (void)unused;
    shape_of(self, &rows, &columns);
    return PyLong_FromSsize_t(rows);
}

static PyObject *
get_columns(PyObject *self, void *unused)
{
    Py_ssize_t rows, columns;

    (void)unused;
    shape_of(self, &rows, &columns);
    return PyLong_FromSsize_t(columns);
}

static PyObject *
get_shape(PyObject *self, void *unused)
{
    PyObject *shape = PyTuple_New(2), *rows, *columns;
    Py_ssize_t numbers[2];

    (void)unused;
    if (!shape)
        return NULL;
    shape_of(self, numbers, numbers + 1);
    rows = PyLong_FromSsize_t(numbers[0]);
    columns = PyLong_FromSsize_t(numbers[1]);
    PyTuple_SET_ITEM(shape, 0, rows);
    PyTuple_SET_ITEM(shape, 1, columns);
    if (!rows || !columns)
        Py_CLEAR(shape);
    return shape;
}

/* The number of elements, times what `unit` points to. */
static PyObject *
get_size(PyObject *self, void *unit)
{
    Py_ssize_t rows, columns;

    shape_of(self, &rows, &columns);
    return PyLong_FromSsize_t(rows * columns * *(const Py_ssize_t *)unit);
}

static PyObject *
get_ndim(PyObject *self, void *unused)
{
    (void)self;
    (void)unused;
    return PyLong_FromLong(2);
}

static PyObject *
get_matrix_transposed(PyObject *self, void *unused)
{
    PyObject *transposed = NULL;

    (void)unused;
    MATRIX_BEGIN(self);
    if (matrix_usable((MatrixObject *)self))
        transposed = matrix_alias(state_of(self), (MatrixObject *)self, true);
    MATRIX_END();
    return transposed;
}

static PyObject *
get_view_transposed(PyObject *self, void *unused)
{
    (void)unused;
    return view_transposed(self);
}

static PyObject *
get_view(PyObject *self, void *unused)
{
    (void)unused;
    return view_new_whole(state_of(self), (MatrixObject *)self);
}

static PyObject *
get_acquired(PyObject *self, void *unused)
{
    (void)unused;
    return PyBool_FromLong(((MatrixObject *)self)->data != NULL);
}

static PyObject *
get_length(PyObject *self, void *unused)
{
    (void)unused;
    return matrix_reduce_magnitude(self, NULL, 0, NULL);
}

static PyObject *
get_read_only(PyObject *self, void *unused)
{
    (void)unused;
    if (is_view(self))
        return PyBool_FromLong(((MatrixViewObject *)self)->read_only ||
                               ((MatrixViewObject *)self)->matrix->flags & MATRIX_READ_ONLY);
    return PyBool_FromLong(((MatrixObject *)self)->flags & MATRIX_READ_ONLY);
}

static PyObject *
get_is_row(PyObject *self, void *unused)
{
    const MatrixViewObject *view = (MatrixViewObject *)self;

    (void)unused;
    return PyBool_FromLong(view->line == VIEW_BLOCK ? view->rows == 1 : view->line == VIEW_ROW);
}

/* ---- x y z w ---- */

static const char letters[] = "xyzw";

/* The flat element that `letter` names; NULL with IndexError if there is none. */
static double *
element_named(matrix_operand *operand, const char *letter)
{
    Py_ssize_t at = letter - letters;

    if (at >= operand->rows * operand->columns) {
        PyErr_Format(PyExc_IndexError, "a matrix of shape (%zd, %zd) has no %c", operand->rows, operand->columns,
                     *letter);
        return NULL;
    }
    return operand->window.at + at / operand->columns * operand->window.row_stride +
           at % operand->columns * operand->window.column_stride;
}

static PyObject *
get_element(PyObject *self, void *letter)
{
    matrix_operand operand = {.source = self};
    const double *element = NULL;
    double number = 0.0;

    MATRIX_BEGIN(self);
    if (operand_settle(&operand))
        element = element_named(&operand, letter);
    if (element)
        number = *element;
    MATRIX_END();
    return element ? PyFloat_FromDouble(number) : NULL;
}

static int
set_element(PyObject *self, PyObject *value, void *letter)
{
    matrix_operand operand = {.source = self};
    double number, *element = NULL;

    if (!value) {
        PyErr_SetString(PyExc_TypeError, "a matrix cannot lose elements");
        return -1;
    }
    if (!args_double(value, "an element", &number))
        return -1;
    MATRIX_BEGIN(self);
    if (operand_settle_writable(&operand))
        element = element_named(&operand, letter);
    if (element)
        *element = number;
    MATRIX_END();
    return element ? 0 : -1;
}

static const Py_ssize_t one_element = 1, element_bytes = sizeof(double);

#define LETTER(name, place, call, result)                                       \
    {#name, get_element, set_element,                                           \
     "The " place " element, row by row, a float that can be assigned." RAISES( \
         CASE("IndexError", "There are not as many elements.") NOT_HERE)        \
         EXAMPLES(TRY("Matrix([[5, 6], [7, 8]])." #name, result)),              \
     (void *)(uintptr_t)(letters + (call))}

/* What both types have. */
#define COMMON_ATTRIBUTES                                                                                              \
    {"rows", get_rows, NULL, "How many rows there are, an int." EXAMPLES(TRY("Matrix(2, 3).rows", "2")), NULL},        \
        {"columns", get_columns, NULL,                                                                                 \
         "How many columns there are, an int." EXAMPLES(TRY("Matrix(2, 3).columns", "3")), NULL},                      \
        {"shape", get_shape, NULL,                                                                                     \
         "Rows and columns, a tuple of two ints, known even where the values are held elsewhere." EXAMPLES(            \
             TRY("Matrix(2, 3).shape", "(2, 3)")),                                                                     \
         NULL},                                                                                                        \
        {"size", get_size, NULL,                                                                                       \
         "How many elements there are, an int: rows times columns." EXAMPLES(TRY("Matrix(2, 3).size", "6")),           \
         (void *)(uintptr_t)&one_element},                                                                             \
        {"nbytes", get_size, NULL,                                                                                     \
         "The bytes that its elements take, an int: 8 each." EXAMPLES(TRY("Matrix(2, 3).nbytes", "48")),               \
         (void *)(uintptr_t)&element_bytes},                                                                           \
        {"ndim", get_ndim, NULL, "2: every matrix is two-dimensional." EXAMPLES(TRY("Matrix(2, 3).ndim", "2")), NULL}, \
        {"read_only", get_read_only, NULL,                                                                             \
         "True where writing raises: for a matrix of read(cown), one over memory that must not be written, a view "    \
         "asked for as read-only." EXAMPLES(TRY("Matrix(2, 3).row_view(0, read_only=True).read_only", "True")),        \
         NULL},                                                                                                        \
        {"length", get_length, NULL,                                                                                   \
         "The Euclidean length of all elements as one vector, a float: magnitude()." EXAMPLES(                         \
             TRY("Matrix([[3, 4]]).length", "5.0")),                                                                   \
         NULL},                                                                                                        \
        {"__array_interface__", get_array_interface, NULL, "The memory for NumPy's array interface, a dict.", NULL},   \
        LETTER(x, "first", 0, "5.0"), LETTER(y, "second", 1, "6.0"), LETTER(z, "third", 2, "7.0"),                     \
        LETTER(w, "fourth", 3, "8.0")

PyGetSetDef matrix_getset[] = {
    COMMON_ATTRIBUTES,
    {"T", get_matrix_transposed, NULL,
     "The transpose, in constant time.\n\nA Matrix of its own: the two share their values until one of them is "
     "written, which then gets its own copy." EXAMPLES(TRY("Matrix([[1, 2, 3]]).T", "Matrix(3, 1, [1, 2, 3])")),
     NULL},
    {"view", get_view, NULL,
     "m.view[key] is a MatrixView that reads and writes m where m[key] copies.\n\nA key is an int, a slice, `...` or a "
     "pair of them; lists and masks select no window and raise TypeError." EXAMPLES(
         DO("m = Matrix([[1, 2], [3, 4]])") DO("corner = m.view[:1, ::-1]") DO("corner += 10")
             TRY("m", "Matrix(2, 2, [11, 12, 3, 4])")),
     NULL},
    {"acquired", get_acquired, NULL,
     "True while the values can be used here; False once a cown, a behavior or a message has them." EXAMPLES(
         TRY("Matrix(2, 2).acquired", "True")),
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyGetSetDef view_getset[] = {
    COMMON_ATTRIBUTES,
    {"T", get_view_transposed, NULL,
     "The same window, transposed: a MatrixView that writes the same elements." EXAMPLES(
         TRY("Matrix([[1, 2, 3]]).view[...].T.shape", "(3, 1)")),
     NULL},
    {"is_row", get_is_row, NULL,
     "True for a view of a single row." EXAMPLES(TRY("Matrix(2, 3).row_view(0).is_row", "True")), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* ---- values out ---- */

static PyObject *
row_as_list(const double *at, Py_ssize_t stride, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);

    for (Py_ssize_t j = 0; list && j < count; j++) {
        PyObject *number = PyFloat_FromDouble(at[j * stride]);

        if (!number)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, j, number);
    }
    return list;
}

PyObject *
matrix_tolist(METHOD_ARGS)
{
    static const args_spec spec = {"tolist", 0, 0, {NULL}};
    matrix_operand from = {.source = self};
    PyObject *result, *row;

    if (!args_take(&spec, args, count, keywords, NULL))
        return NULL;
    shape_of(self, &from.rows, &from.columns);
    result = PyList_New(from.rows); /* may collect garbage and so run code: before settling */
    if (!result || !operand_settle(&from) || from.rows != PyList_GET_SIZE(result)) {
        Py_XDECREF(result);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < from.rows; i++) {
        if (!operand_settle(&from)) {
            Py_DECREF(result);
            return NULL;
        }
        row = row_as_list(from.window.at + i * from.window.row_stride, from.window.column_stride, from.columns);
        if (!row) {
            Py_DECREF(result);
            return NULL;
        }
        PyList_SET_ITEM(result, i, row);
    }
    return result;
}

PyObject *
matrix_item(METHOD_ARGS)
{
    static const args_spec spec = {"item", 0, 0, {NULL}};
    matrix_operand from = {.source = self};

    if (!args_take(&spec, args, count, keywords, NULL) || !operand_settle(&from))
        return NULL;
    if (from.rows != 1 || from.columns != 1) {
        PyErr_Format(PyExc_ValueError, "item() of a matrix of shape (%zd, %zd), which is not one element", from.rows,
                     from.columns);
        return NULL;
    }
    return PyFloat_FromDouble(*from.window.at);
}

PyObject *
matrix_copy(METHOD_ARGS)
{
    static const args_spec spec = {"copy", 0, 0, {NULL}};
    matrix_operand from = {.source = self};

    if (!args_take(&spec, args, count, keywords, NULL) || !operand_settle(&from))
        return NULL;
    return matrix_copy_window(state_of(self), from.window, from.rows, from.columns);
}

PyObject *
matrix_deepcopy(METHOD_ARGS)
{
    static const args_spec spec = {"__deepcopy__", 1, 0, {"memo", NULL}};
    matrix_operand from = {.source = self};
    PyObject *given[1];

    if (!args_take(&spec, args, count, keywords, given) || !operand_settle(&from))
        return NULL;
    return matrix_copy_window(state_of(self), from.window, from.rows, from.columns);
}

PyObject *
slot_positive(PyObject *self)
{
    return matrix_copy(self, NULL, 0, NULL);
}

PyObject *
matrix_tobytes(METHOD_ARGS)
{
    static const args_spec spec = {"tobytes", 0, 0, {NULL}};
    matrix_operand from = {.source = self};
    PyObject *bytes;
    Py_ssize_t size;

    if (!args_take(&spec, args, count, keywords, NULL) || !operand_settle(&from))
        return NULL;
    size = from.rows * from.columns * (Py_ssize_t)sizeof(double);
    if (size && window_is_row_major(from.window, from.rows, from.columns))
        return PyBytes_FromStringAndSize((const char *)from.window.at, size);
    bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes) {
        double *to = (double *)(void *)PyBytes_AS_STRING(bytes);

        values_copy((size_t)from.rows, (size_t)from.columns, (mk_window){to, from.columns, 1}, from.window);
    }
    return bytes;
}

/* ---- iteration ---- */

typedef enum {
    ITERATE_ITEMS,      /* what m[i] gives */
    ITERATE_VALUES,     /* every element, row by row, */
    ITERATE_OWN_VALUES, /* of a Matrix */
    ITERATE_ROW_VIEWS,
    ITERATE_COLUMN_VIEWS
} iterate_what;

typedef struct {
    PyObject_HEAD
    PyObject *source;
    Py_ssize_t next;
    iterate_what what;
    bool read_only;
} IteratorObject;

static PyObject *
iterator_new(PyObject *source, iterate_what what, bool read_only)
{
    IteratorObject *self = PyObject_New(IteratorObject, state_of(source)->matrix_iterator_type);

    if (!self)
        return NULL;
    self->source = Py_NewRef(source);
    self->next = 0;
    self->what = what;
    self->read_only = read_only;
    return (PyObject *)self;
}

static void
iterator_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    Py_XDECREF(((IteratorObject *)self)->source);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *
iterator_value(PyObject *source, Py_ssize_t at)
{
    matrix_operand from = {.source = source};

    if (!operand_settle(&from))
        return NULL;
    return PyFloat_FromDouble(
        from.window.at[at / from.columns * from.window.row_stride + at % from.columns * from.window.column_stride]);
}

static Py_ssize_t
iterator_end(iterate_what what, PyObject *source)
{
    Py_ssize_t rows, columns;

    shape_of(source, &rows, &columns);
    switch (what) {
    case ITERATE_ITEMS:
        return is_matrix(source) ? rows : view_length(source);
    case ITERATE_VALUES:
    case ITERATE_OWN_VALUES:
        return rows * columns;
    case ITERATE_ROW_VIEWS:
        return rows;
    case ITERATE_COLUMN_VIEWS:
    default:
        return columns;
    }
}

/* Where the next value stands, if that takes no search: a list of all of them asks often. */
static inline const double *
iterator_near(const IteratorObject *self, PyObject *source)
{
    const MatrixObject *matrix = (const MatrixObject *)source;

    if (self->what != ITERATE_OWN_VALUES || self->next >= matrix->rows * matrix->columns || !matrix->data ||
        (matrix->buffer && (matrix->stride.column_stride != 1 || matrix->stride.row_stride != matrix->columns)))
        return NULL;
    return matrix->data + self->next;
}

static PyObject *
iterator_step(IteratorObject *self, PyObject *source)
{
    const double *near = iterator_near(self, source);
    Py_ssize_t at = self->next;

    if (near) {
        self->next++;
        return PyFloat_FromDouble(*near);
    }
    if (at >= iterator_end(self->what, source)) {
#if BOCMAT_GIL /* otherwise another thread may still be looking at it */
        Py_CLEAR(self->source);
#endif
        return NULL;
    }
    self->next = at + 1;
    if (self->what == ITERATE_VALUES || self->what == ITERATE_OWN_VALUES)
        return iterator_value(source, at);
    if (self->what == ITERATE_ITEMS)
        return is_matrix(source) ? matrix_item_at(source, at) : view_item_at(source, at);
    if (!matrix_usable((MatrixObject *)source))
        return NULL;
    return view_new_line(state_of((PyObject *)self), (MatrixObject *)source,
                         self->what == ITERATE_ROW_VIEWS ? VIEW_ROW : VIEW_COLUMN, at, self->read_only);
}

static PyObject *
iterator_next(PyObject *object)
{
    IteratorObject *self = (IteratorObject *)object;
    PyObject *source = self->source, *next;

    if (!source)
        return NULL;
    MATRIX_BEGIN(source);
    next = iterator_step(self, source);
    MATRIX_END();
    return next;
}

/* How many are to come: list() makes room for them at once. */
static PyObject *
iterator_length_hint(PyObject *object, PyObject *Py_UNUSED(none))
{
    IteratorObject *self = (IteratorObject *)object;
    PyObject *source = self->source;
    Py_ssize_t left = 0;

    if (source) {
        MATRIX_BEGIN(source);
        left = iterator_end(self->what, source) - self->next;
        MATRIX_END();
    }
    return PyLong_FromSsize_t(left < 0 ? 0 : left);
}

static PyMethodDef matrix_iterator_methods[] = {
    {"__length_hint__", iterator_length_hint, METH_NOARGS, PyDoc_STR("About how many are to come.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot matrix_iterator_slots[] = {
    {Py_tp_methods, matrix_iterator_methods},
    {Py_tp_dealloc, iterator_dealloc},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, iterator_next},
    {0, NULL},
};

PyType_Spec matrix_iterator_spec = {
    .name = "bocmat._core.MatrixIterator",
    .basicsize = sizeof(IteratorObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = matrix_iterator_slots,
};

static PyObject *
usable_iterator(PyObject *self, iterate_what what, bool read_only)
{
    matrix_operand source = {.source = self};

    return operand_settle(&source) ? iterator_new(self, what, read_only) : NULL;
}

PyObject *
slot_iter(PyObject *self)
{
    return usable_iterator(self, ITERATE_ITEMS, false);
}

PyObject *
matrix_values(METHOD_ARGS)
{
    static const args_spec spec = {"values", 0, 0, {NULL}};

    if (!args_take(&spec, args, count, keywords, NULL))
        return NULL;
    return usable_iterator(self, is_matrix(self) ? ITERATE_OWN_VALUES : ITERATE_VALUES, false);
}

PyObject *
matrix_row_views(METHOD_ARGS)
{
    static const args_spec spec = {"row_views", 0, 0, {"read_only", NULL}};
    PyObject *given[1];
    bool read_only;

    if (!args_take(&spec, args, count, keywords, given) || !args_flag(given[0], &read_only))
        return NULL;
    return usable_iterator(self, ITERATE_ROW_VIEWS, read_only);
}

PyObject *
matrix_column_views(METHOD_ARGS)
{
    static const args_spec spec = {"column_views", 0, 0, {"read_only", NULL}};
    PyObject *given[1];
    bool read_only;

    if (!args_take(&spec, args, count, keywords, given) || !args_flag(given[0], &read_only))
        return NULL;
    return usable_iterator(self, ITERATE_COLUMN_VIEWS, read_only);
}
