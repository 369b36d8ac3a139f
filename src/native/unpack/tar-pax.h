/* Records of a pax extended header: `LENGTH KEY=VALUE\n`, checked to the last byte. */
#ifndef UNPACK_TAR_PAX_H
#define UNPACK_TAR_PAX_H

#include "tar.h"

struct pax_text {
	bool present;
	const char *text;
	size_t bytes;
};

struct pax_number {
	bool present;
	uint64_t value;
};

struct pax {
	struct pax_text path, linkpath;
	struct pax_number size, uid, gid;
	bool has_mtime;
	int64_t mtime_seconds;
	uint32_t mtime_nanoseconds;
	struct tar_xattr xattrs[TAR_XATTRS];
	size_t xattr_count;
};

/* Reads the records of the header for one member; texts in `out` point into `bytes`. */
int pax_parse(struct pax *out, const char *bytes, size_t count, struct failure *f);

/* Checks a global header: only what changes no member is accepted. */
int pax_check_global(const char *bytes, size_t count, struct failure *f);

#endif
