/* Reductions over any strides: along consecutive elements where there are some, else across them. */
#include <math.h>
#include <string.h>

#include "stride.h"

static const double identities[MK_REDUCE_COUNT] = {
#define REDUCE(name, identity, ...) [MK_REDUCE_##name] = identity,
#include "reduce.def"
#undef REDUCE
};

void
mk_gather(double *to, const mk_run *run, size_t position, size_t count)
{
    size_t row = position / run->columns, column = position % run->columns;
    while (count) {
        size_t some = run->columns - column < count ? run->columns - column : count;
        const double *from = at_element(run->at, row, column).at;
        if (run->at.column_stride == 1)
            memcpy(to, from, some * sizeof *to);
        else
            for (size_t j = 0; j < some; j++)
                to[j] = from[(ptrdiff_t)j * run->at.column_stride];
        to += some;
        count -= some;
        row++;
        column = 0;
    }
}

/* Sets a window up as one run, in the order of its rows. */
static mk_run
run_of(size_t rows, size_t columns, mk_window in)
{
    bool dense = in.column_stride == 1 && (rows == 1 || in.row_stride == (ptrdiff_t)columns);
    return (mk_run){rows * columns, columns, in, dense};
}

static size_t
magnitude(ptrdiff_t stride)
{
    return stride < 0 ? 0 - (size_t)stride : (size_t)stride;
}

double
mk_reduce(mk_reduce_op op, size_t rows, size_t columns, mk_window in)
{
    if (rows == 0 || columns == 0)
        return identities[op];
    if (columns == 1 || (rows != 1 && in.row_stride != 0 && magnitude(in.row_stride) < magnitude(in.column_stride))) {
        size_t swap = rows;
        rows = columns;
        columns = swap;
        in = transposed(in);
    }
    mk_run run = run_of(rows, columns, in);
    return mk_active->fold[op](&run);
}

void
mk_reduce_axis(mk_reduce_op op, int axis, size_t rows, size_t columns, mk_window out, mk_window in)
{
    /* As if along rows: `in` is turned for axis 0. */
    size_t results = axis == 1 ? rows : columns, length = axis == 1 ? columns : rows;
    ptrdiff_t step = axis == 1 ? out.row_stride : out.column_stride;
    if (axis == 0)
        in = transposed(in);
    if (length == 0)
        mk_fill(results, 1, (mk_window){out.at, step, 0}, identities[op]);
    else if (in.column_stride != 1 && in.row_stride == 1 && results > 1)
        mk_active->fold_across[op](length, results, out.at, step, transposed(in));
    else
        mk_active->fold_along[op](results, length, out.at, step, in);
}

size_t
mk_arg(mk_arg_op op, size_t rows, size_t columns, mk_window in)
{
    if (columns == 1) {
        columns = rows;
        rows = 1;
        in = transposed(in);
    }
    mk_run run = run_of(rows, columns, in);
    return mk_active->arg[op](&run);
}

void
mk_arg_axis(mk_arg_op op, int axis, size_t rows, size_t columns, size_t *out, mk_window in)
{
    size_t results = axis == 1 ? rows : columns, length = axis == 1 ? columns : rows;
    if (axis == 0)
        in = transposed(in);
    if (in.column_stride != 1 && in.row_stride == 1 && results > 1) {
        mk_active->arg_across[op](length, results, out, transposed(in));
        return;
    }
    mk_run run = run_of(1, length, in);
    for (size_t i = 0; i < results; i++) {
        out[i] = mk_active->arg[op](&run);
        run.at.at += in.row_stride;
    }
}
