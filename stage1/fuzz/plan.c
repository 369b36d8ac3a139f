/* Launch plans: what is accepted lies inside the bytes that were read, whole. */
#include <stdlib.h>
#include <string.h>

#include "../plan.h"
#include "fuzz.h"

struct bounds {
  const uint8_t *start, *end;
};

static void check_range(const struct bounds *b, const void *from, size_t size) {
  const uint8_t *at = from;
  if (at < b->start || at > b->end || size > (size_t)(b->end - at)) abort();
}

static void check_text(const struct bounds *b, const char *text) { check_range(b, text, strlen(text) + 1); }

static void check_strings(const struct bounds *b, const struct strings *strings) {
  for (uint32_t i = 0; i < strings->count; i++) check_text(b, strings->list[i]);
  if (strings->list[strings->count]) abort();
}

/* The fields that other code reads without looking at the schema. */
static void check_section(const struct bounds *b, const struct section *section) {
  for_each_op(op, section) {
    if (op->code == OP_UUID || op->code == OP_APP || op->code == OP_HOSTNAME || op->code == OP_WORKING_DIRECTORY) check_text(b, op->field[0].text);
    if (op->code == OP_EXEC || op->code == OP_ENVIRONMENT || op->code == OP_ROOT_OVERLAY) check_strings(b, &op->field[0].strings);
    if (op->code == OP_SECCOMP) check_range(b, op->field[0].bytes.data, op->field[0].bytes.size);
    if (op->code == OP_USER && op->field[2].numbers.count > 0 && !op->field[2].numbers.list) abort();
    if (op->code == OP_END_EXEC) check_range(b, op->field[2].bytes.data, op->field[2].bytes.size);
  }
  section_post_stop(section);
  section_has_terminal(section);
}

int fuzz_one(uint8_t *bytes, size_t size) {
  static struct plan plan;
  struct fail f = {0};
  char line[1024];
  const struct bounds b = {bytes, bytes + size};
  int refused = plan_decode(bytes, size, &plan, &f);
  if ((refused != 0) != (f.error != 0)) abort();
  if (refused) fail_text(&f, line, sizeof line);
  if (!refused) {
    check_section(&b, &plan.pod);
    check_section(&b, &plan.end);
    check_section(&b, &plan.enter);
    for (uint32_t i = 0; i < plan.apps; i++) check_section(&b, &plan.app[i]);
    plan_shift(&plan);
  }
  plan_release(&plan);
  return refused;
}
