/* Between the kernels' files: the loops that exist once an instruction set, and the table they are reached through.
 *
 * The public functions (elementwise.c, reduce.c, copy.c, gemm.c) bring any strides to the few patterns below; the
 * loops behind the table know only those.
 */
#ifndef BOCMAT_TABLE_H
#define BOCMAT_TABLE_H

#include "mk.h"

enum { MK_INPUTS = 3 };

/* Element-wise work: rows of consecutive results. Input k is consecutive too, or, with bit k of `repeated`, one value
 * a row. `stream` writes past the caches: only where no input lies in `out`. */
typedef struct {
    size_t rows, columns;
    double *out;
    ptrdiff_t out_row;
    const double *in[MK_INPUTS];
    ptrdiff_t in_row[MK_INPUTS];
    unsigned repeated;
    bool stream;
} mk_grid;

/* One consecutive run, with everything in registers: the way of small matrices, which is all overhead. Bit k of
 * `repeated` again; not all of the inputs, of two at most one. */
typedef void mk_line(size_t n, double *out, const double *x, const double *y, const double *z, unsigned repeated);

typedef struct {
    mk_line *line;
    /* NULL or, quicker where rows are short, a grid without anything repeated or streamed */
    void (*rows)(const mk_grid *grid);
} mk_elementwise;

/* The element-wise functions of three operands, x, y and z, that are not worth a .def file. */
#define MK_TERNARIES(TERNARY)                       \
    TERNARY(where, v_select(x != v_all(0.0), y, z)) \
    TERNARY(clip, v_min(v_max(x, y), z))            \
    TERNARY(fma, v_fma_once(x, y, z))               \
    TERNARY(scaled_add, x + y * z)                  \
    TERNARY(round, v_round(x))                      \
    TERNARY(round_at, v_round(x *y / z) * z / y)    \
    TERNARY(root, v_select(x == -y, y, v_sqrt(x + z)))

#define TERNARY(name, ...) MK_TERNARY_##name,
typedef enum { MK_TERNARIES(TERNARY) MK_TERNARY_COUNT } mk_ternary_op;
#undef TERNARY

/* Doubles in a logical row-major order: the first `columns` from the first row, and so on. `dense` says that they are
 * consecutive in memory and that none is left out: `neutral` stands for those whose mask, if there is one, is 0. */
typedef struct {
    size_t count, columns;
    mk_window at;
    bool dense;
    double center, neutral;
    const mk_window *mask;
} mk_run;

/* What uniform numbers are made of units with. */
typedef struct {
    double low, high, width;
    double below; /* what stands for a result that rounding has brought to `high` */
    bool unit;    /* from 0 to 1: nothing is to be done */
    bool wide;    /* the width overflows */
} mk_uniform;

enum { RANDOM_LAYERS = 256 };

/* `count` lines to reduce, each a row of `length` elements of `in` and, unless its `at` is NULL, of `mask`; the results
 * stand `step` apart. `centers`, one a line, may be NULL. */
typedef struct {
    size_t count, length;
    double *out;
    ptrdiff_t step;
    mk_window in, mask;
    const double *centers;
    double neutral;
    bool neutral_is_center;
} mk_lines;

typedef struct {
    const char *name;
    mk_elementwise unary[MK_UNARY_COUNT];
    mk_elementwise binary[MK_BINARY_COUNT];
    mk_elementwise compare[MK_COMPARE_COUNT];
    mk_elementwise ternary[MK_TERNARY_COUNT];
    mk_elementwise copy; /* out = input 0, which fills where it is repeated */
    /* Every row of a grid through a line, at least one of them; anything may be repeated. */
    void (*lines)(mk_line *line, int inputs, const mk_grid *grid);
    /* The finished reduction of one run; of each line; of each line where elements of neighbouring lines are
     * consecutive (in.row_stride is 1). */
    double (*fold[MK_REDUCE_COUNT])(const mk_run *run);
    double (*fold_few[MK_REDUCE_COUNT])(size_t count, const double *at, ptrdiff_t step); /* of 1 to MK_FEW elements */
    void (*fold_along[MK_REDUCE_COUNT])(const mk_lines *lines);
    void (*fold_across[MK_REDUCE_COUNT])(const mk_lines *lines);
    ptrdiff_t (*arg[2])(const mk_run *run);
    void (*arg_along[2])(const mk_lines *lines, ptrdiff_t *places);
    void (*arg_across[2])(const mk_lines *lines, ptrdiff_t *places);
    /* Whether two consecutive runs are equal, or as close as is asked for. */
    bool (*close)(size_t count, const double *a, const double *b, const mk_closeness *within);
    /* The element of `count` at `rank` in order, and the next one (the same if it is the last); both NaN if any is. The
     * `room` is 2 * (count + 8) doubles and does not overlap `at`. */
    void (*rank)(const double *at, size_t count, size_t rank, double *room, double found[2]);
    /* Running results down the columns, where column_stride is 1, and along the rows, whatever the strides. */
    void (*running_across[2])(size_t rows, size_t columns, mk_window out, mk_window in);
    void (*running_along[2])(size_t rows, size_t columns, mk_window out, mk_window in);
    /* Doubles as whole numbers; whether all are. */
    bool (*whole_numbers)(size_t n, ptrdiff_t *to, const double *from);
    /* Whether all positions are in range, and some negative; counts those from the end. */
    bool (*in_range)(size_t n, const ptrdiff_t *at, ptrdiff_t length, bool *negative);
    void (*from_end)(size_t n, ptrdiff_t *at, ptrdiff_t length);
    /* How many of n are 1; whether all others are 0. */
    size_t (*mask_count)(size_t n, const double *at, bool *valid);
    /* The elements of `in` whose mask is 1, from `out` on but not beyond `end`; where the next would go. */
    double *(*compress)(size_t n, double *out, const double *end, const double *in, const double *mask);
    /* Values from `from` on, but not beyond `end`, to the elements whose mask is 1; the next value. */
    const double *(*expand)(size_t n, double *out, const double *mask, const double *from, const double *end);
    /* One consecutive run sorted, NaN last; its positions sorted with it, stable; the positions of its first k, how
     * many there are: sort_loops.h. `lanes` columns of 2 to MK_SHORT elements. */
    size_t lanes;
    void (*sort)(double *at, size_t n, bool descending);
    void (*argsort)(double *keys, double *positions, size_t n);
    size_t (*first)(const double *from, const double *counts, size_t n, size_t k, bool turned, double *keys,
                    double *positions);
    void (*sort_across)(size_t length, double *to, ptrdiff_t to_row, const double *from, ptrdiff_t from_row,
                        bool descending);
    /* One consecutive run searched for and counted: search_loops.h. */
    void (*search)(const double *edges, size_t n, const double *values, double *out, size_t count, bool right);
    void (*range)(const double *values, size_t count, double *low, double *high);
    void (*bins_even)(const mk_bins *bins, const double *values, int64_t *out, size_t count);
    void (*bin)(const mk_scale *scale, const double *values, double *out, size_t count);
    /* to[i * to_row + j] = from[i + j * from_column] */
    void (*transpose)(size_t rows, size_t columns, double *to, ptrdiff_t to_row, const double *from,
                      ptrdiff_t from_column, bool stream);
    /* out = a @ b + beta * out; out and b have column_stride 1 */
    void (*multiply)(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b, double beta);
    /* The sum of the products of two runs of one length, at least one element. */
    double (*dot)(const mk_run *a, const mk_run *b);
    /* out[i, j] = the sum over k of (a[i, k] - b[k, j])^2, added to what is there with `more`. Rows of out and b are
     * consecutive elements; b's are padded to a multiple of eight. */
    void (*distance)(size_t rows, size_t columns, size_t inner, double *out, ptrdiff_t out_row, mk_window a,
                     const double *b, ptrdiff_t b_row, bool more);
    /* The next block of a stream. The others begin where none is left: so many numbers, a multiple of eight; or as many
     * in whole blocks as are accepted without a second look, and the block left at the first that is not. */
    void (*random_step)(mk_random *random);
    void (*random_uniform)(mk_random *random, size_t count, double *to, const mk_uniform *range);
    size_t (*random_normal)(mk_random *random, size_t count, double *to, const double *edges);
    size_t (*random_integers)(mk_random *random, size_t count, double *to, int64_t low, uint64_t width, uint64_t least);
} mk_table;

extern const mk_table mk_table_plain, mk_table_avx2, mk_table_avx512;

/* How many splits of a sort may follow each other for every halving that would do; then heapsort. Tests lower it. */
extern int mk_sort_patience;

/* The one in use: set before main, changed only by mk_select_isa. */
extern const mk_table *mk_active;

static inline void
mk_run_grid(const mk_elementwise *loops, int inputs, const mk_grid *grid)
{
    if (loops->rows && !grid->repeated && !grid->stream)
        loops->rows(grid);
    else
        mk_active->lines(loops->line, inputs, grid);
}

enum {
    MK_BLOCK =
        512,    /* elements folded straight, before pairs are formed; what mk_gather is asked for; a streamed block */
    MK_FEW = 7, /* elements that are folded one after the other, in whichever order they stand */
    MK_SHORT = 16,            /* columns up to here are sorted side by side */
    MK_STREAM_BYTES = 1 << 25 /* results above this do not stay in a cache anyway */
};

/* `count` elements of a run from `position` on, made consecutive. */
void mk_gather(double *to, const mk_run *run, size_t position, size_t count);

/* Room for the candidates among which the first k are found. */
static inline size_t
mk_first_room(size_t k)
{
    return 2 * k + MK_BLOCK;
}

static inline bool
mk_streams(size_t rows, size_t columns)
{
    return rows * columns > MK_STREAM_BYTES / sizeof(double);
}

#endif
