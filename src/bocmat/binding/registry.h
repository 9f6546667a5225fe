/* What all interpreters of the process know in common, without a Python object in it: function templates, importable
 * names, namespaces and definitions, each under a small number that never changes or ends.
 *
 * Tables only grow. A lookup by number takes no lock; finding or adding takes one.
 */
#ifndef BOCMAT_REGISTRY_H
#define BOCMAT_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of text or bytes; ends in a NUL that `length` does not count. */
typedef struct {
    size_t length;
    char *text;
} registry_text;

/* A function as it travels: its code, and the names it takes from around it. Values of these names travel with every
 * behavior. */
typedef struct {
    uint32_t id;
    uint32_t space;     /* the namespace that its globals are: see registry_space */
    registry_text code; /* marshalled */
    registry_text name; /* qualified */
    registry_text file;
    uint32_t line; /* where it begins */
    uint32_t free_count;
    uint32_t global_count;
    registry_text *globals; /* names, in a fixed order */
} function_template;

/* Takes a draft whose pointers belong to the caller and copies what it keeps; the same code in the same namespace
 * gives the same template. NULL: no memory. */
const function_template *registry_template_add(const function_template *draft);
const function_template *registry_template(uint32_t id);

/* Something that every interpreter can import: a module (no name) or what stands in it under a dotted name.
 * Returns its number, or UINT32_MAX for want of memory. */
uint32_t registry_name_add(const char *module, const char *name);
/* `name` is NULL for a module. */
void registry_name(uint32_t id, const char **module, const char **name);

/* The globals of one module: name and file. */
uint32_t registry_space_add(const char *module, const char *file);
void registry_space(uint32_t id, const char **module, const char **file);

/* Definitions: classes of the running program, each as a pickle that makes it. Reserving gives the number that the
 * pickle itself may refer to. */
uint32_t registry_definition_reserve(void);
/* Returns 0, or -1 for want of memory. `data` is copied. */
int registry_definition_set(uint32_t id, const char *data, size_t length);
/* NULL text while it is only reserved. */
registry_text registry_definition(uint32_t id);

#endif
