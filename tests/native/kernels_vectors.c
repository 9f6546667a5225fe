/* The kernels of vectors, distances and random numbers, on every instruction set that runs here, over stride patterns.
 *
 * Built and run with the kernels' other tests: make -f tests/native/kernels.mk, from the root.
 */
#include "kernels_support.h"

enum { SETS = 3 };
static const char *const sets[SETS] = {"plain", "avx2", "avx512"};

static bool
near(double found, long double expected, long double bound)
{
    return fabsl((long double)found - expected) <= bound;
}

static void
test_dot(void)
{
    for (int round = 0; round < 400; round++) {
        size_t rows = some_size(), columns = random_below(8) ? some_size() : 600 + random_below(3000);
        pattern p = (pattern)random_below(PATTERNS), q = (pattern)random_below(PATTERNS);
        block a = block_new(p, rows, columns, ORDINARY), b = block_new(q, rows, columns, ORDINARY);
        long double all = 0.0L, size = 0.0L;
        double *down = calloc(columns + 1, sizeof *down), *along = calloc(rows + 1, sizeof *along);
        if (!down || !along)
            abort();
        mk_dot_axis(0, rows, columns, (mk_window){down, 0, 1}, a.window, b.window);
        mk_dot_axis(1, rows, columns, (mk_window){along, 1, 0}, a.window, b.window);
        for (size_t i = 0; i < rows; i++) {
            long double sum = 0.0L, most = 0.0L;
            for (size_t j = 0; j < columns; j++) {
                long double product = (long double)old(&a, i, j) * old(&b, i, j);
                sum += product;
                most += fabsl(product);
            }
            all += sum;
            size += most;
            check(near(along[i], sum, most * 40 * DBL_EPSILON), "a dot product of %zu", columns);
        }
        for (size_t j = 0; j < columns; j++) {
            long double sum = 0.0L, most = 0.0L;
            for (size_t i = 0; i < rows; i++) {
                long double product = (long double)old(&a, i, j) * old(&b, i, j);
                sum += product;
                most += fabsl(product);
            }
            check(near(down[j], sum, most * 40 * DBL_EPSILON), "a dot product down %zu", rows);
        }
        check(near(mk_dot(rows, columns, a.window, b.window), all, size * 40 * DBL_EPSILON), "a dot product, %s and %s",
              pattern_names[p], pattern_names[q]);
        free(down);
        free(along);
        block_free(&a);
        block_free(&b);
    }
}

static void
test_directions(void)
{
    for (int round = 0; round < 400; round++) {
        size_t rows = some_size(), columns = 1 + some_size();
        pattern p = (pattern)random_below(OUTPUTS), q = (pattern)random_below(PATTERNS);
        block out = block_new(p, rows, columns, ORDINARY), in = block_new(q, rows, columns, ORDINARY);
        double scale = ldexp(1.0, (int)random_below(1800) - 900);
        if (q < OUTPUTS)
            mk_binary(MK_BINARY_multiply, rows, columns, in.window, in.window, (mk_window){&scale, 0, 0});
        mk_normalize(rows, columns, out.window, in.window, 1.0);
        for (size_t i = 0; i < rows; i++) {
            long double square = 0.0L;
            for (size_t j = 0; j < columns; j++)
                square += (long double)*element(in.window, i, j) * *element(in.window, i, j);
            for (size_t j = 0; j < columns; j++) {
                long double expected = *element(in.window, i, j) / sqrtl(square);
                check(near(*element(out.window, i, j), expected, 40 * DBL_EPSILON * fabsl(expected)),
                      "a direction of %zu, %s from %s", columns, pattern_names[p], pattern_names[q]);
            }
        }
        check(only_window_written(&out, rows, columns), "only the directions were written");
        block_free(&out);
        block_free(&in);
    }
}

static void
test_distance(void)
{
    for (int round = 0; round < 120; round++) {
        size_t rows = some_size(), columns = some_size(), inner = random_below(6) ? some_size() : 192 + some_size();
        pattern p = (pattern)random_below(PATTERNS), q = (pattern)random_below(PATTERNS);
        block a = block_new(p, rows, inner, ORDINARY), b = block_new(q, columns, inner, ORDINARY);
        block out = block_new(random_below(2) ? DENSE : GAPPED, rows, columns, SPECIAL);
        mk_distance(MK_DISTANCE_EUCLIDEAN, rows, columns, inner, out.window, a.window, b.window);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++) {
                long double square = 0.0L;
                for (size_t k = 0; k < inner; k++) {
                    long double apart = (long double)old(&a, i, k) - old(&b, j, k);
                    square += apart * apart;
                }
                check(near(*element(out.window, i, j), sqrtl(square),
                           16 * (long double)(inner + 8) * DBL_EPSILON * sqrtl(square)),
                      "a distance of %zu, %s and %s", inner, pattern_names[p], pattern_names[q]);
            }
        check(only_window_written(&out, rows, columns), "only the distances were written");
        block_free(&out);
        block_free(&a);
        block_free(&b);
    }
}

enum { DRAWN = 5000 };

/* Everything there is to draw, in pieces of all lengths. */
static void
draw_all(double *to)
{
    mk_random random;
    size_t at = 0;
    mk_random_seed(&random, mk_random_child(7, 3));
    for (size_t some = 0; at < DRAWN; some = (some + 1) % 61) {
        size_t count = some < DRAWN - at ? some : DRAWN - at;
        switch (some % 6) {
        case 0:
            mk_random_uniform(&random, count, to + at, 0.0, 1.0);
            break;
        case 1:
            mk_random_uniform(&random, count, to + at, -3.0, 1e-3);
            break;
        case 2:
            mk_random_normal(&random, count, to + at, 0.0, 1.0);
            break;
        case 3:
            mk_random_normal(&random, count, to + at, 5.0, 0.1);
            break;
        case 4:
            mk_random_integers(&random, count, to + at, -9, some % 4 ? 3000000000U : UINT64_C(1) << 50);
            break;
        default:
            mk_random_permutation(&random, count, to + at);
        }
        at += count;
    }
}

static void
test_random(const double *expected)
{
    static double found[DRAWN];
    mk_random random;
    draw_all(found);
    check(memcmp(found, expected, sizeof found) == 0, "the random numbers of every instruction set");
    mk_random_seed(&random, 1);
    for (int i = 0; i < 2000; i++) {
        double low = draw(SPECIAL), high = draw(SPECIAL), x;
        if (!isfinite(low) || !isfinite(high) || low > high)
            continue;
        mk_random_uniform(&random, 1, &x, low, high);
        check(x >= low && (x < high || low == high), "a number from %g to %g is %g", low, high, x);
        uint64_t width = random_bits() >> random_below(64);
        check(!width || mk_random_below(&random, width) < width, "a number below %llu", (unsigned long long)width);
    }
}

int
main(void)
{
    static double expected[DRAWN];
    check(mk_select_isa("plain"), "there is always the plain one");
    draw_all(expected);
    for (int i = 0; i < SETS; i++) {
        if (!mk_select_isa(sets[i]))
            continue;
        printf("%s\n", mk_isa());
        test_dot();
        test_directions();
        test_distance();
        test_random(expected);
    }
    printf("%ld passed, %ld failed\n", passed, failed);
    return failed != 0;
}
