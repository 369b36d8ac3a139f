#define _GNU_SOURCE
#include "claims.h"

#include <errno.h>
#include <unistd.h>

/*
 * A TCP socket listens at once: with SO_REUSEADDR, which remnants of old connections make necessary, only a listening one keeps others
 * off. A UDP socket says to which address of the host a datagram came.
 */
static int prepare(int fd, const struct place *place)
{
    int yes = 1;
    if (place->family == 6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes))
        return -1;
    if (place->protocol == IPPROTO_TCP)
        return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (place->family == 6)
        return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &yes, sizeof yes);
    return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes);
}

int claim_port(const struct place *place)
{
    struct sockaddr_storage address;
    socklen_t size = place_address(place, &address);
    int type = place->protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, place->protocol);
    if (fd < 0)
        return -1;
    if (prepare(fd, place) || bind(fd, (struct sockaddr *)&address, size) || (type == SOCK_STREAM && listen(fd, 128))) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}
