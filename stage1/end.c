#include "end.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#include "sys.h"

#define NSFS_MAGIC_ 0x6e736673
enum { END_EXEC_SECONDS = 60 };

static void pause_ms(long ms) {
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  nanosleep(&t, NULL);
}

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
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC)) return fail(f, "clean up with", program);
  own int reader = pipe_fds[0];
  own int writer = pipe_fds[1];
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
  close(move_fd(&reader));
  signal(SIGPIPE, SIG_IGN);
  for (uint32_t at = 0; at < input->size;) {
    ssize_t put = write(writer, input->data + at, input->size - at);
    if (put <= 0) break; /* a program that did not read its input says so by its status */
    at += (uint32_t)put;
  }
  close(move_fd(&writer));
  int status = 0;
  if (wait_bounded(child, &status)) return fail(f, "clean up with", program);
  return status == 0 ? 0 : fail_as(f, EIO, "clean up with", program);
}

static void kill_members(const char *path) {
  char file[4096];
  snprintf(file, sizeof file, "%s/cgroup.kill", path);
  own int all = open(file, O_WRONLY | O_CLOEXEC);
  if (all >= 0 && write(all, "1", 1) == 1) return;
  /* KERNEL: version 1 groups have no cgroup.kill; a member that forks in the meantime is met the next time around. */
  snprintf(file, sizeof file, "%s/cgroup.procs", path);
  FILE *list = fopen(file, "re");
  if (!list) return;
  int pid;
  while (fscanf(list, "%d", &pid) == 1)
    if (pid > 1 && pid != getpid()) kill(pid, SIGKILL);
  fclose(list);
}

/* Removes a group and those below it; what still runs there was left by the pod. */
static int remove_cgroup(const char *path, struct fail *f) {
  DIR *dir = opendir(path);
  if (!dir) return errno == ENOENT ? 0 : fail(f, "remove cgroup", path);
  for (struct dirent *entry; (entry = readdir(dir));) {
    char below[4096];
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
    if ((size_t)snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < sizeof below) remove_cgroup(below, f);
  }
  closedir(dir);
  for (int attempt = 0; attempt < 200; attempt++) {
    if (rmdir(path) == 0 || errno == ENOENT) return 0;
    if (errno != EBUSY) break;
    kill_members(path);
    pause_ms(attempt < 20 ? 1 : 20);
  }
  return fail(f, "remove cgroup", path);
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
      case OP_END_CGROUP: remove_cgroup(op->field[0].text, f); break;
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
