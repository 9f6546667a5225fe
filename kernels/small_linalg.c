/* Linear algebra for sides of at most 4, where a call of LAPACK costs more than the work.
 *
 * Backward stable like LAPACK's: elimination with partial pivoting; Householder reflections; Jacobi rotations for the
 * symmetric eigenvalue problem (Golub and Van Loan, Matrix Computations, 8.5) and, from one side, for singular values
 * (Hestenes 1958; Demmel and Veselic 1992 on its accuracy).
 */
#include <float.h>
#include <math.h>

#include "small_linalg.h"
#include "stride.h"

enum { SWEEPS = 40 /* six are enough for any matrix met so far */ };

static void
load(size_t rows, size_t columns, double *to, mk_window from)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            to[i * columns + j] = *at_element(from, i, j).at;
}

static void
swap(double *x, double *y)
{
    double was = *x;
    *x = *y;
    *y = was;
}

/* ---- elimination ---- */

/* a = P L U in place, row-major; `rows[i]` is where row i came from. 0 or the position of a pivot that is zero, the
 * elimination goes on then. A NaN is taken as a pivot only where it stands first, and spreads. */
static int
eliminate(size_t n, double *a, size_t *rows, bool *negative)
{
    int singular = 0;
    *negative = false;
    for (size_t i = 0; i < n; i++)
        rows[i] = i;
    for (size_t k = 0; k < n; k++) {
        size_t pivot = k;
        for (size_t i = k + 1; i < n; i++)
            if (fabs(a[i * n + k]) > fabs(a[pivot * n + k]))
                pivot = i;
        if (pivot != k) {
            size_t row = rows[k];
            rows[k] = rows[pivot];
            rows[pivot] = row;
            *negative = !*negative;
            for (size_t j = 0; j < n; j++)
                swap(a + k * n + j, a + pivot * n + j);
        }
        if (a[k * n + k] == 0.0) {
            if (singular == 0)
                singular = (int)k + 1;
            continue;
        }
        for (size_t i = k + 1; i < n; i++) {
            double factor = a[i * n + k] /= a[k * n + k];
            for (size_t j = k + 1; j < n; j++)
                a[i * n + j] -= factor * a[k * n + j];
        }
    }
    return singular;
}

/* x = U^-1 L^-1 x, x being n x count. */
static void
substitute(size_t n, size_t count, const double *lu, double *x)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++)
            for (size_t j = 0; j < count; j++)
                x[i * count + j] -= lu[i * n + k] * x[k * count + j];
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            for (size_t j = 0; j < count; j++)
                x[i * count + j] -= lu[i * n + k] * x[k * count + j];
        for (size_t j = 0; j < count; j++)
            x[i * count + j] /= lu[i * n + i];
    }
}

int
small_solve(size_t n, size_t count, double *x, mk_window a, mk_window b)
{
    double lu[SMALL_SIDE * SMALL_SIDE];
    size_t rows[SMALL_SIDE];
    bool negative;
    load(n, n, lu, a);
    int singular = eliminate(n, lu, rows, &negative);
    if (singular != 0)
        return singular;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < count; j++)
            x[i * count + j] = *at_element(b, rows[i], j).at;
    substitute(n, count, lu, x);
    return 0;
}

int
small_inverse(size_t n, double *out, mk_window a)
{
    static const double unit[] = {0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0};
    return small_solve(n, n, out, a, (mk_window){(double *)unit + SMALL_SIDE - 1, -1, 1});
}

mk_scaled
scaled_product(size_t n, const double *pivots, size_t step, bool negative)
{
    mk_scaled product = {negative ? -1.0 : 1.0, 0};
    for (size_t i = 0; i < n; i++) {
        int exponent;
        product.mantissa = frexp(product.mantissa * pivots[i * step], &exponent);
        if (product.mantissa == 0.0 || !isfinite(product.mantissa))
            exponent = 0;
        product.exponent += exponent;
    }
    return product;
}

/* Written by hand where it is exact but for two roundings: ad - bc (Kahan). */
static double
determinant_2(const double *a)
{
    double product = a[1] * a[2], error = fma(-a[1], a[2], product);
    return fma(a[0], a[3], -product) + error;
}

mk_scaled
small_determinant(size_t n, mk_window a)
{
    double lu[SMALL_SIDE * SMALL_SIDE];
    size_t rows[SMALL_SIDE];
    bool negative;
    load(n, n, lu, a);
    if (n == 2) {
        double value = determinant_2(lu);
        if (isfinite(value) && fabs(value) > 1e-200)
            return scaled_product(1, &value, 1, false);
    }
    (void)eliminate(n, lu, rows, &negative);
    return scaled_product(n, lu, n + 1, negative);
}

/* ---- Cholesky ---- */

int
small_cholesky(size_t n, double *out, mk_window a)
{
    for (size_t j = 0; j < n; j++) {
        double sum = *at_element(a, j, j).at;
        for (size_t k = 0; k < j; k++) {
            sum -= out[j * n + k] * out[j * n + k];
            out[k * n + j] = 0.0;
        }
        if (sum <= 0.0)
            return (int)j + 1; /* NaN spreads, as it does through LAPACK */
        double root = out[j * n + j] = sqrt(sum);
        for (size_t i = j + 1; i < n; i++) {
            double rest = *at_element(a, i, j).at;
            for (size_t k = 0; k < j; k++)
                rest -= out[i * n + k] * out[j * n + k];
            out[i * n + j] = rest / root;
        }
    }
    return 0;
}

/* ---- what squares elements ---- */

/* Loads, and says whether sums of squares of the elements neither overflow nor underflow; NaN is not tame. */
static bool
load_tame(size_t rows, size_t columns, double *to, mk_window from)
{
    bool tame = true;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double x = *at_element(from, i, j).at, size = fabs(x);
            to[i * columns + j] = x;
            tame &= (size >= 1e-100 && size <= 1e100) || size == 0.0;
        }
    return tame;
}

/* The reflection H = I - tau v v' with v[k] = 1 that makes column k of `a` zero below row k. */
static double
reflect(size_t rows, size_t columns, double *a, size_t k)
{
    double below = 0.0, first = a[k * columns + k];
    for (size_t i = k + 1; i < rows; i++)
        below += a[i * columns + k] * a[i * columns + k];
    if (below == 0.0)
        return 0.0;
    double length = -copysign(sqrt(first * first + below), first), tau = (length - first) / length;
    for (size_t i = k + 1; i < rows; i++)
        a[i * columns + k] /= first - length;
    a[k * columns + k] = length;
    for (size_t j = k + 1; j < columns; j++) {
        double dot = a[k * columns + j];
        for (size_t i = k + 1; i < rows; i++)
            dot += a[i * columns + k] * a[i * columns + j];
        dot *= tau;
        a[k * columns + j] -= dot;
        for (size_t i = k + 1; i < rows; i++)
            a[i * columns + j] -= dot * a[i * columns + k];
    }
    return tau;
}

bool
small_qr(size_t rows, size_t columns, double *q, double *r, mk_window window)
{
    double a[SMALL_SIDE * SMALL_SIDE], tau[SMALL_SIDE];
    size_t least = rows < columns ? rows : columns;
    if (!load_tame(rows, columns, a, window))
        return false;
    for (size_t k = 0; k < least; k++)
        tau[k] = reflect(rows, columns, a, k);
    for (size_t i = 0; i < least; i++)
        for (size_t j = 0; j < columns; j++)
            r[i * columns + j] = j < i ? 0.0 : a[i * columns + j];
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < least; j++)
            q[i * least + j] = i == j ? 1.0 : 0.0;
    for (size_t k = least; k-- > 0;)
        for (size_t j = k; j < least; j++) {
            double dot = q[k * least + j];
            for (size_t i = k + 1; i < rows; i++)
                dot += a[i * columns + k] * q[i * least + j];
            dot *= tau[k];
            q[k * least + j] -= dot;
            for (size_t i = k + 1; i < rows; i++)
                q[i * least + j] -= dot * a[i * columns + k];
        }
    return true;
}

/* Cosine and sine of the rotation that makes [[p, g], [g, q]] diagonal; the smaller of the two angles. */
static double
rotation(double p, double q, double g, double *sine, double *tangent)
{
    double ratio = (q - p) / (2.0 * g);
    *tangent = copysign(1.0, ratio) / (fabs(ratio) + sqrt(1.0 + ratio * ratio));
    if (!isfinite(ratio))
        *tangent = 0.0;
    double cosine = 1.0 / sqrt(1.0 + *tangent * *tangent);
    *sine = cosine * *tangent;
    return cosine;
}

/* ---- symmetric eigenvalues ---- */

/* One rotation in the plane of p and q, of `a` from both sides and of v from the right. */
static void
rotate_both(size_t n, double *a, double *v, size_t p, size_t q)
{
    double sine, tangent, g = a[p * n + q], cosine = rotation(a[p * n + p], a[q * n + q], g, &sine, &tangent);
    a[p * n + p] -= tangent * g;
    a[q * n + q] += tangent * g;
    a[p * n + q] = a[q * n + p] = 0.0;
    for (size_t i = 0; i < n; i++) {
        double x = v[i * n + p], y = v[i * n + q];
        v[i * n + p] = cosine * x - sine * y;
        v[i * n + q] = sine * x + cosine * y;
        if (i == p || i == q)
            continue;
        x = a[i * n + p];
        y = a[i * n + q];
        a[i * n + p] = a[p * n + i] = cosine * x - sine * y;
        a[i * n + q] = a[q * n + i] = sine * x + cosine * y;
    }
}

/* Rotates away what is above `least`; false when nothing was. */
static bool
sweep_both(size_t n, double *a, double *v, double least)
{
    bool rotated = false;
    for (size_t p = 0; p + 1 < n; p++)
        for (size_t q = p + 1; q < n; q++)
            if (fabs(a[p * n + q]) > least) {
                rotate_both(n, a, v, p, q);
                rotated = true;
            }
    return rotated;
}

bool
small_eigh(size_t n, double *w, double *v, mk_window window)
{
    double a[SMALL_SIDE * SMALL_SIDE], vectors[SMALL_SIDE * SMALL_SIDE], greatest = 0.0;
    size_t order[SMALL_SIDE];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double x = *at_element(window, i, j).at, size = fabs(x);
            if (!((size >= 1e-100 && size <= 1e100) || size == 0.0))
                return false;
            a[i * n + j] = a[j * n + i] = x;
            vectors[i * n + j] = vectors[j * n + i] = i == j ? 1.0 : 0.0;
            greatest = size > greatest ? size : greatest;
        }
    int sweep = 0;
    while (sweep_both(n, a, vectors, greatest * (DBL_EPSILON / 64.0)))
        if (++sweep == SWEEPS)
            return false;
    for (size_t i = 0; i < n; i++) {
        size_t place = i;
        for (; place > 0 && a[i * n + i] < a[order[place - 1] * (n + 1)]; place--)
            order[place] = order[place - 1];
        order[place] = i;
    }
    for (size_t j = 0; j < n; j++) {
        w[j] = a[order[j] * (n + 1)];
        for (size_t i = 0; i < n; i++)
            v[i * n + j] = vectors[i * n + order[j]];
    }
    return true;
}

/* ---- singular values ---- */

/* Columns are kept side by side here, each of SMALL_SIDE doubles. */
typedef double small_columns[SMALL_SIDE][SMALL_SIDE];

static double
dot(const double *x, const double *y)
{
    return (x[0] * y[0] + x[1] * y[1]) + (x[2] * y[2] + x[3] * y[3]);
}

static void
rotate(double *x, double *y, double cosine, double sine)
{
    for (size_t i = 0; i < SMALL_SIDE; i++) {
        double p = x[i], q = y[i];
        x[i] = cosine * p - sine * q;
        y[i] = sine * p + cosine * q;
    }
}

/* Turns pairs of columns of g until they are at right angles, and v along with them; false when all were. */
static bool
sweep_columns(size_t n, small_columns g, small_columns v)
{
    bool rotated = false;
    for (size_t p = 0; p + 1 < n; p++)
        for (size_t q = p + 1; q < n; q++) {
            double across = dot(g[p], g[q]), one = dot(g[p], g[p]), two = dot(g[q], g[q]), sine, tangent;
            if (!(fabs(across) > 2.0 * DBL_EPSILON * sqrt(one) * sqrt(two)) || across == 0.0)
                continue;
            double cosine = rotation(one, two, across, &sine, &tangent);
            rotate(g[p], g[q], cosine, sine);
            rotate(v[p], v[q], cosine, sine);
            rotated = true;
        }
    return rotated;
}

/* Makes column `at` of u a unit vector at right angles to those before it: of the unit vectors, the one that has most
 * left without them. */
static void
complete(small_columns u, size_t rows, size_t at)
{
    double best[SMALL_SIDE] = {0.0}, longest = 0.0;
    for (size_t k = 0; k < rows; k++) {
        double x[SMALL_SIDE] = {0.0};
        x[k] = 1.0;
        for (int twice = 0; twice < 2; twice++)
            for (size_t j = 0; j < at; j++) {
                double along = dot(u[j], x);
                for (size_t i = 0; i < SMALL_SIDE; i++)
                    x[i] -= along * u[j][i];
            }
        double length = dot(x, x);
        if (length > longest) {
            longest = length;
            for (size_t i = 0; i < SMALL_SIDE; i++)
                best[i] = x[i];
        }
    }
    for (size_t i = 0; i < SMALL_SIDE; i++)
        u[at][i] = best[i] / sqrt(longest);
}

bool
small_svd(size_t rows, size_t columns, double *u, double *s, double *vh, mk_window window)
{
    small_columns g = {{0.0}}, v = {{0.0}};
    double a[SMALL_SIDE * SMALL_SIDE], lengths[SMALL_SIDE];
    size_t order[SMALL_SIDE], most = rows, k = columns;
    bool wide = columns > rows;
    if (!load_tame(rows, columns, a, window))
        return false;
    if (wide) { /* the columns of the transpose */
        most = columns;
        k = rows;
    }
    for (size_t j = 0; j < k; j++) {
        for (size_t i = 0; i < most; i++)
            g[j][i] = wide ? a[j * columns + i] : a[i * columns + j];
        v[j][j] = 1.0;
    }
    int sweep = 0;
    while (sweep_columns(k, g, v))
        if (++sweep == SWEEPS)
            return false;
    for (size_t j = 0; j < k; j++) {
        lengths[j] = sqrt(dot(g[j], g[j]));
        size_t place = j;
        for (; place > 0 && lengths[j] > lengths[order[place - 1]]; place--)
            order[place] = order[place - 1];
        order[place] = j;
    }
    for (size_t j = 0; j < k; j++)
        s[j] = lengths[order[j]];
    if (!u)
        return true;
    small_columns left = {{0.0}};
    for (size_t j = 0; j < k; j++) {
        if (s[j] <= 1e-140) {
            complete(left, most, j);
            continue;
        }
        for (size_t i = 0; i < SMALL_SIDE; i++)
            left[j][i] = g[order[j]][i] / s[j];
    }
    for (size_t j = 0; j < k; j++) {
        const double *long_one = left[j], *short_one = v[order[j]];
        for (size_t i = 0; i < rows; i++)
            u[i * k + j] = wide ? short_one[i] : long_one[i];
        for (size_t i = 0; i < columns; i++)
            vh[j * columns + i] = wide ? long_one[i] : short_one[i];
    }
    return true;
}
