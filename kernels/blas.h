/* The only header that knows which BLAS it is: a system OpenBLAS (BOCMAT_BLAS_SYSTEM), or the scipy-openblas32 wheel,
 * whose names have a prefix. Both take 32-bit sizes. Declared here, so that nothing is needed to compile. */
#ifndef BOCMAT_BLAS_H
#define BOCMAT_BLAS_H

#include <stddef.h>

#if defined(BOCMAT_BLAS_SYSTEM)
#define BLAS(name) name
#else
#define BLAS(name) scipy_##name
#endif

enum {
    BLAS_ROW_MAJOR = 101,
    BLAS_COLUMN_MAJOR = 102,
    BLAS_AS_IS = 111,
    BLAS_TRANSPOSED = 112,
    BLAS_UPPER = 121,
    BLAS_LOWER = 122,
    BLAS_NON_UNIT = 131,
    BLAS_UNIT = 132,
    BLAS_LEFT = 141,
    BLAS_RIGHT = 142
};

void BLAS(cblas_dgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, double alpha, const double *a,
                       int a_leading, const double *b, int b_leading, double beta, double *c, int c_leading);
void BLAS(cblas_dgemv)(int order, int transpose_a, int m, int n, double alpha, const double *a, int a_leading,
                       const double *x, int x_step, double beta, double *y, int y_step);
void BLAS(cblas_dsyrk)(int order, int triangle, int transpose, int n, int k, double alpha, const double *a,
                       int a_leading, double beta, double *c, int c_leading);
void BLAS(cblas_dtrsm)(int order, int side, int triangle, int transpose, int diagonal, int m, int n, double alpha,
                       const double *a, int a_leading, double *b, int b_leading);
void BLAS(openblas_set_num_threads)(int count);
int BLAS(openblas_get_num_threads)(void);
char *BLAS(openblas_get_config)(void);
char *BLAS(openblas_get_corename)(void);

/* In between BLAS works without its pool (blas.c): for what makes many calls too short to be shared. May be nested and
 * overlap with that of another thread. */
void blas_alone_begin(void);
void blas_alone_end(void);

/* LAPACK, as Fortran has it: column-major, everything by address, the length of each text after the arguments. */
typedef size_t blas_length;

void BLAS(dgetrf_)(const int *m, const int *n, double *a, const int *a_leading, int *pivots, int *info);
void BLAS(dgetrs_)(const char *transpose, const int *n, const int *count, const double *a, const int *a_leading,
                   const int *pivots, double *b, const int *b_leading, int *info, blas_length);
void BLAS(dgetri_)(const int *n, double *a, const int *a_leading, const int *pivots, double *work, const int *size,
                   int *info);
void BLAS(dpotrf_)(const char *triangle, const int *n, double *a, const int *a_leading, int *info, blas_length);
void BLAS(dgelqf_)(const int *m, const int *n, double *a, const int *a_leading, double *tau, double *work,
                   const int *size, int *info);
void BLAS(dorglq_)(const int *m, const int *n, const int *k, double *a, const int *a_leading, const double *tau,
                   double *work, const int *size, int *info);
void BLAS(dgeqrf_)(const int *m, const int *n, double *a, const int *a_leading, double *tau, double *work,
                   const int *size, int *info);
void BLAS(dormqr_)(const char *side, const char *transpose, const int *m, const int *n, const int *k, const double *a,
                   const int *a_leading, const double *tau, double *c, const int *c_leading, double *work,
                   const int *size, int *info, blas_length, blas_length);
void BLAS(dgesdd_)(const char *job, const int *m, const int *n, double *a, const int *a_leading, double *s, double *u,
                   const int *u_leading, double *vt, const int *vt_leading, double *work, const int *size, int *whole,
                   int *info, blas_length);
void BLAS(dsyevd_)(const char *job, const char *triangle, const int *n, double *a, const int *a_leading, double *w,
                   double *work, const int *size, int *whole, const int *whole_size, int *info, blas_length,
                   blas_length);
void BLAS(dgeev_)(const char *left, const char *right, const int *n, double *a, const int *a_leading, double *real,
                  double *imaginary, double *vl, const int *vl_leading, double *vr, const int *vr_leading, double *work,
                  const int *size, int *info, blas_length, blas_length);
void BLAS(dgelsd_)(const int *m, const int *n, const int *count, double *a, const int *a_leading, double *b,
                   const int *b_leading, double *s, const double *least, int *rank, double *work, const int *size,
                   int *whole, int *info);

#endif
