/* Linear algebra on small and on larger sides, over stride patterns: factors multiply to the matrix, solutions solve,
 * nothing outside the results is written. The bounds are multiples of what backward stability allows.
 *
 * Build and run: make -f tests/native/kernels.mk test-kernels, from the root.
 */
#include <pthread.h>

#include "../../kernels/blas.h"
#include "kernels_support.h"

enum { MOST = 40, CELLS = MOST * MOST, SIDES_TRIED = 12 };

static const size_t sides[SIDES_TRIED] = {0, 1, 2, 3, 4, 4, 4, 5, 6, 9, 25, 33};

static mk_window
dense(double *at, size_t columns)
{
    return (mk_window){at, (ptrdiff_t)columns, 1};
}

static double
size_of(size_t rows, size_t columns, mk_window in)
{
    double sum = 0.0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            sum += *element(in, i, j) * *element(in, i, j);
    return sqrt(sum);
}

/* The size of a @ b - c. */
static double
residual(size_t rows, size_t columns, size_t inner, mk_window a, mk_window b, mk_window c)
{
    double sum = 0.0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double difference = -*element(c, i, j);
            for (size_t k = 0; k < inner; k++)
                difference += *element(a, i, k) * *element(b, k, j);
            sum += difference * difference;
        }
    return sqrt(sum);
}

static void
small_enough(const char *what, size_t rows, size_t columns, double error, double scale)
{
    double bound = 20.0 * (double)(rows + columns + 2) * DBL_EPSILON * scale;
    check(error <= bound, "%s of %zu x %zu: off by %g, allowed %g", what, rows, columns, error, bound);
}

static void
orthonormal(const char *what, size_t rows, size_t columns, mk_window q)
{
    double one[CELLS] = {0.0};
    for (size_t i = 0; i < columns; i++)
        one[i * columns + i] = 1.0;
    small_enough(what, rows, columns, residual(columns, columns, rows, turned(q), q, dense(one, columns)),
                 1.0 + (double)columns);
}

/* Memory of exactly the size asked for, so that a sanitizer sees one element too many. */
static double *
memory(size_t count)
{
    double *at = malloc((count ? count : 1) * sizeof(double));
    if (!at)
        abort();
    for (size_t i = 0; i < count; i++)
        at[i] = NAN;
    return at;
}

static void
test_equations(pattern shape, size_t n, size_t count)
{
    block a = block_new(shape, n, n, ORDINARY), b = block_new(shape, n, count, ORDINARY);
    size_t size = mk_solve_work(n, count), inverse_size = mk_inverse_work(n), det_size = mk_determinant_work(n);
    double *x = memory(n * count), *inverse = memory(n * n), *work = memory(size), *other = memory(inverse_size);
    double *third = memory(det_size), one[CELLS] = {0.0};
    int pivot = mk_solve(n, count, x, a.window, b.window, work);
    check(pivot >= 0 && pivot <= (int)n, "pivot %d of %zu", pivot, n);
    check(pivot == mk_inverse(n, inverse, a.window, other, inverse_size), "one pivot, whatever is asked for");
    mk_scaled det = mk_determinant(n, a.window, third);
    check((pivot > 0) == (det.mantissa == 0.0), "singular, and the determinant is %g", det.mantissa);
    if (pivot == 0) {
        double scale = size_of(n, n, a.window);
        for (size_t i = 0; i < n; i++)
            one[i * n + i] = 1.0;
        small_enough("solve", n, count, residual(n, count, n, a.window, dense(x, count), b.window),
                     scale * size_of(n, count, dense(x, count)) + size_of(n, count, b.window));
        small_enough("inverse", n, n, residual(n, n, n, a.window, dense(inverse, n), dense(one, n)),
                     scale * size_of(n, n, dense(inverse, n)));
    }
    check(only_window_written(&a, n, n) && only_window_written(&b, n, count), "operands stay");
    free(x), free(inverse), free(work), free(other), free(third);
    block_free(&a);
    block_free(&b);
}

static void
test_singular(size_t n)
{
    double *a = memory(n * n), *x = memory(n * n), *work = memory(mk_solve_work(n, n));
    for (size_t i = 0; i < n * n; i++)
        a[i] = 1.0;
    if (n == 1)
        a[0] = 0.0;
    check(mk_solve(n, n, x, dense(a, n), dense(a, n), work) == (n == 1 ? 1 : 2), "all ones is singular");
    for (size_t i = 0; i < n * n; i++)
        a[i] = i % (n + 1) ? 0.0 : 4.0;
    check(mk_cholesky(n, x, dense(a, n)) == 0 && x[n * n - 1] == 2.0, "the root of 4");
    a[n * n - 1] = -1.0;
    check(mk_cholesky(n, x, dense(a, n)) == (int)n, "the last minor is negative");
    free(a), free(x), free(work);
}

static void
test_factors(pattern shape, size_t rows, size_t columns)
{
    size_t k = rows < columns ? rows : columns, size = mk_qr_work(rows, columns);
    size_t svd_size = mk_svd_work(rows, columns, true);
    block a = block_new(shape, rows, columns, random_below(3) ? ORDINARY : SMALL_INTEGERS);
    double *q = memory(rows * k), *r = memory(k * columns), *s = memory(k), *alone = memory(k);
    double *work = memory(size), *other = memory(svd_size), scale = size_of(rows, columns, a.window);
    mk_qr(rows, columns, q, r, a.window, work, size);
    orthonormal("q", rows, k, dense(q, k));
    small_enough("qr", rows, columns, residual(rows, columns, k, dense(q, k), dense(r, columns), a.window), scale);
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < i; j++)
            check(r[i * columns + j] == 0.0, "r is triangular");
    check(mk_svd(rows, columns, q, s, r, a.window, other, svd_size) == 0, "svd converges");
    check(mk_svd(rows, columns, NULL, alone, NULL, a.window, other, svd_size) == 0, "svdvals converges");
    orthonormal("u", rows, k, dense(q, k));
    orthonormal("v", columns, k, turned(dense(r, columns)));
    for (size_t j = 0; j < k; j++) {
        check(s[j] >= 0.0 && (j == 0 || s[j] <= s[j - 1]), "singular values descend");
        check(fabs(s[j] - alone[j]) <= 1e-13 * scale, "the same without vectors");
        for (size_t i = 0; i < rows; i++)
            q[i * k + j] *= s[j];
    }
    small_enough("svd", rows, columns, residual(rows, columns, k, dense(q, k), dense(r, columns), a.window), scale);
    check(only_window_written(&a, rows, columns), "the operand stays");
    free(q), free(r), free(s), free(alone), free(work), free(other);
    block_free(&a);
}

static void
test_symmetric(pattern shape, size_t n)
{
    size_t size = mk_eigh_work(n);
    block a = block_new(shape, n, n, random_below(2) ? ORDINARY : SMALL_INTEGERS);
    double *full = memory(n * n), *w = memory(n), *v = memory(n * n), *scaled = memory(n * n), *work = memory(size);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            full[i * n + j] = full[j * n + i] = *element(a.window, i, j);
    check(mk_eigh(n, w, v, a.window, work, size) == 0, "eigh converges");
    orthonormal("eigenvectors", n, n, dense(v, n));
    for (size_t j = 0; j < n; j++) {
        check(j == 0 || w[j] >= w[j - 1], "eigenvalues ascend");
        for (size_t i = 0; i < n; i++)
            scaled[i * n + j] = v[i * n + j] * w[j];
    }
    small_enough("eigh", n, n, residual(n, n, n, dense(scaled, n), turned(dense(v, n)), dense(full, n)),
                 size_of(n, n, dense(full, n)));
    free(full), free(w), free(v), free(scaled), free(work);
    block_free(&a);
}

static void
test_general(pattern shape, size_t rows, size_t columns)
{
    size_t n = rows, count = 1 + random_below(3), k = rows < columns ? rows : columns;
    size_t size = mk_eig_work(n), lstsq_size = mk_lstsq_work(rows, columns, count);
    block a = block_new(shape, n, n, ORDINARY), b = block_new(shape, rows, columns, ORDINARY);
    block c = block_new(shape, rows, count, ORDINARY);
    double *real = memory(n), *imaginary = memory(n), *v = memory(n * n), *work = memory(size), sum = 0.0, trace = 0.0;
    double *x = memory(columns * count), *other = memory(lstsq_size);
    check(mk_eig(n, real, imaginary, v, a.window, work, size) == 0, "eig converges");
    for (size_t i = 0; i < n; i++) {
        sum += real[i];
        trace += *element(a.window, i, i);
    }
    small_enough("the sum of the eigenvalues", n, n, fabs(sum - trace), size_of(n, n, a.window));
    check(mk_lstsq(rows, columns, count, x, b.window, c.window, 1e-15, other, lstsq_size) == 0, "lstsq converges");
    for (size_t i = 0; k > 0 && i < columns * count; i++)
        check(isfinite(x[i]), "a least squares solution is finite");
    free(real), free(imaginary), free(v), free(work), free(x), free(other);
    block_free(&a);
    block_free(&b);
    block_free(&c);
}

static void
test_norms(pattern shape, size_t rows, size_t columns)
{
    block a = block_new(shape, rows, columns, ORDINARY);
    double scale = size_of(rows, columns, a.window);
    small_enough("norm", rows, columns, fabs(mk_reduce(MK_REDUCE_magnitude, rows, columns, a.window) - scale), scale);
    check(mk_is_finite(rows, columns, a.window), "ordinary numbers are finite");
    if (rows * columns > 0) {
        double most = 0.0;
        for (size_t i = 0; i < rows; i++) {
            double sum = 0.0;
            for (size_t j = 0; j < columns; j++)
                sum += fabs(*element(a.window, i, j));
            most = sum > most ? sum : most;
        }
        small_enough("greatest row", rows, columns, fabs(mk_norm_rows(rows, columns, a.window, false) - most), most);
        *element(a.window, rows - 1, columns - 1) = random_below(2) ? NAN : INFINITY;
        check(!mk_is_finite(rows, columns, a.window), "one element is not finite");
    }
    block_free(&a);
}

static void *
many_singular_values(void *out)
{
    size_t n = 33, size = mk_svd_work(n, n, false);
    double *a = memory(n * n), *s = memory(n), *work = memory(size);
    for (size_t i = 0; i < n * n; i++)
        a[i] = (double)(i * i % 97);
    for (int round = 0; round < 50; round++)
        (void)mk_svd(n, n, NULL, s, NULL, dense(a, n), work, size);
    *(double *)out = s[0];
    free(a), free(s), free(work);
    return NULL;
}

/* What wants BLAS without its pool leaves the number of threads as it is, or as it is set meanwhile. */
static void
test_alone(void)
{
    double found[2] = {0.0, 0.0};
    pthread_t other;
    (void)mk_blas_threads(2);
    blas_alone_begin();
    blas_alone_begin();
    blas_alone_end();
    check(BLAS(openblas_get_num_threads)() == 1, "BLAS is alone until the last one ends");
    check(mk_blas_threads(3) == 2 && BLAS(openblas_get_num_threads)() == 1, "a new number waits");
    blas_alone_end();
    check(BLAS(openblas_get_num_threads)() == 3, "then it holds");
    if (pthread_create(&other, NULL, many_singular_values, found))
        abort();
    (void)many_singular_values(found + 1);
    pthread_join(other, NULL);
    check(found[0] == found[1] && found[0] > 0.0, "two at once find the same");
    check(mk_blas_threads(1) == 3, "and leave BLAS its threads");
    blas_alone_begin(); /* whoever was in here is not in the child of a fork */
    mk_blas_forked();
    check(mk_blas_threads(1) == mk_blas_default_threads(), "the child of a fork begins as its parent did");
    blas_alone_begin();
    blas_alone_end();
    check(mk_blas_threads(1) == 1, "and counts from none");
}

int
main(void)
{
    test_alone();
    for (int round = 0; round < 12; round++)
        for (size_t i = 0; i < SIDES_TRIED; i++) {
            pattern shape = (pattern)random_below(OUTPUTS);
            size_t n = sides[i], other = sides[random_below(SIDES_TRIED)];
            test_equations(shape, n, random_below(2) ? random_below(6) : random_below(MOST));
            if (n > 0)
                test_singular(n);
            test_factors(shape, n, other);
            test_symmetric(shape, n);
            test_general(shape, n, other);
            test_norms(shape, n, other);
        }
    printf("linear algebra: %ld passed, %ld failed\n", passed, failed);
    return failed != 0;
}
