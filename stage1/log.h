/* The log of one app: lines with their time, in files of a bounded size and number. */
#ifndef RKT_LOG_H
#define RKT_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "fail.h"
#include "plan.h"

struct log {
  int fd;        /* -1: nothing is kept */
  int directory; /* of the file */
  char name[256];
  uint64_t size, max_size;
  unsigned files; /* at most this many, with the one that is written */
  int plain;      /* without the tag for partial lines */
};

void log_prepare(struct log *log);
/*
 * Opens the log that the plan of an app names, below the pod directory or, where an operator said so, in a directory of the host: then
 * `logs/APP` of the pod is a link to it. A plan without OP_LOG keeps nothing.
 */
int log_open(struct log *log, int pod, const struct section *app, struct fail *f);
/* Keeps what descriptor `number` (1, 2) has written. A full disk must not stop the app: what the log cannot take is lost. */
void log_write(struct log *log, int number, const char *data, size_t size);
void log_close(struct log *log);

#endif
