#define _GNU_SOURCE
#include "map.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { NUMBER_SIZE = 12, WORDS = 2 + 3 * (MAX_RANGES + 1) + 1 };

/* Where distributions install the two; never PATH, which anybody sets. */
static const char *const uid_programs[] = {"/usr/bin/newuidmap", "/bin/newuidmap", "/run/wrappers/bin/newuidmap"};
static const char *const gid_programs[] = {"/usr/bin/newgidmap", "/bin/newgidmap", "/run/wrappers/bin/newgidmap"};

/* NULL, or the state of the program at `path`: it must be root's alone, and have the right to map by set-user-id or file capabilities. */
static const char *fault_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return "missing";
    if (!S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "foreign";
    if ((st.st_mode & S_ISUID) == 0 && getxattr(path, "security.capability", NULL, 0) <= 0)
        return "powerless";
    return NULL;
}

static const char *find_program(const char *const *candidates, const char **found)
{
    const char *fault = "missing";
    for (size_t index = 0; index < 3; index++) {
        fault = fault_of(candidates[index]);
        *found = candidates[index];
        if (fault == NULL || *fault != 'm')
            return fault;
    }
    return fault;
}

const char *find_mappers(struct mapper *mapper)
{
    const char *fault = find_program(uid_programs, &mapper->uid_program);
    if (fault == NULL)
        fault = find_program(gid_programs, &mapper->gid_program);
    if (fault == NULL)
        return NULL;
    switch (*fault) {
    case 'm':
        return "newuidmap or newgidmap is not installed; install the package uidmap, or run as root";
    case 'f':
        return "newuidmap or newgidmap can be changed by others than root; install the package uidmap again";
    default:
        return "newuidmap or newgidmap has neither the set-user-id bit nor file capabilities; install the package uidmap again";
    }
}

/* `newuidmap PID 0 UID 1 1 FIRST COUNT …`: runs it and gives its exit status. */
static int run_program(const char *program, pid_t target, uint32_t own, const struct ranges *ranges)
{
    static char numbers[WORDS][NUMBER_SIZE];
    char *words[WORDS] = {(char *)program};
    unsigned used = 0;
    uint32_t next = 1;
#define ADD(value) (snprintf(numbers[used], NUMBER_SIZE, "%u", (unsigned)(value)), words[used + 1] = numbers[used], used++)
    ADD(target), ADD(0), ADD(own), ADD(1);
    for (unsigned index = 0; index < ranges->count; index++) {
        const struct range *range = &ranges->range[index];
        if (range->count > UINT32_MAX - 1 - next)
            break;
        ADD(next), ADD(range->first), ADD(range->count);
        next += range->count;
    }
#undef ADD
    words[used + 1] = NULL;
    const pid_t child = fork();
    if (child == 0) {
        char *none[] = {NULL};
        execve(program, words, none);
        fprintf(stderr, "%s: %s\n", program, strerror(errno));
        _exit(127);
    }
    int status;
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return 127;
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 127;
}

/* Waits for the word, maps the parent, and ends. Nothing but its three pipes is open: a lock of the caller is not ours to keep. */
static _Noreturn void map_parent(const struct mapper *mapper, const struct mapping *mapping, pid_t parent, int go, int report)
{
    char byte;
    const int null = open("/dev/null", O_RDWR);
    if (dup2(go, 3) < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(report, 2) < 0 || syscall(SYS_close_range, 4U, ~0U, 0U) != 0)
        _exit(1);
    if (read(3, &byte, 1) != 1 || getppid() != parent)
        _exit(1);
    close(3);
    _exit(run_program(mapper->uid_program, parent, mapping->uid, &mapping->uids) == 0 &&
          run_program(mapper->gid_program, parent, mapping->gid, &mapping->gids) == 0 ? 0 : 1);
}

bool start_mapping(struct mapper *mapper, const struct mapping *mapping)
{
    int go[2], report[2];
    const pid_t parent = getpid();
    if (pipe2(go, O_CLOEXEC) != 0)
        return false;
    if (pipe2(report, O_CLOEXEC) != 0) {
        close(go[0]);
        close(go[1]);
        return false;
    }
    mapper->child = fork();
    if (mapper->child == 0) {
        /* Above what they are moved to. */
        const int high_go = fcntl(go[0], F_DUPFD_CLOEXEC, 10), high_report = fcntl(report[1], F_DUPFD_CLOEXEC, 10);
        map_parent(mapper, mapping, parent, high_go, high_report);
    }
    const int number = errno;
    close(go[0]);
    close(report[1]);
    mapper->go = go[1];
    mapper->report = report[0];
    if (mapper->child < 0)
        abandon_mapping(mapper);
    errno = number;
    return mapper->child > 0;
}

static int wait_for_child(struct mapper *mapper)
{
    int status = -1;
    while (mapper->child > 0 && waitpid(mapper->child, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

void abandon_mapping(struct mapper *mapper)
{
    close(mapper->go);
    close(mapper->report);
    wait_for_child(mapper);
}

/* The first line that the programs printed, without control characters. */
static void read_line(int fd, char *line, size_t size)
{
    size_t used = 0;
    ssize_t got;
    while (used + 1 < size && (got = read(fd, line + used, size - 1 - used)) != 0) {
        if (got < 0 && errno != EINTR)
            break;
        used += got > 0 ? (size_t)got : 0;
    }
    line[used] = '\0';
    line[strcspn(line, "\n")] = '\0';
    for (char *at = line; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || (unsigned char)*at > '~')
            *at = '?';
}

bool finish_mapping(struct mapper *mapper, char *reason, size_t size)
{
    char line[256] = "";
    const bool told = write(mapper->go, "g", 1) == 1;
    close(mapper->go);
    if (told)
        read_line(mapper->report, line, sizeof line);
    close(mapper->report);
    if (wait_for_child(mapper) == 0)
        return true;
    snprintf(reason, size, "newuidmap refused: %s; check that /etc/subuid and /etc/subgid give you ranges that nobody else has", *line ? line : "no reason given");
    return false;
}
