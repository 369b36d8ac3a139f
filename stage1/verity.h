/* Read-only disks of a guest: every block is checked against the root hash of the plan when it is read. */
#ifndef RKT_VERITY_H
#define RKT_VERITY_H

#include "fail.h"
#include "plan.h"

/* Maps the disk of a `disk` operation by dm-verity and mounts its EROFS file system. */
int verity_mount(const struct op *disk, struct fail *f);

#endif
