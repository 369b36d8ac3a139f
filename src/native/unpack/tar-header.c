#include "tar-reader.h"

#include "tar-number.h"

#include <string.h>

int tar_refuse(struct tar_reader *r, struct failure *f, const char *state)
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

bool tar_is_posix(const struct header *h)
{
	return memcmp(h->magic, "ustar\00000", 8) == 0;
}

bool tar_is_gnu(const struct header *h)
{
	return memcmp(h->magic, "ustar  \0", 8) == 0;
}

/*
 * GNU archives keep times where POSIX keeps the path prefix. Early Go writers put a prefix under the GNU magic, which
 * readers understand differently: there only two numbers, and nothing after them, are accepted.
 */
bool tar_gnu_area_plain(const struct header *h)
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

int tar_read_header(struct tar_reader *r, struct failure *f)
{
	int state = tar_take(r, &r->header, TAR_BLOCK, f);
	if (state < 0)
		return -1;
	/* A layer's digest says where it ends, and umoci writes none of the zeros. */
	if (state == 0 && r->limits.layer)
		return 0;
	if (state == 0)
		return fail(f, FAILURE_ARCHIVE, "cannot unpack archive: it ends without its two blocks of zeros");
	if (zero_block(&r->header)) {
		state = tar_take(r, &r->header, TAR_BLOCK, f);
		if (state < 0)
			return -1;
		if (state == 0 && r->limits.layer)
			return 0;
		if (state == 0 || !zero_block(&r->header))
			return fail(f, FAILURE_ARCHIVE, "cannot unpack archive: one block of zeros within it; expected two at its end");
		return 0;
	}
	if (!checksum_holds(&r->header))
		return tar_refuse(r, f, "wrong checksum of its header");
	if (!tar_is_posix(&r->header) && !tar_is_gnu(&r->header))
		return tar_refuse(r, f, "unknown format; expected a POSIX or GNU tar archive");
	if (tar_is_posix(&r->header) && memcmp(r->header.unused + 8, "tar\0", 4) == 0)
		return tar_refuse(r, f, "star format; expected a POSIX or GNU tar archive");
	return 1;
}

/* After the two zero blocks nothing but zeros may follow: another archive there would be read by some and not by others. */
int tar_read_tail(struct tar_reader *r, struct failure *f)
{
	for (;;) {
		int state = tar_fill(r, f);
		if (state <= 0)
			return state;
		for (size_t i = 0; i < r->chunk_bytes; i++)
			if (r->chunk[i] != 0)
				return fail(f, FAILURE_ARCHIVE, "cannot unpack archive: bytes after its end; expected only zeros");
		r->chunk_bytes = 0;
	}
}

int tar_header_size(struct tar_reader *r, uint64_t *size, struct failure *f)
{
	if (tar_field_number(r->header.size, sizeof r->header.size, size) < 0)
		return tar_refuse(r, f, "its size is not a number from 0 to 2^63-1");
	return 0;
}
