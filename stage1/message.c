#include "message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

int message_send(int socket, const struct message *message, const struct message_fds *fds) {
  struct iovec iov = {.iov_base = (void *)(uintptr_t)message, .iov_len = sizeof *message};
  struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1};
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_MAX_FDS)];
  } control;
  if (fds && fds->count > 0) {
    memset(&control, 0, sizeof control);
    header.msg_control = &control;
    header.msg_controllen = (socklen_t)CMSG_SPACE(sizeof(int) * fds->count);
    struct cmsghdr *c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * fds->count);
    memcpy(CMSG_DATA(c), fds->fd, sizeof(int) * fds->count);
  }
  ssize_t sent;
  do sent = sendmsg(socket, &header, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent == (ssize_t)sizeof *message ? 0 : -1;
}

void message_offer(int socket, const struct message *message) {
  ssize_t sent = send(socket, message, sizeof *message, MSG_NOSIGNAL | MSG_DONTWAIT);
  (void)sent;
}

static void keep_fds(struct message_fds *fds, const struct cmsghdr *c) {
  uint32_t count = (uint32_t)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  for (uint32_t i = 0; i < count; i++) {
    int fd;
    memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
    if (fds->count < MESSAGE_MAX_FDS) fds->fd[fds->count++] = fd;
    else close(fd);
  }
}

int message_receive(int socket, struct message *message, struct message_fds *fds) {
  struct iovec iov = {.iov_base = message, .iov_len = sizeof *message};
  union {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * MESSAGE_MAX_FDS)];
  } control;
  struct msghdr header = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  fds->count = 0;
  ssize_t got;
  do got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  while (got < 0 && (errno == EINTR || errno == ECONNRESET)); /* once, from a peer that ended with unread records: its own still follow */
  if (got < 0) return -1;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) keep_fds(fds, c);
  if (got == 0) {
    message_close_fds(fds);
    return 0;
  }
  if (got != (ssize_t)sizeof *message || message->version != CONTROL_VERSION || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
    message_close_fds(fds);
    errno = EPROTO;
    return -1;
  }
  message->fail.step[sizeof message->fail.step - 1] = 0;
  message->fail.object[sizeof message->fail.object - 1] = 0;
  message->text[sizeof message->text - 1] = 0;
  return 1;
}

void message_close_fds(struct message_fds *fds) {
  for (uint32_t i = 0; i < fds->count; i++) close(fds->fd[i]);
  fds->count = 0;
}

int message_pair(int pair[2]) { return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair); }
