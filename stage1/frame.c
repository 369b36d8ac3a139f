#include "frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint32_t frame_number(const uint8_t *body, size_t offset) {
  const uint8_t *p = body + offset;
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_number(uint8_t *p, uint32_t value) {
  for (int i = 0; i < 4; i++) p[i] = (uint8_t)(value >> (8 * i));
}

static int make_room(struct frame_reader *reader, size_t size) {
  if (reader->room >= size) return 0;
  uint8_t *larger = realloc(reader->body, size);
  if (!larger) return -1;
  reader->body = larger;
  reader->room = size;
  return 0;
}

int frame_read(struct frame_reader *reader, int fd, struct frame *frame) {
  for (;;) {
    size_t wanted = FRAME_HEAD, size = 0;
    uint8_t *to = reader->head + reader->got;
    if (reader->got >= FRAME_HEAD) {
      size = frame_number(reader->head, 0);
      /* ATTACK: the other side says how much memory we take: only as much as its kind may have. */
      if (size > reader->limit || make_room(reader, size)) return -1;
      wanted = FRAME_HEAD + size;
      to = reader->body + (reader->got - FRAME_HEAD);
    }
    if (reader->got >= FRAME_HEAD && reader->got == wanted) {
      *frame = (struct frame){.size = (uint32_t)size, .kind = reader->head[4], .stream = reader->head[5],
                              .app = (uint16_t)(reader->head[6] | reader->head[7] << 8), .body = reader->body};
      reader->got = 0;
      return 1;
    }
    ssize_t got = read(fd, to, wanted - reader->got);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (got <= 0) return -1;
    reader->got += (size_t)got;
  }
}

void frame_release(struct frame_reader *reader) {
  free(reader->body);
  *reader = (struct frame_reader){0};
}

int frame_put(struct frame_writer *writer, uint8_t kind, uint16_t app, uint8_t stream, const void *body, uint32_t size) {
  if (writer->start == writer->end) writer->start = writer->end = 0;
  size_t needed = writer->end + FRAME_HEAD + size;
  if (needed > writer->room) {
    uint8_t *larger = realloc(writer->buffer, needed);
    if (!larger) return -1;
    writer->buffer = larger;
    writer->room = needed;
  }
  uint8_t *head = writer->buffer + writer->end;
  put_number(head, size);
  head[4] = kind;
  head[5] = stream;
  head[6] = (uint8_t)app;
  head[7] = (uint8_t)(app >> 8);
  if (size) memcpy(head + FRAME_HEAD, body, size);
  writer->end = needed;
  return 0;
}

int frame_put_number(struct frame_writer *writer, uint8_t kind, uint16_t app, uint32_t number) {
  uint8_t body[4];
  put_number(body, number);
  return frame_put(writer, kind, app, 0, body, sizeof body);
}

int frame_waits(const struct frame_writer *writer) { return writer->start < writer->end; }

int frame_flush(struct frame_writer *writer, int fd) {
  while (frame_waits(writer)) {
    ssize_t put = write(fd, writer->buffer + writer->start, writer->end - writer->start);
    if (put < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (put <= 0) return -1;
    writer->start += (size_t)put;
  }
  return 0;
}
