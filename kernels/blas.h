/* The only header that knows which BLAS it is: a system OpenBLAS (BOCMAT_BLAS_SYSTEM), or the scipy-openblas32 wheel,
 * whose names have a prefix. Both take 32-bit sizes. Declared here, so that nothing is needed to compile. */
#ifndef BOCMAT_BLAS_H
#define BOCMAT_BLAS_H

#if defined(BOCMAT_BLAS_SYSTEM)
#define BLAS(name) name
#else
#define BLAS(name) scipy_##name
#endif

enum { BLAS_ROW_MAJOR = 101, BLAS_AS_IS = 111, BLAS_TRANSPOSED = 112 };

void BLAS(cblas_dgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha, const double *a,
                       int a_leading, const double *b, int b_leading, double beta, double *c, int c_leading);
void BLAS(cblas_dgemv)(int order, int transpose_a, int m, int n, double alpha, const double *a, int a_leading,
                       const double *x, int x_step, double beta, double *y, int y_step);
void BLAS(openblas_set_num_threads)(int count);
int BLAS(openblas_get_num_threads)(void);
char *BLAS(openblas_get_config)(void);
char *BLAS(openblas_get_corename)(void);

#endif
