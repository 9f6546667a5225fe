/* Cown.cancel(). */
#include "cown.h"
#include "docs.h"

const char cown_cancel_doc[] =
    "cancel($self, /)\n--\n\n"
    "Drop the behavior that this cown is the result of, if it has not started.\n\n"
    "`get` and `unwrap` then raise CancelledError. What depends on the result runs, at once if it waits for nothing "
    "else, and sees `exception` true with that. Nobody is told of it as of a failure." RETURNS(
        "bool", "True if the behavior will not run, and if it was cancelled before; False if it has started or ended, "
                "or the cown is no result.")
        RAISES(CASE("RuntimeError", "The cown belongs to the process that this one was forked from."))
            EXAMPLES(DO("from bocmat import Cown, wait, when") DO("gate = Cown(0)") DO("gate.acquire()")
                         DO("@when(gate)\n... def late(gate):\n...     gate.value = 1") TRY("late.cancel()", "True")
                             DO("gate.release()") DO("wait()") TRY("gate.value", "0"));

PyObject *
cown_cancel(PyObject *object, PyObject *Py_UNUSED(ignored))
{
    CownObject *self = (CownObject *)object;

    if (self->process != cown_process) {
        PyErr_Format(PyExc_RuntimeError, "cown %llu belongs to the process that this one was forked from",
                     (unsigned long long)rt_cown_id(self->cown));
        return NULL;
    }
    return PyBool_FromLong(rt_cancel(self->cown, (rt_value){VALUE_CANCELLED | VALUE_EXCEPTION, 0}) != RT_TOO_LATE);
}
