#define _GNU_SOURCE
#include "netfilter.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int open_netlink(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address)) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

/* The first error that the kernel reports; it has answered when sendmsg(2) returns. */
static int first_error(int netlink)
{
    union {
        struct nlmsghdr header;
        char bytes[16384];
    } reply;
    int result = 0;
    for (;;) {
        ssize_t size = recv(netlink, &reply, sizeof reply, MSG_DONTWAIT);
        if (size < 0)
            return errno == EAGAIN || result ? result : errno;
        int left = (int)size;
        for (struct nlmsghdr *message = &reply.header; NLMSG_OK(message, (unsigned)left); message = NLMSG_NEXT(message, left)) {
            const struct nlmsgerr *told = NLMSG_DATA(message);
            if (message->nlmsg_type == NLMSG_ERROR && told->error != 0 && result == 0)
                result = -told->error;
        }
    }
}

int netfilter_batch(int *netlink, const uint8_t *batch, size_t size)
{
    if (size == 0)
        return 0;
    if (*netlink < 0)
        *netlink = open_netlink();
    int room = 4 << 20;
    if (*netlink < 0 || setsockopt(*netlink, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room))
        return errno;
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (sendto(*netlink, batch, size, 0, (struct sockaddr *)&kernel, sizeof kernel) != (ssize_t)size)
        return errno;
    return first_error(*netlink);
}
