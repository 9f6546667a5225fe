/* Small products. Included by loops.h. */

/* `height` result rows times `width` vectors of columns, of which the last has `left` columns. */
INLINE void
multiply_tile(int height, int width, size_t left, size_t inner, double *out, ptrdiff_t out_row, mk_window a,
              const double *b, ptrdiff_t b_row, double beta)
{
    vec total[4][2];
    bool part = left < LANES;
    for (int i = 0; i < height; i++)
        for (int c = 0; c < width; c++)
            total[i][c] = v_all(0.0);
    for (size_t k = 0; k < inner; k++) {
        vec y[2];
        for (int c = 0; c < width; c++)
            y[c] = part && c + 1 == width ? v_load_part(b + c * LANES, left) : v_load(b + c * LANES);
        for (int i = 0; i < height; i++)
            for (int c = 0; c < width; c++)
                total[i][c] = v_fma(v_all(a.at[i * a.row_stride]), y[c], total[i][c]);
        a.at += a.column_stride;
        b += b_row;
    }
    for (int i = 0; i < height; i++)
        for (int c = 0; c < width; c++) {
            double *to = out + i * out_row + c * LANES;
            vec x = total[i][c];
            bool last = part && c + 1 == width;
            if (beta != 0.0)
                x += v_all(beta) * (last ? v_load_part(to, left) : v_load(to));
            if (last)
                v_store_part(to, x, left);
            else
                v_store(to, x);
        }
}

/* All columns of `height` result rows. */
INLINE void
multiply_rows(int height, size_t columns, size_t inner, double *out, ptrdiff_t out_row, mk_window a, mk_window b,
              double beta)
{
    size_t j = 0;
    for (; j + 2 * LANES <= columns; j += 2 * LANES)
        multiply_tile(height, 2, LANES, inner, out + j, out_row, a, b.at + j, b.row_stride, beta);
    if (j + LANES <= columns) {
        multiply_tile(height, 1, LANES, inner, out + j, out_row, a, b.at + j, b.row_stride, beta);
        j += LANES;
    }
    if (j < columns)
        multiply_tile(height, 1, columns - j, inner, out + j, out_row, a, b.at + j, b.row_stride, beta);
}

static void
multiply(size_t rows, size_t columns, size_t inner, mk_window out, mk_window a, mk_window b, double beta)
{
    size_t i = 0;
    for (; i + 4 <= rows; i += 4) {
        multiply_rows(4, columns, inner, out.at, out.row_stride, a, b, beta);
        out.at += 4 * out.row_stride;
        a.at += 4 * a.row_stride;
    }
    for (; i < rows; i++) {
        multiply_rows(1, columns, inner, out.at, out.row_stride, a, b, beta);
        out.at += out.row_stride;
        a.at += a.row_stride;
    }
}
