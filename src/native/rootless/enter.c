#define _GNU_SOURCE
#include "enter.h"

#include "map.h"
#include "ranges.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the user owns the directory, or could make it. */
static bool is_own(const char *directory, uid_t user)
{
    char path[PATH_MAX];
    struct stat st;
    if (strlen(directory) + 3 > sizeof path)
        return false;
    /* A relative path needs something before its first slash. */
    snprintf(path, sizeof path, "%s%s", *directory == '/' ? "" : "./", directory);
    if (stat(path, &st) == 0)
        return st.st_uid == user;
    while (errno == ENOENT) {
        char *slash = strrchr(path, '/');
        if (slash == NULL)
            return false;
        slash[slash == path ? 1 : 0] = '\0';
        if (stat(path, &st) == 0)
            return faccessat(AT_FDCWD, path, W_OK | X_OK, 0) == 0;
        if (slash == path)
            break;
    }
    return false;
}

static enum rootless refuse(char *reason, size_t size, const char *text)
{
    snprintf(reason, size, "%s", text);
    return ROOTLESS_REFUSED;
}

/* Why the kernel gives us no user namespace. */
static enum rootless explain_unshare(int number, char *reason, size_t size)
{
    if (number == ENOSPC)
        return refuse(reason, size, "the kernel allows no more user namespaces; raise user.max_user_namespaces (sysctl), or run as root");
    if (number == EPERM)
        return refuse(reason, size, "the kernel allows user namespaces to root alone; set kernel.unprivileged_userns_clone=1 (sysctl) where it exists, or run as root");
    if (number == EINVAL || number == ENOSYS)
        return refuse(reason, size, "the kernel has no user namespaces; run as root");
    snprintf(reason, size, "cannot make a user namespace: %s", strerror(number));
    return ROOTLESS_REFUSED;
}

/* Makes the namespaces, while a child outside of them stands ready to map them. */
static enum rootless enter_with(struct mapper *mapper, const struct mapping *mapping, char *reason, size_t size)
{
    if (!start_mapping(mapper, mapping)) {
        snprintf(reason, size, "cannot start newuidmap: %s", strerror(errno));
        return ROOTLESS_REFUSED;
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        const int number = errno;
        abandon_mapping(mapper);
        return explain_unshare(number, reason, size);
    }
    if (!finish_mapping(mapper, reason, size))
        return ROOTLESS_BROKEN;
    /* Shows what the rights in the namespace are worth; its mounts follow those of the host, never the other way round, in any case. */
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0)
        return ROOTLESS_ENTERED;
    snprintf(reason, size, "a policy of the host takes all rights from user namespaces (%s); with AppArmor, allow userns for this program or set kernel.apparmor_restrict_unprivileged_userns=0 (sysctl)",
             strerror(errno));
    return ROOTLESS_BROKEN;
}

enum rootless enter_rootless(char *const *words, char *reason, size_t size)
{
    const uid_t user = getuid();
    if (user == 0 || user != geteuid() || getgid() != getegid() || stays_outside(words))
        return ROOTLESS_OUTSIDE;
    const char *directory = data_directory(words);
    if (directory != NULL && *directory != '\0' && !is_own(directory, user))
        return ROOTLESS_OUTSIDE;

    struct ranges uids, gids;
    const struct passwd *entry = getpwuid(user);
    const char *name = entry == NULL ? NULL : entry->pw_name;
    if (!read_ranges("/etc/subuid", name, user, &uids))
        return refuse(reason, size, "/etc/subuid cannot be read; make it readable for everybody");
    if (!read_ranges("/etc/subgid", name, user, &gids))
        return refuse(reason, size, "/etc/subgid cannot be read; make it readable for everybody");
    if (uids.count == 0 && gids.count == 0)
        return ROOTLESS_OUTSIDE;
    if (uids.count == 0)
        return refuse(reason, size, "you have subordinate group ids (/etc/subgid), but no user ids in /etc/subuid; add them with usermod --add-subuids");
    if (gids.count == 0)
        return refuse(reason, size, "you have subordinate user ids (/etc/subuid), but no group ids in /etc/subgid; add them with usermod --add-subgids");
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return refuse(reason, size, "the caller has set no-new-privileges, under which newuidmap has no rights; run without it, or as root");
    struct mapper mapper;
    const char *missing = find_mappers(&mapper);
    if (missing != NULL)
        return refuse(reason, size, missing);

    /* A caller that ignores its children would make the kernel reap ours before we can. */
    struct sigaction as_usual = {.sa_handler = SIG_DFL}, inherited;
    sigaction(SIGCHLD, &as_usual, &inherited);
    const enum rootless result = enter_with(&mapper, &(struct mapping){.uid = user, .gid = getgid(), .uids = uids, .gids = gids}, reason, size);
    sigaction(SIGCHLD, &inherited, NULL);
    return result;
}
