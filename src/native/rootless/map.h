/* newuidmap(1) and newgidmap(1), run from outside of the namespace that they map. */
#ifndef RKT_ROOTLESS_MAP_H
#define RKT_ROOTLESS_MAP_H

#include "ranges.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mapping {
    uid_t uid; /* becomes 0 */
    gid_t gid;
    struct ranges uids, gids; /* become 1, 2, … */
};

struct mapper {
    const char *uid_program, *gid_program;
    pid_t child;
    int go;     /* one byte: the namespace is made */
    int report; /* what the programs say */
};

/* Finds the two programs; NULL, or what is wrong with them. */
const char *find_mappers(struct mapper *mapper);

/* Forks the child that will map this process. False with errno. */
bool start_mapping(struct mapper *mapper, const struct mapping *mapping);

/* To be called in the new namespace: waits for the maps. False with `reason` filled. */
bool finish_mapping(struct mapper *mapper, char *reason, size_t size);

/* There is no namespace: the child goes away without having done anything. */
void abandon_mapping(struct mapper *mapper);

#endif
