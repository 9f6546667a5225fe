/* Arguments of fast-call functions: names, axes, shapes, numbers. Everything here raises and names what it saw. */
#ifndef BOCMAT_ARGS_H
#define BOCMAT_ARGS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "pycompat.h"

enum {
    ARGS_NO_AXIS = -1,
    ARGS_MAX = 6 /* parameters a function may have */
};

/* What a function takes. A parameter whose name is "" can only be given by position. */
typedef struct {
    const char *function;
    int positional; /* how many may be given by position */
    int required;   /* how many of the first must be given */
    const char *names[ARGS_MAX + 1];
} args_spec;

bool args_sort(const args_spec *spec, PyObject *const *args, Py_ssize_t count, PyObject *keywords, PyObject **values);

/* Sorts what was given into `values`, one place a parameter, NULL where nothing was: borrowed references. */
static inline bool
args_take(const args_spec *spec, PyObject *const *args, Py_ssize_t count, PyObject *keywords, PyObject **values)
{
    if (keywords || count > spec->positional || count < spec->required)
        return args_sort(spec, args, count, keywords, values);
    for (int i = 0; i < ARGS_MAX && spec->names[i]; i++)
        values[i] = i < count ? args[i] : NULL;
    return true;
}

/* An axis: absent or None is ARGS_NO_AXIS, otherwise -2, -1, 0, 1 (no bool) becomes 0 or 1. */
bool args_axis(PyObject *value, int *axis);
/* A real number, by its exact value or __float__ or __index__; not complex, not text. `what` names it in the error. */
bool args_double(PyObject *value, const char *what, double *number);
/* True if `value` could be a real number: what args_double accepts, but for errors of its own __float__. */
bool args_is_number(PyObject *value);
bool args_index_of(PyObject *value, const char *what, Py_ssize_t *number);
/* A count or an index, by __index__; no bool. */
static inline bool
args_index(PyObject *value, const char *what, Py_ssize_t *number)
{
    return long_is_short(value, number) || args_index_of(value, what, number);
}
/* Truth of a flag; absent is false. */
bool args_flag(PyObject *value, bool *flag);
/* (rows, columns), a tuple or list of two counts that are not negative. */
bool args_shape(PyObject *value, Py_ssize_t *rows, Py_ssize_t *columns);

#endif
