/* Replacing this process, and signalling others without the race of process numbers. */
#define _GNU_SOURCE
#include "binding.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/syscall.h>

static int clear_close_on_exec(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    return flags < 0 ? -1 : fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
}

napi_value binding_exec_launcher(napi_env env, napi_callback_info info)
{
    napi_value arguments[4];
    CLEANUP(free_text) char *path = NULL;
    CLEANUP(free_vector) char **argv = NULL;
    CLEANUP(free_vector) char **environment = NULL;
    CLEANUP(free_descriptors) struct descriptors keep = {0};
    if (!take_arguments(env, info, 4, arguments) || !take_text(env, arguments[0], &path) || !take_vector(env, arguments[1], &argv) ||
        !take_vector(env, arguments[2], &environment) || !take_descriptors(env, arguments[3], &keep))
        return NULL;
    if (argv[0] == NULL) {
        refuse(env, "expected at least one argument");
        return NULL;
    }
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        return throw_errno(env, errno, "close_range");
    /* Node marks 0 to 2 close-on-exec too; one that the caller had closed stays absent. */
    for (int fd = 0; fd <= 2; fd++)
        if (clear_close_on_exec(fd) != 0 && errno != EBADF)
            return throw_errno(env, errno, "fcntl");
    for (size_t index = 0; index < keep.count; index++)
        if (clear_close_on_exec(keep.list[index]) != 0)
            return throw_errno(env, errno, "fcntl");
    execve(path, argv, environment);
    return throw_errno(env, errno, "execve");
}

napi_value binding_pidfd_open(napi_env env, napi_callback_info info)
{
    napi_value arguments[1];
    int64_t pid;
    if (!take_arguments(env, info, 1, arguments) || !take_integer(env, arguments[0], 1, INT_MAX, &pid))
        return NULL;
    long fd = syscall(SYS_pidfd_open, (pid_t)pid, 0U);
    return fd < 0 ? throw_errno(env, errno, "pidfd_open") : make_integer(env, fd);
}

napi_value binding_pidfd_signal(napi_env env, napi_callback_info info)
{
    napi_value arguments[2];
    int pidfd;
    int64_t number;
    if (!take_arguments(env, info, 2, arguments) || !take_descriptor(env, arguments[0], &pidfd) ||
        !take_integer(env, arguments[1], 0, SIGRTMAX, &number))
        return NULL;
    if (syscall(SYS_pidfd_send_signal, pidfd, (int)number, NULL, 0U) == 0)
        return make_boolean(env, true);
    return errno == ESRCH ? make_boolean(env, false) : throw_errno(env, errno, "pidfd_send_signal");
}

static pid_t js_thread;

static void pass_to_js_thread(int number)
{
    int saved = errno;
    syscall(SYS_tgkill, getpid(), js_thread, number);
    errno = saved;
}

/*
 * From here on SIGINT and SIGTERM wait, blocked, for the thread that will execute the launcher, whichever thread they come to: pending
 * signals live on through execve(2), where those that Node's own handler had taken would be lost.
 */
napi_value binding_hold_signals(napi_env env, napi_callback_info info)
{
    napi_value arguments[1];
    sigset_t held;
    struct sigaction action = {.sa_handler = pass_to_js_thread, .sa_flags = SA_RESTART};
    if (!take_arguments(env, info, 0, arguments))
        return NULL;
    js_thread = (pid_t)syscall(SYS_gettid);
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    if (pthread_sigmask(SIG_BLOCK, &held, NULL) != 0 || sigaction(SIGINT, &action, NULL) != 0 || sigaction(SIGTERM, &action, NULL) != 0)
        return throw_errno(env, errno, "sigaction");
    return make_undefined(env);
}
