#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <linux/random.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>

#include "clock.h"
#include "frame.h"
#include "mirror.h"
#include "outer.h"
#include "supervise.h"
#include "sys.h"
#include "verity.h"

enum { HELLO_HEAD = 80, RANDOM_AT = 16, RANDOM_SIZE = 64, ALIVE_EVERY_MS = 1000, PORT_MS = 10000 };

struct guest {
  struct mirror mirror; /* first: the callbacks get it */
  int port;
  struct frame_reader reader;
  struct frame_writer writer;
  int64_t told_alive_ms;
  int input;           /* of the app that does not take its input fast enough; -1: none */
  uint8_t pending[FRAME_DATA];
  size_t pending_start, pending_end;
};

static int mount_on(const char *type, const char *place, unsigned long flags, const char *options, struct fail *f) {
  if (mkdir(place, 0755) && errno != EEXIST) return fail(f, "make", place);
  return mount(type, place, type, flags, options) ? fail(f, "mount", place) : 0;
}

/*
 * The kernel's first root cannot be changed by pivot_root(2), which pod init and every app do, and its threads share our root and working
 * directory, which setns(2) does not take.
 */
static int leave_first_root(struct fail *f) {
  if (unshare(CLONE_FS)) return fail(f, "leave", "first root");
  if (mount("tmpfs", "/mnt", "tmpfs", MS_NODEV, "mode=0755") || chdir("/mnt") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
    return fail(f, "leave", "first root");
  return mkdir("/mnt", 0755) || mkdir("/tmp", 0755) ? fail(f, "make", "/mnt") : 0;
}

static int prepare(struct fail *f) {
  const unsigned long plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  umask(0022);
  if (leave_first_root(f)) return -1;
  if (mount_on("devtmpfs", "/dev", MS_NOSUID | MS_NOEXEC, "mode=0755", f) || mount_on("proc", "/proc", plain, NULL, f) ||
      mount_on("sysfs", "/sys", plain, NULL, f) || mount_on("cgroup2", "/sys/fs/cgroup", plain, NULL, f) ||
      mount_on("tmpfs", "/pod", MS_NODEV, "mode=0700", f))
    return -1;
  for (const char *const *path = (const char *const[]){"/disks", "/pod/stage1", "/pod/stage1/rootfs", "/pod/stage1/rootfs/rkt", "/pod/stage1/rootfs/rkt/status", NULL}; *path; path++)
    if (mkdir(*path, 0750) && errno != EEXIST) return fail(f, "make", *path);
  return 0;
}

/* Reads the next frame, however long it takes. */
static int wait_for_frame(struct guest *guest, struct frame *frame, struct fail *f) {
  for (;;) {
    int got = frame_read(&guest->reader, guest->port, frame);
    if (got > 0) return 0;
    if (got < 0) return fail_as(f, EPROTO, "read from", "the host");
    struct pollfd ready = {.fd = guest->port, .events = POLLIN};
    poll(&ready, 1, -1);
  }
}

static int send_all(struct guest *guest) {
  while (frame_waits(&guest->writer)) {
    if (frame_flush(&guest->writer, guest->port)) return -1;
    struct pollfd ready = {.fd = guest->port, .events = POLLOUT};
    if (frame_waits(&guest->writer)) poll(&ready, 1, -1);
  }
  return 0;
}

/* Two machines from one image must share no random number: what the host drew is mixed in before any program of the pod runs. */
static int take_randomness(const uint8_t *bytes, struct fail *f) {
  struct {
    int entropy, size;
    uint8_t bytes[RANDOM_SIZE];
  } pool = {.entropy = RANDOM_SIZE * 8, .size = RANDOM_SIZE};
  memcpy(pool.bytes, bytes, RANDOM_SIZE);
  own int random = open("/dev/urandom", O_RDWR | O_CLOEXEC);
  if (random < 0 || ioctl(random, RNDADDENTROPY, &pool) || ioctl(random, RNDRESEEDCRNG)) return fail(f, "take randomness from", "the host");
  return 0;
}

static int take_time(const uint8_t *body, struct fail *f) {
  uint64_t ns = frame_number(body, 8) | (uint64_t)frame_number(body, 12) << 32;
  struct timespec now = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
  return clock_settime(CLOCK_REALTIME, &now) ? fail(f, "set", "clock") : 0;
}

/* The plan as a file that cannot change, as the launcher reads it on a host. */
static int take_plan(const struct frame *hello, struct fail *f) {
  own int fd = memfd_create("plan", MFD_CLOEXEC);
  size_t size = hello->size - HELLO_HEAD;
  for (size_t at = 0; fd >= 0 && at < size;) {
    ssize_t put = write(fd, hello->body + HELLO_HEAD + at, size - at);
    if (put <= 0) return fail(f, "keep", "plan");
    at += (size_t)put;
  }
  if (fd < 0 || lseek(fd, 0, SEEK_SET)) return fail(f, "keep", "plan");
  return move_fd(&fd);
}

static int take_hello(struct guest *guest, struct fail *f) {
  struct frame hello;
  guest->reader.limit = FRAME_HELLO;
  if (frame_put_number(&guest->writer, FRAME_ALIVE, 0, FRAME_VERSION) || send_all(guest)) return fail_as(f, EPROTO, "talk to", "the host");
  if (wait_for_frame(guest, &hello, f)) return -1;
  if (hello.kind != FRAME_HELLO_KIND || hello.size <= HELLO_HEAD || frame_number(hello.body, 0) != FRAME_VERSION)
    return fail_as(f, EPROTO, "understand", "the host");
  guest->reader.limit = FRAME_DATA;
  if (take_randomness(hello.body + RANDOM_AT, f) || take_time(hello.body, f)) return -1;
  return take_plan(&hello, f);
}

static int mount_disks(int plan_fd, struct fail *f) {
  static struct plan plan;
  if (plan_read(plan_fd, &plan, f) || lseek(plan_fd, 0, SEEK_SET)) return fail(f, "read", "plan");
  for_each_op(op, &plan.pod) {
    if (op->code == OP_DISK && verity_mount(op, f)) return -1;
  }
  for_each_op(op, &plan.pod) {
    if (op->code != OP_GUEST_DIRECTORY) continue;
    if (mkdir(op->field[0].text, (mode_t)op->field[1].number)) return fail(f, "make", op->field[0].text);
  }
  for_each_op(op, &plan.pod) {
    if (op->code != OP_GUEST_FILE) continue;
    own int fd = open(op->field[0].text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, op->field[1].bytes.data, op->field[1].bytes.size) != (ssize_t)op->field[1].bytes.size)
      return fail(f, "write", op->field[0].text);
  }
  return 0;
}

static void on_message(struct mirror *mirror, const struct message *message) {
  struct guest *guest = (struct guest *)(void *)mirror;
  uint16_t app = (uint16_t)message->app;
  if (message->kind == MESSAGE_STARTED) frame_put_number(&guest->writer, FRAME_STARTED, app, (uint32_t)message->value);
  else if (message->kind == MESSAGE_EXITED) frame_put_number(&guest->writer, FRAME_EXITED, app, (uint32_t)message->value);
  else if (message->kind == MESSAGE_READY) frame_put(&guest->writer, FRAME_READY, 0, 0, NULL, 0);
  else if (message->kind == MESSAGE_FAILED) {
    uint8_t body[4 + FRAME_TEXT];
    int size = snprintf((char *)body + 4, FRAME_TEXT, "%s %s", message->fail.step, message->fail.object);
    for (int i = 0; i < 4; i++) body[i] = (uint8_t)((uint32_t)message->fail.error >> (8 * i));
    frame_put(&guest->writer, FRAME_FAILED, 0, 0, body, 4 + (uint32_t)(size < FRAME_TEXT ? size : FRAME_TEXT - 1));
  }
  mirror->writes = frame_waits(&guest->writer);
}

static void on_output(struct mirror *mirror, uint32_t app, const struct stream *stream, const char *data, size_t size) {
  struct guest *guest = (struct guest *)(void *)mirror;
  frame_put(&guest->writer, FRAME_DATA_KIND, (uint16_t)app, (uint8_t)stream->number, data, (uint32_t)size);
  /* The host takes output as fast as its reader does: everybody waits for a slow one. */
  send_all(guest);
}

static void pass_input(struct guest *guest) {
  while (guest->pending_start < guest->pending_end) {
    ssize_t put = write(guest->input, guest->pending + guest->pending_start, guest->pending_end - guest->pending_start);
    if (put < 0 && errno == EAGAIN) return;
    if (put <= 0) break;
    guest->pending_start += (size_t)put;
  }
  guest->pending_start = guest->pending_end = 0;
}

static int from_host(struct guest *guest, struct supervisor *s, const struct frame *frame) {
  if (frame->kind == FRAME_STOP && frame->size == 4) {
    uint32_t number = frame_number(frame->body, 0);
    if (number == 0 || number > 64) return -1;
    if (s->init > 0) kill(s->init, (int)number);
    return 0;
  }
  if (frame->app >= s->plan->apps) return -1;
  struct supervised *app = &s->app[frame->app];
  if (frame->kind == FRAME_EOF) {
    supervised_end_input(app);
    return 0;
  }
  if (frame->kind != FRAME_DATA_KIND) return -1;
  if (app->input < 0 || frame->size == 0) return 0;
  memcpy(guest->pending, frame->body, frame->size);
  guest->input = app->input;
  guest->pending_end = frame->size;
  pass_input(guest);
  return 0;
}

static int on_turn(struct mirror *mirror, struct supervisor *s, short events) {
  struct guest *guest = (struct guest *)(void *)mirror;
  struct frame frame;
  if (guest->pending_end) pass_input(guest);
  if (now_ms() - guest->told_alive_ms >= ALIVE_EVERY_MS) {
    guest->told_alive_ms = now_ms();
    frame_put_number(&guest->writer, FRAME_ALIVE, 0, FRAME_VERSION);
  }
  while ((events & POLLIN) && !guest->pending_end) {
    int got = frame_read(&guest->reader, guest->port, &frame);
    if (got < 0 || (got > 0 && from_host(guest, s, &frame))) return -1;
    if (got == 0) break;
  }
  if (frame_flush(&guest->writer, guest->port)) return -1;
  mirror->writes = frame_waits(&guest->writer);
  mirror->fd = guest->port;
  return 0;
}

static _Noreturn void switch_off(void) {
  sync();
  reboot(RB_AUTOBOOT);
  for (;;) pause();
}

/* The one port of the machine; its driver learns of it some time after the start. */
static int open_port(struct fail *f) {
  char path[300];
  for (int64_t until = now_ms() + PORT_MS; now_ms() < until; pause_ms(5)) {
    DIR *ports = opendir("/sys/class/virtio-ports");
    for (struct dirent *port; ports && (port = readdir(ports));) {
      if (port->d_name[0] == '.') continue;
      snprintf(path, sizeof path, "/dev/%s", port->d_name);
      int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
      if (fd < 0) continue;
      closedir(ports);
      return fd;
    }
    if (ports) closedir(ports);
  }
  return fail_as(f, ENODEV, "open", "the port of the host");
}

_Noreturn void guest_main(void) {
  static struct guest guest = {.mirror = {.fd = -1, .message = on_message, .output = on_output, .turn = on_turn}, .port = -1, .input = -1};
  struct fail f = {0};
  uint32_t status = STATUS_OWN_FAILURE;
  if (prepare(&f) == 0) guest.port = open_port(&f);
  own int pod = open("/pod", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int plan_fd = guest.port < 0 ? -1 : take_hello(&guest, &f);
  if (plan_fd >= 0 && mount_disks(plan_fd, &f) == 0) {
    guest.mirror.fd = guest.port;
    status = (uint32_t)outer_run_mirrored(plan_fd, pod, &guest.mirror);
  } else {
    char line[1024];
    fail_text(&f, line, sizeof line);
    fprintf(stderr, "guest: %s\n", line);
    struct message failed = {.kind = MESSAGE_FAILED, .fail = f};
    if (guest.port >= 0) on_message(&guest.mirror, &failed);
  }
  if (guest.port >= 0) {
    frame_put_number(&guest.writer, FRAME_END, 0, status);
    send_all(&guest);
    /* The host switches the machine off when it has read this. */
    struct frame ignored;
    while (frame_read(&guest.reader, guest.port, &ignored) >= 0) {
      struct pollfd ready = {.fd = guest.port, .events = POLLIN};
      if (poll(&ready, 1, 2000) <= 0) break;
    }
  }
  switch_off();
}
