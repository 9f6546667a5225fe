/* CPython's cross-interpreter data: how an object is told to cross to another interpreter without being pickled.
 *
 * There is no public interface to it. What is declared here is the one that the interpreters themselves use, as it is
 * exported since 3.12; the names and the way to register changed in 3.14. The symbols are weak: where an interpreter
 * has none, or a newer one may have changed them, nothing is registered and a Matrix crosses as a pickle does. */
#ifndef BOCMAT_CROSSING_H
#define BOCMAT_CROSSING_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "pycompat.h"

#define BOCMAT_HAVE_CROSSING (PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x03100000)

typedef struct crossing_data {
    void *shared;
    PyObject *object;
    int64_t interpreter;
    PyObject *(*arrive)(struct crossing_data *data); /* in the interpreter that receives it */
    void (*release)(void *shared);                   /* in the one that sent it */
} crossing_data;

typedef int (*crossing_depart)(PyThreadState *thread, PyObject *object, crossing_data *data);

#if BOCMAT_HAVE_CROSSING
#if PY_VERSION_HEX >= 0x030E0000

typedef struct {
    crossing_depart basic;
    void *fallback;
} crossing_departures;

extern int _PyXIData_RegisterClass(PyThreadState *thread, PyTypeObject *type, crossing_departures departures)
    __attribute__((weak));
extern void _PyXIData_Init(crossing_data *data, PyInterpreterState *interpreter, void *shared, PyObject *object,
                           PyObject *(*arrive)(crossing_data *)) __attribute__((weak));

static inline int
crossing_register(PyTypeObject *type, crossing_depart depart)
{
    if (!_PyXIData_RegisterClass || !_PyXIData_Init)
        return 0;
    return _PyXIData_RegisterClass(PyThreadState_Get(), type, (crossing_departures){depart, NULL});
}

#define CROSSING_INIT _PyXIData_Init

#else

#if PY_VERSION_HEX < 0x030D0000 /* the public headers declare them, with types of their own */
#define crossing_register_class(type, depart) \
    _PyCrossInterpreterData_RegisterClass(type, (crossinterpdatafunc)(void (*)(void))(depart))
#define CROSSING_INIT(data, interpreter, shared, object, arrive)                                         \
    _PyCrossInterpreterData_Init((_PyCrossInterpreterData *)(void *)(data), interpreter, shared, object, \
                                 (xid_newobjectfunc)(void (*)(void))(arrive))
#else
extern int _PyCrossInterpreterData_RegisterClass(PyTypeObject *type, crossing_depart depart) __attribute__((weak));
extern void _PyCrossInterpreterData_Init(crossing_data *data, PyInterpreterState *interpreter, void *shared,
                                         PyObject *object, PyObject *(*arrive)(crossing_data *)) __attribute__((weak));
#define crossing_register_class _PyCrossInterpreterData_RegisterClass
#define CROSSING_INIT           _PyCrossInterpreterData_Init
#endif

static inline int
crossing_register(PyTypeObject *type, crossing_depart depart)
{
#if PY_VERSION_HEX >= 0x030D0000
    if (!_PyCrossInterpreterData_RegisterClass || !_PyCrossInterpreterData_Init)
        return 0;
#endif
    return crossing_register_class(type, depart);
}

#endif

/* Fills `data`, which keeps `object` until it is released. */
static inline void
crossing_fill(crossing_data *data, void *shared, PyObject *object, PyObject *(*arrive)(crossing_data *),
              void (*release)(void *))
{
    CROSSING_INIT(data, PyInterpreterState_Get(), shared, object, arrive);
    data->release = release;
}

#endif
#endif
