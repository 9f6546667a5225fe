/* Factorizations by parts, put together from their steps: factors multiply to the matrix, solutions solve, nothing
 * outside the parts is written. The bounds are multiples of what backward stability allows.
 *
 * Build and run: make -f tests/native/kernels.mk test-kernels, from the root.
 */
#include "kernels_support.h"

enum { MOST = 40 };

static const pattern shapes[2] = {DENSE, GAPPED};

static mk_window
part(mk_window window, size_t row, size_t column)
{
    window.at = element(window, row, column);
    return window;
}

static size_t
least_of(size_t x, size_t y)
{
    return x < y ? x : y;
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

/* The greatest element of a @ b - c. */
static double
residual(size_t rows, size_t columns, size_t inner, mk_window a, mk_window b, mk_window c)
{
    double most = 0.0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double difference = -*element(c, i, j);
            for (size_t k = 0; k < inner; k++)
                difference += *element(a, i, k) * *element(b, k, j);
            if (!(fabs(difference) <= most)) /* NaN as well */
                most = fabs(difference);
        }
    return most;
}

static void
copy(size_t rows, size_t columns, mk_window to, mk_window from)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            *element(to, i, j) = *element(from, i, j);
}

static void
test_cholesky(pattern shape, size_t n, size_t size)
{
    block a = block_new(shape, n, n, ORDINARY), lower = block_new(shape, n, n, ORDINARY);
    mk_window l = lower.window;
    int order = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            *element(a.window, i, j) = *element(a.window, j, i) += i == j ? 30.0 * (double)n : 0.0;
    copy(n, n, l, a.window);
    for (size_t k = 0; k < n; k += size) {
        size_t side = least_of(size, n - k);
        order |= mk_cholesky_step(side, part(l, k, k));
        for (size_t i = k + size; i < n; i += size)
            mk_cholesky_below(least_of(size, n - i), side, part(l, i, k), part(l, k, k));
        for (size_t i = k + size; i < n; i += size)
            for (size_t j = k + size; j <= i; j += size)
                mk_cholesky_update(least_of(size, n - i), least_of(size, n - j), side, part(l, i, j), part(l, i, k),
                                   part(l, j, k));
        for (size_t j = k + size; j < n; j += size)
            for (size_t i = 0; i < side; i++)
                mk_fill(1, least_of(size, n - j), part(l, k + i, j), 0.0);
    }
    check(order == 0, "Cholesky of %zu by %zu: positive definite", n, size);
    check(residual(n, n, n, l, turned(l), a.window) <= 1e-11, "Cholesky of %zu by %zu", n, size);
    if (n > 0) {
        *element(a.window, n - 1, n - 1) = -1.0;
        copy(n, n, l, a.window);
        check(mk_cholesky_step(n, l) == (int)n, "the last minor of %zu is not positive", n);
    }
    check(only_window_written(&lower, n, n), "Cholesky of %zu stays inside", n);
    block_free(&a), block_free(&lower);
}

static void
test_lu(pattern shape, size_t n, size_t size, size_t count)
{
    block a = block_new(shape, n, n, ORDINARY), b = block_new(shape, n, count, ORDINARY);
    block bands = block_new(shape, n, n, ORDINARY), solution = block_new(shape, n, count, ORDINARY);
    mk_window w = bands.window, x = solution.window;
    double *pivots = memory(n), *work = memory(size);
    int pivot = 0;
    if (n > 2)
        *element(a.window, 0, 0) = *element(a.window, 1, 1) = 0.0;
    copy(n, n, w, a.window);
    copy(n, count, x, b.window);
    for (size_t k = 0; k < n; k += size) {
        size_t height = least_of(size, n - k);
        pivot |= mk_lu_step(height, n - k, part(w, k, k), pivots + k, work);
        for (size_t i = k + size; i < n; i += size)
            mk_lu_update(least_of(size, n - i), height, n - k, part(w, i, k), part(w, k, k), pivots + k);
        mk_lu_forward(k, height, count, x, part(w, k, 0));
    }
    for (size_t k = (n + size - 1) / size * size; k > 0; k -= size) {
        size_t start = k - size;
        mk_lu_backward(start, least_of(size, n - start), n, count, x, part(w, start, 0), pivots + start);
    }
    double scale = 1.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < count; j++)
            scale = fmax(scale, fabs(*element(x, i, j)));
    check(pivot == 0, "LU of %zu by %zu: not singular", n, size);
    check(residual(n, count, n, a.window, x, b.window) <= 1e-11 * scale, "LU of %zu by %zu", n, size);
    if (n > 0) {
        mk_fill(1, n, part(w, 0, 0), 0.0);
        check(mk_lu_step(1, n, part(w, 0, 0), pivots, work) == 1, "a row of zeros has no pivot");
    }
    check(only_window_written(&bands, n, n) && only_window_written(&solution, n, count), "LU of %zu stays inside", n);
    block_free(&a), block_free(&b), block_free(&bands), block_free(&solution);
    free(pivots), free(work);
}

/* `lines` are columns of a matrix of `length` rows. */
static void
test_qr(pattern shape, size_t lines, size_t length, size_t size)
{
    size_t side = least_of(lines, length);
    block a = block_new(shape, lines, length, ORDINARY), panels = block_new(shape, lines, length, ORDINARY);
    block q = block_new(shape, side, length, ORDINARY);
    double *factors = memory(side), *upper = memory(side * lines);
    mk_window w = panels.window, r = {upper, (ptrdiff_t)lines, 1};
    copy(lines, length, w, a.window);
    mk_fill(side, length, q.window, 0.0);
    for (size_t i = 0; i < side; i++)
        *element(q.window, i, i) = 1.0;
    for (size_t k = 0; k < side; k += size) {
        size_t count = least_of(size, lines - k), few = least_of(count, length - k);
        size_t first = mk_qr_step_work(count, length - k);
        double *work = memory(first);
        mk_qr_step(count, length - k, part(w, k, k), factors + k, work, first);
        free(work);
        for (size_t j = k + count; j < lines; j += size) {
            size_t others = least_of(size, lines - j), second = mk_qr_apply_work(others, length - k, few);
            work = memory(second);
            mk_qr_apply(others, length - k, few, part(w, j, k), part(w, k, k), factors + k, false, work, second);
            free(work);
        }
    }
    for (size_t k = (side + size - 1) / size * size; k > 0; k -= size) {
        size_t start = k - size, few = least_of(size, side - start);
        size_t needed = mk_qr_apply_work(side, length - start, few);
        double *work = memory(needed);
        mk_qr_apply(side, length - start, few, part(q.window, 0, start), part(w, start, start), factors + start, true,
                    work, needed);
        free(work);
    }
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j < lines; j++)
            *element(r, i, j) = i <= j ? *element(w, j, i) : 0.0;
    check(residual(length, lines, side, turned(q.window), r, turned(a.window)) <= 1e-11, "QR of %zu x %zu by %zu",
          length, lines, size);
    check(only_window_written(&panels, lines, length) && only_window_written(&q, side, length),
          "QR of %zu x %zu stays inside", length, lines);
    block_free(&a), block_free(&panels), block_free(&q);
    free(factors), free(upper);
}

static void
test_what_steps_take(void)
{
    double at[16];
    check(mk_step_takes(2, 3, (mk_window){at, 3, 1}), "rows one after the other");
    check(mk_step_takes(2, 3, (mk_window){at, 8, 1}), "with gaps between them");
    check(mk_step_takes(1, 3, (mk_window){at, -3, 1}), "one row");
    check(mk_step_takes(3, 1, (mk_window){at, 2, 5}), "one column");
    check(!mk_step_takes(2, 3, (mk_window){at, 1, 2}), "columns one after the other");
    check(!mk_step_takes(2, 3, (mk_window){at, -3, 1}), "backward");
    check(!mk_step_takes(2, 3, (mk_window){at, 6, 2}), "every second element");
    check(!mk_step_takes(2, (size_t)1 << 40, (mk_window){at, (ptrdiff_t)1 << 40, 1}), "more than BLAS counts");
}

int
main(void)
{
    test_what_steps_take();
    (void)mk_blas_threads(1);
    for (int round = 0; round < 400; round++) {
        pattern shape = shapes[random_below(2)];
        size_t n = random_below(MOST), size = 1 + random_below(12);
        test_cholesky(shape, n, size);
        test_lu(shape, n, size, random_below(6));
        test_qr(shape, n, random_below(MOST), size);
    }
    printf("steps: %ld passed, %ld failed\n", passed, failed);
    return failed != 0;
}
