/* Writes to the process's own files below /proc, which must be a real procfs. */
#ifndef RKT_OWN_PROC_H
#define RKT_OWN_PROC_H

#include "fail.h"

/* Writes `text` to /proc/self/`file`, such as `oom_score_adj`. */
int own_proc_write(const char *file, const char *text, struct fail *f);

#endif
