#include "caller.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys.h"

struct cursor {
  const uint8_t *at, *end;
};

static uint32_t u32(struct cursor *c, int *bad) {
  if (c->end - c->at < 4) {
    *bad = 1;
    return 0;
  }
  uint32_t value = (uint32_t)c->at[0] | (uint32_t)c->at[1] << 8 | (uint32_t)c->at[2] << 16 | (uint32_t)c->at[3] << 24;
  c->at += 4;
  return value;
}

static uint64_t u64(struct cursor *c, int *bad) {
  uint64_t low = u32(c, bad);
  return low | (uint64_t)u32(c, bad) << 32;
}

int caller_read(int fd, struct caller *caller, struct fail *f) {
  memset(caller, 0, sizeof *caller);
  for (int i = 0; i < 3; i++) caller->stdio_flags[i] = -1;
  if (fd < 0) return 0;
  uint8_t data[24 + 4 + CALLER_LIMITS * 16 + 4 + CALLER_MAX_FDS * 12];
  ssize_t size = pread(fd, data, sizeof data, 0);
  if (size < 0) return fail(f, "read caller state", "");
  struct cursor c = {.at = data, .end = data + size};
  int bad = 0;
  if (size < 8 || memcmp(data, "RKTC", 4) != 0) return fail_as(f, EBADMSG, "read caller state", "magic");
  c.at += 4;
  if (u32(&c, &bad) != 1) return fail_as(f, EBADMSG, "read caller state", "version");
  caller->ignored = u64(&c, &bad);
  caller->blocked = u64(&c, &bad);
  caller->umask = u32(&c, &bad);
  if (u32(&c, &bad) != CALLER_LIMITS) bad = 1;
  for (int i = 0; i < CALLER_LIMITS; i++) {
    caller->limit[i].rlim_cur = u64(&c, &bad);
    caller->limit[i].rlim_max = u64(&c, &bad);
  }
  uint32_t count = u32(&c, &bad);
  for (uint32_t i = 0; i < count && !bad; i++) {
    int number = (int)u32(&c, &bad);
    u32(&c, &bad);
    int flags = (int)u32(&c, &bad);
    if (number >= 0 && number < 3 && !bad) caller->stdio_flags[number] = flags;
  }
  /* A caller may have more descriptors than are read here; only the first three matter. */
  if (bad && size < (ssize_t)sizeof data) return fail_as(f, EBADMSG, "read caller state", "");
  caller->known = 1;
  return 0;
}

int caller_restore_limits(const struct caller *caller, struct fail *f) {
  if (!caller->known) return 0;
  for (int i = 0; i < CALLER_LIMITS; i++) {
    struct rlimit now;
    if (getrlimit(i, &now)) return fail(f, "read limits", "");
    if (now.rlim_cur == caller->limit[i].rlim_cur && now.rlim_max == caller->limit[i].rlim_max) continue;
    if (setrlimit(i, &caller->limit[i])) return fail(f, "restore limits", "");
  }
  return 0;
}

void caller_restore_signals(const struct caller *caller) {
  for (int number = 1; number < 65; number++) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    if (caller->known && (caller->ignored >> (number - 1) & 1)) action.sa_handler = SIG_IGN;
    /* SIGKILL, SIGSTOP and the C library's own signals cannot be changed, and need not be. */
    (void)sigaction(number, &action, NULL);
  }
  sigset_t mask;
  sigemptyset(&mask);
  if (caller->known)
    for (int number = 1; number < 65; number++)
      if (caller->blocked >> (number - 1) & 1) sigaddset(&mask, number);
  sigprocmask(SIG_SETMASK, &mask, NULL);
}

void caller_restore_stdio(const struct caller *caller) {
  for (int fd = 0; fd < 3; fd++) {
    if (caller->stdio_flags[fd] < 0 || (caller->stdio_flags[fd] & O_NONBLOCK)) continue;
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK)) (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
  }
}
