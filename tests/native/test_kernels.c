/* Every kernel family, on every instruction set that runs here, over shapes and stride patterns, against scalar loops.
 *
 * Build and run: make -f tests/native/kernels.mk, from the root (OPENBLAS=<folder with include/ and lib/>).
 *
 * Results that IEEE 754 fixes are compared by their bits; so are sums, with the order of folding that
 * kernels/reduce_loops.h states, written down here once more as plain recursion.
 */
#include "kernels_order.h"
#include "kernels_reduce.h"
#include "kernels_support.h"

/* ---- element-wise ---- */

typedef double scalar_function(double x, double y, double z);

#define REFERENCE(name, value)                             \
    static double ref_##name(double x, double y, double z) \
    {                                                      \
        (void)x, (void)y, (void)z;                         \
        return value;                                      \
    }
REFERENCE(negate, -x)
REFERENCE(abs, fabs(x))
REFERENCE(sqrt, sqrt(x))
REFERENCE(sign, isnan(x) ? x : (double)(x > 0.0) - (double)(x < 0.0))
REFERENCE(reciprocal, 1.0 / x)
REFERENCE(square, x *x)
REFERENCE(ceil, ceil(x))
REFERENCE(floor, floor(x))
REFERENCE(trunc, trunc(x))
REFERENCE(relu, isnan(x) ? x : fmax(x, 0.0))
REFERENCE(isnan, isnan(x))
REFERENCE(isinf, isinf(x) != 0)
REFERENCE(isfinite, isfinite(x))
REFERENCE(logical_not, x == 0.0)
REFERENCE(logical_and, x != 0.0 && y != 0.0)
REFERENCE(logical_or, x != 0.0 || y != 0.0)
REFERENCE(logical_xor, (x != 0.0) != (y != 0.0))
REFERENCE(copysign, copysign(x, y))
REFERENCE(cbrt, (double)cbrtl(x))
REFERENCE(exp, (double)expl(x))
REFERENCE(exp2, (double)exp2l(x))
REFERENCE(expm1, (double)expm1l(x))
REFERENCE(log, (double)logl(x))
REFERENCE(log2, (double)log2l(x))
REFERENCE(log10, (double)log10l(x))
REFERENCE(log1p, (double)log1pl(x))
REFERENCE(sin, (double)sinl(x))
REFERENCE(cos, (double)cosl(x))
REFERENCE(tan, (double)tanl(x))
REFERENCE(arcsin, (double)asinl(x))
REFERENCE(arccos, (double)acosl(x))
REFERENCE(arctan, (double)atanl(x))
REFERENCE(sinh, (double)sinhl(x))
REFERENCE(cosh, (double)coshl(x))
REFERENCE(tanh, (double)tanhl(x))
REFERENCE(sigmoid, (double)((x < 0.0 ? expl(x) : 1.0L) / (1.0L + expl(-fabsl(x)))))
REFERENCE(power, (double)powl(x, y))
REFERENCE(hypot, (double)hypotl(x, y))
REFERENCE(arctan2, (double)atan2l(x, y))
REFERENCE(fma, fma(x, y, z))
REFERENCE(scaled_add, x + y * z)
REFERENCE(add, x + y)
REFERENCE(subtract, x - y)
REFERENCE(multiply, x *y)
REFERENCE(divide, x / y)
REFERENCE(less, x < y)
REFERENCE(less_equal, x <= y)
REFERENCE(greater, x > y)
REFERENCE(greater_equal, x >= y)
REFERENCE(equal, x == y)
REFERENCE(not_equal, x != y)
REFERENCE(where, x == 0.0 ? z : y)
#undef REFERENCE

static double
ref_minimum(double x, double y, double z)
{
    (void)z;
    if (isnan(x) || isnan(y))
        return NAN;
    return x < y ? x : y;
}

static double
ref_maximum(double x, double y, double z)
{
    (void)z;
    if (isnan(x) || isnan(y))
        return NAN;
    return x > y ? x : y;
}

static double
ref_clip(double x, double y, double z)
{
    return ref_minimum(ref_maximum(x, y, 0), z, 0);
}

/* As Python and NumPy define them: from the exact remainder of fmod. */
static double
ref_remainder(double x, double y, double z)
{
    double rest = fmod(x, y);
    (void)z;
    if (rest == 0.0)
        return copysign(0.0, y);
    return y != 0.0 && (y < 0.0) != (rest < 0.0) ? rest + y : rest;
}

static double
ref_floor_divide(double x, double y, double z)
{
    double rest = fmod(x, y), quotient, whole;
    (void)z;
    if (y == 0.0)
        return x / y;
    quotient = (x - rest) / y;
    if (rest != 0.0 && (y < 0.0) != (rest < 0.0))
        quotient -= 1.0;
    whole = floor(quotient);
    if (quotient - whole > 0.5)
        whole += 1.0;
    return quotient == 0.0 ? copysign(0.0, x / y) : whole;
}

typedef enum { UNARY_OP, BINARY_OP, COMPARE_OP, WHERE_OP, CLIP_OP, FMA_OP, SCALED_ADD_OP } family;

typedef struct {
    const char *name;
    family family;
    int op, inputs;
    scalar_function *reference;
} elementwise;

static const elementwise table[] = {
#define UNARY(op, ...) {#op, UNARY_OP, MK_UNARY_##op, 1, ref_##op},
#include "../../kernels/unary.def"
#undef UNARY
#define BINARY(op, ...) {#op, BINARY_OP, MK_BINARY_##op, 2, ref_##op},
#include "../../kernels/binary.def"
#undef BINARY
#define COMPARE(op, ...) {#op, COMPARE_OP, MK_COMPARE_##op, 2, ref_##op},
#include "../../kernels/compare.def"
#undef COMPARE
    {"where", WHERE_OP, 0, 3, ref_where},
    {"clip", CLIP_OP, 0, 3, ref_clip},
    {"fma", FMA_OP, 0, 3, ref_fma},
    {"scaled_add", SCALED_ADD_OP, 0, 3, ref_scaled_add},
};

/* Within 4 ULP; the others are exact. */
static const char mathematical[] =
    " cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh sigmoid power hypot "
    "arctan2 ";

static bool
is_mathematical(const char *name)
{
    char word[32];
    snprintf(word, sizeof word, " %s ", name);
    return strstr(mathematical, word) != NULL;
}

static void
run(const elementwise *test, size_t rows, size_t columns, mk_window out, const mk_window *in)
{
    switch (test->family) {
    case UNARY_OP:
        mk_unary((mk_unary_op)test->op, rows, columns, out, in[0]);
        break;
    case BINARY_OP:
        mk_binary((mk_binary_op)test->op, rows, columns, out, in[0], in[1]);
        break;
    case COMPARE_OP:
        mk_compare((mk_compare_op)test->op, rows, columns, out, in[0], in[1]);
        break;
    case WHERE_OP:
        mk_where(rows, columns, out, in[0], in[1], in[2]);
        break;
    case FMA_OP:
        mk_fma(rows, columns, out, in[0], in[1], in[2]);
        break;
    case SCALED_ADD_OP:
        mk_scaled_add(rows, columns, out, in[0], in[1], in[2]);
        break;
    default:
        mk_clip(rows, columns, out, in[0], in[1], in[2]);
    }
}

static bool
agrees(const elementwise *test, double got, double expected)
{
    if (same_bits(got, expected))
        return true;
    if (!is_mathematical(test->name))
        return false;
    if (isnan(expected) || isnan(got))
        return false;
    if (isinf(expected))
        return fabs(got) == DBL_MAX && signbit(got) == signbit(expected);
    if (isinf(got))
        return fabs(expected) >= nextafter(DBL_MAX, 0.0) && signbit(got) == signbit(expected);
    double size = fabs(expected);
    return fabs(got - expected) <=
           4.0 * (size == DBL_MAX ? size - nextafter(size, 0.0) : nextafter(size, INFINITY) - size);
}

static void
check_elementwise(const elementwise *test, size_t rows, size_t columns, const pattern *patterns, bool in_place)
{
    block in[3], out = block_new(patterns[0], rows, columns, SPECIAL);
    mk_window windows[3];
    for (int k = 0; k < test->inputs; k++) {
        in[k] = in_place && k == 0 ? out : block_new(patterns[k + 1], rows, columns, SPECIAL);
        windows[k] = in[k].window;
    }
    run(test, rows, columns, out.window, windows);
    bool good = true;
    for (size_t i = 0; i < rows && good; i++)
        for (size_t j = 0; j < columns && good; j++) {
            double x[3] = {0};
            for (int k = 0; k < test->inputs; k++)
                x[k] = old(&in[k], i, j);
            double expected = test->reference(x[0], x[1], x[2]), got = *element(out.window, i, j);
            good = agrees(test, got, expected);
            if (!good)
                check(false, "%s(%a, %a, %a) at [%zu, %zu] of %zux%zu, out %s, in %s: %a, not %a", test->name, x[0],
                      x[1], x[2], i, j, rows, columns, pattern_names[patterns[0]], pattern_names[patterns[1]], got,
                      expected);
        }
    if (good)
        check(only_window_written(&out, rows, columns), "%s of %zux%zu wrote outside its result, which is %s",
              test->name, rows, columns, pattern_names[patterns[0]]);
    for (int k = 0; k < test->inputs; k++)
        if (!(in_place && k == 0))
            block_free(&in[k]);
    block_free(&out);
}

static void
check_run(const elementwise *test, size_t n, unsigned repeated)
{
    block a = block_new(DENSE, 1, n, SPECIAL), b = block_new(DENSE, 1, n, SPECIAL),
          out = block_new(DENSE, 1, n, SPECIAL);
    block lone = block_new(DENSE, 1, n, SPECIAL);
    mk_window in[2] = {repeated == 1 ? (mk_window){a.window.at, 0, 0} : a.window,
                       repeated == 2 ? (mk_window){b.window.at, 0, 0} : b.window};
    run(test, 1, n, out.window, in);
    if (test->family == UNARY_OP)
        mk_unary_line((mk_unary_op)test->op, n, lone.window.at, a.window.at);
    else if (test->family == BINARY_OP)
        mk_binary_line((mk_binary_op)test->op, n, lone.window.at, a.window.at, b.window.at, repeated);
    else
        mk_compare_line((mk_compare_op)test->op, n, lone.window.at, a.window.at, b.window.at, repeated);
    for (size_t i = 0; i < n; i++)
        check(same_bits(lone.window.at[i], out.window.at[i]), "%s of a run of %zu, %u repeated", test->name, n,
              repeated);
    check(only_window_written(&lone, 1, n), "%s of a run of %zu wrote outside its result", test->name, n);
    block_free(&lone);
    block_free(&out);
    block_free(&b);
    block_free(&a);
}

/* Calls with a run are those with the windows that say the same. */
static void
test_runs(void)
{
    for (size_t t = 0; t < sizeof table / sizeof *table; t++)
        for (size_t n = 0; n < 20; n++) {
            if (table[t].inputs > 2)
                continue;
            check_run(&table[t], n, 0);
            for (unsigned repeated = 1; table[t].inputs == 2 && repeated < 3; repeated++)
                check_run(&table[t], n, repeated);
        }
}

/* Scalar exponents have ways of their own; decimals scale. */
static void
test_scalars(void)
{
    static const double exponents[] = {2.0, -1.0, 0.5, 3.0, 0.0, -0.5, NAN, INFINITY};
    static const elementwise power = {"power", BINARY_OP, MK_BINARY_power, 2, ref_power};
    for (size_t e = 0; e < sizeof exponents / sizeof *exponents; e++)
        for (int shape = 0; shape < OUTPUTS; shape++) {
            size_t rows = some_size(), columns = some_size();
            block in = block_new((pattern)shape, rows, columns, SPECIAL),
                  out = block_new(DENSE, rows, columns, SPECIAL);
            double y = exponents[e];
            mk_binary(MK_BINARY_power, rows, columns, out.window, in.window, (mk_window){&y, 0, 0});
            bool good = true, rounded = true;
            for (size_t i = 0; i < rows; i++)
                for (size_t j = 0; j < columns; j++)
                    good &= agrees(&power, *element(out.window, i, j), ref_power(old(&in, i, j), y, 0));
            check(good, "power of %zux%zu, %s, to %g", rows, columns, pattern_names[shape], y);
            for (int decimals = -3; decimals <= 3; decimals++) {
                double scale = pow(10.0, abs(decimals));
                mk_round(rows, columns, out.window, in.window, decimals);
                for (size_t i = 0; i < rows; i++)
                    for (size_t j = 0; j < columns; j++) {
                        double x = old(&in, i, j);
                        x = decimals < 0 ? rint(x / scale) * scale : rint(x * scale) / scale;
                        rounded &= same_bits(*element(out.window, i, j), x);
                    }
            }
            check(rounded, "round of %zux%zu, %s", rows, columns, pattern_names[shape]);
            block_free(&in);
            block_free(&out);
        }
}

static void
test_elementwise(void)
{
    for (size_t t = 0; t < sizeof table / sizeof *table; t++) {
        const elementwise *test = &table[t];
        for (int o = 0; o < OUTPUTS; o++)
            for (int a = 0; a < PATTERNS; a++)
                for (int b = 0; b < (test->inputs > 1 ? PATTERNS : 1); b++) {
                    pattern patterns[4] = {(pattern)o, (pattern)a, (pattern)b, (pattern)random_below(PATTERNS)};
                    check_elementwise(test, some_size(), some_size(), patterns, false);
                }
        for (size_t n = 0; n <= 70; n++) {
            pattern patterns[4] = {DENSE, DENSE, n % 2 ? SCALAR : DENSE, SCALAR};
            check_elementwise(test, 1 + n % 3, n, patterns, n % 4 == 1);
            patterns[0] = (pattern)random_below(OUTPUTS);
            check_elementwise(test, n, some_size(), patterns, true);
        }
        pattern tall[4] = {TRANSPOSED, DENSE, ROW, DENSE};
        check_elementwise(test, 700, 3, tall, false);
        check_elementwise(test, 3, 700, tall, false);
    }
}

/* ---- fill, copy ---- */

static void
test_copy(void)
{
    for (int to = 0; to < OUTPUTS; to++)
        for (int from = 0; from < PATTERNS; from++)
            for (int turn = 0; turn < 12; turn++) {
                size_t rows = turn == 0 ? 530 : some_size(), columns = turn == 0 ? 253 : some_size();
                block out = block_new((pattern)to, rows, columns, ORDINARY);
                block in = block_new((pattern)from, rows, columns, SPECIAL);
                mk_copy(rows, columns, out.window, in.window);
                bool good = true;
                for (size_t i = 0; i < rows; i++)
                    for (size_t j = 0; j < columns; j++)
                        good &= same_bits(*element(out.window, i, j), *element(in.window, i, j));
                check(good, "copy of %zux%zu from %s to %s", rows, columns, pattern_names[from], pattern_names[to]);
                check(only_window_written(&out, rows, columns), "copy wrote outside its result");
                mk_fill(rows, columns, out.window, -0.5);
                good = true;
                for (size_t i = 0; i < rows; i++)
                    for (size_t j = 0; j < columns; j++)
                        good &= *element(out.window, i, j) == -0.5;
                check(good, "fill of %zux%zu, %s", rows, columns, pattern_names[to]);
                check(only_window_written(&out, rows, columns), "fill wrote outside its result");
                block_free(&in);
                block_free(&out);
            }
}

/* ---- products ---- */

/* Small integers: every order of adding gives the same bits. */
static void
check_product(size_t rows, size_t columns, size_t inner, const pattern *patterns, double beta)
{
    block out = block_new(patterns[0], rows, columns, SMALL_INTEGERS);
    block a = block_new(patterns[1], rows, inner, SMALL_INTEGERS);
    block b = block_new(patterns[2], inner, columns, SMALL_INTEGERS);
    if (beta == 0.0)
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                *element(out.window, i, j) = NAN; /* must not be read */
    mk_matmul(rows, columns, inner, out.window, a.window, b.window, beta);
    bool good = true;
    for (size_t i = 0; i < rows && good; i++)
        for (size_t j = 0; j < columns && good; j++) {
            double sum = beta == 0.0 ? 0.0 : beta * old(&out, i, j);
            for (size_t k = 0; k < inner; k++)
                sum += *element(a.window, i, k) * *element(b.window, k, j);
            good = *element(out.window, i, j) == sum;
        }
    check(good, "%zux%zu @ %zux%zu, beta %g, %s = %s @ %s", rows, inner, inner, columns, beta,
          pattern_names[patterns[0]], pattern_names[patterns[1]], pattern_names[patterns[2]]);
    check(only_window_written(&out, rows, columns), "a product wrote outside its result");
    block_free(&b);
    block_free(&a);
    block_free(&out);
}

static void
test_products(void)
{
    static const double betas[] = {0.0, 1.0, -2.0};
    for (int o = 0; o < OUTPUTS; o++)
        for (int a = 0; a < PATTERNS; a++)
            for (int b = 0; b < PATTERNS; b++)
                for (int turn = 0; turn < 4; turn++) {
                    pattern patterns[3] = {(pattern)o, (pattern)a, (pattern)b};
                    double beta = betas[random_below(3)];
                    size_t n = some_size(), m = some_size(), k = some_size();
                    check_product(turn == 1 ? 1 : n, turn == 2 ? 1 : m, turn == 3 ? 8 * k : k, patterns, beta);
                    if (turn == 0)
                        check_product(random_below(7), random_below(7), random_below(7), patterns, beta);
                }
    pattern dense[3] = {DENSE, DENSE, DENSE}, odd[3] = {STEPPED, STEPPED, BACKWARD};
    check_product(130, 70, 150, dense, 1.0);
    check_product(130, 70, 150, odd, 1.0);
    check_product(5000, 1, 3, dense, 0.0);
    check_product(1, 1, 5000, dense, 0.0);
}

/* A product with its own transpose: its two halves are equal bit by bit, whatever BLAS does with them. */
static void
check_symmetric(size_t side, size_t inner, pattern to, pattern from)
{
    block out = block_new(to, side, side, ORDINARY), a = block_new(from, side, inner, ORDINARY);
    mk_matmul(side, side, inner, out.window, a.window, turned(a.window), 0.0);
    bool good = true, near = true;
    for (size_t i = 0; i < side; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (size_t k = 0; k < inner; k++)
                sum += *element(a.window, i, k) * *element(a.window, j, k);
            near &= fabs(*element(out.window, i, j) - sum) <= 100.0 * (double)(inner * inner) * DBL_EPSILON;
            good &= same_bits(*element(out.window, i, j), *element(out.window, j, i));
        }
    check(good, "a product of %zux%zu, %s = %s, is symmetric", side, inner, pattern_names[to], pattern_names[from]);
    check(near, "a product of %zux%zu, %s = %s, is right", side, inner, pattern_names[to], pattern_names[from]);
    check(only_window_written(&out, side, side), "a product wrote outside its result");
    block_free(&a);
    block_free(&out);
}

static void
test_symmetric_products(void)
{
    for (int to = 0; to < OUTPUTS; to++)
        for (int from = 0; from < PATTERNS; from++) {
            for (int turn = 0; turn < 3; turn++)
                check_symmetric(some_size(), some_size() * (turn == 1 ? 4 : 1), (pattern)to, (pattern)from);
            check_symmetric(63, 90, (pattern)to, (pattern)from);
            check_symmetric(130, 35, (pattern)to, (pattern)from);
        }
}

/* NaN and infinities of the operands arrive, below and above the size at which BLAS takes over. */
static void
test_product_specials(void)
{
    for (size_t n = 2; n <= 40; n += 19) {
        double *a = calloc(3 * n * n, sizeof *a);
        if (!a)
            abort();
        double *b = a + n * n, *out = b + n * n;
        for (size_t i = 0; i < n * n; i++)
            a[i] = b[i] = 1.0;
        a[0] = NAN;
        b[n + 1] = INFINITY;
        mk_window w = {out, (ptrdiff_t)n, 1};
        mk_matmul(n, n, n, w, (mk_window){a, (ptrdiff_t)n, 1}, (mk_window){b, (ptrdiff_t)n, 1}, 0.0);
        check(isnan(out[0]) && isnan(out[n - 1]) && (n == 2 || out[2 * n - 1] == (double)n),
              "NaN stays in its row, %zux%zu", n, n);
        check(isinf(out[n + 1]) && out[n] == (double)n, "infinity stays in its column, %zux%zu", n, n);
        free(a);
    }
}

/* ---- large results, which are written past the caches ---- */

static void
test_streaming(void)
{
    size_t rows = 2051, columns = 2056, count = rows * columns;
    double *memory = malloc((3 * count + 8) * sizeof *memory);
    if (!memory)
        abort();
    for (ptrdiff_t shift = 0; shift < 2; shift++) {
        double *base = (double *)(((uintptr_t)memory + 63) / 64 * 64) + shift;
        double *a = base, *b = base + count, *out = b + count;
        for (size_t i = 0; i < count; i++) {
            a[i] = (double)i;
            b[i] = (double)(3 * i % 1001);
        }
        mk_window to = {out, (ptrdiff_t)columns, 1}, from = {a, (ptrdiff_t)columns, 1};
        mk_binary(MK_BINARY_add, rows, columns, to, from, (mk_window){b, (ptrdiff_t)columns, 1});
        bool good = true;
        for (size_t i = 0; i < count; i++)
            good &= out[i] == a[i] + b[i];
        check(good, "a large sum");
        mk_binary(MK_BINARY_subtract, rows, columns, to, from, (mk_window){b, 0, 1});
        good = true;
        for (size_t i = 0; i < count; i++)
            good &= out[i] == a[i] - b[i % columns];
        check(good, "a large difference with a row");
        double half = 0.5;
        mk_binary(MK_BINARY_divide, rows, columns, to, (mk_window){&half, 0, 0}, from);
        good = true;
        for (size_t i = 0; i < count; i++)
            good &= out[i] == 0.5 / a[i];
        check(good, "a large quotient of a number");
        mk_copy(columns, rows, (mk_window){out, (ptrdiff_t)rows, 1}, turned(from));
        good = true;
        for (size_t i = 0; i < count; i++)
            good &= out[i] == a[i % rows * columns + i / rows];
        check(good, "a large transposed copy, odd width");
        mk_copy(columns, rows - 3, (mk_window){out, (ptrdiff_t)rows - 3, 1}, turned(from));
        good = true;
        for (size_t i = 0; i < count - 3 * columns; i++)
            good &= out[i] == a[i % (rows - 3) * columns + i / (rows - 3)];
        check(good, "a large transposed copy");
        mk_fill(rows, columns, to, 2.5);
        good = true;
        for (size_t i = 0; i < count; i++)
            good &= out[i] == 2.5;
        check(good, "a large fill");
    }
    free(memory);
}

/* Every place of every length where two runs differ, a NaN among them. */
static void
test_close(void)
{
    enum { MOST = 70 };
    static const mk_closeness exactly = {0.0, 0.0, true, false}, nearly = {1e-3, 0.0, false, true};
    double a[2 * MOST], b[2 * MOST];
    for (size_t n = 1; n <= MOST; n++)
        for (size_t place = 0; place < n; place++) {
            mk_window left = {a, 0, 1}, right = {b, 0, 2};
            for (size_t i = 0; i < n; i++)
                a[i] = b[2 * i] = 1.0 + (double)i;
            check(mk_close(1, n, left, right, &exactly), "%zu equal ones", n);
            check(mk_close(n, 1, turned(left), turned(right), &exactly), "%zu equal ones, as columns", n);
            a[place] = nextafter(a[place], 0.0);
            check(!mk_close(1, n, left, right, &exactly), "element %zu of %zu differs", place, n);
            check(mk_close(1, n, left, right, &nearly), "element %zu of %zu is close", place, n);
            a[place] = NAN;
            check(!mk_close(1, n, left, left, &exactly), "element %zu of %zu is NaN, unequal to itself", place, n);
            check(!mk_close(1, n, left, right, &nearly), "element %zu of %zu is NaN", place, n);
            check(mk_close(1, n, left, left, &nearly), "element %zu of %zu is NaN in both", place, n);
        }
}

int
main(void)
{
    static const char *const sets[] = {"plain", "avx2", "avx512"};
    int before = mk_blas_threads(1);
    check(before == mk_blas_default_threads(), "BLAS started with %d threads, not %d", before,
          mk_blas_default_threads());
    check(mk_blas_threads(1) == 1, "BLAS keeps the number of threads it is given");
    check(strncmp(mk_blas_name(), "OpenBLAS ", 9) == 0, "BLAS is called '%s'", mk_blas_name());
    check(!mk_select_isa("none of these"), "an instruction set of no machine");
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (!mk_select_isa(sets[i]))
            continue;
        printf("%s\n", mk_isa());
        test_elementwise();
        test_runs();
        test_scalars();
        test_reductions();
        test_accuracy();
        test_quantiles();
        test_running();
        test_copy();
        test_products();
        test_symmetric_products();
        test_product_specials();
        test_streaming();
        test_lines();
        test_lines_impatient();
        test_axes();
        test_searching();
        test_close();
    }
    printf("%ld passed, %ld failed\n", passed, failed);
    return failed != 0;
}
