/* What only the host's root can do for an app: detached mounts of its root, volumes and devices, handed to pod init as descriptors. */
#ifndef RKT_HOST_H
#define RKT_HOST_H

#include "fail.h"
#include "message.h"
#include "plan.h"

struct host {
  int user_ns;     /* the pod's user namespace, -1 without one */
  uint32_t shift;  /* host id of the pod's id 0 */
};

/*
 * Makes one detached mount for every ROOT_*, VOLUME and DEV operation, in their order. Call it in a private mount namespace of the
 * host's user namespace, in the pod directory, whose `mnt` may be mounted over.
 */
int host_mounts(const struct host *host, const struct section *app, struct message_fds *fds, struct fail *f);

/* Creates the cgroup `path` and opens the file through which processes join it. */
int cgroup_create(const char *path, int *procs, struct fail *f);
int cgroup_set(const char *file, const char *value, struct fail *f);
/* Applies a closed device policy: 1 = devices controller, 2 = eBPF program on a version 2 group. */
int cgroup_devices(const struct op *op, struct fail *f);

#endif
