/* DLPack, in: matrices of other libraries' tensors. What becomes of them stands in matrix_dlpack.c. */
#include "matrix_tensor.h"

#include "matrix_dlpack.h"

static const char PLAIN[] = DL_PLAIN, VERSIONED[] = DL_VERSIONED;
static const char USED_PLAIN[] = "used_dltensor", USED_VERSIONED[] = "used_dltensor_versioned";

/* ---- asking ---- */

int
tensors_prepare(core_state *state)
{
    return (state->dlpack.ask = PyUnicode_InternFromString("__dlpack__")) &&
                   (state->dlpack.device = PyUnicode_InternFromString("__dlpack_device__")) &&
                   (state->dlpack.version = Py_BuildValue("(ii)", DL_MAJOR, DL_MINOR)) &&
                   (state->dlpack.by_version = Py_BuildValue("(N)", PyUnicode_InternFromString("max_version"))) &&
                   (state->dlpack.by_version_and_copy = Py_BuildValue("(NN)", PyUnicode_InternFromString("max_version"),
                                                                      PyUnicode_InternFromString("copy")))
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

/* False with BufferError if the source says that it is on another device. */
static bool
on_processor(core_state *state, PyObject *source)
{
    PyObject *answer = PyObject_VectorcallMethod(state->dlpack.device, &source, 1, NULL);
    Py_ssize_t device[2];
    bool fine;

    if (!answer && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        return true;
    }
    if (!answer)
        return false;
    fine = tensor_two_numbers(answer, "__dlpack_device__()", device);
    Py_DECREF(answer);
    if (fine && device[0] != DL_PROCESSOR) {
        PyErr_Format(PyExc_BufferError, "the tensor is on the device (%zd, %zd), not in the processor's memory",
                     device[0], device[1]);
        return false;
    }
    return fine;
}

/* With the error set that __dlpack__() raised: where the tensor is elsewhere, that is the better reason. */
static void
say_where(core_state *state, PyObject *source)
{
    PyObject *error = error_take();

    if (!on_processor(state, source) && PyErr_ExceptionMatches(PyExc_BufferError)) {
        Py_DECREF(error);
        return;
    }
    PyErr_Clear();
    error_put(error);
}

/* The capsule that source.__dlpack__() gives; the tensor in it tells its device. */
static PyObject *
capsule_ask(core_state *state, PyObject *source, PyObject *copy)
{
    PyObject *given[4] = {NULL, source, state->dlpack.version, copy}; /* and room for a bound method's self */
    const size_t one = 1 | PY_VECTORCALL_ARGUMENTS_OFFSET;
    PyObject *names = tensor_is_given(copy) ? state->dlpack.by_version_and_copy : state->dlpack.by_version;
    PyObject *capsule = PyObject_VectorcallMethod(state->dlpack.ask, given + 1, one, names);

    if (!capsule && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear(); /* from before there were versions */
        capsule = PyObject_VectorcallMethod(state->dlpack.ask, given + 1, one, NULL);
    }
    if (!capsule && PyErr_ExceptionMatches(PyExc_AttributeError) && is_missing(source, state->dlpack.ask))
        PyErr_Format(PyExc_TypeError, "from_dlpack() takes an object with __dlpack__, not %s",
                     Py_TYPE(source)->tp_name);
    else if (!capsule)
        say_where(state, source);
    return capsule;
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

/* ---- what becomes of it ---- */

static void
plain_delete(void *managed)
{
    if (((dl_managed *)managed)->deleter)
        ((dl_managed *)managed)->deleter(managed);
}

static void
versioned_delete(void *managed)
{
    if (((dl_versioned *)managed)->deleter)
        ((dl_versioned *)managed)->deleter(managed);
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
    matrix_buffer *buffer = buffer_new_borrowed();

    if (!buffer)
        return PyErr_NoMemory();
    if (tensor_consume(taken) < 0) {
        buffer_drop(buffer);
        return NULL;
    }
    buffer_give_back_by(buffer, taken->versioned ? versioned_delete : plain_delete, taken->managed);
    buffer->exporter->buf = (void *)(uintptr_t)taken->at;
    buffer->exporter->readonly = taken->read_only;
    return matrix_over(state, buffer, taken->shape);
}

static PyObject *
tensor_convert(core_state *state, tensor_import *taken)
{
    PyObject *result = matrix_of_numbers(state, taken->format, taken->at, taken->shape, taken->strides);

    if (result && tensor_consume(taken) < 0)
        Py_CLEAR(result);
    if (result)
        (taken->versioned ? versioned_delete : plain_delete)(taken->managed);
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
    if (tensor_is_given(given[1]) &&
        (!PyUnicode_Check(given[1]) || PyUnicode_CompareWithASCIIString(given[1], "cpu") != 0)) {
        PyErr_Format(PyExc_ValueError, "a matrix can only be on the device 'cpu', not on %R", given[1]);
        return NULL;
    }
    if (PyCapsule_CheckExact(given[0]))
        capsule = Py_NewRef(given[0]);
    else
        capsule = capsule_ask(state, given[0], given[2]);
    if (!capsule)
        return NULL;
    if (!capsule_open(capsule, &taken) || !tensor_read(&taken))
        goto done;
    share = array_can_share(taken.format, taken.at, taken.shape, taken.strides) && !copy;
    if (share)
        result = tensor_borrow(state, &taken);
    else if (tensor_is_given(given[2]) && !copy && taken.shape[0] && taken.shape[1])
        PyErr_SetString(PyExc_BufferError, "a tensor that is not of doubles row by row cannot do without a copy");
    else
        result = tensor_convert(state, &taken);
done:
    Py_DECREF(capsule);
    return result;
}
