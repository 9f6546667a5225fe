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
#include "matrix_borrow.h"

#include <stdlib.h>
#include <string.h>

#include "matrix_dlpack.h"

typedef struct {
    void *data;
    struct {
        int32_t type, number;
    } device;
    int32_t ndim;
    struct {
        uint8_t code, bits;
        uint16_t lanes;
    } dtype;
    int64_t *shape;
    int64_t *strides; /* in elements; NULL: one after the other, row by row */
    uint64_t byte_offset;
} dl_tensor;

typedef struct dl_managed {
    dl_tensor tensor;
    void *context;
    void (*deleter)(struct dl_managed *self);
} dl_managed;

typedef struct dl_versioned {
    struct {
        uint32_t major, minor;
    } version;
    void *context;
    void (*deleter)(struct dl_versioned *self);
    uint64_t flags;
    dl_tensor tensor;
} dl_versioned;

enum { DL_PROCESSOR = 1, DL_INT = 0, DL_UINT = 1, DL_FLOAT = 2, DL_BOOL = 6 };
enum { DL_READ_ONLY = 1, DL_COPIED = 2, DL_MAJOR = 1, DL_MINOR = 0 };

static const char PLAIN[] = "dltensor", VERSIONED[] = "dltensor_versioned";
static const char USED_PLAIN[] = "used_dltensor", USED_VERSIONED[] = "used_dltensor_versioned";

/* ---- out: a tensor over a matrix ---- */

typedef struct tensor_export {
    union {
        dl_managed plain;
        dl_versioned versioned;
    } managed;
    int64_t shape[2], strides[2];
    Py_buffer view; /* keeps the matrix and counts as an export of it */
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

    PyBuffer_Release(&made->view);
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
tensor_describe(dl_tensor *tensor, tensor_export *made)
{
    for (int i = 0; i < 2; i++) {
        made->shape[i] = made->view.shape[i];
        made->strides[i] = made->view.strides[i] / (Py_ssize_t)sizeof(double);
    }
    *tensor = (dl_tensor){
        .data = made->view.buf,
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
    tensor_export *made = malloc(sizeof *made);
    PyObject *capsule = NULL;

    if (!made)
        return PyErr_NoMemory();
    if (PyObject_GetBuffer(source, &made->view, PyBUF_STRIDES) < 0) {
        free(made);
        return NULL;
    }
    made->interpreter = PyInterpreterState_Get();
    made->list = state->tensors;
    atomic_fetch_add_explicit(&made->list->holders, 1, memory_order_relaxed);
    if (made->view.readonly && !versioned) {
        PyErr_SetString(PyExc_BufferError, "the matrix is read-only, which DLPack before version 1.0 cannot say; ask "
                                           "for max_version=(1, 0) or for a copy");
    } else if (versioned) {
        dl_versioned *managed = &made->managed.versioned;

        managed->version.major = DL_MAJOR;
        managed->version.minor = DL_MINOR;
        managed->context = made;
        managed->deleter = versioned_delete;
        managed->flags = flags | (made->view.readonly ? DL_READ_ONLY : 0);
        tensor_describe(&managed->tensor, made);
        capsule = PyCapsule_New(managed, VERSIONED, capsule_destroy);
    } else {
        made->managed.plain = (dl_managed){.context = made, .deleter = plain_delete};
        tensor_describe(&made->managed.plain.tensor, made);
        capsule = PyCapsule_New(&made->managed.plain, PLAIN, capsule_destroy);
    }
    if (!capsule)
        export_free(made);
    return capsule;
}

/* Two ints, as a version or a device is given; false with TypeError. */
static bool
two_numbers(PyObject *value, const char *what, Py_ssize_t numbers[2])
{
    if (!PyTuple_Check(value) || PyTuple_GET_SIZE(value) != 2) {
        PyErr_Format(PyExc_TypeError, "%s must be None or a tuple of two ints, not %R", what, value);
        return false;
    }
    for (int i = 0; i < 2; i++) {
        numbers[i] = PyNumber_AsSsize_t(PyTuple_GET_ITEM(value, i), NULL); /* devices are enumerations, perhaps */
        if (numbers[i] == -1 && PyErr_Occurred())
            return false;
    }
    return true;
}

static bool
is_given(PyObject *value)
{
    return value && value != Py_None;
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
        (is_given(given[1]) && !two_numbers(given[1], "max_version", version)) ||
        (is_given(given[2]) && !two_numbers(given[2], "dl_device", device)))
        return NULL;
    if (is_given(given[0])) {
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

/* ---- in: a matrix of a tensor ---- */

int
tensors_prepare(core_state *state)
{
    return (state->dlpack.ask = PyUnicode_InternFromString("__dlpack__")) &&
                   (state->dlpack.device = PyUnicode_InternFromString("__dlpack_device__")) &&
                   (state->dlpack.version = Py_BuildValue("(ii)", DL_MAJOR, DL_MINOR)) &&
                   (state->dlpack.by_version = Py_BuildValue("(s)", "max_version")) &&
                   (state->dlpack.by_version_and_copy = Py_BuildValue("(ss)", "max_version", "copy"))
               ? 0
               : -1;
}

void
tensors_forget(core_state *state)
{
    Py_CLEAR(state->dlpack.ask);
    Py_CLEAR(state->dlpack.device);
    Py_CLEAR(state->dlpack.version);
    Py_CLEAR(state->dlpack.by_version);
    Py_CLEAR(state->dlpack.by_version_and_copy);
}

/* With an AttributeError set: true, and the error gone, if it says that `source` has no such method. */
static bool
is_missing(PyObject *source, PyObject *name)
{
    PyObject *error = error_take(), *method = PyObject_GetAttr(source, name);

    if (method) {
        Py_DECREF(method);
        error_put(error);
        return false;
    }
    PyErr_Clear();
    Py_DECREF(error);
    return true;
}

/* The capsule that source.__dlpack__() gives. */
static PyObject *
capsule_ask(core_state *state, PyObject *source, PyObject *copy)
{
    PyObject *given[4] = {NULL, source, state->dlpack.version, copy}; /* and room for a bound method's self */
    const size_t one = 1 | PY_VECTORCALL_ARGUMENTS_OFFSET;
    PyObject *names = is_given(copy) ? state->dlpack.by_version_and_copy : state->dlpack.by_version;
    PyObject *capsule = PyObject_VectorcallMethod(state->dlpack.ask, given + 1, one, names);

    if (!capsule && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear(); /* from before there were versions */
        capsule = PyObject_VectorcallMethod(state->dlpack.ask, given + 1, one, NULL);
    }
    if (!capsule && PyErr_ExceptionMatches(PyExc_AttributeError) && is_missing(source, state->dlpack.ask))
        PyErr_Format(PyExc_TypeError, "from_dlpack() takes an object with __dlpack__, not %s",
                     Py_TYPE(source)->tp_name);
    return capsule;
}

/* False with BufferError if the source says that it is on another device. */
static bool
on_processor(core_state *state, PyObject *source)
{
    PyObject *answer = PyObject_VectorcallMethod(state->dlpack.device, &source, 1, NULL);
    Py_ssize_t device[2];
    bool fine;

    if (!answer && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear(); /* the tensor will tell */
        return true;
    }
    if (!answer)
        return false;
    fine = two_numbers(answer, "__dlpack_device__()", device);
    Py_DECREF(answer);
    if (fine && device[0] != DL_PROCESSOR) {
        PyErr_Format(PyExc_BufferError, "the tensor is on the device (%zd, %zd), not in the processor's memory",
                     device[0], device[1]);
        return false;
    }
    return fine;
}

/* A tensor that came in a capsule. */
typedef struct {
    PyObject *capsule;
    void *managed;
    const dl_tensor *tensor;
    bool versioned, read_only;
    number_format format;
    Py_ssize_t shape[2], strides[2]; /* strides in bytes */
    const char *at;
} tensor_import;

static bool
capsule_open(PyObject *capsule, tensor_import *taken)
{
    taken->capsule = capsule;
    if (PyCapsule_IsValid(capsule, VERSIONED)) {
        const dl_versioned *managed = taken->managed = PyCapsule_GetPointer(capsule, VERSIONED);

        if (managed->version.major > DL_MAJOR) {
            PyErr_Format(PyExc_BufferError, "the tensor is of DLPack %u.%u, a matrix takes up to 1.x",
                         (unsigned int)managed->version.major, (unsigned int)managed->version.minor);
            return false;
        }
        taken->versioned = true;
        taken->read_only = managed->flags & DL_READ_ONLY;
        taken->tensor = &managed->tensor;
        return true;
    }
    if (PyCapsule_IsValid(capsule, PLAIN)) {
        taken->managed = PyCapsule_GetPointer(capsule, PLAIN);
        taken->versioned = false;
        taken->read_only = true; /* nobody said that it may be written */
        taken->tensor = &((dl_managed *)taken->managed)->tensor;
        return true;
    }
    if (PyCapsule_CheckExact(capsule))
        PyErr_Format(PyExc_ValueError, "a capsule named %s holds no tensor that could be taken",
                     PyCapsule_GetName(capsule) ? PyCapsule_GetName(capsule) : "nothing");
    else
        PyErr_Format(PyExc_TypeError, "__dlpack__() gave a %s, not a capsule", Py_TYPE(capsule)->tp_name);
    return false;
}

/* Kind, shape and strides; false with TypeError, ValueError or BufferError for what makes no matrix. */
static bool
tensor_read(tensor_import *taken)
{
    const dl_tensor *tensor = taken->tensor;
    int code = tensor->dtype.code, from = 2 - tensor->ndim;
    Py_ssize_t width = tensor->dtype.bits / 8;

    if (tensor->device.type != DL_PROCESSOR) {
        PyErr_Format(PyExc_BufferError, "the tensor is on the device (%d, %d), not in the processor's memory",
                     (int)tensor->device.type, (int)tensor->device.number);
        return false;
    }
    if (tensor->ndim < 0 || tensor->ndim > 2) {
        PyErr_Format(PyExc_ValueError, "a matrix has two dimensions, the tensor has %d", (int)tensor->ndim);
        return false;
    }
    taken->format.kind = code == DL_INT     ? 'i'
                         : code == DL_UINT  ? 'u'
                         : code == DL_FLOAT ? 'f'
                         : code == DL_BOOL  ? 'b'
                                            : '\0';
    taken->format.width = (size_t)width;
    if (tensor->dtype.lanes != 1 || tensor->dtype.bits % 8 || !number_format_known(taken->format)) {
        PyErr_Format(PyExc_TypeError,
                     "a matrix is made of real numbers, not of DLPack's type code %d with %d bits and %d lanes", code,
                     (int)tensor->dtype.bits, (int)tensor->dtype.lanes);
        return false;
    }
    taken->shape[0] = taken->shape[1] = 1;
    for (int i = 0; i < tensor->ndim; i++)
        taken->shape[from + i] = (Py_ssize_t)tensor->shape[i];
    if (!matrix_shape_fits(taken->shape[0], taken->shape[1]))
        return false;
    taken->strides[1] = width;
    taken->strides[0] = taken->shape[1] * width;
    for (int i = 0; tensor->strides && i < tensor->ndim; i++)
        taken->strides[from + i] = (Py_ssize_t)tensor->strides[i] * width;
    taken->at = (const char *)tensor->data + tensor->byte_offset;
    return true;
}

/* ---- what is borrowed: a capsule of our own that deletes the tensor ---- */

static const char BORROWED_PLAIN[] = "bocmat.tensor", BORROWED_VERSIONED[] = "bocmat.tensor_versioned";

static void
tensor_delete(void *managed, bool versioned)
{
    if (versioned && ((dl_versioned *)managed)->deleter)
        ((dl_versioned *)managed)->deleter(managed);
    else if (!versioned && ((dl_managed *)managed)->deleter)
        ((dl_managed *)managed)->deleter(managed);
}

static void
borrowed_destroy(PyObject *capsule)
{
    const char *name = PyCapsule_GetName(capsule);

    tensor_delete(PyCapsule_GetPointer(capsule, name), name == BORROWED_VERSIONED);
}

/* From here on the tensor is ours to delete. */
static int
tensor_consume(const tensor_import *taken)
{
    return PyCapsule_SetName(taken->capsule, taken->versioned ? USED_VERSIONED : USED_PLAIN);
}

static PyObject *
tensor_borrow(core_state *state, tensor_import *taken)
{
    PyObject *owner, *result;
    Py_buffer *view;

    owner = PyCapsule_New(taken->managed, taken->versioned ? BORROWED_VERSIONED : BORROWED_PLAIN, NULL);
    if (!owner)
        return NULL;
    view = PyMem_Malloc(sizeof *view);
    if (!view || tensor_consume(taken) < 0 || PyCapsule_SetDestructor(owner, borrowed_destroy) < 0) {
        PyMem_Free(view);
        Py_DECREF(owner);
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    }
    *view = (Py_buffer){
        .obj = owner,
        .buf = (void *)(uintptr_t)taken->at,
        .len = taken->shape[0] * taken->shape[1] * (Py_ssize_t)sizeof(double),
        .readonly = taken->read_only,
    };
    result = matrix_over(state, view, taken->shape);
    if (!result) {
        PyBuffer_Release(view);
        PyMem_Free(view);
    }
    return result;
}

static PyObject *
tensor_convert(core_state *state, tensor_import *taken)
{
    PyObject *result = matrix_of_numbers(state, taken->format, taken->at, taken->shape, taken->strides);

    if (result && tensor_consume(taken) < 0)
        Py_CLEAR(result);
    if (result)
        tensor_delete(taken->managed, taken->versioned);
    return result;
}

PyObject *
matrix_from_dlpack(METHOD_ARGS)
{
    static const args_spec spec = {"from_dlpack", 1, 1, {"", "device", "copy", NULL}};
    core_state *state = state_of_type((PyTypeObject *)self);
    PyObject *given[3], *capsule, *result = NULL;
    tensor_import taken = {0};
    bool copy, share;

    if (!args_take(&spec, args, count, keywords, given) || !args_flag(given[2], &copy))
        return NULL;
    if (is_given(given[1]) && (!PyUnicode_Check(given[1]) || PyUnicode_CompareWithASCIIString(given[1], "cpu") != 0)) {
        PyErr_Format(PyExc_ValueError, "a matrix can only be on the device 'cpu', not on %R", given[1]);
        return NULL;
    }
    if (PyCapsule_CheckExact(given[0]))
        capsule = Py_NewRef(given[0]);
    else
        capsule = on_processor(state, given[0]) ? capsule_ask(state, given[0], given[2]) : NULL;
    if (!capsule)
        return NULL;
    if (!capsule_open(capsule, &taken) || !tensor_read(&taken))
        goto done;
    share = array_can_share(taken.format, taken.at, taken.shape, taken.strides) && !copy;
    if (share)
        result = tensor_borrow(state, &taken);
    else if (is_given(given[2]) && !copy && taken.shape[0] && taken.shape[1])
        PyErr_SetString(PyExc_BufferError, "a tensor that is not of doubles row by row cannot do without a copy");
    else
        result = tensor_convert(state, &taken);
done:
    Py_DECREF(capsule);
    return result;
}
