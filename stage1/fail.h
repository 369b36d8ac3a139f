/* Errors as values: what was tried (step), on what (object), and errno. Fixed size, no allocation. */
#ifndef RKT_FAIL_H
#define RKT_FAIL_H

#include <stddef.h>

struct fail {
  int error;
  char step[64];
  char object[256];
};

/* Fills `f` from errno; always returns -1. The innermost failure wins. */
int fail(struct fail *f, const char *step, const char *object);
/* As `fail`, with an error number of our own choice. */
int fail_as(struct fail *f, int error, const char *step, const char *object);
/* One line without newline: `cannot STEP "OBJECT": reason; hint`. Control characters are escaped. Returns its length. */
size_t fail_text(const struct fail *f, char *line, size_t size);

#endif
