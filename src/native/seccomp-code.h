/* From rules to code for the kernel. */
#ifndef RKT_SECCOMP_CODE_H
#define RKT_SECCOMP_CODE_H

#include "seccomp-profile.h"

#include <linux/filter.h>

struct program {
    struct sock_filter code[BPF_MAXINSNS];
    size_t length;
    bool overflow; /* the kernel takes no program of this size */
};

/*
 * Per architecture a binary search over ranges of call numbers that have one answer, so that a call costs about eight comparisons;
 * calls without conditions stay recognisable for the kernel, which then skips the filter altogether.
 */
void write_program(const struct profile *profile, struct program *program);

#endif
