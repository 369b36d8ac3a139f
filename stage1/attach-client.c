/* The client of `rkt attach`: copies between streams of a running app and its own 0, 1, 2. The app runs on when the client goes. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include "app.h"
#include "caller.h"
#include "client.h"
#include "message.h"
#include "plan.h"
#include "pump.h"
#include "signals.h"
#include "sys.h"
#include "tty.h"

/* What the kernel keeps for a client that is slow. */
enum { ROOM = 1 << 20 };

struct session {
  int connection;
  int signals;
  int attached; /* the pod has agreed */
  int ended;    /* the app has ended */
  int quit;
  int status;
  int terminal;
  struct caller caller;
  struct stream stream[3];
  struct tty tty;
};

static int make_pipe(struct session *s, int number, int *theirs, struct fail *f) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return fail(f, "make pipe", "");
  (void)fcntl(ends[0], F_SETPIPE_SZ, ROOM); /* KERNEL: less for a user who has many */
  int ours = number == 0 ? ends[1] : ends[0];
  *theirs = number == 0 ? ends[0] : ends[1];
  stream_never_blocks(ours);
  s->stream[number].from = number == 0 ? stream_open(0, O_RDONLY) : ours;
  s->stream[number].to = number == 0 ? ours : stream_open(number, O_WRONLY);
  s->stream[number].close_to = number == 0;
  if (number == 0 && s->terminal) s->stream[0].keys = 0;
  return 0;
}

static int ask(struct session *s, int plan_fd, const struct plan *plan, struct fail *f) {
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_ATTACH};
  struct message_fds fds = {.count = 1, .fd = {fcntl(plan_fd, F_DUPFD_CLOEXEC, 3)}};
  int result = 0;
  s->terminal = section_has_terminal(&plan->enter);
  for (int n = 0; n < 3 && result == 0; n++) {
    if (section_stdio(&plan->enter, n) == STDIO_NULL) continue;
    result = make_pipe(s, n, &fds.fd[fds.count], f);
    if (result == 0) fds.count++;
  }
  if (result == 0 && message_send(s->connection, &message, &fds)) result = fail(f, "ask", "the pod");
  message_close_fds(&fds);
  return result;
}

static void tell_size(const struct session *s) {
  struct winsize size;
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_RESIZE};
  if (!s->terminal || s->connection < 0 || ioctl(0, TIOCGWINSZ, &size)) return;
  message.value = (int32_t)((uint32_t)size.ws_row << 16 | size.ws_col);
  /* The last size counts: while the pod has no time for one, more of them may get lost. */
  message_offer(s->connection, &message);
}

static void from_pod(struct session *s) {
  struct message message;
  struct message_fds fds;
  if (message_receive(s->connection, &message, &fds) <= 0) {
    close(s->connection);
    s->connection = -1;
    return;
  }
  message_close_fds(&fds);
  if (message.kind == MESSAGE_STARTED) {
    s->attached = 1;
    if (s->terminal) tty_raw(&s->tty);
    tell_size(s);
  } else if (message.kind == MESSAGE_FAILED) {
    tty_end(&s->tty);
    s->status = client_failed("attach", &message.fail);
    s->quit = 1;
  } else if (message.kind == MESSAGE_EXITED) {
    s->ended = 1;
    s->status = message.value;
  } else if (message.kind == MESSAGE_DROPPED) {
    fprintf(stderr, "attach: %d bytes of %s were dropped: this reader is too slow%s", message.value, message.app == 1 ? "stdout" : "stderr",
            s->tty.raw ? "\r\n" : "\n");
  }
}

/* Signals end the client, not the app; at a terminal the keys that would send them go to the app. */
static void on_signals(struct session *s) {
  struct signalfd_siginfo info;
  while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
    int number = (int)info.ssi_signo;
    if (number == SIGWINCH) tell_size(s);
    if (number != SIGINT && number != SIGTERM && number != SIGHUP && number != SIGQUIT) continue;
    s->quit = 1;
    s->status = 128 + number;
  }
}

static size_t collect(const struct session *s, struct pollfd *polls) {
  size_t count = 0;
  polls[count++] = (struct pollfd){.fd = s->signals, .events = POLLIN};
  polls[count++] = (struct pollfd){.fd = s->connection, .events = POLLIN};
  for (int i = s->attached && !s->ended && s->connection >= 0 ? 0 : 1; i < 3; i++) count = stream_poll(&s->stream[i], polls, count);
  return count;
}

static int outputs_done(const struct session *s) { return stream_done(&s->stream[1]) && stream_done(&s->stream[2]); }

/* Whether there is nothing more to do: input alone ends with what was read of it. */
static int is_over(const struct session *s, const struct plan *plan) {
  int reads = section_stdio(&plan->enter, 1) != STDIO_NULL || section_stdio(&plan->enter, 2) != STDIO_NULL;
  if (s->quit || (s->stream[0].detached && !stream_waits(&s->stream[0]))) return 1;
  if (s->connection < 0 || s->ended) return outputs_done(s);
  return s->attached && !reads && stream_done(&s->stream[0]);
}

static void loop(struct session *s, const struct plan *plan) {
  struct pollfd polls[8];
  while (!is_over(s, plan)) {
    size_t count = collect(s, polls);
    int ready = poll(polls, count, s->connection >= 0 ? -1 : 1000);
    if (ready == 0 || (ready < 0 && errno != EINTR)) break;
    if (ready < 0) continue;
    if (polls[0].revents) on_signals(s);
    for (size_t i = 2; i < count; i++)
      for (int n = 0; n < 3; n++) stream_event(&s->stream[n], &polls[i]);
    if (polls[1].revents) from_pod(s);
  }
  tty_end(&s->tty);
  if (s->stream[0].detached) fputs("\ndetached\n", stderr);
}

int attach_run(int plan_fd, int pod, int caller_fd) {
  static struct plan plan;
  static struct session s;
  struct fail f = {0};
  s.connection = -1;
  for (int i = 0; i < 3; i++) stream_prepare(&s.stream[i]);
  tty_prepare(&s.tty);
  s.signals = signals_watch(SIGTSTP, &f);
  int ok = s.signals >= 0 && caller_read(caller_fd, &s.caller, &f) == 0 && plan_read(plan_fd, &plan, &f) == 0;
  caller_restore_stdio(&s.caller);
  if (ok) s.connection = client_connect(pod, &f);
  if (!ok || s.connection < 0 || ask(&s, plan_fd, &plan, &f)) return client_failed("attach", &f);
  loop(&s, &plan);
  if (s.connection < 0 && !s.ended && !s.quit && s.status == 0) return 128 + SIGKILL;
  return s.status;
}
