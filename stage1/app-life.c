/* What happens to an app after its child was forked: what the child reports, and its end. */
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apps.h"
#include "clock.h"

/* The app has ended when its post-stop handler has. */
static int start_post_stop(struct pod *pod, uint32_t index) {
  const struct section *section = &pod->plan->app[index];
  const struct op *handler = section_post_stop(section);
  if (!handler || pod->place[index].mount_ns < 0) return 0;
  pid_t child = fork();
  if (child == 0) handler_child(section, pod->init->caller, &handler->field[1].strings, &pod->place[index], pod->init->outer);
  if (child < 0) return 0;
  pod->app[index].pid = child;
  pod->app[index].state = APP_POST_STOP;
  pod->app[index].kill_at_ms = now_ms() + pod_stop_timeout_ms(pod);
  return 1;
}

static int exit_status(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

/* What a child said before it died is read before its death is acted on; its side is closed, so this ends. */
static void drain_report(struct pod *pod, uint32_t index) {
  while (pod->app[index].report >= 0) {
    struct pollfd ready = {.fd = pod->app[index].report, .events = POLLIN};
    if (poll(&ready, 1, 0) != 1 || !pod_take_report(pod, index)) break;
  }
  if (pod->app[index].report >= 0) close(pod->app[index].report);
  pod->app[index].report = -1;
}

static void reaped(struct pod *pod, pid_t pid, int status) {
  for (uint32_t i = 0; i < pod->plan->apps; i++) {
    struct app *app = &pod->app[i];
    if (app->pid != pid || app->state == APP_ENDED) continue;
    if (app->state == APP_POST_STOP) {
      pod_app_ended(pod, i);
      return;
    }
    drain_report(pod, i);
    app->status = exit_status(status);
    if (app->failed || !start_post_stop(pod, i)) pod_app_ended(pod, i);
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
    app->executing = 1;
  } else if (message->kind == MESSAGE_FAILED) {
    app->failed = 1;
    message_send(pod->init->outer, &up, NULL);
  }
  message_close_fds(fds);
}

/* The child's report closes when it executes: only then has the app started. */
static void app_executes(struct pod *pod, uint32_t index) {
  struct app *app = &pod->app[index];
  if (!app->executing || app->failed || app->state != APP_SETTING_UP) return;
  app->state = APP_RUNNING;
  pod_tell_outer(pod, MESSAGE_STARTED, index, app->pid);
  if (index < pod->first_apps) pod->started++;
  pod_say_ready(pod);
  if (pod->stopping) kill(app->pid, pod_stop_signal(pod, index));
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
  app_executes(pod, index);
  return 0;
}
