#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "app.h"
#include "hold.h"
#include "idmap.h"
#include "init-setup.h"
#include "message.h"
#include "rootfs.h"
#include "sys.h"

enum { FIELD_FLAGS, FIELD_SHIFT, FIELD_COUNT, FIELD_HOSTNAME };

/* Files of the host must not be found through /proc/1/root. */
static int empty_root(struct fail *f) {
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return fail(f, "make mounts private", "");
  own int root = mount_new("tmpfs", "mode=0555,size=4k,nr_inodes=2", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, f);
  if (root < 0) return -1;
  if (sys_move_mount(root, "", AT_FDCWD, "/proc", MOVE_MOUNT_F_EMPTY_PATH) || fchdir(root)) return fail(f, "mount", "sandbox root");
  if (sys_pivot_root(".", ".") || umount2(".", MNT_DETACH) || chdir("/")) return fail(f, "change root of", "sandbox");
  return 0;
}

static int set_up(const struct op *op, uint32_t flags, struct fail *f) {
  if (op->field[FIELD_COUNT].number && (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0))) return fail(f, "become the pod's root", "");
  /* Made by the pod's root, who so owns its message queues. */
  if ((flags & CLONE_NEWIPC) && unshare(CLONE_NEWIPC)) return fail(f, "make namespaces", "ipc");
  if (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL)) return fail(f, "bind sandbox to", "the launcher");
  const char *hostname = op->field[FIELD_HOSTNAME].text;
  if ((flags & CLONE_NEWUTS) && sethostname(hostname, strlen(hostname))) return fail(f, "set hostname", hostname);
  if ((flags & CLONE_NEWNET) && loopback_up(f)) return -1;
  return empty_root(f);
}

static _Noreturn void hold(const struct op *op, uint32_t flags, int peer) {
  struct message message;
  struct message_fds none;
  struct fail f = {0};
  if (message_receive(peer, &message, &none) != 1 || message.kind != MESSAGE_GO) _exit(STATUS_OWN_FAILURE);
  int failed = set_up(op, flags, &f);
  message = (struct message){.version = CONTROL_VERSION, .kind = failed ? MESSAGE_FAILED : MESSAGE_READY, .fail = f};
  if (message_send(peer, &message, NULL) || failed) _exit(STATUS_OWN_FAILURE);
  sys_close_range(0, ~0U, 0);
  /* The kernel reaps what is left to the first process, when it does not want to know. */
  signal(SIGCHLD, SIG_IGN);
  for (;;) pause();
}

/* Joins what was pinned before, for CNI, and makes the rest as a child of the launcher. */
static _Noreturn void join_and_hold(const struct plan *plan, int pod, const struct op *op, int mine, int peer) {
  struct fail f = {0};
  uint32_t flags = (uint32_t)op->field[FIELD_FLAGS].number, joined = 0;
  for (const struct op *join = plan->pod.ops; join < plan->pod.ops + plan->pod.count; join++) {
    if (join->code != OP_JOIN || f.error) continue;
    own int ns = openat(pod, join->field[1].text, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, (int)join->field[0].number)) fail(&f, "join namespace", join->field[1].text);
    joined |= (uint32_t)join->field[0].number;
  }
  pid_t pid = -1;
  if (f.error == 0) {
    pid = (pid_t)syscall(SYS_clone, (flags & ~(uint32_t)CLONE_NEWIPC) | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0) {
      close(mine);
      hold(op, flags | joined, peer);
    }
    if (pid < 0) fail(&f, "make namespaces", "");
  }
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_STARTED, .value = pid, .fail = f};
  message_send(peer, &message, NULL);
  _exit(0);
}

static int pin_all(int pod, pid_t pid, uint32_t flags, struct fail *f) {
  static const struct {
    uint32_t flag;
    const char *name;
  } kinds[] = {{CLONE_NEWUSER, "user"}, {CLONE_NEWNET, "net"}, {CLONE_NEWPID, "pid"}, {CLONE_NEWIPC, "ipc"}, {CLONE_NEWUTS, "uts"}};
  if (mkdirat(pod, "ns", 0700) && errno != EEXIST) return fail(f, "make", "ns");
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
    if ((flags & kinds[i].flag) && pin_namespace(pod, pid, kinds[i].name, f)) return -1;
  return 0;
}

static int receive(int fd, enum message_kind kind, struct message *message, struct fail *f) {
  struct message_fds none;
  if (message_receive(fd, message, &none) != 1) return fail_as(f, ECONNRESET, "make", "sandbox");
  if (message->kind == kind && message->fail.error == 0) return 0;
  *f = message->fail;
  return -1;
}

int sandbox_make(const struct plan *plan, int pod, pid_t *pid, struct fail *f) {
  const struct op *op = section_find(&plan->pod, OP_SANDBOX);
  uint32_t flags = (uint32_t)op->field[FIELD_FLAGS].number;
  int joins = section_find(&plan->pod, OP_JOIN) != NULL, pair[2];
  if (message_pair(pair)) return fail(f, "make", "sandbox");
  own int mine = pair[0];
  own int peer = pair[1];
  struct message message;
  if (joins) {
    pid_t middle = fork();
    if (middle == 0) join_and_hold(plan, pod, op, mine, peer);
    close(move_fd(&peer));
    if (middle < 0) return fail(f, "make", "sandbox");
    int got = receive(mine, MESSAGE_STARTED, &message, f);
    waitpid(middle, NULL, 0);
    if (got) return -1;
    *pid = message.value;
  } else {
    *pid = (pid_t)syscall(SYS_clone, (flags & ~(uint32_t)CLONE_NEWIPC) | SIGCHLD, 0, 0, 0, 0);
    if (*pid == 0) {
      close(move_fd(&mine));
      hold(op, flags, peer);
    }
    close(move_fd(&peer));
    if (*pid < 0) return fail(f, "make namespaces", "");
    if ((flags & CLONE_NEWUSER) && map_ids(*pid, (unsigned)op->field[FIELD_SHIFT].number, (unsigned)op->field[FIELD_COUNT].number, f)) return -1;
  }
  message = (struct message){.version = CONTROL_VERSION, .kind = MESSAGE_GO};
  if (message_send(mine, &message, NULL)) return fail(f, "make", "sandbox");
  if (receive(mine, MESSAGE_READY, &message, f)) return -1;
  return pin_all(pod, *pid, flags, f);
}

void sandbox_end(pid_t pid) {
  if (pid <= 0) return;
  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
}
