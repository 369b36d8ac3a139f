#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "clock.h"
#include "supervise.h"
#include "sys.h"

static void clear(struct connection *c) {
  memset(c, 0, sizeof *c);
  c->fd = c->output[0] = c->output[1] = c->output[2] = -1;
  stream_prepare(&c->input);
}

void control_prepare(struct control *control) {
  memset(control, 0, sizeof *control);
  control->listener = -1;
  for (int i = 0; i < MAX_CONNECTIONS; i++) clear(&control->connection[i]);
}

/* The socket's file is reached through a descriptor: a path longer than 108 bytes fits no socket address. */
int control_listen(struct control *control, int pod, struct fail *f) {
  own int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control", pod);
  (void)unlinkat(pod, "control", 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 64)) return fail(f, "open", "control");
  control->listener = move_fd(&fd);
  return 0;
}

void control_close(struct connection *c) {
  close_owned(&c->fd);
  for (int n = 1; n < 3; n++) close_owned(&c->output[n]);
  stream_close(&c->input);
  clear(c);
}

void control_answer(struct connection *c, const struct fail *f) {
  struct message message = {.version = CONTROL_VERSION, .kind = f ? MESSAGE_FAILED : MESSAGE_DONE};
  if (f) message.fail = *f;
  message_offer(c->fd, &message);
  control_close(c);
}

int control_answer_all(struct control *control, uint32_t app, enum connection_state state, const struct fail *f) {
  int answered = 0;
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    struct connection *c = &control->connection[i];
    if (c->state != state || c->app != app) continue;
    control_answer(c, f);
    answered++;
  }
  return answered;
}

static void turn_away(int fd) {
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_FAILED};
  fail_as(&message.fail, EUSERS, "talk to the pod", "control");
  message_offer(fd, &message);
}

static void accept_client(struct supervisor *s) {
  struct control *control = &s->control;
  own int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (fd < 0) {
    /* Without a descriptor for it the client stays in the queue, and the listener ready: ask again only later. */
    if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) control->accept_at_ms = now_ms() + ACCEPT_AGAIN_MS;
    return;
  }
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) || (peer.uid != 0 && peer.uid != geteuid())) return;
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    struct connection *c = &control->connection[i];
    if (c->state != CONNECTION_FREE) continue;
    c->state = CONNECTION_SILENT;
    c->deadline_ms = now_ms() + SILENCE_MS;
    c->fd = move_fd(&fd);
    return;
  }
  turn_away(fd);
}

/* The program that a client brings runs in the pod: init serves it, and we forget the connection. */
static void hand_to_init(const struct supervisor *s, struct connection *c, struct message_fds *fds) {
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_CLIENT};
  if (fds->count == 4) {
    struct message_fds all = {.count = 5, .fd = {c->fd, fds->fd[0], fds->fd[1], fds->fd[2], fds->fd[3]}};
    message_send(s->init_socket, &message, &all);
  }
  control_close(c);
}

static void first_message(struct supervisor *s, struct connection *c, const struct message *message, struct message_fds *fds) {
  if (message->kind == MESSAGE_ENTER) hand_to_init(s, c, fds);
  else if (message->kind == MESSAGE_ATTACH) attach_begin(s, c, fds);
  else if (message->kind == MESSAGE_APP_START) later_start(s, c, fds);
  else if (message->kind == MESSAGE_APP_STOP) later_stop(s, c, message);
  else if (message->kind == MESSAGE_APP_REMOVE) later_remove(s, c, message);
  else control_close(c);
}

static void from_client(struct supervisor *s, struct connection *c) {
  struct message message;
  struct message_fds fds;
  int got = message_receive(c->fd, &message, &fds);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    control_close(c);
    return;
  }
  if (c->state == CONNECTION_SILENT) first_message(s, c, &message, &fds);
  else if (c->state == CONNECTION_ATTACHED) attach_message(s, c, &message);
  message_close_fds(&fds);
}

size_t control_poll(struct control *control, struct pollfd *polls, size_t count) {
  if (control->accept_at_ms && now_ms() >= control->accept_at_ms) control->accept_at_ms = 0;
  if (!control->accept_at_ms) polls[count++] = (struct pollfd){.fd = control->listener, .events = POLLIN};
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    struct connection *c = &control->connection[i];
    if (c->state == CONNECTION_FREE) continue;
    polls[count++] = (struct pollfd){.fd = c->fd, .events = POLLIN};
    count = stream_poll(&c->input, polls, count);
  }
  return count;
}

int64_t control_due_ms(const struct control *control) {
  int64_t due = control->accept_at_ms;
  for (int i = 0; i < MAX_CONNECTIONS; i++)
    if (control->connection[i].state == CONNECTION_SILENT) due = earlier(due, control->connection[i].deadline_ms);
  return due;
}

void control_event(struct supervisor *s, const struct pollfd *poll) {
  if (poll->fd == s->control.listener) {
    accept_client(s);
    return;
  }
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    struct connection *c = &s->control.connection[i];
    if (c->state == CONNECTION_FREE) continue;
    stream_event(&c->input, poll);
    if (c->fd == poll->fd) from_client(s, c);
  }
}

void control_sweep(struct supervisor *s) {
  int64_t now = now_ms();
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    struct connection *c = &s->control.connection[i];
    if (c->state == CONNECTION_SILENT && now >= c->deadline_ms) control_close(c);
    if (c->state != CONNECTION_ATTACHED) continue;
    for (int n = 1; n < 3; n++) {
      if (c->output[n] < 0 || s->app[c->app].stream[n].from >= 0) continue;
      close(c->output[n]);
      c->output[n] = -1;
    }
    if (c->told_end && c->output[1] < 0 && c->output[2] < 0) control_close(c);
  }
}
