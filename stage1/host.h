/* What only the host's root can do for an app: detached mounts of its root, volumes and devices, handed to pod init as descriptors. */
#ifndef RKT_HOST_H
#define RKT_HOST_H

#include <sys/types.h>

#include "fail.h"
#include "message.h"
#include "plan.h"

struct host {
  int pod;         /* the pod directory */
  int home;        /* our own mount namespace */
  int home_root;   /* our own root directory, which joining a mount namespace forgets */
  int init_mounts; /* mount namespace of pod init, which still holds the host's tree */
  int init_pod;    /* the pod directory in there */
  int user_ns;     /* the pod's user namespace, -1 without one */
  uint32_t shift;  /* host id of the pod's id 0 */
};

/* Opens what stays the same for all apps of a pod whose init waits. */
int host_open(struct host *host, int pod, pid_t init, struct fail *f);
void host_close(struct host *host);

/*
 * Makes one detached mount for every ROOT_*, VOLUME and DEV operation, in their order. An overlay is put together in the mount namespace of
 * pod init, which detaches everything there when it goes on: the host never sees a mount of the pod, and no namespace has to be taken down
 * while the pod waits.
 */
int host_mounts(const struct host *host, const struct section *app, struct message_fds *fds, struct fail *f);

#endif
