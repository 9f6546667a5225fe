/* The extension module `bocmat._core`: one instance an interpreter, all its state in core_state. */
#include "state.h"

static int
core_exec(PyObject *module)
{
    core_state *state = PyModule_GetState(module);

    state->module = module;
    if (matrix_add_types(module, state) < 0)
        return -1;
    return boc_add_types(module, state);
}

static int
core_traverse(PyObject *module, visitproc visit, void *arg)
{
    core_state *state = PyModule_GetState(module);

    if (!state)
        return 0;
    Py_VISIT(state->matrix_type);
    Py_VISIT(state->matrix_view_type);
    Py_VISIT(state->matrix_iterator_type);
    Py_VISIT(state->linalg_error);
    Py_VISIT(state->cown_type);
    Py_VISIT(state->pinned_type);
    Py_VISIT(state->read_type);
    Py_VISIT(state->when_type);
    Py_VISIT(state->removed);
    return matrix_traverse_state(state, visit, arg);
}

static int
core_clear(PyObject *module)
{
    core_state *state = PyModule_GetState(module);

    if (!state)
        return 0;
    boc_clear_state(state);
    matrix_clear_state(state);
    Py_CLEAR(state->matrix_type);
    Py_CLEAR(state->matrix_view_type);
    Py_CLEAR(state->matrix_iterator_type);
    Py_CLEAR(state->linalg_error);
    Py_CLEAR(state->cown_type);
    Py_CLEAR(state->pinned_type);
    Py_CLEAR(state->read_type);
    Py_CLEAR(state->when_type);
    Py_CLEAR(state->removed);
    return 0;
}

static void
core_free(void *module)
{
    core_clear(module);
}

static PyModuleDef_Slot core_slots[] = {
    {Py_mod_exec, core_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if !BOCMAT_GIL
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

struct PyModuleDef core_module = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "bocmat._core",
    .m_doc = "Matrices and behaviors; import them from bocmat.",
    .m_size = sizeof(core_state),
    .m_slots = core_slots,
    .m_traverse = core_traverse,
    .m_clear = core_clear,
    .m_free = core_free,
};

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC
PyInit__core(void)
{
    return PyModuleDef_Init(&core_module);
}
