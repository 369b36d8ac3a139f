/* What outer launcher, pod init, app children and clients say to each other over SEQPACKET sockets: one fixed record, and descriptors. */
#ifndef RKT_MESSAGE_H
#define RKT_MESSAGE_H

#include <stdint.h>

#include "fail.h"

enum { MESSAGE_MAX_FDS = 128, CONTROL_VERSION = 2, MESSAGE_TEXT = 1024 };

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
  MESSAGE_ATTACH,        /* client → outer: pass streams of an app on; plan and our ends of the pipes come along */
  MESSAGE_RESIZE,        /* client → outer: the terminal has `value` >> 16 rows and `value` & 0xffff columns */
  MESSAGE_DROPPED,       /* outer → client: `value` bytes of descriptor `app` found no room */
  MESSAGE_APP_START,     /* client → outer: start the app of the plan that comes along */
  MESSAGE_APP_STOP,      /* client → outer → init: stop the app `text`, at once when `value` is 1 */
  MESSAGE_APP_REMOVE,    /* client → outer → init: forget the app `text` */
  MESSAGE_DONE,          /* outer → client: it is done */
  MESSAGE_NOTIFY,        /* init → outer: `app` tells its state, `text` */
};

struct message {
  uint32_t version;
  uint32_t kind;
  uint32_t app;
  int32_t value;
  uint32_t cgroups, listeners, plans; /* START: how many descriptors of each kind come last, in this order */
  struct fail fail;
  char text[MESSAGE_TEXT];
};

struct message_fds {
  uint32_t count;
  int fd[MESSAGE_MAX_FDS];
};

/* Sends one record; `fds` may be NULL. Returns 0, or -1 with errno: EAGAIN when the socket does not block and is full. */
int message_send(int socket, const struct message *message, const struct message_fds *fds);
/* As message_send without descriptors, but drops the record when the socket is full. */
void message_offer(int socket, const struct message *message);
/* Receives one record. Returns 1, 0 at the end of the stream, -1 with errno. Received descriptors are close-on-exec. */
int message_receive(int socket, struct message *message, struct message_fds *fds);
void message_close_fds(struct message_fds *fds);
/* A connected pair, close-on-exec. */
int message_pair(int pair[2]);

#endif
