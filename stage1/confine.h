/* The one way in which a program of a pod is confined and executed: apps, event handlers and `enter` all end here. */
#ifndef RKT_CONFINE_H
#define RKT_CONFINE_H

#include "caller.h"
#include "fail.h"
#include "plan.h"

struct program {
  const struct section *section; /* user, working directory, environment */
  const struct section *app;     /* the app's own section: capabilities, seccomp, limits, labels, … for all programs of the app */
  const struct strings *argv;    /* what to execute, instead of OP_EXEC */
  char *const *environment;      /* instead of OP_ENVIRONMENT; may be NULL */
  int as_root;                   /* event handlers: id 0 whatever the app's user is */
};

/* Does not return when it succeeds. The caller has closed all descriptors above 2 but those that are close-on-exec and lead nowhere. */
int confine_and_execute(const struct program *program, const struct caller *caller, struct fail *f);

#endif
