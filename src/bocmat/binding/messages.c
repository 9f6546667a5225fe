/* send, receive, drain and set_tags. A message is a value, encoded when it is sent and decoded when it is received; a
 * tag is a channel of the runtime. Channels belong to the process: all interpreters share them. */
#include "messages.h"

#include <math.h>
#include <stdatomic.h>

#include "args.h"
#include "docs.h"
#include "payload.h"
#include "pump.h"

#define TIMEOUT "__timeout__"

static _Atomic(rt_channels *) channels; /* made when first used */

/* NULL with MemoryError. */
static rt_channels *
channels_get(void)
{
    rt_channels *all = atomic_load_explicit(&channels, memory_order_acquire), *seen = NULL;

    if (all)
        return all;
    all = rt_channels_new(&value_host);
    if (!all) {
        PyErr_NoMemory();
        return NULL;
    }
    if (atomic_compare_exchange_strong(&channels, &seen, all))
        return all;
    rt_channels_free(all);
    return seen;
}

void
messages_stop_waits(void)
{
    rt_channels *all = atomic_load_explicit(&channels, memory_order_acquire);

    /* Made now if need be: a behavior may be about to. */
    if (!all && !(all = channels_get()))
        PyErr_Clear();
    if (all)
        rt_channels_stop_waits(all);
}

void
messages_end(void)
{
    rt_channels *all = atomic_load_explicit(&channels, memory_order_acquire);

    if (all) {
        rt_channels_drain(all);
        rt_channels_allow_waits(all);
    }
}

void
messages_forked(void)
{
    rt_channels_forked();
    atomic_store_explicit(&channels, NULL, memory_order_relaxed);
}

/* ---- tags ---- */

/* The channel of a tag; NULL with an exception. Strings are equal if the kind of their characters and these are; their
 * hashes are the same in all interpreters. */
static rt_channel *
channel_of(PyObject *tag)
{
    rt_channels *all;
    rt_channel *channel;
    Py_hash_t hash;

    if (!PyUnicode_Check(tag)) {
        PyErr_Format(PyExc_TypeError, "a tag is a str, not %.200s", Py_TYPE(tag)->tp_name);
        return NULL;
    }
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(tag) < 0)
        return NULL;
#endif
    hash = PyUnicode_Type.tp_hash(tag);
    all = hash == -1 ? NULL : channels_get();
    if (!all)
        return NULL;
    channel = rt_channel_named(all, (rt_name){.bytes = PyUnicode_DATA(tag),
                                              .size = (size_t)PyUnicode_GET_LENGTH(tag) * PyUnicode_KIND(tag),
                                              .form = PyUnicode_KIND(tag),
                                              .hash = (uint64_t)hash});
    if (!channel)
        PyErr_NoMemory();
    return channel;
}

enum { FEW_TAGS = 4 };

/* The tags of one call: a str, or a list or tuple of them. */
typedef struct {
    PyObject *tuple; /* owned; NULL where it is one str, */
    PyObject *one;   /* borrowed */
    uint32_t count;
    rt_channel **channels;
    rt_channel *few[FEW_TAGS];
} tag_list;

static PyObject *
tag_at(const tag_list *tags, uint32_t index)
{
    return tags->tuple ? PyTuple_GET_ITEM(tags->tuple, index) : tags->one;
}

static void
tags_clear(tag_list *tags)
{
    Py_XDECREF(tags->tuple);
    if (tags->channels != tags->few)
        PyMem_Free(tags->channels);
}

/* 0, or -1 with an exception; to be cleared in both cases. */
static int
tags_take(tag_list *tags, PyObject *object)
{
    Py_ssize_t count = 1;

    *tags = (tag_list){.one = object};
    tags->channels = tags->few;
    if (!PyUnicode_Check(object)) {
        if (!PyList_Check(object) && !PyTuple_Check(object)) {
            PyErr_Format(PyExc_TypeError, "tags are a str, or a list or tuple of them, not %.200s",
                         Py_TYPE(object)->tp_name);
            return -1;
        }
        tags->tuple = PySequence_Tuple(object);
        if (!tags->tuple)
            return -1;
        count = PyTuple_GET_SIZE(tags->tuple);
    }
    if (count > (Py_ssize_t)INT32_MAX) {
        PyErr_Format(PyExc_OverflowError, "%zd tags are too many", count);
        return -1;
    }
    if (count > FEW_TAGS && !(tags->channels = PyMem_New(rt_channel *, (size_t)count))) {
        tags->channels = tags->few;
        PyErr_NoMemory();
        return -1;
    }
    tags->count = (uint32_t)count;
    for (uint32_t i = 0; i < tags->count; i++) {
        tags->channels[i] = channel_of(tag_at(tags, i));
        if (!tags->channels[i])
            return -1;
    }
    return 0;
}

/* ---- send ---- */

/* The TypeError that is set says which message it is about. */
static void
blame_tag(PyObject *tag)
{
    PyObject *reason, *error;

    if (!PyErr_ExceptionMatches(PyExc_TypeError))
        return;
    reason = error_take();
    PyErr_Format(PyExc_TypeError, "the contents of a message under %R cannot travel: %S", tag, reason);
    error = error_take();
    PyException_SetContext(error, Py_NewRef(reason));
    PyException_SetCause(error, reason);
    error_put(error);
}

static PyObject *
func_send(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const args_spec spec = {"send", 2, 2, {"tag", "contents", NULL}};
    PyObject *values[ARGS_MAX];
    rt_channel *channel;
    rt_value value;

    if (!args_take(&spec, args, count, names, values))
        return NULL;
    channel = channel_of(values[0]);
    if (!channel)
        return NULL;
    if (value_encode_sent(PyModule_GetState(module), values[1], &value) < 0) {
        blame_tag(values[0]);
        return NULL;
    }
    if (rt_send(channel, value) < 0) {
        value_clear(&value);
        return PyErr_NoMemory();
    }
    Py_RETURN_NONE;
}

/* ---- receive ---- */

/* Seconds, negative for ever: false with an exception. */
static bool
seconds_from(PyObject *object, double *seconds)
{
    *seconds = -1.0;
    if (!object || object == Py_None)
        return true;
    if (PyBool_Check(object) || !(PyFloat_Check(object) || PyLong_Check(object))) {
        PyErr_Format(PyExc_TypeError, "timeout is a number of seconds, not %.200s", Py_TYPE(object)->tp_name);
        return false;
    }
    *seconds = PyFloat_AsDouble(object);
    if (*seconds == -1.0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError))
            return false;
        PyErr_Clear(); /* an int that no float holds: for ever, to all intents */
    }
    if (isnan(*seconds)) {
        PyErr_SetString(PyExc_ValueError, "timeout is a number of seconds, not nan");
        return false;
    }
    return true;
}

/* Without the GIL, until there is a message: a status, or -1 with an exception. Threads of the main interpreter look
 * for signals now and then: the operating system may have given one to another thread. */
static int
receive_waiting(core_state *state, const tag_list *tags, double seconds, rt_channel **channel, rt_value *value)
{
    const int64_t slice = 500000000;
    int64_t deadline = pump_deadline(seconds);
    bool behaves = rt_worker_self() != NULL, signals = state->travel->is_main && !behaves;

    for (;;) {
        int64_t left = deadline == INT64_MAX ? -1 : deadline - pump_now();
        int status;

        if (deadline != INT64_MAX && left < 0)
            left = 0;
        if (signals && (left < 0 || left > slice))
            left = slice;
        Py_BEGIN_ALLOW_THREADS
        status = rt_receive(tags->channels, tags->count, left, behaves, channel, value);
        Py_END_ALLOW_THREADS
        if (status != RT_TIMEOUT && status != RT_INTERRUPTED)
            return status;
        if (PyErr_CheckSignals() < 0)
            return -1;
        if (status == RT_TIMEOUT && pump_now() >= deadline)
            return RT_TIMEOUT;
    }
}

/* (tag, contents); the value is used up. */
static PyObject *
received(core_state *state, const tag_list *tags, const rt_channel *channel, rt_value *value)
{
    PyObject *contents = value_decode(state, value, 0), *result;
    uint32_t at = 0;

    value_clear(value);
    if (!contents)
        return NULL;
    while (tags->channels[at] != channel)
        at++;
    result = PyTuple_Pack(2, tag_at(tags, at), contents);
    Py_DECREF(contents);
    return result;
}

static PyObject *
timed_out(PyObject *after)
{
    if (after)
        return PyObject_CallNoArgs(after);
    return Py_BuildValue("(sO)", TIMEOUT, Py_None);
}

static PyObject *
func_receive(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const args_spec spec = {"receive", 3, 1, {"tags", "timeout", "after", NULL}};
    core_state *state = PyModule_GetState(module);
    PyObject *values[ARGS_MAX], *after, *result = NULL;
    rt_channel *channel;
    rt_value value;
    tag_list tags;
    double seconds;
    int status;

    if (!args_take(&spec, args, count, names, values) || !seconds_from(values[1], &seconds))
        return NULL;
    after = values[2] == Py_None ? NULL : values[2];
    if (after && !PyCallable_Check(after)) {
        PyErr_Format(PyExc_TypeError, "after is a function or None, not %.200s", Py_TYPE(after)->tp_name);
        return NULL;
    }
    if (tags_take(&tags, values[0]) < 0)
        goto done;
    if (tags.count == 0) {
        PyErr_SetString(PyExc_ValueError, "receive() was given no tags: it would wait for ever");
        goto done;
    }
    status = rt_receive(tags.channels, tags.count, 0, false, &channel, &value);
    if (status == RT_TIMEOUT && seconds != 0)
        status = receive_waiting(state, &tags, seconds, &channel, &value);
    if (status == RT_OK)
        result = received(state, &tags, channel, &value);
    else if (status == RT_TIMEOUT)
        result = timed_out(after);
    else if (status == RT_NOT_RUNNING)
        PyErr_SetString(PyExc_RuntimeError, "the program ended while a behavior waited in receive()");
    else
        raise_status(status);
done:
    tags_clear(&tags);
    return result;
}

/* ---- drain, set_tags ---- */

static PyObject *
func_drain(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const args_spec spec = {"drain", 1, 1, {"tags", NULL}};
    PyObject *values[ARGS_MAX];
    tag_list tags;
    int result;

    if (!args_take(&spec, args, count, names, values))
        return NULL;
    result = tags_take(&tags, values[0]);
    for (uint32_t i = 0; result == 0 && i < tags.count; i++)
        rt_drain(tags.channels[i]);
    tags_clear(&tags);
    return result < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *
func_set_tags(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    static const args_spec spec = {"set_tags", 1, 1, {"tags", NULL}};
    PyObject *values[ARGS_MAX];
    rt_channels *all;
    tag_list tags;
    int result;

    if (!args_take(&spec, args, count, names, values))
        return NULL;
    result = tags_take(&tags, values[0]);
    tags_clear(&tags);
    all = result < 0 ? NULL : channels_get();
    if (!all)
        return NULL;
    rt_channels_drain(all);
    Py_RETURN_NONE;
}

/* ---- the module ---- */

#define TAGS PARAMETER("tags", "str, or list or tuple of str", "One tag or several.")

static const char send_doc[] =
    "send($module, /, tag, contents)\n--\n\n"
    "Put a message where `receive` finds it, in any thread or interpreter, and return at once.\n\n"
    "The contents are copied as the value of a Cown is, on the threads backend too; there what cannot be copied is "
    "shared. A Matrix is not copied: it leaves every name that the sender has for it. Cowns go as "
    "themselves." PARAMETERS(PARAMETER("tag", "str", "Any; nothing has to be said of it before.")
                                 PARAMETER("contents", "object", "What the receiver gets."))
        RAISES(CASE("TypeError",
                    "`tag` is no str, or something in `contents` cannot travel; a MatrixView cannot. Nothing is "
                    "sent then, and every matrix stays.") CASE("RuntimeError", "A matrix is held elsewhere.")
                   CASE("BufferError", "A matrix is lent to a memoryview or an ndarray."))
            EXAMPLES(DO("from bocmat import receive, send") DO("send('orders', ('add', 5))")
                         TRY("receive('orders')", "('orders', ('add', 5))"));

static const char receive_doc[] =
    "receive($module, /, tags, timeout=-1, after=None)\n--\n\n"
    "Take the next message, waiting for it if need be.\n\n"
    "Each message goes to one receiver. Those of one sender come in the order in which it sent them; of several tags "
    "the message that arrived first is taken." PARAMETERS(
        TAGS PARAMETER("timeout", "float, optional",
                       "Seconds to wait at most; 0 does not wait, a negative number (or None) waits without end.")
            PARAMETER("after", "callable, optional",
                      "Called without arguments when the time is "
                      "over."))
        RETURNS("tuple", "`(tag, contents)`; when the time is over what `after` returns, or `(TIMEOUT, None)`.")
            RAISES(CASE("TypeError", "A tag is no str, or `after` cannot be called.")
                       CASE("ValueError", "There are no tags, or `timeout` is NaN.")
                           CASE("RuntimeError", "In a behavior: the program ends, and nothing would ever come."))
                NOTES("A thread that waits sleeps; Ctrl-C interrupts the main thread. A behavior that waits keeps its "
                      "worker and its cowns, and `wait` waits for it.")
                    EXAMPLES(DO("from bocmat import TIMEOUT, receive, send") DO("send('b', 1); send('a', 2)")
                                 TRY("receive(['a', 'b'])", "('b', 1)") TRY("receive('b', 0)", "('__timeout__', None)")
                                     TRY("receive(['a', 'b'], timeout=0, after=lambda: 'none')", "('a', 2)"));

static const char drain_doc[] =
    "drain($module, /, tags)\n--\n\n"
    "Drop the messages that wait under a tag or several." PARAMETERS(
        PARAMETER("tags", "str, or list or tuple of str", "An empty list drops nothing."))
        RAISES(CASE("TypeError", "A tag is no str."))
            EXAMPLES(DO("from bocmat import drain, receive, send") DO("send('news', 1)") DO("drain('news')")
                         TRY("receive('news', 0)", "('__timeout__', None)"));

static const char set_tags_doc[] =
    "set_tags($module, /, tags)\n--\n\n"
    "Begin anew: drop every message that waits, under any tag, and name the tags to come.\n\n"
    "A tag need not be named before it is used, and one that is not named works as well. Whoever waits in `receive` "
    "goes "
    "on waiting." PARAMETERS(TAGS) RAISES(CASE("TypeError", "A tag is no str; then nothing is dropped."))
        EXAMPLES(DO("from bocmat import receive, send, set_tags") DO("send('old', 1)") DO("set_tags(['new'])")
                     TRY("receive(['old', 'new'], 0)", "('__timeout__', None)"));

#define FUNCTION(name) {#name, (PyCFunction)(void (*)(void))func_##name, METH_FASTCALL | METH_KEYWORDS, name##_doc}

static PyMethodDef functions[] = {
    FUNCTION(send), FUNCTION(receive), FUNCTION(drain), FUNCTION(set_tags), {NULL, NULL, 0, NULL},
};

int
messages_add(PyObject *module)
{
    if (PyModule_AddStringConstant(module, "TIMEOUT", TIMEOUT) < 0)
        return -1;
    return PyModule_AddFunctions(module, functions);
}
