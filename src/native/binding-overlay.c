/* Stacked directories as one read-only tree that is mounted nowhere. */
#define _GNU_SOURCE
#include "binding.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/syscall.h>

#define LAYERS 2

/* The layers by descriptor: nothing in a path can be taken for a separator or an option. */
static int mount_layers(int upper, int lower)
{
    char layers[64];
    CLEANUP(close_descriptor) int context = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
    snprintf(layers, sizeof layers, "/proc/self/fd/%d:/proc/self/fd/%d", upper, lower);
    if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "lowerdir", layers, 0) != 0 ||
        syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) != 0 ||
        syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
        return -1;
    /* What an app left is only read, and no link of it is followed. */
    const unsigned attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSYMFOLLOW;
    return (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
}

napi_value binding_overlay_view(napi_env env, napi_callback_info info)
{
    napi_value arguments[LAYERS];
    CLEANUP(free_text) char *upper_path = NULL;
    CLEANUP(free_text) char *lower_path = NULL;
    const int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    if (!take_arguments(env, info, LAYERS, arguments) || !take_text(env, arguments[0], &upper_path) || !take_text(env, arguments[1], &lower_path))
        return NULL;
    CLEANUP(close_descriptor) int upper = open(upper_path, flags);
    if (upper < 0)
        return throw_errno(env, errno, "open");
    CLEANUP(close_descriptor) int lower = open(lower_path, flags);
    if (lower < 0)
        return throw_errno(env, errno, "open");
    CLEANUP(close_descriptor) int view = mount_layers(upper, lower);
    if (view < 0)
        return throw_errno(env, errno, "fsmount");
    napi_value result = make_integer(env, view);
    view = -1; /* now the caller's */
    return result;
}
