/* Copies an app's output to the caller and to its log, and the caller's input to the app, never blocking on either. */
#ifndef RKT_PUMP_H
#define RKT_PUMP_H

#include <poll.h>
#include <stddef.h>

#include "log.h"

/* Ctrl-P Ctrl-Q. */
#define DETACH_KEYS "\x10\x11"

enum { PUMP_CHUNK = 4096, PUMP_PREFIX = 80, PUMP_BUFFER = PUMP_CHUNK * (PUMP_PREFIX + 1), PUMP_LAST = 1 << 20 };

struct stream {
  int from;           /* -1 once it has ended */
  int to;             /* -1 when nobody listens (any more) */
  struct log *log;    /* NULL: not logged */
  int number;         /* the program's descriptor */
  void (*tee)(void *context, const struct stream *stream, const char *data, size_t size); /* sees what was read; may be NULL */
  void *context;
  const char *app;    /* with an app name, lines get the prefix `[uptime] app[pid]: ` */
  int pid;
  int at_line_start;
  int close_to;       /* close `to` when `from` has ended and everything is written */
  char *buffer;       /* allocated at first use */
  size_t start, end;
  int last;           /* the pod has ended: only what it left behind is read */
  size_t left;        /* with `last`, the most that is still read: what a pipe can hold */
  int keys;           /* bytes of the detach keys that were read so far; -1: they are bytes like others */
  int detached;       /* the detach keys were pressed */
};

/* A stream that leads nowhere. */
void stream_prepare(struct stream *stream);
/* Closes what is its own, frees its buffer. */
void stream_close(struct stream *stream);

/*
 * A descriptor of our own for what `fd` leads to. Pipes and pseudo terminals are opened anew, so that nothing blocks: O_NONBLOCK belongs to
 * the open file, which the caller shares with others. -1 when `fd` is closed.
 */
int stream_open(int fd, int access);
/* Our end of an app's pipe. ATTACK: an app that reads its own output takes away what poll promised; a read that blocks would hang us. */
void stream_never_blocks(int fd);
/* ATTACK: an app can hand its output to a process of another pod; after the pod's end nothing is waited for any more. */
void stream_last(struct stream *stream);

/* Adds what this stream waits for to `polls`; returns the new count. */
size_t stream_poll(const struct stream *stream, struct pollfd *polls, size_t count);
/* Acts on one descriptor's events. */
void stream_event(struct stream *stream, const struct pollfd *poll);
int stream_done(const struct stream *stream);
/* Whether it holds bytes that its reader has not taken yet. */
int stream_waits(const struct stream *stream);

#endif
