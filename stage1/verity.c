#include "verity.h"

#include <errno.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys.h"

enum { FIELD_DEVICE, FIELD_PATH, FIELD_BLOCKS, FIELD_ROOT, FIELD_SALT };
enum { BLOCK = 4096, SECTORS = BLOCK / 512, ROOM = 1024 };

/* SPEC: dm-verity without superblock: the hash blocks follow the data on the same disk. */
struct request {
  struct dm_ioctl head;
  char rest[ROOM];
};

static void request_for(struct request *request, const char *name, uint32_t flags) {
  *request = (struct request){.head = {.version = {DM_VERSION_MAJOR, 0, 0}, .data_size = sizeof *request, .data_start = sizeof request->head, .flags = flags}};
  snprintf(request->head.name, sizeof request->head.name, "%s", name);
}

static int load(int control, const char *name, const struct op *disk, struct fail *f) {
  struct request request;
  request_for(&request, name, DM_READONLY_FLAG);
  request.head.target_count = 1;
  struct dm_target_spec *target = (struct dm_target_spec *)(void *)request.rest;
  *target = (struct dm_target_spec){.length = disk->field[FIELD_BLOCKS].number * SECTORS};
  snprintf(target->target_type, sizeof target->target_type, "verity");
  char *words = request.rest + sizeof *target;
  unsigned long blocks = (unsigned long)disk->field[FIELD_BLOCKS].number;
  int size = snprintf(words, sizeof request.rest - sizeof *target, "1 %s %s %d %d %lu %lu sha256 %s %s", disk->field[FIELD_DEVICE].text,
                      disk->field[FIELD_DEVICE].text, BLOCK, BLOCK, blocks, blocks, disk->field[FIELD_ROOT].text, disk->field[FIELD_SALT].text);
  if (size < 0 || (size_t)size >= sizeof request.rest - sizeof *target) return fail_as(f, E2BIG, "map disk", name);
  if (ioctl(control, DM_TABLE_LOAD, &request)) return fail(f, "map disk", name);
  request_for(&request, name, 0);
  return ioctl(control, DM_DEV_SUSPEND, &request) ? fail(f, "activate disk", name) : 0;
}

int verity_mount(const struct op *disk, struct fail *f) {
  struct request request;
  char name[64], node[96];
  const char *last = strrchr(disk->field[FIELD_PATH].text, '/');
  snprintf(name, sizeof name, "%.60s", last ? last + 1 : disk->field[FIELD_PATH].text);
  snprintf(node, sizeof node, "/dev/disk-%s", name);
  own int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
  if (control < 0) return fail(f, "open", "/dev/mapper/control");
  request_for(&request, name, 0);
  if (ioctl(control, DM_DEV_CREATE, &request)) return fail(f, "make disk", name);
  dev_t device = makedev((unsigned)(request.head.dev >> 8 & 0xfff), (unsigned)((request.head.dev & 0xff) | (request.head.dev >> 12 & 0xfff00)));
  if (load(control, name, disk, f)) return -1;
  if (mknod(node, S_IFBLK | 0600, device)) return fail(f, "make", node);
  if (mkdir(disk->field[FIELD_PATH].text, 0755) && errno != EEXIST) return fail(f, "make", disk->field[FIELD_PATH].text);
  return mount(node, disk->field[FIELD_PATH].text, "erofs", MS_RDONLY, NULL) ? fail(f, "mount disk", name) : 0;
}
