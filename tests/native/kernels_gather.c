/* The kernels that gather and scatter, on every instruction set that runs here, against scalar loops. Built and run
 * as test_kernels.c is. */
#include "kernels_support.h"

enum { MOST = 80 };

static void
draw_positions(ptrdiff_t *at, size_t count, size_t length)
{
    for (size_t i = 0; i < count; i++)
        at[i] = (ptrdiff_t)random_below(length);
}

static pattern
some_output(void)
{
    return (pattern)random_below(OUTPUTS);
}

static void
test_rows(void)
{
    ptrdiff_t at[MOST];
    for (int round = 0; round < 600; round++) {
        size_t length = some_size() + 1, columns = some_size(), rows = some_size();
        pattern to = some_output(), from = (pattern)random_below(PATTERNS);
        bool add = random_below(2);
        draw_positions(at, rows, length);
        block out = block_new(to, rows, columns, ORDINARY), in = block_new(from, length, columns, SPECIAL);
        mk_gather_rows(rows, columns, out.window, in.window, at);
        bool good = true;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                good &= same_bits(*element(out.window, i, j), old(&in, (size_t)at[i], j));
        check(good, "gathered %zu of %zu rows of %zu, %s from %s", rows, length, columns, pattern_names[to],
              pattern_names[from]);
        check(only_window_written(&out, rows, columns), "gathering writes only its rows");
        block_free(&out);
        block_free(&in);

        out = block_new(to, length, columns, ORDINARY);
        in = block_new(from, rows, columns, ORDINARY);
        block same = block_new(DENSE, length, columns, ORDINARY);
        for (size_t i = 0; i < length; i++)
            for (size_t j = 0; j < columns; j++)
                *element(same.window, i, j) = *element(out.window, i, j);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++) {
                double *place = element(same.window, (size_t)at[i], j), value = *element(in.window, i, j);
                *place = add ? *place + value : value;
            }
        mk_scatter_rows(rows, columns, out.window, in.window, at, add);
        good = true;
        for (size_t i = 0; i < length; i++)
            for (size_t j = 0; j < columns; j++)
                good &= same_bits(*element(out.window, i, j), *element(same.window, i, j));
        check(good, "scattered %zu rows to %zu of %zu, %s from %s", rows, length, columns, pattern_names[to],
              pattern_names[from]);
        check(only_window_written(&out, length, columns), "scattering writes only its rows");
        block_free(&out);
        block_free(&in);
        block_free(&same);
    }
}

static void
test_elements(void)
{
    ptrdiff_t at[MOST], offsets[MOST];
    double picked[MOST];
    for (int round = 0; round < 300; round++) {
        size_t count = some_size(), length = some_size() + 1;
        block in = block_new(DENSE, 1, length, SPECIAL);
        draw_positions(at, count, length);
        mk_pick(count, picked, in.window.at, at);
        bool good = true;
        for (size_t k = 0; k < count; k++)
            good &= same_bits(picked[k], in.window.at[at[k]]);
        check(good, "picked %zu of %zu", count, length);
        mk_place(1, count, in.window.at, (mk_window){picked, 0, 1}, at, false);
        for (size_t k = 0; k < count; k++)
            good &= same_bits(in.window.at[at[k]], picked[k]);
        check(good && only_window_written(&in, 1, length), "placed %zu of %zu", count, length);
        block_free(&in);

        ptrdiff_t three = 3, two[2] = {1, 2};
        size_t columns = count / 2;
        mk_offsets(2, columns, offsets, (mk_positions){two, 1, 0, 100}, (mk_positions){at, 0, 1, 7});
        for (size_t k = 0; k < 2 * columns; k++)
            good &= offsets[k] == 100 * (1 + (ptrdiff_t)(k / columns)) + 7 * at[k % columns];
        memcpy(offsets, at, sizeof at);
        mk_offsets(1, count, offsets, (mk_positions){offsets, 0, 1, -5}, (mk_positions){&three, 0, 0, 11});
        for (size_t k = 0; k < count; k++)
            good &= offsets[k] == 33 - 5 * at[k];
        check(good, "offsets of %zu pairs", count);
    }
}

static void
test_positions(void)
{
    static const double none[] = {0.5, -1e-300, NAN, INFINITY, -INFINITY, 0x1p53, -0x1p53, 1e300};
    ptrdiff_t at[MOST * MOST];
    for (int round = 0; round < 300; round++) {
        size_t rows = some_size(), columns = some_size(), count = rows * columns;
        pattern shape = some_output();
        block in = block_new(shape, rows, columns, SMALL_INTEGERS);
        check(mk_whole_numbers(rows, columns, at, in.window) == count, "whole numbers");
        bool good = true;
        for (size_t k = 0; k < count; k++)
            good &= at[k] == (ptrdiff_t)*element(in.window, k / columns, k % columns);
        check(good, "%zu x %zu whole numbers, %s", rows, columns, pattern_names[shape]);
        if (count) {
            size_t wrong = random_below(count);
            *element(in.window, wrong / columns, wrong % columns) = none[random_below(8)];
            check(mk_whole_numbers(rows, columns, at, in.window) == wrong, "the first that is no whole number");
        }
        block_free(&in);
        count = some_size();
        draw_positions(at, count, 9);
        for (size_t k = 0; k < count; k++)
            at[k] -= random_below(2) ? 9 : 0;
        memcpy(at + MOST, at, MOST * sizeof *at);
        check(mk_wrap(count, at, 9) == count, "positions in range");
        good = true;
        for (size_t k = 0; k < count; k++)
            good &= at[k] == (at[k + MOST] < 0 ? at[k + MOST] + 9 : at[k + MOST]);
        check(good, "positions from the end");
        if (count) {
            size_t wrong = random_below(count);
            at[wrong] = random_below(2) ? 9 : -10;
            check(mk_wrap(count, at, 9) == wrong, "the first position out of range");
        }
    }
}

static void
test_masks(void)
{
    for (int round = 0; round < 600; round++) {
        size_t rows = some_size(), columns = some_size(), k = 0;
        pattern shapes[] = {DENSE, GAPPED};
        pattern to = some_output(), masked = shapes[random_below(2)], from = shapes[random_below(2)];
        block mask = block_new(masked, rows, columns, ORDINARY), in = block_new(from, rows, columns, SPECIAL);
        block out = block_new(to, rows, columns, SPECIAL);
        size_t count = 0, share = 1 + random_below(10);
        bool valid, good = true;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++) {
                double one = random_below(10) < share ? 1.0 : random_below(2) ? 0.0 : -0.0;
                *element(mask.window, i, j) = one;
                count += one != 0.0;
            }
        check(mk_mask_count(rows, columns, mask.window, &valid) == count && valid, "a mask of %zu", count);
        double *chosen = malloc((count + 1) * sizeof *chosen);
        if (!chosen)
            abort();
        chosen[count] = 77.0;
        mk_compress(rows, columns, chosen, count, in.window, mask.window);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                if (*element(mask.window, i, j) != 0.0)
                    good &= same_bits(chosen[k++], *element(in.window, i, j));
        check(good && chosen[count] == 77.0, "%zu of %zu x %zu compressed", count, rows, columns);
        mk_expand(rows, columns, out.window, mask.window, chosen, count);
        k = 0;
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < columns; j++)
                good &= same_bits(*element(out.window, i, j),
                                  *element(mask.window, i, j) != 0.0 ? chosen[k++] : old(&out, i, j));
        check(good && only_window_written(&out, rows, columns), "%zu of %zu x %zu expanded to %s", count, rows, columns,
              pattern_names[to]);
        if (rows && columns) {
            *element(mask.window, random_below(rows), random_below(columns)) = random_below(2) ? NAN : 0.5;
            (void)mk_mask_count(rows, columns, mask.window, &valid);
            check(!valid, "no mask");
        }
        free(chosen);
        block_free(&mask);
        block_free(&in);
        block_free(&out);
    }
}

static void
test_repeats(void)
{
    for (int round = 0; round < 300; round++) {
        size_t rows = some_size() / 4, columns = some_size(), down = random_below(5), across = random_below(11);
        pattern from = (pattern)random_below(PATTERNS), to = some_output();
        block in = block_new(from, rows, columns, SPECIAL);
        block out = block_new(DENSE, rows * down + 1, columns * across + 1, ORDINARY);
        size_t width = columns * across;
        mk_tile(rows, columns, down, across, out.window.at, in.window);
        bool good = true;
        for (size_t i = 0; i < rows * down; i++)
            for (size_t j = 0; j < width; j++)
                good &= same_bits(out.window.at[i * width + j], *element(in.window, i % rows, j % columns));
        check(good, "%zu x %zu tiles of %zu x %zu", down, across, rows, columns);
        check(same_bits(out.window.at[rows * down * width], out.before[MARGIN + rows * down * width]), "no more tiles");
        block_free(&out);
        out = block_new(to, rows, width, ORDINARY);
        mk_repeat(rows, columns, across, out.window, in.window);
        for (size_t i = 0; i < rows; i++)
            for (size_t j = 0; j < width; j++)
                good &= same_bits(*element(out.window, i, j), *element(in.window, i, j / across));
        check(good && only_window_written(&out, rows, width), "%zu repeats of %zu x %zu to %s", across, rows, columns,
              pattern_names[to]);
        block_free(&out);
        out = block_new(DENSE, rows * down, columns, ORDINARY);
        mk_repeat_rows(rows, columns, down, out.window.at, in.window);
        for (size_t i = 0; i < rows * down; i++)
            for (size_t j = 0; j < columns; j++)
                good &= same_bits(*element(out.window, i, j), *element(in.window, i / down, j));
        check(good && only_window_written(&out, rows * down, columns), "%zu repeats of rows of %zu x %zu, %s", down,
              rows, columns, pattern_names[from]);
        block_free(&in);
        block_free(&out);
    }
}

int
main(void)
{
    static const char *const sets[] = {"plain", "avx2", "avx512"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        if (!mk_select_isa(sets[i]))
            continue;
        printf("%s\n", mk_isa());
        test_rows();
        test_elements();
        test_positions();
        test_masks();
        test_repeats();
    }
    printf("%ld passed, %ld failed\n", passed, failed);
    return failed != 0;
}
