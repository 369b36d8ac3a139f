/* What outer launcher, pod init, app children and clients say to each other over SEQPACKET sockets: one fixed record, and descriptors. */
#ifndef RKT_MESSAGE_H
#define RKT_MESSAGE_H

#include <stdint.h>

#include "fail.h"

enum { MESSAGE_MAX_FDS = 128, CONTROL_VERSION = 1 };

enum message_kind {
  MESSAGE_GO = 1,        /* outer → init: ids are mapped */
  MESSAGE_DETACH,        /* outer → init: nothing of the host's tree is needed any more */
  MESSAGE_START,         /* outer → init: the descriptors of app `app` */
  MESSAGE_CLIENT,        /* outer → init: a checked client, its connection and its descriptors */
  MESSAGE_NAMESPACES,    /* app child → init: its mount and cgroup namespaces */
  MESSAGE_TERMINAL,      /* app child → init → outer or client: master side of the app's terminal */
  MESSAGE_FAILED,        /* app child → init → outer or client: a step failed, the start ends */
  MESSAGE_STARTED,       /* init → outer or client: `app` executes its program, `value` is its pid in the pod */
  MESSAGE_EXITED,        /* init → outer or client: `app` has ended with exit status `value` */
  MESSAGE_READY,         /* init → outer: every app was started */
  MESSAGE_ENTER,         /* client → init: run the ENTER section; plan and stdio descriptors come along */
  MESSAGE_SIGNAL,        /* client → init: send signal `value` */
};

struct message {
  uint32_t version;
  uint32_t kind;
  uint32_t app;
  int32_t value;
  struct fail fail;
};

struct message_fds {
  uint32_t count;
  int fd[MESSAGE_MAX_FDS];
};

/* Sends one record; `fds` may be NULL. Returns 0, or -1 with errno. */
int message_send(int socket, const struct message *message, const struct message_fds *fds);
/* Receives one record. Returns 1, 0 at the end of the stream, -1 with errno. Received descriptors are close-on-exec. */
int message_receive(int socket, struct message *message, struct message_fds *fds);
void message_close_fds(struct message_fds *fds);
/* A connected pair, close-on-exec. */
int message_pair(int pair[2]);

#endif
