#include "stream.h"

#include "window.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 128 * 1024, FREE_BYTES = 64 * 1024 * 1024 };

struct filter {
	int code;
	const char *name;
	size_t magic_bytes;
	const char *magic;
	uint64_t (*window)(const uint8_t *bytes, size_t count); /* NULL: the format itself bounds it */
};

static const struct filter filters[] = {
	{ ARCHIVE_FILTER_GZIP, "gzip", 3, "\x1f\x8b\x08", NULL },
	{ ARCHIVE_FILTER_BZIP2, "bzip2", 3, "BZh", NULL },
	{ ARCHIVE_FILTER_XZ, "xz", 6, "\xfd" "7zXZ\0", xz_dictionary },
	{ ARCHIVE_FILTER_ZSTD, "zstd", 4, "\x28\xb5\x2f\xfd", zstd_window },
};

struct blob {
	struct stream *stream;
	struct failure *failure;
	uint8_t buffer[READ_BYTES];
};

static ssize_t read_blob(struct stream *s, void *to, size_t most, struct failure *f)
{
	for (;;) {
		ssize_t n = pread(s->fd, to, most, (off_t)s->consumed);
		if (n >= 0) {
			s->consumed += (uint64_t)n;
			return n;
		}
		if (errno != EINTR)
			return fail_errno(f, errno, "cannot read image");
	}
}

static ssize_t feed_filter(struct archive *a, void *context, const void **bytes)
{
	struct blob *blob = context;
	ssize_t n = read_blob(blob->stream, blob->buffer, READ_BYTES, blob->failure);
	if (n < 0)
		archive_set_error(a, EIO, "%s", blob->failure->text);
	*bytes = blob->buffer;
	return n;
}

/* What has come out so far stays within the limits. */
static int check_growth(struct stream *s, uint64_t taken, struct failure *f)
{
	if (s->unpacked_bytes > s->limits.unpacked_bytes)
		return fail(f, FAILURE_LIMIT, "cannot unpack image: too many bytes unpacked (unpackedBytes); expected at most %llu",
			    (unsigned long long)s->limits.unpacked_bytes);
	if (s->unpacked_bytes > FREE_BYTES && (s->unpacked_bytes - FREE_BYTES) / s->limits.ratio > taken)
		return fail(f, FAILURE_LIMIT, "cannot unpack image: compressed too well (compressionRatio); expected at most %llu to 1",
			    (unsigned long long)s->limits.ratio);
	return 0;
}

static int pass(struct stream *s, const uint8_t *bytes, size_t count, struct failure *f)
{
	if (hash_add(&s->hash, bytes, count, f) < 0)
		return -1;
	while (count > 0) {
		size_t n = count < RING_SLOT_BYTES ? count : RING_SLOT_BYTES;
		memcpy(ring_claim(&s->ring), bytes, n);
		ring_publish(&s->ring, n);
		bytes += n;
		count -= n;
	}
	return 0;
}

static int pass_plain(struct stream *s, struct failure *f)
{
	for (;;) {
		uint8_t *slot = ring_claim(&s->ring);
		ssize_t n = read_blob(s, slot, RING_SLOT_BYTES, f);
		if (n <= 0)
			return (int)n;
		s->unpacked_bytes += (uint64_t)n;
		if (check_growth(s, s->consumed, f) < 0 || hash_add(&s->hash, slot, (size_t)n, f) < 0)
			return -1;
		ring_publish(&s->ring, (size_t)n);
	}
}

static int refuse(struct archive *a, const struct filter *filter, struct failure *f)
{
	const char *text = archive_error_string(a);
	struct quoted q;
	if (!text)
		text = "unknown error";
	if (archive_errno(a) == ENOMEM || strstr(text, "memory") || strstr(text, "emory"))
		return fail(f, FAILURE_LIMIT, "cannot decompress image: %s wants too much memory (decompressor memory)", filter->name);
	return fail(f, FAILURE_ARCHIVE, "cannot decompress image: %s stream is damaged: %s", filter->name, quote_name(&q, text, strlen(text)));
}

static int pass_blocks(struct stream *s, struct archive *a, const struct filter *filter, struct failure *f)
{
	for (;;) {
		const void *bytes;
		size_t count;
		la_int64_t offset;
		int state = archive_read_data_block(a, &bytes, &count, &offset);
		if (f->kind != FAILURE_NONE)
			return -1;
		if (state == ARCHIVE_EOF)
			return 0;
		if (state != ARCHIVE_OK)
			return refuse(a, filter, f);
		/* Bytes without content would be a hole: a raw stream has none. */
		if (offset < 0 || (uint64_t)offset != s->unpacked_bytes)
			return fail(f, FAILURE_ARCHIVE, "cannot decompress image: hole in the %s stream", filter->name);
		s->unpacked_bytes += count;
		if (check_growth(s, (uint64_t)archive_filter_bytes(a, -1), f) < 0 || pass(s, bytes, count, f) < 0)
			return -1;
	}
}

static void free_archive(struct archive **a)
{
	archive_read_free(*a);
}

/* Exactly one filter, chosen by us: nothing is guessed, no second layer, no external program. */
static int pass_filtered(struct stream *s, const struct filter *filter, struct failure *f)
{
	struct archive *a __attribute__((cleanup(free_archive))) = archive_read_new();
	struct blob blob = { .stream = s, .failure = f };
	struct archive_entry *entry;
	if (!a)
		return fail(f, FAILURE_HOST, "cannot decompress image: out of memory");
	if (archive_read_append_filter(a, filter->code) != ARCHIVE_OK || archive_read_support_format_raw(a) != ARCHIVE_OK)
		return fail(f, FAILURE_HOST, "cannot decompress image: libarchive was built without %s", filter->name);
	if (archive_read_open(a, &blob, NULL, feed_filter, NULL) != ARCHIVE_OK || archive_read_next_header(a, &entry) != ARCHIVE_OK)
		return f->kind != FAILURE_NONE ? -1 : refuse(a, filter, f);
	if (pass_blocks(s, a, filter, f) < 0)
		return -1;
	uint64_t used = (uint64_t)archive_filter_bytes(a, -1);
	if (used != s->blob_bytes)
		return fail(f, FAILURE_ARCHIVE, "cannot decompress image: %llu bytes after the end of the %s stream",
			    (unsigned long long)(s->blob_bytes - used), filter->name);
	return 0;
}

static int run(struct stream *s, struct failure *f)
{
	uint8_t head[WINDOW_HEADER_BYTES] = { 0 };
	ssize_t n = read_blob(s, head, sizeof head, f);
	if (n < 0)
		return -1;
	if (n == 0)
		return fail(f, FAILURE_ARCHIVE, "cannot unpack image: it is empty; expected a tar archive");
	s->consumed = 0;
	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
		const struct filter *filter = &filters[i];
		if (memcmp(head, filter->magic, filter->magic_bytes) != 0)
			continue;
		if (filter->window && filter->window(head, (size_t)n) > WINDOW_MOST_BYTES)
			return fail(f, FAILURE_LIMIT, "cannot decompress image: %s wants too much memory (decompressor memory); expected a window of at most %d bytes",
				    filter->name, WINDOW_MOST_BYTES);
		return pass_filtered(s, filter, f);
	}
	return pass_plain(s, f);
}

static void change_state(struct stream *s, enum stream_state from, enum stream_state to)
{
	pthread_mutex_lock(&s->mutex);
	while (s->state != from)
		pthread_cond_wait(&s->changed, &s->mutex);
	s->state = to;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->mutex);
}

static void *thread_main(void *context)
{
	struct stream *s = context;
	struct failure f = { .kind = FAILURE_NONE };
	change_state(s, STREAM_STARTING, STREAM_WAITING);
	change_state(s, STREAM_RELEASED, STREAM_RELEASED);
	if (run(s, &f) == 0)
		hash_finish(&s->hash, s->digest, &f);
	ring_end(&s->ring, &f);
	/* Waits for the end of the process: the end of a thread needs system calls that the filter does not know. */
	change_state(s, STREAM_STARTING, STREAM_STARTING);
	return NULL;
}

int stream_start(struct stream *s, int fd, const EVP_MD *kind, struct stream_limits limits, struct failure *f)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return fail_errno(f, errno, "cannot read image");
	if (!S_ISREG(st.st_mode))
		return fail(f, FAILURE_HOST, "cannot read image: not a regular file");
	s->fd = fd;
	s->blob_bytes = (uint64_t)st.st_size;
	s->limits = limits;
	s->state = STREAM_STARTING;
	if (ring_init(&s->ring, f) < 0 || hash_open(&s->hash, kind, f) < 0)
		return -1;
	if (pthread_mutex_init(&s->mutex, NULL) != 0 || pthread_cond_init(&s->changed, NULL) != 0)
		return fail(f, FAILURE_HOST, "cannot start a thread: out of memory");
	int error = pthread_create(&s->thread, NULL, thread_main, s);
	if (error != 0)
		return fail_errno(f, error, "cannot start a thread");
	change_state(s, STREAM_WAITING, STREAM_WAITING);
	return 0;
}

void stream_release(struct stream *s)
{
	change_state(s, STREAM_WAITING, STREAM_RELEASED);
}
