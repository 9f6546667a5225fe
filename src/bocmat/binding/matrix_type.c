/* The types Matrix and MatrixView: their tables of methods and slots, put together from the rows. */
#include "matrix_methods.h"

#include <string.h>

#include "docs.h"
#include "matrix_crossing.h"
#include "matrix_dlpack.h"
#include "matrix_locked.h"
#include "matrix_random.h"

#define FAST(function) ((PyCFunction)(void (*)(void))(function)), METH_FASTCALL | METH_KEYWORDS

/* ---- methods ---- */

#define UNARY(name, operator, value, doc, example)                                        \
    {#name, FAST(LOCKED(name, matrix_unary_##name)),                                      \
     #name "($self, /, *, in_place=False, out=None)\n--\n\n" doc PARAMETERS(IN_PLACE OUT) \
         RETURNS("Matrix", "Of this matrix's shape.") RAISES(NOT_FITTING NOT_HERE) EXAMPLES(example)},
#define PAIR(function, name, doc, example)                                                                         \
    {#name, FAST(function),                                                                                        \
     #name "($self, other, /, *, out=None)\n--\n\n" doc PARAMETERS(PARAMETER("other", OPERAND, "Broadcasts.") OUT) \
         RETURNS("Matrix", "Of the shape that the two broadcast to.") RAISES(NOT_FITTING NOT_HERE) EXAMPLES(example)},
#define BINARY(name, operator, symbol, value, doc, example) PAIR(LOCKED(name, matrix_binary_##name), name, doc, example)
#define COMPARE(name, operator, symbol, doc, example) PAIR(LOCKED(name, matrix_compare_##name), name, doc, example)
#define REDUCE(name, answer, identity, neutral, element, combine, finish, doc, example)                           \
    {#name, FAST(LOCKED(name, matrix_reduce_##name)),                                                             \
     #name                                                                                                        \
     "($self, /, axis=None, *, dtype=None, out=None, where=None, keepdims=False)\n--\n\n" doc PARAMETERS(REDUCED) \
         RETURNS(ANSWER_##answer " or Matrix", LINES_REDUCED) RAISES(NOTHING_LEFT NOT_FITTING NOT_HERE)           \
             EXAMPLES(example)},
#define GIVEN_METHOD(name, function, signature, doc) \
    {#name, FAST(LOCKED(name, function)), #name signature "\n--\n\n" doc},
#define NO_METHOD(name, function, signature, doc)
#define METHOD GIVEN_METHOD

static PyMethodDef matrix_methods[] = {
#include "../../../kernels/unary.def"
#include "../../../kernels/binary.def"
#include "../../../kernels/compare.def"
#include "../../../kernels/reduce.def"
#define MATRIX_METHOD METHOD
#define VIEW_METHOD   NO_METHOD
#define CLASS_METHOD  NO_METHOD
#include "matrix_methods.def"
#undef MATRIX_METHOD
#undef VIEW_METHOD
#undef CLASS_METHOD
    {NULL, NULL, 0, NULL},
};

static PyMethodDef view_methods[] = {
#include "../../../kernels/unary.def"
#include "../../../kernels/binary.def"
#include "../../../kernels/compare.def"
#include "../../../kernels/reduce.def"
#define MATRIX_METHOD NO_METHOD
#define VIEW_METHOD   METHOD
#define CLASS_METHOD  NO_METHOD
#include "matrix_methods.def"
#undef MATRIX_METHOD
#undef VIEW_METHOD
#undef CLASS_METHOD
    {NULL, NULL, 0, NULL},
};
#undef UNARY
#undef BINARY
#undef COMPARE
#undef REDUCE
#undef PAIR
#undef METHOD

/* Of Matrix itself. The type holds them as functions bound to it: a METH_CLASS would be bound again by every call. */
static PyMethodDef class_methods[] = {
#define MATRIX_METHOD NO_METHOD
#define VIEW_METHOD   NO_METHOD
#define CLASS_METHOD  GIVEN_METHOD
#define METHOD        NO_METHOD
#include "matrix_methods.def"
#undef MATRIX_METHOD
#undef VIEW_METHOD
#undef CLASS_METHOD
#undef METHOD
    {NULL, NULL, 0, NULL},
};

/* ---- slots ---- */

/* What a row without an operator names. */
enum { Py_nb_none = 0, Py_nb_inplace_none = 0 };

/* The slots that both types share; those numbered 0 are left out when the types are made. */
static const PyType_Slot number_slots[] = {
#define UNARY(name, operator, ...) {Py_nb_##operator, (void *)LOCKED(slot_##name, slot_unary_##name)},
#include "../../../kernels/unary.def"
#undef UNARY
#define BINARY(name, operator, ...)                                      \
    {Py_nb_##operator, (void *)LOCKED(slot_##name, slot_binary_##name)}, \
        {Py_nb_inplace_##operator, (void *)LOCKED(inplace_##name, slot_inplace_##name)},
#include "../../../kernels/binary.def"
#undef BINARY
    {Py_nb_power, (void *)LOCKED(power_slot, slot_power)},
    {Py_nb_inplace_power, (void *)LOCKED(slot_inplace_power, slot_inplace_power_of)},
    {Py_nb_divmod, (void *)LOCKED(slot_divmod, slot_divmod)},
    {Py_nb_matrix_multiply, (void *)LOCKED(matmul, slot_matmul)},
    {Py_nb_inplace_matrix_multiply, (void *)LOCKED(inplace_matmul, slot_inplace_matmul)},
    {Py_nb_positive, (void *)LOCKED(positive, slot_positive)},
    {Py_nb_bool, (void *)LOCKED(bool, slot_bool)},
    {Py_tp_richcompare, (void *)LOCKED(richcompare, slot_richcompare)},
    {Py_tp_hash, (void *)PyObject_HashNotImplemented},
    {Py_tp_repr, (void *)LOCKED(repr, matrix_repr)},
    {Py_tp_str, (void *)LOCKED(str, matrix_str)},
    {Py_tp_iter, (void *)slot_iter},
    {Py_bf_getbuffer, (void *)LOCKED(getbuffer, matrix_getbuffer)},
    {Py_bf_releasebuffer, (void *)matrix_releasebuffer},
};

PyDoc_STRVAR(
    matrix_doc,
    "Matrix(rows, columns=None, values=None)\n--\n\n"
    "A dense two-dimensional matrix of float64, row-major." PARAMETERS(
        PARAMETER("rows", "int, or nested list or array", "Rows; alone, the values, which have their own shape.")
            PARAMETER("columns", "int, optional", "Columns.")
                PARAMETER("values", "float or sequence, optional",
                          "One number for all elements, or rows * columns of them row by row; zeros if absent."))
        RAISES(CASE("ValueError", "Shapes do not fit, are negative or too large; the message names them.")
                   CASE("TypeError", "Something is not a real number."))
            NOTES(
                "A key is an int, a slice, `...`, a list, tuple or array of positions or of booleans, or a pair of "
                "them.\n"
                "m[key] copies what it selects and m[key] = value writes it; m.view[key] does not copy. A list picks "
                "rows,\n"
                "in a pair rows or columns; two lists pick the elements of pairs and broadcast. Of a vector of n x 1, "
                "m[i]\n"
                "is a float.\n\n"
                "A Matrix as a key says by its shape what it is. Of m's own shape it is a mask of elements, and "
                "m[mask] is\n"
                "1 x k; of rows x 1, or as the second part 1 x columns, a mask of rows or columns, as `m[:, 0] > 2` "
                "gives\n"
                "it; any other vector holds positions. Where positions could be meant for a mask, ValueError says so.")
                EXAMPLES(DO("m = Matrix(2, 3, [1, 2, 3, 4, 5, 6])") TRY("m[1, 0]", "4.0")
                             TRY("m[:, [2, 0]]", "Matrix(2, 2, [3, 1, 6, 4])") DO("m[m > 4] = 0")
                                 TRY("m", "Matrix(2, 3, [1, 2, 3, 4, 0, 0])")));

static const PyType_Slot matrix_only_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)matrix_doc},
    {Py_tp_new, (void *)matrix_tp_new},
    {Py_tp_dealloc, (void *)matrix_dealloc},
    {Py_tp_methods, matrix_methods},
    {Py_tp_getset, matrix_getset},
    {Py_mp_subscript, (void *)LOCKED(subscript, matrix_subscript)},
    {Py_mp_ass_subscript, (void *)LOCKED(ass_subscript, matrix_ass_subscript)},
    {Py_mp_length, (void *)matrix_length},
};

PyDoc_STRVAR(
    view_doc,
    "A window on a Matrix that reads and writes it, two-dimensional and of any step.\n\n"
    "m.view[key], row_view, column_view, row_views and column_views make one; a part of a view is a view. A row or a\n"
    "column is indexed by one int or slice. Lists and masks select no window: they can be assigned through, not "
    "read." NOTES(
        "A view keeps its matrix alive and follows its values and its ownership. It names rows and columns of its\n"
        "matrix: while that has another shape than when the view was made, after transpose(in_place=True), the view\n"
        "raises RuntimeError. It does not travel, its copy() does.")
        EXAMPLES(DO("m = Matrix([[1, 2], [3, 4]])") DO("column = m.view[:, 0]") DO("column += 10")
                     TRY("m", "Matrix(2, 2, [11, 2, 13, 4])")));

static const PyType_Slot view_only_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)view_doc},
    {Py_tp_dealloc, (void *)view_dealloc},
    {Py_tp_methods, view_methods},
    {Py_tp_getset, view_getset},
    {Py_mp_subscript, (void *)LOCKED(view_subscript, view_subscript)},
    {Py_mp_ass_subscript, (void *)LOCKED(view_ass_subscript, view_ass_subscript)},
    {Py_mp_length, (void *)view_length},
};

enum { NUMBER_SLOTS = sizeof number_slots / sizeof number_slots[0], OWN_SLOTS_MAX = 16 };

/* A heap type of the shared slots and its own. */
static PyTypeObject *
type_make(PyObject *module, PyType_Spec *spec, const PyType_Slot *own, size_t own_count)
{
    PyType_Slot slots[NUMBER_SLOTS + OWN_SLOTS_MAX + 1];
    PyObject *type;
    size_t count = 0;

    for (size_t i = 0; i < NUMBER_SLOTS; i++)
        if (number_slots[i].slot)
            slots[count++] = number_slots[i];
    for (size_t i = 0; i < own_count; i++)
        slots[count++] = own[i];
    slots[count] = (PyType_Slot){0, NULL};
    spec->slots = slots;
    type = PyType_FromModuleAndSpec(module, spec, NULL);
    /* NumPy leaves `array op matrix` to us. */
    if (type && PyDict_SetItemString(((PyTypeObject *)type)->tp_dict, "__array_ufunc__", Py_None) < 0)
        Py_CLEAR(type);
    if (type)
        PyType_Modified((PyTypeObject *)type);
    return (PyTypeObject *)type;
}

static int
class_methods_add(PyTypeObject *type)
{
    for (PyMethodDef *method = class_methods; method->ml_name; method++) {
        PyObject *function = PyCFunction_NewEx(method, (PyObject *)type, NULL);
        int status = function ? PyDict_SetItemString(type->tp_dict, method->ml_name, function) : -1;

        Py_XDECREF(function);
        if (status < 0)
            return -1;
    }
    PyType_Modified(type);
    return 0;
}

/* ---- for tests: which instruction set the kernels use ---- */

static PyObject *
module_isa(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    return PyUnicode_FromString(mk_isa());
}

static PyObject *
module_select_isa(PyObject *module, PyObject *name)
{
    const char *wanted = PyUnicode_AsUTF8(name);

    (void)module;
    return wanted ? PyBool_FromLong(mk_select_isa(wanted)) : NULL;
}

static PyMethodDef module_functions[] = {
    {"_restore", FAST(matrix_restore),
     "_restore($module, /, rows, columns, values)\n--\n\nThe matrix that a pickle holds."},
    {"_read_numbers", FAST(matrix_read_numbers),
     "_read_numbers($module, /, matrix, start, data, format, width)\n--\n\n"
     "Writes elements of a matrix, row by row from the one numbered start, out of packed numbers of a struct format."},
    {"_lines", FAST(matrix_lines),
     "_lines($module, /, matrix, start, stop, delimiter)\n--\n\nSome rows as text, a line each."},
    {"_of_lines", FAST(matrix_of_lines),
     "_of_lines($module, /, data, delimiter, skiprows)\n--\n\nThe matrix that lines of numbers hold."},
    {"_split", FAST(LOCKED(split, matrix_split)),
     "_split($module, /, matrix, tile_rows, tile_columns)\n--\n\n"
     "A list of rows of tiles that share the matrix's memory; the matrix itself is unusable until _join."},
    {"_join", FAST(LOCKED(join, matrix_join)),
     "_join($module, /, matrix, tiles)\n--\n\n"
     "Puts the tiles' values back into the matrix that was split, without copying those that stand in their place,\n"
     "and spends the tiles; with None for the matrix, copies them into a new one."},
    {"_merge", matrix_merge, METH_O,
     "_merge($module, tiles, /)\n--\n\n"
     "The tiles as one matrix, without copying those that are neighbours in one; spends them."},
    {"_neighbours", matrix_neighbours, METH_VARARGS,
     "_neighbours($module, tiles, alone, /)\n--\n\n"
     "Gives a matrix over tiles that are neighbours in one matrix, whose values it shares, or None if they are not."},
    {"_matmul_into", FAST(LOCKED(matmul_into, matrix_matmul_into)),
     "_matmul_into($module, /, out, a, b, accumulate=False)\n--\n\nWrites a @ b into out, or adds it to out."},
    {"_isa", module_isa, METH_NOARGS, "_isa($module, /)\n--\n\nThe instruction set that the kernels use."},
    {"_select_isa", module_select_isa, METH_O,
     "_select_isa($module, name, /)\n--\n\n"
     "Makes the kernels use the instruction set \"plain\", \"avx2\" or \"avx512\", in the whole process and while no\n"
     "other thread computes; False where it is not to be had. For tests."},
    {"_count_copies", matrix_count_copies, METH_O,
     "_count_copies($module, on, /)\n--\n\n"
     "Begins, or ends, to count values that are copied from one matrix to another, in the whole process; how many\n"
     "there were since it began. For tests."},
    {NULL, NULL, 0, NULL},
};

int
matrix_add_types(PyObject *module, core_state *state)
{
    PyType_Spec matrix_spec = {
        .name = "bocmat.Matrix",
        .basicsize = sizeof(MatrixObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    };
    PyType_Spec view_spec = {
        .name = "bocmat.MatrixView",
        .basicsize = sizeof(MatrixViewObject),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    };

    state->tensors = tensors_open();
    if (!state->tensors || tensors_prepare(state) < 0 || matrix_random_start(state) < 0)
        return -1;
    state->matrix_type =
        type_make(module, &matrix_spec, matrix_only_slots, sizeof matrix_only_slots / sizeof matrix_only_slots[0]);
    if (!state->matrix_type || class_methods_add(state->matrix_type) < 0)
        return -1;
    state->matrix_type->tp_vectorcall = matrix_vectorcall;
    state->matrix_view_type =
        type_make(module, &view_spec, view_only_slots, sizeof view_only_slots / sizeof view_only_slots[0]);
    if (!state->matrix_view_type)
        return -1;
    state->matrix_iterator_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &matrix_iterator_spec, NULL);
    if (!state->matrix_iterator_type)
        return -1;
    if (PyModule_AddType(module, state->matrix_type) < 0 || PyModule_AddType(module, state->matrix_view_type) < 0)
        return -1;
    if (linalg_add(module, state) < 0 || steps_add(module) < 0)
        return -1;
    if (matrix_add_crossing(state) < 0)
        return -1;
    return PyModule_AddFunctions(module, module_functions);
}

void
matrix_clear_state(core_state *state)
{
    tensors_close(state->tensors);
    state->tensors = NULL;
    tensors_forget(state);
    matrix_free_headers(state);
    PyMem_Free(state->stream);
    state->stream = NULL;
}
