/* Landlock: what a read-only root means for a process that may remount. */
#ifndef RKT_LANDLOCK_H
#define RKT_LANDLOCK_H

#include "fail.h"
#include "plan.h"

/* Makes the rules of OP_LANDLOCK, writing only below its paths; `ruleset` stays -1 without that operation, or without Landlock in the kernel. */
int landlock_rules(const struct section *app, int *ruleset, struct fail *f);
/* Puts them on this process for good; needs CAP_SYS_ADMIN, or no-new-privileges. */
int landlock_enforce(int ruleset, struct fail *f);

#endif
