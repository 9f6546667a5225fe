/* The loops for any machine: vectors of two doubles, registers on x86-64 and AArch64, plain C elsewhere. */
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#include "lanes.h"

#define MK_TABLE      mk_table_plain
#define MK_TABLE_NAME "plain"
#include "loops.h"
