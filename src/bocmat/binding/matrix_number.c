/* Arithmetic of two operands: the operators and the methods of every row of binary.def. */
#include "matrix_methods.h"

static const char *const binary_names[] = {
#define BINARY(name, ...) #name "()",
#include "../../../kernels/binary.def"
#undef BINARY
};

/* left and right have been taken; `out` is taken too. Consumes nothing. */
static PyObject *
binary_compute(core_state *state, mk_binary_op op, matrix_operand *left, matrix_operand *right, matrix_result *result)
{
    matrix_operand *operands[3] = {left, right, &result->target};
    matrix_unlocked unlocked;
    Py_ssize_t rows, columns;

    if (!operand_settle(left) || !operand_settle(right) ||
        !operands_broadcast(binary_names[op], operands, 2, &rows, &columns) ||
        !result_settle(state, binary_names[op], result, rows, columns, operands, 2)) {
        Py_CLEAR(result->object);
        return NULL;
    }
    matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, operands, 3);
    mk_binary(op, (size_t)rows, (size_t)columns, result->target.window, operand_spread(left, rows, columns),
              operand_spread(right, rows, columns));
    matrix_lock(&unlocked);
    return result->object;
}

static PyObject *
binary_take(core_state *state, mk_binary_op op, PyObject *left, PyObject *right, matrix_result *result)
{
    matrix_operand a, b;
    PyObject *answer = NULL;
    take_result taken = operand_take(state, left, &a);

    if (taken == TAKE_ERROR)
        return NULL;
    if (taken == TAKE_FOREIGN)
        Py_RETURN_NOTIMPLEMENTED;
    taken = operand_take(state, right, &b);
    if (taken == TAKE_DONE)
        answer = binary_compute(state, op, &a, &b, result);
    else if (taken == TAKE_FOREIGN)
        answer = Py_NewRef(Py_NotImplemented);
    if (taken == TAKE_DONE)
        operand_drop(&b);
    operand_drop(&a);
    return answer;
}

/* Two small matrices of one shape, or one and a float: no operands, one pass over the inline values. */
static inline bool
is_small(PyObject *object)
{
    return !((MatrixObject *)object)->buffer && ((MatrixObject *)object)->data;
}

static inline PyObject *
small_result(core_state *state, mk_binary_op op, MatrixObject *like, mk_window left, mk_window right)
{
    MatrixObject *result = matrix_new(state, like->rows, like->columns);
    size_t size = (size_t)(like->rows * like->columns);

    if (result)
        mk_binary(op, 1, size, (mk_window){result->data, 0, 1}, left, right);
    return (PyObject *)result;
}

static inline PyObject *
binary_slot(PyObject *left, PyObject *right, mk_binary_op op)
{
    core_state *state;
    matrix_result result;

    if (is_matrix(left) && is_small(left)) {
        MatrixObject *a = (MatrixObject *)left, *b = (MatrixObject *)right;

        if (Py_IS_TYPE(right, Py_TYPE(left)) && is_small(right) && a->rows == b->rows && a->columns == b->columns)
            return small_result(state_of(left), op, a, (mk_window){a->data, 0, 1}, (mk_window){b->data, 0, 1});
        if (PyFloat_CheckExact(right)) {
            double number = PyFloat_AS_DOUBLE(right);

            return small_result(state_of(left), op, a, (mk_window){a->data, 0, 1}, (mk_window){&number, 0, 0});
        }
    }
    state = state_of_either(left, right);
    (void)result_take(state, NULL, &result);
    return binary_take(state, op, left, right, &result);
}

static inline PyObject *
inplace_slot(PyObject *left, PyObject *right, mk_binary_op op)
{
    core_state *state;
    matrix_result result;
    PyObject *answer;

    if (is_matrix(left) && Py_IS_TYPE(right, Py_TYPE(left)) && is_small(left) && is_small(right)) {
        MatrixObject *a = (MatrixObject *)left, *b = (MatrixObject *)right;

        if (a->rows == b->rows && a->columns == b->columns && !a->flags && a->exports < MATRIX_PIN) {
            mk_window at = {a->data, 0, 1};

            mk_binary(op, 1, (size_t)(a->rows * a->columns), at, at, (mk_window){b->data, 0, 1});
            return Py_NewRef(left);
        }
    }
    state = state_of(left);
    (void)result_take(state, left, &result);
    answer = binary_take(state, op, left, right, &result);
    if (answer == Py_NotImplemented) { /* nothing is left that could do it in place */
        Py_DECREF(answer);
        PyErr_Format(PyExc_TypeError, "%s in place: a matrix and %s do not go together", binary_names[op],
                     Py_TYPE(right)->tp_name);
        return NULL;
    }
    return answer;
}

/* m.add(other, /, *, out=None) and its kin. */
static PyObject *
binary_method(METHOD_ARGS, const args_spec *spec, mk_binary_op op)
{
    core_state *state = state_of(self);
    PyObject *given[2], *answer;
    matrix_result result;

    if (!args_take(spec, args, count, keywords, given) || !result_take(state, given[1], &result))
        return NULL;
    answer = binary_take(state, op, self, given[0], &result);
    if (answer == Py_NotImplemented) {
        Py_DECREF(answer);
        PyErr_Format(PyExc_TypeError, "%s takes a matrix, a real number or a sequence of them, not %s",
                     binary_names[op], Py_TYPE(given[0])->tp_name);
        return NULL;
    }
    return answer;
}

#define BINARY(name, ...)                                                           \
    PyObject *slot_binary_##name(PyObject *left, PyObject *right)                   \
    {                                                                               \
        return binary_slot(left, right, MK_BINARY_##name);                          \
    }                                                                               \
    PyObject *slot_inplace_##name(PyObject *left, PyObject *right)                  \
    {                                                                               \
        return inplace_slot(left, right, MK_BINARY_##name);                         \
    }                                                                               \
    PyObject *matrix_binary_##name(METHOD_ARGS)                                     \
    {                                                                               \
        static const args_spec spec = {#name, 1, 1, {"", "out", NULL}};             \
        return binary_method(self, args, count, keywords, &spec, MK_BINARY_##name); \
    }
#include "../../../kernels/binary.def"
#undef BINARY
