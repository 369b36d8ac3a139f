#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Schema letters: s string, u 32-bit number, U 64-bit number, b bytes, S list of strings, I list of 32-bit numbers. */
struct op_schema {
  enum op_code code;
  const char *name;
  const char *fields;
  unsigned sections; /* bits 1 << section_kind */
};

enum { IN_POD = 1 << SECTION_POD, IN_APP = 1 << SECTION_APP, IN_END = 1 << SECTION_END, IN_ENTER = 1 << SECTION_ENTER };

static const struct op_schema schemas[] = {
    {OP_UUID, "uuid", "s", IN_POD},
    {OP_IDMAP, "idmap", "uu", IN_POD},
    {OP_NAMESPACES, "namespaces", "u", IN_POD},
    {OP_JOIN, "join", "us", IN_POD},
    {OP_HOSTNAME, "hostname", "s", IN_POD},
    {OP_STOP_TIMEOUT, "stop-timeout", "u", IN_POD},
    {OP_CGROUP, "cgroup", "su", IN_POD},
    {OP_CGROUP_SET, "cgroup-set", "ss", IN_POD | IN_APP},
    {OP_DEVICE_POLICY, "device-policy", "usS", IN_POD},
    {OP_PREFIX_OUTPUT, "prefix-output", "", IN_POD},
    {OP_MUTABLE, "mutable", "", IN_POD},
    {OP_NOTIFY, "notify", "s", IN_POD},
    {OP_NETWORK_HELPER, "network-helper", "Su", IN_POD},
    {OP_TASKS, "tasks", "u", IN_POD},
    {OP_APP, "app", "s", IN_APP | IN_ENTER},
    {OP_ROOT_OVERLAY, "root-overlay", "Ssss", IN_APP},
    {OP_ROOT_BIND, "root-bind", "s", IN_APP},
    {OP_ROOT_READ_ONLY, "root-read-only", "", IN_APP},
    {OP_VOLUME, "volume", "ssu", IN_APP},
    {OP_PROC, "proc", "s", IN_APP},
    {OP_SYSFS, "sysfs", "su", IN_APP},
    {OP_TMPFS, "tmpfs", "ssu", IN_APP},
    {OP_DEV, "dev", "s", IN_APP},
    {OP_DEV_NODE, "dev-node", "suuu", IN_APP},
    {OP_DEV_LINK, "dev-link", "ss", IN_APP},
    {OP_DEVPTS, "devpts", "s", IN_APP},
    {OP_MQUEUE, "mqueue", "s", IN_APP},
    {OP_CGROUPFS, "cgroupfs", "ss", IN_APP},
    {OP_MKDIR, "mkdir", "su", IN_APP},
    {OP_SYMLINK, "symlink", "ss", IN_APP},
    {OP_MASK, "mask", "s", IN_APP},
    {OP_READ_ONLY, "read-only", "s", IN_APP},
    {OP_HANDLER, "handler", "uS", IN_APP},
    {OP_USER, "user", "uuI", IN_APP | IN_ENTER},
    {OP_CAPABILITIES, "capabilities", "U", IN_APP},
    {OP_SECCOMP, "seccomp", "b", IN_APP},
    {OP_NO_NEW_PRIVILEGES, "no-new-privileges", "", IN_APP},
    {OP_RLIMIT, "rlimit", "uUU", IN_APP},
    {OP_OOM_SCORE, "oom-score", "u", IN_APP},
    {OP_WORKING_DIRECTORY, "working-directory", "s", IN_APP | IN_ENTER},
    {OP_ENVIRONMENT, "environment", "S", IN_APP | IN_ENTER},
    {OP_EXEC, "exec", "S", IN_APP | IN_ENTER},
    {OP_STDIO, "stdio", "uuu", IN_APP | IN_ENTER},
    {OP_APP_CGROUP, "app-cgroup", "s", IN_APP},
    {OP_SYSCTL, "sysctl", "ss", IN_POD},
    {OP_OOM_EVENTS, "oom-events", "s", IN_APP},
    {OP_LANDLOCK, "landlock", "S", IN_APP},
    {OP_SECURITY_LABEL, "security-label", "ss", IN_APP},
    {OP_SHARE, "share", "u", IN_APP},
    {OP_SANDBOX, "sandbox", "uuus", IN_POD},
    {OP_ROOT_AT, "root-at", "su", IN_APP},
    {OP_UNMOUNT, "unmount", "s", IN_APP},
    {OP_VM, "vm", "b", IN_POD},
    {OP_DISK, "disk", "ssuss", IN_POD},
    {OP_GUEST_DIRECTORY, "guest-directory", "su", IN_POD},
    {OP_GUEST_FILE, "guest-file", "sb", IN_POD},
    {OP_VMM, "vmm", "", IN_APP},
    {OP_STOP_SIGNAL, "stop-signal", "u", IN_APP},
    {OP_LISTEN, "listen", "IS", IN_APP},
    {OP_LOG, "log", "ssUuu", IN_APP},
    {OP_NOTIFY_SOCKET, "notify-socket", "s", IN_APP},
    {OP_END_EXEC, "end-exec", "SSb", IN_END},
    {OP_END_CGROUP, "end-cgroup", "s", IN_END},
    {OP_END_UNMOUNT, "end-unmount", "s", IN_END},
    {OP_END_REMOVE_POD, "end-remove-pod", "s", IN_END},
};

static const struct op_schema *schema_of(uint32_t code) {
  for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++)
    if ((uint32_t)schemas[i].code == code) return &schemas[i];
  return NULL;
}

const struct op *section_post_stop(const struct section *app) {
  for_each_op(op, app) if (op->code == OP_HANDLER && op->field[0].number == 1) return op;
  return NULL;
}

enum stdio_mode section_stdio(const struct section *section, int number) {
  const struct op *op = section_find(section, OP_STDIO);
  return op ? (enum stdio_mode)op->field[number].number : STDIO_NULL;
}

int section_has_terminal(const struct section *section) {
  for (int i = 0; i < 3; i++)
    if (section_stdio(section, i) == STDIO_TERMINAL || section_stdio(section, i) == STDIO_ATTACH_TERMINAL) return 1;
  return 0;
}

uint32_t plan_shift(const struct plan *plan) {
  const struct op *idmap = section_find(&plan->pod, OP_IDMAP);
  const struct op *sandbox = section_find(&plan->pod, OP_SANDBOX);
  return idmap ? (uint32_t)idmap->field[0].number : sandbox ? (uint32_t)sandbox->field[1].number : 0;
}

struct reader {
  uint8_t *at;
  const uint8_t *end;
};

static int take(struct reader *r, size_t size, uint8_t **out) {
  if ((size_t)(r->end - r->at) < size) return -1;
  *out = r->at;
  r->at += size;
  return 0;
}

static int take_u16(struct reader *r, uint32_t *value) {
  uint8_t *p;
  if (take(r, 2, &p)) return -1;
  *value = (uint32_t)(p[0] | p[1] << 8);
  return 0;
}

static int take_u32(struct reader *r, uint32_t *value) {
  uint8_t *p;
  if (take(r, 4, &p)) return -1;
  *value = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
  return 0;
}

static int take_u64(struct reader *r, uint64_t *value) {
  uint32_t low, high;
  if (take_u32(r, &low) || take_u32(r, &high)) return -1;
  *value = (uint64_t)high << 32 | low;
  return 0;
}

/* Length, bytes, and a NUL that is counted in the length: the text is used in place. */
static int take_text(struct reader *r, const char **text) {
  uint32_t size;
  uint8_t *p;
  if (take_u32(r, &size) || size == 0 || take(r, size, &p)) return -1;
  if (memchr(p, 0, size) != p + size - 1) return -1;
  *text = (const char *)p;
  return 0;
}

static int take_strings(struct reader *r, struct strings *strings) {
  uint32_t count;
  if (take_u32(r, &count) || count > (size_t)(r->end - r->at) / 5) return -1;
  char **list = calloc((size_t)count + 1, sizeof *list);
  if (!list) return -1;
  strings->count = count;
  strings->list = list;
  for (uint32_t i = 0; i < count; i++) {
    const char *text;
    if (take_text(r, &text)) return -1;
    list[i] = (char *)(uintptr_t)text;
  }
  return 0;
}

static int take_numbers(struct reader *r, struct numbers *numbers) {
  uint32_t count;
  if (take_u32(r, &count) || count > (size_t)(r->end - r->at) / 4) return -1;
  uint32_t *list = calloc((size_t)count + 1, sizeof *list);
  if (!list) return -1;
  numbers->count = count;
  numbers->list = list;
  for (uint32_t i = 0; i < count; i++)
    if (take_u32(r, &list[i])) return -1;
  return 0;
}

static int take_field(struct reader *r, char letter, union field *field) {
  uint32_t small;
  uint8_t *p;
  switch (letter) {
    case 's': return take_text(r, &field->text);
    case 'u':
      if (take_u32(r, &small)) return -1;
      field->number = small;
      return 0;
    case 'U': return take_u64(r, &field->number);
    case 'S': return take_strings(r, &field->strings);
    case 'I': return take_numbers(r, &field->numbers);
    case 'b':
      if (take_u32(r, &small) || take(r, small, &p)) return -1;
      field->bytes = (struct bytes){.size = small, .data = p};
      return 0;
    default: return -1;
  }
}

static int decode_op(struct reader *r, enum section_kind kind, struct op *op, struct fail *f) {
  uint32_t code, reserved, size;
  uint8_t *payload;
  if (take_u16(r, &code) || take_u16(r, &reserved) || take_u32(r, &size) || reserved != 0 || take(r, size, &payload))
    return fail_as(f, EBADMSG, "read launch plan", "operation header");
  const struct op_schema *schema = schema_of(code);
  if (!schema || !(schema->sections & (1U << kind))) return fail_as(f, EBADMSG, "read launch plan", "unknown operation");
  op->code = schema->code;
  struct reader fields = {.at = payload, .end = payload + size};
  for (size_t i = 0; schema->fields[i]; i++)
    if (i >= OP_MAX_FIELDS || take_field(&fields, schema->fields[i], &op->field[i])) return fail_as(f, EBADMSG, "read launch plan", schema->name);
  if (fields.at != fields.end) return fail_as(f, EBADMSG, "read launch plan", schema->name);
  return 0;
}

static int decode_section(struct reader *r, struct plan *plan, struct fail *f) {
  uint32_t kind, count, size;
  uint8_t *body;
  if (take_u32(r, &kind) || take_u32(r, &count) || take_u32(r, &size) || take(r, size, &body) || count > PLAN_MAX_OPS || count > size / 8)
    return fail_as(f, EBADMSG, "read launch plan", "section header");
  struct section *section;
  switch (kind) {
    case SECTION_POD: section = &plan->pod; break;
    case SECTION_END: section = &plan->end; break;
    case SECTION_ENTER: section = &plan->enter; break;
    case SECTION_APP:
      if (plan->apps == PLAN_MAX_APPS) return fail_as(f, E2BIG, "read launch plan", "too many apps");
      section = &plan->app[plan->apps++];
      break;
    default: return fail_as(f, EBADMSG, "read launch plan", "unknown section");
  }
  if (section->kind != 0) return fail_as(f, EBADMSG, "read launch plan", "section twice");
  struct op *ops = calloc((size_t)count + 1, sizeof *ops);
  if (!ops) return fail(f, "read launch plan", "memory");
  *section = (struct section){.kind = (enum section_kind)kind, .count = count, .ops = ops};
  struct reader inner = {.at = body, .end = body + size};
  for (uint32_t i = 0; i < count; i++)
    if (decode_op(&inner, section->kind, &ops[i], f)) return -1;
  if (inner.at != inner.end) return fail_as(f, EBADMSG, "read launch plan", "trailing bytes in a section");
  return 0;
}

int plan_decode(uint8_t *data, size_t size, struct plan *plan, struct fail *f) {
  struct reader r = {.at = data, .end = data + size};
  uint8_t *magic;
  uint32_t total, sections;
  memset(plan, 0, sizeof *plan);
  if (take(&r, 8, &magic) || memcmp(magic, "RKTPLAN1", 8) != 0) return fail_as(f, EBADMSG, "read launch plan", "magic");
  if (take_u32(&r, &total) || take_u32(&r, &sections) || total != size || sections > PLAN_MAX_APPS + 4)
    return fail_as(f, EBADMSG, "read launch plan", "header");
  for (uint32_t i = 0; i < sections; i++)
    if (decode_section(&r, plan, f)) return -1;
  if (r.at != r.end) return fail_as(f, EBADMSG, "read launch plan", "trailing bytes");
  return 0;
}

int plan_read(int fd, struct plan *plan, struct fail *f) {
  struct stat st;
  if (fstat(fd, &st)) return fail(f, "read launch plan", "stat");
  if (st.st_size <= 0 || st.st_size > PLAN_MAX_BYTES) return fail_as(f, EFBIG, "read launch plan", "size");
  void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (data == MAP_FAILED) return fail(f, "read launch plan", "map");
  if (plan_decode(data, (size_t)st.st_size, plan, f)) {
    plan_release(plan);
    munmap(data, (size_t)st.st_size);
    return -1;
  }
  plan->data = data;
  plan->size = (size_t)st.st_size;
  return 0;
}

static void release_section(const struct section *section) {
  for_each_op(op, section) {
    const struct op_schema *schema = schema_of(op->code);
    for (size_t i = 0; schema && schema->fields[i]; i++) {
      if (schema->fields[i] == 'S') free(op->field[i].strings.list);
      if (schema->fields[i] == 'I') free(op->field[i].numbers.list);
    }
  }
  free((void *)(uintptr_t)section->ops);
}

void plan_release(struct plan *plan) {
  release_section(&plan->pod);
  release_section(&plan->end);
  release_section(&plan->enter);
  for (uint32_t i = 0; i < plan->apps; i++) release_section(&plan->app[i]);
  if (plan->data) munmap(plan->data, plan->size);
  memset(plan, 0, sizeof *plan);
}

const struct op *section_find(const struct section *section, enum op_code code) {
  for_each_op(op, section) if (op->code == code) return op;
  return NULL;
}
