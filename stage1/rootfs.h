/* The inside of an app's root: everything here is resolved by descriptor within that root, never by a joined path. */
#ifndef RKT_ROOTFS_H
#define RKT_ROOTFS_H

#include "fail.h"
#include "message.h"
#include "plan.h"

/*
 * Runs the mount operations of `app` in a fresh private mount namespace, with the detached mounts of `host_mounts` in `fds`, and makes
 * the result the root. With `terminal`, a pty of the app's own devpts is made and bound to /dev/console: its two sides come back.
 */
int rootfs_enter(const struct section *app, const struct message_fds *fds, int *terminal_master, int *terminal_peer, struct fail *f);

/* Opens the directory for pod init's own mounts: /proc, /sys, the mask sources; see init.c. */
#define INIT_ROOT "/r"
#define INIT_MASK_FILE "/mask-file"
#define INIT_MASK_DIR "/mask-dir"

/* A new pty of the devpts at dev/pts below `root`. */
int terminal_open(int root, int *master, int *peer, struct fail *f);

/* A new file system, detached. `options` is `key=value,key`, may be empty. */
int mount_new(const char *type, const char *options, unsigned attributes, struct fail *f);

#endif
