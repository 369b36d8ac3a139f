/* The apps of a pod as its init sees them: from start to end, with the first-failure rule and the time they get to stop. */
#ifndef RKT_APPS_H
#define RKT_APPS_H

#include <stdint.h>
#include <sys/types.h>

#include "app.h"
#include "clients.h"
#include "init.h"

enum app_state { APP_WAITING, APP_SETTING_UP, APP_RUNNING, APP_POST_STOP, APP_ENDED };

struct app {
  enum app_state state;
  pid_t pid;
  int report; /* the child's side reports here until it executes */
  int executing; /* the child has said that it is about to execute; the end of its reports says that it has */
  int status;
  int failed; /* MESSAGE_FAILED was sent for it */
  int notify; /* socket at which it tells its state; -1 without one */
  int64_t kill_at_ms; /* of its program or post-stop handler; 0: not armed */
  struct plan *brought; /* of an app that came later */
};

struct pod {
  const struct init *init;
  struct plan *plan;
  int mutable;
  struct app app[PLAN_MAX_APPS];
  struct app_place place[PLAN_MAX_APPS];
  struct clients clients;
  uint32_t first_apps; /* of the start: READY waits for them */
  uint32_t started;
  int ready;         /* READY was said */
  int status;        /* of the first app that failed */
  int stopping;
  int64_t kill_at_ms; /* 0: not armed */
};

void pod_prepare(struct pod *pod, const struct init *init);
/* Starts an app as START says, with its descriptors, which are closed. */
void pod_start_app(struct pod *pod, const struct message *start, struct message_fds *fds);
/* The descriptors of START were lost: it is told as the app's failure. */
void pod_cannot_start(struct pod *pod, uint32_t index, int error);
/* The stop signal to one app, SIGKILL when its time is up or at once. */
void pod_stop_app(struct pod *pod, uint32_t index, int at_once);
/* Forgets an app that has ended. */
void pod_remove_app(struct pod *pod, uint32_t index);
/* Takes one record of what an app's child says; 0 when it says no more. */
int pod_take_report(struct pod *pod, uint32_t index);
/* READY, once every app of the start executes. */
void pod_say_ready(struct pod *pod);
/* The stop signal to every app, SIGKILL to everything when the time is up; apps that do not run yet are not waited for. */
void pod_stop(struct pod *pod);
/* Reaps what has ended and acts on it. */
void pod_reap(struct pod *pod);
/* Milliseconds until somebody's time is up, -1 for never: that of all apps, of one app, or of a client's program. */
int pod_time_left(const struct pod *pod);
void pod_kill_overdue(struct pod *pod);
/* The app and its handlers have ended: tells outer, and lets the pod go the way that the first-failure rule says. */
void pod_app_ended(struct pod *pod, uint32_t index);
void pod_tell_outer(const struct pod *pod, enum message_kind kind, uint32_t app, int value);
int pod_stop_signal(const struct pod *pod, uint32_t index);
int64_t pod_stop_timeout_ms(const struct pod *pod);
/* Whether nothing is left to wait for. */
int pod_has_ended(const struct pod *pod);

#endif
