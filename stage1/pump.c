#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

enum { PTY_MAJOR_FIRST = 136, PTY_MAJOR_LAST = 143 }; /* devices.txt: the slave sides */

static int may_be_reopened(const struct stat *st) {
  if (S_ISFIFO(st->st_mode)) return 1;
  return S_ISCHR(st->st_mode) && major(st->st_rdev) >= PTY_MAJOR_FIRST && major(st->st_rdev) <= PTY_MAJOR_LAST;
}

int stream_open(int fd, int access) {
  struct stat st;
  if (fstat(fd, &st) == 0 && may_be_reopened(&st)) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (again >= 0) return again;
  }
  return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

void stream_never_blocks(int fd) {
  int flags = fcntl(fd, F_GETFL);
  if (flags >= 0) (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void stream_prepare(struct stream *s) {
  memset(s, 0, sizeof *s);
  s->from = s->to = s->keys = -1;
}

void stream_close(struct stream *s) {
  if (s->from >= 0) close(s->from);
  if (s->close_to && s->to >= 0) close(s->to);
  free(s->buffer);
  stream_prepare(s);
}

void stream_last(struct stream *s) {
  s->last = 1;
  s->left = PUMP_LAST;
}

static int pending(const struct stream *s) { return s->end > s->start; }

int stream_waits(const struct stream *s) { return pending(s) && s->to >= 0; }

int stream_done(const struct stream *s) { return s->from < 0 && (!pending(s) || s->to < 0); }

size_t stream_poll(const struct stream *s, struct pollfd *polls, size_t count) {
  if (stream_waits(s)) polls[count++] = (struct pollfd){.fd = s->to, .events = POLLOUT};
  else if (s->from >= 0) polls[count++] = (struct pollfd){.fd = s->from, .events = POLLIN};
  return count;
}

static void end_of_input(struct stream *s) {
  close(s->from);
  s->from = -1;
  if (s->close_to && !pending(s) && s->to >= 0) {
    close(s->to);
    s->to = -1;
  }
}

static void prefix_into(struct stream *s, const char *data, size_t size) {
  struct timespec up;
  clock_gettime(CLOCK_BOOTTIME, &up);
  for (size_t i = 0; i < size; i++) {
    if (s->at_line_start)
      s->end += (size_t)snprintf(s->buffer + s->end, PUMP_PREFIX, "[%5ld.%06ld] %.40s[%d]: ", (long)up.tv_sec, up.tv_nsec / 1000, s->app, s->pid);
    s->buffer[s->end++] = data[i];
    s->at_line_start = data[i] == '\n';
  }
}

/* Passes all on but the detach keys, the first of which waits until the next byte decides. */
static void without_keys(struct stream *s, const char *data, size_t size) {
  for (size_t i = 0; i < size; i++) {
    if (data[i] == DETACH_KEYS[s->keys]) {
      if (DETACH_KEYS[++s->keys]) continue;
      s->detached = 1;
      return;
    }
    if (s->keys > 0) {
      s->buffer[s->end++] = DETACH_KEYS[0];
      s->keys = data[i] == DETACH_KEYS[0];
      if (s->keys) continue;
    }
    s->buffer[s->end++] = data[i];
  }
}

static void read_some(struct stream *s) {
  char chunk[PUMP_CHUNK];
  ssize_t got = read(s->from, chunk, s->app ? sizeof chunk / 2 : sizeof chunk);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0 || (s->last && s->left < (size_t)got)) {
    end_of_input(s);
    return;
  }
  if (s->last) s->left -= (size_t)got;
  if (s->log) log_write(s->log, s->number, chunk, (size_t)got);
  if (s->tee) s->tee(s->context, s, chunk, (size_t)got);
  if (s->to < 0) return;
  if (!s->buffer && !(s->buffer = malloc(s->app ? PUMP_BUFFER : PUMP_CHUNK + 1))) {
    s->to = -1;
    return;
  }
  s->start = s->end = 0;
  if (s->keys >= 0) {
    without_keys(s, chunk, (size_t)got);
  } else if (s->app) {
    prefix_into(s, chunk, (size_t)got);
  } else {
    memcpy(s->buffer, chunk, (size_t)got);
    s->end = (size_t)got;
  }
}

/* Nobody reads on: an app that closed its input does not want the rest of the caller's. */
static void end_of_output(struct stream *s) {
  if (s->close_to) {
    close(s->to);
    if (s->from >= 0) close(s->from);
    s->from = -1;
  }
  s->to = -1;
}

static void write_some(struct stream *s) {
  size_t size = s->end - s->start;
  /* At most PIPE_BUF: what could not be opened anew and polls writable takes that much at once. */
  ssize_t put = write(s->to, s->buffer + s->start, size < 4096 ? size : 4096);
  if (put < 0) {
    if (errno == EAGAIN || errno == EINTR) return;
    end_of_output(s);
    return;
  }
  s->start += (size_t)put;
  if (!pending(s) && s->from < 0 && s->close_to) {
    close(s->to);
    s->to = -1;
  }
}

void stream_event(struct stream *s, const struct pollfd *poll) {
  if (!poll->revents) return;
  if (pending(s) && s->to == poll->fd) {
    if (poll->revents & (POLLERR | POLLNVAL) && !(poll->revents & POLLOUT)) {
      end_of_output(s);
    } else {
      write_some(s);
    }
  } else if (s->from == poll->fd) {
    read_some(s);
  }
}
