#include "rootfs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <termios.h>

#include "sys.h"

#define PROC_MAGIC 0x9fa0
#define SYSFS_MAGIC 0x62656572
#define DEVPTS_MAGIC 0x1cd1
#define SECBIT_NO_SETUID_FIXUP_ 4
#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

enum { TMPFS_NOEXEC = 1, SYSFS_READ_ONLY = 1 };

static const uint64_t IN_ROOT = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

int mount_new(const char *type, const char *options, unsigned attributes, struct fail *f) {
  own int context = sys_fsopen(type, FSOPEN_CLOEXEC);
  if (context < 0) return fail(f, "mount", type);
  char copy[512];
  if ((size_t)snprintf(copy, sizeof copy, "%s", options) >= sizeof copy) return fail_as(f, E2BIG, "mount", type);
  for (char *rest = copy, *option; (option = strsep(&rest, ",")) && *option;) {
    char *value = strchr(option, '=');
    /* `name=x` of a version 1 cgroup hierarchy is a key with a value like any other. */
    if (value) *value++ = 0;
    if (sys_fsconfig(context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option, value, 0)) return fail(f, "mount", type);
  }
  if (sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0)) return fail(f, "mount", type);
  int fd = sys_fsmount(context, FSMOUNT_CLOEXEC, attributes);
  return fd < 0 ? fail(f, "mount", type) : fd;
}

/* Opens `path` in the root, symbolic links followed inside it; makes what is missing: directories, and at the end a file or directory. */
static int ensure(int root, const char *path, int directory, struct fail *f) {
  while (*path == '/') path++;
  if (!*path) path = ".";
  int fd = sys_openat2(root, path, O_PATH, 0, IN_ROOT);
  if (fd >= 0) return fd;
  if (errno != ENOENT) return fail(f, "open mount target", path);
  char parent[4096];
  if ((size_t)snprintf(parent, sizeof parent, "%s", path) >= sizeof parent) return fail_as(f, ENAMETOOLONG, "open mount target", path);
  for (size_t end = strlen(parent); end > 0 && parent[end - 1] == '/'; end--) parent[end - 1] = 0;
  char *slash = strrchr(parent, '/');
  const char *last = slash ? slash + 1 : parent;
  char name[256];
  if ((size_t)snprintf(name, sizeof name, "%s", last) >= sizeof name) return fail_as(f, ENAMETOOLONG, "open mount target", path);
  if (slash) *slash = 0;
  own int above = slash ? ensure(root, parent, 1, f) : sys_openat2(root, ".", O_PATH | O_DIRECTORY, 0, IN_ROOT);
  if (above < 0) return fail(f, "open mount target", path);
  if (directory) {
    if (mkdirat(above, name, 0755)) return fail(f, "make mount target", path);
  } else {
    own int made = openat(above, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (made < 0) return fail(f, "make mount target", path);
  }
  fd = sys_openat2(above, name, O_PATH, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
  return fd < 0 ? fail(f, "open mount target", path) : fd;
}

/* A directory of the system's own: `proc`, `dev/shm`. What an image puts there instead (a link, a file) is refused. */
static int ordinary_directory(int root, const char *path, struct fail *f) {
  int fd = sys_openat2(root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (fd >= 0) return fd;
  if (errno == ENOENT) {
    char parent[256];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash) {
      *slash = 0;
      own int above = ordinary_directory(root, parent, f);
      if (above < 0) return -1;
      if (mkdirat(above, slash + 1, 0755)) return fail(f, "make directory", path);
    } else if (mkdirat(root, path, 0755)) {
      return fail(f, "make directory", path);
    }
    fd = sys_openat2(root, path, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    if (fd >= 0) return fd;
  }
  return fail(f, "use as mount target (must be an ordinary directory)", path);
}

static int attach(int mount_fd, int target, const char *object, struct fail *f) {
  if (sys_move_mount(mount_fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)) return fail(f, "mount", object);
  return 0;
}

static int attach_directory(int mount_fd, int root, const char *path, struct fail *f) {
  own int mounted = mount_fd;
  if (mounted < 0) return -1;
  own int target = ordinary_directory(root, path, f);
  return target < 0 ? -1 : attach(mounted, target, path, f);
}

static int attach_volume(int mount_fd, int root, const char *path, struct fail *f) {
  struct stat st;
  if (fstat(mount_fd, &st)) return fail(f, "open volume for", path);
  own int target = ensure(root, path, S_ISDIR(st.st_mode), f);
  if (target < 0) return -1;
  struct stat there;
  struct statfs fs;
  if (fstat(target, &there) || fstatfs(target, &fs)) return fail(f, "open mount target", path);
  /* A link of the image may lead where the planner refuses to mount: process labels and terminals need the real file systems. */
  if (fs.f_type == PROC_MAGIC || fs.f_type == DEVPTS_MAGIC) return fail_as(f, EPERM, "mount a volume on (the place belongs to the system)", path);
  if (S_ISDIR(st.st_mode) != S_ISDIR(there.st_mode)) return fail_as(f, S_ISDIR(st.st_mode) ? ENOTDIR : EISDIR, "mount a volume on", path);
  return attach(mount_fd, target, path, f);
}

/* A clone of a mount of pod init, with more flags. */
static int clone_of_init(const char *path, uint64_t attributes, struct fail *f) {
  own int fd = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (fd < 0) return fail(f, "clone mount", path);
  struct mount_attributes set = {.attr_set = attributes};
  if (sys_mount_setattr(fd, "", AT_EMPTY_PATH, &set)) return fail(f, "clone mount", path);
  return move_fd(&fd);
}

/* Opens a path of the kernel's own file systems; -2 when this kernel has none. A file system put in the way is refused, unless any will do. */
static int kernel_path(int root, const char *path, int any, struct fail *f) {
  while (*path == '/') path++;
  own int fd = sys_openat2(root, path, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (fd < 0) return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? -2 : fail(f, "open", path);
  struct statfs fs;
  if (fstatfs(fd, &fs)) return fail(f, "open", path);
  unsigned long wanted = fs.f_type;
  if (strncmp(path, "proc/", 5) == 0) wanted = PROC_MAGIC;
  else if (strncmp(path, "sys/", 4) == 0 && strcmp(path, "sys/fs/cgroup") != 0) wanted = SYSFS_MAGIC;
  if (fs.f_type != wanted && !any) return fail_as(f, EXDEV, "protect (another file system lies there)", path);
  return move_fd(&fd);
}

static int mask(int root, const struct op *op, struct fail *f) {
  /* What the host has mounted below its own /sys (debugfs, securityfs) may be covered as well. */
  own int target = kernel_path(root, op->field[0].text, strncmp(op->field[0].text, "sys/", 4) == 0, f);
  if (target < 0) return target == -2 ? 0 : -1;
  struct stat st;
  if (fstat(target, &st)) return fail(f, "open", op->field[0].text);
  own int fd = clone_of_init(S_ISDIR(st.st_mode) ? INIT_MASK_DIR : INIT_MASK_FILE, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, f);
  return fd < 0 ? -1 : attach(fd, target, op->field[0].text, f);
}

static int read_only(int root, const struct op *op, struct fail *f) {
  own int target = kernel_path(root, op->field[0].text, 0, f);
  if (target < 0) return target == -2 ? 0 : -1;
  own int fd = sys_open_tree(target, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
  struct mount_attributes set = {.attr_set = MOUNT_ATTR_RDONLY};
  if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &set)) return fail(f, "make read-only", op->field[0].text);
  return attach(fd, target, op->field[0].text, f);
}

static int make_link(int root, const struct op *op, struct fail *f) {
  char parent[256];
  snprintf(parent, sizeof parent, "%s", op->field[0].text);
  char *slash = strrchr(parent, '/');
  if (!slash) return fail_as(f, EINVAL, "make link", op->field[0].text);
  *slash = 0;
  own int dir = ensure(root, parent, 1, f);
  if (dir < 0) return -1;
  if (symlinkat(op->field[1].text, dir, slash + 1) && errno != EEXIST) return fail(f, "make link", op->field[0].text);
  return 0;
}

static int make_directory(int root, const struct op *op, struct fail *f) {
  if (strncmp(op->field[0].text, "dev/", 4) == 0) return 0; /* made by host_mounts in the file system it belongs to */
  own int fd = sys_openat2(root, op->field[0].text, O_PATH, 0, IN_ROOT);
  if (fd >= 0) return 0;
  own int made = ensure(root, op->field[0].text, 1, f);
  if (made < 0) return -1;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", made);
  return chmod(path, (mode_t)op->field[1].number) ? fail(f, "set mode of", op->field[0].text) : 0;
}

static int cgroup_file_system(int root, const struct op *op, struct fail *f) {
  const char *controllers = op->field[1].text;
  unsigned attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  return attach_directory(mount_new(*controllers ? "cgroup" : "cgroup2", controllers, attributes, f), root, op->field[0].text, f);
}

int terminal_open(int root, int *master, int *peer, struct fail *f) {
  *master = sys_openat2(root, "dev/pts/ptmx", O_RDWR | O_NOCTTY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  if (*master < 0) return fail(f, "open terminal", "dev/pts/ptmx");
  int unlock = 0;
  if (ioctl(*master, TIOCSPTLCK, &unlock)) return fail(f, "open terminal", "unlock");
  *peer = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  struct statfs fs;
  if (*peer < 0 || fstatfs(*peer, &fs)) return fail(f, "open terminal", "peer");
  return fs.f_type == DEVPTS_MAGIC ? 0 : fail_as(f, EXDEV, "open terminal", "peer");
}

static int bind_console(int root, int peer, struct fail *f) {
  own int fd = sys_open_tree(peer, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
  if (fd < 0) return fail(f, "bind terminal to", "dev/console");
  own int target = sys_openat2(root, "dev/console", O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  return target < 0 ? fail(f, "bind terminal to", "dev/console") : attach(fd, target, "dev/console", f);
}

/* One function per operation: dispatches; `next` walks the detached mounts. */
static int run_op(const struct op *op, const char *place, const struct message_fds *fds, uint32_t *next, int *root, struct fail *f) {
  const unsigned plain = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  int mounted = -1;
  if (op->code == OP_ROOT_OVERLAY || op->code == OP_ROOT_BIND || op->code == OP_VOLUME || op->code == OP_DEV) {
    if (*next >= fds->count) return fail_as(f, EBADMSG, "start app", "a mount is missing");
    mounted = fds->fd[(*next)++];
  }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum" /* the other operations belong to confinement */
  switch (op->code) {
    case OP_ROOT_OVERLAY:
    case OP_ROOT_BIND:
      if (sys_move_mount(mounted, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH)) return fail(f, "mount", "root");
      *root = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
      return *root < 0 ? fail(f, "open", "root") : 0;
    case OP_VOLUME: return attach_volume(mounted, *root, op->field[1].text, f);
    case OP_DEV: {
      own int target = ordinary_directory(*root, op->field[0].text, f);
      return target < 0 ? -1 : attach(mounted, target, op->field[0].text, f);
    }
    case OP_PROC: return attach_directory(clone_of_init("/proc", plain, f), *root, op->field[0].text, f);
    case OP_SYSFS:
      return attach_directory(clone_of_init("/sys", plain | (op->field[1].number & SYSFS_READ_ONLY ? MOUNT_ATTR_RDONLY : 0), f), *root, op->field[0].text, f);
    case OP_TMPFS:
      return attach_directory(
          mount_new("tmpfs", op->field[1].text, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (op->field[2].number & TMPFS_NOEXEC ? MOUNT_ATTR_NOEXEC : 0), f),
          *root, op->field[0].text, f);
    case OP_DEVPTS:
      return attach_directory(mount_new("devpts", "mode=0620,ptmxmode=0666,gid=5", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, f), *root,
                              op->field[0].text, f);
    case OP_MQUEUE: return attach_directory(mount_new("mqueue", "", plain, f), *root, op->field[0].text, f);
    case OP_CGROUPFS: return cgroup_file_system(*root, op, f);
    case OP_MKDIR: return make_directory(*root, op, f);
    case OP_SYMLINK: return make_link(*root, op, f);
    case OP_MASK: return mask(*root, op, f);
    case OP_READ_ONLY: return read_only(*root, op, f);
    case OP_UNMOUNT: return umount2(op->field[0].text, MNT_DETACH) ? fail(f, "unmount", op->field[0].text) : 0;
    default: return 0;
  }
#pragma GCC diagnostic pop
}

/* What is made in an id-mapped root must have an id that the mapping knows; with the capabilities of the host's root. */
static int act_as(const struct op *beside, struct fail *f) {
  if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP_)) return fail(f, "act as", "the pod's root");
  setfsuid((uid_t)beside->field[1].number);
  setfsgid((gid_t)beside->field[1].number);
  return 0;
}

static int act_as_host(struct fail *f) {
  setfsuid(0);
  setfsgid(0);
  return prctl(PR_SET_SECUREBITS, 0) || chdir("/") ? fail(f, "act as", "the host's root") : 0;
}

int rootfs_enter(const struct section *app, const struct message_fds *fds, int *master, int *peer, struct fail *f) {
  own int root = -1;
  uint32_t next = 0;
  mode_t old = umask(0);
  const struct op *beside = section_find(app, OP_ROOT_AT);
  const char *place = beside ? beside->field[0].text : INIT_ROOT;
  if (beside && act_as(beside, f)) return -1;
  for_each_op(op, app) if (run_op(op, place, fds, &next, &root, f)) return -1;
  umask(old);
  if (beside) return act_as_host(f);
  if (section_has_terminal(app) && (terminal_open(root, master, peer, f) || bind_console(root, *peer, f))) return -1;
  if (section_find(app, OP_ROOT_READ_ONLY)) {
    struct mount_attributes set = {.attr_set = MOUNT_ATTR_RDONLY};
    if (sys_mount_setattr(root, "", AT_EMPTY_PATH, &set)) return fail(f, "make read-only", "root");
  }
  if (fchdir(root) || sys_pivot_root(".", ".") || umount2(".", MNT_DETACH) || chdir("/")) return fail(f, "change root", "");
  return 0;
}
