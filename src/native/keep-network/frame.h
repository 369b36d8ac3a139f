/* What stage0 sends: two frames, each a batch for netfilter and a list of places; and what it gets back. */
#ifndef RKT_KEEP_NETWORK_FRAME_H
#define RKT_KEEP_NETWORK_FRAME_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define MAX_PORTS 512
#define MAX_BATCH (1U << 20)

/* A port at an address. */
struct place {
    uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
    uint8_t family;   /* 4, 6; 0 for none */
    uint16_t port;
    uint8_t address[16];
};

/* Little endian: u32 size of the batch, the batch, u32 number of places, the places of 20 bytes each. */
struct frame {
    uint8_t *batch;
    uint32_t batch_size;
    uint32_t count;
    struct place places[MAX_PORTS];
};

/* errno of the batch, errno of a place, and its index. */
struct answer {
    uint32_t batch_error;
    uint32_t place_error;
    uint32_t index;
};

/* 0, or -1 at the end of the input or for a frame that is none. */
int frame_read(int fd, struct frame *frame);
int frame_answer(int fd, const struct answer *answer);

/* A socket address for `place`; returns its size. */
socklen_t place_address(const struct place *place, struct sockaddr_storage *address);

#endif
