#include "later.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "group.h"
#include "host.h"
#include "start-app.h"
#include "sys.h"

int later_find(const struct supervisor *s, const char *name) {
  for (uint32_t i = 0; i < s->plan->apps; i++) {
    const struct op *op = section_find(&s->plan->app[i], OP_APP);
    if (op && strcmp(op->field[0].text, name) == 0) return (int)i;
  }
  return -1;
}

static void refuse(struct connection *c, int error, const char *step, const char *object) {
  struct fail f = {0};
  fail_as(&f, error, step, object);
  control_answer(c, &f);
}

/* A place for a new app: one that another has left, or a further one. */
static int new_place(struct supervisor *s) {
  for (uint32_t i = 0; i < s->plan->apps; i++)
    if (s->plan->app[i].count == 0) return (int)i;
  return s->plan->apps < PLAN_MAX_APPS ? (int)s->plan->apps : -1;
}

/*
 * In a mount namespace of its own, which lives no longer than this process: a copy of the host's, since init has left the host's tree.
 * What comes of it is detached, and of use in the pod only.
 */
static _Noreturn void make_mounts(const struct outer *outer, const struct section *app, int report) {
  struct host host = {.user_ns = outer->user_ns, .shift = plan_shift(&outer->plan)};
  struct message message = {.version = CONTROL_VERSION, .kind = MESSAGE_GO};
  struct message_fds fds = {.count = 0};
  struct fail f = {0};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) fail(&f, "make mounts of", "app");
  if (f.error == 0 && host_open(&host, outer->pod, getpid(), &f) == 0) host_mounts(&host, app, &fds, &f);
  message.fail = f;
  message_send(report, &message, &fds);
  _exit(0);
}

static int start_mounter(struct supervisor *s, uint32_t index, struct fail *f) {
  struct supervised *app = &s->app[index];
  int pair[2];
  if (message_pair(pair)) return fail(f, "start app", "");
  app->mounter_pid = fork();
  if (app->mounter_pid == 0) {
    close(pair[0]);
    make_mounts(s->outer, &s->plan->app[index], pair[1]);
  }
  close(pair[1]);
  app->mounter = pair[0];
  return app->mounter_pid < 0 ? fail(f, "start app", "fork") : 0;
}

/* The plan of exactly one app, and nothing else. */
static int read_app(const struct message_fds *fds, struct plan *plan, struct fail *f) {
  if (fds->count != 1) return fail_as(f, EBADMSG, "start app", "plan");
  if (plan_read(fds->fd[0], plan, f)) return -1;
  int whole = plan->apps == 1 && section_find(&plan->app[0], OP_APP) && plan->pod.count == 0 && plan->end.count == 0 && plan->enter.count == 0;
  return whole ? 0 : fail_as(f, EBADMSG, "start app", "plan");
}

static void forget_start(struct supervisor *s, uint32_t index) {
  struct supervised *app = &s->app[index];
  close_owned(&app->mounter);
  close_owned(&app->plan_fd);
  app->mounter = app->plan_fd = -1;
  if (app->mounter_pid > 0) {
    kill(app->mounter_pid, SIGKILL);
    waitpid(app->mounter_pid, NULL, 0);
  }
  app->mounter_pid = 0;
}

void later_start(struct supervisor *s, struct connection *c, struct message_fds *fds) {
  struct plan plan = {0};
  struct fail f = {0};
  int index = -1;
  if (!section_find(&s->plan->pod, OP_MUTABLE)) fail_as(&f, EPERM, "start app (the pod was not made for changes)", "");
  else if (!s->started) fail_as(&f, EAGAIN, "start app (the pod is not ready)", "");
  else if (read_app(fds, &plan, &f) == 0) {
    const char *name = section_find(&plan.app[0], OP_APP)->field[0].text;
    index = later_find(s, name);
    if (index >= 0 && s->app[index].live) fail_as(&f, EBUSY, "start app (it runs)", name);
    else if (index < 0 && (index = new_place(s)) < 0) fail_as(&f, E2BIG, "start app", name);
  }
  if (f.error || index < 0) {
    plan_release(&plan);
    control_answer(c, &f);
    return;
  }
  struct supervised *app = &s->app[index];
  if ((uint32_t)index >= s->plan->apps) {
    s->plan->apps = (uint32_t)index + 1;
    supervised_prepare(s, (uint32_t)index);
  }
  later_clean(s, (uint32_t)index);
  supervised_close(app);
  plan_release(&app->brought);
  app->brought = plan;
  s->plan->app[index] = plan.app[0];
  app->live = 1;
  app->plan_fd = fds->fd[0];
  fds->count = 0;
  c->app = (uint32_t)index;
  c->state = CONNECTION_WAITS_START;
  if (start_mounter(s, (uint32_t)index, &f)) {
    forget_start(s, (uint32_t)index);
    app->live = 0;
    control_answer(c, &f);
  }
}

void later_mounted(struct supervisor *s, uint32_t index) {
  struct supervised *app = &s->app[index];
  struct message message;
  struct message_fds mounts = {.count = 0};
  struct fail f = {0};
  int got = message_receive(app->mounter, &message, &mounts);
  if (got != 1) fail_as(&f, got < 0 ? errno : EIO, "make mounts of", supervised_name(s, index));
  else f = message.fail;
  if (f.error == 0) start_app(s, index, &mounts, app->plan_fd, &f);
  message_close_fds(&mounts);
  forget_start(s, index);
  if (f.error == 0) return;
  app->live = 0;
  supervised_close(app);
  control_answer_all(&s->control, index, CONNECTION_WAITS_START, &f);
}

static int find_or_refuse(const struct supervisor *s, struct connection *c, const struct message *message, const char *step) {
  int index = later_find(s, message->text);
  if (!section_find(&s->plan->pod, OP_MUTABLE)) refuse(c, EPERM, step, message->text);
  else if (index < 0) control_answer(c, NULL);
  else return index;
  return -1;
}

/* An app that does not run is stopped. */
void later_stop(struct supervisor *s, struct connection *c, const struct message *message) {
  int index = find_or_refuse(s, c, message, "stop app");
  if (index < 0) return;
  struct supervised *app = &s->app[index];
  if (!app->live) {
    control_answer(c, NULL);
    return;
  }
  if (app->mounter >= 0) {
    refuse(c, EBUSY, "stop app (it is being started)", message->text);
    return;
  }
  struct message stop = {.version = CONTROL_VERSION, .kind = MESSAGE_APP_STOP, .app = (uint32_t)index, .value = message->value == 1};
  c->app = (uint32_t)index;
  c->state = CONNECTION_WAITS_END;
  if (message_send(s->init_socket, &stop, NULL)) refuse(c, errno, "stop app", message->text);
}

void later_remove(struct supervisor *s, struct connection *c, const struct message *message) {
  int index = find_or_refuse(s, c, message, "remove app");
  if (index < 0) return;
  struct supervised *app = &s->app[index];
  if (app->live) {
    refuse(c, EBUSY, "remove app (it runs)", message->text);
    return;
  }
  struct message forget = {.version = CONTROL_VERSION, .kind = MESSAGE_APP_REMOVE, .app = (uint32_t)index};
  message_send(s->init_socket, &forget, NULL);
  later_clean(s, (uint32_t)index);
  struct fail f = {0};
  for_each_op(op, &s->plan->app[index]) if (op->code == OP_APP_CGROUP) group_remove(op->field[0].text, &f);
  supervised_close(app);
  s->plan->app[index] = (struct section){0};
  plan_release(&app->brought);
  control_answer(c, f.error ? &f : NULL);
}

void later_clean(const struct supervisor *s, uint32_t index) {
  for_each_op(op, &s->plan->app[index]) if (op->code == OP_APP_CGROUP) group_kill(op->field[0].text);
}
