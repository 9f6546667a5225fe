/* The decorator @when and read(): which cowns, which function, and off to the scheduler. */
#include "around.h"
#include "backend.h"
#include "cown.h"
#include "docs.h"
#include "function.h"
#include "matrix_random.h"
#include "task.h"
#include "when.h"

typedef struct {
    PyObject_HEAD
    PyObject *target; /* a Cown, or a list of them */
} ReadObject;

typedef struct {
    PyObject_HEAD
    PyObject *arguments;       /* a tuple: Cowns, reads, lists of either */
    PyObject *name;            /* a str, or NULL */
    vectorcallfunc vectorcall; /* when_call */
} WhenObject;

PyObject *
argument_fixed(PyObject *argument)
{
    return PyList_Check(argument) ? PySequence_Tuple(argument) : Py_NewRef(argument);
}

/* ---- read(cown) ---- */

static PyObject *
read_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    core_state *state = state_of_type(type);
    PyObject *target;
    ReadObject *self;

    if (keywords && PyDict_GET_SIZE(keywords)) {
        PyErr_SetString(PyExc_TypeError, "read() takes no keyword arguments");
        return NULL;
    }
    if (!PyArg_ParseTuple(args, "O:read", &target))
        return NULL;
    if (!cown_check(state, target) && !PyList_Check(target) && !PyTuple_Check(target)) {
        PyErr_Format(PyExc_TypeError, "read() takes a Cown or a list of them, not %.200s", Py_TYPE(target)->tp_name);
        return NULL;
    }
    self = (ReadObject *)type->tp_alloc(type, 0);
    if (!self)
        return NULL;
    self->target = argument_fixed(target);
    for (Py_ssize_t i = 0; self->target && PyTuple_Check(self->target) && i < PyTuple_GET_SIZE(self->target); i++) {
        PyObject *item = PyTuple_GET_ITEM(self->target, i);

        if (!cown_check(state, item)) {
            PyErr_Format(PyExc_TypeError, "read() takes a Cown or a list of them; element %zd is a %.200s", i,
                         Py_TYPE(item)->tp_name);
            Py_CLEAR(self->target);
        }
    }
    if (!self->target)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static int
read_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((ReadObject *)object)->target);
    return 0;
}

static void
read_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_XDECREF(((ReadObject *)object)->target);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyObject *
read_repr(PyObject *object)
{
    return PyUnicode_FromFormat("read(%R)", ((ReadObject *)object)->target);
}

static PyType_Slot read_slots[] = {
    {Py_tp_doc, "read(cown, /)\n--\n\n"
                "In @when: hold the cown for reading, together with any number of other readers."},
    {Py_tp_new, read_new},
    {Py_tp_traverse, read_traverse},
    {Py_tp_dealloc, read_dealloc},
    {Py_tp_repr, read_repr},
    {0, NULL},
};

static PyType_Spec read_spec = {
    .name = "bocmat._core.read",
    .basicsize = sizeof(ReadObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = read_slots,
};

/* ---- the cowns ---- */

/* Every cown of the arguments in turn, as the parameters name them. */
typedef struct {
    core_state *state;
    rt_behavior *behavior; /* NULL: only count and check */
    uint32_t count;
    bool pinned; /* one of them is */
} cown_walk;

static int
walk_one(cown_walk *walk, PyObject *object, rt_mode mode)
{
    if (Py_IS_TYPE(object, walk->state->read_type)) {
        object = ((ReadObject *)object)->target;
        mode = RT_READ;
    }
    if (!Py_IS_TYPE(object, walk->state->cown_type)) {
        if (!Py_IS_TYPE(object, walk->state->pinned_type)) {
            PyErr_Format(PyExc_TypeError, "@when takes Cowns, read(cown) and lists of them, not %.200s",
                         Py_TYPE(object)->tp_name);
            return -1;
        }
        walk->pinned = true;
    }
    if (((CownObject *)object)->process != cown_process) {
        PyErr_Format(PyExc_RuntimeError, "cown %llu belongs to the process that this one was forked from",
                     (unsigned long long)rt_cown_id(cown_of(object)));
        return -1;
    }
    if (walk->behavior)
        rt_behavior_set(walk->behavior, walk->count, cown_of(object), mode);
    walk->count++;
    return 0;
}

/* The items if the argument is a list (or a read of one), borrowed; NULL if it is a cown. */
static PyObject *
argument_list(core_state *state, PyObject *argument, rt_mode *mode)
{
    *mode = RT_WRITE;
    if (Py_IS_TYPE(argument, state->read_type)) {
        argument = ((ReadObject *)argument)->target;
        *mode = RT_READ;
    }
    return PyTuple_Check(argument) ? argument : NULL;
}

static int
walk_argument(cown_walk *walk, PyObject *argument)
{
    rt_mode mode;
    PyObject *items = argument_list(walk->state, argument, &mode);

    if (!items)
        return walk_one(walk, argument, mode);
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items); i++) {
        if (walk_one(walk, PyTuple_GET_ITEM(items, i), mode) < 0)
            return -1;
    }
    return 0;
}

/* ---- the function ---- */

static int
check_plain(PyObject *function)
{
    int flags = ((PyCodeObject *)PyFunction_GET_CODE(function))->co_flags;

    if (!(flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR)))
        return 0;
    PyErr_Format(PyExc_TypeError, "behavior %R is %s; @when takes a plain function",
                 ((PyFunctionObject *)function)->func_name,
                 flags & CO_GENERATOR ? "a generator function" : "an async function");
    return -1;
}

static int
check_parameters(PyObject *function, Py_ssize_t given)
{
    PyCodeObject *code = (PyCodeObject *)PyFunction_GET_CODE(function);
    PyObject *defaults = PyFunction_GET_DEFAULTS(function), *keyword_defaults = PyFunction_GET_KW_DEFAULTS(function);
    Py_ssize_t optional = defaults && defaults != Py_None ? PyTuple_GET_SIZE(defaults) : 0;
    Py_ssize_t keyword = keyword_defaults && keyword_defaults != Py_None ? PyDict_GET_SIZE(keyword_defaults) : 0;
    PyObject *name = ((PyFunctionObject *)function)->func_name;

    if (check_plain(function) < 0)
        return -1;
    if (given < code->co_argcount - optional || (given > code->co_argcount && !(code->co_flags & CO_VARARGS))) {
        PyErr_Format(PyExc_TypeError, "behavior %R takes %d parameters%s and @when names %zd", name, code->co_argcount,
                     optional ? " (some with defaults)" : "", given);
        return -1;
    }
    if (keyword < code->co_kwonlyargcount) {
        PyErr_Format(PyExc_TypeError, "behavior %R has a keyword-only parameter without a default", name);
        return -1;
    }
    return 0;
}

/* What a partial, a bound method or an object with __call__ ends up calling, a new reference; NULL without an exception
 * if that is no function of Python's. */
static PyObject *
function_inside(PyObject *callable)
{
    PyObject *inside = Py_NewRef(callable), *next;

    for (int depth = 0; inside && !PyFunction_Check(inside) && depth < 100; depth++) {
        next = PyMethod_Check(inside) ? Py_NewRef(PyMethod_GET_FUNCTION(inside)) : NULL;
        if (!next)
            next = PyObject_GetAttrString(inside, "func"); /* a partial */
        if (!next) {
            PyErr_Clear();
            next = PyObject_GetAttrString((PyObject *)Py_TYPE(inside), "__call__");
        }
        Py_SETREF(inside, next);
    }
    PyErr_Clear();
    if (inside && !PyFunction_Check(inside))
        Py_CLEAR(inside);
    return inside;
}

int
when_check(PyObject *function, Py_ssize_t given)
{
    PyObject *inside;
    int result = 0;

    if (PyFunction_Check(function))
        return check_parameters(function, given);
    if (!PyCallable_Check(function)) {
        PyErr_Format(PyExc_TypeError, "@when decorates a function, not %.200s", Py_TYPE(function)->tp_name);
        return -1;
    }
    if (PyMethod_Check(function) && PyFunction_Check(PyMethod_GET_FUNCTION(function)))
        return check_parameters(PyMethod_GET_FUNCTION(function), given + 1);
    inside = function_inside(function);
    if (inside)
        result = check_plain(inside);
    Py_XDECREF(inside);
    return result;
}

/* ---- scheduling ---- */

static bool
has_groups(core_state *state, PyObject *arguments)
{
    rt_mode mode;

    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(arguments); i++) {
        if (argument_list(state, PyTuple_GET_ITEM(arguments, i), &mode))
            return true;
    }
    return false;
}

static void
write_groups(core_state *state, PyObject *arguments, uint32_t *sizes)
{
    rt_mode mode;

    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(arguments); i++) {
        PyObject *items = argument_list(state, PyTuple_GET_ITEM(arguments, i), &mode);

        sizes[i] = items ? (uint32_t)PyTuple_GET_SIZE(items) + 1 : 0;
    }
}

/* The name that a behavior was given, or NULL without an exception if it has none; NULL with one if it is no text. */
static const char *
name_text(PyObject *name, size_t *length)
{
    Py_ssize_t size = 0;
    const char *text = name ? PyUnicode_AsUTF8AndSize(name, &size) : NULL;

    if (text && strlen(text) != (size_t)size) {
        PyErr_Format(PyExc_ValueError, "the name %R of a behavior has a null character in it", name);
        return NULL;
    }
    *length = text ? (size_t)size + 1 : 0;
    return text;
}

/* The behavior with its cowns, function, captures and name in one block, not yet scheduled. */
static rt_behavior *
behavior_make(core_state *state, encoder *e, PyObject *arguments, uint32_t cown_count, PyObject *name)
{
    size_t groups_at = (offsetof(task_call, captures) + encoder_size(e) + 7) & ~(size_t)7;
    size_t parameter_count = (size_t)PyTuple_GET_SIZE(arguments), name_length = 0;
    bool grouped = has_groups(state, arguments);
    size_t name_at = groups_at + (grouped ? parameter_count * sizeof(uint32_t) : 0);
    const char *text = name_text(name, &name_length);
    cown_walk walk = {.state = state};
    task_call *call;

    if (name && !text)
        return NULL;
    walk.behavior = rt_behavior_new(backend_host(), cown_count, name_at + name_length);
    if (!walk.behavior) {
        PyErr_NoMemory();
        return NULL;
    }
    call = rt_behavior_captures(walk.behavior);
    call->kind = TASK_CALL;
    call->parameter_count = (uint32_t)parameter_count;
    call->group_at = grouped ? (uint32_t)groups_at : 0;
    if (grouped)
        write_groups(state, arguments, (uint32_t *)((char *)call + groups_at));
    if (text)
        memcpy((char *)call + name_at, text, name_length);
    call->name_at = text ? (uint32_t)name_at : 0;
    if (encoder_finish(e, &call->captures) < 0) {
        rt_behavior_discard(walk.behavior);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(arguments); i++)
        (void)walk_argument(&walk, PyTuple_GET_ITEM(arguments, i)); /* counted before: cannot fail */
    return walk.behavior;
}

rt_runtime *
runtime_started(void)
{
    PyObject *lifecycle = PyImport_ImportModule("bocmat.lifecycle");
    rt_runtime *runtime = NULL;
    bool failed = !lifecycle;

    /* Once more if another thread's wait() has stopped it since. */
    while (!failed && !runtime) {
        PyObject *result = PyObject_CallMethod(lifecycle, "start", NULL);

        failed = !result;
        Py_XDECREF(result);
        runtime = failed ? NULL : backend_runtime();
    }
    Py_XDECREF(lifecycle);
    return runtime;
}

rt_runtime *
when_runtime(core_state *state)
{
    rt_worker *worker = rt_worker_self();
    rt_runtime *runtime;

    if (worker)
        return rt_worker_runtime(worker);
    if (!state->travel->is_main) {
        PyErr_SetString(PyExc_RuntimeError, "behaviors are scheduled from the main interpreter or from behaviors");
        return NULL;
    }
    cown_let_go_all(state);
    runtime = backend_runtime();
    return runtime ? runtime : runtime_started();
}

int
when_hand_over(rt_runtime *runtime, rt_behavior *behavior, backend_kind kind)
{
    int status = rt_schedule(runtime, behavior);

    /* Another thread's wait() is stopping it just now, or has. */
    while (status == RT_NOT_RUNNING && !worker_current() && (runtime = runtime_started()))
        status = backend_current() == kind ? rt_schedule(runtime, behavior) : RT_INVALID;
    return status;
}

/* The behavior with its function and captures as they are now. */
static rt_behavior *
behavior_encoded(core_state *state, PyObject *arguments, PyObject *function, PyObject *name, const cown_walk *walk)
{
    rt_behavior *behavior = NULL;
    encoder e;
    int status;

    encoder_init(&e, state, ENCODE_SHARE);
    /* The behavior's own function goes by value even where it could be imported, so that what it names is captured. */
    do {
        status = PyFunction_Check(function) ? function_encode(&e, function) : encoder_put(&e, function);
    } while (status == 0 && encoder_again(&e));
    if (status == 0 && around_encode(&e) == 0 && encoder_end(&e) == 0)
        behavior = behavior_make(state, &e, arguments, walk->count, name);
    encoder_clear(&e);
    if (behavior && walk->pinned)
        rt_behavior_serve(behavior);
    return behavior;
}

static void
behavior_undo(rt_behavior *behavior)
{
    behavior_drop(behavior);
    rt_behavior_discard(behavior);
}

PyObject *
when_schedule(core_state *state, PyObject *arguments, PyObject *function, PyObject *name, bool spare)
{
    cown_walk walk = {.state = state};
    rt_runtime *runtime;
    rt_behavior *behavior = NULL;
    PyObject *result = NULL;
    backend_kind kind;
    int status;

    if (when_check(function, PyTuple_GET_SIZE(arguments)) < 0)
        return NULL;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(arguments); i++) {
        if (walk_argument(&walk, PyTuple_GET_ITEM(arguments, i)) < 0)
            return NULL;
    }
    runtime = when_runtime(state);
    if (!runtime)
        return NULL;
    kind = backend_current();
    behavior = behavior_encoded(state, arguments, function, name, &walk);
    if (!behavior)
        return NULL;
    ((task_call *)rt_behavior_captures(behavior))->stream = stream_child(state);
    if (spare)
        rt_behavior_spare(behavior);
    result = cown_wrap(state, rt_behavior_result(behavior));
    status = result ? when_hand_over(runtime, behavior, kind) : RT_NO_MEMORY;
    if (status == RT_INVALID) { /* the next one has another form for what travels */
        behavior_undo(behavior);
        Py_DECREF(result);
        return when_schedule(state, arguments, function, name, spare);
    }
    if (status < 0) {
        behavior_undo(behavior);
        raise_status(status);
        Py_CLEAR(result);
    }
    return result;
}

/* ---- @when ---- */

/* Calls of the type and of its instances go without tuples and dicts: they are made once a behavior. */

static PyObject *when_call(PyObject *object, PyObject *const *args, size_t flags, PyObject *keywords);

static int
when_keyword(WhenObject *self, PyObject *key, PyObject *value)
{
    if (PyUnicode_CompareWithASCIIString(key, "name") != 0) {
        PyErr_Format(PyExc_TypeError, "when() got an unexpected keyword argument %R", key);
        return -1;
    }
    if (value != Py_None && !PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "name is a str or None, not %.200s", Py_TYPE(value)->tp_name);
        return -1;
    }
    self->name = value == Py_None ? NULL : Py_NewRef(value);
    return 0;
}

static PyObject *
when_vectorcall(PyObject *object, PyObject *const *args, size_t flags, PyObject *keywords)
{
    PyTypeObject *type = (PyTypeObject *)object;
    Py_ssize_t count = PyVectorcall_NARGS(flags), keyword_count = keywords ? PyTuple_GET_SIZE(keywords) : 0;
    cown_walk walk = {.state = state_of_type(type)};
    WhenObject *self = (WhenObject *)type->tp_alloc(type, 0);

    if (!self)
        return NULL;
    self->vectorcall = when_call;
    for (Py_ssize_t i = 0; i < keyword_count; i++) {
        if (when_keyword(self, PyTuple_GET_ITEM(keywords, i), args[count + i]) < 0) {
            Py_DECREF(self);
            return NULL;
        }
    }
    self->arguments = PyTuple_New(count);
    for (Py_ssize_t i = 0; self->arguments && i < count; i++) {
        PyObject *argument = argument_fixed(args[i]);

        if (!argument || walk_argument(&walk, argument) < 0) {
            Py_XDECREF(argument);
            Py_CLEAR(self->arguments);
        } else {
            PyTuple_SET_ITEM(self->arguments, i, argument);
        }
    }
    if (!self->arguments)
        Py_CLEAR(self);
    return (PyObject *)self;
}

/* For when.__new__. */
static PyObject *
when_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    return PyObject_VectorcallDict((PyObject *)type, ((PyTupleObject *)args)->ob_item, (size_t)PyTuple_GET_SIZE(args),
                                   keywords);
}

static PyObject *
when_call(PyObject *object, PyObject *const *args, size_t flags, PyObject *keywords)
{
    WhenObject *self = (WhenObject *)object;

    if (PyVectorcall_NARGS(flags) != 1 || (keywords && PyTuple_GET_SIZE(keywords))) {
        PyErr_SetString(PyExc_TypeError, "@when(...) decorates one function");
        return NULL;
    }
    return when_schedule(state_of(object), self->arguments, args[0], self->name, false);
}

static int
when_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    Py_VISIT(((WhenObject *)object)->arguments);
    return 0;
}

static void
when_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    Py_XDECREF(((WhenObject *)object)->arguments);
    Py_XDECREF(((WhenObject *)object)->name);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMemberDef when_members[] = {
    {"__vectorcalloffset__", Py_T_PYSSIZET, offsetof(WhenObject, vectorcall), Py_READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot when_slots[] = {
    {Py_tp_doc,
     "when(*cowns, name=None)\n--\n\n"
     "Schedule the decorated function to run once it holds these cowns.\n\n"
     "Trailing parameters with defaults, closures and globals are captured as they are now. The name of the function "
     "becomes the Cown of its result; an exception becomes its value, with `exception` true." PARAMETERS(
         PARAMETER("*cowns", "Cown, read(cown), or list of either", "Each arrives as the parameter in its place.")
             PARAMETER("name", "str, optional", "What reports call it; by default the function's own name."))
         RAISES(CASE("TypeError", "An argument is no cown, the parameters do not fit, or something captured cannot "
                                  "travel to a worker; the message names it."))},
    {Py_tp_new, when_new},
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_members, when_members},
    {Py_tp_traverse, when_traverse},
    {Py_tp_dealloc, when_dealloc},
    {0, NULL},
};

static PyType_Spec when_spec = {
    .name = "bocmat._core.when",
    .basicsize = sizeof(WhenObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = when_slots,
};

int
when_add_types(PyObject *module, core_state *state)
{
    state->read_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &read_spec, NULL);
    if (!state->read_type || PyModule_AddType(module, state->read_type) < 0)
        return -1;
    state->when_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &when_spec, NULL);
    if (!state->when_type)
        return -1;
    state->when_type->tp_vectorcall = when_vectorcall;
    if (PyModule_AddType(module, state->when_type) < 0)
        return -1;
    return whencall_add(module);
}
