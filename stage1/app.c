#include "app.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "rootfs.h"
#include "sys.h"

static _Noreturn void give_up(int report, const struct fail *f) {
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_FAILED, .fail = *f};
  message_send(report, &message, NULL);
  _exit(STATUS_OWN_FAILURE);
}

static int join_cgroups(const struct app_place *place, struct fail *f) {
  for (uint32_t i = 0; i < place->cgroups; i++)
    if (write(place->cgroup[i], "0", 1) != 1) return fail(f, "join cgroup", "");
  return 0;
}

static int send_fds(int report, enum message_kind kind, int first, int second) {
  struct message message = {.version = CONTROL_VERSION, .kind = kind};
  struct message_fds fds = {.count = second < 0 ? 1 : 2, .fd = {first, second}};
  return message_send(report, &message, &fds);
}

/*
 * The namespaces are opened before the root changes, since the app's own /proc may be anything, and handed over when all its mounts are
 * there: who enters earlier would stand outside of the app's root, before its masks.
 */
static int enter_root(const struct section *app, const struct message_fds *fds, int report, int *master, int *peer, struct fail *f) {
  own int mount_ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
  own int cgroup_ns = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC);
  if (mount_ns < 0 || cgroup_ns < 0) return fail(f, "open namespaces", "");
  if (rootfs_enter(app, fds, master, peer, f)) return -1;
  return send_fds(report, MESSAGE_NAMESPACES, mount_ns, cgroup_ns) ? fail(f, "open namespaces", "") : 0;
}

/* An app among the host's processes has no PID namespace that ends with init: the kernel kills it then. */
static int make_namespaces(const struct section *app, struct fail *f) {
  const struct op *op = section_find(app, OP_SHARE);
  uint64_t shared = op ? op->field[0].number : 0;
  if (shared & CLONE_NEWPID && prctl(PR_SET_PDEATHSIG, SIGKILL)) return fail(f, "bind app to", "init");
  return unshare(CLONE_NEWNS | (shared & CLONE_NEWCGROUP ? 0 : CLONE_NEWCGROUP)) ? fail(f, "make namespaces", "") : 0;
}

static int use_stdio(const int *stdio, struct fail *f) {
  for (int i = 0; i < 3; i++)
    if (dup2(stdio[i], i) < 0) return fail(f, "set up stdio", "");
  return 0;
}

/* The terminal becomes the controlling one of this session and belongs to the app's user. */
static int use_terminal(int peer, const struct section *section, const int *others, struct fail *f) {
  const struct op *user = section_find(section, OP_USER);
  int stdio[3];
  if (user && fchown(peer, (uid_t)user->field[0].number, (gid_t)-1)) return fail(f, "own terminal", "");
  if (ioctl(peer, TIOCSCTTY, 0)) return fail(f, "take terminal", "");
  for (int i = 0; i < 3; i++) {
    enum stdio_mode mode = section_stdio(section, i);
    stdio[i] = mode == STDIO_TERMINAL || mode == STDIO_ATTACH_TERMINAL ? peer : others[i];
  }
  return use_stdio(stdio, f);
}

/*
 * ATTACK: close-on-exec is too late. An image names its program, its interpreter and the directories of PATH, and each may lead through
 * /proc/self/fd into a directory of the host that is still open (CVE-2024-21626): the pod's lock is one. Only the sockets that the program
 * is to get stay, as 3 and up, and `report` behind them; all close on exec.
 */
static int drop_descriptors(int *report, const int *listener, uint32_t count, struct fail *f) {
  int first_free = 4 + (int)count;
  int high[MAX_LISTENERS];
  for (uint32_t i = 0; i < count; i++)
    if ((high[i] = fcntl(listener[i], F_DUPFD_CLOEXEC, first_free)) < 0) return fail(f, "keep descriptor", "socket");
  int high_report = fcntl(*report, F_DUPFD_CLOEXEC, first_free);
  if (high_report < 0) return fail(f, "keep descriptor", "report");
  for (uint32_t i = 0; i < count; i++)
    if (dup3(high[i], 3 + (int)i, O_CLOEXEC) < 0) return fail(f, "keep descriptor", "socket");
  *report = 3 + (int)count;
  if (dup3(high_report, *report, O_CLOEXEC) < 0) return fail(f, "keep descriptor", "report");
  return sys_close_range((unsigned)first_free, ~0U, 0) ? fail(f, "close descriptors", "") : 0;
}

/* SPEC: sd_listen_fds(3): the sockets begin at 3, and are meant for the process of this number. */
static int hand_over_listeners(const struct section *app, uint32_t count, struct program *program, struct fail *f) {
  static char pid[32], number[32], names[4096];
  const struct op *environment = section_find(app, OP_ENVIRONMENT);
  const struct op *listen = section_find(app, OP_LISTEN);
  uint32_t variables = environment ? environment->field[0].strings.count : 0;
  if (count == 0 || !listen) return 0;
  char **list = calloc((size_t)variables + 4, sizeof *list);
  if (!list) return fail(f, "hand over", "sockets");
  for (uint32_t i = 0; i < variables; i++) list[i] = environment->field[0].strings.list[i];
  snprintf(pid, sizeof pid, "LISTEN_PID=%d", (int)getpid());
  snprintf(number, sizeof number, "LISTEN_FDS=%u", count);
  size_t at = (size_t)snprintf(names, sizeof names, "LISTEN_FDNAMES=");
  for (uint32_t i = 0; i < listen->field[1].strings.count && at < sizeof names; i++)
    at += (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ":" : "", listen->field[1].strings.list[i]);
  if (at >= sizeof names) return fail_as(f, E2BIG, "hand over", "sockets");
  list[variables] = pid;
  list[variables + 1] = number;
  list[variables + 2] = names;
  program->environment = list;
  for (uint32_t i = 0; i < count; i++)
    if (fcntl(3 + (int)i, F_SETFD, 0)) return fail(f, "hand over", "sockets");
  return 0;
}

static _Noreturn void execute(const struct program *program, const struct caller *caller, int report) {
  struct fail f = {0};
  confine_and_execute(program, caller, &f);
  give_up(report, &f);
}

/* Runs the pre-start handlers one after the other; a failing one is the app's failure. */
static void run_pre_start(const struct section *app, const struct caller *caller, int report) {
  for_each_op(op, app) {
    if (op->code != OP_HANDLER || op->field[0].number != 0) continue;
    pid_t child = fork();
    if (child == 0) execute(&(struct program){.section = app, .app = app, .argv = &op->field[1].strings, .as_root = 1}, caller, report);
    int status;
    while (waitpid(child, &status, 0) < 0)
      if (errno != EINTR) _exit(STATUS_OWN_FAILURE);
    if (WIFSIGNALED(status)) _exit(128 + WTERMSIG(status));
    if (WEXITSTATUS(status) != 0) _exit(WEXITSTATUS(status));
  }
}

static void say_started(int report) {
  struct message started = {.version = CONTROL_VERSION, .kind = MESSAGE_STARTED};
  message_send(report, &started, NULL);
}

/* A session of its own: the caller's terminal controls it no more. */
static int new_session(struct fail *f) { return setsid() < 0 ? fail(f, "make session", "") : 0; }

_Noreturn void app_child(const struct section *app, const struct caller *caller, struct message_fds *fds, const struct app_place *place,
                         int report) {
  struct fail f = {0};
  int master = -1, peer = -1;
  const int *stdio = fds->fd + fds->count - 3;
  const struct op *exec = section_find(app, OP_EXEC);
  if (!exec) fail_as(&f, EBADMSG, "start app", "plan without program");
  if (f.error || new_session(&f) || join_cgroups(place, &f)) give_up(report, &f);
  if (make_namespaces(app, &f)) give_up(report, &f);
  if (enter_root(app, fds, report, &master, &peer, &f)) give_up(report, &f);
  if (master >= 0) {
    if (send_fds(report, MESSAGE_TERMINAL, master, -1)) fail(&f, "hand over terminal", "");
    close(master);
    if (f.error || use_terminal(peer, app, stdio, &f)) give_up(report, &f);
  } else if (use_stdio(stdio, &f)) {
    give_up(report, &f);
  }
  struct program program = {.section = app, .app = app, .argv = &exec->field[0].strings};
  if (drop_descriptors(&report, place->listener, place->listeners, &f)) give_up(report, &f);
  run_pre_start(app, caller, report);
  if (hand_over_listeners(app, place->listeners, &program, &f)) give_up(report, &f);
  say_started(report);
  execute(&program, caller, report);
}

static int join_place(const struct app_place *place, struct fail *f) {
  if (place->mount_ns < 0) return fail_as(f, ESRCH, "join app", "it has not started");
  if (join_cgroups(place, f)) return -1;
  if (setns(place->cgroup_ns, CLONE_NEWCGROUP) || setns(place->mount_ns, CLONE_NEWNS) || chdir("/")) return fail(f, "join app", "");
  return 0;
}

_Noreturn void handler_child(const struct section *app, const struct caller *caller, const struct strings *argv, const struct app_place *place,
                             int report) {
  struct fail f = {0};
  if (new_session(&f) || join_place(place, &f) || use_stdio(place->stdio, &f) || drop_descriptors(&report, NULL, 0, &f)) give_up(report, &f);
  execute(&(struct program){.section = app, .app = app, .argv = argv, .as_root = 1}, caller, report);
}

static int find_place(const struct plan *plan, const char *name) {
  for (uint32_t i = 0; i < plan->apps; i++) {
    const struct op *op = section_find(&plan->app[i], OP_APP);
    if (op && strcmp(op->field[0].text, name) == 0) return (int)i;
  }
  return -1;
}

_Noreturn void enter_child(const struct plan *pod_plan, const struct app_place *places, const struct caller *caller, struct message_fds *fds,
                           int report) {
  static struct plan plan;
  struct fail f = {0};
  if (new_session(&f) || fds->count != 4 || plan_read(fds->fd[0], &plan, &f)) {
    fail_as(&f, EBADMSG, "enter", "");
    give_up(report, &f);
  }
  const struct op *app = section_find(&plan.enter, OP_APP);
  const struct op *exec = section_find(&plan.enter, OP_EXEC);
  const struct op *stdio = section_find(&plan.enter, OP_STDIO);
  int index = app ? find_place(pod_plan, app->field[0].text) : -1;
  if (index < 0 || !exec || !stdio) {
    fail_as(&f, ENOENT, "enter", app ? app->field[0].text : "");
    give_up(report, &f);
  }
  if (join_place(&places[index], &f)) give_up(report, &f);
  if (section_has_terminal(&plan.enter)) {
    int master = -1, peer = -1;
    own int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0 || terminal_open(root, &master, &peer, &f)) give_up(report, &f);
    if (send_fds(report, MESSAGE_TERMINAL, master, -1)) fail(&f, "hand over terminal", "");
    close(master);
    if (f.error || use_terminal(peer, &plan.enter, fds->fd + 1, &f)) give_up(report, &f);
  } else if (use_stdio(fds->fd + 1, &f)) {
    give_up(report, &f);
  }
  if (drop_descriptors(&report, NULL, 0, &f)) give_up(report, &f);
  say_started(report);
  execute(&(struct program){.section = &plan.enter, .app = &pod_plan->app[index], .argv = &exec->field[0].strings}, caller, report);
}
