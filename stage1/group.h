/* The end of a control group: its members, and the group itself. */
#ifndef RKT_GROUP_H
#define RKT_GROUP_H

#include "fail.h"

/* Kills what runs in the group at `path`; does not wait. */
void group_kill(const char *path);
/* Removes a group and those below it; what still runs there was left by the pod, and is killed. */
int group_remove(const char *path, struct fail *f);

#endif
