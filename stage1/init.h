/* Pod init: PID 1 of the pod. Starts and reaps apps and event handlers, keeps the first-failure rule, serves clients. */
#ifndef RKT_INIT_H
#define RKT_INIT_H

#include "caller.h"
#include "plan.h"

struct init {
  struct plan *plan; /* grows by the apps that come later */
  const struct caller *caller;
  int outer;      /* connection to the outer launcher */
  uint32_t flags; /* CLONE_NEW* that this process is in */
};

/* Runs in the new namespaces; never returns. The exit status is the pod's. */
_Noreturn void init_main(const struct init *init);

#endif
