#include "init.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "apps.h"
#include "init-setup.h"
#include "notify.h"
#include "signals.h"
#include "vm.h"

/* Returns 0 when the outer launcher is gone: the pod dies with it. */
static int from_outer(struct pod *pod) {
  struct message message;
  struct message_fds fds;
  int got = message_receive(pod->init->outer, &message, &fds);
  /* At our limit of descriptors a client is turned away; what an app is made of cannot be missed. */
  if (got < 0 && errno == EPROTO) {
    if (message.kind == MESSAGE_START) pod_cannot_start(pod, message.app, EMFILE);
    return 1;
  }
  if (got <= 0) return 0;
  int known = message.app < pod->plan->apps;
  if (message.kind == MESSAGE_START) pod_start_app(pod, &message, &fds);
  else if (message.kind == MESSAGE_CLIENT) clients_add(&pod->clients, &fds, &(struct pod_view){pod->plan, pod->place, pod->init->caller});
  else if (message.kind == MESSAGE_APP_STOP && known) pod_stop_app(pod, message.app, message.value);
  else if (message.kind == MESSAGE_APP_REMOVE && known) pod_remove_app(pod, message.app);
  message_close_fds(&fds);
  return 1;
}

static void on_signal(struct pod *pod, int signals) {
  struct signalfd_siginfo info;
  while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
    int number = (int)info.ssi_signo;
    if (number == SIGCHLD) continue;
    if (number == SIGUSR1 || number == SIGUSR2) {
      for (uint32_t i = 0; i < pod->plan->apps; i++)
        if (pod->app[i].state == APP_RUNNING) kill(pod->app[i].pid, number);
    } else if (number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP) {
      pod_stop(pod);
    }
  }
}

static size_t collect_polls(const struct pod *pod, int signals, struct pollfd *polls) {
  size_t count = 0;
  polls[count++] = (struct pollfd){.fd = pod->init->outer, .events = POLLIN};
  polls[count++] = (struct pollfd){.fd = signals, .events = POLLIN};
  for (uint32_t i = 0; i < pod->plan->apps; i++) {
    if (pod->app[i].report >= 0) polls[count++] = (struct pollfd){.fd = pod->app[i].report, .events = POLLIN};
    if (pod->app[i].notify >= 0) polls[count++] = (struct pollfd){.fd = pod->app[i].notify, .events = POLLIN};
  }
  return clients_poll(&pod->clients, polls, count);
}

/* A flood of states is dropped where outer has no room: init never waits for anybody. */
static void app_notifies(const struct pod *pod, uint32_t index) {
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_NOTIFY, .app = index};
  if (notify_take(pod->app[index].notify, &pod->plan->app[index], message.text)) message_offer(pod->init->outer, &message);
}

static void dispatch(struct pod *pod, int fd) {
  for (uint32_t i = 0; i < pod->plan->apps; i++) {
    if (pod->app[i].report == fd) {
      pod_take_report(pod, i);
      return;
    }
    if (pod->app[i].notify == fd) {
      app_notifies(pod, i);
      return;
    }
  }
  clients_event(&pod->clients, fd);
}

static int serve(struct pod *pod, int signals) {
  struct pollfd polls[2 + PLAN_MAX_APPS * 2 + MAX_CLIENTS];
  pod_say_ready(pod);
  while (!pod_has_ended(pod)) {
    size_t count = collect_polls(pod, signals, polls);
    int ready = poll(polls, count, pod_time_left(pod));
    if (ready < 0 && errno != EINTR) return STATUS_OWN_FAILURE;
    pod_kill_overdue(pod);
    if (ready <= 0) continue;
    if (polls[0].revents && !from_outer(pod)) return 128 + SIGKILL;
    for (size_t i = 2; i < count; i++)
      if (polls[i].revents) dispatch(pod, polls[i].fd);
    if (polls[1].revents) on_signal(pod, signals);
    pod_reap(pod);
  }
  return pod->mutable ? 0 : pod->status;
}

_Noreturn void init_main(const struct init *init) {
  static struct pod pod;
  struct message go;
  struct message_fds none;
  struct fail f = {0};
  pod_prepare(&pod, init);
  if (message_receive(init->outer, &go, &none) != 1 || go.kind != MESSAGE_GO) _exit(STATUS_OWN_FAILURE);
  int signals = signals_watch(0, &f);
  if (f.error || init_setup(init, &f)) {
    struct message failed = {.version = CONTROL_VERSION, .kind = MESSAGE_FAILED, .app = UINT32_MAX, .fail = f};
    message_send(init->outer, &failed, NULL);
    _exit(STATUS_OWN_FAILURE);
  }
  _exit(section_find(&init->plan->pod, OP_VM) ? vm_serve(init, signals) : serve(&pod, signals));
}
