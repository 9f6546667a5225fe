/* The kernels' public face: doubles in, doubles out.
 *
 * Nothing here can fail, and nothing allocates for its caller: whoever calls has checked shapes, aliasing and
 * ownership. Every operand is a window, so there is one kernel a family and a fast path a stride pattern, never a
 * kernel a shape. `out` may be one of the operands, the same elements in the same order; any other overlap is the
 * caller's to resolve by copying first.
 */
#ifndef BOCMAT_MK_H
#define BOCMAT_MK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A window of doubles. Strides count elements; 0 repeats, so a row vector has row_stride 0, a scalar both 0,
 * a transpose swaps them; they may be negative. */
typedef struct {
    double *at;
    ptrdiff_t row_stride, column_stride;
} mk_window;

/* An operation is a row in a .def file; the enumerators here, the tables of loops, the Python methods and the lists
 * that the stub is checked against come from the rows. */
#define UNARY(name, ...) MK_UNARY_##name,
typedef enum {
#include "unary.def"
    MK_UNARY_COUNT
} mk_unary_op;
#undef UNARY

#define BINARY(name, ...) MK_BINARY_##name,
typedef enum {
#include "binary.def"
    MK_BINARY_COUNT
} mk_binary_op;
#undef BINARY

#define COMPARE(name, ...) MK_COMPARE_##name,
typedef enum {
#include "compare.def"
    MK_COMPARE_COUNT
} mk_compare_op;
#undef COMPARE

#define REDUCE(name, ...)      MK_REDUCE_##name,
#define REDUCE_PART(name, ...) MK_REDUCE_##name,
typedef enum {
#include "reduce.def"
    MK_REDUCE_COUNT
} mk_reduce_op;
#undef REDUCE

/* out[i, j] = op(in[i, j]) */
void mk_unary(mk_unary_op op, size_t rows, size_t columns, mk_window out, mk_window in);

/* out[i, j] = op(a[i, j], b[i, j]); a power that is the scalar 2, -1 or 0.5 is a square, a reciprocal or a root. */
void mk_binary(mk_binary_op op, size_t rows, size_t columns, mk_window out, mk_window a, mk_window b);

/* out[i, j] = 1.0 where a[i, j] op b[i, j], else 0.0 */
void mk_compare(mk_compare_op op, size_t rows, size_t columns, mk_window out, mk_window a, mk_window b);

/* The same for `count` consecutive elements, quicker to call. With bit 0 of `repeated` a is one value, with bit 1 b is,
 * never both. */
void mk_unary_line(mk_unary_op op, size_t count, double *out, const double *in);
void mk_binary_line(mk_binary_op op, size_t count, double *out, const double *a, const double *b, unsigned repeated);
void mk_compare_line(mk_compare_op op, size_t count, double *out, const double *a, const double *b, unsigned repeated);

/* Whether each a[i, j] equals b[i, j], or unless `exact` both are finite and |a[i, j] - b[i, j]| is at most
 * absolute + relative * |b[i, j]|. A NaN equals nothing, or with `equal_nan` a NaN. */
typedef struct {
    double relative, absolute;
    bool exact, equal_nan;
} mk_closeness;
bool mk_close(size_t rows, size_t columns, mk_window a, mk_window b, const mk_closeness *within);

/* out[i, j] = which[i, j] != 0 ? a[i, j] : b[i, j] (NaN counts as true) */
void mk_where(size_t rows, size_t columns, mk_window out, mk_window which, mk_window a, mk_window b);

/* out[i, j] = min(max(in[i, j], low[i, j]), high[i, j]); NaN in any of them propagates. */
void mk_clip(size_t rows, size_t columns, mk_window out, mk_window in, mk_window low, mk_window high);

/* out[i, j] = x[i, j] * y[i, j] + z[i, j], rounded once */
void mk_fma(size_t rows, size_t columns, mk_window out, mk_window x, mk_window y, mk_window z);

/* out[i, j] = x[i, j] + y[i, j] * z[i, j], the product rounded first */
void mk_scaled_add(size_t rows, size_t columns, mk_window out, mk_window x, mk_window y, mk_window z);

/* out[i, j] = in[i, j] rounded to so many decimals, half to even; negative ones count digits before the point. */
void mk_round(size_t rows, size_t columns, mk_window out, mk_window in, int decimals);

/* One number over the whole window; sums are at least as accurate as pairwise. Over no elements, the identity (NaN
 * where there is none: do not ask). With a mask, of the same shape, only those elements take part where it is not zero
 * (NaN is not), and where it leaves none, what has no identity is NaN; a mask of NULL is none, here and below. */
double mk_reduce(mk_reduce_op op, size_t rows, size_t columns, mk_window in);
/* The same of consecutive elements, quicker to call. */
double mk_reduce_line(mk_reduce_op op, size_t count, const double *in);
double mk_reduce_where(mk_reduce_op op, size_t rows, size_t columns, mk_window in, const mk_window *mask);

/* One number a column (axis 0: out is 1 x columns) or a row (axis 1: out is rows x 1). */
void mk_reduce_axis(mk_reduce_op op, int axis, size_t rows, size_t columns, mk_window out, mk_window in);
void mk_reduce_axis_where(mk_reduce_op op, int axis, size_t rows, size_t columns, mk_window out, mk_window in,
                          const mk_window *mask);

/* The mean of the squared deviations from the mean, taken in a second pass, where the count is `ddof` smaller. */
double mk_variance(size_t rows, size_t columns, mk_window in, const mk_window *mask, double ddof);
void mk_variance_axis(int axis, size_t rows, size_t columns, mk_window out, mk_window in, const mk_window *mask,
                      double ddof);

/* The position (row-major, first of equals, first NaN if there is one) of the least or greatest element; -1 if the mask
 * leaves none. */
typedef enum { MK_ARG_MIN, MK_ARG_MAX } mk_arg_op;
ptrdiff_t mk_arg_line(mk_arg_op op, size_t count, const double *in);
ptrdiff_t mk_arg(mk_arg_op op, size_t rows, size_t columns, mk_window in, const mk_window *mask);

/* The same per column (axis 0, columns positions) or row (axis 1, rows positions), written to `out`. */
void mk_arg_axis(mk_arg_op op, int axis, size_t rows, size_t columns, ptrdiff_t *out, mk_window in,
                 const mk_window *mask);

/* Quantiles, of everything (axis -1) or of each column (0) or row (1): out[k, i] is the k-th quantile asked for of line
 * i. NaN propagates, and is the quantile of nothing. MK_MEDIAN, whose `at` is not read, is the mean of the two in the
 * middle; MK_LINEAR interpolates between two in order; MK_ORDERED takes an end: `at` is 0 or 1. `room` has
 * mk_quantile_room doubles. */
typedef struct {
    enum { MK_MEDIAN, MK_LINEAR, MK_ORDERED } method;
    size_t count;
    const double *at;
} mk_quantiles;
size_t mk_quantile_room(int axis, size_t rows, size_t columns);
void mk_quantile(const mk_quantiles *which, int axis, size_t rows, size_t columns, mk_window out, mk_window in,
                 const mk_window *mask, double *room);

/* Running sums or products, each the one before and the next element: down the columns (axis 0), along the rows (1), or
 * through all rows one after the other (-1). `out` may be `in`. */
typedef enum { MK_RUNNING_SUM, MK_RUNNING_PRODUCT } mk_running_op;
void mk_running(mk_running_op op, int axis, size_t rows, size_t columns, mk_window out, mk_window in);

/* ---- order ---- */

/* Each column (axis 0) or row (axis 1) of `in` sorted: ascending, NaN last, or descending, NaN last as well. Of equal
 * zeros the negative ones count as less. `scratch` has room for mk_sort_scratch doubles. */
size_t mk_sort_scratch(int axis, size_t rows, size_t columns, mk_window out, mk_window in);
void mk_sort(int axis, size_t rows, size_t columns, mk_window out, mk_window in, bool descending, double *scratch);

/* The positions along the axis that would sort it, equal elements and NaN in the order in which they stand. */
size_t mk_argsort_scratch(int axis, size_t rows, size_t columns, mk_window out, mk_window in);
void mk_argsort(int axis, size_t rows, size_t columns, mk_window out, mk_window in, bool descending, double *scratch);

/* Sorts one consecutive run and says where each element was; equal ones as they stood. */
void mk_sort_along(size_t n, double *keys, double *positions);

/* The k least (or greatest) of each column or row, in order, of equal ones the first, NaN last; and where they are.
 * Elements that are 0 in `counts` do not count; what is missing at the end is NaN at -1. `values` and `positions` are
 * k x columns (axis 0) or rows x k. */
size_t mk_first_scratch(int axis, size_t rows, size_t columns, mk_window in, size_t k);
void mk_first(int axis, size_t rows, size_t columns, mk_window values, mk_window positions, mk_window in,
              const mk_window *counts, size_t k, bool largest, double *scratch);

/* Keeps one of each run of equal values, NaN being equal, in place: how many there are. `starts`, if there is one, is
 * told where in `sorted` each began. */
size_t mk_distinct(size_t n, double *sorted, double *starts);

/* How many of n ascending edges (NaN last) lie below each element, with `right` not above it; `of_nan` for NaN. */
void mk_search(size_t rows, size_t columns, mk_window out, mk_window in, const double *edges, size_t n, bool right,
               double of_nan);

/* How many of n ascending edges are not NaN. */
size_t mk_numbers(const double *edges, size_t n);

/* The least and the greatest element, NaN aside; false if there is none. */
bool mk_range(size_t rows, size_t columns, mk_window in, double *low, double *high);

/* `count` bins between count + 1 ascending edges. Where they are `even`, the edges are those that NumPy computes from
 * `low` to `high`. */
typedef struct {
    const double *edges;
    size_t count;
    bool even;
    double low, high;
} mk_bins;

/* How many elements lie in each bin, the last closed above. `scratch` has room for mk_histogram_scratch numbers. */
size_t mk_histogram_scratch(size_t bins);
void mk_histogram(size_t rows, size_t columns, double *counts, mk_window in, const mk_bins *bins, int64_t *scratch);

/* `bins` of equal width from `low` on; elements are multiplied by `unit` first. `right`: intervals are closed above. */
typedef struct {
    double unit, low, bins_a_unit, bins;
    bool right;
} mk_scale;

/* The number of each element's bin, the outer ones taking what lies beyond, NaN -1. */
void mk_bin(size_t rows, size_t columns, mk_window out, mk_window in, const mk_scale *scale);

void mk_fill(size_t rows, size_t columns, mk_window out, double value);

/* out = in, whatever the strides (a blocked transpose where they cross). No overlap. */
void mk_copy(size_t rows, size_t columns, mk_window out, mk_window in);

/* ---- gathering and scattering: gather.c. Positions have been checked ---- */

/* out[i, j] = in[at[i], j]; columns are gathered through transposed windows. */
void mk_gather_rows(size_t rows, size_t columns, mk_window out, mk_window in, const ptrdiff_t *at);

/* out[at[i], j] = in[i, j], or += with `add`, in the order of i. */
void mk_scatter_rows(size_t rows, size_t columns, mk_window out, mk_window in, const ptrdiff_t *at, bool add);

/* The window's elements as whole numbers, row by row. Gives the place of the first that is none, or is 2**53 or more
 * away from zero; their number if there is none such. */
size_t mk_whole_numbers(size_t rows, size_t columns, ptrdiff_t *to, mk_window in);

/* Counts negative positions from the end of `length`. Gives the place of the first that is out of range, and leaves
 * all as they are; `count` if there is none such. */
size_t mk_wrap(size_t count, ptrdiff_t *at, ptrdiff_t length);

/* A table of positions, which may be repeated down or along. */
typedef struct {
    const ptrdiff_t *at;
    ptrdiff_t down, along; /* from one row of positions to the next, from one position to the next: 0 repeats */
    ptrdiff_t stride;      /* what a position counts for */
} mk_positions;

/* to[i, j] = row[i, j] * row.stride + column[i, j] * column.stride; `to` is consecutive and may be either table that is
 * not repeated. */
void mk_offsets(size_t rows, size_t columns, ptrdiff_t *to, mk_positions row, mk_positions column);

/* out[k] = from[at[k]], consecutive results. */
void mk_pick(size_t count, double *out, const double *from, const ptrdiff_t *at);

/* to[at[i * columns + j]] = in[i, j], or += with `add`, row by row. */
void mk_place(size_t rows, size_t columns, double *to, mk_window in, const ptrdiff_t *at, bool add);

/* How many elements of a mask are 1; `valid` says whether all the others are 0. mask.column_stride is 1. */
size_t mk_mask_count(size_t rows, size_t columns, mk_window mask, bool *valid);

/* The elements of `in` whose mask is 1, row by row, to `count` consecutive results. Column strides are 1. */
void mk_compress(size_t rows, size_t columns, double *out, size_t count, mk_window in, mk_window mask);

/* The `count` consecutive values of `from`, row by row, to the elements of `out` whose mask is 1; mask.column_stride
 * is 1. The mask may be `out` itself. */
void mk_expand(size_t rows, size_t columns, mk_window out, mk_window mask, const double *from, size_t count);

/* out[i, j * times + k] = in[i, j] */
void mk_repeat(size_t rows, size_t columns, size_t times, mk_window out, mk_window in);

/* out[i * times + k, j] = in[i, j], consecutive results. */
void mk_repeat_rows(size_t rows, size_t columns, size_t times, double *out, mk_window in);

/* rows * down x columns * across consecutive elements: `in` again and again. */
void mk_tile(size_t rows, size_t columns, size_t down, size_t across, double *out, mk_window in);

/* out = a @ b + beta * out; out is rows x columns, a rows x inner, b inner x columns. Strides of a and b may be any;
 * where they are those of a row- or column-major matrix, BLAS gets them as flags and nothing is copied.
 * `out` overlaps neither operand. With beta 0, out is not read. */
void mk_matmul(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b, double beta);
/* True for an operand that BLAS reads where it is. Of others a large product is faster after a copy. */
bool mk_matmul_takes(size_t rows, size_t columns, mk_window window);

/* The sum of a[i, j] * b[i, j] over the window, as accurate as a pairwise sum; 0 over no elements. */
double mk_dot(size_t rows, size_t columns, mk_window a, mk_window b);

/* The same a column (axis 0: out is 1 x columns) or a row (axis 1: out is rows x 1). */
void mk_dot_axis(int axis, size_t rows, size_t columns, mk_window out, mk_window a, mk_window b);

/* In what follows row i of a window is vector i, its columns are the components; row_stride 0 repeats one vector.
 *
 * out[i] = x y' - y x' for vectors (x, y) of a and (x', y') of b; rounded after every step. */
void mk_cross2(size_t count, mk_window out, mk_window a, mk_window b);
/* The same in three dimensions: rows of three. `out` overlaps neither operand. */
void mk_cross3(size_t count, mk_window out, mk_window a, mk_window b);
/* out[i] = (-y, x) */
void mk_perpendicular(size_t count, mk_window out, mk_window in);
/* out[i] = atan2(y, x) */
void mk_angle(size_t count, mk_window out, mk_window in);
/* Every row divided by its Euclidean length, which neither overflows nor underflows on the way. The elements of a row
 * of zeros, divided by `nothing`: with 1 they stay, with 0 they become NaN. */
void mk_normalize(size_t rows, size_t columns, mk_window out, mk_window in, double nothing);
/* The same, with the whole window for one vector. */
void mk_normalize_whole(size_t rows, size_t columns, mk_window out, mk_window in, double nothing);

/* out[i, j] = the distance of row i of a from row j of b, rows of `inner` elements; out has column_stride 1. Near
 * rows are taken by their differences, so equal ones are at 0 and no digits are lost. Euclidean distances neither
 * overflow nor underflow where the result does not. */
typedef enum { MK_DISTANCE_EUCLIDEAN, MK_DISTANCE_SQUARED, MK_DISTANCE_HALF_SQUARED } mk_distance_metric;
void mk_distance(mk_distance_metric metric, size_t rows, size_t columns, size_t inner, mk_window out, mk_window a,
                 mk_window b);

/* ---- linear algebra (lapack.c, small_linalg.c, norm.c) ----
 *
 * By LAPACK; sides of at most 4 directly. Operands are windows and stay as they are; results given as
 * pointers are dense and row-major. `work` is memory from an allocator, of as many doubles as the function's _work says
 * for the same sizes: `size`; MK_TOO_LARGE where LAPACK does not count so far.
 * The int is LAPACK's answer: 0, or what each function says. */
#define MK_TOO_LARGE ((size_t)-1)

/* x = the solution of a @ x = b; a is n x n, b and x n x count, x dense. Above 0: that pivot is exactly zero. */
size_t mk_solve_work(size_t n, size_t count);
int mk_solve(size_t n, size_t count, double *x, mk_window a, mk_window b, double *work);

/* out = the inverse of a. Above 0: that pivot is exactly zero. */
size_t mk_inverse_work(size_t n);
int mk_inverse(size_t n, double *out, mk_window a, double *work, size_t size);

/* The determinant is mantissa * 2 ** exponent; 0, or 1/2 <= |mantissa| < 1 where it is finite. */
typedef struct {
    double mantissa;
    long exponent;
} mk_scaled;
size_t mk_determinant_work(size_t n);
mk_scaled mk_determinant(size_t n, mk_window a, double *work);

/* out @ out' = a, out lower triangular with zeros above; reads a's lower triangle. Above 0: the leading minor of that
 * order is not positive. */
int mk_cholesky(size_t n, double *out, mk_window a);

/* q @ r = a with k = min(rows, columns): q rows x k with orthonormal columns, r k x columns upper triangular. */
size_t mk_qr_work(size_t rows, size_t columns);
void mk_qr(size_t rows, size_t columns, double *q, double *r, mk_window a, double *work, size_t size);

/* u @ diag(s) @ vh = a with k = min(rows, columns): u rows x k, s of k descending, vh k x columns. With u and vh NULL
 * only s. a is finite. Above 0: did not converge. */
size_t mk_svd_work(size_t rows, size_t columns, bool vectors);
int mk_svd(size_t rows, size_t columns, double *u, double *s, double *vh, mk_window a, double *work, size_t size);

/* a @ v = v @ diag(w), w ascending, v orthonormal; reads a's lower triangle, which is finite. Above 0: did not
 * converge. */
size_t mk_eigh_work(size_t n);
int mk_eigh(size_t n, double *w, double *v, mk_window a, double *work, size_t size);

/* Eigenvalues real + i * imaginary, complex ones in pairs, positive imaginary part first; the columns of v are
 * eigenvectors, those of a pair in columns j and j + 1 are v_j +- i * v_j+1. a is finite. Above 0: did not converge. */
size_t mk_eig_work(size_t n);
int mk_eig(size_t n, double *real, double *imaginary, double *v, mk_window a, double *work, size_t size);

/* x = the shortest of those that make a @ x - b shortest; a is rows x columns, b rows x count, x columns x count.
 * Singular values below `least` times the largest count as zero. Both are finite. Above 0: did not converge. */
size_t mk_lstsq_work(size_t rows, size_t columns, size_t count);
int mk_lstsq(size_t rows, size_t columns, size_t count, double *x, mk_window a, mk_window b, double least, double *work,
             size_t size);

/* The greatest (or least) sum of a row's magnitudes; NaN if there is one. There is a row. */
double mk_norm_rows(size_t rows, size_t columns, mk_window in, bool least);
/* out[i * p + k, j * q + l] = a[i, j] * b[k, l], b being p x q; out is dense. */
void mk_kron(size_t rows, size_t columns, mk_window a, size_t p, size_t q, mk_window b, double *out);
/* True if no element is NaN or infinite. */
bool mk_is_finite(size_t rows, size_t columns, mk_window in);

/* ---- steps of factorizations by parts (steps.c) ----
 *
 * In place, on parts whose rows are of consecutive elements: mk_step_takes. `work` as above. */
bool mk_step_takes(size_t rows, size_t columns, mk_window window);

/* a, n x n, becomes its lower Cholesky factor, with zeros above; as mk_cholesky. */
int mk_cholesky_step(size_t n, mk_window a);
/* a, rows x n and below one that became `factor`: a = a @ inverse of factor'. */
void mk_cholesky_below(size_t rows, size_t n, mk_window a, mk_window factor);
/* a -= left @ right'; of that the lower triangle alone where they are the same. */
void mk_cholesky_update(size_t rows, size_t columns, size_t inner, mk_window a, mk_window left, mk_window right);

/* A band of rows, rows <= columns, is factored as a @ exchanges = l @ u: l lower triangular, u with ones on its
 * diagonal, which are not written. Column j was exchanged with column pivots[j], one after the other. `work` is of as
 * many doubles as there are rows. Above 0: that pivot is exactly zero. */
int mk_lu_step(size_t rows, size_t columns, mk_window a, double *pivots, double *work);
/* A band of rows below one of `height` rows that mk_lu_step factored: its columns are exchanged, then it gets its part
 * of l, `height` columns wide, and what that leaves. */
void mk_lu_update(size_t rows, size_t height, size_t columns, mk_window a, mk_window factor, const double *pivots);
/* `height` rows of x from `start` on, of `count` columns, where those above are solved for: l @ new = old. `factor` is
 * the whole band, of `columns` columns, its part of l before `start` included. */
void mk_lu_forward(size_t start, size_t height, size_t count, mk_window x, mk_window factor);
/* The same where those below are solved for: u @ new = old; then the rows from `start` on are exchanged back. */
void mk_lu_backward(size_t start, size_t height, size_t columns, size_t count, mk_window x, mk_window factor,
                    const double *pivots);

/* a, the transpose of some columns, becomes that of their QR factors: r, and below it the reflectors, whose own factors
 * go to min(rows, columns) doubles. */
size_t mk_qr_step_work(size_t rows, size_t columns);
void mk_qr_step(size_t rows, size_t columns, mk_window a, double *factors, double *work, size_t size);
/* Applies `count` such reflectors to other columns, a being their transpose: q' @ them, or as `inverse` q @ them. */
size_t mk_qr_apply_work(size_t rows, size_t columns, size_t count);
void mk_qr_apply(size_t rows, size_t columns, size_t count, mk_window a, mk_window reflectors, const double *factors,
                 bool inverse, double *work, size_t size);

enum { RANDOM_LANES = 8 };

/* A stream of random numbers: eight generators side by side, and the numbers they made last. What is drawn depends on
 * the key alone: neither on the machine nor on how many numbers are asked for at once. */
typedef struct {
    uint64_t lanes[4][RANDOM_LANES];
    uint64_t block[RANDOM_LANES];
    int left; /* numbers of the block not yet drawn, taken from its end */
} mk_random;

void mk_random_seed(mk_random *random, uint64_t key);
/* The key of the index-th stream derived from one of this key, well apart from all others of that and of other keys. */
uint64_t mk_random_child(uint64_t key, uint64_t index);
/* 0 <= n < width, each equally likely; width 0 stands for 2^64. */
uint64_t mk_random_below(mk_random *random, uint64_t width);
/* low + n for such n, as doubles. */
void mk_random_integers(mk_random *random, size_t count, double *to, int64_t low, uint64_t width);
/* low <= x < high, both finite; low where they are equal. */
void mk_random_uniform(mk_random *random, size_t count, double *to, double low, double high);
void mk_random_normal(mk_random *random, size_t count, double *to, double mean, double deviation);
/* 0 to count - 1, every order equally likely. */
void mk_random_permutation(mk_random *random, size_t count, double *to);

/* How many threads BLAS may use for one product, process-wide; returns what it was. Behaviors run with 1. */
int mk_blas_threads(int count);
/* In the child of a fork, where nobody is in the middle of anything and no behavior runs: as at first. */
void mk_blas_forked(void);
/* What mk_blas_threads was when the library was loaded. */
int mk_blas_default_threads(void);
/* The BLAS in use, as "OpenBLAS 0.3.34 SkylakeX". */
const char *mk_blas_name(void);

/* The instruction set in use: "plain", "avx2" or "avx512". `mk_select_isa` is for tests: false where the machine or
 * the build lacks it; not to be called while other threads compute. */
const char *mk_isa(void);
bool mk_select_isa(const char *name);

#ifdef __cplusplus
}
#endif
#endif
