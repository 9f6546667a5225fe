/* The behavior-oriented concurrency runtime: cowns, behaviors, workers, channels. No Python in here.
 *
 * A cown owns one value. A behavior names the cowns it needs and runs once it holds them all: exclusively, or shared
 * with other readers. Behaviors that share a cown run in the order they were scheduled. docs/internals/ states the
 * protocols; this header is what the layers above may use.
 */
#ifndef BOCMAT_RUNTIME_H
#define BOCMAT_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host.h"

#define RT_STATUSES(RT_STATUS)                                             \
    RT_STATUS(RT_OK, 0, "success")                                         \
    RT_STATUS(RT_NO_MEMORY, -1, "out of memory")                           \
    RT_STATUS(RT_NO_THREAD, -2, "the operating system gave no new thread") \
    RT_STATUS(RT_TIMEOUT, -3, "timed out")                                 \
    RT_STATUS(RT_INTERRUPTED, -4, "a signal arrived")                      \
    RT_STATUS(RT_NOT_RUNNING, -5, "the runtime is not running")            \
    RT_STATUS(RT_HOST_FAILED, -6, "a worker could not be set up")          \
    RT_STATUS(RT_INVALID, -7, "invalid argument")                          \
    RT_STATUS(RT_CALLED, -8, "a behavior waits for this thread to serve")

typedef enum {
#define RT_STATUS(name, value, text) name = value,
    RT_STATUSES(RT_STATUS)
#undef RT_STATUS
} rt_status;

const char *rt_status_text(int status);

typedef struct rt_cown rt_cown;
typedef struct rt_runtime rt_runtime;

/* ---- cowns: reference counted, usable from any thread ---- */

rt_cown *rt_cown_new(const rt_host *host, rt_value value); /* NULL: no memory; the value stays the caller's */
void rt_cown_retain(rt_cown *cown);
void rt_cown_release(rt_cown *cown);
/* The host it was made with. */
const rt_host *rt_cown_host(const rt_cown *cown);
/* The value's place. Only for whoever holds the cown (its behavior; nobody else while the runtime is quiet). Among
 * readers nobody writes it. */
rt_value *rt_cown_value(rt_cown *cown);
/* Unique and increasing in the order of making; what a program may sort by and print. */
uint64_t rt_cown_id(const rt_cown *cown);

/* ---- behaviors ---- */

typedef enum { RT_WRITE = 0, RT_READ = 1 } rt_mode;

/* One allocation: header, slots, the cown of its result, and `capture_bytes` (16-aligned, zeroed) for the host.
 * NULL: no memory. */
rt_behavior *rt_behavior_new(const rt_host *host, uint32_t cown_count, size_t capture_bytes);
/* Argument `index` is this cown (retained). Every index is set once, before scheduling. */
void rt_behavior_set(rt_behavior *behavior, uint32_t index, rt_cown *cown, rt_mode mode);
uint32_t rt_behavior_count(const rt_behavior *behavior);
/* Valid after scheduling: the argument's cown, the mode in which it is held (the stronger one where a cown is named
 * twice) and the index of the first argument that names the same cown (its own, mostly). */
typedef struct {
    rt_cown *cown;
    rt_mode mode;
    uint32_t first;
} rt_argument;
rt_argument rt_behavior_argument(const rt_behavior *behavior, uint32_t index);
void *rt_behavior_captures(rt_behavior *behavior);
/* The cown of its result: held (for writing) by the behavior from scheduling to its end. Borrowed: retain it to keep
 * it. */
rt_cown *rt_behavior_result(rt_behavior *behavior);
/* Called instead of handing it to the workers once it holds its cowns, on the thread that made it ready, which must
 * not block: for behaviors that some other loop runs (a pinned one, a thread that waits for a cown). That loop calls
 * rt_behavior_finish when done. Set before scheduling. */
void rt_behavior_on_ready(rt_behavior *behavior, void (*ready)(rt_behavior *behavior, void *context), void *context);
/* It has no effect but its result: once nobody can see that any more it will not run, nor will what only it needs. Set
 * before scheduling, and before the result is retained. */
void rt_behavior_spare(rt_behavior *behavior);
/* No worker runs it: once it holds its cowns it waits in the runtime's loop for a thread that serves (below). Set
 * before scheduling, instead of on_ready. */
void rt_behavior_serve(rt_behavior *behavior);
/* Schedules it; the behavior is the runtime's from then on. From any thread, workers included. RT_NOT_RUNNING leaves it
 * the caller's. */
int rt_schedule(rt_runtime *runtime, rt_behavior *behavior);
typedef enum {
    RT_TOO_LATE, /* it has begun, or this is no result of a behavior that was scheduled */
    RT_CANCELLED_NOW,
    RT_CANCELLED_BEFORE
} rt_cancelling;
/* Of a behavior that was scheduled, by its result: now it will not run, and leaves this value, which is the caller's
 * still with any other answer. */
rt_cancelling rt_cancel(rt_cown *result, rt_value value);
/* For one with on_ready, or from rt_serve_next: releases its cowns and counts it as done. */
void rt_behavior_finish(rt_behavior *behavior);
/* Never scheduled and not wanted any more; captures are the caller's to take apart before. */
void rt_behavior_discard(rt_behavior *behavior);

/* ---- the runtime ---- */

/* One per host; workers are made by start and kept, parked, from stop to the next start. */
rt_runtime *rt_runtime_new(const rt_host *host);
/* Returns once all workers have been set up; if one cannot be, with the status of its enter (the others stay,
 * parked, for the next start). RT_INVALID if the runtime runs, from a worker, or unless 1 <= workers <= 1024. */
int rt_start(rt_runtime *runtime, uint32_t workers);
bool rt_running(const rt_runtime *runtime);
uint32_t rt_workers(const rt_runtime *runtime);
/* Blocks until every behavior scheduled so far, and all that those schedule, are done: RT_OK; or RT_TIMEOUT after
 * `nanoseconds` (negative: no limit; 0 asks only), or RT_INTERRUPTED when a signal reached the calling thread. From any
 * thread but a worker's (RT_INVALID there). While other threads go on scheduling it waits for a moment with nothing in
 * flight. */
int rt_quiesce(rt_runtime *runtime, int64_t nanoseconds);
/* Stops taking behaviors and parks the workers once those now running have ended. What is still queued is dropped, in
 * which case this returns their number (0 after a quiesce). What waits for a cown that a thread still holds, with an
 * on_ready behavior or one that it serves, is dropped when that one is finished. Not running: 0. From a worker:
 * RT_INVALID. */
int64_t rt_stop(rt_runtime *runtime);
/* Stops if nothing is in flight: RT_OK; else RT_TIMEOUT, and all goes on. A behavior that another thread schedules at
 * the same time is either seen, or refused with RT_NOT_RUNNING: never dropped. */
int rt_stop_quiet(rt_runtime *runtime);
/* Ends the parked workers' threads (leave is called on each) and frees everything, unless a thread still holds an
 * on_ready behavior or serves one: then the memory stays for it. Must be stopped. */
void rt_runtime_free(rt_runtime *runtime);
/* In the child of a fork, first thing: the workers' threads are not there. It is stopped, has no workers and nothing in
 * flight; what was queued is forgotten, neither run nor dropped, and its cowns stay held. */
void rt_runtime_forked(rt_runtime *runtime);
/* Behaviors scheduled and not yet done. A snapshot. */
int64_t rt_in_flight(const rt_runtime *runtime);
/* Behaviors done since the runtime was made. A snapshot. */
uint64_t rt_completed(const rt_runtime *runtime);

typedef struct {
    uint64_t executed; /* behaviors run */
    uint64_t stolen;   /* behaviors taken from another worker's queue */
    uint64_t parked;   /* times it went to sleep */
} rt_worker_stats;
/* Since the last start. index < rt_workers(). */
rt_worker_stats rt_stats(const rt_runtime *runtime, uint32_t index);

/* ---- the loop: behaviors that threads of the embedder's run, one thread at a time ---- */

/* True: the calling thread serves until rt_serve_end. False: another does. */
bool rt_serve_begin(rt_runtime *runtime);
/* The next behavior that is ready, for this thread to run and then to give to rt_behavior_finish; NULL: none is. What
 * it schedules while it runs is taken even if a quiet stop looks just then. */
rt_behavior *rt_serve_next(rt_runtime *runtime);
void rt_serve_end(rt_runtime *runtime);

typedef struct {
    uint64_t waiting;    /* behaviors that are ready */
    int64_t since;       /* when the first of them came to an empty loop: no clock of the caller's; 0: none waits */
    int64_t nanoseconds; /* since then */
    bool wanted;         /* a preferred candidate waits: others leave the loop to it */
} rt_loop_state;
/* A snapshot. */
rt_loop_state rt_serve_look(rt_runtime *runtime);

/* A thread that is about to sleep and would wake to serve. While it is joined it is called once there is something to
 * run and nobody runs it: preferred candidates before others, the one that joined first before later ones. */
typedef struct rt_candidate {
    void (*call)(
        struct rt_candidate *candidate); /* on any thread; wakes it, and neither blocks nor calls the runtime */
    bool preferred;
    bool called;               /* the runtime's */
    struct rt_candidate *next; /* the runtime's */
} rt_candidate;

void rt_serve_join(rt_runtime *runtime, rt_candidate *candidate);
void rt_serve_quit(rt_runtime *runtime, rt_candidate *candidate);
/* For a joined candidate that woke. True: it serves, as after rt_serve_begin, and is no candidate any more. False:
 * there is nothing to run, or it is left to another; it is still joined. */
bool rt_serve_enter(rt_runtime *runtime, rt_candidate *candidate);
/* A thread that waits in rt_quiesce and would serve meanwhile: joined as such a candidate, over as many calls as it
 * makes, so that it does not lose its place whenever it looks around. */
typedef struct {
    rt_candidate candidate;
    rt_runtime *runtime;
} rt_quiesce_waiter;

void rt_quiesce_join(rt_runtime *runtime, rt_quiesce_waiter *waiter, bool preferred);
/* As rt_quiesce; besides, RT_CALLED: the thread serves, as after rt_serve_begin, and has to join again afterwards. Else
 * it is still joined, and ends that with rt_serve_quit. */
int rt_quiesce_serving(rt_quiesce_waiter *waiter, int64_t nanoseconds);

/* ---- channels: messages between any threads, with or without a runtime ---- */

/* All channels of a process, by their names. A channel is a queue of values; it stays once it has been named. */
typedef struct rt_channels rt_channels;
typedef struct rt_channel rt_channel;

/* Names are equal if their bytes and their `form` are; `hash` is the caller's, the same for equal names. */
typedef struct {
    const void *bytes;
    size_t size;
    uint32_t form;
    uint64_t hash;
} rt_name;

/* Values that nobody receives go to the host's destroy. NULL: no memory. */
rt_channels *rt_channels_new(const rt_host *host);
/* Nobody uses them any more. */
void rt_channels_free(rt_channels *channels);
/* In the child of a fork, before new ones are made there: those of the parent are left as they are. */
void rt_channels_forked(void);
/* The channel of that name, made if need be. NULL: no memory. */
rt_channel *rt_channel_named(rt_channels *channels, rt_name name);
/* Destroys what has arrived in all of them so far. */
void rt_channels_drain(rt_channels *channels);
/* Ends every wait that is `stoppable`, those that begin from now on too (RT_NOT_RUNNING); and lets them wait again. */
void rt_channels_stop_waits(rt_channels *channels);
void rt_channels_allow_waits(rt_channels *channels);

/* Never blocks. RT_NO_MEMORY: the value stays the caller's. */
int rt_send(rt_channel *channel, rt_value value);
/* The value that arrived first in any of the channels (named more than once or not): RT_OK, and which it was. Where
 * there is none it waits: RT_TIMEOUT after `nanoseconds` (negative: no limit; 0 does not wait), RT_INTERRUPTED when a
 * signal reached the calling thread, RT_NOT_RUNNING when a stoppable wait was stopped, RT_NO_MEMORY. */
int rt_receive(rt_channel *const *from, uint32_t count, int64_t nanoseconds, bool stoppable, rt_channel **channel,
               rt_value *value);
/* Destroys what has arrived so far. */
void rt_drain(rt_channel *channel);

/* ---- the noticeboard: values under names, read by anybody at any time without waiting ---- */

typedef struct rt_board rt_board;
typedef struct rt_snapshot rt_snapshot;

/* An entry. It never changes, and lives as long as a snapshot that has it. */
typedef struct {
    rt_value value;
    uint64_t version; /* of the entry: no other one of the board has the same, before or after */
    size_t length;
    const char *key; /* `length` bytes, any */
} rt_notice;

/* Empty; the host destroys values. NULL: no memory. */
rt_board *rt_board_new(const rt_host *host);
/* Nobody may be writing. Snapshots that were taken live on. */
void rt_board_free(rt_board *board);
/* Who holds it (for writing) may call the writers below. Borrowed. */
rt_cown *rt_board_cown(const rt_board *board);
/* Publish a new snapshot. The value is the board's if this is RT_OK, else the caller's, and the board is as it was. */
int rt_board_put(rt_board *board, const char *key, size_t length, rt_value value);
/* The same; there may be no such entry. */
int rt_board_remove(rt_board *board, const char *key, size_t length);
int rt_board_clear(rt_board *board);

/* A reference to what is on the board now: never waits. From any thread. */
rt_snapshot *rt_board_take(rt_board *board);
/* Whether nothing was published since this one, which the caller has taken. */
bool rt_board_has(const rt_board *board, const rt_snapshot *snapshot);
void rt_snapshot_release(rt_snapshot *snapshot);
size_t rt_snapshot_count(const rt_snapshot *snapshot);
/* Borrowed from the snapshot; NULL: there is none. */
const rt_notice *rt_snapshot_find(const rt_snapshot *snapshot, const char *key, size_t length);
/* Every entry, in no order, until `visit` answers something else than 0, which is then the answer. */
int rt_snapshot_each(const rt_snapshot *snapshot, int (*visit)(const rt_notice *notice, void *context), void *context);

/* ---- workers ---- */

rt_worker *rt_worker_self(void); /* the calling thread's, or NULL */
uint32_t rt_worker_index(const rt_worker *worker);
rt_runtime *rt_worker_runtime(const rt_worker *worker);
/* One pointer of the host's own a worker. */
void rt_worker_set_data(rt_worker *worker, void *data);
void *rt_worker_data(const rt_worker *worker);

#endif
