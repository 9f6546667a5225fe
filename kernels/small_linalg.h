/* Between lapack.c and small_linalg.c: the direct ways for sides of at most SMALL_SIDE. As in mk.h, without work. */
#ifndef BOCMAT_SMALL_LINALG_H
#define BOCMAT_SMALL_LINALG_H

#include "mk.h"

enum { SMALL_SIDE = 4 };

int small_solve(size_t n, size_t count, double *x, mk_window a, mk_window b);
int small_inverse(size_t n, double *out, mk_window a);
mk_scaled small_determinant(size_t n, mk_window a);
int small_cholesky(size_t n, double *out, mk_window a);

/* False, and nothing is written, where a square of an element could overflow or underflow, or one is not finite: for
 * LAPACK, which scales. */
bool small_qr(size_t rows, size_t columns, double *q, double *r, mk_window a);
bool small_svd(size_t rows, size_t columns, double *u, double *s, double *vh, mk_window a);
bool small_eigh(size_t n, double *w, double *v, mk_window a);

/* The product of n pivots, `step` doubles apart. */
mk_scaled scaled_product(size_t n, const double *pivots, size_t step, bool negative);

#endif
