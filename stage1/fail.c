#include "fail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int fail_as(struct fail *f, int error, const char *step, const char *object) {
  if (f->error != 0) return -1;
  f->error = error;
  snprintf(f->step, sizeof f->step, "%s", step);
  snprintf(f->object, sizeof f->object, "%s", object ? object : "");
  return -1;
}

int fail(struct fail *f, const char *step, const char *object) { return fail_as(f, errno ? errno : EIO, step, object); }

/* What a person can do about a failure whose errno says little. */
static const char *hint_for(const struct fail *f) {
  if (f->error == EINVAL && strcmp(f->step, "map owners of") == 0)
    return "its file system cannot be id-mapped: use --private-users=false, or another source";
  if (f->error == EPERM && strcmp(f->step, "make namespaces") == 0)
    return "user namespaces are switched off on this host: see user.max_user_namespaces, or use --private-users=false";
  if (f->error == ENOSPC && strcmp(f->step, "make namespaces") == 0)
    return "the limit of user.max_*_namespaces is reached";
  if (f->error == ENOENT && strncmp(f->step, "execute the program", 19) == 0) return "the image lacks the interpreter that its program names";
  if (f->error == ENOEXEC) return "not a program for this machine, or a script without #!";
  return NULL;
}

size_t fail_text(const struct fail *f, char *line, size_t size) {
  char object[sizeof f->object * 4];
  size_t at = 0;
  for (const char *c = f->object; *c && at + 5 < sizeof object; c++) {
    unsigned char byte = (unsigned char)*c;
    if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\') at += (size_t)snprintf(object + at, 5, "\\x%02x", byte);
    else object[at++] = *c;
  }
  object[at] = 0;
  const char *hint = hint_for(f);
  int n = snprintf(line, size, "cannot %s%s%s%s: %s%s%s", f->step, object[0] ? " \"" : "", object, object[0] ? "\"" : "",
                   strerror(f->error), hint ? "; " : "", hint ? hint : "");
  if (n < 0) return 0;
  return (size_t)n < size ? (size_t)n : size - 1;
}
