#include "enter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app.h"
#include "caller.h"
#include "client.h"
#include "message.h"
#include "plan.h"
#include "pump.h"
#include "signals.h"
#include "sys.h"
#include "tty.h"

struct session {
  int connection;
  int signals;
  int status;
  struct caller caller;
  struct stream stream[3];
  struct tty tty;
};

static int make_pipe(struct session *s, int number, unsigned owner, int *theirs, struct fail *f) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return fail(f, "make pipe", "");
  int ours = number == 0 ? ends[1] : ends[0];
  *theirs = number == 0 ? ends[0] : ends[1];
  if (fchown(*theirs, owner, (gid_t)-1)) return fail(f, "own pipe", "");
  stream_never_blocks(ours);
  s->stream[number].from = number == 0 ? stream_open(0, O_RDONLY) : ours;
  s->stream[number].to = number == 0 ? ours : stream_open(number, O_WRONLY);
  s->stream[number].close_to = number == 0;
  return 0;
}

static int send_program(struct session *s, int plan_fd, unsigned owner, int terminal, struct fail *f) {
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_ENTER};
  struct message_fds fds = {.count = 1, .fd = {plan_fd}};
  for (int i = 0; i < 3; i++) {
    int theirs = -1;
    if (terminal) {
      theirs = open("/dev/null", O_RDWR | O_CLOEXEC);
      if (theirs < 0) return fail(f, "open", "/dev/null");
    } else if (make_pipe(s, i, owner, &theirs, f)) {
      return -1;
    }
    fds.fd[fds.count++] = theirs;
  }
  int result = message_send(s->connection, &message, &fds);
  message_close_fds(&fds);
  return result ? fail(f, "enter", "send") : 0;
}

static void from_pod(struct session *s) {
  struct message message;
  struct message_fds fds;
  int got = message_receive(s->connection, &message, &fds);
  if (got <= 0) {
    close(s->connection);
    s->connection = -1;
    return;
  }
  if (message.kind == MESSAGE_TERMINAL && fds.count == 1) {
    tty_start(&s->tty, fds.fd[0], NULL);
    fds.count = 0;
  } else if (message.kind == MESSAGE_FAILED) {
    tty_end(&s->tty);
    s->status = client_failed("enter", &message.fail);
  } else if (message.kind == MESSAGE_EXITED) {
    s->status = message.value;
    tty_last(&s->tty);
  }
  message_close_fds(&fds);
}

static void on_signals(struct session *s) {
  struct signalfd_siginfo info;
  while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
    struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_SIGNAL, .value = (int32_t)info.ssi_signo};
    if (info.ssi_signo == SIGWINCH) tty_resize(&s->tty);
    else if (info.ssi_signo != SIGCHLD && info.ssi_signo != SIGPIPE && s->connection >= 0) message_send(s->connection, &message, NULL);
  }
}

static size_t collect(const struct session *s, struct pollfd *polls) {
  size_t count = 0;
  polls[count++] = (struct pollfd){.fd = s->signals, .events = POLLIN};
  polls[count++] = (struct pollfd){.fd = s->connection, .events = POLLIN};
  for (int i = s->connection < 0 ? 1 : 0; i < 3; i++) count = stream_poll(&s->stream[i], polls, count);
  if (s->connection >= 0) count = stream_poll(&s->tty.input, polls, count);
  return stream_poll(&s->tty.output, polls, count);
}

static int drained(const struct session *s) {
  return stream_done(&s->stream[1]) && stream_done(&s->stream[2]) && stream_done(&s->tty.output);
}

static void loop(struct session *s) {
  struct pollfd polls[16];
  while (s->connection >= 0 || !drained(s)) {
    size_t count = collect(s, polls);
    int ready = poll(polls, count, s->connection >= 0 ? -1 : 1000);
    if (ready == 0 || (ready < 0 && errno != EINTR)) break;
    if (ready < 0) continue;
    if (polls[0].revents) on_signals(s);
    for (size_t i = 2; i < count; i++) {
      if (!polls[i].revents) continue;
      for (int n = 0; n < 3; n++) stream_event(&s->stream[n], &polls[i]);
      stream_event(&s->tty.input, &polls[i]);
      stream_event(&s->tty.output, &polls[i]);
    }
    if (polls[1].revents) from_pod(s);
  }
  tty_end(&s->tty);
}

int enter_run(int plan_fd, int pod, int caller_fd, unsigned owner) {
  static struct plan plan;
  static struct session s;
  struct fail f = {0};
  /* A program whose end nobody reports was killed with its pod. */
  s.status = 128 + SIGKILL;
  for (int i = 0; i < 3; i++) stream_prepare(&s.stream[i]);
  tty_prepare(&s.tty);
  s.signals = signals_watch(SIGTSTP, &f);
  int ok = s.signals >= 0 && caller_read(caller_fd, &s.caller, &f) == 0 && plan_read(plan_fd, &plan, &f) == 0;
  caller_restore_stdio(&s.caller);
  const struct op *stdio = ok ? section_find(&plan.enter, OP_STDIO) : NULL;
  if (ok && !stdio) ok = fail_as(&f, EBADMSG, "read launch plan", "stdio") == 0;
  if (ok) s.connection = client_connect(pod, &f);
  if (!ok || s.connection < 0 || send_program(&s, plan_fd, owner, stdio->field[0].number == STDIO_TERMINAL, &f)) {
    return client_failed("enter", &f);
  }
  loop(&s);
  return s.status;
}
