/* The matrix product: shapes here, flags for BLAS in kernels/gemm.c. */
#include "matrix_methods.h"

/* A flat sequence on the right is a column, on the left a row, as a vector is for NumPy. */
static bool
matmul_settle(matrix_operand *left, matrix_operand *right)
{
    if (!operand_settle(left) || !operand_settle(right))
        return false;
    if (right->flat) {
        right->window = (mk_window){right->window.at, right->window.column_stride, right->window.row_stride};
        right->rows = right->columns;
        right->columns = 1;
    }
    if (left->columns == right->rows)
        return true;
    PyErr_Format(PyExc_ValueError, "matrix product: shapes (%zd, %zd) and (%zd, %zd) do not fit together", left->rows,
                 left->columns, right->rows, right->columns);
    return false;
}

/* rows * columns * inner, without overflow: all that matters is whether it is long. */
static bool
product_is_long(Py_ssize_t rows, Py_ssize_t columns, Py_ssize_t inner)
{
    return (double)rows * (double)columns * (double)inner >= (double)LONG_PRODUCT;
}

/* Room for a copy of an operand that BLAS cannot read where it is; false if there is no memory, NULL if there is no
 * need. */
static bool
matmul_room(core_state *state, const matrix_operand *operand, bool is_large, PyObject **room)
{
    *room = NULL;
    if (!is_large || mk_matmul_takes((size_t)operand->rows, (size_t)operand->columns, operand->window))
        return true;
    *room = matrix_empty(state, operand->rows, operand->columns);
    return *room != NULL;
}

static mk_window
matmul_packed(const matrix_operand *operand, PyObject *room)
{
    mk_window packed;

    if (!room)
        return operand->window;
    packed = matrix_window((MatrixObject *)room);
    mk_copy((size_t)operand->rows, (size_t)operand->columns, packed, operand->window);
    return packed;
}

/* The right operand is the transpose of the left: one copy serves both, and BLAS makes half of the product. */
static bool
is_own_transpose(const matrix_operand *left, const matrix_operand *right)
{
    return left->rows == right->columns && left->window.at == right->window.at &&
           left->window.row_stride == right->window.column_stride &&
           left->window.column_stride == right->window.row_stride;
}

/* out = left @ right + beta * out; all are settled, `target` is what out lies in, NULL if nobody else knows it. */
static bool
matmul_write(core_state *state, matrix_operand *left, matrix_operand *right, matrix_operand *target, mk_window out,
             double beta)
{
    matrix_operand *operands[3] = {left, right, target};
    bool is_long = product_is_long(left->rows, right->columns, left->columns);
    bool is_mirror = is_own_transpose(left, right);
    PyObject *left_room = NULL, *right_room = NULL;
    matrix_unlocked unlocked;
    mk_window a, b;

    if (!matmul_room(state, left, is_long, &left_room))
        return false;
    if (!is_mirror && !matmul_room(state, right, is_long, &right_room)) {
        Py_XDECREF(left_room);
        return false;
    }
    matrix_unlock(&unlocked, is_long, operands, target ? 3 : 2);
    a = matmul_packed(left, left_room);
    if (is_mirror)
        b = (mk_window){a.at, a.column_stride, a.row_stride};
    else
        b = matmul_packed(right, right_room);
    mk_matmul((size_t)left->rows, (size_t)right->columns, (size_t)left->columns, out, a, b, beta);
    matrix_lock(&unlocked);
    Py_XDECREF(left_room);
    Py_XDECREF(right_room);
    return true;
}

static PyObject *
matmul_compute(core_state *state, matrix_operand *left, matrix_operand *right)
{
    PyObject *result;

    if (!matmul_settle(left, right))
        return NULL;
    result = matrix_empty(state, left->rows, right->columns);
    if (result && !matmul_write(state, left, right, NULL, matrix_window((MatrixObject *)result), 0.0))
        Py_CLEAR(result);
    return result;
}

/* Both small, and they fit; false, and no exception, otherwise. */
static inline bool
matmul_small(PyObject *left, PyObject *right, PyObject **product)
{
    MatrixObject *a = (MatrixObject *)left, *b = (MatrixObject *)right, *made;

    if (!is_small(left) || !is_small(right) || a->columns != b->rows || !shape_is_small(a->rows, b->columns))
        return false;
    made = matrix_new_small(state_of(left), a->rows, b->columns);
    if (made)
        mk_matmul((size_t)a->rows, (size_t)b->columns, (size_t)a->columns,
                  (mk_window){made->inline_values, b->columns, 1}, (mk_window){a->inline_values, a->columns, 1},
                  (mk_window){b->inline_values, b->columns, 1}, 0.0);
    *product = (PyObject *)made;
    return true;
}

static __attribute__((noinline)) PyObject *
matmul_general(PyObject *left, PyObject *right)
{
    core_state *state = state_of_either(left, right);
    matrix_operand a, b;
    PyObject *result = NULL;
    take_result taken = operand_take(state, left, &a);

    if (taken == TAKE_ERROR)
        return NULL;
    if (taken == TAKE_FOREIGN)
        Py_RETURN_NOTIMPLEMENTED;
    taken = operand_take(state, right, &b);
    if (taken == TAKE_FOREIGN) {
        result = Py_NewRef(Py_NotImplemented);
    } else if (taken == TAKE_DONE) {
        if (a.source && b.source)
            result = matmul_compute(state, &a, &b);
        else
            PyErr_SetString(PyExc_TypeError, "the matrix product takes no scalar; use * for that");
        operand_drop(&b);
    }
    operand_drop(&a);
    return result;
}

PyObject *
slot_matmul(PyObject *left, PyObject *right)
{
    PyObject *product;

    return matmul_small(left, right, &product) ? product : matmul_general(left, right);
}

/* The product replaces the left operand's values, which keeps its shape. */
static PyObject *
matmul_replace(core_state *state, matrix_operand *left, matrix_operand *right)
{
    matrix_operand target = *left;
    PyObject *product;

    if (!operand_settle_writable(&target) || !matmul_settle(left, right))
        return NULL;
    if (left->columns != right->columns) {
        PyErr_Format(PyExc_ValueError, "matrix product in place: the shape (%zd, %zd) cannot become (%zd, %zd)",
                     left->rows, left->columns, left->rows, right->columns);
        return NULL;
    }
    product = matmul_compute(state, left, right);
    if (!product)
        return NULL;
    if (!operand_settle_writable(&target)) {
        Py_DECREF(product);
        return NULL;
    }
    mk_copy((size_t)target.rows, (size_t)target.columns, target.window, matrix_window((MatrixObject *)product));
    Py_DECREF(product);
    return Py_NewRef(target.source);
}

PyObject *
slot_inplace_matmul(PyObject *left, PyObject *right)
{
    core_state *state = state_of(left);
    matrix_operand a = {.source = left}, b;
    PyObject *result = NULL;

    if (!operand_require(state, right, "the matrix product", &b))
        return NULL;
    if (b.source)
        result = matmul_replace(state, &a, &b);
    else
        PyErr_SetString(PyExc_TypeError, "the matrix product takes no scalar; use * for that");
    operand_drop(&b);
    return result;
}

/* a.dot(b, out=c): the operands settled, one that lies in c where c was not moved from it copied. */
static bool
dot_settle(core_state *state, matrix_operand *left, matrix_operand *right, matrix_result *result)
{
    matrix_operand *operands[2] = {left, right};

    if (!matmul_settle(left, right) || !result_settle(state, "dot()", result, left->rows, right->columns, operands, 2))
        return false;
    for (int i = 0; i < 2; i++)
        if (operands[i]->window.at == result->target.window.at) {
            PyObject *copy = matrix_copy_window(state, operands[i]->window, operands[i]->rows, operands[i]->columns);

            if (!copy)
                return false;
            Py_XSETREF(operands[i]->made, copy);
            operands[i]->source = copy;
        }
    return matmul_settle(left, right);
}

PyObject *
matrix_dot(METHOD_ARGS)
{
    static const args_spec spec = {"dot", 1, 1, {"other", "out", NULL}};
    core_state *state = state_of(self);
    matrix_operand left = {.source = self}, right;
    PyObject *given[2], *answer = NULL;
    matrix_result result;

    if (count == 1 && !keywords && matmul_small(self, args[0], &answer))
        return answer;
    if (!args_take(&spec, args, count, keywords, given) || !result_take(state, given[1], &result) ||
        !operand_require(state, given[0], "dot()", &right))
        return NULL;
    if (!right.source) {
        PyErr_SetString(PyExc_TypeError, "the matrix product takes no scalar; use * for that");
    } else if (!result.target.source) {
        answer = matmul_compute(state, &left, &right);
    } else if (dot_settle(state, &left, &right, &result)) {
        if (matmul_write(state, &left, &right, &result.target, result.target.window, 0.0))
            answer = Py_NewRef(result.object);
    }
    if (result.target.source)
        Py_XDECREF(result.object);
    operand_drop(&right);
    operand_drop(&left);
    return answer;
}

/* _matmul_into(out, a, b, accumulate=False): a @ b written or added into an existing matrix. */
PyObject *
matrix_matmul_into(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords)
{
    static const args_spec spec = {"_matmul_into", 4, 3, {"out", "a", "b", "accumulate", NULL}};
    core_state *state = PyModule_GetState(module);
    PyObject *given[4], *done = NULL;
    matrix_operand a, b, *operands[2] = {&a, &b};
    matrix_result result;
    bool accumulate;

    if (!args_take(&spec, args, count, keywords, given) || !args_flag(given[3], &accumulate) ||
        !result_take(state, given[0], &result))
        return NULL;
    if (!result.target.source) {
        PyErr_SetString(PyExc_TypeError, "_matmul_into() needs a Matrix to write to");
        return NULL;
    }
    if (!operand_require(state, given[1], "_matmul_into()", &a))
        return NULL;
    if (!operand_require(state, given[2], "_matmul_into()", &b)) {
        operand_drop(&a);
        return NULL;
    }
    if (!a.source || !b.source) {
        PyErr_SetString(PyExc_TypeError, "the matrix product takes no scalar");
        goto done;
    }
    if (!matmul_settle(&a, &b) || !result_settle(state, "_matmul_into()", &result, a.rows, b.columns, operands, 2) ||
        !matmul_settle(&a, &b))
        goto done;
    if (a.window.at == result.target.window.at || b.window.at == result.target.window.at) {
        PyErr_SetString(PyExc_ValueError, "_matmul_into() cannot write to one of its operands");
        goto done;
    }
    if (!matmul_write(state, &a, &b, &result.target, result.target.window, accumulate ? 1.0 : 0.0))
        goto done;
    done = Py_NewRef(result.object);
done:
    Py_XDECREF(result.object);
    operand_drop(&b);
    operand_drop(&a);
    return done;
}
