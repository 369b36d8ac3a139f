/* Locks, sealed memory, durability, and mounts that are left. */
#define _GNU_SOURCE
#include "binding.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

napi_value binding_flock(napi_env env, napi_callback_info info)
{
    napi_value arguments[2];
    int fd;
    int64_t operation;
    if (!take_arguments(env, info, 2, arguments) || !take_descriptor(env, arguments[0], &fd) ||
        !take_integer(env, arguments[1], 0, LOCK_SH | LOCK_EX | LOCK_NB | LOCK_UN, &operation))
        return NULL;
    while (flock(fd, (int)operation) != 0) {
        if (errno == EWOULDBLOCK && (operation & LOCK_NB) != 0)
            return make_boolean(env, false);
        if (errno != EINTR)
            return throw_errno(env, errno, "flock");
    }
    return make_boolean(env, true);
}

static int make_memfd(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    /* KERNEL: MFD_NOEXEC_SEAL needs 6.3; without it the content can be made executable, which nobody does. */
    return fd < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : fd;
}

static int write_whole(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

napi_value binding_sealed_memfd(napi_env env, napi_callback_info info)
{
    napi_value arguments[2];
    CLEANUP(free_text) char *name = NULL;
    CLEANUP(close_descriptor) int fd = -1;
    const uint8_t *bytes;
    size_t size;
    if (!take_arguments(env, info, 2, arguments) || !take_text(env, arguments[0], &name) || !take_bytes(env, arguments[1], &bytes, &size))
        return NULL;
    fd = make_memfd(name);
    if (fd < 0)
        return throw_errno(env, errno, "memfd_create");
    if (write_whole(fd, bytes, size) != 0)
        return throw_errno(env, errno, "write");
    if (lseek(fd, 0, SEEK_SET) != 0)
        return throw_errno(env, errno, "lseek");
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
        return throw_errno(env, errno, "fcntl");
    napi_value result = make_integer(env, fd);
    fd = -1; /* now the caller's */
    return result;
}

napi_value binding_syncfs(napi_env env, napi_callback_info info)
{
    napi_value arguments[1];
    int fd;
    if (!take_arguments(env, info, 1, arguments) || !take_descriptor(env, arguments[0], &fd))
        return NULL;
    return syncfs(fd) == 0 ? make_undefined(env) : throw_errno(env, errno, "syncfs");
}

napi_value binding_unmount(napi_env env, napi_callback_info info)
{
    napi_value arguments[1];
    CLEANUP(free_text) char *path = NULL;
    if (!take_arguments(env, info, 1, arguments) || !take_text(env, arguments[0], &path))
        return NULL;
    if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
        return make_boolean(env, true);
    /* EINVAL is also what a symbolic link gives: nothing is mounted on one. */
    if (errno == EINVAL || errno == ENOENT || errno == ENOTDIR)
        return make_boolean(env, false);
    return throw_errno(env, errno, "umount2");
}

/* Node's own answer loads its modules of sockets and streams. */
napi_value binding_is_terminal(napi_env env, napi_callback_info info)
{
    napi_value arguments[1];
    int fd;
    if (!take_arguments(env, info, 1, arguments) || !take_descriptor(env, arguments[0], &fd))
        return NULL;
    return make_boolean(env, isatty(fd) == 1);
}
