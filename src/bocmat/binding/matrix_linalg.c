/* Linear algebra: how its functions are called, and those that answer with one thing. */
#include "matrix_linalg.h"
#include "matrix_methods.h"
#include "matrix_lock.h"

#include <math.h>

enum { LONG_WORK = 40 * 40 * 40 /* multiplications from which on other threads may run meanwhile */ };

/* ---- what all of them do ---- */

bool
work_begin(linalg_work *work, const char *what, size_t size, double multiplications, matrix_operand *operands,
           int count)
{
    matrix_operand *pinned[2] = {operands, operands + 1};

    work->buffer = NULL;
    work->at = NULL;
    work->size = size;
    if (size == MK_TOO_LARGE) {
        PyErr_Format(PyExc_ValueError, "%s: the shape (%zd, %zd) is larger than LAPACK can count", what,
                     operands[0].rows, operands[0].columns);
        return false;
    }
    if (size > 0) {
        work->buffer = buffer_new(size);
        if (!work->buffer) {
            PyErr_NoMemory();
            return false;
        }
        work->at = work->buffer->values;
    }
    matrix_unlock(&work->unlocked, multiplications >= (double)LONG_WORK, pinned, count);
    return true;
}

void
work_end(linalg_work *work)
{
    matrix_lock(&work->unlocked);
    if (work->buffer)
        buffer_drop(work->buffer);
}

bool
linalg_is_square(core_state *state, const char *what, const matrix_operand *operand)
{
    if (operand->rows == operand->columns)
        return true;
    PyErr_Format(state->linalg_error, "%s takes a square matrix, not one of the shape (%zd, %zd)", what, operand->rows,
                 operand->columns);
    return false;
}

bool
linalg_is_finite(core_state *state, const char *what, const matrix_operand *operand)
{
    if (mk_is_finite((size_t)operand->rows, (size_t)operand->columns, operand->window))
        return true;
    PyErr_Format(state->linalg_error, "%s: the matrix of shape (%zd, %zd) contains NaN or infinity", what,
                 operand->rows, operand->columns);
    return false;
}

PyObject *
linalg_not_converged(core_state *state, const char *what)
{
    PyErr_Format(state->linalg_error, "%s did not converge", what);
    return NULL;
}

PyObject *
linalg_tuple(PyObject *const *parts, Py_ssize_t count)
{
    PyObject *tuple = PyTuple_New(count);
    bool whole = tuple != NULL;

    for (Py_ssize_t i = 0; i < count; i++) {
        whole = whole && parts[i];
        if (tuple && parts[i])
            PyTuple_SET_ITEM(tuple, i, parts[i]);
        else
            Py_XDECREF(parts[i]);
    }
    if (!whole)
        Py_CLEAR(tuple);
    return tuple;
}

static PyObject *
singular(core_state *state, const char *what, int pivot)
{
    PyErr_Format(state->linalg_error, "%s: the matrix is singular: pivot %d is exactly zero", what, pivot);
    return NULL;
}

static double
cube(Py_ssize_t side)
{
    return (double)side * (double)side * (double)side;
}

/* A flat sequence as a column, as a vector is for NumPy's solve. */
static void
as_column(matrix_operand *operand)
{
    if (!operand->flat)
        return;
    operand->window = (mk_window){operand->window.at, operand->window.column_stride, operand->window.row_stride};
    operand->rows = operand->columns;
    operand->columns = 1;
}

/* ---- one matrix, one answer ---- */

PyObject *
linalg_solve(core_state *state, matrix_operand *operands, double option)
{
    matrix_operand *a = operands, *b = operands + 1;
    linalg_work work;
    PyObject *x;
    int pivot;

    (void)option;
    as_column(b);
    if (!linalg_is_square(state, "solve()", a))
        return NULL;
    if (a->rows != b->rows) {
        PyErr_Format(PyExc_ValueError, "solve(): shapes (%zd, %zd) and (%zd, %zd) do not fit together", a->rows,
                     a->columns, b->rows, b->columns);
        return NULL;
    }
    x = matrix_empty(state, b->rows, b->columns);
    if (!x || !work_begin(&work, "solve()", mk_solve_work((size_t)a->rows, (size_t)b->columns),
                          cube(a->rows) / 3 + (double)a->rows * (double)a->rows * (double)b->columns, operands, 2)) {
        Py_XDECREF(x);
        return NULL;
    }
    pivot = mk_solve((size_t)a->rows, (size_t)b->columns, values_of(x), a->window, b->window, work.at);
    work_end(&work);
    if (pivot == 0)
        return x;
    Py_DECREF(x);
    return singular(state, "solve()", pivot);
}

PyObject *
linalg_inv(core_state *state, matrix_operand *operands, double option)
{
    Py_ssize_t n = operands->rows;
    linalg_work work;
    PyObject *result;
    int pivot;

    (void)option;
    if (!linalg_is_square(state, "inv()", operands))
        return NULL;
    result = matrix_empty(state, n, n);
    if (!result || !work_begin(&work, "inv()", mk_inverse_work((size_t)n), cube(n), operands, 1)) {
        Py_XDECREF(result);
        return NULL;
    }
    pivot = mk_inverse((size_t)n, values_of(result), operands->window, work.at, work.size);
    work_end(&work);
    if (pivot == 0)
        return result;
    Py_DECREF(result);
    return singular(state, "inv()", pivot);
}

static bool
determinant(core_state *state, const char *what, matrix_operand *operands, mk_scaled *found)
{
    size_t n = (size_t)operands->rows;
    linalg_work work;

    if (!linalg_is_square(state, what, operands) ||
        !work_begin(&work, what, mk_determinant_work(n), cube(operands->rows) / 3, operands, 1))
        return false;
    *found = mk_determinant(n, operands->window, work.at);
    work_end(&work);
    return true;
}

/* ldexp for any exponent: far out, it is infinity or zero anyway. */
static double
scaled_value(mk_scaled x)
{
    long exponent = x.exponent > 10000 ? 10000 : x.exponent < -10000 ? -10000 : x.exponent;

    return ldexp(x.mantissa, (int)exponent);
}

PyObject *
linalg_det(core_state *state, matrix_operand *operands, double option)
{
    mk_scaled found;

    (void)option;
    return determinant(state, "det()", operands, &found) ? PyFloat_FromDouble(scaled_value(found)) : NULL;
}

PyObject *
linalg_slogdet(core_state *state, matrix_operand *operands, double option)
{
    double value, sign, logarithm;
    mk_scaled found;

    (void)option;
    if (!determinant(state, "slogdet()", operands, &found))
        return NULL;
    value = scaled_value(found);
    sign = isnan(value) ? value : (double)((found.mantissa > 0.0) - (found.mantissa < 0.0));
    if (isnormal(value) || found.mantissa == 0.0 || !isfinite(found.mantissa))
        logarithm = log(fabs(value));
    else
        logarithm = log(fabs(found.mantissa)) + (double)found.exponent * 0.693147180559945309417;
    return Py_BuildValue("(dd)", sign, logarithm);
}

PyObject *
linalg_cholesky(core_state *state, matrix_operand *operands, double option)
{
    Py_ssize_t n = operands->rows;
    linalg_work work;
    PyObject *result;
    int order;

    (void)option;
    if (!linalg_is_square(state, "cholesky()", operands))
        return NULL;
    result = matrix_empty(state, n, n);
    if (!result || !work_begin(&work, "cholesky()", 0, cube(n) / 6, operands, 1)) {
        Py_XDECREF(result);
        return NULL;
    }
    order = mk_cholesky((size_t)n, values_of(result), operands->window);
    work_end(&work);
    if (order == 0)
        return result;
    Py_DECREF(result);
    PyErr_Format(state->linalg_error,
                 "cholesky(): the matrix is not positive definite: its leading minor of order %d is not positive",
                 order);
    return NULL;
}

PyObject *
linalg_lstsq(core_state *state, matrix_operand *operands, double rcond)
{
    matrix_operand *a = operands, *b = operands + 1;
    size_t rows = (size_t)a->rows, columns = (size_t)a->columns, count;
    Py_ssize_t least = a->rows < a->columns ? a->rows : a->columns;
    double most = (double)(a->rows > a->columns ? a->rows : a->columns);
    linalg_work work;
    PyObject *x;
    int status;

    as_column(b);
    count = (size_t)b->columns;
    if (a->rows != b->rows) {
        PyErr_Format(PyExc_ValueError, "lstsq(): shapes (%zd, %zd) and (%zd, %zd) do not fit together", a->rows,
                     a->columns, b->rows, b->columns);
        return NULL;
    }
    if (!linalg_is_finite(state, "lstsq()", a) || !linalg_is_finite(state, "lstsq()", b))
        return NULL;
    x = matrix_empty(state, a->columns, b->columns);
    if (!x || !work_begin(&work, "lstsq()", mk_lstsq_work(rows, columns, count),
                          2 * most * (double)least * (double)least, operands, 2)) {
        Py_XDECREF(x);
        return NULL;
    }
    status = mk_lstsq(rows, columns, count, values_of(x), a->window, b->window, rcond < 0.0 ? most * 0x1p-52 : rcond,
                      work.at, work.size);
    work_end(&work);
    if (status == 0)
        return x;
    Py_DECREF(x);
    return linalg_not_converged(state, "lstsq()");
}

PyObject *
linalg_norm(core_state *state, matrix_operand *operands, double kind)
{
    size_t rows = (size_t)operands->rows, columns = (size_t)operands->columns;
    mk_window window = operands->window;
    linalg_work work;
    double found;

    (void)state;
    if (kind == 0.0) { /* Frobenius's */
        if (!work_begin(&work, "norm()", 0, (double)rows * (double)columns, operands, 1))
            return NULL;
        found = mk_reduce(MK_REDUCE_magnitude, rows, columns, window);
        work_end(&work);
        return PyFloat_FromDouble(found);
    }
    as_column(operands);
    rows = (size_t)operands->rows;
    columns = (size_t)operands->columns;
    window = operands->window;
    if (fabs(kind) == 1.0) { /* sums of columns: the rows of the transpose */
        window = (mk_window){window.at, window.column_stride, window.row_stride};
        rows = (size_t)operands->columns;
        columns = (size_t)operands->rows;
    }
    if (rows == 0) {
        if (kind > 0.0)
            return PyFloat_FromDouble(0.0);
        PyErr_Format(PyExc_ValueError, "norm(): the least of no sums is asked for: the shape is (%zd, %zd)",
                     operands->rows, operands->columns);
        return NULL;
    }
    if (!work_begin(&work, "norm()", 0, (double)rows * (double)columns, operands, 1))
        return NULL;
    found = mk_norm_rows(rows, columns, window, kind < 0.0);
    work_end(&work);
    return PyFloat_FromDouble(found);
}

PyObject *
linalg_kron(core_state *state, matrix_operand *operands, double option)
{
    matrix_operand *a = operands, *b = operands + 1;
    Py_ssize_t rows, columns;
    linalg_work work;
    PyObject *result;

    (void)option;
    if (__builtin_mul_overflow(a->rows, b->rows, &rows) || __builtin_mul_overflow(a->columns, b->columns, &columns)) {
        PyErr_Format(PyExc_ValueError, "kron(): shapes (%zd, %zd) and (%zd, %zd) are too large together", a->rows,
                     a->columns, b->rows, b->columns);
        return NULL;
    }
    result = matrix_empty(state, rows, columns);
    if (!result || !work_begin(&work, "kron()", 0, (double)rows * (double)columns, operands, 2)) {
        Py_XDECREF(result);
        return NULL;
    }
    mk_kron((size_t)a->rows, (size_t)a->columns, a->window, (size_t)b->rows, (size_t)b->columns, b->window,
            values_of(result));
    work_end(&work);
    return result;
}

/* ---- calls ---- */

static bool
take(core_state *state, PyObject *value, const char *what, matrix_operand *operand)
{
    take_result taken = operand_take(state, value, operand);

    if (taken == TAKE_FOREIGN)
        PyErr_Format(PyExc_TypeError, "%s takes a matrix or nested sequences of real numbers, not %s", what,
                     Py_TYPE(value)->tp_name);
    else if (taken == TAKE_DONE && !operand->source)
        PyErr_Format(state->linalg_error, "%s takes a matrix, not the number %R", what, value);
    return taken == TAKE_DONE && operand->source;
}

static PyObject *
call(PyObject *module, PyObject *const *args, Py_ssize_t given, const char *what, int matrices, int options,
     linalg_function *function)
{
    core_state *state = PyModule_GetState(module);
    matrix_operand operands[2];
    double option = 0.0;
    PyObject *result = NULL;
    int taken = 0;

    if (given != matrices + options) {
        PyErr_Format(PyExc_TypeError, "%s takes %d arguments, %zd given", what, matrices + options, given);
        return NULL;
    }
    if (options && !args_double(args[matrices], "the option", &option))
        return NULL;
    for (; taken < matrices; taken++)
        if (!take(state, args[taken], what, operands + taken))
            goto done;
    MATRIX_BEGIN2(operands[0].source, operands[matrices - 1].source);
    if (operand_settle(operands) && (matrices == 1 || operand_settle(operands + 1)))
        result = function(state, operands, option);
    MATRIX_END2();
done:
    while (taken > 0)
        operand_drop(operands + --taken);
    return result;
}

#define ROW(name, matrices, options)                                                        \
    static PyObject *core_##name(PyObject *module, PyObject *const *args, Py_ssize_t count) \
    {                                                                                       \
        return call(module, args, count, #name "()", matrices, options, linalg_##name);     \
    }
LINALG_FUNCTIONS(ROW)
#undef ROW

#define ROW(name, ...) \
    {"_" #name, (PyCFunction)(void (*)(void))core_##name, METH_FASTCALL, "The work of bocmat.linalg." #name "."},
static PyMethodDef linalg_functions[] = {LINALG_FUNCTIONS(ROW){NULL, NULL, 0, NULL}};
#undef ROW

int
linalg_add(PyObject *module, core_state *state)
{
    state->linalg_error = PyErr_NewExceptionWithDoc(
        "bocmat.linalg.LinAlgError",
        "A matrix for which the function has no answer: singular, not square, not positive definite, or such that an\n"
        "iteration did not converge; the message says which.",
        PyExc_ValueError, NULL);
    if (!state->linalg_error || PyModule_AddObjectRef(module, "LinAlgError", state->linalg_error) < 0)
        return -1;
    return PyModule_AddFunctions(module, linalg_functions);
}
