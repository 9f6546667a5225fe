/* Where the least or greatest element first stands. Included by loops.h. */

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

INLINE vec
arg_element(vec x, vec c)
{
    (void)c;
    return x;
}

/* The place among a masked run's elements that was found for a stand-in: all that are chosen are its equals, so it is
 * the first chosen one; -1 if there is none. */
static ptrdiff_t
arg_chosen(const mk_run *run, size_t place)
{
    const mk_window *mask_at = run->mask;
    for (size_t i = place, next = 0; next <= run->count; i = next++) {
        size_t row = i / run->columns, column = i % run->columns;
        if (mask_at->at[(ptrdiff_t)row * mask_at->row_stride + (ptrdiff_t)column * mask_at->column_stride] != 0.0)
            return (ptrdiff_t)i;
    }
    return -1;
}

/* Finds the block where the extreme first stands, then the place in it. A NaN ends the search: nothing beats it. */
INLINE ptrdiff_t
arg_run(fold_combine *combine, const mk_run *run)
{
    double scratch[MK_BLOCK];
    double best = 0.0;
    size_t best_position = 0;
    for (size_t position = 0; position < run->count; position += MK_BLOCK) {
        size_t count = run->count - position < MK_BLOCK ? run->count - position : MK_BLOCK;
        mk_run block = {count, count, {scratch, (ptrdiff_t)count, 1}, true, 0.0, 0.0, NULL};
        if (run->dense)
            block.at.at = run->at.at + position;
        else
            gather(scratch, run, position, count);
        double here = fold_run(arg_element, combine, &block);
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
        gather(scratch, run, best_position, count);
    size_t place = best_position + first_of(at, count, best);
    return run->mask ? arg_chosen(run, place) : (ptrdiff_t)place;
}

enum { ARG_LINES = 4 }; /* extremes found before their places are: those searches end in a branch foreseen by none */

/* Dense lines of at most a block. */
INLINE void
arg_short_runs(fold_combine *combine, const mk_lines *lines, ptrdiff_t *places)
{
    mk_run run = {lines->length, lines->length, lines->in, true, 0.0, lines->neutral, NULL};
    for (size_t i = 0; i < lines->count; i += ARG_LINES) {
        double best[ARG_LINES];
        size_t some = lines->count - i < ARG_LINES ? lines->count - i : ARG_LINES;
        const double *first = run.at.at;
        for (size_t k = 0; k < some; k++) {
            best[k] = fold_run(arg_element, combine, &run);
            run.at.at += lines->in.row_stride;
        }
        for (size_t k = 0; k < some; k++)
            places[i + k] = (ptrdiff_t)first_of(first + (ptrdiff_t)k * lines->in.row_stride, lines->length, best[k]);
    }
}

INLINE void
arg_each_run(fold_combine *combine, const mk_lines *lines, ptrdiff_t *places)
{
    mk_window in = lines->in, mask_at = lines->mask;
    bool masked = lines->mask.at, dense = in.column_stride == 1 && !masked;
    mk_run run = {lines->length, lines->length, in, dense, 0.0, lines->neutral, masked ? &mask_at : NULL};
    if (dense && lines->length <= MK_BLOCK) {
        arg_short_runs(combine, lines, places);
        return;
    }
    for (size_t i = 0; i < lines->count; i++) {
        places[i] = arg_run(combine, &run);
        run.at.at += in.row_stride;
        mask_at.at += mask_at.row_stride;
    }
}

/* A strip of lines side by side, against the best so far. Places are kept as doubles, exact to 2^53. */
INLINE void
arg_strip(fold_combine *combine, const mk_lines *lines, size_t line, size_t columns, ptrdiff_t *places)
{
    double best[ACROSS_COLUMNS], place[ACROSS_COLUMNS], scratch[8][ACROSS_COLUMNS];
    ptrdiff_t stride;
    for (size_t row = 0; row < lines->length;) {
        size_t some = row == 0 ? 1 : lines->length - row < 4 ? lines->length - row : 4;
        const double *at = across_rows(lines, row, some, line, columns, scratch, &stride);
        for (size_t j = 0; j < columns; j += LANES) {
            size_t left = columns - j;
            if (row == 0) {
                v_store(best + j, left < LANES ? v_load_part(at + j, left) : v_load(at + j));
                v_store(place + j, v_all(0.0));
                continue;
            }
            vec most = v_load(best + j), where = v_load(place + j);
            for (size_t i = 0; i < some; i++) {
                const double *here = at + (ptrdiff_t)i * stride + j;
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
    for (size_t j = 0; j < columns; j++)
        places[j] = (ptrdiff_t)place[j];
}

INLINE void
arg_columns(fold_combine *combine, const mk_lines *lines, ptrdiff_t *places)
{
    for (size_t line = 0; line < lines->count; line += ACROSS_COLUMNS) {
        size_t strip = lines->count - line < ACROSS_COLUMNS ? lines->count - line : ACROSS_COLUMNS;
        arg_strip(combine, lines, line, strip, places + line);
    }
    if (!lines->mask.at)
        return;
    mk_window in = lines->in, mask_at = lines->mask;
    mk_run run = {lines->length, lines->length, in, false, 0.0, lines->neutral, &mask_at};
    for (size_t i = 0; i < lines->count; i++) {
        places[i] = arg_chosen(&run, (size_t)places[i]);
        mask_at.at += mask_at.row_stride;
    }
}

#define ARG(name)                                                           \
    static ptrdiff_t arg_##name(const mk_run *run)                          \
    {                                                                       \
        return arg_run(fold_##name##_combine, run);                         \
    }                                                                       \
    static void arg_along_##name(const mk_lines *lines, ptrdiff_t *places)  \
    {                                                                       \
        arg_each_run(fold_##name##_combine, lines, places);                 \
    }                                                                       \
    static void arg_across_##name(const mk_lines *lines, ptrdiff_t *places) \
    {                                                                       \
        arg_columns(fold_##name##_combine, lines, places);                  \
    }
ARG(min)
ARG(max)
#undef ARG
