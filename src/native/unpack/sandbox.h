/* Takes from this process everything but the destination, before it reads the first byte of an image. */
#ifndef UNPACK_SANDBOX_H
#define UNPACK_SANDBOX_H

#include "failure.h"

enum sandbox_kind {
	SANDBOX_WRITE,   /* unpack into the destination */
	SANDBOX_READ,    /* read the tree there, which stays read-only */
	SANDBOX_NOTHING, /* no destination: look into an image only */
};

/* Root: own namespaces, ids mapped 0…2^30-1 → 2^30…2^31-1, the destination idmapped back and alone visible at "/". */
int sandbox_enter(enum sandbox_kind kind, int destination, struct failure *f);

struct confinement {
	unsigned long long file_bytes; /* largest file */
};

/* Limits, capabilities, system calls. For all threads; the last step before input is read. */
int sandbox_confine(enum sandbox_kind kind, struct confinement confinement, struct failure *f);

#endif
