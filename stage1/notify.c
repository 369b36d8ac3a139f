#include "notify.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sys.h"

/* `@name` or `/path`, as NOTIFY_SOCKET has it. Returns the size of the address, 0 when it does not fit. */
static socklen_t address_of(const char *text, struct sockaddr_un *address) {
  size_t length = strlen(text);
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  if (length < 2 || length >= sizeof address->sun_path || (*text != '@' && *text != '/')) return 0;
  memcpy(address->sun_path, text, length);
  if (*text == '@') address->sun_path[0] = 0;
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

/* Abstract: it lies in the pod's network namespace and needs no place in the app's tree. */
int notify_listen(const struct section *app, int *socket_fd, struct fail *f) {
  const struct op *op = section_find(app, OP_NOTIFY_SOCKET);
  struct sockaddr_un address;
  int on = 1;
  *socket_fd = -1;
  if (!op) return 0;
  own int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  socklen_t size = address_of(op->field[0].text, &address);
  if (size == 0) return fail_as(f, EINVAL, "listen at", op->field[0].text);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) || bind(fd, (struct sockaddr *)&address, size))
    return fail(f, "listen at", op->field[0].text);
  *socket_fd = move_fd(&fd);
  return 0;
}

/*
 * ATTACK: with the host's network anybody on the host reaches the socket. The kernel tells who sends, by its number here: outside of the
 * pod there is none. Among the host's processes there is, and only the app's user and root are heard. Descriptors that come along are closed, which is what a sender of BARRIER=1 waits for.
 */
int notify_take(int socket_fd, const struct section *app, char text[MESSAGE_TEXT]) {
  struct iovec iov = {.iov_base = text, .iov_len = MESSAGE_TEXT - 1};
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * 253)];
  } control;
  struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t got = recvmsg(socket_fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  const struct op *user = section_find(app, OP_USER);
  int known = 0;
  if (got < 0) return 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    struct ucred peer;
    if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len >= CMSG_LEN(sizeof peer)) {
      memcpy(&peer, CMSG_DATA(c), sizeof peer);
      known = peer.pid > 0 && (getpid() == 1 || peer.uid == 0 || (user && peer.uid == user->field[0].number));
    } else if (c->cmsg_type == SCM_RIGHTS) {
      for (size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
        int fd;
        memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
        close(fd);
      }
    }
  }
  text[got] = 0;
  return known && got > 0 && memchr(text, 0, (size_t)got) == NULL && !(header.msg_flags & MSG_TRUNC);
}

void notify_tell(const struct plan *plan, const char *text) {
  const struct op *op = section_find(&plan->pod, OP_NOTIFY);
  struct sockaddr_un address;
  socklen_t size = op ? address_of(op->field[0].text, &address) : 0;
  own int fd = size == 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  /* Who has gone, or does not read, hears nothing: the pod does not depend on it. */
  if (fd >= 0) (void)sendto(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address, size);
}

/* SPEC: sd_notify(3). What concerns processes or stores descriptors has no meaning outside of the pod. */
static const char *const passed[] = {"STATUS=",   "RELOADING=1",   "MONOTONIC_USEC=",      "ERRNO=",
                                     "BUSERROR=", "WATCHDOG=",     "EXTEND_TIMEOUT_USEC="};

static int may_pass(const char *line, size_t length) {
  for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
    if (length >= strlen(passed[i]) && strncmp(line, passed[i], strlen(passed[i])) == 0) return 1;
  return 0;
}

void notify_pass(const struct plan *plan, const char *text, int pass_ready, int *ready) {
  char out[MESSAGE_TEXT + 64];
  size_t at = 0;
  *ready = 0;
  while (*text) {
    size_t length = strcspn(text, "\n");
    int is_ready = length == 7 && strncmp(text, "READY=1", 7) == 0;
    *ready |= is_ready;
    if ((is_ready && pass_ready) || may_pass(text, length)) at += (size_t)snprintf(out + at, sizeof out - at, "%.*s\n", (int)length, text);
    text += length + (text[length] == '\n');
  }
  if (at == 0) return;
  snprintf(out + at, sizeof out - at, "MAINPID=%d\n", (int)getpid());
  notify_tell(plan, out);
}
