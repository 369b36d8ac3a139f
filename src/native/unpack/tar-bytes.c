#include "tar-reader.h"

#include <string.h>

int tar_fill(struct tar_reader *r, struct failure *f)
{
	if (r->chunk_bytes > 0)
		return 1;
	ssize_t n = r->source.next(r->source.context, &r->chunk, f);
	if (n <= 0)
		return (int)n;
	r->chunk_bytes = (size_t)n;
	return 1;
}

int tar_truncated(struct tar_reader *r, struct failure *f)
{
	return fail(f, FAILURE_ARCHIVE, "cannot unpack archive: it ends within member %llu", (unsigned long long)r->entries + 1);
}

int tar_take(struct tar_reader *r, void *to, size_t count, struct failure *f)
{
	size_t done = 0;
	while (done < count) {
		int state = tar_fill(r, f);
		if (state < 0)
			return -1;
		if (state == 0)
			return done == 0 ? 0 : tar_truncated(r, f);
		size_t n = count - done < r->chunk_bytes ? count - done : r->chunk_bytes;
		memcpy((char *)to + done, r->chunk, n);
		r->chunk += n;
		r->chunk_bytes -= n;
		done += n;
	}
	return 1;
}

int tar_skip_padding(struct tar_reader *r, struct failure *f)
{
	uint8_t waste[TAR_BLOCK];
	size_t n = r->padding_left;
	r->padding_left = 0;
	if (n == 0)
		return 0;
	int state = tar_take(r, waste, n, f);
	/* The last member of a layer by umoci is not filled up; its digest says that nothing is missing. */
	if (state == 0 && r->limits.layer)
		return 0;
	return state == 1 ? 0 : state < 0 ? -1 : tar_truncated(r, f);
}

ssize_t tar_content(struct tar_reader *r, const uint8_t **piece, struct failure *f)
{
	if (r->content_left == 0)
		return tar_skip_padding(r, f);
	int state = tar_fill(r, f);
	if (state <= 0)
		return state < 0 ? -1 : tar_truncated(r, f);
	size_t n = r->content_left < r->chunk_bytes ? (size_t)r->content_left : r->chunk_bytes;
	*piece = r->chunk;
	r->chunk += n;
	r->chunk_bytes -= n;
	r->content_left -= n;
	return (ssize_t)n;
}

int tar_skip(struct tar_reader *r, struct failure *f)
{
	const uint8_t *piece;
	ssize_t n;
	while ((n = tar_content(r, &piece, f)) > 0)
		;
	return (int)n;
}

void tar_expect(struct tar_reader *r, uint64_t size)
{
	r->content_left = size;
	r->padding_left = (uint32_t)(-size & (TAR_BLOCK - 1));
}
