/* Reductions: the rows of reduce.def, and what others share with them. */
#include "matrix_reduce.h"

#include <math.h>
#include <string.h>

/* ---- what all of them take ---- */

bool
reduction_dtype(const char *what, PyObject *dtype)
{
    static const char *const names[] = {"float64", "float", "d", "f8", "double", "<f8", "=f8"};
    PyObject *name;
    const char *text;
    bool known = false;

    if (!dtype || dtype == Py_None || dtype == (PyObject *)&PyFloat_Type)
        return true;
    /* numpy.float64 is a type of that name, and so do a dtype and a string read. */
    name = PyType_Check(dtype) ? PyObject_GetAttrString(dtype, "__name__") : PyObject_Str(dtype);
    text = name ? PyUnicode_AsUTF8(name) : NULL;
    for (size_t i = 0; text && i < sizeof names / sizeof *names; i++)
        known |= strcmp(text, names[i]) == 0;
    if (text && !known)
        PyErr_Format(PyExc_TypeError, "%s: dtype must be float64, not %R", what, dtype);
    Py_XDECREF(name);
    return known;
}

bool
reduction_take(core_state *state, reduction *self, PyObject *axis, PyObject *dtype, PyObject *out, PyObject *where,
               PyObject *keepdims)
{
    bool keep;

    if (!args_axis(axis, &self->axis) || !reduction_dtype(self->what, dtype) || !args_flag(keepdims, &keep) ||
        !result_take(state, out, &self->result))
        return false;
    self->into = keep || self->axis != ARGS_NO_AXIS || self->result.target.source;
    if (!where || where == Py_None)
        return true;
    if (!operand_require(state, where, "where=", &self->mask))
        return false;
    self->where = &self->mask_window;
    return true;
}

static void
spread_mask(reduction *self)
{
    if (self->where)
        self->mask_window = operand_spread(&self->mask, self->from.rows, self->from.columns);
}

bool
reduction_settle(reduction *self, bool has_identity)
{
    const matrix_operand *from = &self->from, *mask = &self->mask;

    if (!operand_settle(&self->from) || (self->where && !operand_settle(&self->mask)))
        return false;
    if (!has_identity && (from->rows == 0 || from->columns == 0)) {
        PyErr_Format(PyExc_ValueError, "%s of an empty matrix, shape (%zd, %zd)", self->what, from->rows,
                     from->columns);
        return false;
    }
    if (self->where &&
        ((mask->rows != 1 && mask->rows != from->rows) || (mask->columns != 1 && mask->columns != from->columns))) {
        PyErr_Format(PyExc_ValueError, "%s: a mask of shape (%zd, %zd) does not fit a matrix of shape (%zd, %zd)",
                     self->what, mask->rows, mask->columns, from->rows, from->columns);
        return false;
    }
    spread_mask(self);
    return true;
}

/* An operand of the very elements that the result goes to: the kernels write some of it before they have read all. */
static bool
keep_apart(core_state *state, matrix_operand *operand, const matrix_operand *target)
{
    if (!operand->source || operand->window.at != target->window.at || operand->rows * operand->columns == 0)
        return true;
    Py_XSETREF(operand->made, matrix_copy_window(state, operand->window, operand->rows, operand->columns));
    operand->source = operand->made;
    return operand->made && operand_settle(operand);
}

bool
reduction_place_shape(core_state *state, reduction *self, Py_ssize_t rows, Py_ssize_t columns)
{
    matrix_operand *operands[2] = {&self->from, &self->mask};
    int count = self->where ? 2 : 1;

    if (!result_settle(state, self->what, &self->result, rows, columns, operands, count))
        return false;
    for (int i = 0; self->axis != ARGS_NO_AXIS && i < count; i++)
        if (!keep_apart(state, operands[i], &self->result.target))
            return false;
    spread_mask(self);
    return true;
}

bool
reduction_place(core_state *state, reduction *self)
{
    return reduction_place_shape(state, self, self->axis == 1 ? self->from.rows : 1,
                                 self->axis == 0 ? self->from.columns : 1);
}

void
reduction_drop(reduction *self)
{
    operand_drop(&self->mask);
    operand_drop(&self->from);
    Py_CLEAR(self->result.object);
}

void
reduction_unlock(reduction *self, matrix_unlocked *unlocked)
{
    matrix_operand *operands[3] = {&self->from, &self->result.target, &self->mask};

    matrix_unlock(unlocked, self->from.rows * self->from.columns >= LONG_ELEMENTS, operands, self->where ? 3 : 2);
}

/* ---- the rows of reduce.def ---- */

static const char *const reduce_names[] = {
#define REDUCE(name, ...) #name "()",
#include "../../../kernels/reduce.def"
#undef REDUCE
};

/* NaN: there is none, and nothing cannot be reduced. */
static const double reduce_identities[] = {
#define REDUCE(name, answer, identity, ...) identity,
#include "../../../kernels/reduce.def"
#undef REDUCE
};

typedef PyObject *reduce_answer(double value);

static inline PyObject *
answer_number(double value)
{
    return PyFloat_FromDouble(value);
}

static inline PyObject *
answer_truth(double value)
{
    return PyBool_FromLong(value != 0.0);
}

static inline PyObject *
answer_whole(double value)
{
    return PyLong_FromDouble(value);
}

static PyObject *
reduce_compute(core_state *state, mk_reduce_op op, reduction *self, reduce_answer *answer)
{
    matrix_operand *from = &self->from;
    matrix_unlocked unlocked;
    double value = 0.0;

    if (!reduction_settle(self, !isnan(reduce_identities[op])) || (self->into && !reduction_place(state, self)))
        return NULL;
    reduction_unlock(self, &unlocked);
    if (self->axis == ARGS_NO_AXIS)
        value = mk_reduce_where(op, (size_t)from->rows, (size_t)from->columns, from->window, self->where);
    else
        mk_reduce_axis_where(op, self->axis, (size_t)from->rows, (size_t)from->columns, self->result.target.window,
                             from->window, self->where);
    if (self->axis == ARGS_NO_AXIS && self->into)
        *self->result.target.window.at = value;
    matrix_lock(&unlocked);
    return self->into ? Py_NewRef(self->result.object) : answer(value);
}

static __attribute__((noinline)) PyObject *
reduce_general(METHOD_ARGS, const args_spec *spec, mk_reduce_op op, reduce_answer *answer)
{
    reduction reduced = {.what = reduce_names[op], .axis = ARGS_NO_AXIS, .from = {.source = self}};
    core_state *state = state_of(self);
    PyObject *given[5], *result = NULL;

    if ((!count && !keywords) || (args_take(spec, args, count, keywords, given) &&
                                  reduction_take(state, &reduced, given[0], given[1], given[2], given[3], given[4])))
        result = reduce_compute(state, op, &reduced, answer);
    reduction_drop(&reduced);
    return result;
}

/* Anything but no arguments at all. */
static __attribute__((noinline)) PyObject *
reduce_taking(METHOD_ARGS, const args_spec *spec, mk_reduce_op op, reduce_answer *answer)
{
    MatrixObject *matrix = (MatrixObject *)self, *made;
    int axis;

    if (!reduction_is_brief(self, args, count, keywords, &axis))
        return reduce_general(self, args, count, keywords, spec, op, answer);
    if (axis == ARGS_NO_AXIS)
        return answer(mk_reduce_line(op, small_count(matrix), matrix->inline_values));
    made = matrix_new_small(state_of(self), axis == 1 ? matrix->rows : 1, axis == 0 ? matrix->columns : 1);
    if (made)
        mk_reduce_axis(op, axis, (size_t)matrix->rows, (size_t)matrix->columns, matrix_window(made),
                       matrix_window(matrix));
    return (PyObject *)made;
}

static inline PyObject *
reduce_method(METHOD_ARGS, const args_spec *spec, mk_reduce_op op, reduce_answer *answer)
{
    MatrixObject *matrix = (MatrixObject *)self;

    if (!count && !keywords && is_small(self) && small_count(matrix))
        return answer(mk_reduce_line(op, small_count(matrix), matrix->inline_values));
    return reduce_taking(self, args, count, keywords, spec, op, answer);
}

#define REDUCE(name, answer, ...)                                                                    \
    PyObject *matrix_reduce_##name(METHOD_ARGS)                                                      \
    {                                                                                                \
        static const args_spec spec = {#name, 1, 0, {"axis", "dtype", "out", "where", "keepdims"}};  \
        return reduce_method(self, args, count, keywords, &spec, MK_REDUCE_##name, answer_##answer); \
    }
#include "../../../kernels/reduce.def"
#undef REDUCE
