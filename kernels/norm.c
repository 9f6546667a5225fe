/* Norms by sums, the Kronecker product, and whether all is finite. */
#include <math.h>

#include "stride.h"

enum { LINE = 64 /* sums taken side by side */ };

bool
mk_is_finite(size_t rows, size_t columns, mk_window in)
{
    if (rows == 0 || columns == 0)
        return true;
    /* What is not finite stays so in a sum; a sum that is not may only have overflowed. */
    if (isfinite(mk_reduce(MK_REDUCE_sum, rows, columns, in)))
        return true;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++)
            if (!isfinite(*at_element(in, i, j).at))
                return false;
    return true;
}

static double
sum_of_magnitudes(size_t columns, mk_window row)
{
    double part[4] = {0.0, 0.0, 0.0, 0.0};
    size_t j = 0;
    for (; j + 4 <= columns; j += 4)
        for (size_t k = 0; k < 4; k++)
            part[k] += fabs(row.at[(ptrdiff_t)(j + k) * row.column_stride]);
    for (; j < columns; j++)
        part[0] += fabs(row.at[(ptrdiff_t)j * row.column_stride]);
    return (part[0] + part[1]) + (part[2] + part[3]);
}

double
mk_norm_rows(size_t rows, size_t columns, mk_window in, bool least)
{
    double result = 0.0, sums[LINE];
    bool across = in.row_stride == 1 && in.column_stride != 1;
    for (size_t i = 0; i < rows; i++) {
        double sum;
        if (across) {
            size_t height = rows - i / LINE * LINE < LINE ? rows - i / LINE * LINE : LINE;
            if (i % LINE == 0) {
                mk_fill(1, LINE, (mk_window){sums, 0, 1}, 0.0);
                for (size_t j = 0; j < columns; j++) {
                    const double *at = at_element(in, i, j).at;
                    for (size_t k = 0; k < height; k++)
                        sums[k] += fabs(at[k]);
                }
            }
            sum = sums[i % LINE];
        } else {
            sum = sum_of_magnitudes(columns, at_element(in, i, 0));
        }
        if (isnan(sum))
            return sum;
        if (i == 0 || (least ? sum < result : sum > result))
            result = sum;
    }
    return result;
}

void
mk_kron(size_t rows, size_t columns, mk_window a, size_t p, size_t q, mk_window b, double *out)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < p; k++)
            for (size_t j = 0; j < columns; j++) {
                double x = *at_element(a, i, j).at;
                const double *y = at_element(b, k, 0).at;
                for (size_t l = 0; l < q; l++)
                    *out++ = x * y[(ptrdiff_t)l * b.column_stride];
            }
}
