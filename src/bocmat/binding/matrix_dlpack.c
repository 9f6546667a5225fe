/* DLPack, both ways: tensors of other libraries in the processor's memory.
 *
 * The structures are those of DLPack's C interface, versions 0.x (unversioned) and 1.x. A tensor travels in a capsule
 * whose name says which of the two it is and whether it was consumed:
 *
 *   name of the capsule          the tensor belongs to
 *   dltensor, dltensor_versioned the capsule; its destructor deletes it
 *   used_...                     the consumer, who calls the deleter when it is done
 *
 * Consumers may call our deleter from any thread, with or without Python. What it has to let go is a Python object, so
 * where the calling thread is not in the interpreter that made the tensor, it leaves the tensor in that interpreter's
 * list, which is emptied the next time it matters: when a matrix is asked whether it is in use, when another tensor is
 * made, and in the main interpreter by a pending call. A tensor must not be used after its interpreter has ended.
 */
#include "matrix_tensor.h"
#include "matrix_lock.h"

#include <stdlib.h>
#include <string.h>

#include "matrix_dlpack.h"

static const char PLAIN[] = DL_PLAIN, VERSIONED[] = DL_VERSIONED;

/* ---- out: a tensor over a matrix ---- */

typedef struct tensor_export {
    union {
        dl_managed plain;
        dl_versioned versioned;
    } managed;
    int64_t shape[2], strides[2];
    PyObject *source; /* kept, and counted as an export */
    PyInterpreterState *interpreter;
    tensor_list *list;
    struct tensor_export *next;
} tensor_export;

/* Tensors that were deleted where their matrix could not be let go. */
struct tensor_list {
    atomic_size_t holders; /* the interpreter's module, and every tensor it made */
    _Atomic(tensor_export *) late;
    atomic_bool closed; /* the interpreter is gone, and with it the matrices */
};

tensor_list *
tensors_open(void)
{
    tensor_list *list = malloc(sizeof *list);

    if (!list) {
        PyErr_NoMemory();
        return NULL;
    }
    atomic_init(&list->holders, 1);
    atomic_init(&list->late, NULL);
    atomic_init(&list->closed, false);
    return list;
}

static void
list_drop(tensor_list *list)
{
    if (atomic_fetch_sub_explicit(&list->holders, 1, memory_order_acq_rel) == 1)
        free(list);
}

static void
export_free(tensor_export *made)
{
    tensor_list *list = made->list;

    exports_drop(matrix_behind(made->source), 1);
    Py_DECREF(made->source);
    free(made);
    list_drop(list);
}

void
tensors_collect(tensor_list *list)
{
    tensor_export *late;

    if (!list || !atomic_load_explicit(&list->late, memory_order_relaxed))
        return;
    late = atomic_exchange_explicit(&list->late, NULL, memory_order_acquire);
    while (late) {
        tensor_export *next = late->next;

        export_free(late);
        late = next;
    }
}

void
tensors_close(tensor_list *list)
{
    if (!list)
        return;
    tensors_collect(list);
    atomic_store_explicit(&list->closed, true, memory_order_release);
    list_drop(list);
}

static int
collect_pending(void *list)
{
    if (!atomic_load_explicit(&((tensor_list *)list)->closed, memory_order_acquire))
        tensors_collect(list);
    list_drop(list);
    return 0;
}

/* From any thread. */
static void
export_delete(tensor_export *made)
{
    tensor_list *list = made->list;
    tensor_export *first;
    bool is_main;

    if (interpreter_entered() == made->interpreter) {
        export_free(made);
        return;
    }
    if (atomic_load_explicit(&list->closed, memory_order_acquire)) {
        free(made);
        list_drop(list);
        return;
    }
    is_main = made->interpreter == PyInterpreterState_Main();
    if (is_main)
        atomic_fetch_add_explicit(&list->holders, 1, memory_order_relaxed);
    first = atomic_load_explicit(&list->late, memory_order_relaxed);
    do
        made->next = first;
    while (
        !atomic_compare_exchange_weak_explicit(&list->late, &first, made, memory_order_release, memory_order_relaxed));
    if (is_main && Py_AddPendingCall(collect_pending, list) < 0)
        list_drop(list); /* the next who looks collects it */
}

static void
plain_delete(dl_managed *managed)
{
    export_delete(managed->context);
}

static void
versioned_delete(dl_versioned *managed)
{
    export_delete(managed->context);
}

/* The name as we wrote it is known by its address. */
static bool
is_named(const char *name, const char *word)
{
    return name == word || (name && !strcmp(name, word));
}

/* A capsule goes: its tensor too, unless somebody consumed it. */
static void
capsule_destroy(PyObject *capsule)
{
    const char *name = PyCapsule_GetName(capsule);

    if (is_named(name, PLAIN)) {
        dl_managed *managed = PyCapsule_GetPointer(capsule, name);

        if (managed->deleter)
            managed->deleter(managed);
    } else if (is_named(name, VERSIONED)) {
        dl_versioned *managed = PyCapsule_GetPointer(capsule, name);

        if (managed->deleter)
            managed->deleter(managed);
    }
}

static void
tensor_describe(dl_tensor *tensor, tensor_export *made, const matrix_operand *from)
{
    made->shape[0] = from->rows;
    made->shape[1] = from->columns;
    made->strides[0] = from->window.row_stride;
    made->strides[1] = from->window.column_stride;
    *tensor = (dl_tensor){
        .data = from->window.at,
        .device = {DL_PROCESSOR, 0},
        .ndim = 2,
        .dtype = {DL_FLOAT, 64, 1},
        .shape = made->shape,
        .strides = made->strides,
    };
}

static PyObject *
tensor_capsule(core_state *state, PyObject *source, bool versioned, uint64_t flags)
{
    matrix_operand from = {.source = source};
    PyObject *capsule = NULL;
    tensor_export *made;
    bool read_only;

    if (!matrix_export_settle(&from, &read_only))
        return NULL;
    made = malloc(sizeof *made);
    if (!made)
        return PyErr_NoMemory();
    made->source = Py_NewRef(source);
    exports_add(matrix_behind(source), 1);
    made->interpreter = PyInterpreterState_Get();
    made->list = state->tensors;
    atomic_fetch_add_explicit(&made->list->holders, 1, memory_order_relaxed);
    if (read_only && !versioned) {
        PyErr_SetString(PyExc_BufferError, "the matrix is read-only, which DLPack before version 1.0 cannot say; ask "
                                           "for max_version=(1, 0) or for a copy");
    } else if (versioned) {
        dl_versioned *managed = &made->managed.versioned;

        managed->version.major = DL_MAJOR;
        managed->version.minor = DL_MINOR;
        managed->context = made;
        managed->deleter = versioned_delete;
        managed->flags = flags | (read_only ? DL_READ_ONLY : 0);
        tensor_describe(&managed->tensor, made, &from);
        capsule = PyCapsule_New(managed, VERSIONED, capsule_destroy);
    } else {
        made->managed.plain = (dl_managed){.context = made, .deleter = plain_delete};
        tensor_describe(&made->managed.plain.tensor, made, &from);
        capsule = PyCapsule_New(&made->managed.plain, PLAIN, capsule_destroy);
    }
    if (!capsule)
        export_free(made);
    return capsule;
}

bool
tensor_two_numbers(PyObject *value, const char *what, Py_ssize_t numbers[2])
{
    if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != 2) {
        PyErr_Format(PyExc_TypeError, "%s must be None or a tuple of two ints, not %R", what, value);
        return false;
    }
    for (int i = 0; i < 2; i++) {
        PyObject *item = PyTuple_GET_ITEM(value, i);

        if (PyLong_CheckExact(item) && long_short_value(item, numbers + i))
            continue;
        numbers[i] = PyNumber_AsSsize_t(item, NULL); /* devices are enumerations, perhaps */
        if (numbers[i] == -1 && PyErr_Occurred())
            return false;
    }
    return true;
}

PyObject *
matrix_dlpack(METHOD_ARGS)
{
    static const args_spec spec = {"__dlpack__", 0, 0, {"stream", "max_version", "dl_device", "copy", NULL}};
    Py_ssize_t version[2] = {0, 0}, device[2] = {DL_PROCESSOR, 0};
    PyObject *given[4], *copied, *capsule;
    matrix_operand from = {.source = self};
    core_state *state = state_of(self);
    bool copy;

    if (!args_take(&spec, args, count, keywords, given) || !args_flag(given[3], &copy) ||
        (tensor_is_given(given[1]) && !tensor_two_numbers(given[1], "max_version", version)) ||
        (tensor_is_given(given[2]) && !tensor_two_numbers(given[2], "dl_device", device)))
        return NULL;
    if (tensor_is_given(given[0])) {
        PyErr_SetString(PyExc_RuntimeError, "a matrix is in the processor's memory, where stream must be None");
        return NULL;
    }
    if (device[0] != DL_PROCESSOR || device[1] != 0) {
        PyErr_Format(PyExc_BufferError, "a matrix is on the device (1, 0), not on (%zd, %zd)", device[0], device[1]);
        return NULL;
    }
    tensors_collect(state->tensors);
    if (!copy)
        return tensor_capsule(state, self, version[0] >= DL_MAJOR, 0);
    if (!operand_settle(&from))
        return NULL;
    copied = matrix_copy_window(state, from.window, from.rows, from.columns);
    if (!copied)
        return NULL;
    capsule = tensor_capsule(state, copied, version[0] >= DL_MAJOR, DL_COPIED);
    Py_DECREF(copied);
    return capsule;
}

PyObject *
matrix_dlpack_device(METHOD_ARGS)
{
    static const args_spec spec = {"__dlpack_device__", 0, 0, {NULL}};

    (void)self;
    return args_take(&spec, args, count, keywords, NULL) ? Py_BuildValue("(ii)", DL_PROCESSOR, 0) : NULL;
}
