/* Tensors that consumers of DLPack have of an interpreter's matrices. */
#ifndef BOCMAT_MATRIX_DLPACK_H
#define BOCMAT_MATRIX_DLPACK_H

#include "state.h"

typedef struct tensor_list tensor_list;

/* One an interpreter; NULL with MemoryError. */
tensor_list *tensors_open(void);
/* Lets go of matrices whose tensors were deleted by threads that could not. */
void tensors_collect(tensor_list *list);
/* Tensors that live on do not touch the interpreter's objects any more. */
void tensors_close(tensor_list *list);

/* The words that other libraries are asked with: 0, or -1 with an exception. */
int tensors_prepare(core_state *state);
void tensors_forget(core_state *state);

#endif
