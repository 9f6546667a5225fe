/* Without a GIL every method and slot runs with its operands locked: the matrix or view itself and the first argument,
 * which is the other operand. Included by matrix_type.c alone. */
#ifndef BOCMAT_MATRIX_LOCKED_H
#define BOCMAT_MATRIX_LOCKED_H

#include "matrix_methods.h"

#if BOCMAT_GIL

#define LOCKED(name, function) (function)

#else

#define LOCKED(name, function) (locked_##name)

typedef PyObject *(*method_function)(METHOD_ARGS);

static PyObject *
call_locked(method_function function, METHOD_ARGS)
{
    PyObject *result, *other = count ? args[0] : self;

    MATRIX_BEGIN2(self, other);
    result = function(self, args, count, keywords);
    MATRIX_END2();
    return result;
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
        int status;                                                          \
                                                                             \
        MATRIX_BEGIN2(self, value ? value : key);                            \
        status = function(self, key, value);                                 \
        MATRIX_END2();                                                       \
        return status;                                                       \
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
