/* The outer launcher's life beside a running pod: output, input, signals, clients, and what is written into the pod directory. */
#ifndef RKT_SUPERVISE_H
#define RKT_SUPERVISE_H

#include <sys/types.h>

#include "app.h"
#include "caller.h"
#include "plan.h"
#include "pump.h"
#include "tty.h"

struct supervisor {
  const struct plan *plan;
  const struct caller *caller;
  int pod;
  int init_socket;
  int listener;
  int signals;
  int failed;
  int output[3]; /* our own descriptors of 1 and 2 */
  pid_t init;
  struct stream stream[PLAN_MAX_APPS][3]; /* by the app's descriptor: 0 input, 1 output, 2 error */
  struct tty tty;
};

void supervisor_prepare(struct supervisor *s, const struct plan *plan, const struct caller *caller);
/* Opens the control socket and the signal descriptor. */
int supervisor_open(struct supervisor *s, int pod, int init_socket, struct fail *f);
/* Takes our end of the pipe behind descriptor `number` of app `index`. */
void supervisor_stream(struct supervisor *s, uint32_t index, int number, int fd);
/* Reports a start that failed: once, on standard error and in the pod directory's `failure`. */
void supervisor_failed(struct supervisor *s, int pod, const struct fail *f);
/* A clean-up that failed: on standard error; collection tries it again. */
void supervisor_warn(const struct fail *f);
/* Runs until pod init has ended; returns the exit status of the pod. */
int supervise(struct supervisor *s, pid_t init);

#endif
