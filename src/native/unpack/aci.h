/* Unpacks one image: the sandbox, the two threads, the rules of the format, the result. */
#ifndef UNPACK_ACI_H
#define UNPACK_ACI_H

#include "hash.h"
#include "options.h"
#include "stream.h"
#include "tar.h"
#include "tree.h"

struct manifest {
	uint8_t *bytes;
	size_t count;
	bool present;
};

struct unpacking {
	const struct options *options;
	struct stream stream;
	struct tar_reader *reader;
	struct tree tree;
	struct manifest manifest;
	bool has_rootfs;
	uint64_t entries;
};

/* `u` must stay until the process ends: the other thread may still use it after a failure. */
int aci_unpack(struct unpacking *u, const struct options *o, const struct hashes *hashes, struct failure *f);

#endif
