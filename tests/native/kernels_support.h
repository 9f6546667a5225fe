/* What the kernels' test draws and looks at: values, windows of every stride pattern, and the counting of checks. */
#ifndef BOCMAT_KERNELS_SUPPORT_H
#define BOCMAT_KERNELS_SUPPORT_H

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../kernels/mk.h"

static long passed, failed;

__attribute__((format(printf, 2, 3))) static void
check(bool holds, const char *format, ...)
{
    if (holds) {
        passed++;
        return;
    }
    if (failed++ < 20) {
        va_list arguments;
        va_start(arguments, format);
        fprintf(stderr, "FAILED [%s] ", mk_isa());
        vfprintf(stderr, format, arguments);
        fputc('\n', stderr);
        va_end(arguments);
    }
}

/* ---- values ---- */

static uint64_t random_state = 88172645463325252U;

static uint64_t
random_bits(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static size_t
random_below(size_t n)
{
    return (size_t)(random_bits() >> 33) % n;
}

static double
random_double(void)
{
    return (double)(int64_t)(random_bits() >> 11) / 4503599627370496.0 - 1.0;
}

static const double specials[] = {NAN,
                                  -NAN,
                                  INFINITY,
                                  -INFINITY,
                                  0.0,
                                  -0.0,
                                  5e-324,
                                  -5e-324,
                                  1e-310,
                                  -1e-310,
                                  DBL_MAX,
                                  -DBL_MAX,
                                  1.0,
                                  -1.0,
                                  709.9,
                                  -745.2,
                                  -708.5,
                                  710.0,
                                  2.2250738585072014e-308,
                                  0.5};

typedef enum { ORDINARY, SPECIAL, SMALL_INTEGERS, REPEATING } values;

static double
draw(values kind)
{
    switch (kind) {
    case SPECIAL:
        if (random_below(3) == 0)
            return specials[random_below(sizeof specials / sizeof *specials)];
        return random_double() * 700.0;
    case SMALL_INTEGERS:
        return (double)random_below(17) - 8.0;
    case REPEATING:
        return random_below(200) == 0 ? NAN : (double)random_below(5) - 2.0;
    default:
        return random_double() * 10.0;
    }
}

__attribute__((unused)) static bool
same_bits(double x, double y)
{
    return memcmp(&x, &y, sizeof x) == 0 || (isnan(x) && isnan(y));
}

/* ---- windows ---- */

typedef enum {
    DENSE,
    TRANSPOSED,
    GAPPED, /* a leading dimension above the width */
    TRANSPOSED_GAPPED,
    STEPPED,  /* every second column */
    BACKWARD, /* both strides negative */
    OUTPUTS,  /* patterns below here name every element once */
    ROW = OUTPUTS,
    COLUMN,
    SCALAR,
    PATTERNS
} pattern;

static const char *const pattern_names[] = {"dense", "transposed", "gapped", "transposed gapped", "stepped", "backward",
                                            "row",   "column",     "scalar"};

enum { MARGIN = 8 };

typedef struct {
    double *memory, *before;
    size_t size;
    mk_window window;
} block;

static block
block_new(pattern shape, size_t rows, size_t columns, values kind)
{
    ptrdiff_t r = (ptrdiff_t)rows, c = (ptrdiff_t)columns;
    ptrdiff_t strides[PATTERNS][2] = {{c, 1},       {1, r}, {c + 3, 1}, {1, r + 5}, {2 * c, 2},
                                      {-c - 1, -1}, {0, 1}, {1, 0},     {0, 0}};
    block made;
    made.size = 2 * (rows + 5) * (columns + 5) + 2 * MARGIN;
    made.memory = malloc(2 * made.size * sizeof(double));
    if (!made.memory)
        abort();
    made.before = made.memory + made.size;
    for (size_t i = 0; i < made.size; i++)
        made.memory[i] = draw(kind);
    memcpy(made.before, made.memory, made.size * sizeof(double));
    double *first = shape == BACKWARD ? made.memory + made.size - MARGIN - 1 : made.memory + MARGIN;
    made.window = (mk_window){first, strides[shape][0], strides[shape][1]};
    return made;
}

static void
block_free(block *made)
{
    free(made->memory);
}

static double *
element(mk_window window, size_t i, size_t j)
{
    return window.at + (ptrdiff_t)i * window.row_stride + (ptrdiff_t)j * window.column_stride;
}

static inline mk_window
turned(mk_window window)
{
    return (mk_window){window.at, window.column_stride, window.row_stride};
}

/* What the element was before the kernel ran. */
__attribute__((unused)) static double
old(const block *made, size_t i, size_t j)
{
    return made->before[element(made->window, i, j) - made->memory];
}

/* Nothing but the window's elements has changed. */
static bool
only_window_written(block *made, size_t rows, size_t columns)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double *at = element(made->window, i, j);
            made->before[at - made->memory] = *at;
        }
    return memcmp(made->memory, made->before, made->size * sizeof(double)) == 0;
}

__attribute__((unused)) static size_t
some_size(void)
{
    static const size_t edges[] = {0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 70};
    return random_below(2) ? edges[random_below(sizeof edges / sizeof *edges)] : random_below(71);
}

#endif
