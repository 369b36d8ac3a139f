/*
 * What a guest says to the host. The input is what comes out of its port; byte by byte it decides nothing but what its apps may: their
 * output, their ends, and the end of the pod.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../vm-guest.h"
#include "fuzz.h"

enum { APPS = 2 };

static void drain(int fd) {
  char bytes[65536];
  while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
}

static void check(const struct vm *vm) {
  if (vm->pending_end > sizeof vm->pending || vm->pending_start > vm->pending_end || vm->status < 0 || vm->status > 255) abort();
  if (vm->reader.room > FRAME_DATA || vm->writer.end > vm->writer.room) abort();
  for (uint32_t i = APPS; i < PLAN_MAX_APPS; i++)
    if (vm->app[i].started || vm->app[i].ended) abort();
}

int fuzz_one(uint8_t *bytes, size_t size) {
  static struct vm vm;
  static struct op ops[] = {{.code = OP_VM}};
  static struct plan plan = {.pod = {.kind = SECTION_POD, .count = 1, .ops = ops}};
  int port[2], outer[2], output[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, port) || message_pair(outer) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, output)) abort();
  const struct init init = {.outer = outer[0]};
  ops[0].field[0].bytes = (struct bytes){.size = 4, .data = (const uint8_t *)"plan"};
  memset(&vm, 0, sizeof vm);
  vm = (struct vm){.init = &init, .plan = &plan, .vmm = APPS, .port = port[0], .pending_fd = -1, .reader.limit = FRAME_DATA};
  for (int i = 0; i < APPS; i++) vm.app[i].stdio[0] = -1, vm.app[i].stdio[1] = output[0], vm.app[i].stdio[2] = i == 0 ? output[0] : -1;
  for (size_t at = 0, piece = 1 + size % 97; at < size && !vm.ended && vm.port >= 0; at += piece) {
    if (piece > size - at) piece = size - at;
    if (send(port[1], bytes + at, piece, MSG_NOSIGNAL) < 0) break;
    vm_from_port(&vm);
    check(&vm);
    drain(output[1]);
    drain(outer[1]);
    vm_pass_output(&vm);
  }
  int refused = vm.ended && vm.status == STATUS_OWN_FAILURE;
  frame_release(&vm.reader);
  free(vm.writer.buffer);
  for (int i = 0; i < 2; i++) close(outer[i]), close(output[i]);
  if (vm.port >= 0) close(vm.port);
  close(port[1]);
  return refused;
}
