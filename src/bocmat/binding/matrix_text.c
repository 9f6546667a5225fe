/* Text that grows, and matrices as lines of numbers: writing and reading them. */
#include "matrix_text.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- text ---- */

/* Makes room for that many more characters. */
static bool
text_reserve(text *to, size_t length)
{
    size_t capacity = (to->length + length) * 2 + 64;
    char *grown;

    if (to->failed)
        return false;
    if (to->length + length <= to->capacity)
        return true;
    grown = PyMem_Realloc(to->at, capacity);
    if (!grown) {
        to->failed = true;
        PyErr_NoMemory();
        return false;
    }
    to->at = grown;
    to->capacity = capacity;
    return true;
}

void
text_add(text *to, const char *piece, size_t length)
{
    if (!text_reserve(to, length))
        return;
    memcpy(to->at + to->length, piece, length);
    to->length += length;
}

void
text_put(text *to, const char *piece)
{
    text_add(to, piece, strlen(piece));
}

PyObject *
text_finish(text *from)
{
    PyObject *result = from->failed ? NULL : PyUnicode_DecodeUTF8(from->at, (Py_ssize_t)from->length, NULL);

    PyMem_Free(from->at);
    return result;
}

/* Above this an integer is written with an exponent. */
static const double WHOLE_BELOW = 1e16;

static void
text_whole(text *to, int64_t value)
{
    char digits[24], *at = digits + sizeof digits;
    uint64_t rest = value < 0 ? (uint64_t)-value : (uint64_t)value;

    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    text_add(to, at, (size_t)(digits + sizeof digits - at));
}

void
text_number(text *to, double value)
{
    char *digits;

    if (fabs(value) < WHOLE_BELOW && value == (double)(int64_t)value) {
        if (value == 0.0 && signbit(value))
            text_put(to, "-0.0"); /* the int -0 has no sign */
        else
            text_whole(to, (int64_t)value);
        return;
    }
    digits = PyOS_double_to_string(value, 'r', 0, 0, NULL);
    if (!digits) {
        to->failed = true;
        return;
    }
    text_put(to, digits);
    PyMem_Free(digits);
}

PyObject *
matrix_lines(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords)
{
    static const args_spec spec = {"_lines", 4, 4, {"matrix", "start", "stop", "delimiter", NULL}};
    matrix_operand from = {0};
    PyObject *given[4];
    Py_ssize_t start, stop, width;
    const char *delimiter;
    text out = {0};

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[1], "start", &start) ||
        !args_index(given[2], "stop", &stop))
        return NULL;
    delimiter = PyUnicode_AsUTF8AndSize(given[3], &width);
    if (!delimiter)
        return NULL;
    from.source = given[0];
    if (!matrix_check((core_state *)PyModule_GetState(module), given[0]) || !operand_settle(&from))
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "lines are made of a Matrix");
    start = start < 0 ? 0 : start;
    for (Py_ssize_t i = start; i < stop && i < from.rows && !out.failed; i++) {
        const double *at = from.window.at + i * from.window.row_stride;

        for (Py_ssize_t j = 0; j < from.columns; j++) {
            if (j)
                text_add(&out, delimiter, (size_t)width);
            text_number(&out, at[j * from.window.column_stride]);
        }
        text_add(&out, "\n", 1);
    }
    return text_finish(&out);
}

/* ---- reading ---- */

#if LDBL_MANT_DIG == 64
typedef long double wide;
static const wide TENS[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
                            1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
                            1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
static const uint64_t EXACT = UINT64_MAX;
#else
typedef double wide;
static const wide TENS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                            1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static const uint64_t EXACT = (uint64_t)1 << 53;
#endif

enum { LARGEST_TEN = sizeof TENS / sizeof TENS[0] - 1, DIGITS = 19 /* as many always fit 64 bits */ };

/* digits * 10^exponent, both exact, and their product or quotient rounded once. False where it would be rounded twice
 * and the first rounding may have made a tie. */
static bool
scale_exactly(uint64_t digits, int exponent, double *number)
{
    wide scaled = (wide)digits;

    if (digits > EXACT || exponent > LARGEST_TEN || exponent < -LARGEST_TEN)
        return false;
    scaled = exponent < 0 ? scaled / TENS[-exponent] : scaled * TENS[exponent];
#if LDBL_MANT_DIG == 64
    {
        uint64_t fraction;

        memcpy(&fraction, &scaled, sizeof fraction);
        if ((fraction & 0x7FF) == 0x400) /* of 64 bits the last 11 go: half of the last that stays */
            return false;
    }
#endif
    *number = (double)scaled;
    return true;
}

/* The number that fills the text from `at` to `end`, which a NUL, a blank or a delimiter follows: what float() takes,
 * underscores aside. False without an exception if it is none. */
static bool
read_number(const char *at, const char *end, double *number)
{
    const char *p = at;
    bool negative = at < end && *at == '-', fine;
    int seen = 0, exponent = 0, shown = 0, written = 0;
    uint64_t digits = 0;
    char *stop = NULL;

    if (at == end)
        return false;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    for (; p < end; p++) {
        if (*p >= '0' && *p <= '9') {
            seen += digits || *p != '0';
            digits = digits * 10 + (uint64_t)(*p - '0');
            exponent -= shown;
            written++;
        } else if (*p == '.' && !shown) {
            shown = 1;
        } else {
            break;
        }
    }
    fine = written > 0 && seen <= DIGITS;
    if (fine && p < end && (*p == 'e' || *p == 'E')) {
        bool down;
        int power = 0;

        p++;
        down = p < end && *p == '-';
        if (down || (p < end && *p == '+'))
            p++;
        fine = p < end;
        for (; p < end && *p >= '0' && *p <= '9' && power < 1000; p++)
            power = power * 10 + (*p - '0');
        exponent += down ? -power : power;
    }
    if (fine && p == end && scale_exactly(digits, exponent, number)) {
        *number = negative ? -*number : *number;
        return true;
    }
    *number = PyOS_string_to_double(at, &stop, NULL);
    fine = stop == end && !(*number == -1.0 && PyErr_Occurred());
    if (PyErr_ExceptionMatches(PyExc_ValueError))
        PyErr_Clear();
    return fine;
}

typedef struct {
    const char *at, *end;  /* what is left */
    const char *delimiter; /* NULL: any blanks */
    size_t delimiter_length;
    Py_ssize_t number, first; /* of the current line and of the first one with values, counted from 1 */
    double *values;
    size_t count, capacity;
    Py_ssize_t rows, columns;
} line_reader;

static inline bool
is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\v' || character == '\f';
}

static bool
values_add(line_reader *reader, double value)
{
    if (reader->count == reader->capacity) {
        size_t capacity = reader->capacity ? reader->capacity * 2 : 256;
        double *grown = PyMem_RawRealloc(reader->values, capacity * sizeof *grown);

        if (!grown) {
            PyErr_NoMemory();
            return false;
        }
        reader->values = grown;
        reader->capacity = capacity;
    }
    reader->values[reader->count++] = value;
    return true;
}

enum { SHOWN = 80 /* characters of a line that an error quotes */ };

/* A piece of a line for an error; NULL with an exception. */
static PyObject *
quotation(const char *at, const char *end)
{
    bool cut = end - at > SHOWN;
    PyObject *piece = PyUnicode_DecodeUTF8(at, cut ? SHOWN : end - at, "replace"), *quoted;

    quoted = piece ? PyUnicode_FromFormat("%R%s", piece, cut ? "..." : "") : NULL;
    Py_XDECREF(piece);
    return quoted;
}

static void
refuse_value(const line_reader *reader, const char *at, const char *end, const char *line, const char *line_end)
{
    PyObject *value = quotation(at, end), *whole = quotation(line, line_end);

    if (value && whole)
        PyErr_Format(PyExc_ValueError, "line %zd: %U is not a number, in %U", reader->number, value, whole);
    Py_XDECREF(value);
    Py_XDECREF(whole);
}

static void
refuse_length(const line_reader *reader, Py_ssize_t found, const char *line, const char *line_end)
{
    PyObject *whole = quotation(line, line_end);

    if (whole)
        PyErr_Format(PyExc_ValueError, "line %zd has %zd values and line %zd has %zd: %U", reader->number, found,
                     reader->first, reader->columns, whole);
    Py_XDECREF(whole);
}

/* The end of the value that starts at `at`, and where the next one starts (NULL: it was the last). */
static const char *
value_end(const line_reader *reader, const char *at, const char *end, const char **next)
{
    *next = NULL;
    if (!reader->delimiter) {
        const char *stop = at;

        while (stop < end && !is_blank(*stop))
            stop++;
        for (at = stop; at < end && is_blank(*at); at++)
            continue;
        *next = at < end ? at : NULL;
        return stop;
    }
    for (; (size_t)(end - at) >= reader->delimiter_length; at++)
        if (*at == *reader->delimiter && !memcmp(at, reader->delimiter, reader->delimiter_length)) {
            *next = at + reader->delimiter_length;
            return at;
        }
    return end;
}

/* Reads the values between `line` and `end`, which no comment or line end belongs to. */
static bool
read_line(line_reader *reader, const char *line, const char *end)
{
    const char *at = line, *next;
    size_t before = reader->count;
    Py_ssize_t found;

    while (at < end && is_blank(*at))
        at++;
    if (at == end)
        return true;
    for (at = reader->delimiter ? line : at; at; at = next) {
        const char *stop = value_end(reader, at, end, &next);
        double value;

        while (at < stop && is_blank(*at))
            at++;
        while (stop > at && is_blank(stop[-1]))
            stop--;
        if (!read_number(at, stop, &value)) {
            if (!PyErr_Occurred())
                refuse_value(reader, at, stop, line, end);
            return false;
        }
        if (!values_add(reader, value))
            return false;
    }
    found = (Py_ssize_t)(reader->count - before);
    if (!reader->rows++) {
        reader->first = reader->number;
        reader->columns = found;
    }
    if (found == reader->columns)
        return true;
    refuse_length(reader, found, line, end);
    return false;
}

/* The end of the line at `at`, and where the next one starts. */
static const char *
line_end(const char *at, const char *end, const char **next)
{
    while (at < end && *at != '\n' && *at != '\r')
        at++;
    *next = at == end ? end : at + (*at == '\r' && at + 1 < end && at[1] == '\n' ? 2 : 1);
    return at;
}

static bool
read_lines(line_reader *reader, Py_ssize_t skip)
{
    while (reader->at < reader->end) {
        const char *line = reader->at, *end = line_end(line, reader->end, &reader->at), *comment;

        if (++reader->number <= skip)
            continue;
        comment = memchr(line, '#', (size_t)(end - line));
        if (!read_line(reader, line, comment ? comment : end))
            return false;
    }
    return true;
}

PyObject *
matrix_of_lines(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *keywords)
{
    static const args_spec spec = {"_of_lines", 3, 3, {"data", "delimiter", "skip", NULL}};
    line_reader reader = {0};
    PyObject *given[3], *result = NULL;
    Py_ssize_t skip, length;

    if (!args_take(&spec, args, count, keywords, given) || !args_index(given[2], "skiprows", &skip))
        return NULL;
    if (!PyBytes_Check(given[0])) /* which a NUL ends, so that reading a number cannot run on */
        return PyErr_Format(PyExc_TypeError, "lines are read from bytes, not from %s", Py_TYPE(given[0])->tp_name);
    if (given[1] != Py_None) {
        reader.delimiter = PyUnicode_AsUTF8AndSize(given[1], &length);
        if (!reader.delimiter)
            return NULL;
        reader.delimiter_length = (size_t)length;
    }
    reader.at = PyBytes_AS_STRING(given[0]);
    reader.end = reader.at + PyBytes_GET_SIZE(given[0]);
    if (reader.end - reader.at >= 3 && !memcmp(reader.at, "\xEF\xBB\xBF", 3))
        reader.at += 3; /* the mark that some editors put before UTF-8 */
    if (read_lines(&reader, skip))
        result = matrix_empty(PyModule_GetState(module), reader.rows, reader.columns);
    if (result && reader.count)
        memcpy(((MatrixObject *)result)->data, reader.values, reader.count * sizeof(double));
    PyMem_RawFree(reader.values);
    return result;
}
