#include "apps.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void tell_outer(const struct pod *pod, enum message_kind kind, uint32_t app, int value) {
  struct message message = {.version = CONTROL_VERSION, .kind = kind, .app = app, .value = value};
  message_send(pod->init->outer, &message, NULL);
}

static int64_t stop_timeout_ms(const struct pod *pod) {
  const struct op *timeout = section_find(&pod->init->plan->pod, OP_STOP_TIMEOUT);
  return timeout ? (int64_t)timeout->field[0].number : 10000;
}

void pod_stop(struct pod *pod) {
  if (pod->stopping) return;
  pod->stopping = 1;
  pod->kill_at_ms = now_ms() + stop_timeout_ms(pod);
  for (uint32_t i = 0; i < pod->init->plan->apps; i++) {
    struct app *app = &pod->app[i];
    if (app->state == APP_RUNNING) kill(app->pid, SIGTERM);
    else if (app->state == APP_SETTING_UP) kill(app->pid, SIGKILL);
    else if (app->state == APP_WAITING) {
      app->state = APP_ENDED;
      if (pod->status == 0) pod->status = 128 + SIGTERM;
    }
  }
}

/* The app has ended when its post-stop handler has. */
static int start_post_stop(struct pod *pod, uint32_t index) {
  const struct section *section = &pod->init->plan->app[index];
  const struct op *handler = section_post_stop(section);
  if (!handler || pod->place[index].mount_ns < 0) return 0;
  pid_t child = fork();
  if (child == 0) handler_child(section, pod->init->caller, &handler->field[1].strings, &pod->place[index], pod->init->outer);
  if (child < 0) return 0;
  pod->app[index].pid = child;
  pod->app[index].state = APP_POST_STOP;
  pod->app[index].kill_at_ms = now_ms() + stop_timeout_ms(pod);
  return 1;
}

static void app_ended(struct pod *pod, uint32_t index) {
  struct app *app = &pod->app[index];
  app->state = APP_ENDED;
  for (int i = 0; i < 3; i++) close_owned(&pod->place[index].stdio[i]);
  tell_outer(pod, MESSAGE_EXITED, index, app->status);
  if (app->status != 0) {
    if (pod->status == 0) pod->status = app->status;
    pod_stop(pod);
  }
}

static int exit_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

static void drain_report(struct pod *pod, uint32_t index);

static void reaped(struct pod *pod, pid_t pid, int status) {
  for (uint32_t i = 0; i < pod->init->plan->apps; i++) {
    struct app *app = &pod->app[i];
    if (app->pid != pid || app->state == APP_ENDED) continue;
    if (app->state == APP_POST_STOP) {
      app_ended(pod, i);
      return;
    }
    drain_report(pod, i);
    app->status = exit_status(status);
    if (app->report >= 0) close(app->report);
    app->report = -1;
    if (app->failed || !start_post_stop(pod, i)) app_ended(pod, i);
    return;
  }
  clients_reaped(&pod->clients, pid, exit_status(status));
}

void pod_reap(struct pod *pod) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) reaped(pod, pid, status);
}

static void app_reports(struct pod *pod, uint32_t index, const struct message *message, struct message_fds *fds) {
  struct app *app = &pod->app[index];
  struct message up = *message;
  up.app = index;
  if (message->kind == MESSAGE_NAMESPACES && fds->count == 2) {
    pod->place[index].mount_ns = fds->fd[0];
    pod->place[index].cgroup_ns = fds->fd[1];
    fds->count = 0;
  } else if (message->kind == MESSAGE_TERMINAL) {
    message_send(pod->init->outer, &up, fds);
  } else if (message->kind == MESSAGE_STARTED) {
    if (app->state == APP_SETTING_UP) app->state = APP_RUNNING;
    up.value = app->pid;
    message_send(pod->init->outer, &up, NULL);
    if (++pod->started == pod->init->plan->apps) tell_outer(pod, MESSAGE_READY, 0, 0);
    if (pod->stopping) kill(app->pid, SIGTERM);
  } else if (message->kind == MESSAGE_FAILED) {
    app->failed = 1;
    message_send(pod->init->outer, &up, NULL);
  }
  message_close_fds(fds);
}

int pod_take_report(struct pod *pod, uint32_t index) {
  struct message message;
  struct message_fds fds;
  int got = message_receive(pod->app[index].report, &message, &fds);
  if (got == 1) {
    app_reports(pod, index, &message, &fds);
    return 1;
  }
  close(pod->app[index].report);
  pod->app[index].report = -1;
  return 0;
}

/* What a child said before it died is read before its death is acted on; its side is closed, so this ends. */
static void drain_report(struct pod *pod, uint32_t index) {
  while (pod->app[index].report >= 0) {
    struct pollfd ready = {.fd = pod->app[index].report, .events = POLLIN};
    if (poll(&ready, 1, 0) != 1 || !pod_take_report(pod, index)) break;
  }
}

void pod_start_app(struct pod *pod, uint32_t index, struct message_fds *fds, uint32_t cgroups) {
  struct app *app = &pod->app[index];
  struct app_place *place = &pod->place[index];
  int pair[2];
  if (app->state != APP_WAITING || cgroups > MAX_CGROUPS || cgroups + 3 > fds->count || message_pair(pair)) {
    message_close_fds(fds);
    return;
  }
  place->cgroups = cgroups;
  fds->count -= cgroups;
  memcpy(place->cgroup, fds->fd + fds->count, sizeof(int) * cgroups);
  for (int i = 0; i < 3 && section_post_stop(&pod->init->plan->app[index]); i++)
    place->stdio[i] = fcntl(fds->fd[fds->count - 3 + (uint32_t)i], F_DUPFD_CLOEXEC, 3);
  app->pid = fork();
  if (app->pid == 0) {
    close(pair[0]);
    app_child(&pod->init->plan->app[index], pod->init->caller, fds, place, pair[1]);
  }
  close(pair[1]);
  app->report = pair[0];
  app->state = APP_SETTING_UP;
  message_close_fds(fds);
  if (app->pid < 0) {
    struct message failed = {.version = CONTROL_VERSION, .kind = MESSAGE_FAILED, .app = index};
    fail(&failed.fail, "start app", "fork");
    message_send(pod->init->outer, &failed, NULL);
    app->status = STATUS_OWN_FAILURE;
    app_ended(pod, index);
  }
}

int pod_all_ended(const struct pod *pod) {
  for (uint32_t i = 0; i < pod->init->plan->apps; i++)
    if (pod->app[i].state != APP_ENDED) return 0;
  return 1;
}

int pod_time_left(const struct pod *pod) {
  int64_t first = pod->kill_at_ms;
  for (uint32_t i = 0; i < pod->init->plan->apps; i++) {
    int64_t at = pod->app[i].kill_at_ms;
    if (at && (!first || at < first)) first = at;
  }
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
  for (uint32_t i = 0; i < pod->init->plan->apps; i++)
    if (pod->app[i].pid > 0 && pod->app[i].state != APP_ENDED) kill(pod->app[i].pid, SIGKILL);
}

void pod_kill_overdue(struct pod *pod) {
  int64_t now = now_ms();
  if (pod->kill_at_ms && now >= pod->kill_at_ms) {
    kill_all(pod);
    pod->kill_at_ms = now + stop_timeout_ms(pod);
  }
  for (uint32_t i = 0; i < pod->init->plan->apps; i++) {
    struct app *app = &pod->app[i];
    if (!app->kill_at_ms || now < app->kill_at_ms) continue;
    if (app->state == APP_POST_STOP) kill(app->pid, SIGKILL);
    app->kill_at_ms = 0;
  }
}
