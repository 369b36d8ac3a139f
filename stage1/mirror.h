/* Where a supervisor in a virtual machine passes on what it sees, instead of to a caller and to files of its own. */
#ifndef RKT_MIRROR_H
#define RKT_MIRROR_H

#include <stddef.h>

#include "message.h"
#include "pump.h"

struct supervisor;

struct mirror {
  int fd; /* polled for reading; -1 while nothing more can be taken */
  int writes; /* polled for writing as well */
  void (*message)(struct mirror *mirror, const struct message *message);
  void (*output)(struct mirror *mirror, uint32_t app, const struct stream *stream, const char *data, size_t size);
  /* Something can be read or written, or a second has passed. Returns -1 when the pod is to end. */
  int (*turn)(struct mirror *mirror, struct supervisor *s, short events);
};

#endif
