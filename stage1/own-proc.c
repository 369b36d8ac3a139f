#include "own-proc.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/vfs.h>

#include "sys.h"

#define PROC_MAGIC 0x9fa0

/*
 * ATTACK: a file system over /proc/self/attr would take the label and leave the process without one (CVE-2019-16884, CVE-2025-52881), so
 * the path may not leave procfs, and what was opened must lie on it.
 */
static int open_own(const char *file) {
  own int proc = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
  own int fd = proc < 0 ? -1 : sys_openat2(proc, file, O_WRONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
  struct statfs fs;
  if (fd < 0 || fstatfs(fd, &fs)) return -1;
  if (fs.f_type == PROC_MAGIC) return move_fd(&fd);
  errno = EXDEV;
  return -1;
}

int own_proc_write(const char *file, const char *text, struct fail *f) {
  /*
   * SAFETY: the files below /proc of a process that is not dumpable belong to the host's root, whom the pod's root is not. For one open
   * it is dumpable; all it holds by then is in the pod already, and others of the pod lack the capabilities to look into it.
   */
  if (prctl(PR_SET_DUMPABLE, 1)) return fail(f, "set", file);
  own int fd = open_own(file);
  int error = errno;
  if (prctl(PR_SET_DUMPABLE, 0)) return fail(f, "set", file);
  errno = error;
  size_t size = strlen(text);
  return fd < 0 || write(fd, text, size) != (ssize_t)size ? fail(f, "set", file) : 0;
}
