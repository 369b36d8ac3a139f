/*
 * inject-call CALL PROGRAM [ARGUMENT…]: runs the program and, as soon as it has filtered its own system calls, puts another call in the
 * place of its next one, as code of an attacker would. Prints "killed by SIGNAL" or "result N".
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the registers of this processor are not known here"
#endif

enum { SYSCALL_STOP = SIGTRAP | 0x80, GET_SYSCALL_INFO = 0x420e, ENTRY = 1, EXIT = 2, FILTER = 1, TEXT = 1 << 20 };

/* ptrace(2), PTRACE_GET_SYSCALL_INFO */
struct call_info {
    uint8_t kind;
    uint32_t arch;
    uint64_t instruction, stack;
    union {
        struct { uint64_t number, arguments[6]; } entry;
        struct { int64_t result; uint8_t is_error; } exit;
    } u;
};

/* An argument TEXT stands for the address of `text`. */
static const struct call {
    const char *name;
    uint64_t number, arguments[6];
    const char *text;
} calls[] = {
    {"execve", SYS_execve, {TEXT, 0, 0}, "/bin/sh"},
    {"socket", SYS_socket, {2, 1, 0}, ""},
    {"connect", SYS_connect, {0, TEXT, 16}, ""},
    {"ptrace", SYS_ptrace, {16, 1}, ""},
    {"kill", SYS_kill, {1, 0}, ""},
    {"mount", SYS_mount, {TEXT, TEXT, 0, 4096}, "/"},
    {"mmap-code", SYS_mmap, {0, 4096, 7, 0x22, (uint64_t)-1, 0}, ""},
    {"open-shadow", SYS_openat, {(uint64_t)-100, TEXT, 0}, "/etc/shadow"},
    {"open-above", SYS_openat, {(uint64_t)-100, TEXT, 0}, "../../../../../../../../etc/shadow"},
    {"open-proc", SYS_openat, {(uint64_t)-100, TEXT, 0}, "/proc/1/root/etc/shadow"},
    {"read-image", SYS_pread64, {0, TEXT, 4, 0}, ""},
};

static void fail(const char *what)
{
    fprintf(stderr, "inject-call: %s: %s\n", what, strerror(errno));
    exit(125);
}

static void inject(pid_t pid, const struct call *call)
{
    struct user_regs_struct r;
    char text[64] = "";
    if (ptrace(PTRACE_GETREGS, pid, NULL, &r) < 0)
        fail("read registers");
    const uint64_t place = (r.rsp - 65536) & ~(uint64_t)15;
    strncpy(text, call->text, sizeof text - 1);
    for (size_t i = 0; i < sizeof text; i += sizeof(long)) {
        long word;
        memcpy(&word, text + i, sizeof word);
        if (ptrace(PTRACE_POKEDATA, pid, (void *)(place + i), (void *)word) < 0)
            fail("write memory");
    }
    uint64_t a[6];
    for (int i = 0; i < 6; i++)
        a[i] = call->arguments[i] == TEXT ? place : call->arguments[i];
    r.orig_rax = call->number;
    r.rdi = a[0], r.rsi = a[1], r.rdx = a[2], r.r10 = a[3], r.r8 = a[4], r.r9 = a[5];
    if (ptrace(PTRACE_SETREGS, pid, NULL, &r) < 0)
        fail("write registers");
}

static int run(pid_t program, const struct call *call)
{
    enum { WATCHING, FILTERING, FILTERED, INJECTED, RETURNED } state = WATCHING;
    int64_t result = 0;
    for (;;) {
        int status, pass = 0;
        struct call_info info;
        pid_t pid = waitpid(-1, &status, __WALL);
        if (pid < 0)
            fail("wait");
        if (WIFSIGNALED(status) && pid == program)
            return printf("killed by %s\n", WTERMSIG(status) == SIGSYS ? "SIGSYS" : strsignal(WTERMSIG(status))) < 0;
        if (WIFEXITED(status) && pid == program)
            return printf("ended with %d in state %d\n", WEXITSTATUS(status), state) < 0;
        if (!WIFSTOPPED(status))
            continue;
        if (WSTOPSIG(status) != SYSCALL_STOP) {
            if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP)
                pass = WSTOPSIG(status);
        } else if (pid == program && ptrace(GET_SYSCALL_INFO, pid, (void *)sizeof info, &info) > 0) {
            if (state == WATCHING && info.kind == ENTRY && info.u.entry.number == SYS_seccomp && info.u.entry.arguments[0] == FILTER) {
                state = FILTERING;
            } else if (state == FILTERING && info.kind == EXIT) {
                state = info.u.exit.result == 0 ? FILTERED : WATCHING;
            } else if (state == FILTERED && info.kind == ENTRY) {
                inject(pid, call);
                state = INJECTED;
            } else if (state == INJECTED && info.kind == EXIT) {
                /* Of a call that the filter refuses, this is no result: the process dies before it gets further. */
                result = info.u.exit.result;
                state = RETURNED;
            } else if (state == RETURNED) {
                kill(program, SIGKILL);
                return printf("result %lld\n", (long long)result) < 0;
            }
        }
        /* A thread that is gone meanwhile needs no word. */
        ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)pass);
    }
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 2 && i < sizeof calls / sizeof *calls; i++) {
        int status;
        if (strcmp(calls[i].name, argv[1]) != 0)
            continue;
        /* Every descriptor of the caller is the program's, but for its output. */
        pid_t pid = fork();
        if (pid == 0) {
            ptrace(PTRACE_TRACEME, 0, NULL, NULL);
            raise(SIGSTOP);
            execv(argv[2], argv + 2);
            _exit(126);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            fail("start");
        if (ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)) < 0 || ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0)
            fail("trace");
        return run(pid, &calls[i]);
    }
    fprintf(stderr, "usage: inject-call CALL PROGRAM [ARGUMENT...]\n");
    return 125;
}
