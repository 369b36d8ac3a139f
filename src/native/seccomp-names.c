#include "seccomp-names.h"

#include <seccomp.h>
#include <stddef.h>
#include <string.h>

struct name {
    const char *name;
    int number;
};

/* Younger than the libseccomp that this is built with; since 5.1 a new call has the same number everywhere. */
static const struct name young_calls[] = {
    {"cachestat", 451},    {"fchmodat2", 452},      {"map_shadow_stack", 453},  {"futex_wake", 454},        {"futex_wait", 455},
    {"futex_requeue", 456}, {"statmount", 457},     {"listmount", 458},         {"lsm_get_self_attr", 459}, {"lsm_set_self_attr", 460},
    {"lsm_list_modules", 461}, {"mseal", 462},      {"setxattrat", 463},        {"getxattrat", 464},        {"listxattrat", 465},
    {"removexattrat", 466}, {"open_tree_attr", 467}, {"file_getattr", 468},     {"file_setattr", 469},      {NULL, 0},
};

/* Calls of i386 beside the older multiplexers socketcall and ipc, for which libseccomp has numbers of its own making. */
static const struct name i386_calls[] = {
    {"recvmmsg", 337}, {"sendmmsg", 345}, {"socket", 359},      {"socketpair", 360},  {"bind", 361},        {"connect", 362},
    {"listen", 363},   {"accept4", 364},  {"getsockopt", 365},  {"setsockopt", 366},  {"getsockname", 367}, {"getpeername", 368},
    {"sendto", 369},   {"sendmsg", 370},  {"recvfrom", 371},    {"recvmsg", 372},     {"shutdown", 373},    {"semget", 393},
    {"semctl", 394},   {"shmget", 395},   {"shmctl", 396},      {"shmat", 397},       {"shmdt", 398},       {"msgget", 399},
    {"msgsnd", 400},   {"msgrcv", 401},   {"msgctl", 402},      {NULL, 0},
};

static int64_t look_up(const struct name *names, const char *name)
{
    for (; names->name != NULL; names++)
        if (strcmp(names->name, name) == 0)
            return names->number;
    return CALL_ABSENT;
}

int64_t call_number(uint32_t architecture, const char *name)
{
    int64_t number = architecture == SCMP_ARCH_X86 ? look_up(i386_calls, name) : CALL_ABSENT;
    if (number == CALL_ABSENT)
        number = seccomp_syscall_resolve_name_arch(architecture, name);
    if (number == __NR_SCMP_ERROR)
        number = look_up(young_calls, name);
    return number < 0 ? CALL_ABSENT : number;
}

bool is_call(const char *name)
{
    return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR || look_up(young_calls, name) != CALL_ABSENT;
}
