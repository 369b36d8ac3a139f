#include "cgroup.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sys.h"

int cgroup_create(const char *path, int *procs, struct fail *f) {
  /* Apps read their own limits there, whatever our umask. */
  if (mkdir(path, 0755) == 0 ? chmod(path, 0755) : errno != EEXIST) return fail(f, "make cgroup", path);
  own int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return fail(f, "open cgroup", path);
  *procs = openat(dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  return *procs < 0 ? fail(f, "open cgroup", path) : 0;
}

int cgroup_set(const char *file, const char *value, struct fail *f) {
  own int fd = open(file, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fail(f, "open", file);
  return write(fd, value, strlen(value)) < 0 ? fail(f, "write", file) : 0;
}

int cgroup_ran_out_of_memory(const char *file) {
  own int fd = open(file, O_RDONLY | O_CLOEXEC);
  char text[1024];
  ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (size <= 0) return 0;
  text[size] = 0;
  const char *line = strstr(text, "oom_kill ");
  /* KERNEL: the same line in both versions, memory.oom_control (4.13) and memory.events. */
  return line && (line == text || line[-1] == '\n') && line[strlen("oom_kill ")] != '0';
}

static int devices_v1(const struct op *op, struct fail *f) {
  char file[4096];
  snprintf(file, sizeof file, "%s/devices.deny", op->field[1].text);
  if (cgroup_set(file, "a", f)) return -1;
  snprintf(file, sizeof file, "%s/devices.allow", op->field[1].text);
  for (uint32_t i = 0; i < op->field[2].strings.count; i++)
    if (cgroup_set(file, op->field[2].strings.list[i], f)) return -1;
  return 0;
}

struct rule {
  int type; /* BPF_DEVCG_DEV_* */
  int access;
  unsigned major, minor;
  int any_minor;
};

/* `c 136:* rwm` and the like, the grammar of the version 1 controller. */
static int parse_rule(const char *text, struct rule *rule) {
  char type, access[8] = "";
  char minor[16] = "";
  if (sscanf(text, "%c %u:%15s %7s", &type, &rule->major, minor, access) != 4) return -1;
  rule->type = type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
  rule->any_minor = strcmp(minor, "*") == 0;
  if (!rule->any_minor && sscanf(minor, "%u", &rule->minor) != 1) return -1;
  rule->access = (strchr(access, 'r') ? BPF_DEVCG_ACC_READ : 0) | (strchr(access, 'w') ? BPF_DEVCG_ACC_WRITE : 0) |
                 (strchr(access, 'm') ? BPF_DEVCG_ACC_MKNOD : 0);
  return 0;
}

enum { R0, R1, R2, R3, R4, R5, R6 };
#define INSN(c, d, s, o, i) ((struct bpf_insn){.code = (c), .dst_reg = (d), .src_reg = (s), .off = (short)(o), .imm = (int)(i)})

/* KERNEL: version 2 groups have no device controller; a program of type CGROUP_DEVICE (4.15) decides instead. */
static int devices_v2(const struct op *op, struct fail *f) {
  struct bpf_insn code[16 + 64 * 10];
  size_t n = 0;
  uint32_t count = op->field[2].strings.count;
  if (count > 64) return fail_as(f, E2BIG, "make device policy", "rules");
  code[n++] = INSN(BPF_LDX | BPF_MEM | BPF_W, R2, R1, 0, 0); /* access << 16 | type */
  code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, R3, R2, 0, 0);
  code[n++] = INSN(BPF_ALU64 | BPF_AND | BPF_K, R2, 0, 0, 0xffff);
  code[n++] = INSN(BPF_ALU64 | BPF_RSH | BPF_K, R3, 0, 0, 16);
  code[n++] = INSN(BPF_LDX | BPF_MEM | BPF_W, R4, R1, 4, 0); /* major */
  code[n++] = INSN(BPF_LDX | BPF_MEM | BPF_W, R5, R1, 8, 0); /* minor */
  for (uint32_t i = 0; i < count; i++) {
    struct rule rule = {0};
    if (parse_rule(op->field[2].strings.list[i], &rule)) return fail_as(f, EINVAL, "make device policy", op->field[2].strings.list[i]);
    int skip_minor = rule.any_minor ? 0 : 1;
    code[n++] = INSN(BPF_JMP | BPF_JNE | BPF_K, R2, 0, 6 + skip_minor, rule.type);
    code[n++] = INSN(BPF_JMP | BPF_JNE | BPF_K, R4, 0, 5 + skip_minor, rule.major);
    if (!rule.any_minor) code[n++] = INSN(BPF_JMP | BPF_JNE | BPF_K, R5, 0, 5, rule.minor);
    code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_X, R6, R3, 0, 0);
    code[n++] = INSN(BPF_ALU64 | BPF_AND | BPF_K, R6, 0, 0, ~rule.access & 7);
    code[n++] = INSN(BPF_JMP | BPF_JNE | BPF_K, R6, 0, 2, 0);
    code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, R0, 0, 0, 1);
    code[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
  }
  code[n++] = INSN(BPF_ALU64 | BPF_MOV | BPF_K, R0, 0, 0, 0);
  code[n++] = INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);

  union bpf_attr load;
  memset(&load, 0, sizeof load);
  load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load.insns = (uint64_t)(uintptr_t)code;
  load.insn_cnt = (uint32_t)n;
  load.license = (uint64_t)(uintptr_t) "Apache-2.0";
  own int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
  if (program < 0) return fail(f, "load device policy", op->field[1].text);
  own int group = open(op->field[1].text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (group < 0) return fail(f, "open cgroup", op->field[1].text);
  union bpf_attr attach;
  memset(&attach, 0, sizeof attach);
  attach.target_fd = (uint32_t)group;
  attach.attach_bpf_fd = (uint32_t)program;
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach)) return fail(f, "attach device policy", op->field[1].text);
  return 0;
}

int cgroup_devices(const struct op *op, struct fail *f) { return op->field[0].number == 2 ? devices_v2(op, f) : devices_v1(op, f); }
