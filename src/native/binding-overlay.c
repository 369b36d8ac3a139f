/* Stacked directories as one read-only tree that is mounted nowhere. */
#define _GNU_SOURCE
#include "binding.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel copies at most so much of one option. */
#define OPTION_BYTES 256

static int open_overlay(void)
{
    int context = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
    if (context < 0)
        return -1;
    if (syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) == 0)
        return context;
    close(context);
    return -1;
}

/* The layers by descriptor: nothing in a path can be taken for a separator or an option. KERNEL: one by one from 6.7. */
static int add_layers(int context, const struct descriptors *layers)
{
    char path[32];
    for (size_t index = 0; index < layers->count; index++) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", layers->list[index]);
        if (syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "lowerdir+", path, 0) != 0)
            return -1;
    }
    return 0;
}

/* KERNEL: before 6.7 all of them in one option, short by being named from /proc/self/fd: E2BIG for more than about 80. */
static int add_layers_at_once(int context, const struct descriptors *layers)
{
    char text[OPTION_BYTES] = "";
    size_t at = 0;
    for (size_t index = 0; index < layers->count && at < sizeof text; index++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%d", index > 0 ? ":" : "", layers->list[index]);
    if (at >= sizeof text) {
        errno = E2BIG;
        return -1;
    }
    CLEANUP(close_descriptor) int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (here < 0 || chdir("/proc/self/fd") != 0)
        return -1;
    int result = (int)syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "lowerdir", text, 0);
    /* Paths are looked up when the option is read, or when the file system is made. */
    if (result == 0)
        result = (int)syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
    int failure = errno;
    if (fchdir(here) != 0)
        return -1;
    errno = failure;
    return result;
}

static int mount_layers(const struct descriptors *layers)
{
    /* What an app left is only read, and no link of it is followed. */
    const unsigned attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;
    CLEANUP(close_descriptor) int context = open_overlay();
    if (context < 0)
        return -1;
    if (add_layers(context, layers) == 0 && syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
    /* KERNEL: before 6.5 overlay looks at its options when it is made, and not earlier. */
    if (errno != EINVAL)
        return -1;
    CLEANUP(close_descriptor) int older = open_overlay();
    if (older < 0 || add_layers_at_once(older, layers) != 0)
        return -1;
    return (int)syscall(SYS_fsmount, older, FSMOUNT_CLOEXEC, attributes);
}

napi_value binding_overlay_view(napi_env env, napi_callback_info info)
{
    napi_value arguments[1];
    CLEANUP(free_descriptors) struct descriptors layers = {0};
    if (!take_arguments(env, info, 1, arguments) || !take_descriptors(env, arguments[0], &layers))
        return NULL;
    CLEANUP(close_descriptor) int view = mount_layers(&layers);
    if (view < 0)
        return throw_errno(env, errno, "fsmount");
    napi_value result = make_integer(env, view);
    view = -1; /* now the caller's */
    return result;
}
