/* Without a GIL every method and slot runs with its operands locked. Two locks are all that can be held at once: those
 * of the matrix or view itself and of the first argument, which is the other operand. Any further matrix is copied
 * under its own lock beforehand, and what goes to `out` is put there under out's lock afterwards. Included by
 * matrix_type.c alone. */
#ifndef BOCMAT_MATRIX_LOCKED_H
#define BOCMAT_MATRIX_LOCKED_H

#include "matrix_methods.h"
#include "matrix_lock.h"

#if BOCMAT_GIL

#define LOCKED(name, function) (function)

#else

#define LOCKED(name, function) (locked_##name)

typedef PyObject *(*method_function)(METHOD_ARGS);

static bool
is_ours(PyObject *object)
{
    return is_matrix(object) || is_view(object);
}

/* A matrix of the values that `object` has at this moment. */
static PyObject *
copy_locked(PyObject *object)
{
    matrix_operand operand = {.source = object};
    PyObject *copy = NULL;

    MATRIX_BEGIN(object);
    if (operand_settle(&operand))
        copy = matrix_copy_window(state_of(object), operand.window, operand.rows, operand.columns);
    MATRIX_END();
    return copy;
}

/* A new matrix of the shape of `out`, to be put there later. */
static PyObject *
stand_in(PyObject *out)
{
    Py_ssize_t rows, columns;

    MATRIX_BEGIN(out);
    shape_of(out, &rows, &columns);
    MATRIX_END();
    return matrix_empty(state_of(out), rows, columns);
}

/* The values of `made`, which nobody else knows, go to `out`. */
static bool
put_locked(PyObject *out, PyObject *made)
{
    matrix_operand target = {.source = out}, from = {.source = made};
    bool fine;

    MATRIX_BEGIN(out);
    fine = operand_settle(&from) && operand_settle_writable(&target);
    if (fine && (target.rows != from.rows || target.columns != from.columns)) {
        PyErr_SetString(PyExc_RuntimeError, "out changed its shape while its values were computed");
        fine = false;
    }
    if (fine)
        mk_copy((size_t)target.rows, (size_t)target.columns, target.window, from.window);
    MATRIX_END();
    return fine;
}

enum { LOCKED_MAX = 2 * ARGS_MAX }; /* more arguments than any method takes; it refuses them itself */

/* A call in which some arguments have been replaced. */
typedef struct {
    PyObject *args[LOCKED_MAX];
    PyObject *made[LOCKED_MAX];
    int count;
    PyObject *out, *out_made;
} replaced_call;

/* Replaces argument `i` if it is a matrix behind a third lock. */
static bool
replace_argument(replaced_call *call, Py_ssize_t i, PyObject *name, PyObject *self, PyObject *other)
{
    PyObject *value = call->args[i], *lock, *made;

    if (!is_ours(value))
        return true;
    lock = lock_of(value);
    if (lock == lock_of(self) || lock == lock_of(other))
        return true;
    if (name && PyUnicode_CompareWithASCIIString(name, "out") == 0) {
        call->out = value;
        made = call->out_made = stand_in(value);
    } else {
        made = copy_locked(value);
    }
    if (!made)
        return false;
    call->args[i] = call->made[call->count++] = made;
    return true;
}

static PyObject *
call_replaced(method_function function, METHOD_ARGS, PyObject *other)
{
    Py_ssize_t total = count + (keywords ? PyTuple_GET_SIZE(keywords) : 0);
    replaced_call call = {.count = 0};
    PyObject *result = NULL;
    bool fine = true;

    for (Py_ssize_t i = 0; i < total; i++)
        call.args[i] = args[i];
    for (Py_ssize_t i = 0; fine && i < total; i++)
        fine = replace_argument(&call, i, i < count ? NULL : PyTuple_GET_ITEM(keywords, i - count), self, other);
    if (fine) {
        MATRIX_BEGIN2(self, other);
        result = function(self, call.args, count, keywords);
        MATRIX_END2();
    }
    if (result && call.out && !put_locked(call.out, call.out_made))
        Py_CLEAR(result);
    if (result && result == call.out_made) {
        Py_DECREF(result);
        result = Py_NewRef(call.out);
    }
    while (call.count)
        Py_DECREF(call.made[--call.count]);
    return result;
}

static PyObject *
call_locked(method_function function, METHOD_ARGS)
{
    PyObject *result, *other = count ? args[0] : self;
    Py_ssize_t total = count + (keywords ? PyTuple_GET_SIZE(keywords) : 0);

    if (total > (count ? 1 : 0) && total <= LOCKED_MAX)
        return call_replaced(function, self, args, count, keywords, other);
    MATRIX_BEGIN2(self, other);
    result = function(self, args, count, keywords);
    MATRIX_END2();
    return result;
}

/* A key that is a matrix itself is the third. */
static int
assign_locked(int (*function)(PyObject *, PyObject *, PyObject *), PyObject *self, PyObject *key, PyObject *value)
{
    PyObject *copy = value && is_ours(key) && lock_of(key) != lock_of(self) ? copy_locked(key) : Py_NewRef(key);
    int status;

    if (!copy)
        return -1;
    MATRIX_BEGIN2(self, value ? value : copy);
    status = function(self, copy, value);
    MATRIX_END2();
    Py_DECREF(copy);
    return status;
}

#define LOCKED_METHOD(name, function)                              \
    static PyObject *locked_##name(METHOD_ARGS)                    \
    {                                                              \
        return call_locked(function, self, args, count, keywords); \
    }
#define LOCKED_ONE(name, function)                 \
    static PyObject *locked_##name(PyObject *self) \
    {                                              \
        PyObject *result;                          \
                                                   \
        MATRIX_BEGIN(self);                        \
        result = function(self);                   \
        MATRIX_END();                              \
        return result;                             \
    }
#define LOCKED_TWO(name, function)                                  \
    static PyObject *locked_##name(PyObject *left, PyObject *right) \
    {                                                               \
        PyObject *result;                                           \
                                                                    \
        MATRIX_BEGIN2(left, right);                                 \
        result = function(left, right);                             \
        MATRIX_END2();                                              \
        return result;                                              \
    }
#define LOCKED_ASSIGN(name, function)                                        \
    static int locked_##name(PyObject *self, PyObject *key, PyObject *value) \
    {                                                                        \
        return assign_locked(function, self, key, value);                    \
    }

#define METHOD(name, function, signature, doc) LOCKED_METHOD(name, function)
#define MATRIX_METHOD                          METHOD
#define VIEW_METHOD                            METHOD
#define CLASS_METHOD                           METHOD
#include "matrix_methods.def"
#undef METHOD
#undef MATRIX_METHOD
#undef VIEW_METHOD
#undef CLASS_METHOD

#define UNARY(name, ...) LOCKED_METHOD(name, matrix_unary_##name) LOCKED_ONE(slot_##name, slot_unary_##name)
#include "../../../kernels/unary.def"
#undef UNARY

#define BINARY(name, ...)                       \
    LOCKED_METHOD(name, matrix_binary_##name)   \
    LOCKED_TWO(slot_##name, slot_binary_##name) \
    LOCKED_TWO(inplace_##name, slot_inplace_##name)
#include "../../../kernels/binary.def"
#undef BINARY

#define COMPARE(name, ...) LOCKED_METHOD(name, matrix_compare_##name)
#include "../../../kernels/compare.def"
#undef COMPARE

#define REDUCE(name, ...) LOCKED_METHOD(name, matrix_reduce_##name)
#include "../../../kernels/reduce.def"
#undef REDUCE

static PyObject *
locked_power_slot(PyObject *left, PyObject *right, PyObject *modulo)
{
    PyObject *result;

    MATRIX_BEGIN2(left, right);
    result = slot_power(left, right, modulo);
    MATRIX_END2();
    return result;
}

static PyObject *
locked_slot_inplace_power(PyObject *left, PyObject *right, PyObject *modulo)
{
    PyObject *result;

    MATRIX_BEGIN2(left, right);
    result = slot_inplace_power_of(left, right, modulo);
    MATRIX_END2();
    return result;
}

LOCKED_TWO(slot_divmod, slot_divmod)
LOCKED_METHOD(split, matrix_split)
LOCKED_METHOD(join, matrix_join)
LOCKED_METHOD(matmul_into, matrix_matmul_into)
LOCKED_ONE(positive, slot_positive)
LOCKED_ONE(repr, matrix_repr)
LOCKED_ONE(str, matrix_str)
LOCKED_TWO(matmul, slot_matmul)
LOCKED_TWO(inplace_matmul, slot_inplace_matmul)
LOCKED_TWO(subscript, matrix_subscript)
LOCKED_TWO(view_subscript, view_subscript)
LOCKED_ASSIGN(ass_subscript, matrix_ass_subscript)
LOCKED_ASSIGN(view_ass_subscript, view_ass_subscript)

static PyObject *
locked_richcompare(PyObject *left, PyObject *right, int operator)
{
    PyObject *result;

    MATRIX_BEGIN2(left, right);
    result = slot_richcompare(left, right, operator);
    MATRIX_END2();
    return result;
}

static int
locked_bool(PyObject *self)
{
    int truth;

    MATRIX_BEGIN(self);
    truth = slot_bool(self);
    MATRIX_END();
    return truth;
}

static int
locked_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    int status;

    MATRIX_BEGIN(self);
    status = matrix_getbuffer(self, view, flags);
    MATRIX_END();
    return status;
}

#undef LOCKED_METHOD
#undef LOCKED_ONE
#undef LOCKED_TWO
#undef LOCKED_ASSIGN

#endif
#endif
