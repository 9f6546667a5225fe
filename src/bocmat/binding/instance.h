/* Instances of classes that leave pickling to `object`: they travel as their class and what is in their `__dict__`.
 *
 * A class is plain if pickle would do the same with its instances, and make them again by `object.__new__` and a look
 * at the dict: bocmat.pickles.is_plain says so, once for each version of the class. Any other instance is pickled.
 */
#ifndef BOCMAT_INSTANCE_H
#define BOCMAT_INSTANCE_H

#include "payload.h"

/* 0, -1 with an exception, or ENCODE_NOT_NATIVE. */
int instance_encode(encoder *e, PyObject *object);
/* After CODE_INSTANCE: class, count, names and values in turn. A new reference. */
PyObject *instance_decode(decoder *d);

#endif
