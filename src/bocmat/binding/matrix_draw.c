/* Random matrices: uniform, normal, integers, permutation, seed. */
#include "matrix_methods.h"

#include <math.h>

#include "matrix_random.h"

#define state_of_class(cls) state_of_type((PyTypeObject *)(cls))

PyObject *
matrix_seed(METHOD_ARGS)
{
    static const args_spec spec = {"seed", 1, 1, {"value", NULL}};
    core_state *state = state_of_class(self);
    PyObject *given[1], *number;
    uint64_t key;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    if (given[0] == Py_None) {
        stream_seed(state, stream_arbitrary_key(state));
        Py_RETURN_NONE;
    }
    number = PyNumber_Index(given[0]);
    if (!number)
        return NULL;
    key = PyLong_AsUnsignedLongLongMask(number);
    Py_DECREF(number);
    if (key == (uint64_t)-1 && PyErr_Occurred())
        return NULL;
    stream_seed(state, key);
    Py_RETURN_NONE;
}

/* ---- what is drawn ---- */

/* Draws `count` values into `to` with the parameters that the method has taken. */
typedef void draw_function(mk_random *random, size_t count, double *to, const void *parameters);

static void
draw(core_state *state, draw_function *function, size_t count, double *to, const void *parameters)
{
    random_stream *stream = stream_take(state);
    mk_random *numbers = stream_numbers(stream);

    if (stream_is_own(stream) && count >= LONG_ELEMENTS) { /* neither the stream nor the matrix is anybody else's */
        Py_BEGIN_ALLOW_THREADS
        function(numbers, count, to, parameters);
        Py_END_ALLOW_THREADS
    } else {
        function(numbers, count, to, parameters);
    }
    stream_give(stream);
}

/* A matrix of the shape `size`. */
static PyObject *
draw_matrix(core_state *state, PyObject *size, draw_function *function, const void *parameters)
{
    Py_ssize_t rows, columns;
    PyObject *result;

    if (!args_shape(size, &rows, &columns))
        return NULL;
    result = shape_is_small(rows, columns) ? (PyObject *)matrix_new_small(state, rows, columns)
                                           : matrix_empty(state, rows, columns);
    if (result)
        draw(state, function, (size_t)(rows * columns), ((MatrixObject *)result)->data, parameters);
    return result;
}

/* ---- distributions of two parameters ---- */

typedef bool (*draw_check)(double first, double second);

static inline PyObject *
draw_method(METHOD_ARGS, const args_spec *spec, double first, double second, draw_check check, draw_function *function)
{
    core_state *state = state_of_class(self);
    double parameters[2] = {first, second}, one;
    PyObject *given[3];

    if (!args_take(spec, args, count, keywords, given) ||
        (given[0] && given[0] != Py_None && !args_double(given[0], spec->names[0], &parameters[0])) ||
        (given[1] && given[1] != Py_None && !args_double(given[1], spec->names[1], &parameters[1])) ||
        !check(parameters[0], parameters[1]))
        return NULL;
    if (given[2] && given[2] != Py_None)
        return draw_matrix(state, given[2], function, parameters);
    draw(state, function, 1, &one, parameters);
    return PyFloat_FromDouble(one);
}

static void
draw_uniform(mk_random *random, size_t count, double *to, const void *parameters)
{
    const double *bounds = parameters;

    mk_random_uniform(random, count, to, bounds[0], bounds[1]);
}

static void
draw_normal(mk_random *random, size_t count, double *to, const void *parameters)
{
    const double *moments = parameters;

    mk_random_normal(random, count, to, moments[0], moments[1]);
}

static bool
uniform_check(double low, double high)
{
    if (isfinite(low) && isfinite(high) && low <= high)
        return true;
    PyErr_SetString(PyExc_ValueError, "uniform() needs finite bounds, low not above high");
    return false;
}

static bool
normal_check(double mean, double deviation)
{
    if (isfinite(mean) && isfinite(deviation) && deviation >= 0.0)
        return true;
    PyErr_SetString(PyExc_ValueError, "normal() needs a finite mean and a finite deviation that is not negative");
    return false;
}

PyObject *
matrix_uniform(METHOD_ARGS)
{
    static const args_spec spec = {"uniform", 3, 0, {"low", "high", "size", NULL}};

    return draw_method(self, args, count, keywords, &spec, 0.0, 1.0, uniform_check, draw_uniform);
}

PyObject *
matrix_normal(METHOD_ARGS)
{
    static const args_spec spec = {"normal", 3, 0, {"mean", "deviation", "size", NULL}};

    return draw_method(self, args, count, keywords, &spec, 0.0, 1.0, normal_check, draw_normal);
}

/* ---- whole numbers ---- */

typedef struct {
    int64_t low;
    uint64_t width; /* 0 stands for 2^64 */
} integer_range;

static bool
int64_take(PyObject *value, const char *what, int64_t *number)
{
    PyObject *index;
    long long taken;

    if (PyBool_Check(value) || !PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be an int, not %s", what, Py_TYPE(value)->tp_name);
        return false;
    }
    index = PyNumber_Index(value);
    if (!index)
        return false;
    taken = PyLong_AsLongLong(index);
    Py_DECREF(index);
    *number = taken;
    return !(taken == -1 && PyErr_Occurred());
}

/* The number before `high`, which itself may be 2^63. */
static bool
last_take(PyObject *high, int64_t low, int64_t *last)
{
    PyObject *one, *before;
    bool fine;

    if (int64_take(high, "high", last)) {
        if (low < *last) {
            --*last;
            return true;
        }
        PyErr_Format(PyExc_ValueError, "integers() needs low below high, not %lld and %lld", (long long)low,
                     (long long)*last);
        return false;
    }
    if (!PyErr_ExceptionMatches(PyExc_OverflowError))
        return false;
    PyErr_Clear();
    one = PyLong_FromLong(1);
    before = one ? PyNumber_Subtract(high, one) : NULL;
    Py_XDECREF(one);
    fine = before && int64_take(before, "high", last);
    Py_XDECREF(before);
    if (fine || PyErr_Occurred())
        return fine && low <= *last;
    return false;
}

static void
draw_integers(mk_random *random, size_t count, double *to, const void *parameters)
{
    const integer_range *range = parameters;

    mk_random_integers(random, count, to, range->low, range->width);
}

PyObject *
matrix_integers(METHOD_ARGS)
{
    static const args_spec spec = {"integers", 3, 2, {"low", "high", "size", NULL}};
    const int64_t exact = INT64_C(1) << 53; /* doubles hold every whole number up to here */
    core_state *state = state_of_class(self);
    PyObject *given[3];
    integer_range range;
    random_stream *stream;
    uint64_t drawn;
    int64_t last;

    if (!args_take(&spec, args, count, keywords, given) || !int64_take(given[0], "low", &range.low) ||
        !last_take(given[1], range.low, &last))
        return NULL;
    range.width = (uint64_t)last - (uint64_t)range.low + 1;
    if (given[2] && given[2] != Py_None) {
        if (range.low >= -exact && last <= exact)
            return draw_matrix(state, given[2], draw_integers, &range);
        PyErr_Format(PyExc_ValueError,
                     "integers() from %lld to %lld: a Matrix holds whole numbers exactly up to 2**53 only",
                     (long long)range.low, (long long)last);
        return NULL;
    }
    stream = stream_take(state);
    drawn = mk_random_below(stream_numbers(stream), range.width);
    stream_give(stream);
    return PyLong_FromLongLong((long long)((uint64_t)range.low + drawn));
}

static void
draw_permutation(mk_random *random, size_t count, double *to, const void *parameters)
{
    (void)parameters;
    mk_random_permutation(random, count, to);
}

PyObject *
matrix_permutation(METHOD_ARGS)
{
    static const args_spec spec = {"permutation", 1, 1, {"n", NULL}};
    core_state *state = state_of_class(self);
    PyObject *given[1], *result;
    Py_ssize_t length;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "n", &length))
        return NULL;
    result = matrix_empty(state, 1, length);
    if (result)
        draw(state, draw_permutation, (size_t)length, ((MatrixObject *)result)->data, NULL);
    return result;
}
