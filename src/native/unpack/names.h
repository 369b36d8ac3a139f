/* The names in a directory, in the order of their bytes. */
#ifndef UNPACK_NAMES_H
#define UNPACK_NAMES_H

#include "failure.h"

#include <stdint.h>

struct names {
	char *bytes;
	size_t used, capacity;
	uint32_t *starts;
	size_t count, starts_capacity;
};

/* Reads all names but "." and ".."; `what` is the quoted path, for messages. */
int names_read(struct names *n, int directory, const char *what, struct failure *f);
void names_free(struct names *n);

#endif
