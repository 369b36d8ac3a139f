/*
 * What a client says to a pod's control socket. The input: how much of the record is sent, kind, app, value, how many pipes come along, the
 * length of a text, the text, a plan. No descriptor is left open, whatever was said.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../supervise.h"
#include "fuzz.h"

enum { HEAD = 8 };

static int next_descriptor(void) {
  int fd = dup(0);
  if (fd < 0) abort();
  close(fd);
  return fd;
}

static void say(int to, const uint8_t *bytes, size_t size) {
  struct message message = {.version = CONTROL_VERSION, .kind = bytes[1], .app = bytes[2]};
  memcpy(&message.value, bytes + 3, sizeof message.value);
  size_t text = bytes[7] < size - HEAD ? bytes[7] : size - HEAD;
  memcpy(message.text, bytes + HEAD, text);
  int plan = memfd_create("plan", MFD_CLOEXEC), pipes[2];
  if (plan < 0 || pipe2(pipes, O_CLOEXEC) || write(plan, bytes + HEAD + text, size - HEAD - text) < 0) abort();
  struct message_fds fds = {.count = bytes[0] >> 4, .fd = {plan, pipes[0], pipes[1], pipes[1], plan}};
  if (fds.count > 5) fds.count = 5;
  if ((bytes[0] & 15) == 0) message_send(to, &message, &fds);
  else send(to, &message, sizeof message * (bytes[0] & 15) / 16, MSG_NOSIGNAL);
  close(plan);
  close(pipes[0]);
  close(pipes[1]);
}

static void drain(int socket) {
  struct message message;
  struct message_fds fds;
  for (int got = 1; got > 0;) {
    got = message_receive(socket, &message, &fds);
    if (got > 0) message_close_fds(&fds);
  }
}

int fuzz_one(uint8_t *bytes, size_t size) {
  static struct supervisor s;
  static struct outer outer;
  static const struct op pod[] = {{.code = OP_MUTABLE}};
  static const struct op app[] = {{.code = OP_APP, .field = {{.text = "app"}}}, {.code = OP_STDIO, .field = {{.number = STDIO_STREAM}, {.number = STDIO_STREAM}, {.number = STDIO_STREAM}}}};
  int client[2], init[2], first = next_descriptor();
  if (size < HEAD) return -1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, client) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, init)) abort();
  outer.plan = (struct plan){.pod = {SECTION_POD, 1, pod}, .apps = 2, .app = {{SECTION_APP, 2, app}, {SECTION_APP, 2, app}}};
  memset(&s, 0, sizeof s);
  s.outer = &outer;
  s.plan = &outer.plan;
  s.pod = -1;
  s.init_socket = init[0];
  control_prepare(&s.control);
  for (uint32_t i = 0; i < 2; i++) supervised_prepare(&s, i);
  s.app[0].live = 1;
  s.control.connection[0].state = CONNECTION_SILENT;
  s.control.connection[0].fd = client[0];
  const struct pollfd ready = {.fd = client[0], .events = POLLIN, .revents = POLLIN};
  for (int turn = 0; turn < 2 && s.control.connection[0].state != CONNECTION_FREE; turn++) {
    say(client[1], bytes, size);
    control_event(&s, &ready);
    drain(client[1]);
    control_sweep(&s);
  }
  int refused = s.control.connection[0].state == CONNECTION_FREE;
  for (int i = 0; i < MAX_CONNECTIONS; i++)
    if (s.control.connection[i].state != CONNECTION_FREE) control_close(&s.control.connection[i]);
  drain(init[1]);
  for (uint32_t i = 0; i < 2; i++) supervised_close(&s.app[i]);
  close(client[1]);
  close(init[0]);
  close(init[1]);
  if (next_descriptor() != first) abort();
  return refused;
}
