/* Every loop for one instruction set, and their table. Included at the end of each isa_*.c. */
#include "table.h"

#include "elementwise_loops.h"
#include "reduce_loops.h"
#include "arg_loops.h"
#include "close_loops.h"
#include "rank_loops.h"
#include "running_loops.h"
#include "copy_loops.h"
#include "gather_loops.h"
#include "multiply_loops.h"
#include "vector_loops.h"
#include "sort_loops.h"
#include "search_loops.h"
#include "random_loops.h"

/* The rows come from included files: the formatter would not know them for rows. */
/* clang-format off */
const mk_table MK_TABLE = {
    .name = MK_TABLE_NAME,
#define UNARY(op, ...) [MK_UNARY_##op] = {unary_##op##_line, NULL},
    .unary = {
#include "unary.def"
    },
#undef UNARY
#define BINARY(op, ...) [MK_BINARY_##op] = {binary_##op##_line, binary_##op##_rows},
    .binary = {
#include "binary.def"
    },
#undef BINARY
#define COMPARE(op, ...) [MK_COMPARE_##op] = {compare_##op##_line, compare_##op##_rows},
    .compare = {
#include "compare.def"
    },
#undef COMPARE
#define TERNARY(op, ...) [MK_TERNARY_##op] = {ternary_##op##_line, NULL},
    .ternary = {MK_TERNARIES(TERNARY)},
#undef TERNARY
    .copy = {copy_copy_line, NULL},
    .lines = run_lines,
#define REDUCE(op, ...)      [MK_REDUCE_##op] = fold_##op,
#define REDUCE_PART(op, ...) [MK_REDUCE_##op] = fold_##op,
    .fold = {
#include "reduce.def"
    },
#undef REDUCE
#define REDUCE(op, ...) [MK_REDUCE_##op] = fold_few_##op,
    .fold_few = {
#include "reduce.def"
    },
#undef REDUCE
#define REDUCE(op, ...)      [MK_REDUCE_##op] = fold_along_##op,
#define REDUCE_PART(op, ...) [MK_REDUCE_##op] = fold_along_##op,
    .fold_along = {
#include "reduce.def"
    },
#undef REDUCE
#define REDUCE(op, ...)      [MK_REDUCE_##op] = fold_across_##op,
#define REDUCE_PART(op, ...) [MK_REDUCE_##op] = fold_across_##op,
    .fold_across = {
#include "reduce.def"
    },
#undef REDUCE
    .arg = {[MK_ARG_MIN] = arg_min, [MK_ARG_MAX] = arg_max},
    .arg_along = {[MK_ARG_MIN] = arg_along_min, [MK_ARG_MAX] = arg_along_max},
    .arg_across = {[MK_ARG_MIN] = arg_across_min, [MK_ARG_MAX] = arg_across_max},
    .close = close_run,
    .rank = rank_of,
    .running_across = {[MK_RUNNING_SUM] = running_across_sum, [MK_RUNNING_PRODUCT] = running_across_product},
    .running_along = {[MK_RUNNING_SUM] = running_along_sum, [MK_RUNNING_PRODUCT] = running_along_product},
    .whole_numbers = whole_numbers,
    .in_range = in_range,
    .from_end = from_end,
    .mask_count = mask_count,
    .compress = compress,
    .expand = expand,
    .lanes = LANES,
    .sort = sort_turned,
    .argsort = argsort_run,
    .first = first_run,
    .sort_across = sort_across,
    .search = search_run,
    .range = range_run,
    .bins_even = bins_even,
    .bin = bin_run,
    .transpose = transpose,
    .multiply = multiply,
    .dot = dot,
    .distance = distance,
    .random_step = random_step,
    .random_uniform = random_uniform,
    .random_normal = random_normal,
    .random_integers = random_integers,
};
/* clang-format on */
