#define _GNU_SOURCE
#include "relay.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define MAX_CONNECTIONS 256
#define BUFFER 16384

struct connection;

/* One end: what it has sent and the other end has not taken yet. */
struct end {
    struct watch watch;
    int fd;
    uint32_t interest;
    int closed; /* it sends no more */
    int shut;   /* it was told that the other end sends no more */
    size_t from, to;
    struct connection *connection;
    uint8_t bytes[BUFFER];
};

struct connection {
    struct end end[2]; /* the client, the pod */
    int connecting;
    int dead;
    struct connection *next;
};

static struct connection *connections;
static int connection_count;

static struct end *other(struct end *end)
{
    return &end->connection->end[end == &end->connection->end[0]];
}

/* Resets instead of an orderly end, so that a client sees a refusal. */
static void abort_socket(int fd)
{
    struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static int watch_end(int epoll, struct end *end, int operation)
{
    int connecting = end->connection->connecting;
    uint32_t interest = 0;
    /* A socket that is closed both ways reports so for ever, while what it has sent may still wait for the other end. */
    if (end->closed && end->shut)
        return epoll_ctl(epoll, EPOLL_CTL_DEL, end->fd, NULL) && errno != ENOENT ? -1 : 0;
    if (!connecting && !end->closed && end->to == 0)
        interest |= EPOLLIN;
    if (other(end)->to > 0 || (connecting && end == &end->connection->end[1]))
        interest |= EPOLLOUT;
    if (operation == EPOLL_CTL_MOD && interest == end->interest)
        return 0;
    end->interest = interest;
    struct epoll_event event = {.events = interest, .data.ptr = end};
    return epoll_ctl(epoll, operation, end->fd, &event);
}

void tcp_accept(int epoll, const struct relay *relay)
{
    int client = accept4(relay->claim, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0)
        return;
    struct sockaddr_storage local = {0}, target;
    socklen_t size = sizeof local;
    struct connection *made = NULL;
    if (getsockname(client, (struct sockaddr *)&local, &size) == 0 && is_loopback(&local) && relay->target.family != 0 &&
        connection_count < MAX_CONNECTIONS)
        made = calloc(1, sizeof *made);
    if (made == NULL) {
        abort_socket(client);
        return;
    }
    size = place_address(&relay->target, &target);
    int pod = socket(target.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (pod < 0 || (connect(pod, (struct sockaddr *)&target, size) && errno != EINPROGRESS)) {
        if (pod >= 0)
            close(pod);
        free(made);
        abort_socket(client);
        return;
    }
    int yes = 1;
    for (int index = 0; index < 2; index++) {
        int fd = index == 0 ? client : pod;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        made->end[index].watch.kind = WATCH_CONNECTION;
        made->end[index].fd = fd;
        made->end[index].connection = made;
    }
    made->connecting = 1;
    made->next = connections;
    connections = made;
    connection_count++;
    if (watch_end(epoll, &made->end[0], EPOLL_CTL_ADD) || watch_end(epoll, &made->end[1], EPOLL_CTL_ADD))
        made->dead = 1;
}

/* Takes what `end` sends, while nothing of it waits. -1 when it is broken. */
static int take(struct end *end)
{
    if (end->closed || end->to > 0)
        return 0;
    ssize_t got = recv(end->fd, end->bytes, BUFFER, 0);
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (got == 0)
        end->closed = 1;
    end->from = 0;
    end->to = (size_t)got;
    return 0;
}

/* Gives `end` what the other one has sent, and its end of file. */
static int give(struct end *end)
{
    struct end *source = other(end);
    while (source->from < source->to) {
        ssize_t put = send(end->fd, source->bytes + source->from, source->to - source->from, MSG_NOSIGNAL);
        if (put < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -1;
        source->from += (size_t)put;
    }
    source->from = source->to = 0;
    if (source->closed && !end->shut) {
        end->shut = 1;
        shutdown(end->fd, SHUT_WR);
    }
    return 0;
}

static int connected(struct connection *connection)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(connection->end[1].fd, SOL_SOCKET, SO_ERROR, &error, &size) || error != 0)
        return -1;
    connection->connecting = 0;
    return 0;
}

static int advance(struct connection *connection)
{
    for (int index = 0; index < 2; index++)
        if (take(&connection->end[index]) || give(&connection->end[1 - index]))
            return -1;
    return connection->end[0].shut && connection->end[1].shut ? -1 : 0;
}

void tcp_event(int epoll, struct watch *watch, uint32_t events)
{
    struct end *end = (struct end *)watch;
    struct connection *connection = end->connection;
    if (connection->dead)
        return;
    int gone = (events & EPOLLERR) != 0;
    if (connection->connecting && end == &connection->end[1])
        gone = connected(connection);
    else if (connection->connecting)
        gone |= (events & EPOLLHUP) != 0;
    if (!gone && !connection->connecting)
        gone = advance(connection);
    if (gone || watch_end(epoll, &connection->end[0], EPOLL_CTL_MOD) || watch_end(epoll, &connection->end[1], EPOLL_CTL_MOD))
        connection->dead = 1;
}

void tcp_sweep(void)
{
    for (struct connection **at = &connections; *at != NULL;) {
        struct connection *connection = *at;
        if (!connection->dead) {
            at = &connection->next;
            continue;
        }
        *at = connection->next;
        for (int index = 0; index < 2; index++) {
            if (connection->end[0].shut && connection->end[1].shut)
                close(connection->end[index].fd);
            else
                abort_socket(connection->end[index].fd);
        }
        free(connection);
        connection_count--;
    }
}
