/* The reductions, one a row of reduce.def. Included by loops.h.
 *
 * The order of folding is part of the result and the same on every machine:
 *   - along a run: blocks of MK_BLOCK elements; in a block, 8-element groups go round four accumulators, which are
 *     then combined; blocks are combined in pairs, pairs in pairs (at a depth of log2). What is left of the run below
 *     eight elements joins the first lanes, and the lanes are folded in halves.
 *   - across rows, for each column: eight rows as a tree, up to sixteen such in a chain, chains in pairs.
 * What a mask leaves out is replaced by an element that changes nothing, and keeps its place in that order.
 * So the error of a sum grows with the logarithm of its length, above a constant of about twenty.
 */

typedef vec fold_element(vec x, vec c);
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

INLINE oct
oct_element(fold_element *element, const double *at, vec center)
{
    oct x = oct_load(at);
    for (int k = 0; k < PARTS; k++)
        x.part[k] = element(x.part[k], center);
    return x;
}

/* `groups` octs, at least one and at most a block. */
INLINE oct
fold_block(fold_element *element, fold_combine *combine, size_t groups, const double *at, vec center)
{
    oct total[4] = {oct_element(element, at, center), {{{0}}}, {{{0}}}, {{{0}}}};
    if (groups >= 4) {
        for (int k = 1; k < 4; k++)
            total[k] = oct_element(element, at + k * OCT, center);
        size_t g = 4;
        for (; g + 4 <= groups; g += 4)
            for (size_t k = 0; k < 4; k++)
                total[k] = oct_combine(combine, total[k], oct_element(element, at + (g + k) * OCT, center));
        if (g < groups)
            total[0] = oct_combine(combine, total[0], oct_element(element, at + g * OCT, center));
        if (g + 1 < groups)
            total[1] = oct_combine(combine, total[1], oct_element(element, at + (g + 1) * OCT, center));
        if (g + 2 < groups)
            total[2] = oct_combine(combine, total[2], oct_element(element, at + (g + 2) * OCT, center));
        total[0] = oct_combine(combine, total[0], total[2]);
        total[1] = oct_combine(combine, total[1], total[3]);
        return oct_combine(combine, total[0], total[1]);
    }
    for (size_t g = 1; g < groups; g++)
        total[0] = oct_combine(combine, total[0], oct_element(element, at + g * OCT, center));
    return total[0];
}

/* to[j] = from[j] where the mask is not zero, else `neutral`, which is one value or, with a step of 1, one each. */
static void
choose(size_t n, double *to, const double *from, ptrdiff_t step, const double *mask_at, ptrdiff_t mask_step,
       const double *neutral, size_t neutral_step)
{
    vec none = v_all(*neutral);
    size_t j = 0;
    if (mask_step == 0 && step == 1 && *mask_at != 0.0) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    if (step == 1 && mask_step == 1)
        for (; j + LANES <= n; j += LANES)
            v_store(to + j, v_select(v_load(mask_at + j) != v_all(0.0), v_load(from + j),
                                     neutral_step ? v_load(neutral + j) : none));
    for (; j < n; j++)
        to[j] = mask_at[(ptrdiff_t)j * mask_step] != 0.0 ? from[(ptrdiff_t)j * step] : neutral[j * neutral_step];
}

/* `count` elements of a run from `position` on, made consecutive. */
static void
gather(double *to, const mk_run *run, size_t position, size_t count)
{
    if (!run->mask) {
        mk_gather(to, run, position, count);
        return;
    }
    size_t row = position / run->columns, column = position % run->columns;
    while (count) {
        size_t some = run->columns - column < count ? run->columns - column : count;
        mk_window at = run->at, mask_at = *run->mask;
        choose(some, to, at.at + (ptrdiff_t)row * at.row_stride + (ptrdiff_t)column * at.column_stride,
               at.column_stride,
               mask_at.at + (ptrdiff_t)row * mask_at.row_stride + (ptrdiff_t)column * mask_at.column_stride,
               mask_at.column_stride, &run->neutral, 0);
        to += some;
        count -= some;
        row++;
        column = 0;
    }
}

/* All whole octs of a run longer than a block. */
INLINE oct
fold_blocks(fold_element *element, fold_combine *combine, const mk_run *run)
{
    vec center = v_all(run->center);
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
            gather(scratch, run, position, count);
        oct total = fold_block(element, combine, count / OCT, at, center);
        for (size_t carry = block; carry & 1U; carry >>= 1)
            total = oct_combine(combine, pending[--depth], total);
        pending[depth++] = total;
    }
    oct total = pending[--depth];
    while (depth)
        total = oct_combine(combine, pending[--depth], total);
    return total;
}

/* Fewer elements than an oct, one after the other. */
INLINE double
fold_singly(fold_element *element, fold_combine *combine, size_t count, const double *at, ptrdiff_t step, vec center)
{
    vec few = element(v_all(*at), center);
    while (--count) {
        at += step;
        few = combine(few, element(v_all(*at), center));
    }
    return few[0];
}

/* Everything in a run of at least one element, combined. */
INLINE double
fold_run(fold_element *element, fold_combine *combine, const mk_run *run)
{
    double scratch[MK_BLOCK];
    size_t count = run->count, rest = count % OCT;
    const double *at = run->at.at;
    vec center = v_all(run->center);
    oct total;
    if (count > MK_BLOCK) {
        total = fold_blocks(element, combine, run);
        if (!rest)
            return oct_fold(combine, total);
        if (run->dense)
            at += count - rest;
        else
            gather(scratch, run, count - rest, rest), at = scratch;
    } else {
        if (!run->dense)
            gather(scratch, run, 0, count), at = scratch;
        if (count < OCT)
            return fold_singly(element, combine, count, at, 1, center);
        total = fold_block(element, combine, count / OCT, at, center);
        at += count - rest;
    }
    for (size_t k = 0; k < PARTS && k * LANES < rest; k++) {
        size_t some = rest - k * LANES;
        vec last = some < LANES ? v_load_part(at + k * LANES, some) : v_load(at + k * LANES);
        total.part[k] = v_below(some, combine(total.part[k], element(last, center)), total.part[k]);
    }
    return oct_fold(combine, total);
}

INLINE void
fold_each_run(fold_element *element, fold_combine *combine, fold_finish *finish, const mk_lines *lines)
{
    mk_window in = lines->in, mask_at = lines->mask;
    bool masked = lines->mask.at;
    mk_run run = {lines->length,  lines->length,           in, in.column_stride == 1 && !masked, 0.0,
                  lines->neutral, masked ? &mask_at : NULL};
    double *out = lines->out;
    for (size_t i = 0; i < lines->count; i++) {
        if (lines->centers)
            run.center = lines->centers[i];
        if (lines->neutral_is_center)
            run.neutral = run.center;
        *out = finish(fold_run(element, combine, &run), (double)lines->length);
        out += lines->step;
        run.at.at += in.row_stride;
        mask_at.at += mask_at.row_stride;
    }
}

INLINE vec
across_load(fold_element *element, const double *at, size_t left, const double *centers)
{
    vec x = left < LANES ? v_load_part(at, left) : v_load(at);
    vec center = !centers ? v_all(0.0) : left < LANES ? v_load_part(centers, left) : v_load(centers);
    return element(x, center);
}

/* to[j] = eight rows combined as a tree; joined to what `to` holds unless `first`. */
INLINE void
across_eight(fold_element *element, fold_combine *combine, size_t columns, double *to, const double *at, ptrdiff_t row,
             const double *centers, bool first)
{
    for (size_t j = 0; j < columns; j += LANES) {
        vec x[8];
        for (int i = 0; i < 8; i++)
            x[i] = across_load(element, at + i * row + j, columns - j, centers ? centers + j : NULL);
        for (int i = 0; i < 8; i += 2)
            x[i] = combine(x[i], x[i + 1]);
        x[0] = combine(combine(x[0], x[2]), combine(x[4], x[6]));
        v_store(to + j, first ? x[0] : combine(v_load(to + j), x[0]));
    }
}

INLINE void
across_one(fold_element *element, fold_combine *combine, size_t columns, double *to, const double *at,
           const double *centers, bool first)
{
    for (size_t j = 0; j < columns; j += LANES) {
        vec x = across_load(element, at + j, columns - j, centers ? centers + j : NULL);
        v_store(to + j, first ? x : combine(v_load(to + j), x));
    }
}

/* Some lines side by side, from row `row` and line `line` on; through `scratch`, eight rows, if there is a mask.
 * Gives where they are and sets how far apart. */
INLINE const double *
across_rows(const mk_lines *lines, size_t row, size_t rows, size_t line, size_t columns,
            double scratch[8][ACROSS_COLUMNS], ptrdiff_t *stride)
{
    mk_window in = lines->in, mask_at = lines->mask;
    const double *at = in.at + (ptrdiff_t)row * in.column_stride + line;
    *stride = in.column_stride;
    if (!mask_at.at)
        return at;
    mask_at.at += (ptrdiff_t)row * mask_at.column_stride + (ptrdiff_t)line * mask_at.row_stride;
    for (size_t i = 0; i < rows; i++)
        choose(columns, scratch[i], at + (ptrdiff_t)i * in.column_stride, 1,
               mask_at.at + (ptrdiff_t)i * mask_at.column_stride, mask_at.row_stride,
               lines->neutral_is_center ? lines->centers + line : &lines->neutral, lines->neutral_is_center);
    *stride = ACROSS_COLUMNS;
    return scratch[0];
}

/* Up to ACROSS_ROWS rows of a strip of columns. `to` has room for whole vectors. */
INLINE void
across_chain(fold_element *element, fold_combine *combine, const mk_lines *lines, size_t row, size_t rows, size_t line,
             size_t columns, double *to, const double *centers)
{
    double scratch[8][ACROSS_COLUMNS];
    ptrdiff_t stride;
    size_t i = 0;
    for (; i + 8 <= rows; i += 8) {
        const double *at = across_rows(lines, row + i, 8, line, columns, scratch, &stride);
        across_eight(element, combine, columns, to, at, stride, centers, i == 0);
    }
    for (; i < rows; i++) {
        const double *at = across_rows(lines, row + i, 1, line, columns, scratch, &stride);
        across_one(element, combine, columns, to, at, centers, i == 0);
    }
}

INLINE void
across_join(fold_combine *combine, size_t columns, double *to, const double *later)
{
    for (size_t j = 0; j < columns; j += LANES)
        v_store(to + j, combine(v_load(to + j), v_load(later + j)));
}

/* All rows, in chains; chains in pairs, pairs in pairs. The result is in `pending[0]`. */
INLINE void
across_chains(fold_element *element, fold_combine *combine, const mk_lines *lines, size_t line, size_t columns,
              double pending[ACROSS_DEPTH + 1][ACROSS_COLUMNS], const double *centers)
{
    int depth = 0;
    for (size_t row = 0, chain = 0; row < lines->length; row += ACROSS_ROWS, chain++) {
        size_t rows = lines->length - row < ACROSS_ROWS ? lines->length - row : ACROSS_ROWS;
        across_chain(element, combine, lines, row, rows, line, columns, pending[depth++], centers);
        for (size_t carry = chain; depth > 1 && (carry & 1U || depth > ACROSS_DEPTH); carry >>= 1, depth--)
            across_join(combine, columns, pending[depth - 2], pending[depth - 1]);
    }
    for (; depth > 1; depth--)
        across_join(combine, columns, pending[depth - 2], pending[depth - 1]);
}

/* `centers` is lines->centers or, where an op has none, a NULL that the compiler sees. */
INLINE void
fold_columns(fold_element *element, fold_combine *combine, fold_finish *finish, const mk_lines *lines,
             const double *centers)
{
    double pending[ACROSS_DEPTH + 1][ACROSS_COLUMNS];
    for (size_t line = 0; line < lines->count; line += ACROSS_COLUMNS) {
        size_t strip = lines->count - line < ACROSS_COLUMNS ? lines->count - line : ACROSS_COLUMNS;
        double *out = lines->out + (ptrdiff_t)line * lines->step;
        across_chains(element, combine, lines, line, strip, pending, centers ? centers + line : NULL);
        for (size_t j = 0; j < strip; j++)
            out[(ptrdiff_t)j * lines->step] = finish(pending[0][j], (double)lines->length);
    }
}

#define FOLD(name, taken, combination, finished, centers)                                                             \
    INLINE vec fold_##name##_element(vec x, vec c)                                                                    \
    {                                                                                                                 \
        (void)c;                                                                                                      \
        return taken;                                                                                                 \
    }                                                                                                                 \
    INLINE vec fold_##name##_combine(vec x, vec y)                                                                    \
    {                                                                                                                 \
        return combination;                                                                                           \
    }                                                                                                                 \
    INLINE double fold_##name##_finish(double value, double count)                                                    \
    {                                                                                                                 \
        (void)count;                                                                                                  \
        return finished;                                                                                              \
    }                                                                                                                 \
    static double fold_##name(const mk_run *run)                                                                      \
    {                                                                                                                 \
        return fold_##name##_finish(fold_run(fold_##name##_element, fold_##name##_combine, run), (double)run->count); \
    }                                                                                                                 \
    static void fold_along_##name(const mk_lines *lines)                                                              \
    {                                                                                                                 \
        fold_each_run(fold_##name##_element, fold_##name##_combine, fold_##name##_finish, lines);                     \
    }                                                                                                                 \
    static void fold_across_##name(const mk_lines *lines)                                                             \
    {                                                                                                                 \
        fold_columns(fold_##name##_element, fold_##name##_combine, fold_##name##_finish, lines, centers);             \
    }
#define FEW(name)                                                                                                   \
    static double fold_few_##name(size_t count, const double *at, ptrdiff_t step)                                   \
    {                                                                                                               \
        return fold_##name##_finish(                                                                                \
            fold_singly(fold_##name##_element, fold_##name##_combine, count, at, step, v_all(0.0)), (double)count); \
    }
#define REDUCE(name, answer, identity, neutral, element, combine, finish, ...) \
    FOLD(name, element, combine, finish, NULL)                                 \
    FEW(name)
#define REDUCE_PART(name, neutral, element, combine) FOLD(name, element, combine, value, lines->centers)
#include "reduce.def"
#undef REDUCE
#undef FOLD
#undef FEW
