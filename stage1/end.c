#include "end.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "clock.h"
#include "group.h"
#include "sys.h"

#define NSFS_MAGIC_ 0x6e736673
enum { END_EXEC_SECONDS = 60 };

/*
 * `KEY=@pod@/path` becomes the path below the pod directory's present name, which collection changes. A namespace pin that is no longer
 * mounted (after a reboot) becomes the empty value, which CNI plugins take for "already gone".
 */
static char *expand(const char *variable, int pod) {
  const char *mark = strstr(variable, "=@pod@/");
  if (!mark) return strdup(variable);
  char link[64], directory[4096], result[8192];
  snprintf(link, sizeof link, "/proc/self/fd/%d", pod);
  ssize_t length = readlink(link, directory, sizeof directory - 1);
  if (length < 0) return NULL;
  directory[length] = 0;
  int key = (int)(mark - variable) + 1;
  snprintf(result, sizeof result, "%.*s%s/%s", key, variable, directory, mark + 7);
  struct statfs fs;
  if (statfs(result + key, &fs) || fs.f_type != NSFS_MAGIC_) result[key] = 0;
  return strdup(result);
}

static char **expand_all(const struct strings *variables, int pod) {
  char **list = calloc((size_t)variables->count + 1, sizeof *list);
  for (uint32_t i = 0; list && i < variables->count; i++)
    if (!(list[i] = expand(variables->list[i], pod))) return NULL;
  return list;
}

static int wait_bounded(pid_t child, int *status) {
  for (int waited = 0; waited < END_EXEC_SECONDS * 100; waited++) {
    pid_t got = waitpid(child, status, WNOHANG);
    if (got == child) return 0;
    if (got < 0 && errno != EINTR) return -1;
    pause_ms(waited < 20 ? 1 : 10);
  }
  kill(child, SIGKILL);
  waitpid(child, status, 0);
  errno = ETIMEDOUT;
  return -1;
}

static int run_program(const struct op *op, int pod, struct fail *f) {
  const struct strings *argv = &op->field[0].strings;
  const struct bytes *input = &op->field[2].bytes;
  if (argv->count == 0) return fail_as(f, EBADMSG, "clean up", "no program");
  const char *program = argv->list[0];
  if (faccessat(AT_FDCWD, program, X_OK, 0) && errno == ENOENT) return fail(f, "clean up with", program);
  char **environment = expand_all(&op->field[1].strings, pod);
  if (!environment) return fail(f, "clean up with", program);
  /* A file, not a pipe: a program that reads nothing of a long input would keep us from minding its time. */
  own int reader = memfd_create("input", MFD_CLOEXEC);
  if (reader < 0 || write(reader, input->data, input->size) != (ssize_t)input->size || lseek(reader, 0, SEEK_SET) != 0)
    return fail(f, "clean up with", program);
  pid_t child = fork();
  if (child < 0) return fail(f, "clean up with", program);
  if (child == 0) {
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_WRONLY);
    if (dup2(reader, 0) < 0 || dup2(null, 1) < 0) _exit(127);
    sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    execve(program, argv->list, environment);
    _exit(127);
  }
  int status = 0;
  if (wait_bounded(child, &status)) return fail(f, "clean up with", program);
  return status == 0 ? 0 : fail_as(f, EIO, "clean up with", program);
}

static int unmount_pin(const char *path, struct fail *f) {
  if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) && errno != EINVAL && errno != ENOENT) return fail(f, "unmount", path);
  return 0;
}

/* Empties the directory behind `dir`, which is closed. Never leaves the file system, never follows a link. */
static int remove_below(int dir, dev_t device) {
  DIR *list = fdopendir(dir);
  if (!list) {
    close(dir);
    return -1;
  }
  int result = 0;
  for (struct dirent *entry; (entry = readdir(list));) {
    const char *name = entry->d_name;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
    if (unlinkat(dirfd(list), name, 0) == 0) continue;
    int below = openat(dirfd(list), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (below < 0 || fstat(below, &st) || st.st_dev != device) {
      if (below >= 0) close(below);
      result = -1;
      continue;
    }
    if (remove_below(below, device) || unlinkat(dirfd(list), name, AT_REMOVEDIR)) result = -1;
  }
  closedir(list);
  return result;
}

/* Moves the pod directory to the garbage (the marker that nobody may use it) and removes it there. */
static int remove_pod(const char *garbage, int pod, struct fail *f) {
  char link[64], directory[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", pod);
  ssize_t length = readlink(link, directory, sizeof directory - 1);
  if (length < 0) return fail(f, "remove pod", garbage);
  directory[length] = 0;
  if (strcmp(directory, garbage) != 0 && rename(directory, garbage)) return fail(f, "remove pod", directory);
  struct stat st;
  own int copy = openat(pod, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0 || fstat(copy, &st)) return fail(f, "remove pod", garbage);
  if (chdir("/")) return fail(f, "remove pod", garbage);
  if (remove_below(move_fd(&copy), st.st_dev) || rmdir(garbage)) return fail(f, "remove pod", garbage);
  return 0;
}

int end_run(const struct section *end, int pod, int remove, struct fail *f) {
  for_each_op(op, end) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wswitch-enum" /* the decoder lets only END operations in */
    switch (op->code) {
      case OP_END_EXEC: run_program(op, pod, f); break;
      case OP_END_CGROUP: group_remove(op->field[0].text, f); break;
      case OP_END_UNMOUNT: unmount_pin(op->field[0].text, f); break;
      case OP_END_REMOVE_POD:
        if (remove && f->error == 0) remove_pod(op->field[0].text, pod, f);
        break;
      default: break;
    }
#pragma GCC diagnostic pop
  }
  return f->error ? -1 : 0;
}
