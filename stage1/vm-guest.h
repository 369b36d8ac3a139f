#ifndef RKT_VM_GUEST_H
#define RKT_VM_GUEST_H

#include <sys/types.h>

#include "app.h"
#include "frame.h"
#include "init.h"

struct vm_app {
  int stdio[3]; /* ours of its pipes: we read its input and write its output */
  int started, ended;
};

struct vm {
  const struct init *init;
  struct plan *plan;
  uint32_t vmm;   /* index of the monitor's section, behind those of the guest's apps */
  pid_t pid;      /* of the monitor */
  int report;     /* of the monitor's start */
  int port;
  struct app_place place;
  struct frame_reader reader;
  struct frame_writer writer;
  struct vm_app app[PLAN_MAX_APPS];
  uint8_t pending[FRAME_DATA]; /* output that an app's pipe has no room for; nothing is read from the guest meanwhile */
  size_t pending_start, pending_end;
  int pending_fd;
  int greeted, ready, ended, status;
  int64_t heard_ms, kill_at_ms;
};

/* The pod ends with a failure of ours, which outer is told. */
void vm_give_up(struct vm *vm, int error, const char *step, const char *object);
/* Acts on the frames that have come from the guest. */
void vm_from_port(struct vm *vm);
/* Writes what an app's pipe had no room for. */
void vm_pass_output(struct vm *vm);

#endif
