/* Comparisons and masks: the rows of compare.def, where, truth, and the questions answered by one bool. */
#include "matrix_methods.h"

static const char *const compare_names[] = {
#define COMPARE(name, ...) #name "()",
#include "../../../kernels/compare.def"
#undef COMPARE
};

static PyObject *
compare_compute(core_state *state, mk_compare_op op, matrix_operand *left, matrix_operand *right, matrix_result *result)
{
    matrix_operand *operands[3] = {left, right, &result->target};
    matrix_unlocked unlocked;
    Py_ssize_t rows, columns;

    if (!operand_settle(left) || !operand_settle(right) ||
        !operands_broadcast(compare_names[op], operands, 2, &rows, &columns) ||
        !result_settle(state, compare_names[op], result, rows, columns, operands, 2)) {
        Py_CLEAR(result->object);
        return NULL;
    }
    matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, operands, 3);
    mk_compare(op, (size_t)rows, (size_t)columns, result->target.window, operand_spread(left, rows, columns),
               operand_spread(right, rows, columns));
    matrix_lock(&unlocked);
    return result->object;
}

/* Compares self, which is ours, with anything; NotImplemented for what is foreign. */
static PyObject *
compare_take(core_state *state, mk_compare_op op, PyObject *self, PyObject *other, matrix_result *result)
{
    matrix_operand left = {.source = self}, right;
    PyObject *answer;

    switch (operand_take(state, other, &right)) {
    case TAKE_FOREIGN:
        Py_RETURN_NOTIMPLEMENTED;
    case TAKE_DONE:
        answer = compare_compute(state, op, &left, &right, result);
        operand_drop(&right);
        operand_drop(&left);
        return answer;
    case TAKE_ERROR:
    default:
        return NULL;
    }
}

static __attribute__((noinline)) PyObject *
compare_general(PyObject *left, PyObject *right, mk_compare_op op)
{
    core_state *state = state_of(left);
    matrix_small small;
    matrix_result result;

    if (small_take(left, right, &small)) {
        MatrixObject *made = matrix_new_small(state, small.rows, small.columns);

        if (made)
            mk_compare(op, small.lines, small.length, small_target(&small, made), small.left, small.right);
        return (PyObject *)made;
    }
    (void)result_take(state, NULL, &result);
    return compare_take(state, op, left, right, &result);
}

static inline PyObject *
compare_slot(PyObject *left, PyObject *right, mk_compare_op op)
{
    matrix_pair pair;
    MatrixObject *made;

    if (!pair_take(left, right, &pair))
        return compare_general(left, right, op);
    made = matrix_new_small(state_of(left), pair.like->rows, pair.like->columns);
    if (made)
        mk_compare_line(op, small_count(made), made->inline_values, pair.left, pair.right, pair.repeated);
    return (PyObject *)made;
}

PyObject *
slot_richcompare(PyObject *left, PyObject *right, int operator)
{
    static const mk_compare_op ops[] = {
#define COMPARE(name, operator, ...) [Py_##operator] = MK_COMPARE_##name,
#include "../../../kernels/compare.def"
#undef COMPARE
    };

    return compare_slot(left, right, ops[operator]);
}

static __attribute__((noinline)) PyObject *
compare_method_general(METHOD_ARGS, const args_spec *spec, mk_compare_op op)
{
    core_state *state = state_of(self);
    PyObject *given[2], *answer;
    matrix_result result;

    if (count == 1 && !keywords) {
        given[0] = args[0];
        answer = compare_general(self, args[0], op);
    } else if (!args_take(spec, args, count, keywords, given) || !result_take(state, given[1], &result)) {
        return NULL;
    } else {
        answer = compare_take(state, op, self, given[0], &result);
    }
    if (answer == Py_NotImplemented) {
        Py_DECREF(answer);
        PyErr_Format(PyExc_TypeError, "%s takes a matrix, a real number or a sequence of them, not %s",
                     compare_names[op], Py_TYPE(given[0])->tp_name);
        return NULL;
    }
    return answer;
}

static inline PyObject *
compare_method(METHOD_ARGS, const args_spec *spec, mk_compare_op op)
{
    matrix_pair pair;
    MatrixObject *target;

    if (count != 1 || !pair_take(self, args[0], &pair) ||
        !small_result(state_of(self), args, 1, keywords, pair.like, &target))
        return compare_method_general(self, args, count, keywords, spec, op);
    if (target)
        mk_compare_line(op, small_count(target), target->inline_values, pair.left, pair.right, pair.repeated);
    return (PyObject *)target;
}

#define COMPARE(name, ...)                                                            \
    PyObject *matrix_compare_##name(METHOD_ARGS)                                      \
    {                                                                                 \
        static const args_spec spec = {#name, 1, 1, {"", "out", NULL}};               \
        return compare_method(self, args, count, keywords, &spec, MK_COMPARE_##name); \
    }
#include "../../../kernels/compare.def"
#undef COMPARE

int
slot_bool(PyObject *self)
{
    matrix_operand operand = {.source = self};

    if (!operand_settle(&operand))
        return -1;
    if (operand.rows != 1 || operand.columns != 1) {
        PyErr_Format(PyExc_ValueError,
                     "the truth of a matrix of shape (%zd, %zd) is ambiguous; ask Matrix.array_equal or a reduction",
                     operand.rows, operand.columns);
        return -1;
    }
    return *operand.window.at != 0.0;
}

/* ---- where ---- */

static PyObject *
where_compute(core_state *state, matrix_operand *mask, matrix_operand *a, matrix_operand *b, matrix_result *result)
{
    matrix_operand *operands[4] = {mask, a, b, &result->target};
    matrix_unlocked unlocked;
    Py_ssize_t rows, columns;

    if (!operand_settle(mask) || !operand_settle(a) || !operand_settle(b) ||
        !operands_broadcast("where()", operands, 3, &rows, &columns) ||
        !result_settle(state, "where()", result, rows, columns, operands, 3)) {
        Py_CLEAR(result->object);
        return NULL;
    }
    matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, operands, 4);
    mk_where((size_t)rows, (size_t)columns, result->target.window, operand_spread(mask, rows, columns),
             operand_spread(a, rows, columns), operand_spread(b, rows, columns));
    matrix_lock(&unlocked);
    return result->object;
}

PyObject *
matrix_where(METHOD_ARGS)
{
    static const args_spec spec = {"where", 3, 3, {"mask", "a", "b", "out", NULL}};
    core_state *state = state_of_type((PyTypeObject *)self);
    PyObject *given[4], *answer = NULL;
    matrix_operand operands[3];
    matrix_result result;
    int taken;

    if (count == 3 && !keywords && small_three(state, mk_where, args[0], args[1], args[2], &answer))
        return answer;
    if (!args_take(&spec, args, count, keywords, given) || !result_take(state, given[3], &result))
        return NULL;
    for (taken = 0; taken < 3; taken++)
        if (!operand_require(state, given[taken], "where()", operands + taken))
            break;
    if (taken == 3)
        answer = where_compute(state, operands, operands + 1, operands + 2, &result);
    while (taken)
        operand_drop(operands + --taken);
    return answer;
}

/* ---- answered by one bool ---- */

/* 1, 0, or -1 with an exception. Exact comparison wants one shape, the other broadcasts. */
static int
compare_all(core_state *state, const char *what, PyObject *left, PyObject *right, const mk_closeness *within)
{
    matrix_operand a, b, *operands[2] = {&a, &b};
    matrix_unlocked unlocked;
    Py_ssize_t rows, columns;
    int answer = -1;

    if (are_small_alike(left, right))
        return mk_close(1, (size_t)(((MatrixObject *)left)->rows * ((MatrixObject *)left)->columns),
                        small_line((MatrixObject *)left), small_line((MatrixObject *)right), within);
    if (!operand_require(state, left, what, &a))
        return -1;
    if (!operand_require(state, right, what, &b)) {
        operand_drop(&a);
        return -1;
    }
    if (!operand_settle(&a) || !operand_settle(&b))
        goto done;
    if (within->exact && (a.rows != b.rows || a.columns != b.columns)) {
        answer = 0;
        goto done;
    }
    if (!operands_broadcast(what, operands, 2, &rows, &columns))
        goto done;
    matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, operands, 2);
    answer = mk_close((size_t)rows, (size_t)columns, operand_spread(&a, rows, columns),
                      operand_spread(&b, rows, columns), within);
    matrix_lock(&unlocked);
done:
    operand_drop(&b);
    operand_drop(&a);
    return answer;
}

PyObject *
matrix_array_equal(METHOD_ARGS)
{
    static const args_spec spec = {"array_equal", 3, 2, {"a", "b", "equal_nan", NULL}};
    mk_closeness within = {.exact = true};
    PyObject *given[3];
    int answer;

    if (!args_take(&spec, args, count, keywords, given) || !args_flag(given[2], &within.equal_nan))
        return NULL;
    answer = compare_all(state_of_type((PyTypeObject *)self), "array_equal()", given[0], given[1], &within);
    return answer < 0 ? NULL : PyBool_FromLong(answer);
}

PyObject *
matrix_allclose(METHOD_ARGS)
{
    static const args_spec spec = {"allclose", 5, 2, {"a", "b", "rtol", "atol", "equal_nan", NULL}};
    mk_closeness within = {.relative = 1e-5, .absolute = 1e-8};
    PyObject *given[5];
    int answer;

    if (!args_take(&spec, args, count, keywords, given) ||
        (given[2] && !args_double(given[2], "rtol", &within.relative)) ||
        (given[3] && !args_double(given[3], "atol", &within.absolute)) || !args_flag(given[4], &within.equal_nan))
        return NULL;
    answer = compare_all(state_of_type((PyTypeObject *)self), "allclose()", given[0], given[1], &within);
    return answer < 0 ? NULL : PyBool_FromLong(answer);
}
