#define _GNU_SOURCE
#include "plain.h"

#include "io.h"
#include "sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int write_stream(struct stream *s, struct failure *f)
{
	const uint8_t *chunk;
	ssize_t n;
	while ((n = ring_next(&s->ring, &chunk, f)) > 0)
		if (write_all(FD_DESTINATION, chunk, (size_t)n) < 0)
			return fail_errno(f, errno, "cannot write the uncompressed image");
	return (int)n;
}

int plain_unpack(struct stream *s, const struct options *o, const struct hashes *hashes, struct failure *f)
{
	char digest[2 * SHA512_BYTES + 1], text[256];
	memset(s, 0, sizeof *s);
	if (sandbox_enter(SANDBOX_NOTHING, -1, f) < 0)
		return -1;
	if (stream_start(s, FD_IMAGE, hashes->sha512, (struct stream_limits){ o->unpacked_bytes, o->ratio }, f) < 0)
		return -1;
	if (sandbox_confine(SANDBOX_NOTHING, (struct confinement){ o->unpacked_bytes }, f) < 0)
		return -1;
	stream_release(s);
	if (write_stream(s, f) < 0)
		return -1;
	to_hex(digest, s->digest, SHA512_BYTES);
	int n = snprintf(text, sizeof text, "{\"sha512\":\"%s\",\"unpackedBytes\":%llu}\n", digest, (unsigned long long)s->unpacked_bytes);
	return write_all(FD_RESULT, text, (size_t)n) < 0 ? fail_errno(f, errno, "cannot write the result") : 0;
}
