/* The Cown that Python sees: a handle on a runtime cown, and, while its program part holds that, the value. */
#ifndef BOCMAT_COWN_H
#define BOCMAT_COWN_H

#include "backend.h"
#include "payload.h"

typedef enum { HOLD_NONE, HOLD_WRITE, HOLD_READ } cown_hold;

typedef struct {
    PyObject_HEAD
    rt_cown *cown;
    PyObject *value;  /* what it holds, as an object here; NULL until touched */
    PyObject *before; /* what it held first, if that is nowhere else and another value was assigned; or NULL */
    PyObject *home;   /* the Matrix that was given to the cown through this handle, or NULL */
    uint64_t origin;  /* of `home`, or of the matrix in `value`: see value_matrix */
    cown_hold hold;
    bool changed;  /* `value` has to go back into the cown: it was assigned, or may have been changed inside */
    bool assigned; /* it is another object than the cown's */
    bool exception;
    bool acquired_by_hand; /* by `with` or acquire(): `pass` is the behavior that holds it */
    rt_behavior *pass;     /* NULL if it was acquired while no runtime ran */
    unsigned long thread;  /* that acquired it */
    uint32_t process;      /* cown_process when it was made */
} CownObject;

/* Counts forks: cowns of the parent are of no use in the child. */
extern uint32_t cown_process;

/* A new handle, not held. The runtime's cown is retained. */
PyObject *cown_wrap(core_state *state, rt_cown *cown);

/* A Cown, pinned or not. */
static inline bool
cown_check(const core_state *state, PyObject *object)
{
    return Py_IS_TYPE(object, state->cown_type) || Py_IS_TYPE(object, state->pinned_type);
}

/* Its value is an object of the main interpreter, the same for whoever holds it. */
static inline bool
cown_is_pinned(const rt_cown *cown)
{
    return rt_cown_host(cown) == &pinned_host;
}

static inline rt_cown *
cown_of(PyObject *object)
{
    return ((CownObject *)object)->cown;
}

/* The cown that a pickle of this process names, borrowed; NULL if there is none. */
rt_cown *cown_pickled(long long process, unsigned long long number);

/* Gives the value back to the cown and stops holding. What cannot be encoded becomes an exception in the cown. Never
 * fails. */
void cown_let_go(core_state *state, CownObject *self);

/* The method, and its docstring. */
PyObject *cown_cancel(PyObject *object, PyObject *ignored);
extern const char cown_cancel_doc[];

/* Keeps a cown for its pickles; false for want of memory. */
bool cown_keep_pickled(rt_cown *cown);

/* A handle without a cown yet. */
CownObject *cown_alloc(PyTypeObject *type);
/* Makes `value` of what the held cown has: 0, or -1 with an exception. */
int cown_fetch(core_state *state, CownObject *self);
/* The handle through which the calling program part holds this cown (for writing), borrowed; NULL with RuntimeError. */
CownObject *cown_holder(core_state *state, CownObject *self);
CownObject *cown_writer(core_state *state, CownObject *self);
/* The main program's table of what it holds. */
int held_put(core_state *state, CownObject *self);
CownObject *held_get(core_state *state, const rt_cown *cown);
void held_remove(core_state *state, const rt_cown *cown);

/* A runtime has just been started, and nothing is scheduled yet: what is held by hand is held there too. */
void held_join(core_state *state, rt_runtime *runtime);
/* The cown of which the calling thread's hold keeps a runtime from being done, or NULL. */
rt_cown *held_here(core_state *state);

/* The main program between wait() and the next behavior: everything it looked at goes back. */
void cown_let_go_all(core_state *state);

#endif
