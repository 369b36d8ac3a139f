#include "tar-reader.h"

#include <stdlib.h>
#include <string.h>

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

/* Keeps the payload of an extension header, with a NUL after it. */
static int read_extension(struct tar_reader *r, struct extension *e, struct failure *f)
{
	uint64_t size;
	if (e->present)
		return tar_refuse(r, f, "two extension headers of one kind for one member");
	if (tar_header_size(r, &size, f) < 0)
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
	tar_expect(r, size);
	r->content_left = 0; /* taken here whole */
	if (count > 0) {
		int state = tar_take(r, e->bytes, count, f);
		if (state <= 0)
			return state < 0 ? -1 : tar_truncated(r, f);
	}
	e->bytes[count] = 0;
	e->count = count;
	e->present = true;
	return tar_skip_padding(r, f);
}

/* A GNU long name ends with NULs and holds none before. */
static int trim_long_text(struct tar_reader *r, struct extension *e, struct failure *f)
{
	size_t n = strlen(e->bytes);
	for (size_t i = n; i < e->count; i++)
		if (e->bytes[i] != 0)
			return tar_refuse(r, f, "NUL within its long name");
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
			return tar_refuse(r, f, "global header between a member and its extension header");
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

int tar_next(struct tar_reader *r, struct tar_entry *e, struct failure *f)
{
	if (f->kind != FAILURE_NONE)
		return -1;
	if (r->ended)
		return 0;
	if (tar_skip(r, f) < 0)
		return -1;
	r->pax_header.present = r->long_name.present = r->long_link.present = false;
	uint64_t globals = 0;
	for (;;) {
		int state = tar_read_header(r, f);
		if (state < 0)
			return -1;
		if (state == 0) {
			if (r->pax_header.present || r->long_name.present || r->long_link.present)
				return fail(f, FAILURE_ARCHIVE, "cannot unpack archive: an extension header without its member at the end");
			r->ended = true;
			return tar_read_tail(r, f);
		}
		state = take_extension(r, f);
		if (state < 0)
			return -1;
		if (state == 0)
			break;
		if (r->header.type == 'g' && ++globals > 16)
			return tar_refuse(r, f, "too many global headers in a row; expected at most 16");
	}
	if (r->entries >= r->limits.entries)
		return fail(f, FAILURE_LIMIT, "cannot unpack archive: too many members (archiveEntries); expected at most %llu",
			    (unsigned long long)r->limits.entries);
	if (tar_take_member(r, e, f) < 0)
		return -1;
	r->entries++;
	tar_expect(r, e->size);
	return 1;
}
