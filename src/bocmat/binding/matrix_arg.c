/* Where the extremes stand: argmin and argmax. */
#include "matrix_reduce.h"

static PyObject *
places_as_list(const ptrdiff_t *places, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);

    for (Py_ssize_t i = 0; list && i < count; i++) {
        PyObject *place = PyLong_FromSsize_t(places[i]);

        if (!place)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, place);
    }
    return list;
}

static PyObject *
arg_along(mk_arg_op op, reduction *self)
{
    enum { FEW = 32 };
    const matrix_operand *from = &self->from;
    Py_ssize_t count = self->axis == 0 ? from->columns : from->rows;
    ptrdiff_t few[FEW], *places = count <= FEW ? few : PyMem_Malloc((size_t)count * sizeof *places);
    matrix_unlocked unlocked;
    PyObject *answer;

    if (!places)
        return PyErr_NoMemory();
    reduction_unlock(self, &unlocked);
    mk_arg_axis(op, self->axis, (size_t)from->rows, (size_t)from->columns, places, from->window, self->where);
    matrix_lock(&unlocked);
    if (self->into) {
        mk_window to = self->result.target.window;
        ptrdiff_t step = self->axis == 0 ? to.column_stride : to.row_stride;

        for (Py_ssize_t i = 0; i < count; i++)
            to.at[i * step] = (double)places[i];
        answer = Py_NewRef(self->result.object);
    } else {
        answer = places_as_list(places, count);
    }
    if (places != few)
        PyMem_Free(places);
    return answer;
}

static PyObject *
arg_compute(core_state *state, mk_arg_op op, reduction *self)
{
    const matrix_operand *from = &self->from;
    matrix_unlocked unlocked;
    ptrdiff_t place;

    if (!reduction_settle(self, false) || (self->into && !reduction_place(state, self)))
        return NULL;
    if (self->axis != ARGS_NO_AXIS)
        return arg_along(op, self);
    reduction_unlock(self, &unlocked);
    place = mk_arg(op, (size_t)from->rows, (size_t)from->columns, from->window, self->where);
    matrix_lock(&unlocked);
    if (!self->into)
        return PyLong_FromSsize_t(place);
    *self->result.target.window.at = (double)place;
    return Py_NewRef(self->result.object);
}

static __attribute__((noinline)) PyObject *
arg_general(METHOD_ARGS, const args_spec *spec, const char *what, mk_arg_op op)
{
    reduction reduced = {.what = what, .axis = ARGS_NO_AXIS, .from = {.source = self}};
    core_state *state = state_of(self);
    PyObject *given[5], *result = NULL;
    bool as_matrix, keep;

    if (!count && !keywords) {
        result = arg_compute(state, op, &reduced);
    } else if (args_take(spec, args, count, keywords, given) && args_flag(given[1], &as_matrix) &&
               args_flag(given[4], &keep) &&
               reduction_take(state, &reduced, given[0], NULL, given[2], given[3], NULL)) {
        reduced.into = keep || reduced.result.target.source || (as_matrix && reduced.axis != ARGS_NO_AXIS);
        result = arg_compute(state, op, &reduced);
    }
    reduction_drop(&reduced);
    return result;
}

static inline PyObject *
arg_method(METHOD_ARGS, const args_spec *spec, const char *what, mk_arg_op op)
{
    MatrixObject *matrix = (MatrixObject *)self;
    ptrdiff_t places[MATRIX_INLINE];
    int axis;

    if (!reduction_is_brief(self, args, count, keywords, &axis))
        return arg_general(self, args, count, keywords, spec, what, op);
    if (axis == ARGS_NO_AXIS)
        return PyLong_FromSsize_t(mk_arg_line(op, small_count(matrix), matrix->inline_values));
    mk_arg_axis(op, axis, (size_t)matrix->rows, (size_t)matrix->columns, places, matrix_window(matrix), NULL);
    return places_as_list(places, axis == 0 ? matrix->columns : matrix->rows);
}

#define ARG(name, op)                                                                                         \
    PyObject *matrix_##name(METHOD_ARGS)                                                                      \
    {                                                                                                         \
        static const args_spec spec = {#name, 2, 0, {"axis", "as_matrix", "out", "where", "keepdims", NULL}}; \
        return arg_method(self, args, count, keywords, &spec, #name "()", op);                                \
    }
ARG(argmin, MK_ARG_MIN)
ARG(argmax, MK_ARG_MAX)
#undef ARG
