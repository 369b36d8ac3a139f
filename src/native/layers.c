#define _GNU_SOURCE
#include "layers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* As many symbolic links as the kernel follows in one path. */
#define MAX_LINKS 40

#define OWN __attribute__((cleanup(close_owned)))

static void close_owned(int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
    }
}

static int give(int *fd)
{
    int given = *fd;
    *fd = -1;
    return given;
}

static int absent(int number)
{
    errno = number;
    return -1;
}

static bool is_opaque(int directory)
{
    char link[32], value;
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    return getxattr(link, "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}

/* What one layer says of a path: opened, -1 with ENOENT when the layers below are to be asked, -1 with another errno when they are not. */
static int open_in_layer(int layer, const char *path, bool *hides_below)
{
    char name[NAME_MAX + 1];
    OWN int at = openat(layer, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    while (at >= 0 && *path != 0) {
        size_t bytes = strcspn(path, "/");
        struct stat status;
        if (bytes >= sizeof name)
            return absent(ENAMETOOLONG);
        memcpy(name, path, bytes);
        name[bytes] = 0;
        path += bytes + (path[bytes] == '/');
        OWN int next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 || fstat(next, &status) != 0)
            return -1;
        /* A whiteout, or a file over a directory of the layers below: there is nothing behind it. */
        if (S_ISCHR(status.st_mode) && status.st_rdev == 0)
            return absent(ENOTDIR);
        if (*path != 0 && !S_ISDIR(status.st_mode))
            return absent(ENOTDIR);
        if (S_ISDIR(status.st_mode) && is_opaque(next))
            *hides_below = true;
        close(at);
        at = give(&next);
    }
    return give(&at);
}

/* Opens a path that leads through no link, in the topmost layer that shows it. */
static int open_shown(const int *layers, size_t count, const char *path)
{
    bool hides_below = false;
    for (size_t index = 0; index < count && !hides_below; index++) {
        int fd = open_in_layer(layers[index], path, &hides_below);
        if (fd >= 0 || errno != ENOENT)
            return fd;
    }
    return absent(ENOENT);
}

struct walk {
    char found[PATH_MAX];   /* leads through no link */
    char pending[PATH_MAX]; /* what is still to be looked up */
    unsigned links;
};

/* Puts the target of a link before what is pending. */
static int follow(struct walk *walk, int link, const char *rest)
{
    char target[PATH_MAX], joined[PATH_MAX];
    ssize_t bytes = readlinkat(link, "", target, sizeof target - 1);
    if (bytes < 0)
        return -1;
    target[bytes] = 0;
    if (++walk->links > MAX_LINKS)
        return absent(ELOOP);
    size_t length = strlen(rest);
    if ((size_t)bytes + 1 + length >= sizeof joined)
        return absent(ENAMETOOLONG);
    memcpy(joined, target, (size_t)bytes);
    joined[bytes] = '/';
    memcpy(joined + bytes + 1, rest, length + 1);
    memcpy(walk->pending, joined, (size_t)bytes + length + 2);
    if (target[0] == '/')
        walk->found[0] = 0;
    return 0;
}

static void leave_directory(struct walk *walk)
{
    char *slash = strrchr(walk->found, '/');
    *(slash ? slash : walk->found) = 0;
}

int layers_find(const int *layers, size_t count, const char *path)
{
    struct walk walk = {.links = 0};
    struct stat status;
    OWN int found = open_shown(layers, count, "");
    if (strlen(path) >= sizeof walk.pending)
        return absent(ENAMETOOLONG);
    strcpy(walk.pending, path);
    while (found >= 0 && walk.pending[0] != 0) {
        char rest[PATH_MAX];
        size_t bytes = strcspn(walk.pending, "/"), before = strlen(walk.found);
        strcpy(rest, walk.pending + bytes + (walk.pending[bytes] == '/'));
        walk.pending[bytes] = 0;
        if (bytes == 0 || strcmp(walk.pending, ".") == 0) {
            strcpy(walk.pending, rest);
            continue;
        }
        if (strcmp(walk.pending, "..") == 0) {
            leave_directory(&walk);
        } else {
            if (before + bytes + 2 > sizeof walk.found)
                return absent(ENAMETOOLONG);
            if (before > 0)
                walk.found[before] = '/';
            memcpy(walk.found + before + (before > 0), walk.pending, bytes + 1);
        }
        close_owned(&found);
        found = open_shown(layers, count, walk.found);
        if (found < 0 || fstat(found, &status) != 0)
            return -1;
        if (S_ISLNK(status.st_mode)) {
            walk.found[before] = 0;
            if (follow(&walk, found, rest) != 0)
                return -1;
            continue;
        }
        if (rest[0] != 0 && !S_ISDIR(status.st_mode))
            return absent(ENOTDIR);
        strcpy(walk.pending, rest);
    }
    return give(&found);
}
