/* The encoder's bytes, memo and handles, and the block they become. What is written is in payload_encode.c, reading in
 * payload_decode.c. */
#include "payload_codes.h"

#include <stdlib.h>

#include "cown.h"
#include "function.h"

void
encoder_init(encoder *e, core_state *state, encode_mode mode)
{
    memset(e, 0, sizeof *e);
    e->memo.size = MEMO_FEW;
    e->state = state;
    e->travel = state->travel;
    e->mode = mode;
    e->objects_allowed = backend_shares_objects();
    TRAVEL_LOCK(e->travel);
    e->data = e->travel->scratch;
    e->size = e->travel->scratch_size;
    e->travel->scratch = NULL;
    e->travel->scratch_size = 0;
    TRAVEL_UNLOCK(e->travel);
}

void
encoder_clear(encoder *e)
{
    for (uint32_t i = 0; i < e->pending_count; i++)
        Py_DECREF(e->pending[i]);
    PyMem_Free(e->pending);
    PyMem_Free(e->memo.cells);
    Py_XDECREF(e->late);
    Py_XDECREF(e->late_names);
    TRAVEL_LOCK(e->travel);
    if (!e->travel->scratch && e->size <= 1 << 16) {
        e->travel->scratch = e->data;
        e->travel->scratch_size = e->size;
        e->data = NULL;
    }
    TRAVEL_UNLOCK(e->travel);
    PyMem_Free(e->data);
    e->data = NULL;
}

/* ---- bytes ---- */

static int
encoder_grow(encoder *e, size_t more)
{
    size_t size = e->size ? e->size : 256;
    unsigned char *data;

    if (more > (size_t)PY_SSIZE_T_MAX - e->length) {
        PyErr_NoMemory();
        return -1;
    }
    while (size < e->length + more)
        size *= 2;
    data = PyMem_Realloc(e->data, size);
    if (!data) {
        PyErr_NoMemory();
        return -1;
    }
    e->data = data;
    e->size = size;
    return 0;
}

int
encoder_bytes(encoder *e, const void *data, size_t length)
{
    if (e->size - e->length < length && encoder_grow(e, length) < 0)
        return -1;
    if (length)
        memcpy(e->data + e->length, data, length);
    e->length += length;
    return 0;
}

int
encoder_code(encoder *e, unsigned char code)
{
    return encoder_bytes(e, &code, 1);
}

int
encoder_number(encoder *e, unsigned char code, uint32_t number)
{
    unsigned char bytes[1 + sizeof number];

    bytes[0] = code;
    memcpy(bytes + 1, &number, sizeof number);
    return encoder_bytes(e, bytes, sizeof bytes);
}

int
encoder_put_count(encoder *e, uint32_t count)
{
    return encoder_bytes(e, &count, sizeof count);
}

int
encoder_put_unset(encoder *e)
{
    return encoder_code(e, CODE_UNSET);
}

/* A code, a length that may pass 4 GiB, and that many bytes. */
int
encoder_run(encoder *e, unsigned char code, const void *data, size_t length)
{
    return encoder_code(e, code) < 0 || encoder_bytes(e, &length, sizeof length) < 0 ||
                   encoder_bytes(e, data, length) < 0
               ? -1
               : 0;
}

/* ---- what was met before ---- */

static uint32_t
memo_hash(const void *key, uint32_t space)
{
    return (uint32_t)((((uintptr_t)key >> 4) + (uintptr_t)space * 7919) * UINT64_C(0x9E3779B97F4A7C15) >> 32);
}

/* The cell that has the key, or the free one where it belongs. */
static memo_entry *
memo_cell(memo_entry *cells, uint32_t size, const void *key, uint32_t space)
{
    uint32_t at = memo_hash(key, space) & (size - 1);

    while (cells[at].key && (cells[at].key != key || cells[at].space != space))
        at = (at + 1) & (size - 1);
    return &cells[at];
}

static memo_entry *
memo_cells(encode_memo *memo)
{
    return memo->cells ? memo->cells : memo->few;
}

/* Makes room, keeping only entries with an index below `keep`. */
static int
memo_rebuild(encode_memo *memo, uint32_t size, uint32_t keep)
{
    memo_entry *old = memo_cells(memo), *fresh = PyMem_Calloc(size, sizeof *fresh);
    uint32_t used = 0;

    if (!fresh) {
        PyErr_NoMemory();
        return -1;
    }
    for (uint32_t i = 0; i < memo->size; i++) {
        if (old[i].key && old[i].index < keep) {
            *memo_cell(fresh, size, old[i].key, old[i].space) = old[i];
            used++;
        }
    }
    PyMem_Free(memo->cells);
    memo->cells = fresh;
    memo->size = size;
    memo->used = used;
    return 0;
}

int
encoder_mention(encoder *e, void *key, uint32_t space)
{
    encode_memo *memo = &e->memo;
    memo_entry *cell;

    if (memo->used * 2 >= memo->size && memo_rebuild(memo, memo->size * 2, UINT32_MAX) < 0)
        return -1;
    cell = memo_cell(memo_cells(memo), memo->size, key, space);
    if (cell->key)
        return encoder_number(e, CODE_REFERENCE, cell->index) < 0 ? -1 : 1;
    *cell = (memo_entry){key, space, e->memo_next++};
    memo->used++;
    return 0;
}

/* ---- handles ---- */

int
encoder_pend(encoder *e, PyObject *object)
{
    if (e->pending_count == e->pending_size) {
        uint32_t size = e->pending_size ? e->pending_size * 2 : 4;
        PyObject **pending = PyMem_Realloc(e->pending, size * sizeof *pending);

        if (!pending) {
            PyErr_NoMemory();
            return -1;
        }
        e->pending = pending;
        e->pending_size = size;
    }
    e->pending[e->pending_count++] = Py_NewRef(object);
    return 0;
}

/* ---- taking back ---- */

encoder_mark
encoder_here(const encoder *e)
{
    return (encoder_mark){e->length, e->pending_count, e->memo_next, e->late ? PyList_GET_SIZE(e->late) : 0};
}

int
encoder_rewind(encoder *e, encoder_mark mark)
{
    e->length = mark.length;
    while (e->pending_count > mark.pending_count)
        Py_DECREF(e->pending[--e->pending_count]);
    if (e->late && PyList_GET_SIZE(e->late) > mark.late_count &&
        (PyList_SetSlice(e->late, mark.late_count, PY_SSIZE_T_MAX, NULL) < 0 ||
         PyList_SetSlice(e->late_names, mark.late_count, PY_SSIZE_T_MAX, NULL) < 0))
        return -1;
    if (e->memo_next != mark.memo_next) {
        e->memo_next = mark.memo_next;
        return memo_rebuild(&e->memo, e->memo.size, mark.memo_next);
    }
    return 0;
}

bool
encoder_again(encoder *e)
{
    if (!e->late || !e->apart || e->together)
        return false;
    e->length = 0;
    while (e->pending_count)
        Py_DECREF(e->pending[--e->pending_count]);
    PyMem_Free(e->memo.cells);
    memset(&e->memo, 0, sizeof e->memo);
    e->memo.size = MEMO_FEW;
    e->memo_next = 0;
    Py_CLEAR(e->late);
    Py_CLEAR(e->late_names);
    e->together = true;
    return true;
}

/* ---- the block ---- */

size_t
encoder_size(const encoder *e)
{
    return sizeof(payload) + e->pending_count * sizeof(handle) + e->length;
}

static int
handle_fill(encoder *e, handle *h, PyObject *object)
{
    if (matrix_check(e->state, object)) {
        MatrixObject *matrix = (MatrixObject *)object;

        h->kind = HANDLE_MATRIX;
        return e->mode == ENCODE_MOVE ? matrix_leave(matrix, &h->parcel) : matrix_share(matrix, &h->parcel);
    }
    if (cown_check(e->state, object)) {
        h->kind = HANDLE_COWN;
        h->cown = cown_of(object);
        rt_cown_retain(h->cown);
        return 0;
    }
    h->kind = HANDLE_OBJECT;
    h->object = Py_NewRef(object);
    return 0;
}

int
encoder_finish(encoder *e, payload *at)
{
    at->length = e->length;
    at->late_at = e->late_at;
    at->handle_count = e->pending_count;
    at->late_handle = e->late_handle;
    memset(at->handles, 0, e->pending_count * sizeof(handle));
    for (uint32_t i = 0; i < e->pending_count; i++) {
        if (handle_fill(e, &at->handles[i], e->pending[i]) < 0) {
            at->handles[i].kind = HANDLE_EMPTY;
            for (uint32_t j = 0; j < i && e->mode == ENCODE_MOVE; j++) {
                if (at->handles[j].kind == HANDLE_MATRIX) {
                    matrix_return((MatrixObject *)e->pending[j], &at->handles[j].parcel);
                    at->handles[j].kind = HANDLE_EMPTY;
                }
            }
            payload_clear(at);
            return -1;
        }
    }
    memcpy(at->handles + e->pending_count, e->data, e->length);
    return 0;
}

payload *
encoder_block(encoder *e)
{
    payload *block = malloc(encoder_size(e));

    if (!block) {
        PyErr_NoMemory();
        return NULL;
    }
    if (encoder_finish(e, block) < 0) {
        free(block);
        return NULL;
    }
    return block;
}

payload *
payload_of(core_state *state, PyObject *object, encode_mode mode)
{
    encoder e;
    payload *block = NULL;

    encoder_init(&e, state, mode);
    if (encoder_put(&e, object) == 0 && encoder_end(&e) == 0)
        block = encoder_block(&e);
    encoder_clear(&e);
    return block;
}

bool
payload_has_matrix(const payload *p)
{
    for (uint32_t i = 0; i < p->handle_count; i++) {
        if (p->handles[i].kind == HANDLE_MATRIX)
            return true;
    }
    return false;
}

void
payload_clear(payload *p)
{
    for (uint32_t i = 0; i < p->handle_count; i++) {
        handle *h = &p->handles[i];

        if (h->kind == HANDLE_MATRIX)
            parcel_drop(&h->parcel);
        else if (h->kind == HANDLE_COWN)
            rt_cown_release(h->cown);
        else if (h->kind == HANDLE_OBJECT)
            object_drop(h->object);
        h->kind = HANDLE_EMPTY;
    }
}
