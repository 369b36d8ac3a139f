#include "start-app.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup.h"
#include "host.h"
#include "sys.h"

int make_cgroups(const struct section *section, enum op_code code, int *procs, uint32_t *count, struct fail *f) {
  for_each_op(op, section) {
    if (op->code == OP_CGROUP_SET && cgroup_set(op->field[0].text, op->field[1].text, f)) return -1;
    if (op->code == OP_DEVICE_POLICY && cgroup_devices(op, f)) return -1;
    if (op->code != code) continue;
    if (*count == MAX_CGROUPS) return fail_as(f, E2BIG, "make cgroup", op->field[0].text);
    int fd;
    if (cgroup_create(op->field[0].text, &fd, f)) return -1;
    if (code == OP_CGROUP && op->field[1].number != CGROUP_JOIN_INIT) close(fd);
    else procs[(*count)++] = fd;
  }
  return 0;
}

/* A pipe of which the app gets one end; it belongs to the app's user, who so can open /dev/stdout again. */
static int make_pipe(const struct outer *outer, const struct section *app, int number, int *ours, struct fail *f) {
  const struct op *user = section_find(app, OP_USER);
  uid_t owner = (user ? (uid_t)user->field[0].number : 0) + plan_shift(&outer->plan);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC)) return fail(f, "make pipe", "");
  own int theirs = number == 0 ? ends[0] : ends[1];
  own int mine = number == 0 ? ends[1] : ends[0];
  if (fchown(theirs, owner, (gid_t)-1)) return fail(f, "own pipe", "");
  *ours = move_fd(&mine);
  return move_fd(&theirs);
}

/* Pipes and /dev/null; a terminal comes from the app's own /dev later. */
static int make_stdio(struct supervisor *s, uint32_t index, struct message_fds *fds, struct fail *f) {
  const struct section *app = &s->plan->app[index];
  for (int i = 0; i < 3; i++) {
    enum stdio_mode mode = section_stdio(app, i);
    if (mode == STDIO_PIPE || mode == STDIO_STREAM) {
      int ours = -1;
      int theirs = make_pipe(s->outer, app, i, &ours, f);
      if (theirs < 0) return -1;
      fds->fd[fds->count++] = theirs;
      supervisor_stream(s, index, i, ours);
    } else {
      int null = open("/dev/null", O_RDWR | O_CLOEXEC);
      if (null < 0) return fail(f, "open", "/dev/null");
      fds->fd[fds->count++] = null;
    }
  }
  return 0;
}

static int add_copies(const int *from, uint32_t count, struct message_fds *fds, struct fail *f) {
  for (uint32_t i = 0; i < count; i++) {
    int copy = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
    if (copy < 0) return fail(f, "start app", "keep descriptor");
    fds->fd[fds->count++] = copy;
  }
  return 0;
}

int start_app(struct supervisor *s, uint32_t index, struct message_fds *mounts, int plan_fd, struct fail *f) {
  const struct section *app = &s->plan->app[index];
  const struct op *listen = section_find(app, OP_LISTEN);
  struct message_fds fds = *mounts;
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_START, .app = index, .plans = plan_fd >= 0};
  int procs[MAX_CGROUPS];
  mounts->count = 0;
  if (listen) message.listeners = listen->field[0].numbers.count;
  int result = message.listeners > MAX_LISTENERS ? fail_as(f, E2BIG, "start app", "passed sockets") : 0;
  if (result == 0) result = log_open(&s->app[index].log, s->pod, app, f);
  if (result == 0) result = make_stdio(s, index, &fds, f);
  if (result == 0) result = make_cgroups(app, OP_APP_CGROUP, procs, &message.cgroups, f);
  for (uint32_t i = 0; i < message.cgroups; i++) fds.fd[fds.count++] = procs[i];
  if (result == 0 && listen) result = add_copies((const int *)listen->field[0].numbers.list, message.listeners, &fds, f);
  if (result == 0 && plan_fd >= 0) result = add_copies(&plan_fd, 1, &fds, f);
  if (result == 0 && message_send(s->init_socket, &message, &fds)) result = fail(f, "start app", "send");
  message_close_fds(&fds);
  if (result == 0) s->app[index].live = 1;
  return result;
}
