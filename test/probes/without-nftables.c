/* without-nftables PROGRAM [ARGUMENT…]: executes the program in a world where the kernel has no netfilter netlink sockets. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NETLINK_NETFILTER = 12, LOAD = 0x20, IF_EQUAL = 0x15, RETURN = 0x06, ALLOW = 0x7fff0000, FAIL = 0x00050000 };
/* struct seccomp_data: the number, then the architecture, an address, and six arguments of 64 bits. */
enum { NUMBER = 0, FIRST = 16, THIRD = 32 };

int main(int argc, char **argv)
{
    struct {
        uint16_t code;
        uint8_t if_true, if_false;
        uint32_t value;
    } code[] = {
        {LOAD, 0, 0, NUMBER}, {IF_EQUAL, 0, 5, SYS_socket}, {LOAD, 0, 0, FIRST},           {IF_EQUAL, 0, 3, AF_NETLINK},
        {LOAD, 0, 0, THIRD},  {IF_EQUAL, 0, 1, NETLINK_NETFILTER}, {RETURN, 0, 0, FAIL | EPROTONOSUPPORT}, {RETURN, 0, 0, ALLOW},
    };
    struct {
        unsigned short length;
        void *code;
    } program = {sizeof code / sizeof *code, code};
    if (argc > 1 && syscall(SYS_seccomp, 1, 0, &program) == 0)
        execv(argv[1], argv + 1);
    perror("without-nftables");
    return 125;
}
