/* Whether owners of a mount can be mapped: no list of file systems knows, so the kernel is asked. */
#define _GNU_SOURCE
#include "binding.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif

static const char some_map[] = "0 1 1\n";

static bool write_map(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    CLEANUP(close_descriptor) int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && write(fd, some_map, sizeof some_map - 1) == (ssize_t)(sizeof some_map - 1);
}

/* A user namespace with some map; a child holds it until it is open here. */
static int open_user_namespace(void)
{
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid < 0)
        return -1;
    if (pid == 0) {
        /* The copy has the lock of a pod: it must not outlive its maker. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
    int fd = write_map(pid, "uid_map") && write_map(pid, "gid_map") ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    int number = errno;
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    errno = number;
    return fd;
}

napi_value binding_maps_owners(napi_env env, napi_callback_info info)
{
    napi_value arguments[1];
    CLEANUP(free_text) char *path = NULL;
    if (!take_arguments(env, info, 1, arguments) || !take_text(env, arguments[0], &path))
        return NULL;
    CLEANUP(close_descriptor) int mount = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (mount < 0)
        return throw_errno(env, errno, "open_tree");
    CLEANUP(close_descriptor) int user_namespace = open_user_namespace();
    if (user_namespace < 0)
        return throw_errno(env, errno, "user namespace");
    struct mount_attr map = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)user_namespace};
    if (syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &map, sizeof map) == 0)
        return make_boolean(env, true);
    return errno == EINVAL ? make_boolean(env, false) : throw_errno(env, errno, "mount_setattr");
}
