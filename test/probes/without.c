/*
 * without NAME[=ERRNO] PROGRAM [ARGUMENT…]: executes the program in a world where one system call fails with EPERM, or with the errno that
 * is named: ENOSYS, EINVAL.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name;
    unsigned number;
} calls[] = {
    {"capset", SYS_capset}, {"clone", SYS_clone}, {"execveat", SYS_execveat}, {"fchownat", SYS_fchownat}, {"keyctl", SYS_keyctl}, {"memfd_create", SYS_memfd_create}, {"kexec_load", SYS_kexec_load}, {"mknodat", SYS_mknodat},
    {"mount", SYS_mount}, {"pivot_root", SYS_pivot_root}, {"seccomp", SYS_seccomp}, {"sethostname", SYS_sethostname},
    {"setgroups", SYS_setgroups}, {"setns", SYS_setns}, {"setresuid", SYS_setresuid}, {"setsid", SYS_setsid}, {"symlinkat", SYS_symlinkat},
    {"umount2", SYS_umount2}, {"unshare", SYS_unshare}, {"open_tree", 428}, {"move_mount", 429}, {"fsopen", 430}, {"fsconfig", 431},
    {"fsmount", 432}, {"pidfd_send_signal", 424}, {"pidfd_open", 434}, {"clone3", 435}, {"close_range", 436}, {"openat2", 437}, {"faccessat2", 439}, {"mount_setattr", 442}, {"landlock_create_ruleset", 444}, {"landlock_add_rule", 445}, {"landlock_restrict_self", 446},
};

/* The errno after `=`, EPERM without one, 0 for a name that is not known. */
static unsigned errno_of(const char *equals)
{
    if (equals == NULL)
        return EPERM;
    return strcmp(equals, "=ENOSYS") == 0 ? ENOSYS : strcmp(equals, "=EINVAL") == 0 ? EINVAL : strcmp(equals, "=EPERM") == 0 ? EPERM : 0;
}

int main(int argc, char **argv)
{
    const size_t length = argc > 2 ? strcspn(argv[1], "=") : 0;
    const unsigned error = argc > 2 ? errno_of(strchr(argv[1], '=')) : 0;
    for (size_t i = 0; error != 0 && i < sizeof calls / sizeof *calls; i++) {
        if (strlen(calls[i].name) != length || strncmp(calls[i].name, argv[1], length) != 0)
            continue;
        /* Load the number; is it the one? Refuse it, else allow (seccomp(2), struct sock_filter). */
        struct {
            uint16_t code;
            uint8_t if_true, if_false;
            uint32_t value;
        } code[] = {{0x20, 0, 0, 0}, {0x15, 0, 1, calls[i].number}, {0x06, 0, 0, 0x00050000 | error}, {0x06, 0, 0, 0x7fff0000}};
        struct {
            unsigned short length;
            void *code;
        } program = {sizeof code / sizeof *code, code};
        if (syscall(SYS_seccomp, 1, 0, &program) == 0)
            execv(argv[2], argv + 2);
        break;
    }
    perror(argc > 1 ? argv[1] : "usage: without NAME[=ERRNO] PROGRAM [ARGUMENT...]");
    return 125;
}
