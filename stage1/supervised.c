/* An app as the outer launcher holds it: its streams, its terminal, its log. */
#include <string.h>
#include <sys/ioctl.h>

#include "supervise.h"
#include "sys.h"

const char *supervised_name(const struct supervisor *s, uint32_t index) {
  const struct op *op = index < s->plan->apps ? section_find(&s->plan->app[index], OP_APP) : NULL;
  return op ? op->field[0].text : "";
}

void supervised_prepare(struct supervisor *s, uint32_t index) {
  struct supervised *app = &s->app[index];
  memset(app, 0, sizeof *app);
  app->owner = s;
  app->input = app->peer = app->plan_fd = app->mounter = -1;
  for (int n = 0; n < 3; n++) stream_prepare(&app->stream[n]);
  log_prepare(&app->log);
}

static void mirror_tee(void *context, const struct stream *stream, const char *data, size_t size) {
  struct supervised *app = context;
  struct mirror *mirror = app->owner->mirror;
  mirror->output(mirror, (uint32_t)(app - app->owner->app), stream, data, size);
}

/* Output goes to the log and to those who attach; that of mode pipe to the caller as well, whom the app waits for. */
static void take_output(struct supervisor *s, uint32_t index, int number, int fd) {
  struct supervised *app = &s->app[index];
  struct stream *stream = &app->stream[number];
  stream->from = fd;
  stream->number = number;
  stream->log = &app->log;
  stream->tee = attach_tee;
  stream->context = app;
  stream->at_line_start = 1;
  if (s->mirror) {
    stream->tee = mirror_tee;
    return;
  }
  if (section_stdio(&s->plan->app[index], number) != STDIO_PIPE) return;
  stream->to = s->output[number];
  if (section_find(&s->plan->pod, OP_PREFIX_OUTPUT)) stream->app = supervised_name(s, index);
}

void supervisor_stream(struct supervisor *s, uint32_t index, int number, int fd) {
  struct supervised *app = &s->app[index];
  stream_never_blocks(fd);
  if (number > 0) {
    take_output(s, index, number, fd);
  } else if (s->mirror || section_stdio(&s->plan->app[index], 0) == STDIO_STREAM) {
    app->input = fd;
  } else {
    app->stream[0].from = stream_open(0, O_RDONLY);
    app->stream[0].to = fd;
    app->stream[0].close_to = 1;
  }
}

/* The terminal of an app whose plan names one: the caller's, or one for those who attach. What only echoes goes nowhere. */
void supervisor_terminal(struct supervisor *s, uint32_t index, int master) {
  const struct section *section = &s->plan->app[index];
  struct supervised *app = &s->app[index];
  struct winsize usual = {.ws_row = 24, .ws_col = 80};
  int tty[3];
  for (int n = 0; n < 3; n++) tty[n] = section_stdio(section, n) == STDIO_ATTACH_TERMINAL;
  if (!tty[0] && !tty[1] && !tty[2]) {
    tty_start(&s->tty, master, &app->log);
    return;
  }
  (void)ioctl(master, TIOCSWINSZ, &usual);
  app->peer = tty_open_peer(master);
  stream_never_blocks(master);
  app->input = fcntl(master, F_DUPFD_CLOEXEC, 3);
  if (tty[1] || tty[2]) take_output(s, index, tty[1] ? 1 : 2, master);
  else app->stream[0].from = master;
}

/* Nobody's input goes to a descriptor that is closed. */
void supervised_end_input(struct supervised *app) {
  for (int i = 0; i < MAX_CONNECTIONS; i++) {
    struct connection *c = &app->owner->control.connection[i];
    if (c->state == CONNECTION_ATTACHED && &app->owner->app[c->app] == app) stream_close(&c->input);
  }
  close_owned(&app->input);
  close_owned(&app->peer);
  app->input = app->peer = -1;
}

void supervised_close(struct supervised *app) {
  supervised_end_input(app);
  for (int n = 0; n < 3; n++) stream_close(&app->stream[n]);
  log_close(&app->log);
  app->told_ready = 0;
}
