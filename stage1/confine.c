#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "interpreter.h"
#include "landlock.h"
#include "own-proc.h"
#include "sys.h"

#define KEYCTL_JOIN_SESSION_KEYRING_ 1
enum { LAST_CAP = 63 };

/* An empty session keyring: keys of the caller stay outside. KERNEL: built without keys there is nothing to keep apart. */
static int new_keyring(struct fail *f) {
  if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING_, 0, 0, 0, 0) >= 0 || errno == ENOSYS) return 0;
  return fail(f, "make session keyring", "");
}

static int set_limits(const struct section *section, struct fail *f) {
  for_each_op(op, section) {
    if (op->code != OP_RLIMIT) continue;
    struct rlimit limit = {.rlim_cur = op->field[1].number, .rlim_max = op->field[2].number};
    if (setrlimit((int)op->field[0].number, &limit)) return fail(f, "set limit", "");
  }
  const struct op *oom = section_find(section, OP_OOM_SCORE);
  if (!oom) return 0;
  char text[16];
  snprintf(text, sizeof text, "%d", (int)(int32_t)(uint32_t)oom->field[0].number);
  return own_proc_write("oom_score_adj", text, f);
}

/* They take effect at execve; what they allow until then does not matter. */
static int set_labels(const struct section *app, struct fail *f) {
  for_each_op(op, app)
    if (op->code == OP_SECURITY_LABEL && own_proc_write(op->field[0].text, op->field[1].text, f)) return -1;
  return 0;
}

static int limit_capabilities(uint64_t allowed, struct fail *f) {
  for (int cap = 0; cap <= LAST_CAP; cap++) {
    int held = prctl(PR_CAPBSET_READ, cap);
    if (held < 0 && errno == EINVAL) break; /* this kernel has no more of them */
    if (held < 0) return fail(f, "drop capability", "");
    if (held == 1 && !(allowed >> cap & 1) && prctl(PR_CAPBSET_DROP, cap)) return fail(f, "drop capability", "");
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)) return fail(f, "drop capability", "ambient");
  return 0;
}

/* Permitted stays as it is until execve computes it anew from the bounding set; inheritable is emptied; effective as asked. */
static int set_effective(uint64_t effective, struct fail *f) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data)) return fail(f, "read capabilities", "");
  for (int i = 0; i < 2; i++) {
    data[i].inheritable = 0;
    data[i].effective = (uint32_t)(effective >> (32 * i)) & data[i].permitted;
  }
  return syscall(SYS_capset, &header, data) ? fail(f, "set capabilities", "") : 0;
}

static int become_user(const struct program *program, struct fail *f) {
  const struct op *user = section_find(program->section, OP_USER);
  if (!user) return fail_as(f, EBADMSG, "start app", "user");
  uid_t uid = program->as_root ? 0 : (uid_t)user->field[0].number;
  gid_t gid = program->as_root ? 0 : (gid_t)user->field[1].number;
  const struct numbers *groups = &user->field[2].numbers;
  /* To setresuid(2) the highest id means to stay who one is. */
  if (uid == (uid_t)-1 || gid == (gid_t)-1) return fail_as(f, EINVAL, "become user", "");
  if (setgroups(program->as_root ? 0 : groups->count, (const gid_t *)groups->list)) return fail(f, "set groups", "");
  if (prctl(PR_SET_KEEPCAPS, 1) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)) return fail(f, "become user", "");
  return 0;
}

/* A working directory behind a magic link would be a door out: refused, and the result must lie below the root. */
static int change_directory(const struct section *section, struct fail *f) {
  const struct op *op = section_find(section, OP_WORKING_DIRECTORY);
  const char *path = op ? op->field[0].text : "/";
  own int fd = sys_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, RESOLVE_NO_MAGICLINKS);
  char cwd[4096];
  if (fd < 0 || fchdir(fd)) return fail(f, "change to working directory", path);
  if (!getcwd(cwd, sizeof cwd)) return fail(f, "change to working directory", path);
  return cwd[0] == '/' ? 0 : fail_as(f, EACCES, "change to working directory", path);
}

static const char *environment_value(char *const *environment, const char *name) {
  size_t length = strlen(name);
  for (; *environment; environment++)
    if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') return *environment + length + 1;
  return NULL;
}

/* Finds the program before the filter is on, so that its absence is reported whatever the filter allows. */
static int find_program(const char *name, char *const *environment, char *path, size_t size, struct fail *f) {
  if (!*name) return fail_as(f, ENOENT, "execute", name);
  if (strchr(name, '/')) {
    if ((size_t)snprintf(path, size, "%s", name) >= size) return fail_as(f, ENAMETOOLONG, "execute", name);
    return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) ? fail(f, "execute", name) : 0;
  }
  const char *search = environment_value(environment, "PATH");
  int error = ENOENT;
  for (const char *at = search ? search : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; at; at = strchr(at, ':')) {
    if (*at == ':') at++;
    int length = (int)strcspn(at, ":");
    struct stat st;
    if ((size_t)snprintf(path, size, "%.*s%s%s", length, at, length ? "/" : "", name) >= size) continue;
    if (stat(path, &st) || !S_ISREG(st.st_mode)) continue;
    if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0) return 0;
    error = errno;
  }
  return fail_as(f, error, "execute", name);
}

static int load_filter(const struct section *section, struct fail *f) {
  const struct op *op = section_find(section, OP_SECCOMP);
  if (!op) return 0;
  size_t count = op->field[0].bytes.size / sizeof(struct sock_filter);
  if (count == 0 || count > 0xffff || op->field[0].bytes.size % sizeof(struct sock_filter)) return fail_as(f, EBADMSG, "load seccomp filter", "size");
  struct sock_filter *code = malloc(op->field[0].bytes.size);
  if (!code) return fail(f, "load seccomp filter", "memory");
  memcpy(code, op->field[0].bytes.data, op->field[0].bytes.size);
  struct sock_fprog program = {.len = (unsigned short)count, .filter = code};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? fail(f, "load seccomp filter", "") : 0;
}

int confine_and_execute(const struct program *program, const struct caller *caller, struct fail *f) {
  static char *no_environment[] = {NULL};
  const struct section *section = program->section, *app = program->app;
  const struct op *environment_op = section_find(section, OP_ENVIRONMENT);
  char *const *environment = program->environment ? program->environment : environment_op ? environment_op->field[0].strings.list : no_environment;
  const struct op *capabilities = section_find(app, OP_CAPABILITIES);
  char path[4096];
  if (!capabilities || program->argv->count == 0) return fail_as(f, EBADMSG, "start app", "plan without capabilities or program");

  umask(0022);
  if (new_keyring(f) || caller_restore_limits(caller, f) || set_limits(app, f) || set_labels(app, f)) return -1;
  /* Its paths are opened as the pod's root, whatever the app's user may reach. */
  own int ruleset = -1;
  if (landlock_rules(app, &ruleset, f)) return -1;
  if (limit_capabilities(capabilities->field[0].number, f)) return -1;
  if (become_user(program, f)) return -1;
  if (change_directory(section, f)) return -1;
  if (find_program(program->argv->list[0], environment, path, sizeof path, f) || interpreter_check(path, f)) return -1;
  if (section_find(app, OP_NO_NEW_PRIVILEGES) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return fail(f, "set no-new-privileges", "");
  caller_restore_signals(caller);
  /* Landlock and the filter go on while CAP_SYS_ADMIN is effective: no-new-privileges stays the isolator's own choice. */
  if (set_effective(geteuid() == 0 ? ~0ULL : 1ULL << CAP_SYS_ADMIN, f)) return -1;
  if (landlock_enforce(ruleset, f) || load_filter(app, f)) return -1;
  execve(path, program->argv->list, environment);
  return fail(f, "execute", program->argv->list[0]);
}
