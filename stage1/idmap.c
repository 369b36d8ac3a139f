#include "idmap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sys.h"

enum { MAP_BYTES = 1024 };

/* Writes the known part of 0…count-1, each id to itself, as lines of a map. */
static int same_ids(const char *name, unsigned count, char *text, struct fail *f) {
  char path[64];
  size_t used = 0;
  unsigned inside, outside, length;
  snprintf(path, sizeof path, "/proc/self/%s", name);
  FILE *own_map = fopen(path, "re");
  if (!own_map) return fail(f, "read map of ids", path);
  while (used < MAP_BYTES && fscanf(own_map, "%u %u %u", &inside, &outside, &length) == 3) {
    if (inside >= count) continue;
    if (length > count - inside) length = count - inside;
    used += (size_t)snprintf(text + used, MAP_BYTES - used, "%u %u %u\n", inside, inside, length);
  }
  fclose(own_map);
  return used == 0 || used >= MAP_BYTES ? fail_as(f, E2BIG, "read map of ids", path) : 0;
}

static int write_map(pid_t pid, const char *name, unsigned shift, unsigned count, struct fail *f) {
  char path[64], text[MAP_BYTES];
  if (shift) snprintf(text, sizeof text, "0 %u %u\n", shift, count);
  else if (same_ids(name, count, text, f)) return -1;
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  own int fd = open(path, O_WRONLY | O_CLOEXEC);
  size_t size = strlen(text);
  return fd < 0 || write(fd, text, size) != (ssize_t)size ? fail(f, "map ids", path) : 0;
}

int map_ids(pid_t pid, unsigned shift, unsigned count, struct fail *f) {
  return write_map(pid, "uid_map", shift, count, f) || write_map(pid, "gid_map", shift, count, f) ? -1 : 0;
}
