/* The `end` list: what must be undone when a pod has ended, run by the outer launcher and again by collection. Every entry is idempotent. */
#ifndef RKT_END_H
#define RKT_END_H

#include "fail.h"
#include "plan.h"

/*
 * Runs every entry whatever happened to those before it; the first failure comes back in `f`. `pod` is the pod directory. With `remove`,
 * OP_END_REMOVE_POD is carried out too; collection removes the directory itself.
 */
int end_run(const struct section *end, int pod, int remove, struct fail *f);

#endif
