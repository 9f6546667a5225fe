/* The reductions, one a row of reduce.def, and arg-min and -max. Included by loops.h.
 *
 * The order of folding is part of the result and the same on every machine:
 *   - along a run: blocks of MK_BLOCK elements; in a block, 8-element groups go round four accumulators, which are
 *     then combined; blocks are combined in pairs, pairs in pairs (at a depth of log2). What is left of the run below
 *     eight elements joins the first lanes, and the lanes are folded in halves.
 *   - across rows, for each column: eight rows as a tree, up to sixteen such in a chain, chains in pairs.
 * So the error of a sum grows with the logarithm of its length, above a constant of about twenty.
 */

typedef vec fold_combine(vec x, vec y);
typedef double fold_finish(double value, double count);

enum {
    FOLD_DEPTH = 48,      /* pairs of pairs ... of blocks: more than an address space holds */
    ACROSS_COLUMNS = 256, /* columns in flight: partial rows stay in the first-level cache */
    ACROSS_ROWS = 128,
    ACROSS_DEPTH = 12 /* and beyond that, chains: 2^19 rows each */
};

INLINE oct
oct_combine(fold_combine *combine, oct x, oct y)
{
    for (int k = 0; k < PARTS; k++)
        x.part[k] = combine(x.part[k], y.part[k]);
    return x;
}

/* Lanes in halves: 0 with 4, 1 with 5 ...; then 0 with 2, 1 with 3; then 0 with 1. */
INLINE double
oct_fold(fold_combine *combine, oct x)
{
#if defined(MK_LANES_AVX512)
    __m512d v = (__m512d)x.part[0];
    v = (__m512d)combine((vec)v, (vec)_mm512_shuffle_f64x2(v, v, 0x4E));
    v = (__m512d)combine((vec)v, (vec)_mm512_permutex_pd(v, 0x4E));
    return combine((vec)v, (vec)_mm512_permute_pd(v, 0x55))[0];
#elif defined(MK_LANES_AVX2)
    __m256d v = (__m256d)combine(x.part[0], x.part[1]);
    v = (__m256d)combine((vec)v, (vec)_mm256_permute2f128_pd(v, v, 1));
    return combine((vec)v, (vec)_mm256_permute_pd(v, 5))[0];
#else
    vec v = combine(combine(x.part[0], x.part[2]), combine(x.part[1], x.part[3]));
    return combine(v, (vec){v[1], v[0]})[0];
#endif
}

/* `groups` octs, at least one and at most a block. */
INLINE oct
fold_block(fold_combine *combine, size_t groups, const double *at)
{
    oct total[4] = {oct_load(at), {{{0}}}, {{{0}}}, {{{0}}}};
    if (groups >= 4) {
        for (int k = 1; k < 4; k++)
            total[k] = oct_load(at + k * OCT);
        size_t g = 4;
        for (; g + 4 <= groups; g += 4)
            for (size_t k = 0; k < 4; k++)
                total[k] = oct_combine(combine, total[k], oct_load(at + (g + k) * OCT));
        if (g < groups)
            total[0] = oct_combine(combine, total[0], oct_load(at + g * OCT));
        if (g + 1 < groups)
            total[1] = oct_combine(combine, total[1], oct_load(at + (g + 1) * OCT));
        if (g + 2 < groups)
            total[2] = oct_combine(combine, total[2], oct_load(at + (g + 2) * OCT));
        total[0] = oct_combine(combine, total[0], total[2]);
        total[1] = oct_combine(combine, total[1], total[3]);
        return oct_combine(combine, total[0], total[1]);
    }
    for (size_t g = 1; g < groups; g++)
        total[0] = oct_combine(combine, total[0], oct_load(at + g * OCT));
    return total[0];
}

/* All whole octs of a run longer than a block. */
INLINE oct
fold_blocks(fold_combine *combine, const mk_run *run)
{
    double scratch[MK_BLOCK];
    oct pending[FOLD_DEPTH];
    int depth = 0;
    size_t whole = run->count - run->count % OCT;
    for (size_t position = 0, block = 0; position < whole; position += MK_BLOCK, block++) {
        size_t count = whole - position < MK_BLOCK ? whole - position : MK_BLOCK;
        const double *at = scratch;
        if (run->dense)
            at = run->at.at + position;
        else
            mk_gather(scratch, run, position, count);
        oct total = fold_block(combine, count / OCT, at);
        for (size_t carry = block; carry & 1U; carry >>= 1)
            total = oct_combine(combine, pending[--depth], total);
        pending[depth++] = total;
    }
    oct total = pending[--depth];
    while (depth)
        total = oct_combine(combine, pending[--depth], total);
    return total;
}

/* Everything in a run of at least one element, combined. */
INLINE double
fold_run(fold_combine *combine, const mk_run *run)
{
    double scratch[MK_BLOCK];
    size_t count = run->count, rest = count % OCT;
    const double *at = run->at.at;
    oct total;
    if (count > MK_BLOCK) {
        total = fold_blocks(combine, run);
        if (!rest)
            return oct_fold(combine, total);
        if (run->dense)
            at += count - rest;
        else
            mk_gather(scratch, run, count - rest, rest), at = scratch;
    } else {
        if (!run->dense)
            mk_gather(scratch, run, 0, count), at = scratch;
        if (count < OCT) {
            vec few = v_all(at[0]);
            for (size_t i = 1; i < count; i++)
                few = combine(few, v_all(at[i]));
            return few[0];
        }
        total = fold_block(combine, count / OCT, at);
        at += count - rest;
    }
    for (size_t k = 0; k < PARTS && k * LANES < rest; k++) {
        size_t some = rest - k * LANES;
        vec last = some < LANES ? v_load_part(at + k * LANES, some) : v_load(at + k * LANES);
        total.part[k] = v_below(some, combine(total.part[k], last), total.part[k]);
    }
    return oct_fold(combine, total);
}

INLINE void
fold_each_run(fold_combine *combine, fold_finish *finish, size_t rows, size_t columns, double *out, ptrdiff_t step,
              mk_window in)
{
    mk_run run = {columns, columns, in, in.column_stride == 1};
    for (size_t row = 0; row < rows; row++) {
        *out = finish(fold_run(combine, &run), (double)columns);
        out += step;
        run.at.at += in.row_stride;
    }
}

/* to[j] = eight rows combined as a tree; joined to what `to` holds unless `first`. */
INLINE void
across_eight(fold_combine *combine, size_t columns, double *to, const double *at, ptrdiff_t row, bool first)
{
    for (size_t j = 0; j < columns; j += LANES) {
        size_t left = columns - j;
        vec x[8];
        for (int i = 0; i < 8; i++)
            x[i] = left < LANES ? v_load_part(at + i * row + j, left) : v_load(at + i * row + j);
        for (int i = 0; i < 8; i += 2)
            x[i] = combine(x[i], x[i + 1]);
        x[0] = combine(combine(x[0], x[2]), combine(x[4], x[6]));
        v_store(to + j, first ? x[0] : combine(v_load(to + j), x[0]));
    }
}

INLINE void
across_one(fold_combine *combine, size_t columns, double *to, const double *at, bool first)
{
    for (size_t j = 0; j < columns; j += LANES) {
        size_t left = columns - j;
        vec x = left < LANES ? v_load_part(at + j, left) : v_load(at + j);
        v_store(to + j, first ? x : combine(v_load(to + j), x));
    }
}

/* Up to ACROSS_ROWS rows of a strip of columns. `to` has room for whole vectors. */
INLINE void
across_chain(fold_combine *combine, size_t rows, size_t columns, double *to, const double *at, ptrdiff_t row)
{
    size_t i = 0;
    for (; i + 8 <= rows; i += 8)
        across_eight(combine, columns, to, at + (ptrdiff_t)i * row, row, i == 0);
    for (; i < rows; i++)
        across_one(combine, columns, to, at + (ptrdiff_t)i * row, i == 0);
}

INLINE void
across_join(fold_combine *combine, size_t columns, double *to, const double *later)
{
    for (size_t j = 0; j < columns; j += LANES)
        v_store(to + j, combine(v_load(to + j), v_load(later + j)));
}

/* More rows than a chain takes: chains in pairs, pairs in pairs. The result is in `pending[0]`. */
INLINE void
across_chains(fold_combine *combine, size_t rows, size_t columns, double pending[ACROSS_DEPTH + 1][ACROSS_COLUMNS],
              const double *at, ptrdiff_t row_stride)
{
    int depth = 0;
    for (size_t row = 0, chain = 0; row < rows; row += ACROSS_ROWS, chain++) {
        size_t count = rows - row < ACROSS_ROWS ? rows - row : ACROSS_ROWS;
        across_chain(combine, count, columns, pending[depth++], at + (ptrdiff_t)row * row_stride, row_stride);
        for (size_t carry = chain; depth > 1 && (carry & 1U || depth > ACROSS_DEPTH); carry >>= 1, depth--)
            across_join(combine, columns, pending[depth - 2], pending[depth - 1]);
    }
    for (; depth > 1; depth--)
        across_join(combine, columns, pending[depth - 2], pending[depth - 1]);
}

INLINE void
fold_columns(fold_combine *combine, fold_finish *finish, size_t rows, size_t columns, double *out, ptrdiff_t step,
             mk_window in)
{
    double pending[ACROSS_DEPTH + 1][ACROSS_COLUMNS];
    while (columns) {
        size_t strip = columns < ACROSS_COLUMNS ? columns : ACROSS_COLUMNS;
        if (rows <= ACROSS_ROWS)
            across_chain(combine, rows, strip, pending[0], in.at, in.row_stride);
        else
            across_chains(combine, rows, strip, pending, in.at, in.row_stride);
        for (size_t j = 0; j < strip; j++)
            out[(ptrdiff_t)j * step] = finish(pending[0][j], (double)rows);
        out += (ptrdiff_t)strip * step;
        in.at += strip;
        columns -= strip;
    }
}

#define REDUCE(name, identity, combination, finished, ...)                                                 \
    INLINE vec fold_##name##_combine(vec x, vec y)                                                         \
    {                                                                                                      \
        return combination;                                                                                \
    }                                                                                                      \
    INLINE double fold_##name##_finish(double value, double count)                                         \
    {                                                                                                      \
        (void)count;                                                                                       \
        return finished;                                                                                   \
    }                                                                                                      \
    static double fold_##name(const mk_run *run)                                                           \
    {                                                                                                      \
        return fold_##name##_finish(fold_run(fold_##name##_combine, run), (double)run->count);             \
    }                                                                                                      \
    static void fold_along_##name(size_t rows, size_t columns, double *out, ptrdiff_t step, mk_window in)  \
    {                                                                                                      \
        fold_each_run(fold_##name##_combine, fold_##name##_finish, rows, columns, out, step, in);          \
    }                                                                                                      \
    static void fold_across_##name(size_t rows, size_t columns, double *out, ptrdiff_t step, mk_window in) \
    {                                                                                                      \
        fold_columns(fold_##name##_combine, fold_##name##_finish, rows, columns, out, step, in);           \
    }
#include "reduce.def"
#undef REDUCE

/* Where a value, or any NaN if it is one, first stands among `count`; it is there. */
INLINE size_t
first_of(const double *at, size_t count, double value)
{
    bool nan = value != value;
    vec sought = v_all(value);
    size_t i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
        vec a = v_load(at + i), b = v_load(at + i + LANES);
        vec c = v_load(at + i + 2 * LANES), d = v_load(at + i + 3 * LANES);
        if (v_bits(nan ? (a != a) | (b != b) | (c != c) | (d != d)
                       : (a == sought) | (b == sought) | (c == sought) | (d == sought)))
            break;
    }
    for (; i + LANES <= count; i += LANES) {
        vec x = v_load(at + i);
        unsigned found = v_bits(nan ? x != x : x == sought);
        if (found)
            return i + (size_t)__builtin_ctz(found);
    }
    while (i + 1 < count && (nan ? at[i] == at[i] : at[i] != value))
        i++;
    return i;
}

/* Finds the block where the extreme first stands, then the place in it. A NaN ends the search: nothing beats it. */
INLINE size_t
arg_run(fold_combine *combine, const mk_run *run)
{
    double scratch[MK_BLOCK];
    double best = 0.0;
    size_t best_position = 0;
    for (size_t position = 0; position < run->count; position += MK_BLOCK) {
        size_t count = run->count - position < MK_BLOCK ? run->count - position : MK_BLOCK;
        mk_run block = {count, count, {scratch, (ptrdiff_t)count, 1}, true};
        if (run->dense)
            block.at.at = run->at.at + position;
        else
            mk_gather(scratch, run, position, count);
        double here = fold_run(combine, &block);
        vec both = combine(v_all(best), v_all(here));
        if (position == 0 || here != here || both[0] != best) {
            best = here;
            best_position = position;
        }
        if (here != here)
            break;
    }
    size_t count = run->count - best_position < MK_BLOCK ? run->count - best_position : MK_BLOCK;
    const double *at = scratch;
    if (run->dense)
        at = run->at.at + best_position;
    else
        mk_gather(scratch, run, best_position, count);
    return best_position + first_of(at, count, best);
}

/* Rows against the best so far, a strip of columns at a time. Row numbers are kept as doubles, exact to 2^53. */
INLINE void
arg_columns(fold_combine *combine, size_t rows, size_t columns, size_t *out, mk_window in)
{
    double best[ACROSS_COLUMNS], place[ACROSS_COLUMNS];
    for (size_t column = 0; column < columns; column += ACROSS_COLUMNS) {
        size_t strip = columns - column < ACROSS_COLUMNS ? columns - column : ACROSS_COLUMNS;
        for (size_t j = 0; j < strip; j += LANES) {
            size_t left = strip - j;
            v_store(best + j, left < LANES ? v_load_part(in.at + column + j, left) : v_load(in.at + column + j));
            v_store(place + j, v_all(0.0));
        }
        for (size_t row = 1; row < rows;) {
            size_t some = rows - row < 4 ? rows - row : 4;
            const double *at = in.at + (ptrdiff_t)row * in.row_stride + column;
            for (size_t j = 0; j < strip; j += LANES) {
                size_t left = strip - j;
                vec most = v_load(best + j), where = v_load(place + j);
                for (size_t i = 0; i < some; i++) {
                    const double *here = at + (ptrdiff_t)i * in.row_stride + j;
                    vec x = left < LANES ? v_load_part(here, left) : v_load(here);
                    vec both = combine(most, x);
                    /* x is new: a better value, or the first NaN */
                    mask better = (both != most) & (most == most);
                    where = v_select(better, v_all((double)(row + i)), where);
                    most = both;
                }
                v_store(best + j, most);
                v_store(place + j, where);
            }
            row += some;
        }
        for (size_t j = 0; j < strip; j++)
            out[column + j] = (size_t)place[j];
    }
}

static size_t
arg_min(const mk_run *run)
{
    return arg_run(fold_min_combine, run);
}

static size_t
arg_max(const mk_run *run)
{
    return arg_run(fold_max_combine, run);
}

static void
arg_across_min(size_t rows, size_t columns, size_t *out, mk_window in)
{
    arg_columns(fold_min_combine, rows, columns, out, in);
}

static void
arg_across_max(size_t rows, size_t columns, size_t *out, mk_window in)
{
    arg_columns(fold_max_combine, rows, columns, out, in);
}
