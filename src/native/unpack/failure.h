/* Failures as values: what ends the program, in one line that names the object. */
#ifndef UNPACK_FAILURE_H
#define UNPACK_FAILURE_H

#include <stddef.h>

/* The kind is the exit status of the program. */
enum failure_kind {
	FAILURE_NONE = 0,
	FAILURE_ARCHIVE = 1, /* the archive is not one that we accept */
	FAILURE_LIMIT = 2,   /* a bound was reached; the text names it */
	FAILURE_HOST = 3,    /* input, output or the sandbox failed */
};

struct failure {
	enum failure_kind kind;
	char text[1400]; /* with room for a newline in place of the NUL */
};

/* Holds a quoted name; fixed size, so that no failure path allocates. */
struct quoted {
	char text[512];
};

/* Records the first failure and returns -1; later ones are consequences and are dropped. */
int fail(struct failure *f, enum failure_kind kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As fail(FAILURE_HOST, …), followed by the text of `error_number`. */
int fail_errno(struct failure *f, int error_number, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* `"name"`, with control bytes and invalid UTF-8 as \xHH, and cut with an ellipsis when long. */
const char *quote_name(struct quoted *q, const char *name, size_t length);

#endif
