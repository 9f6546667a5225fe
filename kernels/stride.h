/* What strides can be brought to, without touching an element. For the public functions, not for the loops. */
#ifndef BOCMAT_STRIDE_H
#define BOCMAT_STRIDE_H

#include "table.h"

static inline bool
is_dense(mk_window window, size_t columns)
{
    return window.column_stride == 1 && window.row_stride == (ptrdiff_t)columns;
}

static inline bool
is_scalar(mk_window window)
{
    return (window.column_stride | window.row_stride) == 0;
}

static inline mk_window
transposed(mk_window window)
{
    return (mk_window){window.at, window.column_stride, window.row_stride};
}

/* Rows that follow each other in memory as columns do make one long row. */
static inline bool
collapses(mk_window window, size_t columns)
{
    return window.row_stride == (ptrdiff_t)columns * window.column_stride;
}

static inline mk_window
at_element(mk_window window, size_t row, size_t column)
{
    window.at += (ptrdiff_t)row * window.row_stride + (ptrdiff_t)column * window.column_stride;
    return window;
}

/* Turns and flattens the operands (the first is the result) until rows are as long and as consecutive as they get. */
static inline void
settle(size_t *rows, size_t *columns, int count, mk_window *operands)
{
    bool turn = *columns == 1 || (operands[0].column_stride != 1 && operands[0].row_stride == 1 && *rows != 1);
    if (turn) {
        size_t swap = *rows;
        *rows = *columns;
        *columns = swap;
        for (int k = 0; k < count; k++)
            operands[k] = transposed(operands[k]);
    }
    if (*rows == 1)
        return;
    for (int k = 0; k < count; k++)
        if (!collapses(operands[k], *columns))
            return;
    *columns *= *rows;
    *rows = 1;
}

#endif
