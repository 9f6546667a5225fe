/* The only place that knows how CPython's minor versions and builds differ. */
#ifndef BOCMAT_PYCOMPAT_H
#define BOCMAT_PYCOMPAT_H

#include <Python.h>
#include <stdbool.h>
#include <stdint.h>

#if PY_VERSION_HEX < 0x030A0000
#error "bocmat needs CPython 3.10 or newer"
#endif

#ifndef Py_GIL_DISABLED
#define BOCMAT_GIL 1
#else
#define BOCMAT_GIL 0
#endif

/* A GIL per sub-interpreter came with 3.12; a free-threaded build has no use for it. */
#define BOCMAT_HAVE_INTERPRETERS (PY_VERSION_HEX >= 0x030C0000 && BOCMAT_GIL)

#endif
