#include "args.h"

#include <string.h>

static bool
args_by_name(const args_spec *spec, PyObject *name, PyObject *value, PyObject **values)
{
    for (int i = 0; spec->names[i]; i++) {
        if (!spec->names[i][0] || PyUnicode_CompareWithASCIIString(name, spec->names[i]) != 0)
            continue;
        if (values[i]) {
            PyErr_Format(PyExc_TypeError, "%s() got '%U' twice", spec->function, name);
            return false;
        }
        values[i] = value;
        return true;
    }
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", spec->function, name);
    return false;
}

bool
args_sort(const args_spec *spec, PyObject *const *args, Py_ssize_t count, PyObject *keywords, PyObject **values)
{
    Py_ssize_t named = keywords ? PyTuple_GET_SIZE(keywords) : 0;
    int i;

    for (i = 0; spec->names[i]; i++)
        values[i] = i < count ? args[i] : NULL;
    if (count > spec->positional) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %d positional argument%s, %zd given", spec->function,
                     spec->positional, spec->positional == 1 ? "" : "s", count);
        return false;
    }
    for (Py_ssize_t k = 0; k < named; k++)
        if (!args_by_name(spec, PyTuple_GET_ITEM(keywords, k), args[count + k], values))
            return false;
    for (i = 0; i < spec->required; i++)
        if (!values[i]) {
            if (spec->names[i][0])
                PyErr_Format(PyExc_TypeError, "%s() misses its argument '%s'", spec->function, spec->names[i]);
            else
                PyErr_Format(PyExc_TypeError, "%s() misses its argument %d", spec->function, i + 1);
            return false;
        }
    return true;
}

bool
args_axis(PyObject *value, int *axis)
{
    Py_ssize_t number;

    if (!value || value == Py_None) {
        *axis = ARGS_NO_AXIS;
        return true;
    }
    if (!args_index(value, "axis", &number))
        return false;
    if (number < -2 || number > 1) {
        PyErr_Format(PyExc_ValueError, "axis must be -2, -1, 0 or 1, not %zd", number);
        return false;
    }
    *axis = (int)(number < 0 ? number + 2 : number);
    return true;
}

bool
args_is_number(PyObject *value)
{
    PyNumberMethods *methods = Py_TYPE(value)->tp_as_number;

    if (PyFloat_Check(value) || PyLong_Check(value))
        return true;
    if (PyComplex_Check(value) || PyType_Check(value))
        return false;
    return methods && (methods->nb_float || methods->nb_index);
}

bool
args_double(PyObject *value, const char *what, double *number)
{
    if (PyFloat_CheckExact(value)) {
        *number = PyFloat_AS_DOUBLE(value);
        return true;
    }
    if (PyLong_CheckExact(value)) {
        *number = PyLong_AsDouble(value);
        return !(*number == -1.0 && PyErr_Occurred());
    }
    if (!args_is_number(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be a real number, not %s", what, Py_TYPE(value)->tp_name);
        return false;
    }
    *number = PyFloat_AsDouble(value);
    return !(*number == -1.0 && PyErr_Occurred());
}

bool
args_index_of(PyObject *value, const char *what, Py_ssize_t *number)
{
    if (PyBool_Check(value) || !PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be an int, not %s", what, Py_TYPE(value)->tp_name);
        return false;
    }
    *number = PyNumber_AsSsize_t(value, PyExc_OverflowError);
    return !(*number == -1 && PyErr_Occurred());
}

bool
args_flag(PyObject *value, bool *flag)
{
    int truth = value ? PyObject_IsTrue(value) : 0;

    *flag = truth > 0;
    return truth >= 0;
}

bool
args_shape(PyObject *value, Py_ssize_t *rows, Py_ssize_t *columns)
{
    PyObject *pair = PyList_Check(value) ? PyList_AsTuple(value) : Py_NewRef(value);
    bool fine = false;

    if (!pair)
        return false;
    if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2) {
        PyErr_Format(PyExc_TypeError, "a shape is (rows, columns), not %R", value);
    } else if (args_index(PyTuple_GET_ITEM(pair, 0), "rows", rows) &&
               args_index(PyTuple_GET_ITEM(pair, 1), "columns", columns)) {
        fine = *rows >= 0 && *columns >= 0;
        if (!fine)
            PyErr_Format(PyExc_ValueError, "a shape cannot be negative: (%zd, %zd)", *rows, *columns);
    }
    Py_DECREF(pair);
    return fine;
}
