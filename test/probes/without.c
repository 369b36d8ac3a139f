/* without NAME PROGRAM [ARGUMENT…]: executes the program in a world where one system call fails with EPERM. */
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
    {"capset", SYS_capset}, {"fchownat", SYS_fchownat}, {"keyctl", SYS_keyctl}, {"kexec_load", SYS_kexec_load}, {"mknodat", SYS_mknodat},
    {"mount", SYS_mount}, {"pivot_root", SYS_pivot_root}, {"seccomp", SYS_seccomp}, {"sethostname", SYS_sethostname},
    {"setgroups", SYS_setgroups}, {"setns", SYS_setns}, {"setresuid", SYS_setresuid}, {"setsid", SYS_setsid}, {"symlinkat", SYS_symlinkat},
    {"umount2", SYS_umount2}, {"unshare", SYS_unshare}, {"open_tree", 428}, {"move_mount", 429}, {"fsopen", 430}, {"fsconfig", 431},
    {"fsmount", 432}, {"mount_setattr", 442},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 2 && i < sizeof calls / sizeof *calls; i++) {
        if (strcmp(calls[i].name, argv[1]) != 0)
            continue;
        /* Load the number; is it the one? Refuse with EPERM, else allow (seccomp(2), struct sock_filter). */
        struct {
            uint16_t code;
            uint8_t if_true, if_false;
            uint32_t value;
        } code[] = {{0x20, 0, 0, 0}, {0x15, 0, 1, calls[i].number}, {0x06, 0, 0, 0x00050000 | EPERM}, {0x06, 0, 0, 0x7fff0000}};
        struct {
            unsigned short length;
            void *code;
        } program = {sizeof code / sizeof *code, code};
        if (syscall(SYS_seccomp, 1, 0, &program) == 0)
            execv(argv[2], argv + 2);
        break;
    }
    perror(argc > 1 ? argv[1] : "usage: without NAME PROGRAM [ARGUMENT...]");
    return 125;
}
