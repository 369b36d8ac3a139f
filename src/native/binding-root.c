/*
 * Bounded reads inside an app's tree. The tree is hostile: links are resolved inside it, and nothing but a regular file is ever
 * opened for reading, so neither a device nor a FIFO can block or act.
 */
#define _GNU_SOURCE
#include "binding.h"
#include "layers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* A rename elsewhere in the tree makes openat2 answer EAGAIN; trees are read-only, so more than a few are an attack. */
#define MAX_ATTEMPTS 16

static int find_in_root(int root, const char *path)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
    };
    for (int attempt = 0;; attempt++) {
        long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || attempt == MAX_ATTEMPTS)
            return (int)fd;
    }
}

/* One tree, or several that lie over each other. */
static int find_path(const struct descriptors *roots, const char *path)
{
    return roots->count == 1 ? find_in_root(roots->list[0], path) : layers_find(roots->list, roots->count, path);
}

static bool is_absence(int number)
{
    return number == ENOENT || number == ENOTDIR;
}

/* Opens for reading what `found` names, whatever has become of its path. */
static int reopen(int found)
{
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", found);
    return open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY);
}

/* Reads to the end of the file; -1 with EFBIG when there is more than `size`. */
static ssize_t read_bounded(int fd, uint8_t *bytes, size_t size)
{
    size_t used = 0;
    for (;;) {
        uint8_t beyond;
        ssize_t got = used < size ? read(fd, bytes + used, size - used) : read(fd, &beyond, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            return (ssize_t)used;
        if (used == size) {
            errno = EFBIG;
            return -1;
        }
        used += (size_t)got;
    }
}

static void free_bytes(uint8_t **bytes)
{
    free(*bytes);
}

static napi_value read_found(napi_env env, int found, int64_t most)
{
    struct stat status;
    if (fstat(found, &status) != 0)
        return throw_errno(env, errno, "fstat");
    if (S_ISDIR(status.st_mode))
        return throw_errno(env, EISDIR, "readInRoot");
    if (!S_ISREG(status.st_mode))
        return throw_errno(env, EINVAL, "readInRoot");
    if (status.st_size > most)
        return throw_errno(env, EFBIG, "readInRoot");
    CLEANUP(close_descriptor) int fd = reopen(found);
    if (fd < 0)
        return throw_errno(env, errno, "open");
    CLEANUP(free_bytes) uint8_t *bytes = malloc((size_t)status.st_size + 1);
    if (bytes == NULL)
        return throw_errno(env, ENOMEM, "readInRoot");
    ssize_t size = read_bounded(fd, bytes, (size_t)status.st_size);
    if (size < 0)
        return throw_errno(env, errno, "read");
    napi_value result;
    if (napi_create_buffer_copy(env, (size_t)size, bytes, NULL, &result) != napi_ok)
        return throw_errno(env, ENOMEM, "readInRoot");
    return result;
}

napi_value binding_read_in_root(napi_env env, napi_callback_info info)
{
    napi_value arguments[3];
    CLEANUP(free_text) char *path = NULL;
    CLEANUP(close_descriptor) int found = -1;
    CLEANUP(free_descriptors) struct descriptors roots = {0};
    int64_t most;
    if (!take_arguments(env, info, 3, arguments) || !take_descriptors(env, arguments[0], &roots) || !take_text(env, arguments[1], &path) ||
        !take_integer(env, arguments[2], 0, INT32_MAX, &most))
        return NULL;
    found = find_path(&roots, path);
    if (found < 0)
        return is_absence(errno) ? make_null(env) : throw_errno(env, errno, "openat2");
    return read_found(env, found, most);
}

napi_value binding_stat_in_root(napi_env env, napi_callback_info info)
{
    napi_value arguments[2];
    CLEANUP(free_text) char *path = NULL;
    CLEANUP(close_descriptor) int found = -1;
    CLEANUP(free_descriptors) struct descriptors roots = {0};
    if (!take_arguments(env, info, 2, arguments) || !take_descriptors(env, arguments[0], &roots) || !take_text(env, arguments[1], &path))
        return NULL;
    found = find_path(&roots, path);
    if (found < 0)
        return is_absence(errno) ? make_null(env) : throw_errno(env, errno, "openat2");
    struct stat status;
    napi_value result;
    if (fstat(found, &status) != 0)
        return throw_errno(env, errno, "fstat");
    if (napi_create_object(env, &result) != napi_ok ||
        napi_set_named_property(env, result, "mode", make_integer(env, status.st_mode)) != napi_ok ||
        napi_set_named_property(env, result, "uid", make_integer(env, status.st_uid)) != napi_ok ||
        napi_set_named_property(env, result, "gid", make_integer(env, status.st_gid)) != napi_ok ||
        napi_set_named_property(env, result, "size", make_integer(env, status.st_size)) != napi_ok)
        return throw_errno(env, ENOMEM, "statInRoot");
    return result;
}
