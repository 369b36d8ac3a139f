/* Copies an app's output to the caller and to its log, and the caller's input to the app, never blocking on either. */
#ifndef RKT_PUMP_H
#define RKT_PUMP_H

#include <poll.h>
#include <stddef.h>

enum { PUMP_CHUNK = 4096, PUMP_PREFIX = 80, PUMP_BUFFER = PUMP_CHUNK * (PUMP_PREFIX + 1) };

struct stream {
  int from;           /* -1 once it has ended */
  int to;             /* -1 when nobody listens (any more) */
  int log;            /* CRI log file, -1 without one */
  const char *name;   /* `stdout` or `stderr`, for the log */
  const char *app;    /* with an app name, lines get the prefix `[uptime] app[pid]: ` */
  int pid;
  int at_line_start;
  int close_to;       /* close `to` when `from` has ended and everything is written */
  char *buffer;       /* allocated at first use */
  size_t start, end;
};

/* Adds what this stream waits for to `polls`; returns the new count. */
size_t stream_poll(const struct stream *stream, struct pollfd *polls, size_t count);
/* Acts on one descriptor's events. */
void stream_event(struct stream *stream, const struct pollfd *poll);
int stream_done(const struct stream *stream);

#endif
