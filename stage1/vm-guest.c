/* What the guest says, and what is made of it: its frames are as little to be trusted as its apps. */
#include "vm-guest.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "clock.h"
#include "sys.h"

enum { HELLO_HEAD = 80, RANDOM_AT = 16, RANDOM_SIZE = 64 };

static void tell(const struct vm *vm, enum message_kind kind, uint32_t app, int value) {
  struct message message = {.version = CONTROL_VERSION, .kind = kind, .app = app, .value = value};
  message_send(vm->init->outer, &message, NULL);
}

void vm_give_up(struct vm *vm, int error, const char *step, const char *object) {
  if (vm->ended) return;
  struct message failed = {.version = CONTROL_VERSION, .kind = MESSAGE_FAILED, .app = UINT32_MAX};
  fail_as(&failed.fail, error, step, object);
  message_send(vm->init->outer, &failed, NULL);
  vm->ended = 1;
  vm->status = STATUS_OWN_FAILURE;
}

static void greet(struct vm *vm) {
  const struct op *op = section_find(&vm->plan->pod, OP_VM);
  static uint8_t hello[FRAME_HELLO];
  struct timespec now;
  if (vm->greeted || op->field[0].bytes.size > FRAME_HELLO - HELLO_HEAD) {
    vm_give_up(vm, EPROTO, "greet", "the guest");
    return;
  }
  vm->greeted = 1;
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
  hello[0] = FRAME_VERSION;
  for (int i = 0; i < 8; i++) hello[8 + i] = (uint8_t)(ns >> (8 * i));
  if (getrandom(hello + RANDOM_AT, RANDOM_SIZE, 0) != RANDOM_SIZE) {
    vm_give_up(vm, errno, "draw", "random bytes");
    return;
  }
  memcpy(hello + HELLO_HEAD, op->field[0].bytes.data, op->field[0].bytes.size);
  frame_put(&vm->writer, FRAME_HELLO_KIND, 0, 0, hello, HELLO_HEAD + op->field[0].bytes.size);
  explicit_bzero(hello, HELLO_HEAD);
}

void vm_pass_output(struct vm *vm) {
  while (vm->pending_start < vm->pending_end) {
    ssize_t put = write(vm->pending_fd, vm->pending + vm->pending_start, vm->pending_end - vm->pending_start);
    if (put < 0 && errno == EAGAIN) return;
    if (put <= 0) break;
    vm->pending_start += (size_t)put;
  }
  vm->pending_start = vm->pending_end = 0;
}

static void guest_failed(struct vm *vm, const struct frame *frame) {
  char text[FRAME_TEXT + 1];
  uint32_t size = frame->size - 4;
  memcpy(text, frame->body + 4, size);
  text[size] = 0;
  vm_give_up(vm, (int)(frame_number(frame->body, 0) & 0xfff), "run the guest", text);
}

/* Returns -1 for what a guest must not say: it may be the work of an app that has taken it over. */
static int from_guest(struct vm *vm, const struct frame *frame) {
  struct vm_app *app = frame->app < vm->vmm ? &vm->app[frame->app] : NULL;
  uint32_t number = frame->size == 4 ? frame_number(frame->body, 0) : 0;
  if (frame->kind == FRAME_ALIVE && frame->size == 4 && number == FRAME_VERSION) {
    if (!vm->greeted) greet(vm);
    return 0;
  }
  if (!vm->greeted) return -1;
  if (frame->kind == FRAME_FAILED && frame->size >= 4 && frame->size <= 4 + FRAME_TEXT) {
    guest_failed(vm, frame);
  } else if (frame->kind == FRAME_END && frame->size == 4 && number < 256) {
    vm->ended = 1;
    vm->status = (int)number;
  } else if (frame->kind == FRAME_READY && frame->size == 0 && !vm->ready) {
    vm->ready = 1;
    tell(vm, MESSAGE_READY, 0, 0);
  } else if (!app) {
    return -1;
  } else if (frame->kind == FRAME_STARTED && frame->size == 4 && !app->started) {
    app->started = 1;
    tell(vm, MESSAGE_STARTED, frame->app, (int)(number & 0x7fffffff));
  } else if (frame->kind == FRAME_EXITED && frame->size == 4 && number < 256 && !app->ended) {
    app->ended = 1;
    tell(vm, MESSAGE_EXITED, frame->app, (int)number);
  } else if (frame->kind == FRAME_DATA_KIND && (frame->stream == 1 || frame->stream == 2) && frame->size > 0) {
    if (app->stdio[frame->stream] < 0) return 0;
    memcpy(vm->pending, frame->body, frame->size);
    vm->pending_fd = app->stdio[frame->stream];
    vm->pending_end = frame->size;
    vm_pass_output(vm);
  } else {
    return -1;
  }
  return 0;
}

void vm_from_port(struct vm *vm) {
  struct frame frame;
  while (!vm->pending_end && !vm->ended) {
    int got = frame_read(&vm->reader, vm->port, &frame);
    if (got == 0) return;
    if (got < 0 && errno != EPROTO && vm->reader.got < FRAME_HEAD) {
      close_owned(&vm->port);
      vm->port = -1;
      return;
    }
    vm->heard_ms = now_ms();
    if (got < 0 || from_guest(vm, &frame)) vm_give_up(vm, EPROTO, "understand", "the guest");
  }
}
