/* Functions as they travel: the template of a code object, and what a function captured.
 *
 * A function of the running program goes as the number of its template, its defaults, its cells and the values of the
 * globals that its code names, as they are now. Functions and classes that can be imported never come here: they go by
 * name.
 */
#ifndef BOCMAT_FUNCTION_H
#define BOCMAT_FUNCTION_H

#include "payload.h"

/* In the extras of a code object, which owns them: one for each module in whose globals its functions were seen. */
typedef struct code_entry {
    struct code_entry *next;
    const function_template *template;
    PyObject *module; /* __name__ of the globals it was made for */
    PyObject **names; /* the template's globals, interned */
    bool by_value;    /* its functions were found not to go by name */
    bool sent;        /* around_sent knows of it */
} code_entry;

void code_entry_free(void *entry);

/* The entry of a plain Python function, made when first asked for; NULL with an exception. */
code_entry *function_entry(core_state *state, PyObject *function);

/* The code object of a template here, made when first asked for; borrowed, the interpreter keeps it. */
PyObject *template_code(core_state *state, const function_template *template);

/* Appends the function: 0, or -1 with an exception; a TypeError names the variable that cannot travel. */
int function_encode(encoder *e, PyObject *function);
/* A function of that template without anything captured and without cells, for a pickle to fill; a new reference. */
PyObject *function_make(core_state *state, uint32_t number);
/* After its code byte has been read; a new reference. */
PyObject *function_decode(decoder *d);
PyObject *cell_decode(decoder *d);

#endif
