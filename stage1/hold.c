#include "hold.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fail.h"
#include "idmap.h"
#include "sys.h"

int pin_namespace(int pod, pid_t holder, const char *name, struct fail *f) {
  char source[64], target[64];
  snprintf(source, sizeof source, "/proc/%d/ns/%s", holder, name);
  snprintf(target, sizeof target, "ns/%s", name);
  own int made = openat(pod, target, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (made < 0) return fail(f, "make", target);
  return mount(source, target, NULL, MS_BIND, NULL) ? fail(f, "pin namespace on", target) : 0;
}

static int pin_all(int pod, pid_t holder, unsigned shift, unsigned count, struct fail *f) {
  if (mkdirat(pod, "ns", 0700) && errno != EEXIST) return fail(f, "make", "ns");
  if (fchdir(pod)) return fail(f, "change to", "pod directory");
  if (count && (map_ids(holder, shift, count, f) || pin_namespace(pod, holder, "user", f))) return -1;
  return pin_namespace(pod, holder, "net", f);
}

int hold_namespaces(int pod, unsigned shift, unsigned count) {
  struct fail f = {0};
  /* The user namespace is made first by the kernel and so owns the others: the pod's root may then use them. */
  unsigned long flags = CLONE_NEWNET | (count ? CLONE_NEWUSER : 0);
  pid_t parent = getpid();
  pid_t holder = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (holder == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* Of a parent that died before that no signal comes. */
    while (getppid() == parent) pause();
    _exit(1);
  }
  if (holder < 0) fail(&f, "make namespaces", "");
  else pin_all(pod, holder, shift, count, &f);
  if (holder > 0) {
    kill(holder, SIGKILL);
    waitpid(holder, NULL, 0);
  }
  if (f.error == 0) return 0;
  char line[1024];
  fail_text(&f, line, sizeof line);
  fprintf(stderr, "%s\n", line);
  return 1;
}
