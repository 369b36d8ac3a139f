/* Makes and pins namespaces before a pod starts, so that CNI can work on the network namespace that the pod will own. */
#ifndef RKT_HOLD_H
#define RKT_HOLD_H

#include <sys/types.h>

#include "fail.h"

/* `launcher hold POD SHIFT COUNT`: pins the user (when COUNT > 0) and network namespace on POD's `ns/` files. Returns the exit status. */
int hold_namespaces(int pod, unsigned shift, unsigned count);

/* Pins a namespace of a process on the file `ns/NAME` of the pod directory. */
int pin_namespace(int pod, pid_t holder, const char *name, struct fail *f);

#endif
