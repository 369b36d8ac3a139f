#include "landlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>

#include "sys.h"

/* Source: linux/landlock.h; the headers of the compiler may be older than the kernel. */
enum {
  WRITE_FILE = 1 << 1,
  REMOVE_DIR = 1 << 4,
  REMOVE_FILE = 1 << 5,
  MAKE_CHAR = 1 << 6,
  MAKE_DIR = 1 << 7,
  MAKE_REG = 1 << 8,
  MAKE_SOCK = 1 << 9,
  MAKE_FIFO = 1 << 10,
  MAKE_BLOCK = 1 << 11,
  MAKE_SYM = 1 << 12,
  REFER = 1 << 13,    /* KERNEL: 5.19; without it the kernel refuses links and renames between directories to everybody who is restricted */
  TRUNCATE = 1 << 14, /* KERNEL: 6.2; before that truncate(2) of a path is not asked about, and the read-only mount alone refuses it */
  ON_FILES = WRITE_FILE | TRUNCATE,
  ALL_WRITING = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_CHAR | MAKE_DIR | MAKE_REG | MAKE_SOCK | MAKE_FIFO | MAKE_BLOCK | MAKE_SYM,
  CREATE_RULESET_VERSION = 1,
  RULE_PATH_BENEATH = 1,
};

struct path_beneath {
  uint64_t allowed;
  int32_t parent;
} __attribute__((packed));

/* KERNEL: 5.13, and the security module may be left out at boot; then the mount flags stand alone. Returns the version, or 0. */
static long landlock_version(struct fail *f) {
  long version = syscall(SYS_NR_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
  if (version >= 0) return version;
  return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : fail(f, "ask for", "landlock");
}

static int allow(int ruleset, const char *path, uint64_t access, struct fail *f) {
  own int place = sys_openat2(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_MAGICLINKS);
  struct stat st;
  if (place < 0 || fstat(place, &st)) return fail(f, "allow writing below", path);
  struct path_beneath rule = {.allowed = S_ISDIR(st.st_mode) ? access : access & ON_FILES, .parent = place};
  if (syscall(SYS_NR_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0)) return fail(f, "allow writing below", path);
  return 0;
}

int landlock_rules(const struct section *app, int *ruleset, struct fail *f) {
  const struct op *op = section_find(app, OP_LANDLOCK);
  long version = op ? landlock_version(f) : 0;
  if (version <= 0) return (int)version;
  uint64_t handled = ALL_WRITING | (version >= 2 ? REFER : 0) | (version >= 3 ? TRUNCATE : 0);
  own int fd = (int)syscall(SYS_NR_landlock_create_ruleset, &handled, sizeof handled, 0);
  if (fd < 0) return fail(f, "make rules of", "landlock");
  const struct strings *writable = &op->field[0].strings;
  for (uint32_t i = 0; i < writable->count; i++)
    if (allow(fd, writable->list[i], handled, f)) return -1;
  *ruleset = move_fd(&fd);
  return 0;
}

int landlock_enforce(int ruleset, struct fail *f) {
  if (ruleset < 0) return 0;
  return syscall(SYS_NR_landlock_restrict_self, ruleset, 0) ? fail(f, "put on", "landlock") : 0;
}
