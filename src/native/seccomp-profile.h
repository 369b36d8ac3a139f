/*
 * The text that build/lib/rkt/seccomp compiles. One statement a line, numbers decimal or 0x:
 *
 *   default ACTION                                  first line: what a call answers that no rule decides
 *   arch NAME                                       before any rule: another architecture beside the native one
 *   ACTION CALL [argN masked_eq MASK VALUE]         a rule; ACTION is `allow`, `kill` or `errno NUMBER`
 *
 * Of the rules of one call, the first whose condition holds decides.
 */
#ifndef RKT_SECCOMP_PROFILE_H
#define RKT_SECCOMP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_ARCHITECTURES 3
#define MAX_RULES 4096

struct rule {
    int64_t numbers[MAX_ARCHITECTURES]; /* of the call, per architecture of the profile; negative where there is none */
    uint32_t action;                    /* SECCOMP_RET_… */
    bool conditional;
    unsigned argument;
    uint64_t mask, value;
};

struct profile {
    bool started;
    uint32_t otherwise;
    uint32_t architectures[MAX_ARCHITECTURES]; /* AUDIT_ARCH_…, the native one first */
    size_t architecture_count;
    struct rule rules[MAX_RULES];
    size_t rule_count;
};

struct fault {
    unsigned line;
    char text[160];
};

/* Reads one line, without its newline. Returns 0, or -1 with `fault` filled. */
int profile_line(struct profile *profile, char *line, struct fault *fault);

#endif
