#include "registry.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Entries live in chunks that never move, so that a reader needs no lock: it was given the number by someone who had
 * finished adding, through a hand-over that orders memory (a behavior, a payload). */
enum { CHUNK = 256, CHUNKS = 4096 };

typedef struct {
    void **_Atomic chunks[CHUNKS];
    atomic_uint count;
} table;

typedef struct {
    registry_text module, text; /* text.text NULL: a module */
} name_entry;

typedef struct {
    registry_text data; /* no text while it is only reserved */
} definition_entry;

static table templates, names, spaces, definitions;

/* Open addressing over (hash, number + 1); one for what must be found again by content. */
typedef struct {
    struct {
        uint64_t hash;
        uint32_t number;
    } *cells;
    uint32_t size, used;
} finder;

static finder template_finder, name_finder, space_finder;

static atomic_flag guard = ATOMIC_FLAG_INIT;

static void
lock(void)
{
    while (atomic_flag_test_and_set_explicit(&guard, memory_order_acquire)) {
        /* held for microseconds; never while Python runs */
    }
}

static void
unlock(void)
{
    atomic_flag_clear_explicit(&guard, memory_order_release);
}

static void *
table_get(table *t, uint32_t id)
{
    void **chunk = atomic_load_explicit(&t->chunks[id / CHUNK], memory_order_acquire);

    return chunk[id % CHUNK];
}

static uint32_t
table_add(table *t, void *entry)
{
    uint32_t id = atomic_load_explicit(&t->count, memory_order_relaxed);
    void **chunk;

    if (id / CHUNK >= CHUNKS)
        return UINT32_MAX;
    chunk = atomic_load_explicit(&t->chunks[id / CHUNK], memory_order_relaxed);
    if (!chunk) {
        chunk = calloc(CHUNK, sizeof *chunk);
        if (!chunk)
            return UINT32_MAX;
        atomic_store_explicit(&t->chunks[id / CHUNK], chunk, memory_order_release);
    }
    chunk[id % CHUNK] = entry;
    atomic_store_explicit(&t->count, id + 1, memory_order_release);
    return id;
}

/* FNV-1a, continued from `hash`. */
static uint64_t
hash_bytes(uint64_t hash, const void *data, size_t length)
{
    const unsigned char *at = data;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return hash;
}

static uint64_t
hash_texts(const registry_text *a, const registry_text *b)
{
    uint64_t hash = hash_bytes(UINT64_C(14695981039346656037), a->text, a->length);

    return b->text ? hash_bytes(hash ^ 0xff, b->text, b->length) : hash;
}

static bool
finder_grow(finder *f)
{
    finder larger = {NULL, f->size ? f->size * 2 : 256, f->used};

    larger.cells = calloc(larger.size, sizeof *larger.cells);
    if (!larger.cells)
        return false;
    for (uint32_t i = 0; i < f->size; i++) {
        if (f->cells[i].number) {
            uint32_t at = (uint32_t)f->cells[i].hash & (larger.size - 1);

            while (larger.cells[at].number)
                at = (at + 1) & (larger.size - 1);
            larger.cells[at] = f->cells[i];
        }
    }
    free(f->cells);
    *f = larger;
    return true;
}

/* The number of an entry for which `same(entry, like)`, or UINT32_MAX. */
static uint32_t
finder_find(const finder *f, table *t, uint64_t hash, bool (*same)(const void *, const void *), const void *like)
{
    if (!f->size)
        return UINT32_MAX;
    for (uint32_t at = (uint32_t)hash & (f->size - 1); f->cells[at].number; at = (at + 1) & (f->size - 1)) {
        if (f->cells[at].hash == hash && same(table_get(t, f->cells[at].number - 1), like))
            return f->cells[at].number - 1;
    }
    return UINT32_MAX;
}

static bool
finder_add(finder *f, uint64_t hash, uint32_t number)
{
    if (f->used * 2 >= f->size && !finder_grow(f))
        return false;
    uint32_t at = (uint32_t)hash & (f->size - 1);

    while (f->cells[at].number)
        at = (at + 1) & (f->size - 1);
    f->cells[at].hash = hash;
    f->cells[at].number = number + 1;
    f->used++;
    return true;
}

static bool
text_equal(const registry_text *a, const registry_text *b)
{
    if (!a->text || !b->text)
        return a->text == b->text;
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static bool
text_copy(registry_text *to, const registry_text *from)
{
    to->length = from->length;
    to->text = NULL;
    if (!from->text)
        return true;
    to->text = malloc(from->length + 1);
    if (!to->text)
        return false;
    memcpy(to->text, from->text, from->length);
    to->text[from->length] = '\0';
    return true;
}

static registry_text
text_of(const char *text)
{
    return (registry_text){text ? strlen(text) : 0, (char *)(uintptr_t)text};
}

/* ---- templates ---- */

static bool
template_same(const void *entry, const void *like)
{
    const function_template *a = entry, *b = like;

    return a->space == b->space && text_equal(&a->code, &b->code);
}

static void
template_free(function_template *t)
{
    free(t->code.text);
    free(t->name.text);
    free(t->file.text);
    for (uint32_t i = 0; t->globals && i < t->global_count; i++)
        free(t->globals[i].text);
    free(t->globals);
    free(t);
}

static function_template *
template_copy(const function_template *draft)
{
    function_template *t = malloc(sizeof *t);

    if (!t)
        return NULL;
    *t = *draft;
    t->code.text = t->name.text = t->file.text = NULL;
    t->globals = calloc(draft->global_count ? draft->global_count : 1, sizeof *t->globals);
    bool fits = t->globals && text_copy(&t->code, &draft->code) && text_copy(&t->name, &draft->name) &&
                text_copy(&t->file, &draft->file);
    for (uint32_t i = 0; fits && i < draft->global_count; i++)
        fits = text_copy(&t->globals[i], &draft->globals[i]);
    if (!fits) {
        template_free(t);
        return NULL;
    }
    return t;
}

const function_template *
registry_template_add(const function_template *draft)
{
    uint64_t hash = hash_bytes(hash_texts(&draft->code, &(registry_text){0, NULL}), &draft->space, sizeof draft->space);
    function_template *t = NULL;
    uint32_t id;

    lock();
    id = finder_find(&template_finder, &templates, hash, template_same, draft);
    if (id != UINT32_MAX) {
        t = table_get(&templates, id);
    } else if ((t = template_copy(draft))) {
        id = table_add(&templates, t);
        t->id = id;
        if (id == UINT32_MAX || !finder_add(&template_finder, hash, id)) {
            if (id == UINT32_MAX)
                template_free(t);
            t = NULL;
        }
    }
    unlock();
    return t;
}

const function_template *
registry_template(uint32_t id)
{
    return table_get(&templates, id);
}

/* ---- names and namespaces: two texts each ---- */

static bool
name_same(const void *entry, const void *like)
{
    const name_entry *a = entry, *b = like;

    return text_equal(&a->module, &b->module) && text_equal(&a->text, &b->text);
}

static uint32_t
name_add(finder *f, table *t, const char *module, const char *text)
{
    name_entry like = {text_of(module), text_of(text)};
    uint64_t hash = hash_texts(&like.module, &like.text);
    uint32_t id;

    lock();
    id = finder_find(f, t, hash, name_same, &like);
    if (id == UINT32_MAX) {
        name_entry *entry = calloc(1, sizeof *entry);

        if (entry && text_copy(&entry->module, &like.module) && text_copy(&entry->text, &like.text))
            id = table_add(t, entry);
        if (id == UINT32_MAX && entry) {
            free(entry->module.text);
            free(entry->text.text);
            free(entry);
        } else if (id != UINT32_MAX && !finder_add(f, hash, id)) {
            id = UINT32_MAX;
        }
    }
    unlock();
    return id;
}

static void
name_get(table *t, uint32_t id, const char **module, const char **text)
{
    const name_entry *entry = table_get(t, id);

    *module = entry->module.text;
    *text = entry->text.text;
}

uint32_t
registry_name_add(const char *module, const char *name)
{
    return name_add(&name_finder, &names, module, name);
}

void
registry_name(uint32_t id, const char **module, const char **name)
{
    name_get(&names, id, module, name);
}

uint32_t
registry_space_add(const char *module, const char *file)
{
    return name_add(&space_finder, &spaces, module, file);
}

void
registry_space(uint32_t id, const char **module, const char **file)
{
    name_get(&spaces, id, module, file);
}

/* ---- definitions ---- */

uint32_t
registry_definition_reserve(void)
{
    definition_entry *entry = calloc(1, sizeof *entry);
    uint32_t id;

    if (!entry)
        return UINT32_MAX;
    lock();
    id = table_add(&definitions, entry);
    unlock();
    if (id == UINT32_MAX)
        free(entry);
    return id;
}

int
registry_definition_set(uint32_t id, const char *data, size_t length)
{
    definition_entry *entry = table_get(&definitions, id);
    registry_text copy = {0, NULL};

    if (!text_copy(&copy, &(registry_text){length, (char *)(uintptr_t)data}))
        return -1;
    lock();
    entry->data = copy;
    unlock();
    return 0;
}

registry_text
registry_definition(uint32_t id)
{
    definition_entry *entry = table_get(&definitions, id);
    registry_text data;

    lock();
    data = entry->data;
    unlock();
    return data;
}
