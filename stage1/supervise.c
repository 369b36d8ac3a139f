#include "supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "sys.h"

static const char *app_name(const struct supervisor *s, uint32_t index) {
  const struct op *op = index < s->plan->apps ? section_find(&s->plan->app[index], OP_APP) : NULL;
  return op ? op->field[0].text : "";
}

void supervisor_prepare(struct supervisor *s, const struct plan *plan, const struct caller *caller) {
  s->plan = plan;
  s->caller = caller;
  s->pod = s->init_socket = s->listener = s->signals = s->output[1] = s->output[2] = -1;
  for (uint32_t i = 0; i < PLAN_MAX_APPS; i++)
    for (int n = 0; n < 3; n++) s->stream[i][n].from = s->stream[i][n].to = s->stream[i][n].log = -1;
  tty_prepare(&s->tty);
}

/* The socket's file is reached through a descriptor: a path longer than 108 bytes fits no socket address. */
static int listen_control(int pod, struct fail *f) {
  own int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control", pod);
  (void)unlinkat(pod, "control", 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 16)) return fail(f, "open", "control");
  return move_fd(&fd);
}

int supervisor_open(struct supervisor *s, int pod, int init_socket, struct fail *f) {
  s->pod = pod;
  s->init_socket = init_socket;
  sigset_t all;
  sigfillset(&all);
  for (const int *fault = (const int[]){SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, 0}; *fault; fault++) sigdelset(&all, *fault);
  sigprocmask(SIG_SETMASK, &all, NULL);
  s->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  if (s->signals < 0) return fail(f, "watch signals", "");
  s->output[1] = stream_open(1, O_WRONLY);
  s->output[2] = stream_open(2, O_WRONLY);
  s->listener = listen_control(pod, f);
  return s->listener < 0 ? -1 : 0;
}

static int open_log(const struct supervisor *s, uint32_t index) {
  char path[256];
  if (mkdirat(s->pod, "logs", 0750) && errno != EEXIST) return -1;
  snprintf(path, sizeof path, "logs/%s", app_name(s, index));
  return openat(s->pod, path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640);
}

void supervisor_stream(struct supervisor *s, uint32_t index, int number, int fd) {
  struct stream *stream = &s->stream[index][number];
  stream_never_blocks(fd);
  if (number == 0) {
    *stream = (struct stream){.from = stream_open(0, O_RDONLY), .to = fd, .log = -1, .name = "stdin", .close_to = 1};
    return;
  }
  int log = number == 1 ? open_log(s, index) : s->stream[index][1].log >= 0 ? s->stream[index][1].log : open_log(s, index);
  *stream = (struct stream){.from = fd, .to = s->output[number], .log = log, .name = number == 1 ? "stdout" : "stderr", .at_line_start = 1};
  if (section_find(&s->plan->pod, OP_PREFIX_OUTPUT)) stream->app = app_name(s, index);
}

static int write_pod_file(int pod, const char *path, const char *text) {
  char temporary[256];
  snprintf(temporary, sizeof temporary, "%s.tmp", path);
  own int fd = openat(pod, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
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
  tty_end(&s->tty);
  supervisor_warn(f);
  size_t size = fail_text(f, line, sizeof line - 2);
  line[size] = '\n';
  line[size + 1] = 0;
  if (write_pod_file(pod, "failure", line)) fprintf(stderr, "stage1: cannot write \"failure\": %s\n", strerror(errno));
}

static void mark(struct supervisor *s, uint32_t app, const char *suffix, const char *text) {
  char path[256];
  snprintf(path, sizeof path, "stage1/rootfs/rkt/status/%s%s", app_name(s, app), suffix);
  if (write_pod_file(s->pod, path, text)) fprintf(stderr, "stage1: cannot write \"%s\": %s\n", path, strerror(errno));
}

/* Before the status, which says that the app has ended: its group is still there, and a reader of the status finds the reason. */
static void tell_reason(struct supervisor *s, uint32_t app) {
  const struct op *events = section_find(&s->plan->app[app], OP_OOM_EVENTS);
  if (!events || !cgroup_ran_out_of_memory(events->field[0].text)) return;
  mark(s, app, "-reason", "OOMKilled");
  fprintf(stderr, "stage1: app \"%s\" ran out of memory\n", app_name(s, app));
}

static void from_init(struct supervisor *s) {
  struct message message;
  struct message_fds fds;
  if (message_receive(s->init_socket, &message, &fds) <= 0) {
    s->init_socket = -1;
    return;
  }
  char text[16];
  snprintf(text, sizeof text, "%d", message.value);
  if (message.kind == MESSAGE_STARTED && message.app < s->plan->apps) {
    s->stream[message.app][1].pid = s->stream[message.app][2].pid = message.value;
    mark(s, message.app, "-started", "");
  } else if (message.kind == MESSAGE_EXITED && message.app < s->plan->apps) {
    tell_reason(s, message.app);
    mark(s, message.app, "", text);
  } else if (message.kind == MESSAGE_FAILED) {
    supervisor_failed(s, s->pod, &message.fail);
  } else if (message.kind == MESSAGE_TERMINAL && fds.count == 1) {
    tty_start(&s->tty, fds.fd[0], open_log(s, message.app));
    fds.count = 0;
  } else if (message.kind == MESSAGE_READY) {
    snprintf(text, sizeof text, "%d", (int)s->init);
    if (write_pod_file(s->pod, "pid", text)) fprintf(stderr, "stage1: cannot write \"pid\": %s\n", strerror(errno));
  }
  message_close_fds(&fds);
}

/* Only the host's root may talk to a pod; the checked connection goes to init, which serves it. */
static void accept_client(struct supervisor *s) {
  own int connection = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (connection < 0 || getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) || peer.uid != 0) return;
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_CLIENT};
  struct message_fds fds = {.count = 1, .fd = {connection}};
  message_send(s->init_socket, &message, &fds);
}

static void on_signals(struct supervisor *s) {
  struct signalfd_siginfo info;
  while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
    int number = (int)info.ssi_signo;
    int ignored = s->caller->known && (s->caller->ignored >> (number - 1) & 1);
    if (number == SIGWINCH) tty_resize(&s->tty);
    else if (s->init > 0 && !ignored && (number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP || number == SIGUSR1 || number == SIGUSR2))
      kill(s->init, number);
  }
}

static size_t collect(struct supervisor *s, struct pollfd *polls) {
  size_t count = 0;
  polls[count++] = (struct pollfd){.fd = s->signals, .events = POLLIN};
  polls[count++] = (struct pollfd){.fd = s->init_socket, .events = POLLIN};
  polls[count++] = (struct pollfd){.fd = s->init_socket < 0 ? -1 : s->listener, .events = POLLIN};
  for (uint32_t i = 0; i < s->plan->apps; i++)
    for (int n = s->init_socket < 0 ? 1 : 0; n < 3; n++) count = stream_poll(&s->stream[i][n], polls, count);
  if (s->init_socket >= 0) count = stream_poll(&s->tty.input, polls, count);
  return stream_poll(&s->tty.output, polls, count);
}

static void dispatch(struct supervisor *s, const struct pollfd *poll) {
  for (uint32_t i = 0; i < s->plan->apps; i++)
    for (int n = 0; n < 3; n++) stream_event(&s->stream[i][n], poll);
  stream_event(&s->tty.input, poll);
  stream_event(&s->tty.output, poll);
}

/* Waits for something to do, at most `timeout` ms, and does it. Returns 0 when nothing came. */
static int turn(struct supervisor *s, int timeout) {
  struct pollfd polls[3 + PLAN_MAX_APPS * 3 + 2];
  size_t count = collect(s, polls);
  int ready = poll(polls, count, timeout);
  if (ready <= 0) return ready < 0 && errno == EINTR;
  if (polls[0].revents) on_signals(s);
  if (polls[2].revents) accept_client(s);
  for (size_t i = 3; i < count; i++)
    if (polls[i].revents) dispatch(s, &polls[i]);
  if (polls[1].revents) from_init(s);
  return 1;
}

/* Passes on what the pod's processes left in their pipes; a reader that takes nothing for 10 s is given up. */
static void drain(struct supervisor *s) {
  for (uint32_t i = 0; i < s->plan->apps; i++)
    for (int n = 1; n < 3; n++) stream_last(&s->stream[i][n]);
  stream_last(&s->tty.output);
  for (;;) {
    int waiting = stream_waits(&s->tty.output);
    for (uint32_t i = 0; i < s->plan->apps; i++) waiting |= stream_waits(&s->stream[i][1]) | stream_waits(&s->stream[i][2]);
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
