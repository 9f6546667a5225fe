/* Arithmetic of two operands: the operators and the methods of every row of binary.def. */
#include "matrix_methods.h"

static const char *const binary_names[] = {
#define BINARY(name, ...) #name "()",
#include "../../../kernels/binary.def"
#undef BINARY
};

static const int operator_numbers[] = {
#define BINARY(name, operator, ...) OPERATOR_##operator,
#include "../../../kernels/binary.def"
#undef BINARY
};

/* In `a + b * c - d` the product is a temporary: the sum is written in its place, and so is the difference. */
static inline void
take_over(mk_binary_op op, const matrix_operand *left, const matrix_operand *right, Py_ssize_t rows, Py_ssize_t columns,
          matrix_result *result)
{
    int number = operator_numbers[op];

    if (result->target.source || rows * columns < TAKEN_OVER)
        return;
    if (left->source && !left->made && can_take_over(left->source, rows, columns, number))
        result->target.source = left->source;
    else if (right->source && !right->made && can_take_over(right->source, rows, columns, number))
        result->target.source = right->source;
}

/* left and right have been taken; `out` is taken too. Consumes nothing. */
static PyObject *
binary_compute(core_state *state, mk_binary_op op, matrix_operand *left, matrix_operand *right, matrix_result *result)
{
    matrix_operand *operands[3] = {left, right, &result->target};
    matrix_unlocked unlocked;
    Py_ssize_t rows, columns;

    if (!operand_settle(left) || !operand_settle(right) ||
        !operands_broadcast(binary_names[op], operands, 2, &rows, &columns)) {
        Py_CLEAR(result->object);
        return NULL;
    }
    take_over(op, left, right, rows, columns, result);
    if (!result_settle(state, binary_names[op], result, rows, columns, operands, 2)) {
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

static __attribute__((noinline)) PyObject *
binary_general(PyObject *left, PyObject *right, mk_binary_op op)
{
    core_state *state = state_of_either(left, right);
    matrix_small small;
    matrix_result result;

    if (small_take(left, right, &small)) {
        MatrixObject *made = matrix_new_small(state, small.rows, small.columns);

        if (made)
            mk_binary(op, small.lines, small.length, small_target(&small, made), small.left, small.right);
        return (PyObject *)made;
    }
    (void)result_take(state, NULL, &result);
    return binary_take(state, op, left, right, &result);
}

static inline PyObject *
binary_slot(PyObject *left, PyObject *right, mk_binary_op op)
{
    matrix_pair pair;
    MatrixObject *made;

    if (!pair_take(left, right, &pair))
        return binary_general(left, right, op);
    made = matrix_new_small(state_of((PyObject *)pair.like), pair.like->rows, pair.like->columns);
    if (made)
        mk_binary_line(op, small_count(made), made->inline_values, pair.left, pair.right, pair.repeated);
    return (PyObject *)made;
}

/* A small matrix, and what can be spread over it. */
static inline bool
small_in_place(PyObject *left, PyObject *right, matrix_small *small)
{
    MatrixObject *target = (MatrixObject *)left;

    return is_small(left) && small_is_free(target) && small_take(left, right, small) && small->rows == target->rows &&
           small->columns == target->columns;
}

static __attribute__((noinline)) PyObject *
inplace_general(PyObject *left, PyObject *right, mk_binary_op op)
{
    core_state *state = state_of(left);
    matrix_result result;
    matrix_small small;
    PyObject *answer;

    if (small_in_place(left, right, &small)) {
        mk_binary(op, small.lines, small.length, small_target(&small, (MatrixObject *)left), small.left, small.right);
        return Py_NewRef(left);
    }
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

static inline PyObject *
inplace_slot(PyObject *left, PyObject *right, mk_binary_op op)
{
    MatrixObject *target = (MatrixObject *)left;
    matrix_pair pair;

    if (!pair_take(left, right, &pair) || pair.like != target || !small_is_free(target))
        return inplace_general(left, right, op);
    mk_binary_line(op, small_count(target), target->inline_values, pair.left, pair.right, pair.repeated);
    return Py_NewRef(left);
}

static __attribute__((noinline)) PyObject *
binary_method_general(METHOD_ARGS, const args_spec *spec, mk_binary_op op)
{
    core_state *state = state_of(self);
    PyObject *given[2], *answer;
    matrix_result result;

    if (count == 1 && !keywords) {
        given[0] = args[0];
        answer = binary_general(self, args[0], op);
    } else if (!args_take(spec, args, count, keywords, given) || !result_take(state, given[1], &result)) {
        return NULL;
    } else {
        answer = binary_take(state, op, self, given[0], &result);
    }
    if (answer == Py_NotImplemented) {
        Py_DECREF(answer);
        PyErr_Format(PyExc_TypeError, "%s takes a matrix, a real number or a sequence of them, not %s",
                     binary_names[op], Py_TYPE(given[0])->tp_name);
        return NULL;
    }
    return answer;
}

/* m.add(other, /, *, out=None) and its kin. */
static inline PyObject *
binary_method(METHOD_ARGS, const args_spec *spec, mk_binary_op op)
{
    matrix_pair pair;
    MatrixObject *target;

    if (count != 1 || !pair_take(self, args[0], &pair) ||
        !small_result(state_of(self), args, 1, keywords, pair.like, &target))
        return binary_method_general(self, args, count, keywords, spec, op);
    if (target)
        mk_binary_line(op, small_count(target), target->inline_values, pair.left, pair.right, pair.repeated);
    return (PyObject *)target;
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

/* ---- the operators that take or give something else ---- */

PyObject *
slot_power(PyObject *left, PyObject *right, PyObject *modulo)
{
    if (modulo != Py_None)
        Py_RETURN_NOTIMPLEMENTED;
    return binary_slot(left, right, MK_BINARY_power);
}

PyObject *
slot_inplace_power_of(PyObject *left, PyObject *right, PyObject *modulo)
{
    (void)modulo; /* `**=` has none */
    return inplace_slot(left, right, MK_BINARY_power);
}

PyObject *
slot_divmod(PyObject *left, PyObject *right)
{
    PyObject *quotient = binary_slot(left, right, MK_BINARY_floor_divide), *rest;

    if (!quotient || quotient == Py_NotImplemented)
        return quotient;
    rest = binary_slot(left, right, MK_BINARY_remainder);
    if (!rest) {
        Py_DECREF(quotient);
        return NULL;
    }
    return Py_BuildValue("(NN)", quotient, rest);
}

/* ---- fma and scaled_add: three operands, the first of them self ---- */

static PyObject *
three_compute(core_state *state, three_kernel *kernel, const char *what, matrix_operand *const *operands,
              matrix_result *result)
{
    matrix_operand *all[4] = {operands[0], operands[1], operands[2], &result->target};
    matrix_unlocked unlocked;
    Py_ssize_t rows, columns;

    if (!operand_settle(operands[0]) || !operand_settle(operands[1]) || !operand_settle(operands[2]) ||
        !operands_broadcast(what, operands, 3, &rows, &columns) ||
        !result_settle(state, what, result, rows, columns, operands, 3)) {
        Py_CLEAR(result->object);
        return NULL;
    }
    matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, all, 4);
    kernel((size_t)rows, (size_t)columns, result->target.window, operand_spread(operands[0], rows, columns),
           operand_spread(operands[1], rows, columns), operand_spread(operands[2], rows, columns));
    matrix_lock(&unlocked);
    return result->object;
}

static PyObject *
three_method(METHOD_ARGS, const args_spec *spec, const char *what, three_kernel *kernel)
{
    core_state *state = state_of(self);
    matrix_operand x = {.source = self}, y, z, *operands[3] = {&x, &y, &z};
    PyObject *given[4] = {NULL, NULL, NULL, NULL}, *answer = NULL;
    matrix_result result;

    if (count == 2 && !keywords && small_three(state, kernel, self, args[0], args[1], &answer))
        return answer;
    if (!args_take(spec, args, count, keywords, given))
        return NULL;
    if (!target_take(state, self, what, given[2], given[3], &result) || !operand_require(state, given[0], what, &y))
        return NULL;
    if (operand_require(state, given[1], what, &z)) {
        answer = three_compute(state, kernel, what, operands, &result);
        operand_drop(&z);
    }
    operand_drop(&y);
    operand_drop(&x);
    return answer;
}

PyObject *
matrix_fma(METHOD_ARGS)
{
    static const args_spec spec = {"fma", 2, 2, {"b", "c", "in_place", "out", NULL}};

    return three_method(self, args, count, keywords, &spec, "fma()", mk_fma);
}

PyObject *
matrix_scaled_add(METHOD_ARGS)
{
    static const args_spec spec = {"scaled_add", 2, 2, {"s", "x", "in_place", "out", NULL}};

    return three_method(self, args, count, keywords, &spec, "scaled_add()", mk_scaled_add);
}
