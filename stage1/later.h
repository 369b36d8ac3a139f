/* Apps that come and go while the pod runs. */
#ifndef RKT_LATER_H
#define RKT_LATER_H

#include "supervise.h"

/* The place of an app by its name; -1 without one. */
int later_find(const struct supervisor *s, const char *name);

#endif
