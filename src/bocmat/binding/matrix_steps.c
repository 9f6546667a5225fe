/* Steps of factorizations by parts, for the behaviors of tiled matrices: private functions of the module, which change
 * their first matrix in place and read the others. Shapes here, arithmetic in kernels/steps.c.
 *
 * A part of an LU or QR factorization has one row more than its values: for the pivots, or the reflectors' factors. */
#include "matrix_linalg.h"
#include "matrix_methods.h"
#include "matrix_lock.h"

enum { STEP_MATRICES = 3, STEP_NUMBERS = 2 };

typedef struct {
    core_state *state;
    const char *what;
    matrix_operand operands[STEP_MATRICES];
    Py_ssize_t numbers[STEP_NUMBERS];
} step_call;

typedef PyObject *step_function(step_call *call);

/* ---- what all of them do ---- */

/* Reads a window off an argument and pins it there, so that the step needs no lock. */
static bool
step_hold(step_call *call, PyObject *value, int index)
{
    matrix_operand *operand = call->operands + index;
    bool held = false;

    if (!matrix_check(call->state, value)) {
        PyErr_Format(PyExc_TypeError, "%s takes a Matrix, not %s", call->what, Py_TYPE(value)->tp_name);
        return false;
    }
    *operand = (matrix_operand){.source = value};
    MATRIX_BEGIN(value);
    if (index == 0 ? operand_settle_writable(operand) : operand_settle(operand)) {
        held = mk_step_takes((size_t)operand->rows, (size_t)operand->columns, operand->window);
        if (held)
            exports_add((MatrixObject *)value, MATRIX_PIN);
        else
            PyErr_Format(PyExc_ValueError, "%s takes matrices whose rows lie in memory one after the other",
                         call->what);
    }
    MATRIX_END();
    return held;
}

static PyObject *
step_call_with(PyObject *module, PyObject *const *args, Py_ssize_t given, const char *what, int matrices, int numbers,
               step_function *function)
{
    step_call call = {.state = PyModule_GetState(module), .what = what};
    PyObject *result = NULL;
    int held = 0;

    if (given != matrices + numbers) {
        PyErr_Format(PyExc_TypeError, "%s takes %d arguments, %zd given", what, matrices + numbers, given);
        return NULL;
    }
    for (int i = 0; i < numbers; i++) {
        if (!args_index(args[matrices + i], what, call.numbers + i))
            return NULL;
        if (call.numbers[i] < 0) {
            PyErr_Format(PyExc_ValueError, "%s takes no negative number, but %zd was given", what, call.numbers[i]);
            return NULL;
        }
    }
    while (held < matrices && step_hold(&call, args[held], held))
        held++;
    if (held == matrices)
        result = function(&call);
    while (held-- > 0)
        exports_drop((MatrixObject *)call.operands[held].source, MATRIX_PIN);
    return result;
}

static bool
step_fits(const step_call *call, bool fits)
{
    const matrix_operand *first = call->operands, *second = first + 1;

    if (!fits)
        PyErr_Format(PyExc_ValueError, "%s: shapes (%zd, %zd) and (%zd, %zd) do not fit together at %zd", call->what,
                     first->rows, first->columns, second->rows, second->columns, call->numbers[0]);
    return fits;
}

static bool
step_begin(const step_call *call, linalg_work *work, size_t size, double multiplications)
{
    matrix_operand none[1] = {call->operands[0]};

    return work_begin(work, call->what, size, multiplications, none, 0);
}

static PyObject *
step_end(linalg_work *work)
{
    work_end(work);
    Py_RETURN_NONE;
}

static mk_window
window_at(mk_window window, Py_ssize_t row, Py_ssize_t column)
{
    window.at += row * window.row_stride + column;
    return window;
}

/* The row for pivots or factors. */
static double *
last_row(const matrix_operand *part)
{
    return window_at(part->window, part->rows - 1, 0).at;
}

/* ---- Cholesky ---- */

/* (tile, before): the rows above are counted in the error. */
static PyObject *
cholesky_step(step_call *call)
{
    matrix_operand *tile = call->operands;
    double side = (double)tile->rows;
    linalg_work work;
    int order;

    if (!linalg_is_square(call->state, "cholesky()", tile) || !step_begin(call, &work, 0, side * side * side / 6))
        return NULL;
    order = mk_cholesky_step((size_t)tile->rows, tile->window);
    work_end(&work);
    if (order == 0)
        Py_RETURN_NONE;
    PyErr_Format(call->state->linalg_error,
                 "cholesky(): the matrix is not positive definite: its leading minor of order %zd is not positive",
                 call->numbers[0] + order);
    return NULL;
}

/* (tile, factor) */
static PyObject *
cholesky_below(step_call *call)
{
    matrix_operand *tile = call->operands, *factor = tile + 1;
    linalg_work work;

    if (!step_fits(call, factor->rows == factor->columns && tile->columns == factor->rows) ||
        !step_begin(call, &work, 0, (double)tile->rows * (double)tile->columns * (double)tile->columns / 2))
        return NULL;
    mk_cholesky_below((size_t)tile->rows, (size_t)tile->columns, tile->window, factor->window);
    return step_end(&work);
}

/* (tile, left, right) */
static PyObject *
cholesky_update(step_call *call)
{
    matrix_operand *tile = call->operands, *left = tile + 1, *right = tile + 2;
    linalg_work work;

    if (!step_fits(call, tile->rows == left->rows && left->columns == right->columns && right->rows == tile->columns) ||
        !step_begin(call, &work, 0, (double)tile->rows * (double)tile->columns * (double)left->columns))
        return NULL;
    mk_cholesky_update((size_t)tile->rows, (size_t)tile->columns, (size_t)left->columns, tile->window, left->window,
                       right->window);
    return step_end(&work);
}

/* ---- LU ---- */

/* (band, start) */
static PyObject *
lu_step(step_call *call)
{
    matrix_operand *band = call->operands;
    Py_ssize_t start = call->numbers[0], height = band->rows - 1, width = band->columns - start;
    linalg_work work;
    int pivot;

    if (!step_fits(call, height >= 0 && width >= height) ||
        !step_begin(call, &work, (size_t)height, (double)height * (double)height * (double)width))
        return NULL;
    pivot = mk_lu_step((size_t)height, (size_t)width, window_at(band->window, 0, start), last_row(band), work.at);
    work_end(&work);
    if (pivot == 0)
        Py_RETURN_NONE;
    PyErr_Format(call->state->linalg_error, "solve(): the matrix is singular: pivot %zd is exactly zero",
                 start + pivot);
    return NULL;
}

/* (band, factor, start): both without what is left of `start` */
static PyObject *
lu_update(step_call *call)
{
    matrix_operand *band = call->operands, *factor = band + 1;
    Py_ssize_t start = call->numbers[0], height = factor->rows - 1, width = factor->columns - start;
    linalg_work work;

    if (!step_fits(call, band->rows > 0 && height >= 0 && band->columns == factor->columns && width >= height) ||
        !step_begin(call, &work, 0, (double)band->rows * (double)height * (double)width))
        return NULL;
    mk_lu_update((size_t)band->rows - 1, (size_t)height, (size_t)width, window_at(band->window, 0, start),
                 window_at(factor->window, 0, start), last_row(factor));
    return step_end(&work);
}

/* (x, factor, start, backward) */
static PyObject *
lu_solve(step_call *call)
{
    matrix_operand *x = call->operands, *factor = x + 1;
    Py_ssize_t start = call->numbers[0], height = factor->rows - 1;
    linalg_work work;

    if (!step_fits(call, height >= 0 && x->rows == factor->columns && factor->columns - start >= height) ||
        !step_begin(call, &work, 0, (double)height * (double)x->rows * (double)x->columns))
        return NULL;
    if (call->numbers[1])
        mk_lu_backward((size_t)start, (size_t)height, (size_t)x->rows, (size_t)x->columns, x->window, factor->window,
                       last_row(factor));
    else
        mk_lu_forward((size_t)start, (size_t)height, (size_t)x->columns, x->window, factor->window);
    return step_end(&work);
}

/* ---- QR ---- */

/* (panel, start) */
static PyObject *
qr_step(step_call *call)
{
    matrix_operand *panel = call->operands;
    Py_ssize_t start = call->numbers[0], count = panel->rows - 1, length = panel->columns - start;
    linalg_work work;

    if (!step_fits(call, count >= 0 && length >= 0) ||
        !step_begin(call, &work, mk_qr_step_work((size_t)count, (size_t)length),
                    2 * (double)count * (double)count * (double)length))
        return NULL;
    mk_qr_step((size_t)count, (size_t)length, window_at(panel->window, 0, start), last_row(panel), work.at, work.size);
    return step_end(&work);
}

/* (panel, factor, start, inverse) */
static PyObject *
qr_apply(step_call *call)
{
    matrix_operand *panel = call->operands, *factor = panel + 1;
    Py_ssize_t start = call->numbers[0], length = panel->columns - start, count = factor->rows - 1;
    linalg_work work;

    if (!step_fits(call, panel->rows > 0 && count >= 0 && length >= 0 && factor->columns == panel->columns))
        return NULL;
    count = count < length ? count : length;
    if (!step_begin(call, &work, mk_qr_apply_work((size_t)panel->rows - 1, (size_t)length, (size_t)count),
                    2 * (double)panel->rows * (double)length * (double)count))
        return NULL;
    mk_qr_apply((size_t)panel->rows - 1, (size_t)length, (size_t)count, window_at(panel->window, 0, start),
                window_at(factor->window, 0, start), last_row(factor), call->numbers[1] != 0, work.at, work.size);
    return step_end(&work);
}

/* ---- calls ---- */

/* The functions: how many matrices they take, how many numbers after those, what they do. */
#define STEP_FUNCTIONS(ROW)                                                                             \
    ROW(cholesky_step, 1, 1, "Makes a tile its Cholesky factor, after so many rows.")                   \
    ROW(cholesky_below, 2, 0, "Makes a tile below such a factor its part of the Cholesky factor.")      \
    ROW(cholesky_update, 3, 0, "Subtracts left @ right.T from a tile; of a tile's own the lower half.") \
    ROW(lu_step, 1, 1, "Factors a band of rows from a column on.")                                      \
    ROW(lu_update, 2, 1, "Makes another band what a factored one leaves of it.")                        \
    ROW(lu_solve, 2, 2, "Solves for the rows of a factored band, forward or backward.")                 \
    ROW(qr_step, 1, 1, "Factors some columns, which are rows here, from an element on.")                \
    ROW(qr_apply, 2, 2, "Applies the reflectors of such columns to others, in one order or the inverse.")

#define ROW(name, matrices, numbers, doc)                                                    \
    static PyObject *core_##name(PyObject *module, PyObject *const *args, Py_ssize_t count)  \
    {                                                                                        \
        return step_call_with(module, args, count, "_" #name "()", matrices, numbers, name); \
    }
STEP_FUNCTIONS(ROW)
#undef ROW

#define ROW(name, matrices, numbers, doc) {"_" #name, (PyCFunction)(void (*)(void))core_##name, METH_FASTCALL, doc},
static PyMethodDef step_functions[] = {STEP_FUNCTIONS(ROW){NULL, NULL, 0, NULL}};
#undef ROW

int
steps_add(PyObject *module)
{
    return PyModule_AddFunctions(module, step_functions);
}
