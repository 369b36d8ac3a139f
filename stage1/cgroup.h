/* Control groups of a pod, as the host's root makes them. */
#ifndef RKT_CGROUP_H
#define RKT_CGROUP_H

#include "fail.h"
#include "plan.h"

/* Creates the cgroup `path` and opens the file through which processes join it. */
int cgroup_create(const char *path, int *procs, struct fail *f);
int cgroup_set(const char *file, const char *value, struct fail *f);
/* Applies a closed device policy: 1 = devices controller, 2 = eBPF program on a version 2 group. */
int cgroup_devices(const struct op *op, struct fail *f);
/* Whether the kernel has killed a process of the group for want of memory; `file` is that of OP_OOM_EVENTS. */
int cgroup_ran_out_of_memory(const char *file);

#endif
