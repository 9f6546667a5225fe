/* Locks of matrices, which only free-threaded builds need: see matrix_locked.h for who holds which. */
#ifndef BOCMAT_MATRIX_LOCK_H
#define BOCMAT_MATRIX_LOCK_H

#include "matrix_internal.h"

/* A Matrix itself; the one that a MatrixView is a window on. */
static inline MatrixObject *
matrix_behind(PyObject *object)
{
    return is_view(object) ? ((MatrixViewObject *)object)->matrix : (MatrixObject *)object;
}

/* Without a GIL, the lock of a matrix guards what a header says about its values: reading a window off it and using
 * it, moving the values, counting exports. A view is guarded by its matrix. With a GIL, the GIL is that lock. */
static inline PyObject *
lock_of(PyObject *object)
{
    return (PyObject *)matrix_behind(object);
}

#if BOCMAT_GIL
#define MATRIX_BEGIN(object)         {
#define MATRIX_BEGIN2(first, second) {
#define MATRIX_END()                 }
#define MATRIX_END2()                }
#else
#define MATRIX_BEGIN(object)    \
    {                           \
        nested_section nested_; \
        nested_begin(&nested_, lock_of(object))
#define MATRIX_END()      \
    nested_end(&nested_); \
    }
#define MATRIX_BEGIN2(first, second) \
    {                                \
        matrix_section section_;     \
        section_begin(&section_, first, second)
#define MATRIX_END2()       \
    section_end(&section_); \
    }

/* The locks of those of two objects that are matrices or views. A list is locked where it is read, a class never: all
 * threads use it. */
typedef struct {
    PyCriticalSection2 locks;
    bool begun;
} matrix_section;

static inline void
section_begin(matrix_section *section, PyObject *first, PyObject *second)
{
    bool one = is_matrix(first) || is_view(first), other = is_matrix(second) || is_view(second);

    section->begun = one || other;
    if (section->begun)
        PyCriticalSection2_Begin(&section->locks, lock_of(one ? first : second), lock_of(other ? second : first));
}

static inline void
section_end(matrix_section *section)
{
    if (section->begun)
        PyCriticalSection2_End(&section->locks);
}
#endif

static inline void
exports_add(MatrixObject *self, uint32_t count)
{
#if BOCMAT_GIL
    self->exports += count;
#else
    (void)__atomic_fetch_add(&self->exports, count, __ATOMIC_RELAXED);
#endif
}

static inline void
exports_drop(MatrixObject *self, uint32_t count)
{
#if BOCMAT_GIL
    self->exports -= count;
#else
    (void)__atomic_fetch_sub(&self->exports, count, __ATOMIC_RELAXED);
#endif
}

#endif
