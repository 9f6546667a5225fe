/* Random matrices: uniform, normal, integers, permutation, seed. The streams are matrix_random.c's. */
#include "matrix_methods.h"

#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "matrix_random.h"

#if BOCMAT_GIL
#define DRAW_LOCK()   ((void)0)
#define DRAW_UNLOCK() ((void)0)
#else
static PyMutex draw_mutex;
#define DRAW_LOCK()   PyMutex_Lock(&draw_mutex)
#define DRAW_UNLOCK() PyMutex_Unlock(&draw_mutex)
#endif

/* Unlike any other process's and interpreter's, as far as a clock and addresses can tell. */
static uint64_t
arbitrary_key(const core_state *state)
{
    struct timespec now = {0, 0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000007) ^ (uint64_t)now.tv_nsec << 20 ^ (uint64_t)getpid() << 40 ^
           (uint64_t)(uintptr_t)state;
}

int
matrix_random_start(core_state *state)
{
    state->rng = PyMem_Malloc(sizeof *state->rng);
    if (!state->rng) {
        PyErr_NoMemory();
        return -1;
    }
    rng_seed(state->rng, arbitrary_key(state));
    return 0;
}

#define state_of_class(cls) state_of_type((PyTypeObject *)(cls))

PyObject *
matrix_seed(METHOD_ARGS)
{
    static const args_spec spec = {"seed", 1, 1, {"value", NULL}};
    core_state *state = state_of_class(self);
    PyObject *given[1];
    uint64_t key;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    if (given[0] == Py_None) {
        key = arbitrary_key(state);
    } else {
        PyObject *number = PyNumber_Index(given[0]);

        if (!number)
            return NULL;
        key = PyLong_AsUnsignedLongLongMask(number);
        Py_DECREF(number);
        if (key == (uint64_t)-1 && PyErr_Occurred())
            return NULL;
    }
    DRAW_LOCK();
    rng_seed(state->rng, key);
    DRAW_UNLOCK();
    Py_RETURN_NONE;
}

/* ---- distributions of two parameters ---- */

typedef void (*draw_function)(matrix_rng *rng, size_t count, double *to, double first, double second);
typedef bool (*draw_check)(double first, double second);

static PyObject *
draw_method(METHOD_ARGS, const args_spec *spec, double first, double second, draw_check check, draw_function draw)
{
    core_state *state = state_of_class(self);
    PyObject *given[3], *result;
    Py_ssize_t rows, columns;
    double one;

    if (!args_take(spec, args, count, keywords, given) ||
        (given[0] && given[0] != Py_None && !args_double(given[0], spec->names[0], &first)) ||
        (given[1] && given[1] != Py_None && !args_double(given[1], spec->names[1], &second)) || !check(first, second))
        return NULL;
    if (!given[2] || given[2] == Py_None) {
        DRAW_LOCK();
        draw(state->rng, 1, &one, first, second);
        DRAW_UNLOCK();
        return PyFloat_FromDouble(one);
    }
    if (!args_shape(given[2], &rows, &columns))
        return NULL;
    result = matrix_empty(state, rows, columns);
    if (!result)
        return NULL;
    DRAW_LOCK();
    draw(state->rng, (size_t)(rows * columns), ((MatrixObject *)result)->data, first, second);
    DRAW_UNLOCK();
    return result;
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

    return draw_method(self, args, count, keywords, &spec, 0.0, 1.0, uniform_check, rng_uniform);
}

PyObject *
matrix_normal(METHOD_ARGS)
{
    static const args_spec spec = {"normal", 3, 0, {"mean", "deviation", "size", NULL}};

    return draw_method(self, args, count, keywords, &spec, 0.0, 1.0, normal_check, rng_normal);
}

/* ---- whole numbers ---- */

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

PyObject *
matrix_integers(METHOD_ARGS)
{
    static const args_spec spec = {"integers", 3, 2, {"low", "high", "size", NULL}};
    core_state *state = state_of_class(self);
    PyObject *given[3], *result;
    Py_ssize_t rows = 1, columns = 1;
    int64_t low, high;
    uint64_t width;

    if (!args_take(&spec, args, count, keywords, given) || !int64_take(given[0], "low", &low) ||
        !int64_take(given[1], "high", &high))
        return NULL;
    if (low >= high) {
        PyErr_Format(PyExc_ValueError, "integers() needs low below high, not %lld and %lld", (long long)low,
                     (long long)high);
        return NULL;
    }
    width = (uint64_t)high - (uint64_t)low;
    if (!given[2] || given[2] == Py_None) {
        uint64_t drawn;

        DRAW_LOCK();
        drawn = rng_below(state->rng, width);
        DRAW_UNLOCK();
        return PyLong_FromLongLong((long long)((uint64_t)low + drawn));
    }
    if (!args_shape(given[2], &rows, &columns))
        return NULL;
    result = matrix_empty(state, rows, columns);
    if (!result)
        return NULL;
    DRAW_LOCK();
    for (Py_ssize_t i = 0; i < rows * columns; i++)
        ((MatrixObject *)result)->data[i] = (double)(int64_t)((uint64_t)low + rng_below(state->rng, width));
    DRAW_UNLOCK();
    return result;
}

PyObject *
matrix_permutation(METHOD_ARGS)
{
    static const args_spec spec = {"permutation", 1, 1, {"n", NULL}};
    core_state *state = state_of_class(self);
    PyObject *given[1], *result;
    Py_ssize_t length;
    double *values;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[0], "n", &length))
        return NULL;
    result = matrix_empty(state, 1, length);
    if (!result)
        return NULL;
    values = ((MatrixObject *)result)->data;
    for (Py_ssize_t i = 0; i < length; i++)
        values[i] = (double)i;
    DRAW_LOCK();
    for (Py_ssize_t i = length - 1; i > 0; i--) {
        uint64_t other = rng_below(state->rng, (uint64_t)i + 1);
        double value = values[other];

        values[other] = values[i];
        values[i] = value;
    }
    DRAW_UNLOCK();
    return result;
}
