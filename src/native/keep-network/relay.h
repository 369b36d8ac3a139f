/*
 * Connections to a port of the pod that come over the loopback interface. The packet rules leave those alone: forwarding them would need
 * route_localnet, which opens 127.0.0.1 of the host to pods and neighbours (CVE-2020-8558).
 */
#ifndef RKT_KEEP_NETWORK_RELAY_H
#define RKT_KEEP_NETWORK_RELAY_H

#include "frame.h"

struct relay {
    int claim;
    struct place target; /* family 0: nothing is passed on */
};

enum watch_kind { WATCH_ACCEPT, WATCH_DATAGRAMS, WATCH_CONNECTION, WATCH_REPLIES };

/* First member of everything that epoll points to. */
struct watch {
    enum watch_kind kind;
};

/* Serves until the process is killed. */
_Noreturn void relay_serve(struct relay *relays, uint32_t count);

int is_loopback(const struct sockaddr_storage *address);

void tcp_accept(int epoll, const struct relay *relay);
void tcp_event(int epoll, struct watch *watch, uint32_t events);
/* Frees what ended since the last call; to be called when no event of a round is left. */
void tcp_sweep(void);

void udp_request(int epoll, struct relay *relay);
void udp_reply(struct watch *watch);

#endif
