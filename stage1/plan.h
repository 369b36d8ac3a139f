/* The launch plan: read whole, checked whole, then run. The format is specs/launch-plan.md. */
#ifndef RKT_PLAN_H
#define RKT_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "fail.h"

enum { PLAN_MAX_BYTES = 4 << 20, PLAN_MAX_OPS = 8192, PLAN_MAX_APPS = 64, OP_MAX_FIELDS = 5 };

enum section_kind { SECTION_POD = 1, SECTION_APP = 2, SECTION_END = 3, SECTION_ENTER = 4 };

enum op_code {
  OP_UUID = 1,
  OP_IDMAP = 2,
  OP_NAMESPACES = 3,
  OP_JOIN = 4,
  OP_HOSTNAME = 5,
  OP_STOP_TIMEOUT = 6,
  OP_CGROUP = 7,
  OP_CGROUP_SET = 8,
  OP_DEVICE_POLICY = 9,
  OP_PREFIX_OUTPUT = 10,
  OP_MUTABLE = 11,
  OP_NOTIFY = 12,
  OP_NETWORK_HELPER = 13,
  OP_TASKS = 14,
  OP_APP = 20,
  OP_ROOT_OVERLAY = 21,
  OP_ROOT_BIND = 22,
  OP_ROOT_READ_ONLY = 23,
  OP_VOLUME = 30,
  OP_PROC = 31,
  OP_SYSFS = 32,
  OP_TMPFS = 33,
  OP_DEV = 34,
  OP_DEV_NODE = 35,
  OP_DEV_LINK = 36,
  OP_DEVPTS = 37,
  OP_MQUEUE = 38,
  OP_CGROUPFS = 39,
  OP_MKDIR = 41,
  OP_SYMLINK = 42,
  OP_MASK = 43,
  OP_READ_ONLY = 45,
  OP_HANDLER = 50,
  OP_USER = 51,
  OP_CAPABILITIES = 52,
  OP_SECCOMP = 53,
  OP_NO_NEW_PRIVILEGES = 54,
  OP_RLIMIT = 55,
  OP_OOM_SCORE = 56,
  OP_WORKING_DIRECTORY = 57,
  OP_ENVIRONMENT = 58,
  OP_EXEC = 59,
  OP_STDIO = 60,
  OP_APP_CGROUP = 61,
  OP_SYSCTL = 62,
  OP_OOM_EVENTS = 63,
  OP_STOP_SIGNAL = 64,
  OP_LISTEN = 65,
  OP_LOG = 66,
  OP_NOTIFY_SOCKET = 67,
  OP_SHARE = 70,
  OP_LANDLOCK = 71,
  OP_SECURITY_LABEL = 72,
  OP_SANDBOX = 74,
  OP_ROOT_AT = 75,
  OP_UNMOUNT = 76,
  OP_VM = 90,
  OP_DISK = 91,
  OP_GUEST_DIRECTORY = 92,
  OP_GUEST_FILE = 93,
  OP_VMM = 94,
  OP_END_EXEC = 80,
  OP_END_CGROUP = 81,
  OP_END_UNMOUNT = 82,
  OP_END_REMOVE_POD = 83,
};

/* Who joins the group of OP_CGROUP. */
enum cgroup_join { CGROUP_JOIN_NOBODY = 0, CGROUP_JOIN_INIT = 1, CGROUP_JOIN_LAUNCHER = 2 };

/* Modes of OP_STDIO for each of 0, 1, 2: nothing, the caller's by a pipe, the caller's terminal, pipes or a terminal for those who attach. */
enum stdio_mode { STDIO_NULL = 0, STDIO_PIPE = 1, STDIO_TERMINAL = 2, STDIO_STREAM = 3, STDIO_ATTACH_TERMINAL = 4 };

struct strings {
  uint32_t count;
  char **list; /* ends with NULL */
};

struct numbers {
  uint32_t count;
  uint32_t *list;
};

struct bytes {
  uint32_t size;
  const uint8_t *data;
};

/* One field; which member holds is fixed by the schema of the operation. */
union field {
  const char *text;
  uint64_t number;
  struct strings strings;
  struct numbers numbers;
  struct bytes bytes;
};

struct op {
  enum op_code code;
  union field field[OP_MAX_FIELDS];
};

struct section {
  enum section_kind kind;
  uint32_t count;
  const struct op *ops;
};

struct plan {
  struct section pod;
  struct section app[PLAN_MAX_APPS];
  uint32_t apps;
  struct section end;
  struct section enter;
  void *data; /* the mapped file, when it came from one */
  size_t size;
};

/* Decodes `size` bytes, which must stay in place and may be written to; refuses unknown operations, wrong sections, trailing bytes. */
int plan_decode(uint8_t *data, size_t size, struct plan *plan, struct fail *f);
/* Maps the file behind `fd` privately and decodes it. */
int plan_read(int fd, struct plan *plan, struct fail *f);
/* Frees what reading has allocated, and the file. */
void plan_release(struct plan *plan);
/* The first operation with this code, or NULL. */
const struct op *section_find(const struct section *section, enum op_code code);
/* The app's post-stop handler, or NULL. */
const struct op *section_post_stop(const struct section *app);
/* How descriptor `number` of the section's program is connected. */
enum stdio_mode section_stdio(const struct section *section, int number);
/* Whether any of its descriptors is a terminal of the app's own. */
int section_has_terminal(const struct section *section);

#define for_each_op(op, section) for (const struct op *op = (section)->ops; op < (section)->ops + (section)->count; op++)

/* The host's id of the pod's root. */
uint32_t plan_shift(const struct plan *plan);

#endif
