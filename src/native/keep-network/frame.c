#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_whole(int fd, void *to, size_t size)
{
    for (uint8_t *at = to; size > 0;) {
        ssize_t got = read(fd, at, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        at += got;
        size -= (size_t)got;
    }
    return 0;
}

int frame_read(int fd, struct frame *frame)
{
    *frame = (struct frame){0};
    if (read_whole(fd, &frame->batch_size, sizeof frame->batch_size) || frame->batch_size > MAX_BATCH)
        return -1;
    frame->batch = malloc((size_t)frame->batch_size + 1);
    if (frame->batch == NULL || read_whole(fd, frame->batch, frame->batch_size))
        return -1;
    if (read_whole(fd, &frame->count, sizeof frame->count) || frame->count > MAX_PORTS)
        return -1;
    _Static_assert(sizeof(struct place) == 20, "places are sent as they lie in memory");
    return read_whole(fd, frame->places, sizeof(struct place) * frame->count);
}

int frame_answer(int fd, const struct answer *answer)
{
    return write(fd, answer, sizeof *answer) == (ssize_t)sizeof *answer ? 0 : -1;
}

socklen_t place_address(const struct place *place, struct sockaddr_storage *address)
{
    memset(address, 0, sizeof *address);
    if (place->family == 6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(place->port);
        memcpy(&v6->sin6_addr, place->address, 16);
        return sizeof *v6;
    }
    struct sockaddr_in *v4 = (struct sockaddr_in *)address;
    v4->sin_family = AF_INET;
    v4->sin_port = htons(place->port);
    memcpy(&v4->sin_addr, place->address, 4);
    return sizeof *v4;
}
