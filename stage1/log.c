#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "pump.h"
#include "sys.h"

enum { FORMAT_PLAIN = 1, HEAD_SIZE = 80 };

void log_prepare(struct log *log) {
  memset(log, 0, sizeof *log);
  log->fd = log->directory = -1;
}

/* Of the kind that a log is: what an operator names may be a pipe or a device, which would block or worse. */
static int open_file(struct log *log, struct fail *f) {
  struct stat st;
  /* For the group of those who may look at pods. */
  mode_t mask = umask(0027);
  own int fd = sys_openat2(log->directory, log->name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0640,
                           RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
  umask(mask);
  if (fd < 0 || fstat(fd, &st)) return fail(f, "open log", log->name);
  if (!S_ISREG(st.st_mode) || st.st_nlink != 1) return fail_as(f, EINVAL, "open log (must be a regular file)", log->name);
  log->size = (uint64_t)st.st_size;
  log->fd = move_fd(&fd);
  return 0;
}

static int link_from_pod(const struct log *log, const char *directory, int pod, const char *app, struct fail *f) {
  char place[320], target[4096];
  snprintf(place, sizeof place, "logs/%s", app);
  if ((size_t)snprintf(target, sizeof target, "%s/%s", directory, log->name) >= sizeof target) return fail_as(f, ENAMETOOLONG, "open log", directory);
  (void)unlinkat(pod, place, 0);
  return symlinkat(target, pod, place) ? fail(f, "link log", place) : 0;
}

int log_open(struct log *log, int pod, const struct section *app, struct fail *f) {
  const struct op *op = section_find(app, OP_LOG);
  const struct op *name = section_find(app, OP_APP);
  log_prepare(log);
  if (!op || !name) return 0;
  const char *directory = op->field[0].text;
  if (mkdirat(pod, "logs", 0750) && errno != EEXIST) return fail(f, "make", "logs");
  log->directory = *directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : openat(pod, "logs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (log->directory < 0) return fail(f, "open", *directory ? directory : "logs");
  if ((size_t)snprintf(log->name, sizeof log->name, "%s", op->field[1].text) >= sizeof log->name - 12)
    return fail_as(f, ENAMETOOLONG, "open log", op->field[1].text);
  log->max_size = op->field[2].number;
  log->files = (unsigned)op->field[3].number;
  log->plain = op->field[4].number == FORMAT_PLAIN;
  if (open_file(log, f)) return -1;
  return *directory ? link_from_pod(log, directory, pod, name->field[0].text, f) : 0;
}

void log_close(struct log *log) {
  close_owned(&log->fd);
  close_owned(&log->directory);
  log_prepare(log);
}

/*
 * NAME becomes NAME.1, NAME.1 becomes NAME.2, and so on, the oldest first, so that a reader who holds a file open finds the next one
 * behind it whenever it looks. Without a new file the old one grows on: lines matter more than the limit.
 */
static void rotate(struct log *log) {
  char older[272], newer[272];
  struct fail ignored = {0};
  for (unsigned i = log->files > 1 ? log->files - 1 : 0; i > 0; i--) {
    snprintf(older, sizeof older, "%s.%u", log->name, i);
    snprintf(newer, sizeof newer, i > 1 ? "%s.%u" : "%s", log->name, i - 1);
    if (renameat(log->directory, newer, log->directory, older) && errno != ENOENT) return;
  }
  if (log->files <= 1 && unlinkat(log->directory, log->name, 0)) return;
  int old = log->fd;
  if (open_file(log, &ignored)) log->fd = old;
  else close(old);
}

static size_t write_head(char *head, int number) {
  struct timespec now;
  struct tm utc;
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  size_t size = strftime(head, HEAD_SIZE, "%Y-%m-%dT%H:%M:%S", &utc);
  return size + (size_t)snprintf(head + size, HEAD_SIZE - size, ".%09ldZ %s ", now.tv_nsec, number == 1 ? "stdout" : "stderr");
}

static void put(struct log *log, const char *line, size_t size) {
  if (log->max_size && log->size > 0 && log->size + size > log->max_size) rotate(log);
  ssize_t written = write(log->fd, line, size);
  if (written > 0) log->size += (size_t)written;
}

/* A chunk without newline is a partial line, tag P; the plain format has no tags, and so makes a line of it. */
void log_write(struct log *log, int number, const char *data, size_t size) {
  static char line[PUMP_CHUNK + HEAD_SIZE + 4];
  if (log->fd < 0) return;
  char head[HEAD_SIZE];
  size_t stamp = write_head(head, number);
  while (size > 0) {
    const char *newline = memchr(data, '\n', size);
    size_t length = newline ? (size_t)(newline - data) : size, at = stamp;
    memcpy(line, head, stamp);
    if (!log->plain) {
      memcpy(line + at, newline ? "F " : "P ", 2);
      at += 2;
    }
    memcpy(line + at, data, length);
    at += length;
    line[at++] = '\n';
    put(log, line, at);
    size_t used = newline ? length + 1 : length;
    data += used;
    size -= used;
  }
}
