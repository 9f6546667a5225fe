/* What a behavior's captures begin with. */
#ifndef BOCMAT_TASK_H
#define BOCMAT_TASK_H

#include "payload.h"

#include <pythread.h>
#include <stdatomic.h>

typedef enum { TASK_CALL, TASK_PASS } task_kind;

/* A function to call: the payload holds the function and its captures. */
typedef struct {
    task_kind kind;
    uint32_t parameter_count;
    uint32_t group_at; /* offset of the group sizes behind the payload, 0 if every parameter is one cown */
    uint32_t name_at; /* offset of the name it was given, a C string, behind these; 0 if it has none */
    uint64_t stream; /* the key of what it draws random numbers from */
    payload captures;
} task_call;

/* A thread that waits.
 *
 *   state      set by                                then
 *   WAITING    the thread, before scheduling         GRANTED, ABANDONED or DROPPED
 *   GRANTED    on_ready; the lock is released        the thread holds the cown and finishes the behavior
 *   ABANDONED  the thread, giving up                 on_ready finishes the behavior and frees the lock
 *   DROPPED    the runtime stopped; lock released    the thread frees the lock and raises
 *
 * All transitions are exchanges or compare-exchanges from WAITING (acq_rel). */
typedef enum { PASS_WAITING, PASS_GRANTED, PASS_ABANDONED, PASS_DROPPED } pass_state;

typedef struct {
    task_kind kind;
    atomic_int state;
    PyThread_type_lock lock; /* taken while WAITING */
} task_pass;

#endif
