/* What a behavior's captures begin with. */
#ifndef BOCMAT_TASK_H
#define BOCMAT_TASK_H

#include "payload.h"

#include <pythread.h>
#include <stdatomic.h>

typedef enum { TASK_CALL, TASK_UPDATE, TASK_PASS, TASK_NOTICE } task_kind;

/* A function to call: the payload holds the function and its captures. Of an update of the noticeboard: also the key
 * and what the function gets where there is none. */
typedef struct {
    task_kind kind;
    uint32_t parameter_count;
    uint32_t group_at; /* offset of the group sizes behind the payload, 0 if every parameter is one cown */
    uint32_t name_at;  /* offset of the name it was given, a C string, behind these; 0 if it has none */
    uint64_t stream;   /* the key of what it draws random numbers from */
    payload captures;
} task_call;

/* A write on the noticeboard or a deletion: done by the thread that makes it ready. */
typedef struct {
    task_kind kind;
    bool removes;
    atomic_bool done;
    rt_value value;
    size_t length;
    char key[];
} task_notice;

/* A thread that waits, asleep on the lock. Whoever wants to wake it sets `signalled`, and releases the lock if that was
 * not set; the thread takes the lock, unsets it, and looks why: the state, or a call to serve meanwhile.
 *
 *   state      set by                                then
 *   WAITING    the thread, before scheduling         GRANTED, ABANDONED or DROPPED
 *   GRANTED    on_ready, which signals               the thread holds the cown and finishes the behavior
 *   ABANDONED  the thread, giving up                 on_ready finishes the behavior and frees the lock
 *   DROPPED    the runtime, stopping, which signals  the thread frees the lock and raises
 *
 * All transitions are exchanges or compare-exchanges from WAITING (acq_rel). */
typedef enum { PASS_WAITING, PASS_GRANTED, PASS_ABANDONED, PASS_DROPPED } pass_state;

typedef struct {
    task_kind kind;
    atomic_int state;
    atomic_bool signalled;
    atomic_bool let_go; /* who granted or dropped it does not touch it any more */
    PyThread_type_lock lock;
} task_pass;

#endif
