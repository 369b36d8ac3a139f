#include "clients.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "clock.h"

void clients_prepare(struct clients *clients) {
  for (int i = 0; i < MAX_CLIENTS; i++) clients->client[i] = (struct client){.connection = -1};
}

static void refuse(int connection, int error) {
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_FAILED};
  fail_as(&message.fail, error, "run program", "in the pod");
  message_offer(connection, &message);
}

void clients_add(struct clients *clients, struct message_fds *fds, const struct pod_view *pod) {
  if (fds->count != 5) return;
  int connection = fds->fd[0];
  for (int i = 0; i < MAX_CLIENTS; i++) {
    struct client *client = &clients->client[i];
    if (client->pid != 0) continue;
    struct message_fds program = {.count = 4, .fd = {fds->fd[1], fds->fd[2], fds->fd[3], fds->fd[4]}};
    pid_t child = fork();
    if (child == 0) enter_child(pod->plan, pod->places, pod->caller, &program, connection);
    if (child < 0) break;
    *client = (struct client){.connection = connection, .pid = child};
    fds->fd[0] = fds->fd[--fds->count];
    return;
  }
  refuse(connection, EAGAIN);
}

size_t clients_poll(const struct clients *clients, struct pollfd *polls, size_t count) {
  for (int i = 0; i < MAX_CLIENTS; i++)
    if (clients->client[i].connection >= 0) polls[count++] = (struct pollfd){.fd = clients->client[i].connection, .events = POLLIN};
  return count;
}

void clients_reaped(struct clients *clients, pid_t pid, int status) {
  for (int i = 0; i < MAX_CLIENTS; i++) {
    struct client *client = &clients->client[i];
    if (client->pid != pid) continue;
    if (client->connection >= 0) {
      struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_EXITED, .value = status};
      message_offer(client->connection, &message);
      close(client->connection);
    }
    *client = (struct client){.connection = -1};
  }
}

/* The program's process group, which it leads since its start, and itself where it has left that. */
static void signal_program(const struct client *client, int number) {
  kill(-client->pid, number);
  if (getpgid(client->pid) != client->pid) kill(client->pid, number);
}

static void from_client(struct client *client) {
  struct message message;
  struct message_fds fds;
  int got = message_receive(client->connection, &message, &fds);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    signal_program(client, SIGHUP);
    signal_program(client, SIGCONT);
    client->kill_at_ms = now_ms() + HANGUP_MS;
    close(client->connection);
    client->connection = -1;
    return;
  }
  if (message.kind == MESSAGE_SIGNAL && message.value > 0 && message.value < 65) kill(client->pid, message.value);
  message_close_fds(&fds);
}

void clients_event(struct clients *clients, int fd) {
  for (int i = 0; i < MAX_CLIENTS; i++)
    if (clients->client[i].connection == fd) {
      from_client(&clients->client[i]);
      return;
    }
}

int64_t clients_kill_at_ms(const struct clients *clients) {
  int64_t first = 0;
  for (int i = 0; i < MAX_CLIENTS; i++) first = earlier(first, clients->client[i].kill_at_ms);
  return first;
}

void clients_kill_overdue(struct clients *clients, int64_t now) {
  for (int i = 0; i < MAX_CLIENTS; i++) {
    struct client *client = &clients->client[i];
    if (!client->kill_at_ms || now < client->kill_at_ms) continue;
    signal_program(client, SIGKILL);
    client->kill_at_ms = 0;
  }
}
