/* The system calls that musl has no wrapper for, with the constants of kernel 6.1 (man-pages: mount_setattr(2), openat2(2), …). */
#ifndef RKT_SYS_H
#define RKT_SYS_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif

#define SYS_NR_pidfd_send_signal 424
#define SYS_NR_open_tree 428
#define SYS_NR_move_mount 429
#define SYS_NR_fsopen 430
#define SYS_NR_fsconfig 431
#define SYS_NR_fsmount 432
#define SYS_NR_pidfd_open 434
#define SYS_NR_close_range 436
#define SYS_NR_openat2 437
#define SYS_NR_mount_setattr 442
#define SYS_NR_landlock_create_ruleset 444
#define SYS_NR_landlock_add_rule 445
#define SYS_NR_landlock_restrict_self 446

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
/* The header of glibc, with which the sanitizers come, has these. */
#ifndef FSOPEN_CLOEXEC
#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#define MOVE_MOUNT_T_EMPTY_PATH 0x00000040
#define FSOPEN_CLOEXEC 1
#define FSMOUNT_CLOEXEC 1
#define FSCONFIG_SET_FLAG 0
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_CMD_CREATE 6
#define MOUNT_ATTR_RDONLY 0x00000001
#define MOUNT_ATTR_NOSUID 0x00000002
#define MOUNT_ATTR_NODEV 0x00000004
#define MOUNT_ATTR_NOEXEC 0x00000008
#define MOUNT_ATTR_IDMAP 0x00100000
#endif
#define RESOLVE_NO_XDEV 0x01
#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_NO_SYMLINKS 0x04
#define RESOLVE_BENEATH 0x08
#define RESOLVE_IN_ROOT 0x10
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

struct mount_attributes {
  uint64_t attr_set;
  uint64_t attr_clr;
  uint64_t propagation;
  uint64_t userns_fd;
};

struct open_how2 {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};

static inline int sys_open_tree(int dir, const char *path, unsigned flags) {
  return (int)syscall(SYS_NR_open_tree, dir, path, flags);
}
static inline int sys_move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags) {
  return (int)syscall(SYS_NR_move_mount, from, from_path, to, to_path, flags);
}
static inline int sys_fsopen(const char *type, unsigned flags) { return (int)syscall(SYS_NR_fsopen, type, flags); }
static inline int sys_fsconfig(int fd, unsigned command, const char *key, const char *value, int aux) {
  return (int)syscall(SYS_NR_fsconfig, fd, command, key, value, aux);
}
static inline int sys_fsmount(int fd, unsigned flags, unsigned attributes) {
  return (int)syscall(SYS_NR_fsmount, fd, flags, attributes);
}
static inline int sys_mount_setattr(int fd, const char *path, unsigned flags, struct mount_attributes *attributes) {
  return (int)syscall(SYS_NR_mount_setattr, fd, path, flags, attributes, sizeof *attributes);
}
static inline int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how2 how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
  return (int)syscall(SYS_NR_openat2, dir, path, &how, sizeof how);
}
static inline int sys_pivot_root(const char *new_root, const char *put_old) { return (int)syscall(SYS_pivot_root, new_root, put_old); }
static inline int sys_close_range(unsigned first, unsigned last, unsigned flags) {
  return (int)syscall(SYS_NR_close_range, first, last, flags);
}

/* Ownership of descriptors: `own int fd` is closed at the end of its scope; `move_fd` hands it over. */
static inline void close_owned(const int *fd) {
  if (*fd >= 0) close(*fd);
}
#define own __attribute__((cleanup(close_owned)))
static inline int move_fd(int *fd) {
  int moved = *fd;
  *fd = -1;
  return moved;
}

#endif
