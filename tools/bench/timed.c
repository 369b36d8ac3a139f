/*
 * timed PROGRAM [ARGUMENT...]: runs a program to its end and writes "NANOSECONDS CPU_NANOSECONDS PEAK_KIB STATUS" to descriptor 3.
 * CPU_NANOSECONDS is what it and its children used; PEAK_KIB is the largest resident set of any one of them. Small and static, so that
 * its own cost is the same for everything measured.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long nanoseconds(struct timeval t) {
  return t.tv_sec * 1000000000LL + t.tv_usec * 1000LL;
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  long long start = now();
  pid_t child = vfork();
  if (child == 0) {
    close(3);
    execvp(argv[1], argv + 1);
    _exit(127);
  }
  struct rusage usage;
  int status;
  if (child < 0) return 2;
  while (wait4(child, &status, 0, &usage) < 0)
    if (errno != EINTR) return 2;
  long long wall = now() - start;
  long long cpu = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
  dprintf(3, "%lld %lld %ld %d\n", wall, cpu, usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 0;
}
