/*
 * The marks that the unpacker leaves in a layer's tree, for its merging without overlay. Paths are bytes: names of an image need not be
 * UTF-8. Trees are private: nobody puts a link in the way.
 */
#define _GNU_SOURCE
#include "binding.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

enum { MARK_WHITEOUT = 1, MARK_OPAQUE = 2, MARK_UNNAMED = 4 };

static const char opaque[] = "user.overlay.opaque", unnamed[] = "user.overlay.rkt-unnamed";

static bool take_path(napi_env env, napi_value value, char **path)
{
    const uint8_t *bytes;
    size_t size;
    if (!take_bytes(env, value, &bytes, &size))
        return false;
    if (size == 0 || memchr(bytes, 0, size) != NULL)
        return refuse(env, "expected a path");
    *path = malloc(size + 1);
    if (*path == NULL)
        return refuse(env, "cannot copy a path");
    memcpy(*path, bytes, size);
    (*path)[size] = 0;
    return true;
}

napi_value binding_layer_marks(napi_env env, napi_callback_info info)
{
    napi_value arguments[1];
    CLEANUP(free_text) char *path = NULL;
    struct stat status;
    if (!take_arguments(env, info, 1, arguments) || !take_path(env, arguments[0], &path))
        return NULL;
    if (lstat(path, &status) != 0)
        return throw_errno(env, errno, "lstat");
    int marks = S_ISCHR(status.st_mode) && status.st_rdev == 0 ? MARK_WHITEOUT : 0;
    if (S_ISDIR(status.st_mode)) {
        marks |= lgetxattr(path, opaque, NULL, 0) >= 0 ? MARK_OPAQUE : 0;
        marks |= lgetxattr(path, unnamed, NULL, 0) >= 0 ? MARK_UNNAMED : 0;
    }
    return make_integer(env, marks);
}

napi_value binding_clear_layer_marks(napi_env env, napi_callback_info info)
{
    napi_value arguments[1];
    CLEANUP(free_text) char *path = NULL;
    if (!take_arguments(env, info, 1, arguments) || !take_path(env, arguments[0], &path))
        return NULL;
    for (size_t index = 0; index < 2; index++)
        if (lremovexattr(path, index == 0 ? opaque : unnamed) != 0 && errno != ENODATA && errno != ENOTSUP)
            return throw_errno(env, errno, "lremovexattr");
    return make_undefined(env);
}

/* Owner, mode, times and the attributes that an image may set, from one directory to another. */
napi_value binding_copy_attributes(napi_env env, napi_callback_info info)
{
    napi_value arguments[2];
    CLEANUP(free_text) char *from = NULL;
    CLEANUP(free_text) char *to = NULL;
    char names[65536], value[65536];
    struct stat status;
    if (!take_arguments(env, info, 2, arguments) || !take_path(env, arguments[0], &from) || !take_path(env, arguments[1], &to))
        return NULL;
    if (lstat(from, &status) != 0 || lchown(to, status.st_uid, status.st_gid) != 0 || chmod(to, status.st_mode & 07777) != 0)
        return throw_errno(env, errno, "lchown");
    ssize_t size = llistxattr(from, names, sizeof names);
    if (size < 0 && errno != ENOTSUP)
        return throw_errno(env, errno, "llistxattr");
    for (const char *name = names; name < names + size; name += strlen(name) + 1) {
        if (strncmp(name, "user.", 5) != 0 || strncmp(name, "user.overlay.", 13) == 0)
            continue;
        ssize_t bytes = lgetxattr(from, name, value, sizeof value);
        if (bytes < 0 || lsetxattr(to, name, value, (size_t)bytes, 0) != 0)
            return throw_errno(env, errno, "lsetxattr");
    }
    const struct timespec times[2] = {status.st_atim, status.st_mtim};
    if (utimensat(-1, to, times, AT_SYMLINK_NOFOLLOW) != 0)
        return throw_errno(env, errno, "utimensat");
    return make_undefined(env);
}
