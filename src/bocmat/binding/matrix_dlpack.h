/* Tensors that consumers of DLPack have of an interpreter's matrices. */
#ifndef BOCMAT_MATRIX_DLPACK_H
#define BOCMAT_MATRIX_DLPACK_H

typedef struct tensor_list tensor_list;

/* One an interpreter; NULL with MemoryError. */
tensor_list *tensors_open(void);
/* Lets go of matrices whose tensors were deleted by threads that could not. */
void tensors_collect(tensor_list *list);
/* Tensors that live on do not touch the interpreter's objects any more. */
void tensors_close(tensor_list *list);

#endif
