#include "host.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys.h"

enum { VOLUME_READ_ONLY = 1, VOLUME_IDMAP = 2, VOLUME_NODEV = 4, VOLUME_NOSUID = 8, VOLUME_NOEXEC = 16, VOLUME_RECURSIVE = 32, VOLUME_SLAVE = 64, VOLUME_SHARED = 128 };

#define SECBIT_NO_SETUID_FIXUP_ 4

/*
 * A detached clone of the mount at `path`; with `flags` of VOLUME_*. The planner has followed all links: one that is there now was put
 * there since, by somebody who wants another place in the pod.
 */
static int clone_mount(const struct host *host, const char *path, uint64_t flags, struct fail *f) {
  unsigned recursive = flags & VOLUME_RECURSIVE ? AT_RECURSIVE : 0;
  own int place = sys_openat2(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_SYMLINKS);
  own int fd = place < 0 ? -1 : sys_open_tree(place, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | recursive);
  if (fd < 0) return fail(f, "open", path);
  /* A clone of a shared mount is shared with it; one that stays so is the planner's decision. */
  struct mount_attributes attributes = {.propagation = flags & VOLUME_SHARED ? 0 : flags & VOLUME_SLAVE ? MS_SLAVE : MS_PRIVATE};
  if (flags & VOLUME_READ_ONLY) attributes.attr_set |= MOUNT_ATTR_RDONLY;
  if (flags & VOLUME_NODEV) attributes.attr_set |= MOUNT_ATTR_NODEV;
  if (flags & VOLUME_NOSUID) attributes.attr_set |= MOUNT_ATTR_NOSUID;
  if (flags & VOLUME_NOEXEC) attributes.attr_set |= MOUNT_ATTR_NOEXEC;
  if (sys_mount_setattr(fd, "", AT_EMPTY_PATH | recursive, &attributes)) return fail(f, "set mount flags of", path);
  if ((flags & VOLUME_IDMAP) && host->user_ns >= 0) {
    struct mount_attributes map = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)host->user_ns};
    if (sys_mount_setattr(fd, "", AT_EMPTY_PATH | recursive, &map)) return fail(f, "map owners of", path);
  }
  return move_fd(&fd);
}

int host_open(struct host *host, int pod, pid_t init, struct fail *f) {
  char path[64];
  host->pod = pod;
  host->home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  host->home_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  snprintf(path, sizeof path, "/proc/%d/ns/mnt", init);
  host->init_mounts = open(path, O_RDONLY | O_CLOEXEC);
  snprintf(path, sizeof path, "/proc/%d/cwd", init);
  host->init_pod = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (host->home < 0 || host->home_root < 0 || host->init_mounts < 0 || host->init_pod < 0) return fail(f, "open namespaces of", "init");
  return 0;
}

void host_close(struct host *host) {
  close_owned(&host->home);
  close_owned(&host->home_root);
  close_owned(&host->init_mounts);
  close_owned(&host->init_pod);
}

static int enter_init_mounts(const struct host *host, struct fail *f) {
  if (setns(host->init_mounts, CLONE_NEWNS) || fchdir(host->init_pod)) return fail(f, "join mount namespace of", "init");
  /* Without a user namespace of its own the copy still shares its mounts with the host: nothing may travel back. */
  return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ? fail(f, "make mounts private", "") : 0;
}

static int leave_init_mounts(const struct host *host, struct fail *f) {
  if (setns(host->home, CLONE_NEWNS) || fchdir(host->home_root) || chroot(".") || fchdir(host->pod)) return fail(f, "leave mount namespace", "");
  return 0;
}

/* Attaches a detached layer on `mnt`; overlay finds it by its descriptor. KERNEL: detached layers need 6.15. */
static int attach_layer(int layer, const char *name, struct fail *f) {
  return sys_move_mount(layer, "", AT_FDCWD, "mnt", MOVE_MOUNT_F_EMPTY_PATH) ? fail(f, "attach layer", name) : 0;
}

/*
 * Mounts the overlay as the pod's root with all host capabilities: files that overlay itself makes (its work directory) must have an
 * id that the idmapped upper knows.
 */
static int mount_overlay_as(uint32_t id, const char *options, struct fail *f) {
  if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP_)) return fail(f, "mount overlay", "securebits");
  setfsuid(id);
  setfsgid(id);
  int result = mount("overlay", "mnt", "overlay", MS_NODEV, options);
  int saved = errno;
  setfsuid(0);
  setfsgid(0);
  if (prctl(PR_SET_SECUREBITS, 0)) return fail(f, "mount overlay", "securebits");
  errno = saved;
  return result ? fail(f, "mount overlay", options) : 0;
}

/* The options of a mount fit in one page: with 20 bytes for a layer there is room for all that an image may have, and some. */
enum { MAX_LAYERS = 160 };

/* Attaches the layers, which are followed by the directory of upper and work, and mounts the overlay over them; gives a detached clone. */
static int assemble_overlay(const struct host *host, const struct op *op, const int *layers, struct fail *f) {
  char options[4096];
  uint32_t count = op->field[0].strings.count;
  int base = layers[count];
  size_t at = (size_t)snprintf(options, sizeof options, "userxattr,lowerdir=");
  for (uint32_t i = 0; i < count; i++) {
    if (attach_layer(layers[i], op->field[0].strings.list[i], f)) return -1;
    at += (size_t)snprintf(options + at, sizeof options - at, "%s/proc/self/fd/%d", i ? ":" : "", layers[i]);
  }
  if (attach_layer(base, op->field[1].text, f)) return -1;
  at += (size_t)snprintf(options + at, sizeof options - at, ",upperdir=/proc/self/fd/%d/%s,workdir=/proc/self/fd/%d/%s", base, op->field[2].text,
                         base, op->field[3].text);
  if (at >= sizeof options) return fail_as(f, E2BIG, "mount overlay", "options");
  if (mount_overlay_as(host->user_ns >= 0 ? host->shift : 0, options, f)) return -1;
  return clone_mount(host, "mnt", VOLUME_NODEV, f);
}

static int overlay_root(const struct host *host, const struct op *op, struct fail *f) {
  int layers[MAX_LAYERS + 1];
  uint32_t count = op->field[0].strings.count, opened = 0;
  if (count == 0 || count > MAX_LAYERS) return fail_as(f, E2BIG, "mount overlay", "number of layers");
  for (; opened <= count; opened++) {
    int is_base = opened == count;
    const char *path = is_base ? op->field[1].text : op->field[0].strings.list[opened];
    layers[opened] = clone_mount(host, path, VOLUME_IDMAP | (is_base ? 0 : VOLUME_READ_ONLY), f);
    if (layers[opened] < 0) break;
  }
  own int result = -1;
  if (opened == count + 1 && enter_init_mounts(host, f) == 0) result = assemble_overlay(host, op, layers, f);
  for (uint32_t i = 0; i < opened; i++) close(layers[i]);
  return leave_init_mounts(host, f) ? -1 : move_fd(&result);
}

/* An empty /dev owned by the pod's root; its nodes and links are the operations that follow. */
static int dev_file_system(const struct host *host, const struct section *app, const struct op *dev, struct fail *f) {
  own int context = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return fail(f, "make", "/dev");
  if (sys_fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755", 0) || sys_fsconfig(context, FSCONFIG_SET_STRING, "size", "65536k", 0) ||
      sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
    return fail(f, "make", "/dev");
  own int fd = sys_fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
  if (fd < 0) return fail(f, "make", "/dev");
  uid_t owner = host->user_ns >= 0 ? host->shift : 0;
  mode_t mask = umask(0);
  int result = fchownat(fd, "", owner, owner, AT_EMPTY_PATH) ? fail(f, "own", "/dev") : 0;
  for (const struct op *op = dev + 1; result == 0 && op < app->ops + app->count; op++) {
    if (op->code == OP_DEV_NODE) {
      const char *name = op->field[0].text;
      dev_t number = makedev((unsigned)op->field[2].number, (unsigned)op->field[3].number);
      if (mknodat(fd, name, (mode_t)op->field[1].number, number)) result = fail(f, "make device", name);
      else if (fchownat(fd, name, owner, owner, AT_SYMLINK_NOFOLLOW)) result = fail(f, "own device", name);
    } else if (op->code == OP_DEV_LINK) {
      if (symlinkat(op->field[1].text, fd, op->field[0].text) ||
          fchownat(fd, op->field[0].text, owner, owner, AT_SYMLINK_NOFOLLOW))
        result = fail(f, "make link in /dev", op->field[0].text);
    } else if (op->code == OP_MKDIR && strncmp(op->field[0].text, "dev/", 4) == 0) {
      const char *name = op->field[0].text + 4;
      if (mkdirat(fd, name, (mode_t)op->field[1].number) || fchownat(fd, name, owner, owner, 0)) result = fail(f, "make directory in /dev", name);
    }
  }
  umask(mask);
  return result ? -1 : move_fd(&fd);
}

int host_mounts(const struct host *host, const struct section *app, struct message_fds *fds, struct fail *f) {
  for_each_op(op, app) {
    int fd = -1;
    if (op->code == OP_ROOT_OVERLAY) fd = overlay_root(host, op, f);
    else if (op->code == OP_ROOT_BIND) fd = clone_mount(host, op->field[0].text, VOLUME_IDMAP | VOLUME_NODEV, f);
    else if (op->code == OP_VOLUME) fd = clone_mount(host, op->field[0].text, op->field[2].number, f);
    else if (op->code == OP_DEV) fd = dev_file_system(host, app, op, f);
    else continue;
    if (fd < 0) return -1;
    if (fds->count == MESSAGE_MAX_FDS - 16) {
      close(fd);
      return fail_as(f, E2BIG, "mount volumes", "too many for one app");
    }
    fds->fd[fds->count++] = fd;
  }
  return 0;
}
