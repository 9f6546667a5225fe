/* Running sums and products over any strides. */
#include "stride.h"

/* All rows one after the other. */
static void
run_through(mk_running_op op, size_t rows, size_t columns, mk_window out, mk_window in)
{
    if (rows == 1 || (collapses(in, columns) && collapses(out, columns))) {
        mk_active->running_along[op](1, rows * columns, out, in);
        return;
    }
    if (columns == 1) {
        mk_active->running_along[op](1, rows, transposed(out), transposed(in));
        return;
    }
    double last = 0.0;
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            double x = *at_element(in, i, j).at;
            last = i == 0 && j == 0 ? x : op == MK_RUNNING_SUM ? last + x : last * x;
            *at_element(out, i, j).at = last;
        }
}

void
mk_running(mk_running_op op, int axis, size_t rows, size_t columns, mk_window out, mk_window in)
{
    if (rows == 0 || columns == 0)
        return;
    if (axis < 0) {
        run_through(op, rows, columns, out, in);
        return;
    }
    size_t lines = axis == 1 ? rows : columns, length = axis == 1 ? columns : rows;
    if (axis == 0) {
        out = transposed(out);
        in = transposed(in);
    }
    if (lines > 1 && out.row_stride == 1 && in.row_stride == 1)
        mk_active->running_across[op](length, lines, transposed(out), transposed(in));
    else
        mk_active->running_along[op](lines, length, out, in);
}
