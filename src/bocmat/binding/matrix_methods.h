/* The functions behind methods, attributes and slots: declared from the rows of matrix_methods.def and of the op
 * tables, collected into types by matrix_type.c. Methods work on a Matrix and a MatrixView alike unless their row says
 * otherwise. */
#ifndef BOCMAT_MATRIX_METHODS_H
#define BOCMAT_MATRIX_METHODS_H

#include "matrix_internal.h"

#define METHOD(name, function, signature, doc) PyObject *function(METHOD_ARGS);
#define MATRIX_METHOD                          METHOD
#define VIEW_METHOD                            METHOD
#define CLASS_METHOD                           METHOD
#include "matrix_methods.def"
#undef METHOD
#undef MATRIX_METHOD
#undef VIEW_METHOD
#undef CLASS_METHOD

#define UNARY(name, operator, ...)              \
    PyObject *matrix_unary_##name(METHOD_ARGS); \
    PyObject *slot_unary_##name(PyObject *self);
#include "../../../kernels/unary.def"
#undef UNARY

#define BINARY(name, operator, ...)                                \
    PyObject *matrix_binary_##name(METHOD_ARGS);                   \
    PyObject *slot_binary_##name(PyObject *left, PyObject *right); \
    PyObject *slot_inplace_##name(PyObject *left, PyObject *right);
#include "../../../kernels/binary.def"
#undef BINARY

#define COMPARE(name, ...) PyObject *matrix_compare_##name(METHOD_ARGS);
#include "../../../kernels/compare.def"
#undef COMPARE

#define REDUCE(name, ...) PyObject *matrix_reduce_##name(METHOD_ARGS);
#include "../../../kernels/reduce.def"
#undef REDUCE

/* matrix_make.c */
PyObject *matrix_vectorcall(PyObject *type, PyObject *const *args, size_t flags, PyObject *keywords);
PyObject *matrix_tp_new(PyTypeObject *type, PyObject *args, PyObject *keywords);

/* matrix_index.c */
PyObject *matrix_subscript(PyObject *self, PyObject *key);
int matrix_ass_subscript(PyObject *self, PyObject *key, PyObject *value);
PyObject *matrix_item_at(PyObject *self, Py_ssize_t index);
Py_ssize_t matrix_length(PyObject *self);

/* matrix_number.c: what a row of binary.def does not give */
PyObject *slot_power(PyObject *left, PyObject *right, PyObject *modulo);
PyObject *slot_inplace_power_of(PyObject *left, PyObject *right, PyObject *modulo);
PyObject *slot_divmod(PyObject *left, PyObject *right);

/* matrix_compare.c */
PyObject *slot_richcompare(PyObject *left, PyObject *right, int operator);
int slot_bool(PyObject *self);

/* matrix_matmul.c */
PyObject *slot_matmul(PyObject *left, PyObject *right);
PyObject *slot_inplace_matmul(PyObject *left, PyObject *right);
PyObject *matrix_matmul_into(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords);

/* matrix_linalg.c: its functions, for the module. 0 or -1. */
int linalg_add(PyObject *module, core_state *state);
/* matrix_steps.c */
int steps_add(PyObject *module);

/* matrix_look.c */
extern PyGetSetDef matrix_getset[];
extern PyGetSetDef view_getset[];
PyObject *slot_positive(PyObject *self);
PyObject *slot_iter(PyObject *self);
extern PyType_Spec matrix_iterator_spec;

/* matrix_view.c */
PyObject *view_subscript(PyObject *self, PyObject *key);
int view_ass_subscript(PyObject *self, PyObject *key, PyObject *value);
Py_ssize_t view_length(PyObject *self);
PyObject *view_item_at(PyObject *self, Py_ssize_t index);
PyObject *view_new_whole(core_state *state, MatrixObject *matrix);
PyObject *view_transposed(PyObject *self);
/* A line of `matrix`: its row or column `index`. */
PyObject *view_new_line(core_state *state, MatrixObject *matrix, char line, Py_ssize_t index, bool read_only);

/* matrix_format.c */
PyObject *matrix_repr(PyObject *self);
PyObject *matrix_str(PyObject *self);

/* matrix_exchange.c, matrix_pickle.c, matrix_files.c, matrix_text.c */
int matrix_getbuffer(PyObject *self, Py_buffer *view, int flags);
void matrix_releasebuffer(PyObject *self, Py_buffer *view);
PyObject *matrix_restore(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords);
PyObject *matrix_read_numbers(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords);
PyObject *matrix_lines(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords);
PyObject *matrix_of_lines(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords);

/* matrix_array.c */
PyObject *get_array_interface(PyObject *self, void *unused);

/* matrix_tile.c */
PyObject *matrix_split(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords);
PyObject *matrix_join(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords);
PyObject *matrix_merge(PyObject *module, PyObject *lists);
PyObject *matrix_neighbours(PyObject *module, PyObject *args);

/* matrix_count.c */
PyObject *matrix_count_copies(PyObject *module, PyObject *on);

#endif
