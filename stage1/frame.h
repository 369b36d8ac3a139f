/*
 * What host and guest of a virtual machine say to each other over one virtio-serial port: frames of a head and a body. Neither side trusts
 * the other: a frame of an unknown kind, for an unknown app or longer than its kind allows ends the pod. specs/guest-protocol.md.
 */
#ifndef RKT_FRAME_H
#define RKT_FRAME_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_HEAD = 8, FRAME_DATA = 32768, FRAME_HELLO = (4 << 20) + 4096, FRAME_TEXT = 512, FRAME_VERSION = 1 };

enum frame_kind {
  /* host → guest */
  FRAME_HELLO_KIND = 1, /* u32 version, u32 zero, u64 nanoseconds since 1970, 64 random bytes, the guest's launch plan */
  FRAME_STOP,           /* u32 signal, to pod init */
  /* both */
  FRAME_DATA_KIND = 8, /* bytes of descriptor `stream` of `app` */
  FRAME_EOF,           /* no more of them */
  /* guest → host */
  FRAME_ALIVE = 16, /* u32 version; the first one, then about one a second */
  FRAME_STARTED,    /* u32 pid in the guest */
  FRAME_EXITED,     /* u32 exit status */
  FRAME_READY,      /* every app was started */
  FRAME_FAILED,     /* u32 errno, then at most FRAME_TEXT bytes of text */
  FRAME_END,        /* u32 exit status of the pod */
};

struct frame {
  uint32_t size; /* of the body */
  uint8_t kind;
  uint8_t stream;
  uint16_t app;
  const uint8_t *body;
};

/* Reads frames from a descriptor that may give them in pieces. */
struct frame_reader {
  uint8_t head[FRAME_HEAD];
  uint8_t *body;
  size_t room, got; /* bytes of head and body that have come */
  size_t limit;     /* the longest body that is taken */
};

/* Reads what there is. Returns 1 with a whole frame, valid until the next call, 0 when more must come, -1 at the end or for a bad frame. */
int frame_read(struct frame_reader *reader, int fd, struct frame *frame);
void frame_release(struct frame_reader *reader);

/* Holds what the descriptor does not take at once. */
struct frame_writer {
  uint8_t *buffer;
  size_t start, end, room;
};

/* Queues a frame. Returns -1 without memory. */
int frame_put(struct frame_writer *writer, uint8_t kind, uint16_t app, uint8_t stream, const void *body, uint32_t size);
int frame_put_number(struct frame_writer *writer, uint8_t kind, uint16_t app, uint32_t number);
/* Writes what the descriptor takes. Returns -1 when it takes no more for ever. */
int frame_flush(struct frame_writer *writer, int fd);
int frame_waits(const struct frame_writer *writer);
/* The u32 at an offset of a body. */
uint32_t frame_number(const uint8_t *body, size_t offset);

#endif
