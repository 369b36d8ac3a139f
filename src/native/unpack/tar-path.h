/* Paths of archive members: relative, beneath their root, in one spelling only. */
#ifndef UNPACK_TAR_PATH_H
#define UNPACK_TAR_PATH_H

#include "tar.h"

struct tar_path {
	char text[TAR_PATH_BYTES + 1];
	size_t bytes;
	bool trailing_slash;
};

/*
 * Drops "." and empty components; puts those of a layer beneath "rootfs". Refuses absolute paths of an ACI, "..", NUL and whatever exceeds a limit, by name;
 * `role` says what the path is for ("entry", "hard link target").
 */
int tar_path_clean(struct tar_path *path, const char *raw, size_t raw_bytes, const struct tar_limits *limits, const char *role, struct failure *f);

#endif
