/* launcher: the one program of stage1. It has no policy and no defaults; specs/launch-plan.md is its interface. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "client.h"
#include "end.h"
#include "enter.h"
#include "guest.h"
#include "hold.h"
#include "outer.h"
#include "sys.h"

static const char usage[] =
    "usage: launcher run PLAN LOCK CALLER [SOCKET...]\n"
    "       launcher enter PLAN POD CALLER OWNER\n"
    "       launcher attach PLAN POD CALLER\n"
    "       launcher app-start PLAN POD\n"
    "       launcher app-stop PLAN POD FORCE\n"
    "       launcher app-remove PLAN POD\n"
    "       launcher hold POD SHIFT COUNT\n"
    "       launcher end PLAN POD\n"
    "       launcher app WAIT\n"
    "PLAN, LOCK, POD and CALLER are descriptors; CALLER may be -1.\n";

static int number(const char *text, long low, long *value) {
  char *end;
  errno = 0;
  *value = strtol(text, &end, 10);
  return errno || *end || end == text || *value < low || *value > UINT_MAX ? -1 : 0;
}

/*
 * Runs on as a sealed copy in memory: whatever a pod finds behind /proc/PID/exe, it is not the file that the host executes next
 * (CVE-2019-5736).
 */
static int run_sealed(char **argv) {
  own int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (self < 0) return -1;
  int seals = fcntl(self, F_GET_SEALS);
  if (seals >= 0 && (seals & F_SEAL_WRITE)) return 0;
  struct stat st;
  own int copy = memfd_create("rkt-launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (copy < 0 || fstat(self, &st)) return -1;
  for (off_t at = 0; at < st.st_size;)
    if (sendfile(copy, self, &at, (size_t)(st.st_size - at)) <= 0) return -1;
  if (fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)) return -1;
  char *environment[] = {NULL};
  syscall(SYS_execveat, copy, "", argv, environment, AT_EMPTY_PATH);
  return -1;
}

static int fail_now(const char *what) {
  fprintf(stderr, "stage1: cannot %s: %s\n", what, strerror(errno));
  return 254;
}

static int end_now(int plan_fd, int pod) {
  static struct plan plan;
  struct fail f = {0};
  if (fchdir(pod)) return fail_now("change to pod directory");
  if (plan_read(plan_fd, &plan, &f) || end_run(&plan.end, pod, 0, &f)) {
    char line[1024];
    fail_text(&f, line, sizeof line);
    fprintf(stderr, "%s\n", line);
    return 1;
  }
  return 0;
}

/* The smallest app there is, for measuring what a pod costs: ends at once, or waits to be told. */
static int be_app(int wait) {
  signal(SIGTERM, SIG_DFL);
  while (wait) pause();
  return 0;
}

int main(int argc, char **argv) {
  /* The kernel of a virtual machine starts its init so. */
  if (getpid() == 1 && argc > 0 && strcmp(argv[0], "/init") == 0) guest_main();
  long value[3 + MAX_LISTENERS];
  const int most = 3 + MAX_LISTENERS;
  int numbers = argc - 2;
  for (int i = 0; i < numbers && i < most; i++)
    if (number(argv[i + 2], -1, &value[i])) numbers = -1;
  if (argc < 2 || numbers < 0 || numbers > most) {
    fputs(usage, stderr);
    return 254;
  }
  if (strcmp(argv[1], "app") == 0 && numbers == 1) return be_app((int)value[0]);
  /* Descriptors of ours never reach a program of the pod. */
  if (sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC)) return fail_now("close descriptors");
  if (strcmp(argv[1], "run") == 0 && numbers >= 3) {
    for (int i = 0; i < numbers; i++)
      if (value[i] >= 0 && fcntl((int)value[i], F_SETFD, 0)) return fail_now("keep descriptors");
    if (run_sealed(argv)) return fail_now("copy the launcher");
    if (sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC)) return fail_now("close descriptors");
    return outer_run((int)value[0], (int)value[1], (int)value[2]);
  }
  if (strcmp(argv[1], "enter") == 0 && numbers == 4) return enter_run((int)value[0], (int)value[1], (int)value[2], (unsigned)value[3]);
  if (strcmp(argv[1], "attach") == 0 && numbers == 3) return attach_run((int)value[0], (int)value[1], (int)value[2]);
  if (strcmp(argv[1], "app-start") == 0 && numbers == 2) return client_app_start((int)value[0], (int)value[1]);
  if (strcmp(argv[1], "app-stop") == 0 && numbers == 3) return client_app_stop((int)value[0], (int)value[1], (int)value[2]);
  if (strcmp(argv[1], "app-remove") == 0 && numbers == 2) return client_app_remove((int)value[0], (int)value[1]);
  if (strcmp(argv[1], "hold") == 0 && numbers == 3) return hold_namespaces((int)value[0], (unsigned)value[1], (unsigned)value[2]);
  if (strcmp(argv[1], "end") == 0 && numbers == 2) return end_now((int)value[0], (int)value[1]);
  fputs(usage, stderr);
  return 254;
}
