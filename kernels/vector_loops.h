/* Sums of products, and of squared differences. Included by loops.h.
 *
 * The order of summing is fixed and the same on every machine: along a run as for reductions (reduce_loops.h), over the
 * inner dimension of distances one after the other. Products are rounded before they are added.
 */

INLINE vec
add_lanes(vec x, vec y)
{
    return x + y;
}

INLINE oct
dot_join(oct total, const double *x, const double *y)
{
    for (int k = 0; k < PARTS; k++)
        total.part[k] += v_load(x + k * LANES) * v_load(y + k * LANES);
    return total;
}

/* At most a block: whole octs go round four accumulators, the rest joins the first lanes. */
INLINE oct
dot_block(size_t count, const double *x, const double *y)
{
    oct total[4];
    size_t i = 0, rest = count % OCT;
    for (int k = 0; k < 4; k++)
        for (int p = 0; p < PARTS; p++)
            total[k].part[p] = v_all(0.0);
    for (; i + 4 * OCT <= count; i += 4 * OCT)
        for (size_t k = 0; k < 4; k++)
            total[k] = dot_join(total[k], x + i + k * OCT, y + i + k * OCT);
    for (int k = 0; i + OCT <= count; i += OCT, k++)
        total[k] = dot_join(total[k], x + i, y + i);
    for (int p = 0; p < PARTS; p++)
        total[0].part[p] = (total[0].part[p] + total[2].part[p]) + (total[1].part[p] + total[3].part[p]);
    for (size_t p = 0; p < PARTS && p * LANES < rest; p++) {
        size_t some = rest - p * LANES;
        const double *u = x + i + p * LANES, *v = y + i + p * LANES;
        vec product = some < LANES ? v_load_part(u, some) * v_load_part(v, some) : v_load(u) * v_load(v);
        total[0].part[p] = v_below(some, total[0].part[p] + product, total[0].part[p]);
    }
    return total[0];
}

/* The sum of products of two runs of one length, at least one element. */
static double
dot(const mk_run *a, const mk_run *b)
{
    double left[MK_BLOCK], right[MK_BLOCK];
    oct pending[FOLD_DEPTH], total;
    int depth = 0;
    for (size_t position = 0, block = 0; position < a->count; position += MK_BLOCK, block++) {
        size_t count = a->count - position < MK_BLOCK ? a->count - position : MK_BLOCK;
        const double *x = a->at.at + position, *y = b->at.at + position;
        if (!a->dense)
            mk_gather(left, a, position, count), x = left;
        if (!b->dense)
            mk_gather(right, b, position, count), y = right;
        total = dot_block(count, x, y);
        for (size_t carry = block; carry & 1U; carry >>= 1)
            total = oct_combine(add_lanes, pending[--depth], total);
        pending[depth++] = total;
    }
    total = pending[--depth];
    while (depth)
        total = oct_combine(add_lanes, pending[--depth], total);
    return oct_fold(add_lanes, total);
}

/* `height` rows times `width` vectors of columns. `b` is padded to whole vectors, what is stored is not. */
INLINE void
distance_tile(int height, int width, size_t left, size_t inner, double *out, ptrdiff_t out_row, mk_window a,
              const double *b, ptrdiff_t b_row, bool more)
{
    vec total[4][2];
    for (int i = 0; i < height; i++)
        for (int c = 0; c < width; c++)
            total[i][c] = v_all(0.0);
    for (size_t k = 0; k < inner; k++) {
        vec y[2];
        for (int c = 0; c < width; c++)
            y[c] = v_load(b + c * LANES);
        for (int i = 0; i < height; i++) {
            vec x = v_all(a.at[i * a.row_stride]);
            for (int c = 0; c < width; c++)
                total[i][c] += (x - y[c]) * (x - y[c]);
        }
        a.at += a.column_stride;
        b += b_row;
    }
    for (int i = 0; i < height; i++)
        for (int c = 0; c < width; c++) {
            double *to = out + i * out_row + c * LANES;
            bool part = left < LANES && c + 1 == width;
            vec x = total[i][c];
            if (more)
                x += part ? v_load_part(to, left) : v_load(to);
            if (part)
                v_store_part(to, x, left);
            else
                v_store(to, x);
        }
}

INLINE void
distance_rows(int height, size_t columns, size_t inner, double *out, ptrdiff_t out_row, mk_window a, const double *b,
              ptrdiff_t b_row, bool more)
{
    size_t j = 0;
    for (; j + 2 * LANES <= columns; j += 2 * LANES)
        distance_tile(height, 2, LANES, inner, out + j, out_row, a, b + j, b_row, more);
    if (j + LANES <= columns) {
        distance_tile(height, 1, LANES, inner, out + j, out_row, a, b + j, b_row, more);
        j += LANES;
    }
    if (j < columns)
        distance_tile(height, 1, columns - j, inner, out + j, out_row, a, b + j, b_row, more);
}

static void
distance(size_t rows, size_t columns, size_t inner, double *out, ptrdiff_t out_row, mk_window a, const double *b,
         ptrdiff_t b_row, bool more)
{
    size_t i = 0;
    for (; i + 4 <= rows; i += 4) {
        distance_rows(4, columns, inner, out, out_row, a, b, b_row, more);
        out += 4 * out_row;
        a.at += 4 * a.row_stride;
    }
    for (; i < rows; i++) {
        distance_rows(1, columns, inner, out, out_row, a, b, b_row, more);
        out += out_row;
        a.at += a.row_stride;
    }
}
