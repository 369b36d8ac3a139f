/* The programs that clients bring into running apps, as init sees them: it passes signals on and tells their end. */
#ifndef RKT_CLIENTS_H
#define RKT_CLIENTS_H

#include <poll.h>
#include <sys/types.h>

#include "app.h"
#include "message.h"

enum { MAX_CLIENTS = 64, HANGUP_MS = 5000 };

struct client {
  int connection;     /* -1: the client has gone */
  pid_t pid;          /* 0: free */
  int64_t kill_at_ms; /* 0: not armed */
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
/* Starts the program in `fds`: connection, plan, 0, 1, 2. Takes the connection; with all places taken the client is told so. */
void clients_add(struct clients *clients, struct message_fds *fds, const struct pod_view *pod);
/* Adds the connections to `polls`; returns the new count. */
size_t clients_poll(const struct clients *clients, struct pollfd *polls, size_t count);
/* Acts on what the client behind `fd` says. When it goes its program gets SIGHUP, and SIGKILL when that has not ended it. */
void clients_event(struct clients *clients, int fd);
/* Tells the client whose program was `pid` the exit status. */
void clients_reaped(struct clients *clients, pid_t pid, int status);
/* When the first program is to be killed; 0 for never. */
int64_t clients_kill_at_ms(const struct clients *clients);
void clients_kill_overdue(struct clients *clients, int64_t now);

#endif
