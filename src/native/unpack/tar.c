#include "tar.h"

#include "tar-number.h"
#include "tar-path.h"
#include "tar-pax.h"

#include <stdlib.h>
#include <string.h>

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

struct tar_reader *tar_open(struct tar_source source, struct tar_limits limits)
{
	struct tar_reader *r = calloc(1, sizeof *r);
	if (r) {
		r->source = source;
		r->limits = limits;
	}
	return r;
}

void tar_close(struct tar_reader *r)
{
	if (!r)
		return;
	free(r->pax_header.bytes);
	free(r->long_name.bytes);
	free(r->long_link.bytes);
	free(r);
}

/* ---- bytes ---- */

/* 1 when the chunk holds something, 0 at the end of the source, -1 with a failure. */
static int fill(struct tar_reader *r, struct failure *f)
{
	if (r->chunk_bytes > 0)
		return 1;
	ssize_t n = r->source.next(r->source.context, &r->chunk, f);
	if (n <= 0)
		return (int)n;
	r->chunk_bytes = (size_t)n;
	return 1;
}

static int truncated(struct tar_reader *r, struct failure *f)
{
	return fail(f, FAILURE_ARCHIVE, "cannot unpack archive: it ends within member %llu", (unsigned long long)r->entries + 1);
}

/* Copies exactly `count` bytes; 0 when the source ended before the first, -1 with a failure. */
static int take_bytes(struct tar_reader *r, void *to, size_t count, struct failure *f)
{
	size_t done = 0;
	while (done < count) {
		int state = fill(r, f);
		if (state < 0)
			return -1;
		if (state == 0)
			return done == 0 ? 0 : truncated(r, f);
		size_t n = count - done < r->chunk_bytes ? count - done : r->chunk_bytes;
		memcpy((char *)to + done, r->chunk, n);
		r->chunk += n;
		r->chunk_bytes -= n;
		done += n;
	}
	return 1;
}

static int skip_padding(struct tar_reader *r, struct failure *f)
{
	uint8_t waste[TAR_BLOCK];
	size_t n = r->padding_left;
	r->padding_left = 0;
	if (n == 0)
		return 0;
	int state = take_bytes(r, waste, n, f);
	return state == 1 ? 0 : state < 0 ? -1 : truncated(r, f);
}

ssize_t tar_content(struct tar_reader *r, const uint8_t **piece, struct failure *f)
{
	if (r->content_left == 0)
		return skip_padding(r, f);
	int state = fill(r, f);
	if (state <= 0)
		return state < 0 ? -1 : truncated(r, f);
	size_t n = r->content_left < r->chunk_bytes ? (size_t)r->content_left : r->chunk_bytes;
	*piece = r->chunk;
	r->chunk += n;
	r->chunk_bytes -= n;
	r->content_left -= n;
	return (ssize_t)n;
}

static int skip_content(struct tar_reader *r, struct failure *f)
{
	const uint8_t *piece;
	ssize_t n;
	while ((n = tar_content(r, &piece, f)) > 0)
		;
	return (int)n;
}

static void expect_content(struct tar_reader *r, uint64_t size)
{
	r->content_left = size;
	r->padding_left = (uint32_t)(-size & (TAR_BLOCK - 1));
}

/* ---- headers ---- */

static int refuse_header(struct tar_reader *r, struct failure *f, const char *state)
{
	struct quoted q;
	const char *name = (const char *)r->header.name;
	return fail(f, FAILURE_ARCHIVE, "cannot unpack member %llu %s: %s", (unsigned long long)r->entries + 1,
		    quote_name(&q, name, strnlen(name, sizeof r->header.name)), state);
}

static bool zero_block(const void *block)
{
	static const uint8_t zeros[TAR_BLOCK];
	return memcmp(block, zeros, TAR_BLOCK) == 0;
}

static bool checksum_holds(const struct header *h)
{
	const uint8_t *bytes = (const uint8_t *)h;
	const size_t at = offsetof(struct header, checksum);
	uint64_t stated, sum = 8 * ' ';
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += i >= at && i < at + sizeof h->checksum ? 0u : bytes[i];
	return !(h->checksum[0] & 0x80) && tar_field_number(h->checksum, sizeof h->checksum, &stated) == 0 && stated == sum;
}

static bool is_posix(const struct header *h)
{
	return memcmp(h->magic, "ustar\00000", 8) == 0;
}

static bool is_gnu(const struct header *h)
{
	return memcmp(h->magic, "ustar  \0", 8) == 0;
}

/*
 * GNU archives keep times where POSIX keeps the path prefix. Early Go writers put a prefix under the GNU magic, which
 * readers understand differently: there only two numbers, and nothing after them, are accepted.
 */
static bool gnu_area_plain(const struct header *h)
{
	uint64_t ignored;
	for (size_t i = 0; i < 24; i += 12)
		if (!tar_field_empty(h->prefix + i, 12) && tar_field_number(h->prefix + i, 12, &ignored) < 0)
			return false;
	for (size_t i = 24; i < sizeof h->prefix; i++)
		if (h->prefix[i] != 0)
			return false;
	return true;
}

/* Reads one header block: 1, 0 at the end of the archive, -1 with a failure. */
static int read_header(struct tar_reader *r, struct failure *f)
{
	int state = take_bytes(r, &r->header, TAR_BLOCK, f);
	if (state < 0)
		return -1;
	if (state == 0)
		return fail(f, FAILURE_ARCHIVE, "cannot unpack archive: it ends without its two blocks of zeros");
	if (zero_block(&r->header)) {
		state = take_bytes(r, &r->header, TAR_BLOCK, f);
		if (state < 0)
			return -1;
		if (state == 0 || !zero_block(&r->header))
			return fail(f, FAILURE_ARCHIVE, "cannot unpack archive: one block of zeros within it; expected two at its end");
		return 0;
	}
	if (!checksum_holds(&r->header))
		return refuse_header(r, f, "wrong checksum of its header");
	if (!is_posix(&r->header) && !is_gnu(&r->header))
		return refuse_header(r, f, "unknown format; expected a POSIX or GNU tar archive");
	if (is_posix(&r->header) && memcmp(r->header.unused + 8, "tar\0", 4) == 0)
		return refuse_header(r, f, "star format; expected a POSIX or GNU tar archive");
	return 1;
}

/* After the two zero blocks nothing but zeros may follow: another archive there would be read by some and not by others. */
static int read_tail(struct tar_reader *r, struct failure *f)
{
	for (;;) {
		int state = fill(r, f);
		if (state <= 0)
			return state;
		for (size_t i = 0; i < r->chunk_bytes; i++)
			if (r->chunk[i] != 0)
				return fail(f, FAILURE_ARCHIVE, "cannot unpack archive: bytes after its end; expected only zeros");
		r->chunk_bytes = 0;
	}
}

static int header_size(struct tar_reader *r, uint64_t *size, struct failure *f)
{
	if (tar_field_number(r->header.size, sizeof r->header.size, size) < 0)
		return refuse_header(r, f, "its size is not a number from 0 to 2^63-1");
	return 0;
}

/* Keeps the payload of an extension header, with a NUL after it. */
static int read_extension(struct tar_reader *r, struct extension *e, struct failure *f)
{
	uint64_t size;
	if (e->present)
		return refuse_header(r, f, "two extension headers of one kind for one member");
	if (header_size(r, &size, f) < 0)
		return -1;
	if (size > r->limits.header_bytes)
		return fail(f, FAILURE_LIMIT, "cannot unpack member %llu: extension header of %llu bytes (archiveHeaderBytes); expected at most %llu",
			    (unsigned long long)r->entries + 1, (unsigned long long)size, (unsigned long long)r->limits.header_bytes);
	size_t count = (size_t)size;
	if (count + 1 > e->capacity) {
		char *bytes = realloc(e->bytes, count + 1);
		if (!bytes)
			return fail(f, FAILURE_LIMIT, "cannot unpack archive: out of memory for an extension header");
		e->bytes = bytes;
		e->capacity = count + 1;
	}
	expect_content(r, size);
	r->content_left = 0; /* taken here whole */
	if (count > 0) {
		int state = take_bytes(r, e->bytes, count, f);
		if (state <= 0)
			return state < 0 ? -1 : truncated(r, f);
	}
	e->bytes[count] = 0;
	e->count = count;
	e->present = true;
	return skip_padding(r, f);
}

/* A GNU long name ends with NULs and holds none before. */
static int trim_long_text(struct tar_reader *r, struct extension *e, struct failure *f)
{
	size_t n = strlen(e->bytes);
	for (size_t i = n; i < e->count; i++)
		if (e->bytes[i] != 0)
			return refuse_header(r, f, "NUL within its long name");
	e->count = n;
	return 0;
}

/* 1 when the header was an extension and is done, 0 when it is a member, -1 with a failure. */
static int take_extension(struct tar_reader *r, struct failure *f)
{
	const bool pending = r->pax_header.present || r->long_name.present || r->long_link.present;
	switch (r->header.type) {
	case 'x':
		if (read_extension(r, &r->pax_header, f) < 0 || pax_parse(&r->pax, r->pax_header.bytes, r->pax_header.count, f) < 0)
			return -1;
		return 1;
	case 'g': {
		if (pending)
			return refuse_header(r, f, "global header between a member and its extension header");
		if (read_extension(r, &r->pax_header, f) < 0)
			return -1;
		r->pax_header.present = false;
		return pax_check_global(r->pax_header.bytes, r->pax_header.count, f) < 0 ? -1 : 1;
	}
	case 'L':
		return read_extension(r, &r->long_name, f) < 0 || trim_long_text(r, &r->long_name, f) < 0 ? -1 : 1;
	case 'K':
		return read_extension(r, &r->long_link, f) < 0 || trim_long_text(r, &r->long_link, f) < 0 ? -1 : 1;
	default:
		return 0;
	}
}

/* ---- members ---- */

static int take_type(struct tar_reader *r, enum tar_type *type, struct failure *f)
{
	switch (r->header.type) {
	case '0':
	case 0:
		*type = TAR_FILE;
		return 0;
	case '1':
		*type = TAR_HARDLINK;
		return 0;
	case '2':
		*type = TAR_SYMLINK;
		return 0;
	case '3':
		*type = TAR_CHARACTER;
		return 0;
	case '4':
		*type = TAR_BLOCKDEV;
		return 0;
	case '5':
		*type = TAR_DIRECTORY;
		return 0;
	case '6':
		*type = TAR_FIFO;
		return 0;
	case 'S':
		return refuse_header(r, f, "sparse file; expected an archive made without --sparse");
	default:
		return refuse_header(r, f, "unknown type of member; expected file, directory, link, device or FIFO");
	}
}

static int take_path(struct tar_reader *r, struct failure *f)
{
	char joined[sizeof r->header.prefix + 1 + sizeof r->header.name];
	const char *raw = joined;
	size_t bytes = 0;
	if (r->pax_header.present && r->pax.path.present) {
		if (r->long_name.present)
			return refuse_header(r, f, "both a pax path and a GNU long name");
		raw = r->pax.path.text;
		bytes = r->pax.path.bytes;
	} else if (r->long_name.present) {
		raw = r->long_name.bytes;
		bytes = r->long_name.count;
	} else {
		size_t prefix = is_posix(&r->header) ? strnlen((const char *)r->header.prefix, sizeof r->header.prefix) : 0;
		size_t name = strnlen((const char *)r->header.name, sizeof r->header.name);
		if (prefix > 0) {
			memcpy(joined, r->header.prefix, prefix);
			joined[prefix] = '/';
			bytes = prefix + 1;
		}
		memcpy(joined + bytes, r->header.name, name);
		bytes += name;
	}
	return tar_path_clean(&r->path, raw, bytes, &r->limits, "entry", f);
}

static int take_target(struct tar_reader *r, struct tar_entry *e, struct failure *f)
{
	const char *raw = (const char *)r->header.linkname;
	size_t bytes = strnlen(raw, sizeof r->header.linkname);
	struct quoted q;
	if (r->pax_header.present && r->pax.linkpath.present) {
		if (r->long_link.present)
			return refuse_header(r, f, "both a pax link path and a GNU long link");
		raw = r->pax.linkpath.text;
		bytes = r->pax.linkpath.bytes;
	} else if (r->long_link.present) {
		raw = r->long_link.bytes;
		bytes = r->long_link.count;
	}
	if (e->type == TAR_HARDLINK) {
		if (tar_path_clean(&r->link, raw, bytes, &r->limits, "hard link target", f) < 0)
			return -1;
		e->target = r->link.text;
		e->target_bytes = r->link.bytes;
		return 0;
	}
	if (bytes == 0)
		return fail(f, FAILURE_ARCHIVE, "cannot unpack entry %s: symbolic link without a target", quote_name(&q, e->path, e->path_bytes));
	if (bytes > r->limits.path_bytes || bytes > TAR_PATH_BYTES)
		return fail(f, FAILURE_LIMIT, "cannot unpack entry %s: link target has too many bytes (pathBytes); expected at most %llu",
			    quote_name(&q, e->path, e->path_bytes), (unsigned long long)r->limits.path_bytes);
	memcpy(r->target, raw, bytes);
	r->target[bytes] = 0;
	e->target = r->target;
	e->target_bytes = bytes;
	return 0;
}

static int take_size(struct tar_reader *r, struct tar_entry *e, struct failure *f)
{
	if (header_size(r, &e->size, f) < 0)
		return -1;
	if (r->pax_header.present && r->pax.size.present) {
		if (e->size != 0 && e->size != r->pax.size.value)
			return refuse_header(r, f, "its header and its pax record state different sizes");
		e->size = r->pax.size.value;
	}
	if (e->type != TAR_FILE && e->size != 0)
		return refuse_header(r, f, "content of something that is not a file");
	return 0;
}

static int take_id(struct tar_reader *r, const uint8_t *field, const struct pax_number *pax, uint32_t *id, struct failure *f)
{
	uint64_t value = 0;
	if (r->pax_header.present && pax->present)
		value = pax->value;
	else if (tar_field_number(field, 8, &value) < 0)
		return refuse_header(r, f, "its owner is not a number");
	if (value >= 1u << 30)
		return refuse_header(r, f, "owner out of range; expected at most 1073741823");
	*id = (uint32_t)value;
	return 0;
}

static int take_device(struct tar_reader *r, const uint8_t *field, uint32_t *number, struct failure *f)
{
	uint64_t value = 0;
	if (!tar_field_empty(field, 8) && tar_field_number(field, 8, &value) < 0)
		return refuse_header(r, f, "its device is not a number");
	if (value > UINT32_MAX)
		return refuse_header(r, f, "device number out of range");
	*number = (uint32_t)value;
	return 0;
}

static int take_attributes(struct tar_reader *r, struct tar_entry *e, struct failure *f)
{
	uint64_t mode, mtime;
	if (tar_field_number(r->header.mode, sizeof r->header.mode, &mode) < 0)
		return refuse_header(r, f, "its mode is not a number");
	e->mode = (uint32_t)(mode & 07777); /* older writers put the type in the upper bits */
	if (take_id(r, r->header.uid, &r->pax.uid, &e->uid, f) < 0 || take_id(r, r->header.gid, &r->pax.gid, &e->gid, f) < 0)
		return -1;
	if (r->pax_header.present && r->pax.has_mtime) {
		e->mtime_seconds = r->pax.mtime_seconds;
		e->mtime_nanoseconds = r->pax.mtime_nanoseconds;
	} else {
		if (tar_field_number(r->header.mtime, sizeof r->header.mtime, &mtime) < 0)
			return refuse_header(r, f, "its time is not a number");
		e->mtime_seconds = (int64_t)mtime;
	}
	if (e->type == TAR_CHARACTER || e->type == TAR_BLOCKDEV)
		if (take_device(r, r->header.major, &e->device_major, f) < 0 || take_device(r, r->header.minor, &e->device_minor, f) < 0)
			return -1;
	return 0;
}

static int take_member(struct tar_reader *r, struct tar_entry *e, struct failure *f)
{
	memset(e, 0, sizeof *e);
	e->target = "";
	if (is_gnu(&r->header) && !gnu_area_plain(&r->header))
		return refuse_header(r, f, "path prefix in a GNU header");
	if (take_type(r, &e->type, f) < 0 || take_path(r, f) < 0)
		return -1;
	e->path = r->path.text;
	e->path_bytes = r->path.bytes;
	if (r->path.trailing_slash && e->type != TAR_DIRECTORY)
		return refuse_header(r, f, "name with a slash at its end; expected that of directories only");
	if ((e->type == TAR_SYMLINK || e->type == TAR_HARDLINK) && take_target(r, e, f) < 0)
		return -1;
	if (take_size(r, e, f) < 0 || take_attributes(r, e, f) < 0)
		return -1;
	if (r->pax_header.present) {
		e->xattrs = r->pax.xattrs;
		e->xattr_count = r->pax.xattr_count;
	}
	return 0;
}

int tar_next(struct tar_reader *r, struct tar_entry *e, struct failure *f)
{
	if (f->kind != FAILURE_NONE)
		return -1;
	if (r->ended)
		return 0;
	if (skip_content(r, f) < 0)
		return -1;
	r->pax_header.present = r->long_name.present = r->long_link.present = false;
	uint64_t globals = 0;
	for (;;) {
		int state = read_header(r, f);
		if (state < 0)
			return -1;
		if (state == 0) {
			if (r->pax_header.present || r->long_name.present || r->long_link.present)
				return fail(f, FAILURE_ARCHIVE, "cannot unpack archive: an extension header without its member at the end");
			r->ended = true;
			return read_tail(r, f);
		}
		state = take_extension(r, f);
		if (state < 0)
			return -1;
		if (state == 0)
			break;
		if (r->header.type == 'g' && ++globals > 16)
			return refuse_header(r, f, "too many global headers in a row; expected at most 16");
	}
	if (r->entries >= r->limits.entries)
		return fail(f, FAILURE_LIMIT, "cannot unpack archive: too many members (archiveEntries); expected at most %llu",
			    (unsigned long long)r->limits.entries);
	if (take_member(r, e, f) < 0)
		return -1;
	r->entries++;
	expect_content(r, e->size);
	return 1;
}
