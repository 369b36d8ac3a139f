/* The namespaces of a pod whose apps are made by another runtime: a first process that does nothing but hold them. */
#ifndef RKT_SANDBOX_H
#define RKT_SANDBOX_H

#include <sys/types.h>

#include "fail.h"
#include "plan.h"

/*
 * Makes the namespaces of the plan's `sandbox` operation, with those of its `join` operations, and pins them on files of the pod
 * directory. The process dies with its parent; its end is the end of every process of the pod.
 */
int sandbox_make(const struct plan *plan, int pod, pid_t *pid, struct fail *f);
/* Ends it, and with it what is left in its PID namespace. */
void sandbox_end(pid_t pid);

#endif
