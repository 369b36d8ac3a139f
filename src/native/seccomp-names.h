/* Numbers of system calls. */
#ifndef RKT_SECCOMP_NAMES_H
#define RKT_SECCOMP_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#define CALL_ABSENT (-1)

/* Number of a call on one architecture (AUDIT_ARCH_…), or CALL_ABSENT. */
int64_t call_number(uint32_t architecture, const char *name);

/* Whether any architecture has, or had, a call of this name. */
bool is_call(const char *name);

#endif
