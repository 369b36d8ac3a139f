/* Makes and pins namespaces before a pod starts, so that CNI can work on the network namespace that the pod will own. */
#ifndef RKT_HOLD_H
#define RKT_HOLD_H

/* `launcher hold POD SHIFT COUNT`: pins the user (when COUNT > 0) and network namespace on POD's `ns/` files. Returns the exit status. */
int hold_namespaces(int pod, unsigned shift, unsigned count);

#endif
