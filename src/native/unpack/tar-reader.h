/* What the parts of the tar reader share. */
#ifndef UNPACK_TAR_READER_H
#define UNPACK_TAR_READER_H

#include "tar.h"
#include "tar-path.h"
#include "tar-pax.h"

/* Field offsets and sizes: POSIX.1-1988 ustar. */
struct header {
	uint8_t name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, linkname[100];
	uint8_t magic[8], uname[32], gname[32], major[8], minor[8], prefix[155], unused[12];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK, "a header is one block");

/* The payload of an extension header that waits for its member. */
struct extension {
	bool present;
	char *bytes;
	size_t count, capacity;
};

struct tar_reader {
	struct tar_source source;
	struct tar_limits limits;
	const uint8_t *chunk; /* what is left of the source's current chunk */
	size_t chunk_bytes;
	uint64_t content_left;
	uint32_t padding_left;
	uint64_t entries;
	bool ended;
	struct header header;
	struct extension pax_header, long_name, long_link;
	struct pax pax;
	struct tar_path path, link;
	char target[TAR_PATH_BYTES + 1];
};

/* tar-bytes.c */

/* Makes sure that the chunk holds something: 1, 0 at the end of the source, -1 with a failure. */
int tar_fill(struct tar_reader *r, struct failure *f);

/* Copies exactly `count` bytes: 1, 0 when the source ended before the first, -1 with a failure. */
int tar_take(struct tar_reader *r, void *to, size_t count, struct failure *f);
int tar_truncated(struct tar_reader *r, struct failure *f);

/* What follows is content of `size` bytes and the zeros after it. */
void tar_expect(struct tar_reader *r, uint64_t size);
int tar_skip(struct tar_reader *r, struct failure *f);
int tar_skip_padding(struct tar_reader *r, struct failure *f);

/* tar-header.c */

/* Reads one header block: 1, 0 at the end of the archive, -1 with a failure. */
int tar_read_header(struct tar_reader *r, struct failure *f);

/* Reads what follows the end of the archive: only zeros may. */
int tar_read_tail(struct tar_reader *r, struct failure *f);

int tar_refuse(struct tar_reader *r, struct failure *f, const char *state);
int tar_header_size(struct tar_reader *r, uint64_t *size, struct failure *f);
bool tar_is_posix(const struct header *h);
bool tar_is_gnu(const struct header *h);

/* Whether a GNU header has nothing but times where POSIX keeps the path prefix. */
bool tar_gnu_area_plain(const struct header *h);

/* tar-member.c */

/* Turns the header, with the extension headers before it, into a checked entry. */
int tar_take_member(struct tar_reader *r, struct tar_entry *e, struct failure *f);

#endif
