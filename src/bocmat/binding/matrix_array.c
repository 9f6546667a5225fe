/* What array libraries ask for beside the buffer protocol: __array__ and __array_interface__. */
#include "matrix_methods.h"
#include "matrix_lock.h"

/* numpy.asarray(values). */
static PyObject *
numpy_array_of(PyObject *values)
{
    PyObject *numpy = PyImport_ImportModule("numpy"), *array = NULL;

    if (numpy)
        array = PyObject_CallMethod(numpy, "asarray", "O", values);
    Py_XDECREF(numpy);
    return array;
}

/* array.astype(dtype, copy=False): the array itself if it is of that type. */
static PyObject *
array_of_type(PyObject *array, PyObject *dtype)
{
    PyObject *method = PyObject_GetAttrString(array, "astype"), *converted = NULL;
    PyObject *arguments = PyTuple_Pack(1, dtype), *names = Py_BuildValue("{sO}", "copy", Py_False);

    if (method && arguments && names)
        converted = PyObject_Call(method, arguments, names);
    Py_XDECREF(method);
    Py_XDECREF(arguments);
    Py_XDECREF(names);
    return converted;
}

PyObject *
matrix_array(METHOD_ARGS)
{
    static const args_spec spec = {"__array__", 2, 0, {"dtype", "copy", NULL}};
    PyObject *given[2], *memory, *array, *result;
    bool copy;

    if (!args_take(&spec, args, count, keywords, given) || !args_flag(given[1], &copy))
        return NULL;
    memory = PyMemoryView_FromObject(self);
    array = memory ? numpy_array_of(memory) : NULL;
    Py_XDECREF(memory);
    if (!array)
        return NULL;
    result = given[0] && given[0] != Py_None ? array_of_type(array, given[0]) : Py_NewRef(array);
    if (result && copy && result == array)
        Py_SETREF(result, PyObject_CallMethod(array, "copy", NULL));
    if (result && result != array && !copy && given[1] && given[1] != Py_None) {
        PyErr_SetString(PyExc_ValueError, "__array__(copy=False) of a type other than float64 needs a copy");
        Py_CLEAR(result);
    }
    Py_DECREF(array);
    return result;
}

/* Whoever reads the address keeps the object it came from, but nothing that says for how long. The memory therefore
 * stays where it is as long as the matrix: hand-over copies the values from now on. While the dict itself lives, it
 * holds an export, which hand-over refuses as it does any other. */
PyObject *
get_array_interface(PyObject *self, void *unused)
{
    const char *typestr = PY_LITTLE_ENDIAN ? "<f8" : ">f8";
    PyObject *memory = PyMemoryView_FromObject(self), *strides = NULL, *interface = NULL;
    const Py_buffer *view;
    MatrixObject *matrix;

    (void)unused;
    if (!memory)
        return NULL;
    view = PyMemoryView_GET_BUFFER(memory);
    MATRIX_BEGIN(self);
    matrix = is_view(self) ? ((MatrixViewObject *)self)->matrix : (MatrixObject *)self;
    matrix->flags |= MATRIX_ADDRESSED;
    MATRIX_END();
    strides = PyBuffer_IsContiguous(view, 'C') ? Py_NewRef(Py_None)
                                               : Py_BuildValue("(nn)", view->strides[0], view->strides[1]);
    if (strides)
        interface = Py_BuildValue("{si,s(nn),ss,s(NN),sN,sO}", "version", 3, "shape", view->shape[0], view->shape[1],
                                  "typestr", typestr, "data", PyLong_FromVoidPtr(view->buf),
                                  PyBool_FromLong(view->readonly), "strides", strides, "exporter", memory);
    Py_DECREF(memory);
    return interface;
}
