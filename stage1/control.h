/* The control socket of a pod: only the host's root may speak there. specs/control-protocol.md is its interface. */
#ifndef RKT_CONTROL_H
#define RKT_CONTROL_H

#include <poll.h>
#include <stdint.h>

#include "message.h"
#include "pump.h"

/* At once; who comes later is turned away. A client that says nothing for the given time is closed. */
enum { MAX_CONNECTIONS = 96, SILENCE_MS = 10000, ACCEPT_AGAIN_MS = 200 };

enum connection_state { CONNECTION_FREE, CONNECTION_SILENT, CONNECTION_WAITS_START, CONNECTION_WAITS_END, CONNECTION_ATTACHED };

struct connection {
  enum connection_state state;
  int fd;
  int64_t deadline_ms; /* of a silent one */
  uint32_t app;        /* attached to it, or waiting for it */
  int told_end;        /* it knows that the app has ended */
  struct stream input; /* from the client to the app */
  int output[3];       /* pipes of the client for the app's 1 and 2; -1: none */
  uint64_t dropped[3]; /* bytes that found no room since the client was told */
};

struct control {
  int listener;
  int64_t accept_at_ms; /* after a failure of accept: not before */
  struct connection connection[MAX_CONNECTIONS];
};

struct supervisor;

void control_prepare(struct control *control);
/* Makes the socket `control` in the pod directory. */
int control_listen(struct control *control, int pod, struct fail *f);
size_t control_poll(struct control *control, struct pollfd *polls, size_t count);
/* When something is due without an event; 0 for never. */
int64_t control_due_ms(const struct control *control);
void control_event(struct supervisor *s, const struct pollfd *poll);
/* Closes who has been silent for too long, and attached clients that have seen the end. */
void control_sweep(struct supervisor *s);
void control_close(struct connection *connection);
/* Answers a client and closes it: `f` NULL says that it is done. */
void control_answer(struct connection *connection, const struct fail *f);
/* Answers everybody who waits for this of the app; returns how many did. */
int control_answer_all(struct control *control, uint32_t app, enum connection_state state, const struct fail *f);

/* attach.c: begins to pass streams of an app on to `connection`. */
void attach_begin(struct supervisor *s, struct connection *connection, struct message_fds *fds);
/* What an attached client says. */
void attach_message(struct supervisor *s, struct connection *connection, const struct message *message);
/* Gives what an app has written to everybody who listens; waits for nobody. The `tee` of the app's streams. */
void attach_tee(void *supervised, const struct stream *stream, const char *data, size_t size);
/* The app has ended with this status. */
void attach_app_ended(struct supervisor *s, uint32_t app, int status);

/* later.c: starts, stops and forgets apps of a running pod. */
void later_start(struct supervisor *s, struct connection *connection, struct message_fds *fds);
void later_stop(struct supervisor *s, struct connection *connection, const struct message *message);
void later_remove(struct supervisor *s, struct connection *connection, const struct message *message);
/* The mounts of an app have come. */
void later_mounted(struct supervisor *s, uint32_t app);
/* Kills what an app that has ended left in its groups. */
void later_clean(const struct supervisor *s, uint32_t app);

#endif
