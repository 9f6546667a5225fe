/* Which instruction set runs: chosen once, when the library is loaded. */
#include <string.h>

#include "table.h"

const mk_table *mk_active = &mk_table_plain;

static bool
runs_here(const mk_table *table)
{
    if (table == &mk_table_plain)
        return true;
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (table == &mk_table_avx2)
        return avx2;
    if (table == &mk_table_avx512)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
#endif
    return false;
}

static const mk_table *const best_first[] = {
#if defined(__x86_64__)
    &mk_table_avx512,
    &mk_table_avx2,
#endif
    &mk_table_plain,
};

enum { TABLES = sizeof best_first / sizeof *best_first };

__attribute__((constructor)) static void
select_best(void)
{
    size_t i = 0;
    while (!runs_here(best_first[i]))
        i++;
    mk_active = best_first[i];
}

const char *
mk_isa(void)
{
    return mk_active->name;
}

bool
mk_select_isa(const char *name)
{
    for (size_t i = 0; i < TABLES; i++)
        if (strcmp(best_first[i]->name, name) == 0 && runs_here(best_first[i])) {
            mk_active = best_first[i];
            return true;
        }
    return false;
}
