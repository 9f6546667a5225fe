/* Searching among edges and counting in bins: searchsorted, digitize, bin, histogram. */
#include "matrix_order.h"

#include <math.h>

/* ---- edges ---- */

/* Edges made consecutive: a settled row or column of them. */
typedef struct {
    scratch_room scratch;
    double *at;
    size_t count;
} edge_list;

static bool
edges_take(const char *what, const matrix_operand *from, edge_list *edges)
{
    mk_window window = from->window;

    if (from->rows != 1 && from->columns != 1 && from->rows * from->columns != 0) {
        PyErr_Format(PyExc_ValueError, "%s: edges are one row or one column, not a matrix of shape (%zd, %zd)", what,
                     from->rows, from->columns);
        return false;
    }
    edges->count = (size_t)(from->rows * from->columns);
    if (from->rows != 1)
        window = (mk_window){window.at, 0, window.row_stride};
    if (window.column_stride == 1) {
        edges->at = window.at;
        return scratch_take(&edges->scratch, 0);
    }
    if (!scratch_take(&edges->scratch, edges->count))
        return false;
    edges->at = edges->scratch.at;
    mk_copy(1, edges->count, row_of(edges->at), window);
    return true;
}

static void
edges_drop(edge_list *edges)
{
    scratch_drop(&edges->scratch);
}

/* Edges in the order that a sorter's positions give. */
static bool
edges_arrange(edge_list *edges, const edge_list *sorter)
{
    scratch_room arranged;

    if (sorter->count != edges->count) {
        PyErr_Format(PyExc_ValueError, "searchsorted(): %zu edges and a sorter of %zu positions", edges->count,
                     sorter->count);
        return false;
    }
    if (!scratch_take(&arranged, edges->count < SCRATCH_HERE + 1 ? SCRATCH_HERE + 1 : edges->count))
        return false;
    for (size_t i = 0; i < edges->count; i++) {
        double position = sorter->at[i];

        if (!(position >= 0.0 && position < (double)edges->count && position == floor(position))) {
            PyErr_Format(PyExc_ValueError, "searchsorted(): the sorter is not one of positions of %zu edges",
                         edges->count);
            scratch_drop(&arranged);
            return false;
        }
        arranged.at[i] = edges->at[(size_t)position];
    }
    edges_drop(edges);
    edges->scratch.buffer = arranged.buffer;
    edges->at = arranged.at;
    return true;
}

/* ---- searchsorted ---- */

/* A truth value, or as NumPy has it "left" or "right". */
static bool
take_side(PyObject *value, bool *right)
{
    if (!value || !PyUnicode_Check(value))
        return args_flag(value, right);
    *right = PyUnicode_CompareWithASCIIString(value, "right") == 0;
    if (*right || PyUnicode_CompareWithASCIIString(value, "left") == 0)
        return true;
    PyErr_Format(PyExc_ValueError, "searchsorted(): the side is 'left' or 'right', not %R", value);
    return false;
}

static PyObject *
search_in(core_state *state, edge_list *edges, matrix_operand *values, bool right)
{
    double of_nan = (double)(right ? edges->count : mk_numbers(edges->at, edges->count));
    matrix_operand *operands[1] = {values};
    matrix_unlocked unlocked;
    PyObject *result;
    double found;

    if (!values->source) {
        mk_search(1, 1, row_of(&found), values->window, edges->at, edges->count, right, of_nan);
        return PyLong_FromDouble(found);
    }
    result = matrix_empty(state, values->rows, values->columns);
    if (!result)
        return NULL;
    matrix_unlock(&unlocked, values->rows * values->columns >= LONG_SORT, operands, 1);
    mk_search((size_t)values->rows, (size_t)values->columns, matrix_window((MatrixObject *)result), values->window,
              edges->at, edges->count, right, of_nan);
    matrix_lock(&unlocked);
    return result;
}

static PyObject *
searchsorted_compute(core_state *state, matrix_operand *from, matrix_operand *values, matrix_operand *sorter,
                     bool right)
{
    edge_list edges, order;
    PyObject *answer = NULL;
    bool fine = true;

    if (!operand_settle(values) || (sorter && !operand_settle(sorter)) || !operand_settle(from) ||
        !edges_take("searchsorted()", from, &edges))
        return NULL;
    if (sorter) {
        fine = edges_take("searchsorted(sorter=)", sorter, &order);
        if (fine) {
            fine = edges_arrange(&edges, &order);
            edges_drop(&order);
        }
    }
    if (fine)
        answer = search_in(state, &edges, values, right);
    edges_drop(&edges);
    return answer;
}

PyObject *
matrix_searchsorted(METHOD_ARGS)
{
    static const args_spec spec = {"searchsorted", 2, 1, {"values", "right", "side", "sorter", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self}, values, sorter = {.source = NULL};
    PyObject *given[4], *answer = NULL;
    bool right, sorted;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    if (given[1] && given[2]) {
        PyErr_SetString(PyExc_TypeError, "searchsorted() takes right or side, not both");
        return NULL;
    }
    if (!take_side(given[2] ? given[2] : given[1], &right) ||
        !operand_require(state, given[0], "searchsorted()", &values))
        return NULL;
    sorted = given[3] && given[3] != Py_None;
    if (!sorted || operand_require(state, given[3], "searchsorted(sorter=)", &sorter))
        answer = searchsorted_compute(state, &from, &values, sorted ? &sorter : NULL, right);
    operand_drop(&values);
    operand_drop(&sorter);
    return answer;
}

/* ---- digitize ---- */

static bool
edges_ascend(const edge_list *edges)
{
    for (size_t i = 0; i < edges->count; i++)
        if (isnan(edges->at[i]) || (i > 0 && !(edges->at[i - 1] < edges->at[i]))) {
            PyErr_Format(PyExc_ValueError, "digitize(): each edge must lie above the one before, edge %zu does not", i);
            return false;
        }
    return true;
}

static PyObject *
digitize_compute(core_state *state, matrix_operand *from, matrix_operand *given, bool right, matrix_result *result)
{
    matrix_operand *operands[3] = {from, given, &result->target};
    matrix_unlocked unlocked;
    edge_list edges;

    if (!operand_settle(from) || !operand_settle(given) || !edges_take("digitize()", given, &edges))
        return NULL;
    if (edges_ascend(&edges)) {
        edges_drop(&edges);
        /* Writing may move what was read, or overlap it: the edges are taken again. */
        if (!result_settle(state, "digitize()", result, from->rows, from->columns, operands, 2) ||
            !edges_take("digitize()", given, &edges)) {
            Py_CLEAR(result->object);
            return NULL;
        }
        matrix_unlock(&unlocked, from->rows * from->columns >= LONG_SORT, operands, 3);
        mk_search((size_t)from->rows, (size_t)from->columns, result->target.window, from->window, edges.at, edges.count,
                  !right, -1.0);
        matrix_lock(&unlocked);
    }
    edges_drop(&edges);
    return result->object;
}

PyObject *
matrix_digitize(METHOD_ARGS)
{
    static const args_spec spec = {"digitize", 2, 1, {"edges", "right", "in_place", "out", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self}, edges;
    matrix_result result;
    PyObject *given[4], *answer;
    bool right;

    if (!args_take(&spec, args, count, keywords, given) || !args_flag(given[1], &right) ||
        !target_take(state, self, "digitize()", given[2], given[3], &result) ||
        !operand_require(state, given[0], "digitize()", &edges))
        return NULL;
    answer = digitize_compute(state, &from, &edges, right, &result);
    operand_drop(&from);
    operand_drop(&edges);
    return answer;
}

/* ---- bounds ---- */

/* (low, high), both finite, in this order. */
static bool
bounds_take(PyObject *value, double *low, double *high)
{
    PyObject *pair = PySequence_Tuple(value);
    bool fine = false;

    if (!pair)
        return false;
    if (PyTuple_GET_SIZE(pair) != 2)
        PyErr_Format(PyExc_ValueError, "bounds are (low, high), not %zd values", PyTuple_GET_SIZE(pair));
    else if (args_double(PyTuple_GET_ITEM(pair, 0), "a bound", low) &&
             args_double(PyTuple_GET_ITEM(pair, 1), "a bound", high)) {
        fine = isfinite(*low) && isfinite(*high) && *low <= *high;
        if (!fine)
            PyErr_Format(PyExc_ValueError, "bounds are finite, and low is not above high: not %R", pair);
    }
    Py_DECREF(pair);
    return fine;
}

/* The matrix's own least and greatest elements. */
static bool
range_refuse(const char *what, double low, double high)
{
    PyObject *from = PyFloat_FromDouble(low), *to = PyFloat_FromDouble(high);

    if (from && to)
        PyErr_Format(PyExc_ValueError, "%s: elements from %R to %R have no finite range; give bounds", what, from, to);
    Py_XDECREF(from);
    Py_XDECREF(to);
    return false;
}

/* ---- bin ---- */

/* Bins as wide as they come; what is too wide for a double is measured in halves, what is too narrow enlarged. */
static void
scale_set(mk_scale *scale, double low, double high)
{
    double width = high - low;

    scale->unit = !isfinite(width) ? 0.5 : width > 0.0 && isinf(scale->bins / width) ? 0x1p600 : 1.0;
    scale->low = low * scale->unit;
    width = high * scale->unit - scale->low;
    scale->bins_a_unit = width > 0.0 ? scale->bins / width : 0.0;
}

static PyObject *
bin_compute(core_state *state, matrix_operand *from, double *bounds, mk_scale *scale, matrix_result *result)
{
    matrix_operand *operands[2] = {from, &result->target};
    size_t rows, columns;
    matrix_unlocked unlocked;

    if (!operand_settle(from))
        return NULL;
    rows = (size_t)from->rows;
    columns = (size_t)from->columns;
    if (isnan(bounds[0])) {
        bool numbers;

        matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, operands, 1);
        numbers = mk_range(rows, columns, from->window, &bounds[0], &bounds[1]);
        matrix_lock(&unlocked);
        if (!numbers)
            bounds[0] = bounds[1] = 0.0;
        if (!isfinite(bounds[0]) || !isfinite(bounds[1])) {
            (void)range_refuse("bin()", bounds[0], bounds[1]);
            return NULL;
        }
    }
    scale_set(scale, bounds[0], bounds[1]);
    if (!result_settle(state, "bin()", result, from->rows, from->columns, operands, 1)) {
        Py_CLEAR(result->object);
        return NULL;
    }
    matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, operands, 2);
    mk_bin(rows, columns, result->target.window, from->window, scale);
    matrix_lock(&unlocked);
    return result->object;
}

PyObject *
matrix_bin(METHOD_ARGS)
{
    static const args_spec spec = {"bin", 3, 1, {"bins", "bounds", "right", "in_place", "out", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self};
    matrix_result result;
    PyObject *given[5], *answer;
    double bounds[2] = {NAN, NAN};
    mk_scale scale;
    Py_ssize_t bins;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "bins", &bins) ||
        !args_flag(given[2], &scale.right) || !target_take(state, self, "bin()", given[3], given[4], &result) ||
        (given[1] && given[1] != Py_None && !bounds_take(given[1], &bounds[0], &bounds[1])))
        return NULL;
    if (bins < 1) {
        PyErr_Format(PyExc_ValueError, "bin() takes at least one bin, not %zd", bins);
        return NULL;
    }
    scale.bins = (double)bins;
    answer = bin_compute(state, &from, bounds, &scale, &result);
    operand_drop(&from);
    return answer;
}

/* ---- histogram ---- */

/* The edges of bins of equal width, rounded as NumPy rounds them. */
static bool
edges_even(mk_bins *bins, double *edges)
{
    double width = bins->high - bins->low, parts = (double)bins->count, step = width / parts;

    for (size_t i = 0; i < bins->count; i++)
        edges[i] = (step == 0.0 ? (double)i / parts * width : (double)i * step) + bins->low;
    edges[bins->count] = bins->high;
    for (size_t i = 0; i < bins->count; i++)
        if (!(edges[i] < edges[i + 1])) {
            PyErr_Format(PyExc_ValueError, "histogram(): the range is too narrow, or too wide, for %zu bins",
                         bins->count);
            return false;
        }
    return true;
}

static bool
edges_do_not_fall(const double *edges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (isnan(edges[i]) || (i > 0 && edges[i - 1] > edges[i])) {
            PyErr_Format(PyExc_ValueError, "histogram(): no edge may lie below the one before, edge %zu does", i);
            return false;
        }
    return true;
}

/* Where the outermost edges are: the bounds, if there are any, or what the elements reach. */
static bool
histogram_range(matrix_operand *from, const double *bounds, mk_bins *bins)
{
    size_t rows = (size_t)from->rows, columns = (size_t)from->columns;
    matrix_operand *operands[1] = {from};
    matrix_unlocked unlocked;

    bins->low = bounds[0];
    bins->high = bounds[1];
    if (isnan(bounds[0]) && rows * columns == 0) {
        bins->low = 0.0;
        bins->high = 1.0;
    } else if (isnan(bounds[0])) {
        matrix_unlock(&unlocked, rows * columns >= LONG_ELEMENTS, operands, 1);
        bins->low = mk_reduce(MK_REDUCE_min, rows, columns, from->window);
        bins->high = mk_reduce(MK_REDUCE_max, rows, columns, from->window);
        matrix_lock(&unlocked);
        if (!isfinite(bins->low) || !isfinite(bins->high))
            return range_refuse("histogram()", bins->low, bins->high);
    }
    if (bins->low == bins->high) {
        bins->low -= 0.5;
        bins->high += 0.5;
    }
    return true;
}

/* The edges as a new matrix, what it needs of `bins` being set; given ones are copied. */
static PyObject *
histogram_edges(core_state *state, matrix_operand *given, mk_bins *bins)
{
    PyObject *edges;
    edge_list list;

    if (bins->even) {
        edges = matrix_empty(state, 1, (Py_ssize_t)bins->count + 1);
        if (edges && !edges_even(bins, ((MatrixObject *)edges)->data))
            Py_CLEAR(edges);
    } else {
        if (!operand_settle(given) || !edges_take("histogram()", given, &list))
            return NULL;
        edges = matrix_copy_window(state, row_of(list.at), 1, (Py_ssize_t)list.count);
        if (edges && list.count == 0) {
            PyErr_SetString(PyExc_ValueError, "histogram() needs at least one edge");
            Py_CLEAR(edges);
        }
        if (edges && !edges_do_not_fall(list.at, list.count))
            Py_CLEAR(edges);
        bins->count = list.count - 1;
        edges_drop(&list);
    }
    if (edges)
        bins->edges = ((MatrixObject *)edges)->data;
    return edges;
}

static PyObject *
histogram_compute(core_state *state, matrix_operand *from, matrix_operand *given, const double *bounds, mk_bins *bins)
{
    matrix_operand *operands[1] = {from};
    PyObject *edges = NULL, *counts = NULL, *answer = NULL;
    matrix_unlocked unlocked;
    scratch_room scratch;

    if (!operand_settle(from) || (bins->even && !histogram_range(from, bounds, bins)))
        return NULL;
    edges = histogram_edges(state, given, bins);
    if (!edges)
        return NULL;
    counts = matrix_empty(state, 1, (Py_ssize_t)bins->count);
    if (!counts || !scratch_take(&scratch, mk_histogram_scratch(bins->count)))
        goto done;
    matrix_unlock(&unlocked, from->rows * from->columns >= LONG_ELEMENTS, operands, 1);
    if (bins->count)
        mk_histogram((size_t)from->rows, (size_t)from->columns, ((MatrixObject *)counts)->data, from->window, bins,
                     (int64_t *)(void *)scratch.at);
    matrix_lock(&unlocked);
    scratch_drop(&scratch);
    answer = PyTuple_Pack(2, counts, edges);
done:
    Py_XDECREF(counts);
    Py_DECREF(edges);
    return answer;
}

PyObject *
matrix_histogram(METHOD_ARGS)
{
    static const args_spec spec = {"histogram", 2, 0, {"bins", "bounds", NULL}};
    core_state *state = state_of(self);
    matrix_operand from = {.source = self}, edges = {.source = NULL};
    PyObject *given[2], *answer = NULL;
    double bounds[2] = {NAN, NAN};
    mk_bins bins = {.even = true};
    Py_ssize_t number = 10;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    if (given[0] && !PyIndex_Check(given[0])) {
        if (!operand_require(state, given[0], "histogram()", &edges))
            return NULL;
        bins.even = false;
        if (!edges.source) {
            PyErr_Format(PyExc_TypeError, "bins are a number of them or their edges, not %s",
                         Py_TYPE(given[0])->tp_name);
            return NULL;
        }
    } else if (given[0] && !args_index(given[0], "bins", &number)) {
        return NULL;
    }
    if (number < 1)
        PyErr_Format(PyExc_ValueError, "histogram() takes at least one bin, not %zd", number);
    else if (!given[1] || given[1] == Py_None || bounds_take(given[1], &bounds[0], &bounds[1])) {
        bins.count = (size_t)number;
        if (matrix_shape_fits(1, number))
            answer = histogram_compute(state, &from, &edges, bounds, &bins);
    }
    operand_drop(&from);
    operand_drop(&edges);
    return answer;
}
