#include "network-helper.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "message.h"
#include "sys.h"

enum { READY_SECONDS = 20, READY_FD = 3, HIGH_FD = 10, REPORT_BYTES = 200 };

#define INIT_PID "@init@"

/* The argument with the number of init in the place of `@init@`. */
static char *expand(const char *argument, pid_t init) {
  char result[512];
  const char *mark = strstr(argument, INIT_PID);
  if (!mark) return strdup(argument);
  int size = snprintf(result, sizeof result, "%.*s%d%s", (int)(mark - argument), argument, init, mark + sizeof INIT_PID - 1);
  return size < (int)sizeof result ? strdup(result) : NULL;
}

static char **expand_all(const struct strings *argv, pid_t init) {
  char **list = calloc((size_t)argv->count + 1, sizeof *list);
  for (uint32_t i = 0; list && i < argv->count; i++)
    if (!(list[i] = expand(argv->list[i], init))) return NULL;
  return list;
}

/* Nothing of ours is open in the program: not the lock of the pod, which would seem to live on. */
static _Noreturn void execute(char *const *argv, int ready, int report) {
  char *environment[] = {NULL};
  sigset_t none;
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  /* Node and the caller of rkt ignore some. */
  for (int number = 1; number < 65; number++) (void)sigaction(number, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(report, 2) < 0 || dup2(ready, READY_FD) < 0) _exit(127);
  sys_close_range(READY_FD + 1, ~0U, 0);
  execve(argv[0], argv, environment);
  dprintf(2, "%s\n", strerror(errno));
  _exit(127);
}

/* First process of the PID namespace: starts the program, tells how its foreground ended, and waits for what it left in the background. */
static _Noreturn void keep(char *const *argv, int peer, int ready, int report) {
  struct message message;
  struct message_fds none;
  /* Ours dies before the signal is set, or we hear from it. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) || message_send(peer, &(struct message){.version = CONTROL_VERSION, .kind = MESSAGE_STARTED}, NULL)) _exit(1);
  if (message_receive(peer, &message, &none) != 1) _exit(1);
  pid_t program = fork();
  if (program == 0) execute(argv, ready, report);
  close(ready);
  close(report);
  int status;
  for (pid_t ended; (ended = wait(&status)) > 0 || (ended < 0 && errno == EINTR);) {
    if (ended != program) continue;
    message = (struct message){.version = CONTROL_VERSION, .kind = MESSAGE_EXITED, .value = WIFEXITED(status) ? WEXITSTATUS(status) : 255};
    message_send(peer, &message, NULL);
  }
  _exit(0);
}

struct watch {
  int peer, ready, report;
  enum helper_ready how;
  size_t used;
  char text[REPORT_BYTES + 1];
};

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Keeps the beginning of what the program says; 0 at its end. */
static int read_report(struct watch *w) {
  char rest[256];
  size_t room = REPORT_BYTES - w->used;
  ssize_t got = read(w->report, room ? w->text + w->used : rest, room ? room : sizeof rest);
  if (got > 0 && room) w->used += (size_t)got;
  return got > 0;
}

/* 1: ready, 0: not yet, -1: it ended. */
static int look(struct watch *w, const struct pollfd *polls) {
  struct message message;
  struct message_fds none;
  char byte;
  if (polls[2].revents && !read_report(w)) w->report = -1;
  if (polls[1].revents && w->how == HELPER_DESCRIPTOR) return read(w->ready, &byte, 1) == 1 ? 1 : -1;
  if (!polls[0].revents) return 0;
  if (message_receive(w->peer, &message, &none) != 1) return -1;
  return w->how == HELPER_BACKGROUND && message.kind == MESSAGE_EXITED && message.value == 0 ? 1 : -1;
}

static int wait_ready(struct watch *w, const char *program, struct fail *f) {
  int64_t end = now_ms() + READY_SECONDS * 1000;
  int state = 0;
  while (state == 0) {
    struct pollfd polls[] = {{.fd = w->peer, .events = POLLIN}, {.fd = w->ready, .events = POLLIN}, {.fd = w->report, .events = POLLIN}};
    int64_t left = end - now_ms();
    if (left <= 0) return fail_as(f, ETIMEDOUT, "connect the pod to a network with", program);
    /* Where the background counts, the end of the pipe says nothing. */
    if (w->how == HELPER_BACKGROUND) polls[1].fd = -1;
    if (poll(polls, 3, (int)left) > 0) state = look(w, polls);
  }
  if (state > 0) return 0;
  for (int turns = 0; w->report >= 0 && turns < 64 && read_report(w); turns++) continue;
  w->text[w->used] = 0;
  /* What it said last is why it gave up. */
  for (size_t length = strlen(w->text); length > 0 && w->text[length - 1] == '\n'; length--) w->text[length - 1] = 0;
  const char *line = strrchr(w->text, '\n');
  char object[sizeof f->object];
  snprintf(object, sizeof object, "%.50s: %s", program, line ? line + 1 : w->text);
  return fail_as(f, ENETUNREACH, "connect the pod to a network with", object);
}

int helper_start(const struct section *pod, pid_t init, pid_t *helper, struct fail *f) {
  const struct op *op = section_find(pod, OP_NETWORK_HELPER);
  if (!op) return 0;
  char **argv = expand_all(&op->field[0].strings, init);
  int pair[2], ready[2], report[2];
  if (!argv || !argv[0]) return fail_as(f, EBADMSG, "connect the pod to a network", "no program");
  if (message_pair(pair)) return fail(f, "connect the pod to a network", "");
  own int peer = pair[0], theirs = pair[1];
  if (pipe2(ready, O_CLOEXEC)) return fail(f, "connect the pod to a network", "");
  own int ready_end = ready[0], ready_theirs = ready[1];
  if (pipe2(report, O_CLOEXEC)) return fail(f, "connect the pod to a network", "");
  own int report_end = report[0], report_theirs = report[1];
  *helper = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0);
  if (*helper == 0) {
    int fds[] = {fcntl(theirs, F_DUPFD_CLOEXEC, HIGH_FD), fcntl(ready_theirs, F_DUPFD_CLOEXEC, HIGH_FD), fcntl(report_theirs, F_DUPFD_CLOEXEC, HIGH_FD)};
    for (int i = 0; i < 3; i++)
      if (fds[i] < 0 || dup2(fds[i], 3 + i) < 0) _exit(1);
    sys_close_range(6, ~0U, 0);
    keep(argv, 3, 4, 5);
  }
  if (*helper < 0) return fail(f, "connect the pod to a network", "make a PID namespace");
  close(move_fd(&theirs));
  close(move_fd(&ready_theirs));
  close(move_fd(&report_theirs));
  struct message go;
  struct message_fds none;
  if (message_receive(peer, &go, &none) != 1 || message_send(peer, &(struct message){.version = CONTROL_VERSION, .kind = MESSAGE_GO}, NULL))
    return fail_as(f, ECONNRESET, "connect the pod to a network with", argv[0]);
  struct watch watch = {.peer = peer, .ready = ready_end, .report = report_end, .how = (enum helper_ready)op->field[1].number};
  return wait_ready(&watch, argv[0], f);
}

void helper_stop(pid_t helper) {
  if (helper <= 0) return;
  kill(helper, SIGKILL);
  while (waitpid(helper, NULL, 0) < 0 && errno == EINTR) continue;
}
