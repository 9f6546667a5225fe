/* Numbers of every real format that buffers, tensors and files hold, read as doubles. */
#include "matrix_convert.h"

#include <string.h>

/* ---- one number, at any address ---- */

#define LOAD(name, type)                             \
    static inline double load_##name(const char *at) \
    {                                                \
        type value;                                  \
                                                     \
        memcpy(&value, at, sizeof value);            \
        return (double)value;                        \
    }
#define LOAD_SWAPPED(name, type, bits)                       \
    static inline double load_swapped_##name(const char *at) \
    {                                                        \
        uint##bits##_t raw;                                  \
        type value;                                          \
                                                             \
        memcpy(&raw, at, sizeof raw);                        \
        raw = __builtin_bswap##bits(raw);                    \
        memcpy(&value, &raw, sizeof value);                  \
        return (double)value;                                \
    }

LOAD(i8, int8_t)
LOAD(u8, uint8_t)
LOAD(i16, int16_t)
LOAD(u16, uint16_t)
LOAD(i32, int32_t)
LOAD(u32, uint32_t)
LOAD(i64, int64_t)
LOAD(u64, uint64_t)
LOAD(f32, float)
LOAD(f64, double)
LOAD(long_double, long double)
LOAD_SWAPPED(i16, int16_t, 16)
LOAD_SWAPPED(u16, uint16_t, 16)
LOAD_SWAPPED(i32, int32_t, 32)
LOAD_SWAPPED(u32, uint32_t, 32)
LOAD_SWAPPED(i64, int64_t, 64)
LOAD_SWAPPED(u64, uint64_t, 64)
LOAD_SWAPPED(f32, float, 32)
LOAD_SWAPPED(f64, double, 64)
#undef LOAD
#undef LOAD_SWAPPED

static inline double
load_bool(const char *at)
{
    return *at ? 1.0 : 0.0;
}

/* IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */
static inline double
half_value(uint16_t half)
{
    uint64_t sign = (uint64_t)(half >> 15) << 63, exponent = half >> 10 & 31, fraction = half & 1023, bits;
    double value;

    if (exponent == 0)
        return (sign ? -0x1p-24 : 0x1p-24) * (double)fraction;
    exponent = exponent == 31 ? 2047 : exponent + 1023 - 15;
    bits = sign | exponent << 52 | fraction << 42;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double
load_f16(const char *at)
{
    uint16_t half;

    memcpy(&half, at, sizeof half);
    return half_value(half);
}

static inline double
load_swapped_f16(const char *at)
{
    uint16_t half;

    memcpy(&half, at, sizeof half);
    return half_value(__builtin_bswap16(half));
}

static inline double
load_swapped_long_double(const char *at)
{
    char turned[sizeof(long double)];

    for (size_t i = 0; i < sizeof turned; i++)
        turned[i] = at[sizeof turned - 1 - i];
    return load_long_double(turned);
}

/* ---- a row of them ---- */

/* Packed ones have a loop of their own, which the compiler turns into vector instructions. */
#define ROW(load, width)                                                             \
    static void row_##load(const char *at, ptrdiff_t step, double *to, size_t count) \
    {                                                                                \
        if (step == (ptrdiff_t)(width))                                              \
            for (size_t i = 0; i < count; i++)                                       \
                to[i] = load(at + i * (width));                                      \
        else                                                                         \
            for (size_t i = 0; i < count; i++, at += step)                           \
                to[i] = load(at);                                                    \
    }

ROW(load_bool, 1)
ROW(load_i8, 1)
ROW(load_u8, 1)
ROW(load_i16, 2)
ROW(load_u16, 2)
ROW(load_f16, 2)
ROW(load_i32, 4)
ROW(load_u32, 4)
ROW(load_f32, 4)
ROW(load_i64, 8)
ROW(load_u64, 8)
ROW(load_f64, 8)
ROW(load_long_double, sizeof(long double))
ROW(load_swapped_i16, 2)
ROW(load_swapped_u16, 2)
ROW(load_swapped_f16, 2)
ROW(load_swapped_i32, 4)
ROW(load_swapped_u32, 4)
ROW(load_swapped_f32, 4)
ROW(load_swapped_i64, 8)
ROW(load_swapped_u64, 8)
ROW(load_swapped_f64, 8)
ROW(load_swapped_long_double, sizeof(long double))
#undef ROW

typedef void (*row_reader)(const char *at, ptrdiff_t step, double *to, size_t count);

static const struct {
    char kind; /* as DLPack has it: b bool, i signed, u unsigned, f IEEE 754, g what C calls long double */
    size_t width;
    row_reader native, swapped;
} readers[] = {
    {'b', 1, row_load_bool, row_load_bool},
    {'i', 1, row_load_i8, row_load_i8},
    {'u', 1, row_load_u8, row_load_u8},
    {'i', 2, row_load_i16, row_load_swapped_i16},
    {'u', 2, row_load_u16, row_load_swapped_u16},
    {'f', 2, row_load_f16, row_load_swapped_f16},
    {'i', 4, row_load_i32, row_load_swapped_i32},
    {'u', 4, row_load_u32, row_load_swapped_u32},
    {'f', 4, row_load_f32, row_load_swapped_f32},
    {'i', 8, row_load_i64, row_load_swapped_i64},
    {'u', 8, row_load_u64, row_load_swapped_u64},
    {'f', 8, row_load_f64, row_load_swapped_f64},
    {'g', sizeof(long double), row_load_long_double, row_load_swapped_long_double},
};

static row_reader
reader_of(number_format format)
{
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++)
        if (readers[i].kind == format.kind && readers[i].width == format.width)
            return format.swapped ? readers[i].swapped : readers[i].native;
    return NULL;
}

bool
number_format_known(number_format format)
{
    return reader_of(format) != NULL;
}

/* The letters of the struct module and of PEP 3118, and the widths that each may have: one in the machine's sizes, one
 * in the standard ones. */
static const struct {
    char letter, kind;
    size_t width, standard;
} letters[] = {
    {'?', 'b', 1, 1},
    {'b', 'i', 1, 1},
    {'B', 'u', 1, 1},
    {'h', 'i', sizeof(short), 2},
    {'H', 'u', sizeof(short), 2},
    {'i', 'i', sizeof(int), 4},
    {'I', 'u', sizeof(int), 4},
    {'l', 'i', sizeof(long), 4},
    {'L', 'u', sizeof(long), 4},
    {'q', 'i', 8, 8},
    {'Q', 'u', 8, 8},
    {'n', 'i', sizeof(size_t), sizeof(size_t)},
    {'N', 'u', sizeof(size_t), sizeof(size_t)},
    {'e', 'f', 2, 2},
    {'f', 'f', 4, 4},
    {'d', 'f', 8, 8},
    {'g', 'g', sizeof(long double), sizeof(long double)},
};

bool
number_format_read(const char *text, Py_ssize_t width, number_format *format)
{
    const char native = PY_LITTLE_ENDIAN ? '<' : '>';

    if (!text)
        text = "B";
    *format = (number_format){0};
    if (*text && strchr("@=^<>!", *text)) {
        format->swapped = strchr("<>!", *text) && (*text == '!' ? '>' : *text) != native;
        text++;
    }
    if (!text[0] || text[1])
        return false;
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (letters[i].letter == *text && ((size_t)width == letters[i].width || (size_t)width == letters[i].standard)) {
            format->kind = letters[i].kind;
            format->width = (size_t)width;
            return true;
        }
    return false;
}

void
numbers_read(number_format format, Py_ssize_t rows, Py_ssize_t columns, const char *at, Py_ssize_t row_step,
             Py_ssize_t column_step, double *to)
{
    row_reader read = reader_of(format);

    if (row_step == columns * column_step) { /* one long row */
        columns *= rows;
        rows = columns ? 1 : 0;
    }
    for (Py_ssize_t i = 0; i < rows; i++)
        read(at + i * row_step, column_step, to + i * columns, (size_t)columns);
}
