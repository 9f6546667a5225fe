/* The noticeboard that Python sees: writing in board.c, reading in board_view.c. There is one a process. */
#ifndef BOCMAT_BOARD_H
#define BOCMAT_BOARD_H

#include "backend.h"
#include "payload.h"

rt_board *board_here(void);

/* A key as the board has it. */
typedef struct {
    PyObject *string; /* exactly a str */
    PyObject *bytes;  /* what `text` points into, unless that is the string itself */
    const char *text;
    size_t length;
} board_key;

/* 0, or -1 with an exception and nothing to clear. */
int board_key_take(PyObject *object, board_key *key);
void board_key_clear(board_key *key);

/* The rest of a TASK_UPDATE behavior, whose function has been decoded already (and is made whole): a new reference to
 * None, or NULL with an exception and the board as it was. */
PyObject *notice_update_run(core_state *state, decoder *d, payload *captures, PyObject **function);

/* Makes and adds REMOVED and the functions. */
int board_add(PyObject *module, core_state *state);
int board_view_add(PyObject *module);
/* In the child of a fork: an empty one. */
void board_forked(void);

/* What one thread that runs behaviors sees of the board.
 *
 *   state      entered                                         left
 *   FREE       a behavior has ended                            `settled`
 *   SETTLED    a behavior reads, or writes, for the first time  the behavior ends: what others must not see is dropped
 *   EMPTY      the worker has run out of work                  the next behavior that reads
 *
 * Only its thread touches it. */
typedef struct board_view {
    rt_snapshot *snapshot; /* NULL: EMPTY */
    bool settled;          /* the running behavior has its snapshot */
    bool own;              /* `values` has some that can be changed: they are the running behavior's own */
    bool has_matrix;       /* `kept` has one */
    bool light;            /* of what is `shown`: no matrix, cown or object in it */
    PyObject *values;      /* {key: value} of the snapshot, as far as they were asked for; NULL: none were */
    PyObject *shown;       /* all of them, as noticeboard() gives them; NULL until asked for */
    PyObject *kept;        /* {key: (version, value)} of values that cannot be changed, from one snapshot to the next */
} board_view;

/* The running behavior has its snapshot from here on. 0, or -1 with an exception. */
int board_view_settle(worker_context *context);
void board_view_leave_behavior(worker_context *context);
/* Out of work: lets go of what may be large, or is news to others. Attached. */
void board_view_idle(worker_context *context);
void board_view_free(worker_context *context);

/* The hot path of behaviors that never look. */
static inline void
board_view_end(worker_context *context)
{
    if (context->board)
        board_view_leave_behavior(context);
}

#endif
