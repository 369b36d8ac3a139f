/*
 * A strict reader of tar archives (POSIX.1-1988 ustar, POSIX.1-2001 pax, GNU long names): bytes in, checked entries out.
 *
 * It refuses whatever known readers understand differently: see specs/aci-archive.md for the list.
 * It touches no file and makes no system call, so that it can be fuzzed alone.
 */
#ifndef UNPACK_TAR_H
#define UNPACK_TAR_H

#include "failure.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { TAR_BLOCK = 512, TAR_XATTRS = 64, TAR_PATH_BYTES = 4095 };

/* Where bytes come from: sets `chunk`, valid until the next call; returns its length, 0 at the end, -1 with a failure. */
struct tar_source {
	void *context;
	ssize_t (*next)(void *context, const uint8_t **chunk, struct failure *f);
};

struct tar_limits {
	uint64_t path_bytes;   /* of a cleaned path and of a link target; at most TAR_PATH_BYTES */
	uint64_t name_bytes;   /* of one component */
	uint64_t path_depth;   /* components of a path */
	uint64_t entries;      /* members, extension headers not counted */
	uint64_t header_bytes; /* payload of one extension header */
	bool layer;            /* an OCI layer: its root is "rootfs" here, and a path may start with a slash that means this root */
};

enum tar_type { TAR_FILE, TAR_DIRECTORY, TAR_SYMLINK, TAR_HARDLINK, TAR_CHARACTER, TAR_BLOCKDEV, TAR_FIFO };

struct tar_xattr {
	const char *name;
	size_t name_bytes;
	const uint8_t *value;
	size_t value_bytes;
};

/* One member. Texts end with NUL and are valid until the next call of tar_next(). */
struct tar_entry {
	enum tar_type type;
	const char *path; /* relative, without ".", ".." and empty components; "" is the archive's own root */
	size_t path_bytes;
	const char *target; /* symbolic link: as written; hard link: cleaned like a path; else "" */
	size_t target_bytes;
	uint32_t mode; /* permission bits, set-id and sticky bits only */
	uint32_t uid, gid;
	uint64_t size;
	int64_t mtime_seconds;
	uint32_t mtime_nanoseconds;
	uint32_t device_major, device_minor;
	const struct tar_xattr *xattrs;
	size_t xattr_count;
};

struct tar_reader;

struct tar_reader *tar_open(struct tar_source source, struct tar_limits limits);
void tar_close(struct tar_reader *reader);

/* 1 and the next member; 0 at the end of the archive, after which only zeros came; -1 with a failure. Skips unread content. */
int tar_next(struct tar_reader *reader, struct tar_entry *entry, struct failure *f);

/* The next piece of the current member's content: its length, 0 when all was given, -1 with a failure. */
ssize_t tar_content(struct tar_reader *reader, const uint8_t **piece, struct failure *f);

#endif
