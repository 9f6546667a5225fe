/* Whether two windows are equal, over any strides: what is not consecutive is made so, a block at a time. */
#include "stride.h"

/* `count` elements of a line from `first` on. */
static const double *
consecutive(mk_window line, size_t columns, size_t first, size_t count, double *scratch)
{
    if (line.column_stride == 1)
        return line.at + first;
    mk_run run = {columns, columns, line, false, 0.0, 0.0, NULL};
    mk_gather(scratch, &run, first, count);
    return scratch;
}

bool
mk_close(size_t rows, size_t columns, mk_window a, mk_window b, const mk_closeness *within)
{
    double scratch[2][MK_BLOCK];
    mk_window both[2] = {a, b};
    if (rows == 0 || columns == 0)
        return true;
    settle(&rows, &columns, 2, both);
    size_t some = both[0].column_stride == 1 && both[1].column_stride == 1 ? columns : MK_BLOCK;
    for (size_t i = 0; i < rows; i++) {
        mk_window left = at_element(both[0], i, 0), right = at_element(both[1], i, 0);
        for (size_t first = 0; first < columns; first += some) {
            size_t count = columns - first < some ? columns - first : some;
            if (!mk_active->close(count, consecutive(left, columns, first, count, scratch[0]),
                                  consecutive(right, columns, first, count, scratch[1]), within))
                return false;
        }
    }
    return true;
}
