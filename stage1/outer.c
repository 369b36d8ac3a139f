#include "outer.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "caller.h"
#include "cgroup.h"
#include "end.h"
#include "host.h"
#include "idmap.h"
#include "init.h"
#include "network-helper.h"
#include "sandbox.h"
#include "start-app.h"
#include "supervise.h"
#include "sys.h"

static pid_t clone_process(unsigned long flags) {
  /* The raw call: musl's clone() needs a stack of its own, and a copy of this one is what we want. */
  return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

static _Noreturn void become_init(struct outer *outer, int peer, uint32_t flags, int report) {
  struct init init = {.plan = &outer->plan, .caller = &outer->caller, .outer = peer, .flags = flags};
  close(outer->control);
  if (report >= 0) close(report);
  init_main(&init);
}

/* Joins namespaces that were made before (pinned for CNI), then makes the rest, as a sibling: its parent is the outer launcher. */
static _Noreturn void join_and_clone(struct outer *outer, int peer, uint32_t flags, int report) {
  struct fail f = {0};
  uint32_t joined = 0;
  for_each_op(op, &outer->plan.pod) {
    if (op->code != OP_JOIN) continue;
    own int ns = openat(outer->pod, op->field[1].text, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, (int)op->field[0].number)) {
      fail(&f, "join namespace", op->field[1].text);
      break;
    }
    joined |= (uint32_t)op->field[0].number;
  }
  pid_t pid = -1;
  if (f.error == 0) {
    pid = clone_process((flags & ~(uint32_t)CLONE_NEWIPC) | CLONE_PARENT);
    if (pid == 0) become_init(outer, peer, flags | joined, report);
    if (pid < 0) fail(&f, "make namespaces", "");
  }
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_GO, .value = pid, .fail = f};
  message_send(report, &message, NULL);
  _exit(0);
}

static int clone_joined(struct outer *outer, int peer, uint32_t flags, struct fail *f) {
  int pair[2];
  if (message_pair(pair)) return fail(f, "make namespaces", "");
  own int mine = pair[0];
  own int theirs = pair[1];
  pid_t middle = fork();
  if (middle < 0) return fail(f, "make namespaces", "");
  if (middle == 0) join_and_clone(outer, peer, flags, theirs);
  close(move_fd(&theirs));
  struct message message;
  struct message_fds none;
  int got = message_receive(mine, &message, &none);
  waitpid(middle, NULL, 0);
  /* Killed before it could tell: an init that it has made ends too, when our side of its connection closes. */
  if (got != 1) return fail_as(f, EIO, "make namespaces", "");
  if (message.value <= 0) {
    *f = message.fail;
    return -1;
  }
  /* The middle process saw init's pid in the host's PID namespace, which it never left. */
  outer->init = message.value;
  return 0;
}

/*
 * The kernel lets a user namespace hold as many processes as its maker may have at that moment, all users of it together.
 * KERNEL: since 5.14.
 */
static pid_t clone_bounded(const struct section *pod, unsigned long flags) {
  const struct op *tasks = section_find(pod, OP_TASKS);
  struct rlimit before;
  if (!tasks) return clone_process(flags);
  if (getrlimit(RLIMIT_NPROC, &before)) return -1;
  struct rlimit bound = {.rlim_cur = tasks->field[0].number, .rlim_max = before.rlim_max};
  if (bound.rlim_cur < before.rlim_cur && setrlimit(RLIMIT_NPROC, &bound)) return -1;
  pid_t pid = clone_process(flags);
  int error = errno;
  /* Back to what it was, which is no more than its hard limit. */
  (void)setrlimit(RLIMIT_NPROC, &before);
  errno = error;
  return pid;
}

static int start_init(struct outer *outer, struct fail *f) {
  const struct op *op = section_find(&outer->plan.pod, OP_NAMESPACES);
  const struct op *idmap = section_find(&outer->plan.pod, OP_IDMAP);
  uint32_t flags = op ? (uint32_t)op->field[0].number : 0;
  int pair[2];
  if (message_pair(pair)) return fail(f, "make namespaces", "");
  outer->control = pair[0];
  own int peer = pair[1];
  if (section_find(&outer->plan.pod, OP_JOIN) && outer->sandbox == 0) {
    if (clone_joined(outer, peer, flags, f)) return -1;
  } else {
    outer->init = clone_bounded(&outer->plan.pod, flags & ~(unsigned long)CLONE_NEWIPC);
    if (outer->init == 0) become_init(outer, peer, flags, -1);
    if (outer->init < 0) return fail(f, "make namespaces", "");
    if (idmap && map_ids(outer->init, (unsigned)idmap->field[0].number, (unsigned)idmap->field[1].number, f)) return -1;
  }
  /* Without a shift the pod's ids are our own: owners on disk are right as they are. */
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/user", outer->init);
  if (idmap && idmap->field[0].number && (outer->user_ns = open(path, O_RDONLY | O_CLOEXEC)) < 0) return fail(f, "open", path);
  return 0;
}

static int start_sandbox(struct outer *outer, struct fail *f) {
  if (sandbox_make(&outer->plan, outer->pod, &outer->sandbox, f)) return -1;
  outer->user_ns = openat(outer->pod, "ns/user", O_RDONLY | O_CLOEXEC);
  return outer->user_ns < 0 && errno != ENOENT ? fail(f, "open", "ns/user") : 0;
}

static int join_groups(pid_t pid, const int *procs, uint32_t count, struct fail *f) {
  char text[16];
  int size = snprintf(text, sizeof text, "%d", pid);
  for (uint32_t i = 0; i < count; i++)
    if (write(procs[i], text, (size_t)size) < 0) return fail(f, "join cgroup", "");
  return 0;
}

static int go(const struct outer *outer, const int *procs, uint32_t count, struct fail *f) {
  if (join_groups(outer->init, procs, count, f) || (outer->sandbox > 0 && join_groups(outer->sandbox, procs, count, f))) return -1;
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_GO};
  return message_send(outer->control, &message, NULL) ? fail(f, "start", "pod init") : 0;
}

/* The apps have them now: one that closes a socket is the last to do so here. */
static void close_passed_sockets(const struct plan *plan) {
  for (uint32_t i = 0; i < plan->apps; i++) {
    const struct op *op = section_find(&plan->app[i], OP_LISTEN);
    for (uint32_t n = 0; op && n < op->field[0].numbers.count; n++) close((int)op->field[0].numbers.list[n]);
  }
}

/* Makes the mounts of all apps while init still holds the host's tree, lets init go on, then starts the apps one after the other. */
static int start_apps(struct outer *outer, struct supervisor *supervisor, struct fail *f) {
  static struct message_fds mounts[PLAN_MAX_APPS];
  struct host host = {.user_ns = outer->user_ns, .shift = plan_shift(&outer->plan)};
  int result = host_open(&host, outer->pod, outer->init, f);
  for (uint32_t i = 0; i < outer->plan.apps && result == 0; i++) result = host_mounts(&host, &outer->plan.app[i], &mounts[i], f);
  host_close(&host);
  struct message detach = {.version = CONTROL_VERSION, .kind = MESSAGE_DETACH};
  if (result == 0 && message_send(outer->control, &detach, NULL)) result = fail(f, "start", "pod init");
  for (uint32_t i = 0; i < outer->plan.apps && result == 0; i++) result = start_app(supervisor, i, &mounts[i], -1, f);
  for (uint32_t i = 0; i < outer->plan.apps; i++) message_close_fds(&mounts[i]);
  close_passed_sockets(&outer->plan);
  return result;
}

/* Before there is an init, which would stay behind in the group that must have no members. */
static int join_own_cgroup(const struct outer *outer, struct fail *f) {
  for_each_op(op, &outer->plan.pod) {
    if (op->code != OP_CGROUP || op->field[1].number != CGROUP_JOIN_LAUNCHER) continue;
    own int procs = -1;
    if (cgroup_create(op->field[0].text, &procs, f)) return -1;
    if (write(procs, "0", 1) != 1) return fail(f, "join cgroup", op->field[0].text);
  }
  return 0;
}

static int start(struct outer *outer, struct supervisor *supervisor, struct fail *f) {
  int procs[MAX_CGROUPS];
  uint32_t cgroups = 0;
  if (mkdirat(outer->pod, "mnt", 0700) && errno != EEXIST) return fail(f, "make", "mnt");
  if (join_own_cgroup(outer, f)) return -1;
  if (section_find(&outer->plan.pod, OP_SANDBOX) && start_sandbox(outer, f)) return -1;
  if (start_init(outer, f)) return -1;
  /* While init waits, and its namespaces can be opened by a program with fewer rights than ours. */
  if (helper_start(&outer->plan.pod, outer->init, &outer->helper, f)) return -1;
  if (make_cgroups(&outer->plan.pod, OP_CGROUP, procs, &cgroups, f)) return -1;
  int result = go(outer, procs, cgroups, f);
  for (uint32_t i = 0; i < cgroups; i++) close(procs[i]);
  if (result || supervisor_open(supervisor, outer->pod, outer->control, f)) return -1;
  return start_apps(outer, supervisor, f);
}

/* Init may have ended for a reason of its own, which is the one to tell: what we saw is only that it is gone. */
static void prefer_failure_of_init(const struct outer *outer, struct fail *f) {
  struct message message;
  struct message_fds fds;
  struct pollfd ready = {.fd = outer->control, .events = POLLIN};
  while (outer->control >= 0 && poll(&ready, 1, 0) == 1 && message_receive(outer->control, &message, &fds) == 1) {
    message_close_fds(&fds);
    if (message.kind == MESSAGE_FAILED) *f = message.fail;
  }
}

static int run(int plan_fd, int lock_fd, int caller_fd, struct mirror *mirror) {
  static struct outer outer;
  static struct supervisor supervisor;
  struct fail f = {0};
  outer.pod = lock_fd;
  outer.user_ns = outer.control = -1;
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  umask(0077);
  int readable = caller_read(caller_fd, &outer.caller, &f) == 0 && plan_read(plan_fd, &outer.plan, &f) == 0;
  close(plan_fd);
  if (caller_fd >= 0) close(caller_fd);
  caller_restore_stdio(&outer.caller);
  supervisor_prepare(&supervisor, &outer);
  supervisor.mirror = mirror;
  if (!readable || fchdir(lock_fd) || start(&outer, &supervisor, &f)) {
    if (f.error == 0) fail(&f, "change to", "pod directory");
    prefer_failure_of_init(&outer, &f);
    supervisor_failed(&supervisor, lock_fd, &f);
    if (outer.init > 0) kill(outer.init, SIGKILL);
  }
  int status = STATUS_OWN_FAILURE;
  if (outer.init > 0) status = supervise(&supervisor, outer.init);
  if (f.error) status = STATUS_OWN_FAILURE;
  sandbox_end(outer.sandbox);
  if (outer.control >= 0) close(outer.control);
  helper_stop(outer.helper);
  struct fail unclean = {0};
  if (readable && end_run(&outer.plan.end, lock_fd, 1, &unclean)) supervisor_warn(&unclean);
  return status;
}

int outer_run(int plan_fd, int lock_fd, int caller_fd) { return run(plan_fd, lock_fd, caller_fd, NULL); }

int outer_run_mirrored(int plan_fd, int lock_fd, struct mirror *mirror) { return run(plan_fd, lock_fd, -1, mirror); }
