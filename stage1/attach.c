/* Clients that are attached to the streams of an app: they come and go, and the app never waits for one. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "control.h"
#include "later.h"
#include "supervise.h"
#include "sys.h"

/* Opens our own description of a client's pipe: nobody else can make it block. Other kinds of files might, so they are refused. */
static int open_pipe(int fd, int access) {
  struct stat st;
  if (fstat(fd, &st) || !S_ISFIFO(st.st_mode)) return -1;
  return stream_open(fd, access);
}

/* What the client asks for must be what the app offers. */
static int check(const struct supervisor *s, const struct plan *plan, uint32_t index, struct fail *f) {
  static const char *const names[] = {"stdin", "stdout", "stderr"};
  if (!s->app[index].live) return fail_as(f, ESRCH, "attach to (it does not run)", supervised_name(s, index));
  for (int n = 0; n < 3; n++) {
    enum stdio_mode wanted = section_stdio(&plan->enter, n), offered = section_stdio(&s->plan->app[index], n);
    if (wanted == STDIO_NULL) continue;
    if (wanted != offered || (wanted != STDIO_STREAM && wanted != STDIO_ATTACH_TERMINAL)) return fail_as(f, ENXIO, "attach to", names[n]);
  }
  return 0;
}

static int connect_streams(struct supervisor *s, struct connection *c, const struct plan *plan, const struct message_fds *fds, struct fail *f) {
  uint32_t next = 1;
  for (int n = 0; n < 3; n++) {
    if (section_stdio(&plan->enter, n) == STDIO_NULL) continue;
    if (next >= fds->count) return fail_as(f, EBADMSG, "attach to", "streams");
    int fd = open_pipe(fds->fd[next++], n == 0 ? O_RDONLY : O_WRONLY);
    if (fd < 0) return fail_as(f, EINVAL, "attach to", "streams (pipes)");
    if (n == 0) {
      c->input.from = fd;
      c->input.to = s->app[c->app].input;
    } else {
      c->output[n] = fd;
    }
  }
  return 0;
}

void attach_begin(struct supervisor *s, struct connection *c, struct message_fds *fds) {
  struct plan plan = {0};
  struct fail f = {0};
  int index = -1;
  if (fds->count < 1 || plan_read(fds->fd[0], &plan, &f)) fail_as(&f, EBADMSG, "attach to", "plan");
  const struct op *app = f.error ? NULL : section_find(&plan.enter, OP_APP);
  if (f.error == 0 && (!app || (index = later_find(s, app->field[0].text)) < 0)) fail_as(&f, ENOENT, "attach to", app ? app->field[0].text : "");
  if (f.error == 0) check(s, &plan, (uint32_t)index, &f);
  if (f.error == 0) {
    c->app = (uint32_t)index;
    connect_streams(s, c, &plan, fds, &f);
  }
  plan_release(&plan);
  if (f.error) {
    control_answer(c, &f);
    return;
  }
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_STARTED};
  message_offer(c->fd, &message);
  c->state = CONNECTION_ATTACHED;
}

void attach_message(struct supervisor *s, struct connection *c, const struct message *message) {
  const struct supervised *app = &s->app[c->app];
  if (message->kind != MESSAGE_RESIZE || app->peer < 0 || app->input < 0) return;
  struct winsize size = {.ws_row = (unsigned short)((uint32_t)message->value >> 16), .ws_col = (unsigned short)message->value};
  (void)ioctl(app->input, TIOCSWINSZ, &size);
}

/* What finds no room is dropped and counted: the client is told once there is room again. */
static void deliver(struct connection *c, int number, const char *data, size_t size) {
  ssize_t put = write(c->output[number], data, size);
  if (put < 0 && errno != EAGAIN && errno != EINTR) {
    close(c->output[number]);
    c->output[number] = -1;
    return;
  }
  size_t written = put > 0 ? (size_t)put : 0;
  if (written > 0 && c->dropped[number]) {
    struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_DROPPED, .app = (uint32_t)number};
    message.value = c->dropped[number] > INT32_MAX ? INT32_MAX : (int32_t)c->dropped[number];
    message_offer(c->fd, &message);
    c->dropped[number] = 0;
  }
  c->dropped[number] += size - written;
}

void attach_tee(void *supervised, const struct stream *stream, const char *data, size_t size) {
  const struct supervised *app = supervised;
  struct supervisor *s = app->owner;
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    struct connection *c = &s->control.connection[i];
    if (c->state == CONNECTION_ATTACHED && &s->app[c->app] == app && c->output[stream->number] >= 0) deliver(c, stream->number, data, size);
  }
}

void attach_app_ended(struct supervisor *s, uint32_t app, int status) {
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_EXITED, .value = status};
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    struct connection *c = &s->control.connection[i];
    if (c->state != CONNECTION_ATTACHED || c->app != app || c->told_end) continue;
    c->told_end = 1;
    stream_close(&c->input);
    message_offer(c->fd, &message);
  }
}
