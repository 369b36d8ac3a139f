#define _GNU_SOURCE
#include "relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct listener {
    struct watch watch;
    struct relay *relay;
};

static struct listener listeners[MAX_PORTS];

int is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return address->ss_family == AF_INET && ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
}

static void dispatch(int epoll, const struct epoll_event *event)
{
    struct watch *watch = event->data.ptr;
    switch (watch->kind) {
    case WATCH_ACCEPT:
        tcp_accept(epoll, ((struct listener *)watch)->relay);
        break;
    case WATCH_DATAGRAMS:
        udp_request(epoll, ((struct listener *)watch)->relay);
        break;
    case WATCH_CONNECTION:
        tcp_event(epoll, watch, event->events);
        break;
    case WATCH_REPLIES:
        udp_reply(watch);
        break;
    }
}

_Noreturn void relay_serve(struct relay *relays, uint32_t count)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        _exit(1);
    for (uint32_t index = 0; index < count; index++) {
        enum watch_kind kind = relays[index].target.protocol == IPPROTO_TCP ? WATCH_ACCEPT : WATCH_DATAGRAMS;
        listeners[index] = (struct listener){.watch = {kind}, .relay = &relays[index]};
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listeners[index]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, relays[index].claim, &event))
            _exit(1);
    }
    for (;;) {
        struct epoll_event events[64];
        int ready = epoll_wait(epoll, events, 64, -1);
        if (ready < 0 && errno != EINTR)
            _exit(1);
        for (int index = 0; index < ready; index++)
            dispatch(epoll, &events[index]);
        tcp_sweep();
    }
}
