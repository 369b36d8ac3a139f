/* What the caller of rkt had before Node changed it: limits, signal dispositions and mask. Format: specs/launch-plan.md. */
#ifndef RKT_CALLER_H
#define RKT_CALLER_H

#include <stdint.h>
#include <sys/resource.h>

#include "fail.h"

enum { CALLER_LIMITS = 16, CALLER_MAX_FDS = 1024 };

struct caller {
  int known;
  uint64_t ignored; /* bit n-1 = signal n */
  uint64_t blocked;
  uint32_t umask;
  struct rlimit limit[CALLER_LIMITS];
  int stdio_flags[3]; /* F_GETFL of 0, 1, 2; -1 when unknown */
};

/* Reads the sealed file behind `fd`; -1 means none: today's own state is kept. */
int caller_read(int fd, struct caller *caller, struct fail *f);
/* Gives the limits back; a limit that may not be raised any more stays. */
int caller_restore_limits(const struct caller *caller, struct fail *f);
/* Default dispositions, but ignored ones ignored again; then the caller's mask. */
void caller_restore_signals(const struct caller *caller);
/* O_NONBLOCK is a property of the shared open file: takes away what Node added to 0, 1, 2. */
void caller_restore_stdio(const struct caller *caller);

#endif
