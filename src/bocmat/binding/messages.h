/* Messages: the functions send, receive, drain and set_tags, over the runtime's channels, one a tag. */
#ifndef BOCMAT_MESSAGES_H
#define BOCMAT_MESSAGES_H

#include "backend.h"

/* The runtime is about to stop without waiting: behaviors in receive() are told, and raise. */
void messages_stop_waits(void);
/* At exit, behaviors are done: what nobody received is dropped. */
void messages_end(void);
/* In the child of a fork: there are no messages here. */
void messages_forked(void);

int messages_add(PyObject *module);

#endif
