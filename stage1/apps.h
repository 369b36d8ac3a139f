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
  int status;
  int failed; /* MESSAGE_FAILED was sent for it */
  int64_t kill_at_ms; /* of its post-stop handler; 0: not armed */
};

struct pod {
  const struct init *init;
  struct app app[PLAN_MAX_APPS];
  struct app_place place[PLAN_MAX_APPS];
  struct clients clients;
  uint32_t started;
  int status;        /* of the first app that failed */
  int stopping;
  int64_t kill_at_ms; /* 0: not armed */
};

/* Starts an app with its descriptors, which are closed; the last `cgroups` of them are its groups. */
void pod_start_app(struct pod *pod, uint32_t index, struct message_fds *fds, uint32_t cgroups);
/* Takes one record of what an app's child says; 0 when it says no more. */
int pod_take_report(struct pod *pod, uint32_t index);
/* SIGTERM to every app, SIGKILL to everything when the time is up; apps that do not run yet are not waited for. */
void pod_stop(struct pod *pod);
/* Reaps what has ended and acts on it. */
void pod_reap(struct pod *pod);
/* Milliseconds until somebody's time is up, -1 for never: that of all apps, or of one post-stop handler. */
int pod_time_left(const struct pod *pod);
void pod_kill_overdue(struct pod *pod);
int pod_all_ended(const struct pod *pod);

#endif
