/* The child processes of pod init: an app's main program, its handlers, and programs of `enter`. */
#ifndef RKT_APP_H
#define RKT_APP_H

#include "caller.h"
#include "message.h"
#include "plan.h"

enum { STATUS_OWN_FAILURE = 254, MAX_CGROUPS = 8, MAX_LISTENERS = 16 };

/* What pod init holds of an app, so that more processes can join it. */
struct app_place {
  int mount_ns, cgroup_ns;
  uint32_t cgroups;
  int cgroup[MAX_CGROUPS]; /* open cgroup.procs files */
  int stdio[3];            /* of the app, for its post-stop handler; -1 without one */
  uint32_t listeners;      /* sockets for its program, until it is forked */
  int listener[MAX_LISTENERS];
};

/* An app's start in the forked child: builds the root, runs pre-start handlers, executes. Reports over `report`. */
_Noreturn void app_child(const struct section *app, const struct caller *caller, struct message_fds *fds, const struct app_place *place,
                         int report);
/* An event handler of an app that has run: joins its place, executes as root. */
_Noreturn void handler_child(const struct section *app, const struct caller *caller, const struct strings *argv, const struct app_place *place,
                             int report);
/* A program that a client brought: `fds` are the plan file and 0, 1, 2. */
_Noreturn void enter_child(const struct plan *pod_plan, const struct app_place *places, const struct caller *caller, struct message_fds *fds,
                           int report);

#endif
