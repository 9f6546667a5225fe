/* The blocked transpose. Included by loops.h. */

/* LANES x LANES through registers: to[i][j] = from[j][i]. */
#if defined(MK_LANES_AVX512)
INLINE void
transpose_block(double *to, ptrdiff_t to_row, const double *from, ptrdiff_t from_column, bool stream)
{
    __m512d a[8], b[8];
    for (int k = 0; k < 8; k++)
        a[k] = (__m512d)v_load(from + k * from_column);
    for (int k = 0; k < 8; k += 2) { /* pairs of rows: 2 x 2 blocks turned */
        b[k] = _mm512_unpacklo_pd(a[k], a[k + 1]);
        b[k + 1] = _mm512_unpackhi_pd(a[k], a[k + 1]);
    }
    for (int k = 0; k < 2; k++) { /* 128-bit lanes of two pairs, even ones and odd ones */
        a[k] = _mm512_shuffle_f64x2(b[k], b[k + 2], 0x88);
        a[k + 2] = _mm512_shuffle_f64x2(b[k], b[k + 2], 0xDD);
        a[k + 4] = _mm512_shuffle_f64x2(b[k + 4], b[k + 6], 0x88);
        a[k + 6] = _mm512_shuffle_f64x2(b[k + 4], b[k + 6], 0xDD);
    }
    for (int k = 0; k < 4; k++) {
        b[k] = _mm512_shuffle_f64x2(a[k], a[k + 4], 0x88);
        b[k + 4] = _mm512_shuffle_f64x2(a[k], a[k + 4], 0xDD);
    }
    for (int k = 0; k < 8; k++)
        if (stream)
            v_stream(to + k * to_row, (vec)b[k]);
        else
            v_store(to + k * to_row, (vec)b[k]);
}
#elif defined(MK_LANES_AVX2)
INLINE void
transpose_block(double *to, ptrdiff_t to_row, const double *from, ptrdiff_t from_column, bool stream)
{
    __m256d a[4], b[4];
    for (int k = 0; k < 4; k++)
        a[k] = (__m256d)v_load(from + k * from_column);
    for (int k = 0; k < 4; k += 2) {
        b[k] = _mm256_unpacklo_pd(a[k], a[k + 1]);
        b[k + 1] = _mm256_unpackhi_pd(a[k], a[k + 1]);
    }
    for (int k = 0; k < 2; k++) {
        a[k] = _mm256_permute2f128_pd(b[k], b[k + 2], 0x20);
        a[k + 2] = _mm256_permute2f128_pd(b[k], b[k + 2], 0x31);
    }
    for (int k = 0; k < 4; k++)
        if (stream)
            v_stream(to + k * to_row, (vec)a[k]);
        else
            v_store(to + k * to_row, (vec)a[k]);
}
#else
INLINE void
transpose_block(double *to, ptrdiff_t to_row, const double *from, ptrdiff_t from_column, bool stream)
{
    vec a = v_load(from), b = v_load(from + from_column);
    vec first = {a[0], b[0]}, second = {a[1], b[1]};
    if (stream) {
        v_stream(to, first);
        v_stream(to + to_row, second);
    } else {
        v_store(to, first);
        v_store(to + to_row, second);
    }
}
#endif

INLINE void
transpose_plain(size_t rows, size_t columns, double *to, ptrdiff_t to_row, const double *from, ptrdiff_t from_column)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            to[(ptrdiff_t)i * to_row + (ptrdiff_t)j] = from[(ptrdiff_t)i + (ptrdiff_t)j * from_column];
}

/* Where everything stays in the second-level cache: a few result rows are written from end to end. */
static void
transpose_near(size_t rows, size_t columns, double *to, ptrdiff_t to_row, const double *from, ptrdiff_t from_column)
{
    size_t i = 0;
    for (; i + LANES <= rows; i += LANES) {
        size_t j = 0;
        for (; j + LANES <= columns; j += LANES)
            transpose_block(to + j, to_row, from + (ptrdiff_t)j * from_column, from_column, false);
        transpose_plain(LANES, columns - j, to + j, to_row, from + (ptrdiff_t)j * from_column, from_column);
        to += LANES * to_row;
        from += LANES;
    }
    transpose_plain(rows - i, columns, to, to_row, from, from_column);
}

/* A band of eight result columns, so that whole cache lines are written: eight streams are read, one line a result
 * row is written. */
INLINE void
transpose_band(size_t rows, double *to, ptrdiff_t to_row, const double *from, ptrdiff_t from_column, bool stream)
{
    size_t i = 0;
    for (; i + LANES <= rows; i += LANES)
        for (ptrdiff_t part = 0; part < OCT; part += LANES)
            transpose_block(to + (ptrdiff_t)i * to_row + part, to_row, from + i + part * from_column, from_column,
                            stream);
    transpose_plain(rows - i, OCT, to + (ptrdiff_t)i * to_row, to_row, from + i, from_column);
}

/* Elsewhere bands of eight result columns, over as many result rows as leave their lines in the second-level cache
 * until the next band has passed. With `stream`, `to` and to_row are multiples of a cache line. */
static void
transpose(size_t rows, size_t columns, double *to, ptrdiff_t to_row, const double *from, ptrdiff_t from_column,
          bool stream)
{
    enum { TALL = 512, NEAR = 1 << 17 };
    if (rows * columns < NEAR) {
        transpose_near(rows, columns, to, to_row, from, from_column);
        return;
    }
    size_t banded = columns - columns % OCT;
    for (size_t row = 0; row < rows; row += TALL) {
        size_t tall = rows - row < TALL ? rows - row : TALL;
        double *there = to + (ptrdiff_t)row * to_row;
        const double *here = from + row;
        for (size_t j = 0; j < banded; j += OCT) {
            double *band = there + j;
            const double *source = here + (ptrdiff_t)j * from_column;
            if (stream)
                transpose_band(tall, band, to_row, source, from_column, true);
            else
                transpose_band(tall, band, to_row, source, from_column, false);
        }
        transpose_plain(tall, columns - banded, there + banded, to_row, here + (ptrdiff_t)banded * from_column,
                        from_column);
    }
    if (stream)
        v_stream_done();
}
