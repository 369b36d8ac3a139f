/*
 * The listing of a tree: one line for each path, in one order, so that the same tree always gives the same bytes.
 *
 *   TYPE MODE UID GID SIZE CONTENT PATH [NAME=HEX]...
 *
 * TYPE is f, d, l, p, w for what a layer takes away; after all others c and b: devices that were recorded and not made. CONTENT is the SHA-256 of a file,
 * the target of a link, MAJOR:MINOR of a device, else "-". Bytes up to the blank, from DEL on, and the backslash are written \xHH.
 * The hash of a tree is SHA-512 over the lines before the first device.
 */
#ifndef UNPACK_LISTING_H
#define UNPACK_LISTING_H

#include "hash.h"
#include "records.h"
#include "tree.h"

struct listing {
	int fd; /* where lines are written, or -1: only the hash is wanted */
	struct hash sha512, sha256;
	const struct records *records; /* known content hashes and times, or NULL: files are read, times left alone */
	uint64_t lines;
	struct listing_scratch *scratch;
	char *buffer;
	size_t used;
};

int listing_open(struct listing *l, int fd, const struct records *records, const struct hashes *hashes, struct failure *f);

/* Lists `rootfs` beneath `root` with everything in it. */
int listing_walk(struct listing *l, int root, struct failure *f);

/* Ends the hashed part. */
int listing_digest(struct listing *l, uint8_t *digest, struct failure *f);

int listing_devices(struct listing *l, struct device *const *devices, size_t count, struct failure *f);
int listing_flush(struct listing *l, struct failure *f);

#endif
