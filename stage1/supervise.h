/* The outer launcher's life beside a running pod: output, input, signals, clients, and what is written into the pod directory. */
#ifndef RKT_SUPERVISE_H
#define RKT_SUPERVISE_H

#include <sys/types.h>

#include "app.h"
#include "caller.h"
#include "control.h"
#include "log.h"
#include "mirror.h"
#include "plan.h"
#include "pump.h"
#include "tty.h"

/* The outer launcher: what it made, and what it needs to make more. */
struct outer {
  struct plan plan;
  struct caller caller;
  int pod;
  pid_t init;
  pid_t sandbox; /* 0: init itself holds the namespaces */
  int user_ns;
  int control; /* connection to init; -1 once init has gone */
  pid_t helper; /* of the network, or 0 */
};

/* An app as outer sees it. */
struct supervised {
  struct supervisor *owner;
  int live;                /* its start was begun, its end has not come */
  struct stream stream[3]; /* by the app's descriptor: 0 the caller's input, 1 output, 2 error */
  int input;               /* where input of those who attach goes: pipe or terminal; -1: nowhere */
  int peer;                /* the program's side of a terminal for those who attach, see tty.h */
  struct log log;
  struct plan brought;         /* of an app that came later */
  int plan_fd;             /* the same as a file, until init has it */
  int mounter;             /* the mounts of an app that came later arrive here */
  pid_t mounter_pid;
  int told_ready;
};

struct supervisor {
  struct outer *outer;
  struct plan *plan;
  const struct caller *caller;
  int pod;
  int init_socket;
  int signals;
  int failed;
  int started;   /* every app of the start executes */
  int ready;     /* and has told so, where it is one that tells */
  int output[3]; /* our own descriptors of 1 and 2 */
  pid_t init;
  struct supervised app[PLAN_MAX_APPS]; /* those of the plan are prepared */
  struct control control;
  struct tty tty;
  struct mirror *mirror; /* in a virtual machine: the host; else NULL */
};

void supervisor_prepare(struct supervisor *s, struct outer *outer);
/* Opens the control socket and the signal descriptor. */
int supervisor_open(struct supervisor *s, int pod, int init_socket, struct fail *f);
/* Makes a place for an app. */
void supervised_prepare(struct supervisor *s, uint32_t index);
/* Takes our end of what is behind descriptor `number` of app `index`. */
void supervisor_stream(struct supervisor *s, uint32_t index, int number, int fd);
/* Takes our side of the terminal that an app has opened. */
void supervisor_terminal(struct supervisor *s, uint32_t index, int master);
/* Ends the input of an app that has ended; what it wrote is still read. */
void supervised_end_input(struct supervised *app);
/* Ends the streams and the log of an app. */
void supervised_close(struct supervised *app);
/* Reports a start that failed: once, on standard error and in the pod directory's `failure`. */
void supervisor_failed(struct supervisor *s, int pod, const struct fail *f);
/* What failed beside the start: on standard error. */
void supervisor_warn(const struct fail *f);
/* The name of an app, empty for a place without one. */
const char *supervised_name(const struct supervisor *s, uint32_t index);
/* Runs until pod init has ended; returns the exit status of the pod. */
int supervise(struct supervisor *s, pid_t init);

#endif
