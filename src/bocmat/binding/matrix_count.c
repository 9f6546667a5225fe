/* How many values are copied from one matrix's memory to another's: for tests, which turn it on. */
#include "matrix_internal.h"
#include "matrix_methods.h"

static atomic_bool counting;
static atomic_ullong counted;

void
values_copied(size_t count)
{
    if (atomic_load_explicit(&counting, memory_order_relaxed))
        atomic_fetch_add_explicit(&counted, count, memory_order_relaxed);
}

void
values_copy(size_t rows, size_t columns, mk_window to, mk_window from)
{
    values_copied(rows * columns);
    mk_copy(rows, columns, to, from);
}

/* _count_copies(on): counts from 0, or no more; how many there were. */
PyObject *
matrix_count_copies(PyObject *Py_UNUSED(module), PyObject *on)
{
    int truth = PyObject_IsTrue(on);

    if (truth < 0)
        return NULL;
    atomic_store_explicit(&counting, truth != 0, memory_order_relaxed);
    return PyLong_FromUnsignedLongLong(atomic_exchange_explicit(&counted, 0, memory_order_relaxed));
}
