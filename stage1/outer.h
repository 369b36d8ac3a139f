/* The outer launcher: makes the pod's namespaces and mounts, passes output on, writes the end. */
#ifndef RKT_OUTER_H
#define RKT_OUTER_H

/* `launcher run PLAN LOCK CALLER`: descriptors of the plan, the locked pod directory, and the caller's state or -1. Returns the exit status. */
int outer_run(int plan_fd, int lock_fd, int caller_fd);

struct mirror;
/* The same in a virtual machine, whose host sees what a caller would. */
int outer_run_mirrored(int plan_fd, int lock_fd, struct mirror *mirror);

#endif
