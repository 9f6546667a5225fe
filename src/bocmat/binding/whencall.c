/* whencall(): @when without the decorator, with the captures given apart from the function. */
#include "when.h"

#include "args.h"
#include "docs.h"
#include "travel.h"

/* A copy of the function whose parameters from `given` on have the captures as defaults; those behind them keep their
 * own. */
static PyObject *
function_bound(PyObject *function, Py_ssize_t given, PyObject *captures)
{
    PyFunctionObject *from = (PyFunctionObject *)function;
    PyCodeObject *code = (PyCodeObject *)from->func_code;
    Py_ssize_t taken = PyTuple_GET_SIZE(captures), left = code->co_argcount - given - taken;
    Py_ssize_t own = from->func_defaults ? PyTuple_GET_SIZE(from->func_defaults) : 0;
    PyObject *defaults = NULL, *bound = NULL;

    if (left < 0 || left > own) {
        PyErr_Format(PyExc_TypeError, "behavior %R takes %d parameters%s and whencall() gives %zd and %zd captures",
                     from->func_name, code->co_argcount, own ? " (some with defaults)" : "", given, taken);
        return NULL;
    }
    defaults = PyTuple_New(taken + left);
    if (!defaults)
        return NULL;
    for (Py_ssize_t i = 0; i < taken; i++)
        PyTuple_SET_ITEM(defaults, i, Py_NewRef(PyTuple_GET_ITEM(captures, i)));
    for (Py_ssize_t i = 0; i < left; i++)
        PyTuple_SET_ITEM(defaults, taken + i, Py_NewRef(PyTuple_GET_ITEM(from->func_defaults, own - left + i)));
    bound = PyFunction_NewWithQualName(from->func_code, from->func_globals, from->func_qualname);
    if (bound && (PyFunction_SetDefaults(bound, defaults) < 0 ||
                  (from->func_closure && PyFunction_SetClosure(bound, from->func_closure) < 0) ||
                  (from->func_kwdefaults && PyFunction_SetKwDefaults(bound, from->func_kwdefaults) < 0)))
        Py_CLEAR(bound);
    if (bound) {
        PyFunctionObject *to = (PyFunctionObject *)bound;

        Py_SETREF(to->func_name, Py_NewRef(from->func_name));
        Py_XSETREF(to->func_doc, Py_XNewRef(from->func_doc));
        to->func_dict = Py_XNewRef(from->func_dict);
    }
    Py_DECREF(defaults);
    return bound;
}

/* Whatever can be called, or takes any number: bocmat.travel makes a function that hands the captures on. */
static PyObject *
callable_bound(core_state *state, PyObject *function, PyObject *captures)
{
    PyObject *make = travel_function(state, "with_captures"), *bound = NULL;

    if (make)
        bound = PyObject_CallFunctionObjArgs(make, function, captures, NULL);
    Py_XDECREF(make);
    return bound;
}

static PyObject *
function_with_captures(core_state *state, PyObject *function, Py_ssize_t given, PyObject *captures)
{
    Py_ssize_t taken = PyTuple_GET_SIZE(captures);
    PyCodeObject *code;

    if (PyUnicode_Check(function)) {
        PyErr_Format(PyExc_TypeError, "whencall() takes the function itself, not its name %R", function);
        return NULL;
    }
    if (taken == 0 || !PyCallable_Check(function)) /* the latter is refused where all behaviors are */
        return Py_NewRef(function);
    if (!PyFunction_Check(function))
        return when_check(function, given + taken) < 0 ? NULL : callable_bound(state, function, captures);
    code = (PyCodeObject *)PyFunction_GET_CODE(function);
    if (code->co_flags & CO_VARARGS && given + taken > code->co_argcount &&
        !(code->co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)))
        return callable_bound(state, function, captures);
    return function_bound(function, given, captures);
}

/* A new tuple of a list or tuple; NULL with a TypeError. */
static PyObject *
items_of(PyObject *object, const char *what)
{
    if (!PyList_Check(object) && !PyTuple_Check(object)) {
        PyErr_Format(PyExc_TypeError, "whencall() takes a list of %s, not %.200s", what, Py_TYPE(object)->tp_name);
        return NULL;
    }
    return PySequence_Tuple(object);
}

/* The cowns as they are now. */
static PyObject *
arguments_of(PyObject *object)
{
    PyObject *items = items_of(object, "cowns"), *arguments = NULL;

    if (items)
        arguments = PyTuple_New(PyTuple_GET_SIZE(items));
    for (Py_ssize_t i = 0; arguments && i < PyTuple_GET_SIZE(items); i++) {
        PyObject *argument = argument_fixed(PyTuple_GET_ITEM(items, i));

        if (argument)
            PyTuple_SET_ITEM(arguments, i, argument);
        else
            Py_CLEAR(arguments);
    }
    Py_XDECREF(items);
    return arguments;
}

static PyObject *
func_whencall(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const args_spec spec = {"whencall", 3, 3, {"func", "args", "captures", NULL}};
    core_state *state = PyModule_GetState(module);
    PyObject *values[ARGS_MAX], *arguments = NULL, *captures = NULL, *function = NULL, *result = NULL;

    if (!args_take(&spec, args, count, names, values))
        return NULL;
    arguments = arguments_of(values[1]);
    captures = arguments ? items_of(values[2], "captures") : NULL;
    if (captures)
        function = function_with_captures(state, values[0], PyTuple_GET_SIZE(arguments), captures);
    if (function)
        result = when_schedule(state, arguments, function, NULL, false);
    Py_XDECREF(arguments);
    Py_XDECREF(captures);
    Py_XDECREF(function);
    return result;
}

/* _when_spare(function, *cowns): as @when(*cowns) does, for a function without any effect but its result. */
static PyObject *
func_when_spare(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
    PyObject *arguments, *result = NULL;

    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "_when_spare() needs a function");
        return NULL;
    }
    arguments = PyTuple_New(count - 1);
    for (Py_ssize_t i = 1; arguments && i < count; i++) {
        PyObject *argument = argument_fixed(args[i]);

        if (argument)
            PyTuple_SET_ITEM(arguments, i - 1, argument);
        else
            Py_CLEAR(arguments);
    }
    if (arguments)
        result = when_schedule(PyModule_GetState(module), arguments, args[0], NULL, true);
    Py_XDECREF(arguments);
    return result;
}

static PyMethodDef functions[] = {
    {"_when_spare", (PyCFunction)(void (*)(void))func_when_spare, METH_FASTCALL, NULL},
    {"whencall", (PyCFunction)(void (*)(void))func_whencall, METH_FASTCALL | METH_KEYWORDS,
     "whencall($module, /, func, args, captures)\n--\n\n"
     "Schedule a function as `@when(*args)` does, its trailing parameters given." PARAMETERS(
         PARAMETER("func", "callable", "Takes the cowns, then the captures; never a name.")
             PARAMETER("args", "list of Cown, read(cown), or list of either", "What the decorator would take.")
                 PARAMETER("captures", "list", "A value for each parameter behind the cowns, captured as it is now."))
         RETURNS("Cown", "That of the result.")
             RAISES(CASE("TypeError", "`func` is a name or cannot be called, the parameters do not fit, or a capture "
                                      "cannot travel to a worker; the message names it."))
                 EXAMPLES(DO("total = whencall(lambda cown, more: cown.value + more, [Cown(1)], [2])") DO("wait()")
                              TRY("total.value", "3"))},
    {NULL, NULL, 0, NULL},
};

int
whencall_add(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
