/* The bytes of an encoded value; private to payload*.c, function.c and travel.c. */
#ifndef BOCMAT_PAYLOAD_CODES_H
#define BOCMAT_PAYLOAD_CODES_H

#include "payload.h"

#include <string.h>

enum {
    CODE_NONE = 'N',
    CODE_FALSE = 'F',
    CODE_TRUE = 'T',
    CODE_INT = 'i',     /* int64 */
    CODE_LONG = 'l',    /* count, then two's complement bytes, least first */
    CODE_FLOAT = 'd',   /* double */
    CODE_COMPLEX = 'c', /* two doubles */
    CODE_STR = 's',     /* kind byte, count of characters, characters as CPython stores them */
    CODE_BYTES = 'b',   /* count, bytes */
    CODE_TUPLE = '(',   /* count, values; this and the next four take the next memo index */
    CODE_LIST = '[',
    CODE_DICT = '{', /* count, keys and values in turn */
    CODE_SET = '<',
    CODE_FROZENSET = '>',
    CODE_INSTANCE = 'I',   /* class, count, names and values in turn; takes a memo index */
    CODE_TEXT = 'S',       /* as CODE_STR; takes a memo index */
    CODE_REFERENCE = 'r',  /* memo index */
    CODE_MATRIX = 'M',     /* the next handle; takes a memo index */
    CODE_COWN = 'C',       /* the next handle; takes a memo index */
    CODE_NAME = 'g',       /* registry name */
    CODE_DEFINITION = 'D', /* registry definition */
    CODE_FUNCTION = 'f',   /* template, parts, values: see function.c; takes a memo index */
    CODE_CELL = 'o',       /* a value or CODE_UNSET; takes a memo index */
    CODE_UNSET = 'u',
    CODE_BOUND = '=',   /* a global that this payload has set already */
    CODE_PICKLE = 'P',  /* count of handles, count of bytes, bytes */
    CODE_LATE = 'L',    /* index among the late values */
    CODE_REMOVED = 'R', /* REMOVED of the noticeboard */
    CODE_OBJECT = 'O'   /* the next handle */
};

/* What encoder_native answers besides 0 and -1: the value has no native form, and nothing was appended for good. */
enum { ENCODE_NOT_NATIVE = 1 };

int encoder_native(encoder *e, PyObject *value);
/* Count, keys and values in turn. */
int encoder_pairs(encoder *e, PyObject *dict);

/* A place to go back to if what follows turns out to have no native form. */
typedef struct {
    size_t length;
    uint32_t pending_count, memo_next;
    Py_ssize_t late_count;
} encoder_mark;

encoder_mark encoder_here(const encoder *e);
int encoder_rewind(encoder *e, encoder_mark mark);

/* One more handle, to be made of this object. */
int encoder_pend(encoder *e, PyObject *object);
/* A code, a length that may pass 4 GiB, and that many bytes. */
int encoder_run(encoder *e, unsigned char code, const void *data, size_t length);
int encoder_bytes(encoder *e, const void *data, size_t length);
int encoder_code(encoder *e, unsigned char code);
int encoder_number(encoder *e, unsigned char code, uint32_t number);

/* 1 and CODE_REFERENCE written if (key, space) was met before; 0 and an index taken if not; -1 with an exception. */
int encoder_mention(encoder *e, void *key, uint32_t space);
enum { SPACE_OBJECT = 0x7fffffff };

int decoder_remember(decoder *d, PyObject *object);
unsigned char decoder_code(decoder *d);
uint32_t decoder_number(decoder *d);
PyObject *decoder_value(decoder *d, unsigned char code);

#endif
