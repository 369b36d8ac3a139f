/*
 * try-syscall [--filter FILE] [NAME…]: makes each of the calls of the table below, or those named, in a process of its own, and prints
 * `NAME ok`, `NAME ERRNO-NUMBER` or `NAME killed SIGNAL-NUMBER`. The arguments are such that a call which gets through does no harm;
 * an errno from the kernel's own checks (EINVAL, EFAULT, EBADF) thus shows that the filter let it pass.
 * With --filter, FILE (`struct sock_filter[]`) is installed first.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BAD_POINTER ((long)-4096)

struct call {
    const char *name;
    long number;
    long arguments[6];
};

static const struct call calls[] = {
    {"getpid", SYS_getpid, {0}},
    {"read", SYS_read, {-1, 0, 0}},
    {"openat2", 437, {-1, BAD_POINTER, BAD_POINTER, 24}},
    {"statx", SYS_statx, {-1, BAD_POINTER, 0, 0, BAD_POINTER}},
    {"rseq", SYS_rseq, {BAD_POINTER, 1, 1, 0}},
    {"faccessat2", 439, {-1, BAD_POINTER, 0, 0}},
    {"pidfd_open", 434, {-1, 0}},
    {"landlock", 444, {0, 0, 1}},
    {"ptrace", SYS_ptrace, {-1, 0, 0, 0}},
    {"mknodat", SYS_mknodat, {-1, BAD_POINTER, 0, 0}},
    {"chroot", SYS_chroot, {BAD_POINTER}},
    {"seccomp", SYS_seccomp, {-1, 0, 0}},
    {"clone3", 435, {BAD_POINTER, 88}},
    {"clone-newuser", SYS_clone, {0x10000011, 0, 0, 0, 0}},
    {"clone-newns", SYS_clone, {0x00020011, 0, 0, 0, 0}},
    {"clone-fork", SYS_clone, {17, 0, 0, 0, 0}},
    {"unshare", SYS_unshare, {0}},
    {"setns", SYS_setns, {-1, 0}},
    {"mount", SYS_mount, {BAD_POINTER, BAD_POINTER, BAD_POINTER, 0, 0}},
    {"umount2", SYS_umount2, {BAD_POINTER, 0}},
    {"open_tree", 428, {-1, BAD_POINTER, 0}},
    {"mount_setattr", 442, {-1, BAD_POINTER, 0, BAD_POINTER, 32}},
    {"pivot_root", SYS_pivot_root, {BAD_POINTER, BAD_POINTER}},
    {"ioctl-tiocsti", SYS_ioctl, {-1, 0x5412, BAD_POINTER}},
    {"ioctl-tiocsti-high", SYS_ioctl, {-1, 0x100005412, BAD_POINTER}},
    {"ioctl-tioclinux", SYS_ioctl, {-1, 0x541c, BAD_POINTER}},
    {"ioctl-tioclinux-high", SYS_ioctl, {-1, 0x7fffffff0000541c, BAD_POINTER}},
    {"ioctl-tcgets", SYS_ioctl, {-1, 0x5401, BAD_POINTER}},
    {"socket-alg", SYS_socket, {38, 5, 0}},
    {"socket-alg-high", SYS_socket, {0x100000026, 5, 0}},
    {"socket-vsock", SYS_socket, {40, 1, 0}},
    {"socket-unix", SYS_socket, {1, 1, 0}},
    {"personality-query", SYS_personality, {0xffffffff}},
    {"personality-linux", SYS_personality, {0}},
    {"personality-norandom", SYS_personality, {0x0040000}},
    {"keyctl", SYS_keyctl, {-1, 0, 0, 0, 0}},
    {"add_key", SYS_add_key, {BAD_POINTER, BAD_POINTER, 0, 0, 0}},
    {"bpf", SYS_bpf, {-1, BAD_POINTER, 0}},
    {"perf_event_open", SYS_perf_event_open, {BAD_POINTER, -1, -1, -1, 0}},
    {"userfaultfd", SYS_userfaultfd, {-1}},
    {"io_uring_setup", 425, {0, BAD_POINTER}},
    {"open_by_handle_at", SYS_open_by_handle_at, {-1, BAD_POINTER, 0}},
    {"syslog", SYS_syslog, {-1, 0, 0}},
    {"reboot", SYS_reboot, {0, 0, 0, 0}},
    {"kexec_load", SYS_kexec_load, {0, 1L << 40, 0, -1}},
    {"unknown", 4000, {0}},
#ifdef __x86_64__
    {"x32-getpid", 0x40000000 | SYS_getpid, {0}},
#endif
};

#ifdef __x86_64__
/* A call of the 32-bit ABI; getpid is 20 there, mount 21. */
static long call_i386(long number)
{
    long result = number;
    __asm__ volatile("int $0x80" : "+a"(result) : "b"(0), "c"(0), "d"(0), "S"(0), "D"(0) : "memory", "r8", "r9", "r10", "r11");
    return (int)result;
}
#endif

static int fail(const char *what)
{
    perror(what);
    exit(125);
}

static void install(const char *path)
{
    static uint64_t code[4096];
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t size = fd < 0 ? -1 : read(fd, code, sizeof code);
    if (size <= 0)
        fail(path);
    const struct {
        unsigned short length;
        void *code;
    } program = {(unsigned short)(size / 8), code};
    /* SECCOMP_SET_MODE_FILTER; root needs no no_new_privs for it, others do. */
    if (syscall(SYS_seccomp, 1, 0, &program) != 0 &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, 1, 0, &program) != 0))
        fail("seccomp");
}

/* Makes the call in a child, which exits with the errno. */
static void attempt(const char *name, long (*make)(const void *), const void *what, const char *filter)
{
    fflush(stdout);
    const pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        if (filter != NULL)
            install(filter);
        const pid_t self = getpid();
        const long result = make(what);
        _exit(getpid() != self || result >= 0 ? 0 : errno);
    }
    int status;
    if (waitpid(child, &status, 0) != child)
        fail("waitpid");
    if (WIFSIGNALED(status))
        printf("%s killed %d\n", name, WTERMSIG(status));
    else if (WEXITSTATUS(status) == 0)
        printf("%s ok\n", name);
    else
        printf("%s %d\n", name, WEXITSTATUS(status));
}

static long make_native(const void *what)
{
    const struct call *call = what;
    const long *a = call->arguments;
    return syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static long make_i386(const void *what)
{
#ifdef __x86_64__
    const long result = call_i386(*(const long *)what);
    if (result >= 0)
        return result;
    errno = (int)-result;
#else
    (void)what;
    errno = ENOSYS;
#endif
    return -1;
}

static int is_wanted(const char *name, char **names)
{
    if (*names == NULL)
        return 1;
    for (; *names != NULL; names++)
        if (strcmp(name, *names) == 0)
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    static const long i386_getpid = 20, i386_mount = 21;
    const char *filter = NULL;
    char **names = argv + (argc > 0);
    if (*names != NULL && strcmp(*names, "--filter") == 0 && names[1] != NULL) {
        filter = names[1];
        names += 2;
    }
    for (size_t index = 0; index < sizeof calls / sizeof *calls; index++)
        if (is_wanted(calls[index].name, names))
            attempt(calls[index].name, make_native, &calls[index], filter);
    if (is_wanted("i386-getpid", names))
        attempt("i386-getpid", make_i386, &i386_getpid, filter);
    if (is_wanted("i386-mount", names))
        attempt("i386-mount", make_i386, &i386_mount, filter);
    return 0;
}
