/* What /etc/subuid and /etc/subgid promise to a user, as arguments for newuidmap(1) and newgidmap(1). */
#ifndef RKT_ROOTLESS_RANGES_H
#define RKT_ROOTLESS_RANGES_H

#include <stdbool.h>
#include <stdint.h>

enum { MAX_RANGES = 16 };

struct range {
    uint32_t first, count;
};

struct ranges {
    struct range range[MAX_RANGES];
    unsigned count;
};

/*
 * Ranges of the user with this name (may be NULL) or number, in the order of the file; lines that are not entries are skipped, as
 * shadow-utils does. False with errno when the file exists and cannot be read.
 */
bool read_ranges(const char *path, const char *name, uint32_t uid, struct ranges *found);

#endif
