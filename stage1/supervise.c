#include "supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "cgroup.h"
#include "clock.h"
#include "notify.h"
#include "signals.h"
#include "sys.h"

void supervisor_prepare(struct supervisor *s, struct outer *outer) {
  s->outer = outer;
  s->plan = &outer->plan;
  s->caller = &outer->caller;
  s->pod = s->init_socket = s->signals = s->output[1] = s->output[2] = -1;
  for (uint32_t i = 0; i < s->plan->apps; i++) supervised_prepare(s, i);
  control_prepare(&s->control);
  tty_prepare(&s->tty);
}

int supervisor_open(struct supervisor *s, int pod, int init_socket, struct fail *f) {
  s->pod = pod;
  s->init_socket = init_socket;
  s->signals = signals_watch(0, f);
  if (s->signals < 0) return -1;
  s->output[1] = stream_open(1, O_WRONLY);
  s->output[2] = stream_open(2, O_WRONLY);
  return control_listen(&s->control, pod, f);
}

static int write_pod_file(int pod, const char *path, const char *text) {
  char temporary[256];
  snprintf(temporary, sizeof temporary, "%s.tmp", path);
  /* For the group of those who may look at pods. */
  mode_t mask = umask(0027);
  own int fd = openat(pod, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
  umask(mask);
  size_t size = strlen(text);
  if (fd < 0 || write(fd, text, size) != (ssize_t)size) return -1;
  return renameat(pod, temporary, pod, path);
}

void supervisor_warn(const struct fail *f) {
  char line[1024];
  fail_text(f, line, sizeof line);
  fprintf(stderr, "stage1: %s\n", line);
}

void supervisor_failed(struct supervisor *s, int pod, const struct fail *f) {
  char line[1024];
  if (s->failed) return;
  s->failed = 1;
  if (s->mirror) {
    struct message failed = {.version = CONTROL_VERSION, .kind = MESSAGE_FAILED, .app = UINT32_MAX, .fail = *f};
    s->mirror->message(s->mirror, &failed);
  }
  tty_end(&s->tty);
  supervisor_warn(f);
  size_t size = fail_text(f, line, sizeof line - 2);
  line[size] = '\n';
  line[size + 1] = 0;
  if (write_pod_file(pod, "failure", line)) fprintf(stderr, "stage1: cannot write \"failure\": %s\n", strerror(errno));
}

static void mark(struct supervisor *s, uint32_t app, const char *suffix, const char *text) {
  char path[320];
  snprintf(path, sizeof path, "stage1/rootfs/rkt/status/%s%s", supervised_name(s, app), suffix);
  int failed = text ? write_pod_file(s->pod, path, text) : unlinkat(s->pod, path, 0) && errno != ENOENT;
  if (failed) fprintf(stderr, "stage1: cannot write \"%s\": %s\n", path, strerror(errno));
}

/* Before the status, which says that the app has ended: its group is still there, and a reader of the status finds the reason. */
static void tell_reason(struct supervisor *s, uint32_t app) {
  const struct op *events = section_find(&s->plan->app[app], OP_OOM_EVENTS);
  if (!events || !cgroup_ran_out_of_memory(events->field[0].text)) return;
  mark(s, app, "-reason", "OOMKilled");
  fprintf(stderr, "stage1: app \"%s\" ran out of memory\n", supervised_name(s, app));
}

/* Ready is a pod whose apps execute, and have said that they are ready where they are of the kind that says it. */
static void check_ready(struct supervisor *s) {
  char text[64];
  if (s->ready || !s->started) return;
  for (uint32_t i = 0; i < s->plan->apps; i++)
    if (section_find(&s->plan->app[i], OP_NOTIFY_SOCKET) && !s->app[i].told_ready) return;
  s->ready = 1;
  if (symlinkat("ready", s->pod, "stage1/rootfs/rkt/supervisor-status") && errno != EEXIST)
    fprintf(stderr, "stage1: cannot write \"supervisor-status\": %s\n", strerror(errno));
  snprintf(text, sizeof text, "READY=1\nMAINPID=%d\n", (int)getpid());
  notify_tell(s->plan, text);
}

static void app_notifies(struct supervisor *s, const struct message *message) {
  int says_ready;
  notify_pass(s->plan, message->text, s->ready, &says_ready);
  s->app[message->app].told_ready |= says_ready;
  check_ready(s);
}

static void app_started(struct supervisor *s, const struct message *message) {
  struct supervised *app = &s->app[message->app];
  app->stream[1].pid = app->stream[2].pid = message->value;
  mark(s, message->app, "", NULL);
  mark(s, message->app, "-reason", NULL);
  mark(s, message->app, "-started", "");
  control_answer_all(&s->control, message->app, CONNECTION_WAITS_START, NULL);
}

static void app_ended(struct supervisor *s, const struct message *message) {
  struct supervised *app = &s->app[message->app];
  struct fail f = {0};
  char text[16];
  snprintf(text, sizeof text, "%d", message->value);
  tell_reason(s, message->app);
  mark(s, message->app, "", text);
  app->live = 0;
  supervised_end_input(app);
  if (section_find(&s->plan->pod, OP_MUTABLE)) later_clean(s, message->app);
  else tty_last(&s->tty);
  attach_app_ended(s, message->app, message->value);
  fail_as(&f, ECHILD, "start app (it has ended)", supervised_name(s, message->app));
  control_answer_all(&s->control, message->app, CONNECTION_WAITS_START, &f);
  control_answer_all(&s->control, message->app, CONNECTION_WAITS_END, NULL);
}

/* Of an app that came later only its client is told. */
static void start_failed(struct supervisor *s, const struct message *message) {
  int mutable = section_find(&s->plan->pod, OP_MUTABLE) != NULL && message->app < s->plan->apps;
  if (!mutable) supervisor_failed(s, s->pod, &message->fail);
  else if (!control_answer_all(&s->control, message->app, CONNECTION_WAITS_START, &message->fail)) supervisor_warn(&message->fail);
}

static void from_init(struct supervisor *s) {
  struct message message;
  struct message_fds fds;
  char text[16];
  int got = message_receive(s->init_socket, &message, &fds);
  /* At our limit of descriptors a terminal is lost, not the pod. */
  if (got < 0 && errno == EPROTO) return;
  if (got <= 0) {
    s->init_socket = -1;
    return;
  }
  int known = message.app < s->plan->apps;
  if (s->mirror) s->mirror->message(s->mirror, &message);
  if (message.kind == MESSAGE_STARTED && known) app_started(s, &message);
  else if (message.kind == MESSAGE_EXITED && known) app_ended(s, &message);
  else if (message.kind == MESSAGE_NOTIFY && known) app_notifies(s, &message);
  else if (message.kind == MESSAGE_FAILED) start_failed(s, &message);
  else if (message.kind == MESSAGE_TERMINAL && fds.count == 1 && known) {
    supervisor_terminal(s, message.app, fds.fd[0]);
    fds.count = 0;
  } else if (message.kind == MESSAGE_READY) {
    snprintf(text, sizeof text, "%d", (int)s->init);
    s->started = 1;
    if (write_pod_file(s->pod, "pid", text)) fprintf(stderr, "stage1: cannot write \"pid\": %s\n", strerror(errno));
    check_ready(s);
  }
  message_close_fds(&fds);
}

static void on_signals(struct supervisor *s) {
  struct signalfd_siginfo info;
  while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
    int number = (int)info.ssi_signo;
    int ignored = s->caller->known && (s->caller->ignored >> (number - 1) & 1);
    if (number == SIGWINCH) tty_resize(&s->tty);
    if (number == SIGTERM && !ignored) notify_tell(s->plan, "STOPPING=1\n");
    if (s->init > 0 && !ignored && (number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP || number == SIGUSR1 || number == SIGUSR2))
      kill(s->init, number);
  }
}

static size_t collect(struct supervisor *s, struct pollfd *polls) {
  size_t count = 0;
  polls[count++] = (struct pollfd){.fd = s->signals, .events = POLLIN};
  polls[count++] = (struct pollfd){.fd = s->init_socket, .events = POLLIN};
  if (s->mirror && s->mirror->fd >= 0)
    polls[count++] = (struct pollfd){.fd = s->mirror->fd, .events = (short)(POLLIN | (s->mirror->writes ? POLLOUT : 0))};
  for (uint32_t i = 0; i < s->plan->apps; i++) {
    for (int n = s->init_socket < 0 ? 1 : 0; n < 3; n++) count = stream_poll(&s->app[i].stream[n], polls, count);
    if (s->app[i].mounter >= 0) polls[count++] = (struct pollfd){.fd = s->app[i].mounter, .events = POLLIN};
  }
  if (s->init_socket >= 0) {
    count = stream_poll(&s->tty.input, polls, count);
    count = control_poll(&s->control, polls, count);
  }
  return stream_poll(&s->tty.output, polls, count);
}

static void dispatch(struct supervisor *s, const struct pollfd *poll) {
  for (uint32_t i = 0; i < s->plan->apps; i++) {
    for (int n = 0; n < 3; n++) stream_event(&s->app[i].stream[n], poll);
    if (s->app[i].mounter == poll->fd) later_mounted(s, i);
  }
  stream_event(&s->tty.input, poll);
  stream_event(&s->tty.output, poll);
  control_event(s, poll);
}

/* How often a mirror gets its turn when nothing happens. */
enum { MIRROR_MS = 500 };

static short events_of(const struct pollfd *polls, size_t count, int fd) {
  for (size_t i = 0; i < count; i++)
    if (polls[i].fd == fd) return polls[i].revents;
  return 0;
}

/* Without its host a machine ends its pod. */
static void turn_mirror(struct supervisor *s, const struct pollfd *polls, size_t count) {
  struct mirror *mirror = s->mirror;
  if (!mirror || mirror->turn(mirror, s, mirror->fd < 0 ? 0 : events_of(polls, count, mirror->fd)) == 0) return;
  mirror->fd = -1;
  if (s->init > 0) kill(s->init, SIGKILL);
}

static int patience_ms(const struct supervisor *s, int timeout) {
  if (s->mirror && s->init_socket >= 0) timeout = timeout < 0 || timeout > MIRROR_MS ? MIRROR_MS : timeout;
  int64_t due = s->init_socket >= 0 ? control_due_ms(&s->control) : 0;
  int64_t left = due ? due - now_ms() : -1;
  if (!due) return timeout;
  if (left < 0) left = 0;
  return timeout >= 0 && timeout < left ? timeout : (int)left;
}

enum { MAX_POLLS = 4 + PLAN_MAX_APPS * 4 + MAX_CONNECTIONS * 2 + 2 };

/* Waits for something to do, at most `timeout` ms, and does it. Returns 0 when nothing came. */
static int turn(struct supervisor *s, int timeout) {
  struct pollfd polls[MAX_POLLS];
  size_t count = collect(s, polls);
  int ready = poll(polls, count, patience_ms(s, timeout));
  if (s->init_socket >= 0) control_sweep(s);
  turn_mirror(s, polls, ready > 0 ? count : 0);
  if (s->mirror && ready == 0 && s->init_socket >= 0) return 1;
  if (ready <= 0) return ready < 0 ? errno == EINTR : timeout < 0;
  if (polls[0].revents) on_signals(s);
  for (size_t i = 2; i < count; i++)
    if (polls[i].revents) dispatch(s, &polls[i]);
  if (polls[1].revents) from_init(s);
  return 1;
}

/* Passes on what the pod's processes left in their pipes; a reader that takes nothing for 10 s is given up. */
static void drain(struct supervisor *s) {
  tty_last(&s->tty);
  for (uint32_t i = 0; i < s->plan->apps; i++) {
    close_owned(&s->app[i].peer);
    s->app[i].peer = -1;
    for (int n = 1; n < 3; n++) stream_last(&s->app[i].stream[n]);
  }
  stream_last(&s->tty.output);
  for (;;) {
    int waiting = stream_waits(&s->tty.output);
    for (uint32_t i = 0; i < s->plan->apps; i++) waiting |= stream_waits(&s->app[i].stream[1]) | stream_waits(&s->app[i].stream[2]);
    if (!turn(s, waiting ? 10000 : 0)) return;
  }
}

int supervise(struct supervisor *s, pid_t init) {
  s->init = init;
  while (s->init_socket >= 0 && turn(s, -1)) continue;
  int status;
  while (waitpid(init, &status, 0) < 0)
    if (errno != EINTR) return STATUS_OWN_FAILURE;
  s->init = 0;
  drain(s);
  tty_end(&s->tty);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
