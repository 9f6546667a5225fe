/* How values and functions leave one interpreter and arrive in another: what one interpreter keeps for it. */
#ifndef BOCMAT_TRAVEL_H
#define BOCMAT_TRAVEL_H

#include "state.h"

#include "registry.h"

/* An object that travels under a number: importable by name, or a class with a definition. Kept alive, so that its
 * address stays its own. */
typedef struct {
    PyObject *object;
    uint32_t number;
    uint8_t code; /* CODE_NAME or CODE_DEFINITION of payload.c */
} known_entry;

/* Objects by number, for decoding: index is the registry's number. */
typedef struct {
    PyObject **at;
    uint32_t size;
} object_table;

/* What bocmat.pickles said of a class: see instance.h. No reference: no two classes that were have the same version. */
typedef struct {
    const PyTypeObject *type;
    unsigned int version; /* of which it holds; 0: of none */
    unsigned short asked;
    bool plain;
} plain_cell;

enum { PLAIN_CELLS = 64 };

typedef struct travel_state {
    travel_lock lock; /* free-threaded builds: several threads share this */

    Py_ssize_t code_index; /* of our entry in a code object's extras */
    PyObject *name_name;   /* "__name__" */

    known_entry *known; /* open addressing by address */
    uint32_t known_size, known_used;

    object_table named;     /* registry names */
    object_table defined;   /* definitions */
    object_table codes;     /* templates: code objects */
    object_table functions; /* templates: functions with neither closure nor defaults */
    object_table spaces;    /* namespaces: dicts */

    /* bocmat.travel and bocmat.pickles, imported when first needed: many programs never need the second. */
    PyObject *travel_module, *pickles_module;

    /* Growing scratch of the encoder, kept from one use to the next; NULL while one has it. */
    unsigned char *scratch;
    size_t scratch_size;

    plain_cell plain[PLAIN_CELLS]; /* by address; a later class takes the place of an earlier one */
    PyObject *reducers;            /* copyreg's dispatch_table; NULL: not asked for yet */

    struct around_name *around; /* globals that methods name: see around.h */
    uint32_t around_count, around_size;
    PyObject *sent; /* main program only: {(namespace, name)} of what functions took along; NULL: none did */

    PyObject *held; /* main program only: {address of the cown: Cown} whose value it has taken out */
    bool is_main;
} travel_state;

#define travel_of(state) ((state)->travel)

int travel_init(core_state *state);
void travel_clear(core_state *state);

/* A function of bocmat.travel, or of bocmat.pickles; new reference. */
PyObject *travel_function(core_state *state, const char *name);
PyObject *pickles_function(core_state *state, const char *name);

/* How an object travels if it does under a number: 1 and the entry, 0 if it does not, -1 with an exception. Asks
 * bocmat.travel the first time it sees a class, function or module. */
int travel_known(core_state *state, PyObject *object, known_entry *entry);
/* The same without asking. */
bool travel_known_already(travel_state *travel, PyObject *object, known_entry *entry);
int travel_known_add(core_state *state, PyObject *object, uint8_t code, uint32_t number);

/* The object under a number here, imported when first asked for; borrowed. */
PyObject *travel_named(core_state *state, uint32_t number);
/* The class, made from its definition when first asked for; a new reference. */
PyObject *travel_defined(core_state *state, uint32_t number);

/* What stands under a number, borrowed for as long as the interpreter lives; NULL, without an exception, if nothing
 * does. */
PyObject *object_table_get(travel_state *travel, const object_table *table, uint32_t number);
/* Puts an object there unless another thread was first, takes over the reference, and returns what stands there then
 * (borrowed); NULL with MemoryError. */
PyObject *object_table_put(travel_state *travel, object_table *table, uint32_t number, PyObject *object);

#endif
