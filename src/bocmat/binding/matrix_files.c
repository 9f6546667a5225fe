/* Matrices in files: the methods that hand over to bocmat.npy and bocmat.lines, and what those need of C. */
#include "matrix_convert.h"
#include "matrix_methods.h"

/* module.function(arguments), imported when first needed. Consumes the reference to the arguments. */
static PyObject *
call_module(const char *module, const char *function, PyObject *arguments)
{
    PyObject *imported = arguments ? PyImport_ImportModule(module) : NULL, *called = NULL, *result = NULL;

    if (imported)
        called = PyObject_GetAttrString(imported, function);
    if (called)
        result = PyObject_CallObject(called, arguments);
    Py_XDECREF(called);
    Py_XDECREF(imported);
    Py_XDECREF(arguments);
    return result;
}

PyObject *
matrix_save(METHOD_ARGS)
{
    static const args_spec spec = {"save", 1, 1, {"file", NULL}};
    PyObject *given[1], *values;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    values = matrix_snapshot(state_of(self), self);
    return values ? call_module("bocmat.npy", "save", Py_BuildValue("(NO)", values, given[0])) : NULL;
}

PyObject *
matrix_load(METHOD_ARGS)
{
    static const args_spec spec = {"load", 1, 1, {"file", NULL}};
    PyObject *given[1];

    (void)self;
    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    return call_module("bocmat.npy", "load", Py_BuildValue("(O)", given[0]));
}

PyObject *
matrix_savetxt(METHOD_ARGS)
{
    static const args_spec spec = {"savetxt", 2, 1, {"path", "delimiter", NULL}};
    PyObject *given[2], *values;

    if (!args_take(&spec, args, count, keywords, given))
        return NULL;
    values = matrix_snapshot(state_of(self), self);
    if (!values)
        return NULL;
    return call_module("bocmat.lines", "save",
                       given[1] ? Py_BuildValue("(NOO)", values, given[0], given[1])
                                : Py_BuildValue("(NO)", values, given[0]));
}

PyObject *
matrix_loadtxt(METHOD_ARGS)
{
    static const args_spec spec = {"loadtxt", 3, 1, {"path", "delimiter", "skiprows", NULL}};
    PyObject *given[3];
    Py_ssize_t skip = 0;

    (void)self;
    if (!args_take(&spec, args, count, keywords, given) || (given[2] && !args_index(given[2], "skiprows", &skip)))
        return NULL;
    return call_module("bocmat.lines", "load", Py_BuildValue("(OOn)", given[0], given[1] ? given[1] : Py_None, skip));
}

/* _read_numbers(matrix, start, data, format): the elements from `start` on, row by row, out of packed numbers. */
PyObject *
matrix_read_numbers(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords)
{
    static const args_spec spec = {"_read_numbers", 5, 5, {"matrix", "start", "data", "format", "width", NULL}};
    matrix_operand to = {0};
    PyObject *given[5], *result = NULL;
    number_format format;
    Py_ssize_t start, width, many;
    const char *text;
    Py_buffer view;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[1], "start", &start) ||
        !args_index(given[4], "width", &width))
        return NULL;
    text = PyUnicode_AsUTF8(given[3]);
    if (!text)
        return NULL;
    if (!matrix_check((core_state *)PyModule_GetState(module), given[0]) || !number_format_read(text, width, &format))
        return PyErr_Format(PyExc_TypeError, "numbers of the format %s are not read into a %s", text,
                            Py_TYPE(given[0])->tp_name);
    if (PyObject_GetBuffer(given[2], &view, PyBUF_SIMPLE) < 0)
        return NULL;
    many = view.len / width;
    to.source = given[0];
    if (!operand_settle_writable(&to))
        goto done;
    if (!window_is_row_major(to.window, to.rows, to.columns) || start < 0 || start > to.rows * to.columns - many) {
        PyErr_Format(PyExc_ValueError, "%zd numbers at %zd do not fit a matrix of shape (%zd, %zd)", many, start,
                     to.rows, to.columns);
        goto done;
    }
    numbers_read(format, 1, many, view.buf, width * many, width, to.window.at + start);
    result = Py_NewRef(Py_None);
done:
    PyBuffer_Release(&view);
    return result;
}
