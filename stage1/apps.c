#include "apps.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "notify.h"
#include "sys.h"

static void forget_place(struct app_place *place) {
  close_owned(&place->mount_ns);
  close_owned(&place->cgroup_ns);
  for (uint32_t i = 0; i < place->cgroups; i++) close(place->cgroup[i]);
  for (int i = 0; i < 3; i++) close_owned(&place->stdio[i]);
  *place = (struct app_place){.mount_ns = -1, .cgroup_ns = -1, .stdio = {-1, -1, -1}};
}

void pod_prepare(struct pod *pod, const struct init *init) {
  pod->init = init;
  pod->plan = init->plan;
  pod->first_apps = init->plan->apps;
  pod->mutable = section_find(&init->plan->pod, OP_MUTABLE) != NULL;
  for (uint32_t i = 0; i < PLAN_MAX_APPS; i++) {
    pod->app[i].report = pod->app[i].notify = -1;
    pod->place[i] = (struct app_place){.mount_ns = -1, .cgroup_ns = -1, .stdio = {-1, -1, -1}};
  }
  clients_prepare(&pod->clients);
}

void pod_tell_outer(const struct pod *pod, enum message_kind kind, uint32_t app, int value) {
  struct message message = {.version = CONTROL_VERSION, .kind = kind, .app = app, .value = value};
  message_send(pod->init->outer, &message, NULL);
}

int64_t pod_stop_timeout_ms(const struct pod *pod) {
  const struct op *timeout = section_find(&pod->plan->pod, OP_STOP_TIMEOUT);
  return timeout ? (int64_t)timeout->field[0].number : 10000;
}

int pod_stop_signal(const struct pod *pod, uint32_t index) {
  const struct op *op = section_find(&pod->plan->app[index], OP_STOP_SIGNAL);
  return op && op->field[0].number > 0 && op->field[0].number < 65 ? (int)op->field[0].number : SIGTERM;
}

void pod_stop(struct pod *pod) {
  if (pod->stopping) return;
  pod->stopping = 1;
  pod->kill_at_ms = now_ms() + pod_stop_timeout_ms(pod);
  for (uint32_t i = 0; i < pod->plan->apps; i++) {
    struct app *app = &pod->app[i];
    if (app->state == APP_RUNNING) kill(app->pid, pod_stop_signal(pod, i));
    else if (app->state == APP_SETTING_UP) kill(app->pid, SIGKILL);
    else if (app->state == APP_WAITING) {
      app->state = APP_ENDED;
      if (pod->status == 0 && !pod->mutable) pod->status = 128 + SIGTERM;
    }
  }
}

void pod_stop_app(struct pod *pod, uint32_t index, int at_once) {
  struct app *app = &pod->app[index];
  if (app->state == APP_SETTING_UP || (at_once && (app->state == APP_RUNNING || app->state == APP_POST_STOP))) {
    kill(app->pid, SIGKILL);
  } else if (app->state == APP_RUNNING) {
    kill(app->pid, pod_stop_signal(pod, index));
    app->kill_at_ms = now_ms() + pod_stop_timeout_ms(pod);
  }
}

void pod_remove_app(struct pod *pod, uint32_t index) {
  struct app *app = &pod->app[index];
  if (app->state != APP_ENDED) return;
  forget_place(&pod->place[index]);
  if (app->brought) plan_release(app->brought);
  free(app->brought);
  app->brought = NULL;
  pod->plan->app[index] = (struct section){0};
}

void pod_say_ready(struct pod *pod) {
  if (pod->ready || pod->started < pod->first_apps) return;
  pod->ready = 1;
  pod_tell_outer(pod, MESSAGE_READY, 0, 0);
}

void pod_app_ended(struct pod *pod, uint32_t index) {
  struct app *app = &pod->app[index];
  app->state = APP_ENDED;
  app->kill_at_ms = 0;
  close_owned(&app->notify);
  app->notify = -1;
  for (int i = 0; i < 3; i++) {
    close_owned(&pod->place[index].stdio[i]);
    pod->place[index].stdio[i] = -1;
  }
  pod_tell_outer(pod, MESSAGE_EXITED, index, app->status);
  if (pod->mutable) {
    forget_place(&pod->place[index]);
  } else if (app->status != 0) {
    if (pod->status == 0) pod->status = app->status;
    pod_stop(pod);
  }
}

static void cannot_start(struct pod *pod, uint32_t index, const struct fail *f) {
  struct message failed = {.version = CONTROL_VERSION, .kind = MESSAGE_FAILED, .app = index, .fail = *f};
  message_send(pod->init->outer, &failed, NULL);
  pod->app[index].status = STATUS_OWN_FAILURE;
  pod_app_ended(pod, index);
}

void pod_cannot_start(struct pod *pod, uint32_t index, int error) {
  struct fail f = {0};
  fail_as(&f, error, "start app", "its descriptors");
  if (index < PLAN_MAX_APPS) cannot_start(pod, index, &f);
}

/* An app that came later brings its plan; the one it replaces has ended. */
static int take_plan(struct pod *pod, uint32_t index, int plan_fd, struct fail *f) {
  struct app *app = &pod->app[index];
  if (app->brought) plan_release(app->brought);
  else if (!(app->brought = calloc(1, sizeof *app->brought))) return fail(f, "start app", "memory");
  if (plan_read(plan_fd, app->brought, f)) return -1;
  if (app->brought->apps != 1) return fail_as(f, EBADMSG, "start app", "plan");
  pod->plan->app[index] = app->brought->app[0];
  if (index >= pod->plan->apps) pod->plan->apps = index + 1;
  return 0;
}

/* Takes the last `count` descriptors of `fds`. */
static void take_fds(struct message_fds *fds, uint32_t count, int *taken) {
  fds->count -= count;
  memcpy(taken, fds->fd + fds->count, sizeof(int) * count);
}

static int take_place(struct pod *pod, const struct message *start, struct message_fds *fds, struct fail *f) {
  uint32_t index = start->app;
  struct app_place *place = &pod->place[index];
  if (start->cgroups > MAX_CGROUPS || start->listeners > MAX_LISTENERS || start->plans > 1 ||
      start->cgroups + start->listeners + start->plans + 3 > fds->count)
    return fail_as(f, EBADMSG, "start app", "descriptors");
  own int plan_fd = -1;
  if (start->plans) take_fds(fds, 1, &plan_fd);
  take_fds(fds, place->listeners = start->listeners, place->listener);
  take_fds(fds, place->cgroups = start->cgroups, place->cgroup);
  if (start->plans && take_plan(pod, index, plan_fd, f)) return -1;
  if (notify_listen(&pod->plan->app[index], &pod->app[index].notify, f)) return -1;
  for (int i = 0; i < 3 && section_post_stop(&pod->plan->app[index]); i++)
    place->stdio[i] = fcntl(fds->fd[fds->count - 3 + (uint32_t)i], F_DUPFD_CLOEXEC, 3);
  return 0;
}

void pod_start_app(struct pod *pod, const struct message *start, struct message_fds *fds) {
  struct fail f = {0};
  int pair[2];
  if (start->app >= PLAN_MAX_APPS) {
    message_close_fds(fds);
    return;
  }
  struct app *app = &pod->app[start->app];
  struct app_place *place = &pod->place[start->app];
  if (start->plans && !pod->stopping) app->state = APP_WAITING;
  if (app->state != APP_WAITING || pod->stopping) {
    fail_as(&f, ESHUTDOWN, "start app", "the pod ends");
  } else if (take_place(pod, start, fds, &f) == 0 && message_pair(pair)) {
    fail(&f, "start app", "");
  }
  if (f.error) {
    message_close_fds(fds);
    if (app->state == APP_WAITING || start->plans) cannot_start(pod, start->app, &f);
    return;
  }
  app->failed = app->executing = app->status = 0;
  app->kill_at_ms = 0;
  app->pid = fork();
  if (app->pid == 0) {
    close(pair[0]);
    app_child(&pod->plan->app[start->app], pod->init->caller, fds, place, pair[1]);
  }
  if (app->pid < 0) fail(&f, "start app", "fork");
  close(pair[1]);
  app->report = pair[0];
  app->state = APP_SETTING_UP;
  message_close_fds(fds);
  for (uint32_t i = 0; i < place->listeners; i++) close(place->listener[i]);
  place->listeners = 0;
  if (f.error) cannot_start(pod, start->app, &f);
}

int pod_has_ended(const struct pod *pod) {
  if (pod->mutable && !pod->stopping) return 0;
  for (uint32_t i = 0; i < pod->plan->apps; i++)
    if (pod->app[i].state != APP_ENDED) return 0;
  return 1;
}

int pod_time_left(const struct pod *pod) {
  int64_t first = earlier(pod->kill_at_ms, clients_kill_at_ms(&pod->clients));
  for (uint32_t i = 0; i < pod->plan->apps; i++) first = earlier(first, pod->app[i].kill_at_ms);
  if (!first) return -1;
  int64_t left = first - now_ms();
  return left > 0 ? (int)left : 0;
}

/* Everything in the pod, when init is the first of its PID namespace; among the host's processes the apps, and their groups at the end. */
static void kill_all(const struct pod *pod) {
  if (getpid() == 1) {
    kill(-1, SIGKILL);
    return;
  }
  for (uint32_t i = 0; i < pod->plan->apps; i++)
    if (pod->app[i].pid > 0 && pod->app[i].state != APP_ENDED) kill(pod->app[i].pid, SIGKILL);
}

void pod_kill_overdue(struct pod *pod) {
  int64_t now = now_ms();
  if (pod->kill_at_ms && now >= pod->kill_at_ms) {
    kill_all(pod);
    pod->kill_at_ms = now + pod_stop_timeout_ms(pod);
  }
  for (uint32_t i = 0; i < pod->plan->apps; i++) {
    struct app *app = &pod->app[i];
    if (!app->kill_at_ms || now < app->kill_at_ms) continue;
    if (app->state == APP_POST_STOP || app->state == APP_RUNNING) kill(app->pid, SIGKILL);
    app->kill_at_ms = 0;
  }
  clients_kill_overdue(&pod->clients, now);
}
