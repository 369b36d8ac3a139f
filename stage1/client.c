#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "app.h"
#include "message.h"
#include "plan.h"
#include "sys.h"

int client_connect(int pod, struct fail *f) {
  own int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control", pod);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address)) return fail(f, "connect to", "control");
  return move_fd(&fd);
}

int client_failed(const char *speaker, const struct fail *f) {
  char line[1024];
  fail_text(f, line, sizeof line);
  fprintf(stderr, "%s%s%s\n", speaker, *speaker ? ": " : "", line);
  return STATUS_OWN_FAILURE;
}

/* Asks, and waits for DONE or FAILED. */
static int ask(int pod, const struct message *message, const struct message_fds *fds) {
  struct fail f = {0};
  struct message answer = {0};
  struct message_fds none;
  own int connection = client_connect(pod, &f);
  if (connection < 0) return client_failed("", &f);
  if (message_send(connection, message, fds)) {
    fail(&f, "ask", "the pod");
    return client_failed("", &f);
  }
  int got = message_receive(connection, &answer, &none);
  if (got == 1) message_close_fds(&none);
  if (got == 1 && answer.kind == MESSAGE_DONE) return 0;
  if (got == 1 && answer.kind == MESSAGE_FAILED) return client_failed("", &answer.fail);
  fail_as(&f, got < 0 ? errno : ECONNRESET, "hear from", "the pod");
  return client_failed("", &f);
}

int client_app_start(int plan_fd, int pod) {
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_APP_START};
  struct message_fds fds = {.count = 1, .fd = {plan_fd}};
  return ask(pod, &message, &fds);
}

static int ask_by_name(int plan_fd, int pod, enum message_kind kind, int value) {
  struct plan plan;
  struct fail f = {0};
  struct message message = {.version = CONTROL_VERSION, .kind = kind, .value = value};
  if (plan_read(plan_fd, &plan, &f)) return client_failed("", &f);
  const struct op *app = section_find(&plan.enter, OP_APP);
  if (!app || (size_t)snprintf(message.text, sizeof message.text, "%s", app->field[0].text) >= sizeof message.text) {
    fail_as(&f, EBADMSG, "read launch plan", "app");
    return client_failed("", &f);
  }
  return ask(pod, &message, NULL);
}

int client_app_stop(int plan_fd, int pod, int force) { return ask_by_name(plan_fd, pod, MESSAGE_APP_STOP, force); }
int client_app_remove(int plan_fd, int pod) { return ask_by_name(plan_fd, pod, MESSAGE_APP_REMOVE, 0); }
