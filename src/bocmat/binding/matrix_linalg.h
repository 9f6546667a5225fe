/* What the files matrix_linalg*.c share: linear algebra as functions of the module, private ones that bocmat/linalg.py
 * gives their public face. */
#ifndef BOCMAT_MATRIX_LINALG_H
#define BOCMAT_MATRIX_LINALG_H

#include "matrix_internal.h"

/* The functions: how many matrices they take, and how many numbers after those. */
#define LINALG_FUNCTIONS(ROW) \
    ROW(solve, 2, 0)          \
    ROW(inv, 1, 0)            \
    ROW(det, 1, 0)            \
    ROW(slogdet, 1, 0)        \
    ROW(cholesky, 1, 0)       \
    ROW(qr, 1, 0)             \
    ROW(svd, 1, 0)            \
    ROW(svdvals, 1, 0)        \
    ROW(eigh, 1, 0)           \
    ROW(eig, 1, 0)            \
    ROW(lstsq, 2, 1)          \
    ROW(norm, 1, 1)           \
    ROW(kron, 2, 0)

/* The operands are settled (and locked, without a GIL); no Python code runs. */
typedef PyObject *linalg_function(core_state *state, matrix_operand *operands, double option);
#define ROW(name, ...) linalg_function linalg_##name;
LINALG_FUNCTIONS(ROW)
#undef ROW

/* Memory for LAPACK, and what is pinned while it runs. */
typedef struct {
    matrix_buffer *buffer;
    double *at;
    size_t size;
    matrix_unlocked unlocked;
} linalg_work;

/* `size` doubles, MK_TOO_LARGE included; false with an exception. Then the GIL is free if `side`s make it long. */
bool work_begin(linalg_work *work, const char *what, size_t size, double multiplications, matrix_operand *operands,
                int count);
void work_end(linalg_work *work);

/* False with a LinAlgError that names the shape. */
bool linalg_is_square(core_state *state, const char *what, const matrix_operand *operand);
/* False with a LinAlgError: LAPACK need not come to an end with NaN or infinity. */
bool linalg_is_finite(core_state *state, const char *what, const matrix_operand *operand);
/* A LinAlgError because an iteration did not end. */
PyObject *linalg_not_converged(core_state *state, const char *what);
/* A tuple of new references, which it takes over; NULL if one of them is. */
PyObject *linalg_tuple(PyObject *const *parts, Py_ssize_t count);

static inline double *
values_of(PyObject *matrix)
{
    return ((MatrixObject *)matrix)->data;
}

#endif
