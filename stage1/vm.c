#include "vm.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "app.h"
#include "clock.h"
#include "sys.h"
#include "vm-guest.h"

enum { BOOT_MS = 120000, SILENT_MS = 5000, AFTER_STOP_MS = 3000 };

static void close_app(struct vm_app *app) {
  for (int i = 0; i < 3; i++) {
    close_owned(&app->stdio[i]);
    app->stdio[i] = -1;
  }
}

/* The monitor speaks for the guest's port on its standard input; it holds no other descriptor. */
static void start_monitor(struct vm *vm, struct message_fds *fds, uint32_t cgroups) {
  int port[2], report[2];
  if (cgroups > MAX_CGROUPS || cgroups + 3 > fds->count || vm->pid) {
    vm_give_up(vm, EBADMSG, "start", "virtual machine");
    return;
  }
  fds->count -= cgroups;
  vm->place.cgroups = cgroups;
  memcpy(vm->place.cgroup, fds->fd + fds->count, sizeof(int) * cgroups);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, port) || message_pair(report)) {
    vm_give_up(vm, errno, "start", "virtual machine");
    return;
  }
  int *input = &fds->fd[fds->count - 3];
  close(*input);
  *input = port[1];
  vm->pid = fork();
  if (vm->pid == 0) {
    close(report[0]);
    close(port[0]);
    app_child(&vm->plan->app[vm->vmm], vm->init->caller, fds, &vm->place, report[1]);
  }
  close(report[1]);
  vm->report = report[0];
  vm->port = port[0];
  fcntl(vm->port, F_SETFL, O_NONBLOCK);
  vm->heard_ms = now_ms();
  if (vm->pid < 0) vm_give_up(vm, errno, "start", "virtual machine");
}

static void take_start(struct vm *vm, const struct message *start, struct message_fds *fds) {
  if (start->app == vm->vmm) {
    start_monitor(vm, fds, start->cgroups);
    return;
  }
  if (start->app > vm->vmm || fds->count != 3 || vm->app[start->app].stdio[1] >= 0) {
    vm_give_up(vm, EBADMSG, "start app", "descriptors");
    return;
  }
  for (int i = 0; i < 3; i++) {
    vm->app[start->app].stdio[i] = fds->fd[i];
    fcntl(fds->fd[i], F_SETFL, O_NONBLOCK);
  }
  fds->count = 0;
}

/* Programs cannot be brought into a machine yet: the client is told. */
static void turn_away(struct message_fds *fds) {
  struct message failed = {.version = CONTROL_VERSION, .kind = MESSAGE_FAILED};
  fail_as(&failed.fail, EOPNOTSUPP, "enter", "a virtual machine");
  if (fds->count) message_send(fds->fd[0], &failed, NULL);
}

static void from_outer(struct vm *vm) {
  struct message message;
  struct message_fds fds;
  if (message_receive(vm->init->outer, &message, &fds) <= 0) {
    vm->ended = 1;
    vm->status = 128 + SIGKILL;
    return;
  }
  if (message.kind == MESSAGE_START) take_start(vm, &message, &fds);
  else if (message.kind == MESSAGE_CLIENT) turn_away(&fds);
  message_close_fds(&fds);
}

static void from_monitor_start(struct vm *vm) {
  struct message message;
  struct message_fds fds;
  if (message_receive(vm->report, &message, &fds) <= 0) {
    close_owned(&vm->report);
    vm->report = -1;
    return;
  }
  if (message.kind == MESSAGE_FAILED) vm_give_up(vm, message.fail.error, message.fail.step, message.fail.object);
  message_close_fds(&fds);
}

static void read_input(struct vm *vm, uint16_t index) {
  uint8_t chunk[FRAME_DATA];
  struct vm_app *app = &vm->app[index];
  ssize_t got = read(app->stdio[0], chunk, sizeof chunk);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got > 0) {
    frame_put(&vm->writer, FRAME_DATA_KIND, index, 0, chunk, (uint32_t)got);
    return;
  }
  frame_put(&vm->writer, FRAME_EOF, index, 0, NULL, 0);
  close_owned(&app->stdio[0]);
  app->stdio[0] = -1;
}

static void on_signal(struct vm *vm, int signals) {
  struct signalfd_siginfo info;
  const struct op *timeout = section_find(&vm->plan->pod, OP_STOP_TIMEOUT);
  while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
    uint32_t number = info.ssi_signo;
    int stops = number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGHUP;
    if (!stops && number != SIGUSR1 && number != SIGUSR2) continue;
    if (vm->greeted) frame_put_number(&vm->writer, FRAME_STOP, 0, number);
    if (stops && !vm->kill_at_ms) vm->kill_at_ms = now_ms() + (vm->ready ? AFTER_STOP_MS + (int64_t)(timeout ? timeout->field[0].number : 10000) : 0);
  }
}

static void reap(struct vm *vm) {
  int status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != vm->pid) continue;
    vm->pid = -1;
    /* What it has said before still counts. */
    while (vm->report >= 0) from_monitor_start(vm);
    if (vm->port >= 0) vm_from_port(vm);
    vm_give_up(vm, ECHILD, "go on without", "the virtual machine");
  }
}

static void check_time(struct vm *vm) {
  int64_t now = now_ms();
  if (vm->kill_at_ms && now >= vm->kill_at_ms) {
    vm->ended = 1;
    vm->status = 128 + SIGKILL;
  }
  /* While an app's reader holds us up the guest cannot be heard. */
  if (vm->pending_end) vm->heard_ms = now;
  if (vm->pid > 0 && now - vm->heard_ms > (vm->greeted ? SILENT_MS : BOOT_MS)) vm_give_up(vm, ETIMEDOUT, "hear from", "the guest");
}

static size_t collect(struct vm *vm, int signals, struct pollfd *polls) {
  size_t count = 0;
  polls[count++] = (struct pollfd){.fd = vm->init->outer, .events = POLLIN};
  polls[count++] = (struct pollfd){.fd = signals, .events = POLLIN};
  polls[count++] = (struct pollfd){.fd = vm->report, .events = POLLIN};
  short events = (short)((vm->pending_end ? 0 : POLLIN) | (frame_waits(&vm->writer) ? POLLOUT : 0));
  polls[count++] = (struct pollfd){.fd = vm->port, .events = events};
  polls[count++] = (struct pollfd){.fd = vm->pending_end ? vm->pending_fd : -1, .events = POLLOUT};
  for (uint32_t i = 0; i < vm->vmm; i++)
    polls[count++] = (struct pollfd){.fd = vm->ready && !frame_waits(&vm->writer) ? vm->app[i].stdio[0] : -1, .events = POLLIN};
  return count;
}

enum { POLL_OUTER, POLL_SIGNALS, POLL_REPORT, POLL_PORT, POLL_PENDING, POLL_INPUTS };

static void turn(struct vm *vm, int signals) {
  struct pollfd polls[POLL_INPUTS + PLAN_MAX_APPS];
  size_t count = collect(vm, signals, polls);
  int ready = poll(polls, count, 500);
  if (ready < 0 && errno != EINTR) vm_give_up(vm, errno, "wait for", "the guest");
  if (ready > 0) {
    if (polls[POLL_OUTER].revents) from_outer(vm);
    if (polls[POLL_REPORT].revents) from_monitor_start(vm);
    if (polls[POLL_PENDING].revents) vm_pass_output(vm);
    if (polls[POLL_PORT].revents & (POLLIN | POLLHUP)) vm_from_port(vm);
    for (size_t i = POLL_INPUTS; i < count; i++)
      if (polls[i].revents) read_input(vm, (uint16_t)(i - POLL_INPUTS));
    if (polls[POLL_SIGNALS].revents) on_signal(vm, signals);
  }
  if (vm->port >= 0 && frame_flush(&vm->writer, vm->port)) {
    close_owned(&vm->port);
    vm->port = -1;
  }
  reap(vm);
  check_time(vm);
}

int vm_serve(const struct init *init, int signals) {
  static struct vm vm;
  vm.init = init;
  vm.plan = init->plan;
  vm.vmm = init->plan->apps - 1;
  vm.report = vm.port = vm.pending_fd = -1;
  vm.reader.limit = FRAME_DATA;
  vm.heard_ms = now_ms();
  for (uint32_t i = 0; i < PLAN_MAX_APPS; i++) vm.app[i] = (struct vm_app){.stdio = {-1, -1, -1}};
  while (!vm.ended) turn(&vm, signals);
  for (int64_t until = now_ms() + AFTER_STOP_MS; vm.pending_end && now_ms() < until;) {
    struct pollfd room = {.fd = vm.pending_fd, .events = POLLOUT};
    poll(&room, 1, 100);
    vm_pass_output(&vm);
  }
  if (vm.pid > 0) {
    kill(vm.pid, SIGKILL);
    waitpid(vm.pid, NULL, 0);
  }
  for (uint32_t i = 0; i < vm.vmm; i++) close_app(&vm.app[i]);
  frame_release(&vm.reader);
  return vm.status;
}
