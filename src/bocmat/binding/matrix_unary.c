/* Element-wise functions of one operand: the methods and operators of every row of unary.def, round and clip. */
#include "matrix_methods.h"

static const char *const unary_names[] = {
#define UNARY(name, ...) #name "()",
#include "../../../kernels/unary.def"
#undef UNARY
};

static PyObject *
unary_compute(core_state *state, mk_unary_op op, PyObject *self, matrix_result *result)
{
    matrix_operand from = {.source = self}, *operands[2] = {&from, &result->target};
    matrix_unlocked unlocked;

    if (!operand_settle(&from) ||
        !result_settle(state, unary_names[op], result, from.rows, from.columns, operands, 1)) {
        Py_CLEAR(result->object);
    } else {
        matrix_unlock(&unlocked, from.rows * from.columns >= LONG_ELEMENTS, operands, 2);
        mk_unary(op, (size_t)from.rows, (size_t)from.columns, result->target.window, from.window);
        matrix_lock(&unlocked);
    }
    operand_drop(&from);
    return result->object;
}

static __attribute__((noinline)) PyObject *
unary_general(PyObject *self, mk_unary_op op)
{
    core_state *state = state_of(self);
    matrix_result result;

    (void)result_take(state, NULL, &result);
    if (op == MK_UNARY_negate && is_matrix(self) &&
        can_take_over(self, ((MatrixObject *)self)->rows, ((MatrixObject *)self)->columns, OPERATOR_negative))
        result.target.source = self;
    return unary_compute(state, op, self, &result);
}

static inline PyObject *
unary_slot(PyObject *self, mk_unary_op op)
{
    MatrixObject *from = (MatrixObject *)self, *to;

    if (!is_small(self))
        return unary_general(self, op);
    to = matrix_new_small(state_of(self), from->rows, from->columns);
    if (to)
        mk_unary_line(op, small_count(to), to->inline_values, from->inline_values);
    return (PyObject *)to;
}

static __attribute__((noinline)) PyObject *
unary_method_general(METHOD_ARGS, const args_spec *spec, mk_unary_op op)
{
    core_state *state = state_of(self);
    PyObject *given[2] = {NULL, NULL};
    matrix_result result;

    if (((count || keywords) && !args_take(spec, args, count, keywords, given)) ||
        !target_take(state, self, unary_names[op], given[0], given[1], &result))
        return NULL;
    return unary_compute(state, op, self, &result);
}

static inline PyObject *
unary_method(METHOD_ARGS, const args_spec *spec, mk_unary_op op)
{
    MatrixObject *from = (MatrixObject *)self, *to;

    if (count || !is_small(self) || !small_result(state_of(self), args, 0, keywords, from, &to))
        return unary_method_general(self, args, count, keywords, spec, op);
    if (to)
        mk_unary_line(op, small_count(to), to->inline_values, from->inline_values);
    return (PyObject *)to;
}

#define UNARY(name, ...)                                                          \
    PyObject *slot_unary_##name(PyObject *self)                                   \
    {                                                                             \
        return unary_slot(self, MK_UNARY_##name);                                 \
    }                                                                             \
    PyObject *matrix_unary_##name(METHOD_ARGS)                                    \
    {                                                                             \
        static const args_spec spec = {#name, 0, 0, {"in_place", "out", NULL}};   \
        return unary_method(self, args, count, keywords, &spec, MK_UNARY_##name); \
    }
#include "../../../kernels/unary.def"
#undef UNARY

/* ---- round ---- */

static PyObject *
round_compute(core_state *state, int decimals, PyObject *self, matrix_result *result)
{
    matrix_operand from = {.source = self}, *operands[2] = {&from, &result->target};
    matrix_unlocked unlocked;

    if (!operand_settle(&from) || !result_settle(state, "round()", result, from.rows, from.columns, operands, 1)) {
        Py_CLEAR(result->object);
    } else {
        matrix_unlock(&unlocked, from.rows * from.columns >= LONG_ELEMENTS, operands, 2);
        mk_round((size_t)from.rows, (size_t)from.columns, result->target.window, from.window, decimals);
        matrix_lock(&unlocked);
    }
    operand_drop(&from);
    return result->object;
}

PyObject *
matrix_round(METHOD_ARGS)
{
    enum { FARTHEST = 400 }; /* beyond, powers of ten are infinite */
    static const args_spec spec = {"round", 1, 0, {"decimals", "in_place", "out", NULL}};
    core_state *state = state_of(self);
    PyObject *given[3] = {NULL, NULL, NULL};
    Py_ssize_t decimals = 0;
    matrix_result result;

    if ((count || keywords) && !args_take(&spec, args, count, keywords, given))
        return NULL;
    if ((given[0] && !args_index(given[0], "decimals", &decimals)) ||
        !target_take(state, self, "round()", given[1], given[2], &result))
        return NULL;
    if (decimals < -FARTHEST || decimals > FARTHEST)
        decimals = decimals < 0 ? -FARTHEST : FARTHEST;
    return round_compute(state, (int)decimals, self, &result);
}

/* ---- clip ---- */

/* A bound of clip: absent is `none`, infinite; a scalar, or anything that broadcasts to the matrix. */
static bool
bound_take(core_state *state, PyObject *bound, double none, matrix_operand *operand)
{
    if (bound && bound != Py_None)
        return operand_require(state, bound, "clip()", operand);
    *operand = (matrix_operand){.rows = 1, .columns = 1, .scalar = none};
    operand->window = (mk_window){&operand->scalar, 0, 0};
    return true;
}

static PyObject *
clip_compute(core_state *state, PyObject *self, matrix_operand *low, matrix_operand *high, matrix_result *result)
{
    matrix_operand from = {.source = self}, *operands[4] = {&from, low, high, &result->target};
    matrix_unlocked unlocked;
    Py_ssize_t rows, columns;

    if (!operand_settle(&from) || !operand_settle(low) || !operand_settle(high) ||
        !operands_broadcast("clip()", operands, 3, &rows, &columns))
        goto done;
    if (!low->source && !high->source && high->scalar < low->scalar) {
        PyErr_SetString(PyExc_ValueError, "clip(): max is below min");
        goto done;
    }
    if (rows != from.rows || columns != from.columns) {
        PyErr_Format(PyExc_ValueError, "clip(): bounds of shapes (%zd, %zd) and (%zd, %zd) do not fit (%zd, %zd)",
                     low->rows, low->columns, high->rows, high->columns, from.rows, from.columns);
        goto done;
    }
    if (!result_settle(state, "clip()", result, rows, columns, operands, 3)) {
        Py_CLEAR(result->object);
        goto done;
    }
    matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, operands, 4);
    mk_clip((size_t)rows, (size_t)columns, result->target.window, from.window, operand_spread(low, rows, columns),
            operand_spread(high, rows, columns));
    matrix_lock(&unlocked);
done:
    operand_drop(&from);
    return result->object;
}

/* A small matrix and two numbers or None; false for everything else, which goes the long way. */
static bool
clip_small(PyObject *self, PyObject *low, PyObject *high, PyObject **answer)
{
    double least = -Py_HUGE_VAL, greatest = Py_HUGE_VAL;
    MatrixObject *from = (MatrixObject *)self, *to;

    if (!is_small(self) || !(small_number(low, &least) || low == Py_None) ||
        !(small_number(high, &greatest) || high == Py_None) || greatest < least || (low == Py_None && high == Py_None))
        return false;
    to = matrix_new(state_of(self), from->rows, from->columns);
    if (to)
        mk_clip(1, (size_t)(from->rows * from->columns), small_line(to), small_line(from), (mk_window){&least, 0, 0},
                (mk_window){&greatest, 0, 0});
    *answer = (PyObject *)to;
    return true;
}

PyObject *
matrix_clip(METHOD_ARGS)
{
    static const args_spec spec = {"clip", 2, 0, {"min", "max", "in_place", "out", NULL}};
    core_state *state = state_of(self);
    PyObject *given[4], *answer = NULL;
    matrix_operand low, high;
    matrix_result result;

    if (count == 2 && !keywords && clip_small(self, args[0], args[1], &answer))
        return answer;
    if (!args_take(&spec, args, count, keywords, given) ||
        !target_take(state, self, "clip()", given[2], given[3], &result))
        return NULL;
    if ((!given[0] || given[0] == Py_None) && (!given[1] || given[1] == Py_None)) {
        PyErr_SetString(PyExc_ValueError, "clip() needs min, max or both");
        return NULL;
    }
    if (!bound_take(state, given[0], -Py_HUGE_VAL, &low))
        return NULL;
    if (bound_take(state, given[1], Py_HUGE_VAL, &high)) {
        answer = clip_compute(state, self, &low, &high, &result);
        operand_drop(&high);
    }
    operand_drop(&low);
    return answer;
}
