/* The only place that knows how CPython's minor versions and builds differ. */
#ifndef BOCMAT_PYCOMPAT_H
#define BOCMAT_PYCOMPAT_H

#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>
#if PY_VERSION_HEX >= 0x030E0000
#include <opcode.h>
#endif
#include <stdbool.h>
#include <stdint.h>

#if PY_VERSION_HEX < 0x030C0000
#include <structmember.h>
#define Py_T_PYSSIZET T_PYSSIZET
#define Py_READONLY   READONLY
#endif

#if PY_VERSION_HEX < 0x030A0000
#error "bocmat needs CPython 3.10 or newer"
#endif

#ifndef Py_GIL_DISABLED
#define BOCMAT_GIL 1
#else
#define BOCMAT_GIL 0
#endif

/* A GIL per sub-interpreter came with 3.12; a free-threaded build has no use for it. */
#define BOCMAT_HAVE_INTERPRETERS (PY_VERSION_HEX >= 0x030C0000 && BOCMAT_GIL)

/* A lock for what the threads of one interpreter share. With a GIL, the GIL is it. */
#if BOCMAT_GIL
typedef struct {
    char unused;
} travel_lock;
#define TRAVEL_LOCK(travel)   ((void)(travel))
#define TRAVEL_UNLOCK(travel) ((void)(travel))
#else
typedef PyMutex travel_lock;
#define TRAVEL_LOCK(travel)   PyMutex_Lock(&(travel)->lock)
#define TRAVEL_UNLOCK(travel) PyMutex_Unlock(&(travel)->lock)
#endif

/* ---- critical sections, of free-threaded builds ---- */

#if !BOCMAT_GIL
/* One that is begun on an object whose lock the thread's innermost one has already. Before 3.14 that waits for itself:
 * it yields the processor some forty times, which takes seconds on a busy machine, then lets go of what it holds. */
typedef struct {
    PyCriticalSection section;
    bool begun;
} nested_section;

static inline bool
section_holds(PyObject *object)
{
#if PY_VERSION_HEX >= 0x030E0000
    (void)object; /* the interpreter looks itself */
    return false;
#else
    enum { INACTIVE = 1, TWO_MUTEXES = 2, TAGS = 3 };
    uintptr_t innermost = PyThreadState_Get()->critical_section;
    const PyCriticalSection2 *section = (const PyCriticalSection2 *)(innermost & ~(uintptr_t)TAGS);

    if (!section || innermost & INACTIVE)
        return false;
    return section->_cs_base._cs_mutex == &object->ob_mutex ||
           (innermost & TWO_MUTEXES && section->_cs_mutex2 == &object->ob_mutex);
#endif
}

static inline void
nested_begin(nested_section *nested, PyObject *object)
{
    nested->begun = !section_holds(object);
    if (nested->begun)
        PyCriticalSection_Begin(&nested->section, object);
}

static inline void
nested_end(nested_section *nested)
{
    if (nested->begun)
        PyCriticalSection_End(&nested->section);
}
#endif

/* ---- the exception that is set, as one object ---- */

static inline PyObject *
error_take(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *trace;

    PyErr_Fetch(&type, &value, &trace);
    if (!type)
        return NULL;
    PyErr_NormalizeException(&type, &value, &trace);
    if (trace)
        PyException_SetTraceback(value, trace);
    Py_DECREF(type);
    Py_XDECREF(trace);
    return value;
#endif
}

/* Takes over the reference. */
static inline void
error_put(PyObject *error)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error);
#else
    PyErr_Restore(Py_NewRef(Py_TYPE(error)), error, PyException_GetTraceback(error));
#endif
}

/* ---- threads and interpreters ---- */

/* The calling thread's state, or NULL if it is attached to no interpreter. */
static inline PyThreadState *
thread_state_current(void)
{
#if PY_VERSION_HEX >= 0x030D0000
    return PyThreadState_GetUnchecked();
#else
    return _PyThreadState_UncheckedGet();
#endif
}

/* The interpreter that the calling thread is in and may use objects of; NULL if it is in none. */
static inline PyInterpreterState *
interpreter_entered(void)
{
    PyThreadState *current = thread_state_current();

#if PY_VERSION_HEX < 0x030C0000 /* there it is that of whichever thread has the GIL */
    if (current && current->thread_id != PyThread_get_thread_ident())
        return NULL;
#endif
    return current ? PyThreadState_GetInterpreter(current) : NULL;
}

/* ---- what an object costs ---- */

/* The state of one of our own modules, quicker than by a call where all modules are laid out like this. */
static inline void *
module_state(PyObject *module)
{
#if PY_VERSION_HEX < 0x030F0000
    typedef struct {
        PyObject_HEAD
        PyObject *names;
        PyModuleDef *definition;
        void *state;
    } module_layout;

    return ((module_layout *)module)->state;
#else
    return PyModule_GetState(module);
#endif
}

/* A number that no other class has, nor this one once it or a base of it is changed; 0: none. */
static inline unsigned int
type_version(PyTypeObject *type)
{
#if PY_VERSION_HEX < 0x030C0000
    if (!PyType_HasFeature(type, Py_TPFLAGS_VALID_VERSION_TAG))
        return 0;
#endif
    return type->tp_version_tag;
}

/* The same, after it was given one, if that was possible. */
static inline unsigned int
type_version_new(PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyUnstable_Type_AssignVersionTag(type);
#else
    Py_XDECREF(PyObject_GetAttrString((PyObject *)type, "__module__")); /* a look into it gives it one */
#endif
    return type_version(type);
}

/* The value of an exact int of few digits; false, and no exception, for anything else. */
static inline bool
long_is_short(PyObject *object, Py_ssize_t *value)
{
    if (!PyLong_CheckExact(object))
        return false;
#if PY_VERSION_HEX >= 0x030C0000
    if (!PyUnstable_Long_IsCompact((PyLongObject *)object))
        return false;
    *value = PyUnstable_Long_CompactValue((PyLongObject *)object);
    return true;
#else
    *value = PyLong_AsSsize_t(object);
    if (*value != -1 || !PyErr_Occurred())
        return true;
    PyErr_Clear();
    return false;
#endif
}

/* An object that was kept when its last reference went, its type with it, has one again. */
static inline void
object_revive(PyObject *object)
{
#if defined(Py_REF_DEBUG) || defined(Py_TRACE_REFS)
    _Py_NewReference(object);
#else
    Py_SET_REFCNT(object, 1);
#endif
}

/* ---- temporaries ---- */

/* The interpreter's numbers of the binary operators, by the names of their slots; where they are not needed, any. */
enum {
#if PY_VERSION_HEX >= 0x030E0000
    OPERATOR_add = NB_ADD,
    OPERATOR_subtract = NB_SUBTRACT,
    OPERATOR_multiply = NB_MULTIPLY,
    OPERATOR_true_divide = NB_TRUE_DIVIDE,
    OPERATOR_floor_divide = NB_FLOOR_DIVIDE,
    OPERATOR_remainder = NB_REMAINDER,
#else
    OPERATOR_add,
    OPERATOR_subtract,
    OPERATOR_multiply,
    OPERATOR_true_divide,
    OPERATOR_floor_divide,
    OPERATOR_remainder,
#endif
    OPERATOR_none = 1 << 8, /* no instruction has it */
    OPERATOR_negative
};

/* True if the running Python function executes the operator `number`, and `object` is a value on its stack to which
 * nothing else refers: the operator throws it away, so that its memory may be written. A C function that calls us for
 * its own purposes is told apart, because the instruction is then its call. False where CPython does not say (before
 * 3.14). Not quick: for large objects. */
static inline bool
object_is_spent(PyObject *object, int number)
{
#if PY_VERSION_HEX >= 0x030E0000
    PyFrameObject *frame;
    PyCodeObject *code;
    PyObject *bytes;
    bool spent = false;
    int at;

    if (!PyUnstable_Object_IsUniqueReferencedTemporary(object))
        return false;
    frame = PyEval_GetFrame();
    if (!frame)
        return false;
    at = PyFrame_GetLasti(frame);
    code = PyFrame_GetCode(frame);
    bytes = PyCode_GetCode(code);
    Py_DECREF(code);
    if (bytes && at >= 0 && at + 1 < PyBytes_GET_SIZE(bytes)) {
        const unsigned char *instruction = (const unsigned char *)PyBytes_AS_STRING(bytes) + at;

        spent = number == OPERATOR_negative ? instruction[0] == UNARY_NEGATIVE
                                            : instruction[0] == BINARY_OP && instruction[1] == number;
    }
    if (!bytes)
        PyErr_Clear();
    Py_XDECREF(bytes);
    return spent;
#else
    (void)object;
    (void)number;
    return false;
#endif
}

/* ---- code objects ---- */

static inline Py_ssize_t
code_extra_request(freefunc release)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyUnstable_Eval_RequestCodeExtraIndex(release);
#else
    return _PyEval_RequestCodeExtraIndex(release);
#endif
}

static inline void *
code_extra_get(PyObject *code, Py_ssize_t index)
{
    void *extra = NULL;

#if PY_VERSION_HEX >= 0x030C0000
    (void)PyUnstable_Code_GetExtra(code, index, &extra);
#else
    (void)_PyCode_GetExtra(code, index, &extra);
#endif
    return extra;
}

static inline int
code_extra_set(PyObject *code, Py_ssize_t index, void *extra)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyUnstable_Code_SetExtra(code, index, extra);
#else
    return _PyCode_SetExtra(code, index, extra);
#endif
}

static inline Py_ssize_t
code_free_count(PyCodeObject *code)
{
#if PY_VERSION_HEX >= 0x030B0000
    return code->co_nfreevars;
#else
    return PyTuple_GET_SIZE(code->co_freevars);
#endif
}

static inline PyObject *
code_name_at(PyCodeObject *code, const char *list, Py_ssize_t index)
{
    PyObject *names = PyObject_GetAttrString((PyObject *)code, list), *name = NULL;

    if (names)
        name = PySequence_GetItem(names, index);
    Py_XDECREF(names);
    return name;
}

/* The name of a free variable; a new reference. */
static inline PyObject *
code_free_name(PyCodeObject *code, Py_ssize_t index)
{
    return code_name_at(code, "co_freevars", index);
}

/* The name of a positional parameter; a new reference. */
static inline PyObject *
code_parameter(PyCodeObject *code, Py_ssize_t index)
{
    return code_name_at(code, "co_varnames", index);
}

/* 3.13 without a GIL never frees a function whose code is not nested in another function's. Ours are made anew for
 * every behavior: the code says that it is nested. Takes over the reference and gives one to the same or a like code
 * object; NULL with an exception. */
static inline PyObject *
code_of_short_lived(PyObject *code)
{
#if !BOCMAT_GIL && PY_VERSION_HEX < 0x030E0000
    PyObject *replace = PyObject_GetAttrString(code, "replace"), *nested = NULL;
    PyObject *arguments = PyTuple_New(0);
    PyObject *names = Py_BuildValue("{si}", "co_flags", ((PyCodeObject *)code)->co_flags | CO_NESTED);

    if (replace && arguments && names)
        nested = PyObject_Call(replace, arguments, names);
    Py_XDECREF(replace);
    Py_XDECREF(arguments);
    Py_XDECREF(names);
    Py_DECREF(code);
    return nested;
#else
    return code;
#endif
}

/* ---- integers ---- */

/* The value of an exact int, quickly; false, without an exception, for large ones. */
static inline bool
long_short_value(PyObject *value, Py_ssize_t *to)
{
#if PY_VERSION_HEX >= 0x030C0000
    if (!PyUnstable_Long_IsCompact((PyLongObject *)value))
        return false;
    *to = PyUnstable_Long_CompactValue((PyLongObject *)value);
    return true;
#else
    *to = PyLong_AsSsize_t(value);
    if (*to != -1 || !PyErr_Occurred())
        return true;
    PyErr_Clear();
    return false;
#endif
}

/* ---- integers of any size, as two's complement bytes, least first ---- */

static inline PyObject *
long_to_bytes(PyObject *value, size_t length)
{
    PyObject *method = PyObject_GetAttrString(value, "to_bytes"), *bytes = NULL;
    PyObject *arguments = Py_BuildValue("(ns)", (Py_ssize_t)length, "little");
    PyObject *names = Py_BuildValue("{sO}", "signed", Py_True);

    if (method && arguments && names)
        bytes = PyObject_Call(method, arguments, names);
    Py_XDECREF(method);
    Py_XDECREF(arguments);
    Py_XDECREF(names);
    return bytes;
}

static inline PyObject *
long_from_bytes(const unsigned char *bytes, size_t length)
{
    PyObject *method = PyObject_GetAttrString((PyObject *)&PyLong_Type, "from_bytes"), *value = NULL;
    PyObject *arguments = Py_BuildValue("(y#s)", (const char *)bytes, (Py_ssize_t)length, "little");
    PyObject *names = Py_BuildValue("{sO}", "signed", Py_True);

    if (method && arguments && names)
        value = PyObject_Call(method, arguments, names);
    Py_XDECREF(method);
    Py_XDECREF(arguments);
    Py_XDECREF(names);
    return value;
}

#endif
