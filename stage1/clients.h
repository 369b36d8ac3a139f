/* The clients of pod init: each brings a program that runs in an app, signals for it, and waits for its end. */
#ifndef RKT_CLIENTS_H
#define RKT_CLIENTS_H

#include <poll.h>
#include <sys/types.h>

#include "app.h"
#include "message.h"

enum { MAX_CLIENTS = 64 };

struct client {
  int connection; /* -1: free */
  pid_t pid;      /* 0: has not sent its program yet */
};

struct clients {
  struct client client[MAX_CLIENTS];
};

/* What a client's program needs to know of the pod. */
struct pod_view {
  const struct plan *plan;
  const struct app_place *places;
  const struct caller *caller;
};

void clients_prepare(struct clients *clients);
/* Takes the connection in `fds`; with all places taken it is closed. */
void clients_add(struct clients *clients, struct message_fds *fds);
/* Adds the connections to `polls`; returns the new count. */
size_t clients_poll(const struct clients *clients, struct pollfd *polls, size_t count);
/* Acts on what the client behind `fd` says, or on its going away. */
void clients_event(struct clients *clients, int fd, const struct pod_view *pod);
/* Tells the client whose program was `pid` the exit status. */
void clients_reaped(struct clients *clients, pid_t pid, int status);

#endif
