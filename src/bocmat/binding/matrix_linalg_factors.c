/* Linear algebra that answers with factors: QR, singular values and vectors, eigenvalues and eigenvectors. */
#include "matrix_linalg.h"

static void
drop_all(PyObject *const *parts, int count)
{
    for (int i = 0; i < count; i++)
        Py_XDECREF(parts[i]);
}

static Py_ssize_t
least_side(const matrix_operand *operand)
{
    return operand->rows < operand->columns ? operand->rows : operand->columns;
}

static double
multiplications(const matrix_operand *operand)
{
    return 4.0 * (double)operand->rows * (double)operand->columns * (double)least_side(operand);
}

PyObject *
linalg_qr(core_state *state, matrix_operand *operands, double option)
{
    Py_ssize_t rows = operands->rows, columns = operands->columns, k = least_side(operands);
    PyObject *parts[2] = {matrix_empty(state, rows, k), matrix_empty(state, k, columns)};
    linalg_work work;

    (void)option;
    if (!parts[0] || !parts[1] ||
        !work_begin(&work, "qr()", mk_qr_work((size_t)rows, (size_t)columns), multiplications(operands), operands, 1)) {
        drop_all(parts, 2);
        return NULL;
    }
    mk_qr((size_t)rows, (size_t)columns, values_of(parts[0]), values_of(parts[1]), operands->window, work.at,
          work.size);
    work_end(&work);
    return linalg_tuple(parts, 2);
}

/* u, s and vh into parts[0 .. 2]; s alone if there is no parts[0]. */
static bool
singular_values(core_state *state, const char *what, matrix_operand *operands, PyObject *const *parts)
{
    size_t rows = (size_t)operands->rows, columns = (size_t)operands->columns;
    bool vectors = parts[0] != NULL;
    linalg_work work;
    int status;

    if (!linalg_is_finite(state, what, operands) ||
        !work_begin(&work, what, mk_svd_work(rows, columns, vectors), multiplications(operands), operands, 1))
        return false;
    status = mk_svd(rows, columns, vectors ? values_of(parts[0]) : NULL, values_of(parts[1]),
                    vectors ? values_of(parts[2]) : NULL, operands->window, work.at, work.size);
    work_end(&work);
    if (status != 0)
        linalg_not_converged(state, what);
    return status == 0;
}

PyObject *
linalg_svd(core_state *state, matrix_operand *operands, double option)
{
    Py_ssize_t k = least_side(operands);
    PyObject *parts[3] = {matrix_empty(state, operands->rows, k), matrix_empty(state, 1, k),
                          matrix_empty(state, k, operands->columns)};

    (void)option;
    if (parts[0] && parts[1] && parts[2] && singular_values(state, "svd()", operands, parts))
        return linalg_tuple(parts, 3);
    drop_all(parts, 3);
    return NULL;
}

PyObject *
linalg_svdvals(core_state *state, matrix_operand *operands, double option)
{
    PyObject *parts[3] = {NULL, matrix_empty(state, 1, least_side(operands)), NULL};

    (void)option;
    if (parts[1] && singular_values(state, "svdvals()", operands, parts))
        return parts[1];
    drop_all(parts, 3);
    return NULL;
}

/* The lower triangle alone counts. */
static bool
triangle_is_finite(core_state *state, matrix_operand *operand)
{
    matrix_operand row = *operand;

    if (mk_is_finite((size_t)operand->rows, (size_t)operand->columns, operand->window))
        return true;
    for (Py_ssize_t i = 0; i < operand->rows; i++) {
        if (!mk_is_finite(1, (size_t)i + 1, row.window))
            return linalg_is_finite(state, "eigh()", operand);
        row.window.at += row.window.row_stride;
    }
    return true;
}

PyObject *
linalg_eigh(core_state *state, matrix_operand *operands, double option)
{
    Py_ssize_t n = operands->rows;
    PyObject *parts[2];
    linalg_work work;
    int status;

    (void)option;
    if (!linalg_is_square(state, "eigh()", operands) || !triangle_is_finite(state, operands))
        return NULL;
    parts[0] = matrix_empty(state, 1, n);
    parts[1] = matrix_empty(state, n, n);
    if (!parts[0] || !parts[1] ||
        !work_begin(&work, "eigh()", mk_eigh_work((size_t)n), multiplications(operands), operands, 1)) {
        drop_all(parts, 2);
        return NULL;
    }
    status = mk_eigh((size_t)n, values_of(parts[0]), values_of(parts[1]), operands->window, work.at, work.size);
    work_end(&work);
    if (status == 0)
        return linalg_tuple(parts, 2);
    drop_all(parts, 2);
    return linalg_not_converged(state, "eigh()");
}

PyObject *
linalg_eig(core_state *state, matrix_operand *operands, double option)
{
    Py_ssize_t n = operands->rows;
    PyObject *parts[3];
    linalg_work work;
    int status;

    (void)option;
    if (!linalg_is_square(state, "eig()", operands) || !linalg_is_finite(state, "eig()", operands))
        return NULL;
    parts[0] = matrix_empty(state, 1, n);
    parts[1] = matrix_empty(state, 1, n);
    parts[2] = matrix_empty(state, n, n);
    if (!parts[0] || !parts[1] || !parts[2] ||
        !work_begin(&work, "eig()", mk_eig_work((size_t)n), multiplications(operands), operands, 1)) {
        drop_all(parts, 3);
        return NULL;
    }
    status = mk_eig((size_t)n, values_of(parts[0]), values_of(parts[1]), values_of(parts[2]), operands->window, work.at,
                    work.size);
    work_end(&work);
    if (status == 0)
        return linalg_tuple(parts, 3);
    drop_all(parts, 3);
    return linalg_not_converged(state, "eig()");
}
