/* The host's part of the start of an app: its groups, pipes and log, and what init gets. */
#ifndef RKT_START_APP_H
#define RKT_START_APP_H

#include "fail.h"
#include "message.h"
#include "plan.h"
#include "supervise.h"

/* Makes the groups that a section names by `code`, and writes what it says into them; gives their open cgroup.procs files. */
int make_cgroups(const struct section *section, enum op_code code, int *procs, uint32_t *count, struct fail *f);
/* Hands one app to init, with the mounts that `mounts` holds, and `plan_fd` for one that came later (-1: init has its plan). */
int start_app(struct supervisor *s, uint32_t index, struct message_fds *mounts, int plan_fd, struct fail *f);

#endif
