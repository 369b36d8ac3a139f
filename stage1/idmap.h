/* The ids of the pod's user namespace. */
#ifndef RKT_IDMAP_H
#define RKT_IDMAP_H

#include <sys/types.h>

#include "fail.h"

/*
 * Maps ids 0…count-1 of the user namespace of process `pid` to shift… of ours. With shift 0 each id that we know below count is mapped to
 * itself: our own namespace is one that does not know all (an ordinary user's), and the kernel takes a range only from one of its ranges.
 */
int map_ids(pid_t pid, unsigned shift, unsigned count, struct fail *f);

#endif
