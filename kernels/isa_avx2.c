/* The loops for AVX2 and FMA. */
#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "table.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,prfchw"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,prfchw")
#endif

#define MK_LANES_AVX2
#include "lanes.h"

#define MK_TABLE      mk_table_avx2
#define MK_TABLE_NAME "avx2"
#include "loops.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#else
typedef int isa_avx2_is_empty; /* C wants one declaration a file */
#endif
