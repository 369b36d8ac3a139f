#include "signals.h"

#include <signal.h>
#include <sys/signalfd.h>

int signals_watch(int except, struct fail *f) {
  sigset_t watched;
  sigfillset(&watched);
  for (const int *fault = (const int[]){SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, 0}; *fault; fault++) sigdelset(&watched, *fault);
  if (except) sigdelset(&watched, except);
  sigprocmask(SIG_SETMASK, &watched, NULL);
  int fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  return fd < 0 ? fail(f, "watch signals", "") : fd;
}
