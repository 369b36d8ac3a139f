#define _GNU_SOURCE
#include "relay.h"

#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define MAX_SESSIONS 128

/* One client of one port: what it sends goes out of a socket of its own, so that answers find the way back. */
struct session {
    struct watch watch;
    int fd; /* 0 for none: that number is epoll's */
    struct relay *relay;
    struct sockaddr_storage client;
    struct sockaddr_storage local; /* the address of the host that the client used */
    time_t used;
};

static struct session sessions[MAX_SESSIONS];
static uint8_t datagram[65536];

static time_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* Reads one datagram, who sent it and to which address of the host. */
static ssize_t receive(int claim, struct sockaddr_storage *client, struct sockaddr_storage *local)
{
    union {
        struct cmsghdr header;
        char bytes[256];
    } control;
    memset(client, 0, sizeof *client);
    memset(local, 0, sizeof *local);
    struct iovec data = {.iov_base = datagram, .iov_len = sizeof datagram};
    struct msghdr message = {.msg_name = client, .msg_namelen = sizeof *client, .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t size = recvmsg(claim, &message, MSG_DONTWAIT);
    for (struct cmsghdr *item = size < 0 ? NULL : CMSG_FIRSTHDR(&message); item != NULL; item = CMSG_NXTHDR(&message, item)) {
        if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
            local->ss_family = AF_INET;
            ((struct sockaddr_in *)local)->sin_addr = ((struct in_pktinfo *)(void *)CMSG_DATA(item))->ipi_addr;
        } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
            local->ss_family = AF_INET6;
            ((struct sockaddr_in6 *)local)->sin6_addr = ((struct in6_pktinfo *)(void *)CMSG_DATA(item))->ipi6_addr;
        }
    }
    return size;
}

static void end_session(struct session *session)
{
    if (session->fd > 0)
        close(session->fd);
    memset(session, 0, sizeof *session);
}

/* The session of a client, or a new one in the place of that which was silent for longest. */
static struct session *find(int epoll, struct relay *relay, const struct sockaddr_storage *client, const struct sockaddr_storage *local)
{
    struct session *oldest = &sessions[0];
    for (int index = 0; index < MAX_SESSIONS; index++) {
        struct session *session = &sessions[index];
        if (session->fd > 0 && session->relay == relay && memcmp(&session->client, client, sizeof *client) == 0 &&
            memcmp(&session->local, local, sizeof *local) == 0)
            return session;
        if (session->used < oldest->used)
            oldest = session;
    }
    end_session(oldest);
    struct sockaddr_storage target;
    socklen_t size = place_address(&relay->target, &target);
    int fd = socket(target.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
    *oldest = (struct session){.watch = {WATCH_REPLIES}, .fd = fd, .relay = relay, .client = *client, .local = *local};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = oldest};
    if (fd < 0 || connect(fd, (struct sockaddr *)&target, size) || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) {
        end_session(oldest);
        return NULL;
    }
    return oldest;
}

void udp_request(int epoll, struct relay *relay)
{
    struct sockaddr_storage client, local;
    ssize_t size = receive(relay->claim, &client, &local);
    if (size < 0 || !is_loopback(&local) || relay->target.family == 0)
        return;
    struct session *session = find(epoll, relay, &client, &local);
    if (session == NULL)
        return;
    session->used = now();
    send(session->fd, datagram, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Answers from the address that the client has asked. */
static void answer(const struct session *session, size_t size)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control = {0};
    int v6 = session->local.ss_family == AF_INET6;
    size_t info = v6 ? sizeof(struct in6_pktinfo) : sizeof(struct in_pktinfo);
    struct iovec data = {.iov_base = datagram, .iov_len = size};
    struct msghdr message = {
        .msg_name = (void *)&session->client,
        .msg_namelen = v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in),
        .msg_iov = &data,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = (socklen_t)CMSG_SPACE(info),
    };
    struct cmsghdr *item = CMSG_FIRSTHDR(&message);
    item->cmsg_len = (socklen_t)CMSG_LEN(info);
    item->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    item->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
    if (v6)
        ((struct in6_pktinfo *)(void *)CMSG_DATA(item))->ipi6_addr = ((const struct sockaddr_in6 *)&session->local)->sin6_addr;
    else
        ((struct in_pktinfo *)(void *)CMSG_DATA(item))->ipi_spec_dst = ((const struct sockaddr_in *)&session->local)->sin_addr;
    sendmsg(session->relay->claim, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void udp_reply(struct watch *watch)
{
    struct session *session = (struct session *)watch;
    if (session->fd <= 0)
        return;
    ssize_t size = recv(session->fd, datagram, sizeof datagram, MSG_DONTWAIT);
    if (size < 0)
        return;
    session->used = now();
    answer(session, (size_t)size);
}
