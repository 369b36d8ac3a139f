/*
 * build/bin/rkt: records what Node would change, sets aside the variables that would change Node, and becomes Node.
 * Static, so that no LD_* variable acts on it.
 */
#define _GNU_SOURCE
#include "caller-state.h"
#include "rootless/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_FAILURE_OF_RKT 254

extern char **environ;

/*
 * NODE_* changes what Node runs (NODE_OPTIONS=--require, NODE_V8_COVERAGE), LD_* what is loaded into it. Both are kept under another
 * name, so that `--inherit-env` can give them to the apps. Everything else is the caller's right: nothing here runs with more rights
 * than the caller has.
 */
static const char *const set_aside[] = {"NODE_", "LD_"};
#define ASIDE "RKT_CALLER_ENV_"
#define CALLER_FD "RKT_CALLER_FD="
/* `entered`, or why an ordinary user's pods are not possible here; absent for everybody else. */
#define ROOTLESS "RKT_ROOTLESS="

/* Node's own switches: none changes behaviour that a bundle without warnings can observe. */
static const char *const node_flags[] = {NODE_FLAGS};
#define NODE_FLAG_COUNT (sizeof node_flags / sizeof *node_flags)

static int complain(const char *action, const char *object, int number, const char *expected)
{
    fprintf(stderr, "rkt: cannot %s \"%s\": %s; expected %s\n", action, object, strerror(number), expected);
    return EXIT_FAILURE_OF_RKT;
}

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_set_aside(const char *variable)
{
    for (size_t index = 0; index < sizeof set_aside / sizeof *set_aside; index++)
        if (has_prefix(variable, set_aside[index]))
            return true;
    return false;
}

/* The environment for Node: ours without what is set aside, with the number of the record and `rootless`, if any. NULL when memory is short. */
static char **make_environment(int caller_fd, const char *rootless)
{
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    char **variables = calloc(count + 3, sizeof *variables);
    if (variables == NULL)
        return NULL;
    size_t used = 0;
    if (asprintf(&variables[used++], CALLER_FD "%d", caller_fd) < 0)
        return NULL;
    if (*rootless != '\0' && asprintf(&variables[used++], ROOTLESS "%s", rootless) < 0)
        return NULL;
    for (size_t index = 0; index < count; index++) {
        char *variable = environ[index];
        /* Those of an rkt around us would be taken for our caller's. */
        if (has_prefix(variable, CALLER_FD) || has_prefix(variable, ASIDE) || has_prefix(variable, ROOTLESS))
            continue;
        if (is_set_aside(variable) && asprintf(&variable, ASIDE "%s", environ[index]) < 0)
            return NULL;
        variables[used++] = variable;
    }
    return variables;
}

/* Writes `<directory of this program>/../lib/rkt`, symbolic links resolved, to `path`. */
static bool find_library(char *path, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", path, size - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(path, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
    }
    if (strlen(path) + sizeof "/lib/rkt/rkt.cjs" > size) {
        errno = ENAMETOOLONG;
        return false;
    }
    strcat(path, "/lib/rkt");
    return true;
}

int main(int argc, char **argv)
{
    char library[PATH_MAX];
    char node[PATH_MAX + 8], bundle[PATH_MAX + 16];
    if (!find_library(library, sizeof library))
        return complain("resolve", "/proc/self/exe", errno, "a mounted /proc");
    snprintf(node, sizeof node, "%s/node", library);
    snprintf(bundle, sizeof bundle, "%s/" BUNDLE, library);
    if (faccessat(AT_FDCWD, bundle, R_OK, 0) != 0)
        return complain("read", bundle, errno, "the program of rkt; install it again");

    struct failure failure;
    const int caller_fd = record_caller_state(&failure);
    if (caller_fd < 0) {
        fprintf(stderr, "rkt: cannot start: cannot %s: %s\n", failure.step, strerror(failure.number));
        return EXIT_FAILURE_OF_RKT;
    }
    char rootless[512] = "";
    switch (enter_rootless(argv + (argc > 0 ? 1 : 0), rootless, sizeof rootless)) {
    case ROOTLESS_ENTERED:
        strcpy(rootless, "entered");
        break;
    case ROOTLESS_BROKEN:
        fprintf(stderr, "rkt: cannot run as an ordinary user: %s\n", rootless);
        return EXIT_FAILURE_OF_RKT;
    case ROOTLESS_OUTSIDE:
    case ROOTLESS_REFUSED:
        break;
    }
    char **environment = make_environment(caller_fd, rootless);
    char **arguments = calloc((size_t)argc + NODE_FLAG_COUNT + 3, sizeof *arguments);
    if (environment == NULL || arguments == NULL)
        return complain("start", node, ENOMEM, "more memory");
    size_t used = 0;
    arguments[used++] = argc > 0 ? argv[0] : node;
    for (size_t index = 0; index < NODE_FLAG_COUNT; index++)
        if (node_flags[index] != NULL)
            arguments[used++] = (char *)node_flags[index];
    arguments[used++] = bundle;
    for (int index = 1; index < argc; index++)
        arguments[used++] = argv[index];
    execve(node, arguments, environment);
    return complain("run", node, errno, "a link to Node.js 20.19 or newer");
}
