/* The loop: where ready behaviors wait that no worker may run, until a thread of the embedder's comes by and runs them,
 * one thread at a time.
 *
 *   loop       set by                                      then
 *   IDLE       opened; leave                               enter: SERVED
 *   SERVED     enter, by the thread that serves from then  it takes what is there, until it leaves
 *
 *   item       by                                          then
 *   WAITING    put, if the key is the loop's               taken by the server; or drained, by a stop
 *   refused    put with another key: of an epoch that is   the caller drops it
 *              over
 *
 *   candidate  by                                          then
 *   JOINED     join: a thread that is about to sleep and   called, enters, or quits
 *              could serve; preferred ones in front
 *   CALLED     put, join, leave, quit (see below)          wakes; enters, or finds that it cannot and is JOINED again
 *   (off)      enter, quit
 *
 * Everything changes under one mutex. With it free this holds, which is why no item is left to sleepers:
 *
 *   if there are items, and the loop is IDLE, and there are candidates, then the first candidate is CALLED.
 *
 * A candidate that is not preferred does not enter while a preferred one is in the list: that one is the first, so it
 * is called. A call never gets lost with its thread: who quits passes it on to the next.
 */
#ifndef BOCMAT_RT_LOOP_H
#define BOCMAT_RT_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "atomic.h"
#include "os.h"
#include "queue.h"
#include "runtime.h"

typedef struct {
    rt_mutex mutex;
    uint32_t key;
    bool served;
    rt_chain items;
    int64_t since; /* when the first came to an empty loop */
    rt_candidate *first;
} rt_loop;

void rt_loop_set_key(rt_loop *loop, uint32_t key);
/* False: refused. */
bool rt_loop_put(rt_loop *loop, uint32_t key, rt_link *item);
/* Adds all there is to the chain. */
void rt_loop_drain(rt_loop *loop, rt_chain *items);

void rt_loop_join(rt_loop *loop, rt_candidate *candidate);
void rt_loop_quit(rt_loop *loop, rt_candidate *candidate);
/* A joined candidate serves and is off the list, if there are items and nobody else is to. Without one: whoever asks
 * serves if nobody does. */
bool rt_loop_enter(rt_loop *loop, rt_candidate *candidate);
/* The server only. NULL: nothing there. */
rt_link *rt_loop_take(rt_loop *loop);
void rt_loop_leave(rt_loop *loop);

/* A snapshot. */
rt_loop_state rt_loop_look(rt_loop *loop);
/* After a fork: closed, idle, nothing there and nobody waiting. */
void rt_loop_reset(rt_loop *loop);

#endif
