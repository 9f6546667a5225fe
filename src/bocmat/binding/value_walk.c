/* Is there a matrix anywhere in a value? On the threads backend, where nothing is encoded otherwise. */
#include "payload.h"

#include "cown.h"

enum {
    WALK_MOST = 1 << 16, /* objects looked at; whoever hides a matrix behind more is on their own */
    SEEN_FEW = 64        /* places that need no allocation; a power of two */
};

typedef struct {
    core_state *state;
    PyObject **stack;
    size_t count, size;
    PyObject **seen; /* open addressing by address */
    size_t seen_count, seen_size;
    PyObject *few[SEEN_FEW];
    bool found, failed;
} matrix_walk;

static int
walk_visit(PyObject *object, void *argument)
{
    matrix_walk *walk = argument;

    if (matrix_check(walk->state, object) || Py_IS_TYPE(object, walk->state->matrix_view_type)) {
        walk->found = true;
        return 1;
    }
    /* What cannot hold a matrix of the value's own, or is shared by all. */
    if (!PyObject_IS_GC(object) || PyType_Check(object) || PyModule_Check(object) || PyFunction_Check(object) ||
        PyCFunction_Check(object) || cown_check(walk->state, object))
        return 0;
    if (walk->count == walk->size) {
        size_t size = walk->size ? walk->size * 2 : 64;
        PyObject **stack = PyMem_Realloc(walk->stack, size * sizeof *stack);

        if (!stack) {
            walk->failed = true;
            return 1;
        }
        walk->stack = stack;
        walk->size = size;
    }
    walk->stack[walk->count++] = object;
    return 0;
}

static PyObject **
seen_place(PyObject **seen, size_t size, PyObject *object)
{
    size_t at = (size_t)(((uintptr_t)object >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (size - 1);

    while (seen[at] && seen[at] != object)
        at = (at + 1) & (size - 1);
    return &seen[at];
}

static bool
seen_grow(matrix_walk *walk)
{
    size_t size = walk->seen_size * 4;
    PyObject **seen = PyMem_Calloc(size, sizeof *seen);

    if (!seen)
        return false;
    for (size_t i = 0; i < walk->seen_size; i++) {
        if (walk->seen[i])
            *seen_place(seen, size, walk->seen[i]) = walk->seen[i];
    }
    if (walk->seen != walk->few)
        PyMem_Free(walk->seen);
    walk->seen = seen;
    walk->seen_size = size;
    return true;
}

/* Whether this object was there before; it counts as seen from now on. */
static bool
walk_seen(matrix_walk *walk, PyObject *object)
{
    PyObject **place = seen_place(walk->seen, walk->seen_size, object);

    if (*place)
        return true;
    *place = object;
    walk->seen_count++;
    if (walk->seen_count * 2 > walk->seen_size && !seen_grow(walk))
        walk->failed = true;
    return false;
}

/* Borrowed references all the way: nothing runs that could change the objects. */
bool
value_has_matrix(core_state *state, PyObject *object)
{
    matrix_walk walk = {.state = state, .seen_size = SEEN_FEW};

    walk.seen = walk.few;
    walk_visit(object, &walk);
    while (!walk.found && !walk.failed && walk.count && walk.seen_count < WALK_MOST) {
        PyObject *next = walk.stack[--walk.count];
        traverseproc traverse = Py_TYPE(next)->tp_traverse;

        if (traverse && !walk_seen(&walk, next))
            traverse(next, walk_visit, &walk);
    }
    if (walk.seen != walk.few)
        PyMem_Free(walk.seen);
    PyMem_Free(walk.stack);
    return walk.found;
}
