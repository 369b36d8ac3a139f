#include "clients.h"

#include <signal.h>
#include <unistd.h>

void clients_prepare(struct clients *clients) {
  for (int i = 0; i < MAX_CLIENTS; i++) clients->client[i] = (struct client){.connection = -1};
}

void clients_add(struct clients *clients, struct message_fds *fds) {
  for (int i = 0; i < MAX_CLIENTS && fds->count == 1; i++) {
    if (clients->client[i].connection >= 0) continue;
    clients->client[i] = (struct client){.connection = fds->fd[0]};
    fds->count = 0;
  }
  message_close_fds(fds);
}

size_t clients_poll(const struct clients *clients, struct pollfd *polls, size_t count) {
  for (int i = 0; i < MAX_CLIENTS; i++)
    if (clients->client[i].connection >= 0) polls[count++] = (struct pollfd){.fd = clients->client[i].connection, .events = POLLIN};
  return count;
}

static void forget(struct client *client) {
  close(client->connection);
  *client = (struct client){.connection = -1};
}

static void ended(struct client *client, int status) {
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_EXITED, .value = status};
  message_send(client->connection, &message, NULL);
  forget(client);
}

void clients_reaped(struct clients *clients, pid_t pid, int status) {
  for (int i = 0; i < MAX_CLIENTS; i++)
    if (clients->client[i].connection >= 0 && clients->client[i].pid == pid) ended(&clients->client[i], status);
}

static void from_client(struct client *client, const struct pod_view *pod) {
  struct message message;
  struct message_fds fds;
  if (message_receive(client->connection, &message, &fds) <= 0) {
    if (client->pid > 0) kill(client->pid, SIGHUP);
    forget(client);
    return;
  }
  if (message.kind == MESSAGE_ENTER && client->pid == 0) {
    pid_t child = fork();
    if (child == 0) enter_child(pod->plan, pod->places, pod->caller, &fds, client->connection);
    if (child > 0) client->pid = child;
    else ended(client, STATUS_OWN_FAILURE);
  } else if (message.kind == MESSAGE_SIGNAL && client->pid > 0 && message.value > 0 && message.value < 65) {
    kill(client->pid, message.value);
  }
  message_close_fds(&fds);
}

void clients_event(struct clients *clients, int fd, const struct pod_view *pod) {
  for (int i = 0; i < MAX_CLIENTS; i++)
    if (clients->client[i].connection == fd) {
      from_client(&clients->client[i], pod);
      return;
    }
}
