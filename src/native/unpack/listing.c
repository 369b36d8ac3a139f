#define _GNU_SOURCE
#include "listing.h"

#include "io.h"
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 20, LINE_ROOM = 1 << 16, DEPTH = 300 };

struct listing_scratch {
	char xattr_names[1 << 16]; /* XATTR_LIST_MAX */
	uint8_t value[1 << 16];    /* XATTR_SIZE_MAX */
	uint8_t content[1 << 18];
};

/* The path of the walk, as the listing and messages show it. */
struct walk_path {
	char text[8192];
	size_t bytes;
};

static int broken(const struct walk_path *path, struct failure *f, const char *step)
{
	struct quoted q;
	int error = errno;
	return fail_errno(f, error, "cannot list tree entry %s: %s", quote_name(&q, path->text, path->bytes), step);
}

static int out_of_memory(struct failure *f)
{
	return fail(f, FAILURE_LIMIT, "cannot list tree: too many names for the memory limit");
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* ---- output ---- */

int listing_open(struct listing *l, int fd, const struct records *records, const struct hashes *hashes, struct failure *f)
{
	memset(l, 0, sizeof *l);
	l->fd = fd;
	l->records = records;
	l->buffer = malloc(BUFFER_BYTES);
	l->scratch = malloc(sizeof *l->scratch);
	if (!l->buffer || !l->scratch)
		return out_of_memory(f);
	return hash_open(&l->sha512, hashes->sha512, f) < 0 ? -1 : hash_open(&l->sha256, hashes->sha256, f);
}

static int hash_pending(struct listing *l, struct failure *f)
{
	return l->sha512.context ? hash_add(&l->sha512, l->buffer, l->used, f) : 0;
}

int listing_flush(struct listing *l, struct failure *f)
{
	if (hash_pending(l, f) < 0)
		return -1;
	if (l->fd >= 0 && write_all(l->fd, l->buffer, l->used) < 0)
		return fail_errno(f, errno, "cannot write listing");
	l->used = 0;
	return 0;
}

static int room(struct listing *l, size_t bytes, struct failure *f)
{
	return l->used + bytes <= BUFFER_BYTES ? 0 : listing_flush(l, f);
}

static void put_escaped(struct listing *l, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		uint8_t c = (uint8_t)text[i];
		if (c > ' ' && c < 0x7f && c != '\\')
			l->buffer[l->used++] = (char)c;
		else
			l->used += (size_t)sprintf(l->buffer + l->used, "\\x%02x", c);
	}
}

static void put_text(struct listing *l, const char *text)
{
	size_t n = strlen(text);
	memcpy(l->buffer + l->used, text, n);
	l->used += n;
}

int listing_digest(struct listing *l, uint8_t *digest, struct failure *f)
{
	if (listing_flush(l, f) < 0 || hash_finish(&l->sha512, digest, f) < 0)
		return -1;
	l->sha512.context = NULL;
	return 0;
}

int listing_devices(struct listing *l, struct device *const *devices, size_t count, struct failure *f)
{
	for (size_t i = 0; i < count; i++) {
		const struct device *d = devices[i];
		if (room(l, LINE_ROOM, f) < 0)
			return -1;
		l->used += (size_t)sprintf(l->buffer + l->used, "%c %04o %u %u - %u:%u ", d->block ? 'b' : 'c', d->mode, d->uid, d->gid, d->major, d->minor);
		put_escaped(l, d->path, strlen(d->path));
		l->buffer[l->used++] = '\n';
	}
	return 0;
}

/* ---- one entry: the current directory is the one that holds `name` ---- */

static int put_xattr(struct listing *l, const char *name, const char *attribute, const struct walk_path *path, struct failure *f)
{
	uint8_t *value = l->scratch->value;
	ssize_t n = lgetxattr(name, attribute, value, sizeof l->scratch->value);
	if (n < 0)
		return broken(path, f, "read an extended attribute");
	if (room(l, LINE_ROOM + 2 * (size_t)n, f) < 0)
		return -1;
	l->buffer[l->used++] = ' ';
	put_escaped(l, attribute, strlen(attribute));
	l->buffer[l->used++] = '=';
	to_hex(l->buffer + l->used, value, (size_t)n);
	l->used += 2 * (size_t)n;
	return 0;
}

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* All that an image may set, and what overlay would read: of that only the marks of a layer are ever written. */
static bool is_listed(const char *name)
{
	return strncmp(name, "user.", 5) == 0 || strcmp(name, "security.capability") == 0;
}

static int put_xattrs(struct listing *l, const char *name, const struct walk_path *path, struct failure *f)
{
	char *names = l->scratch->xattr_names;
	const char *kept[TAR_XATTRS];
	size_t count = 0;
	ssize_t n = llistxattr(name, names, sizeof l->scratch->xattr_names);
	if (n < 0)
		return errno == ENOTSUP ? 0 : broken(path, f, "list extended attributes");
	for (const char *x = names; x < names + n; x += strlen(x) + 1) {
		if (!is_listed(x))
			continue;
		if (count == TAR_XATTRS)
			return fail(f, FAILURE_LIMIT, "cannot list tree: too many extended attributes on one file; expected at most %d", TAR_XATTRS);
		kept[count++] = x;
	}
	if (count > 1)
		qsort(kept, count, sizeof *kept, compare_texts);
	for (size_t i = 0; i < count; i++)
		if (put_xattr(l, name, kept[i], path, f) < 0)
			return -1;
	return 0;
}

static int hash_file(struct listing *l, const char *name, uint8_t *digest, const struct walk_path *path, struct failure *f)
{
	int fd __attribute__((cleanup(close_fd))) = openat(AT_FDCWD, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return broken(path, f, "open");
	if (hash_start(&l->sha256, f) < 0)
		return -1;
	for (;;) {
		ssize_t n = read(fd, l->scratch->content, sizeof l->scratch->content);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return broken(path, f, "read");
		if (n == 0)
			return hash_finish(&l->sha256, digest, f);
		if (hash_add(&l->sha256, l->scratch->content, (size_t)n, f) < 0)
			return -1;
	}
}

static int put_file_digest(struct listing *l, const char *name, const struct stat *st, const struct walk_path *path, struct failure *f)
{
	static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	uint8_t digest[SHA256_BYTES];
	if (st->st_size == 0) {
		put_text(l, empty);
		return 0;
	}
	const struct record *known = l->records ? records_find(l->records, st->st_ino) : NULL;
	if (known)
		memcpy(digest, known->sha256, sizeof digest);
	else if (hash_file(l, name, digest, path, f) < 0)
		return -1;
	to_hex(l->buffer + l->used, digest, sizeof digest);
	l->used += 2 * sizeof digest;
	return 0;
}

static int put_entry(struct listing *l, const char *name, const struct stat *st, const struct walk_path *path, struct failure *f)
{
	char target[PATH_MAX];
	char type = S_ISREG(st->st_mode) ? 'f' : S_ISDIR(st->st_mode) ? 'd' : S_ISLNK(st->st_mode) ? 'l' : S_ISFIFO(st->st_mode) ? 'p' : S_ISCHR(st->st_mode) && st->st_rdev == 0 ? 'w' : '?';
	if (room(l, LINE_ROOM, f) < 0)
		return -1;
	l->used += (size_t)sprintf(l->buffer + l->used, "%c %04o %u %u ", type, st->st_mode & 07777, st->st_uid, st->st_gid);
	if (type == 'f') {
		l->used += (size_t)sprintf(l->buffer + l->used, "%llu ", (unsigned long long)st->st_size);
		if (put_file_digest(l, name, st, path, f) < 0)
			return -1;
	} else if (type == 'l') {
		ssize_t n = readlinkat(AT_FDCWD, name, target, sizeof target);
		if (n < 0)
			return broken(path, f, "read link");
		put_text(l, "- ");
		put_escaped(l, target, (size_t)n);
	} else {
		put_text(l, "- -");
	}
	l->buffer[l->used++] = ' ';
	put_escaped(l, path->text, path->bytes);
	if ((type == 'f' || type == 'd') && put_xattrs(l, name, path, f) < 0)
		return -1;
	l->buffer[l->used++] = '\n';
	l->lines++;
	return 0;
}

/* ---- the walk ---- */

static int walk(struct listing *l, int above, const char *name, struct walk_path *path, unsigned depth, struct failure *f);

static int walk_directory(struct listing *l, int above, const char *name, const struct stat *st, struct walk_path *path, unsigned depth, struct failure *f)
{
	struct quoted q;
	struct names names __attribute__((cleanup(names_free))) = { 0 };
	int fd __attribute__((cleanup(close_fd))) = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return broken(path, f, "open");
	if (depth > DEPTH)
		return fail(f, FAILURE_LIMIT, "cannot list tree: nested deeper than %d", DEPTH);
	if (names_read(&names, fd, quote_name(&q, path->text, path->bytes), f) < 0)
		return -1;
	if (names.count > 0 && fchdir(fd) < 0)
		return broken(path, f, "enter");
	for (size_t i = 0; i < names.count; i++)
		if (walk(l, fd, names.bytes + names.starts[i], path, depth + 1, f) < 0)
			return -1;
	if (names.count > 0 && fchdir(above) < 0)
		return broken(path, f, "leave");
	const struct record *known = l->records ? records_find(l->records, st->st_ino) : NULL;
	if (known) {
		/* Now nothing more is made in it. */
		const struct timespec times[2] = { { 0, UTIME_OMIT }, known->mtime };
		if (futimens(fd, times) < 0)
			return broken(path, f, "set the time");
	}
	return 0;
}

static int walk(struct listing *l, int above, const char *name, struct walk_path *path, unsigned depth, struct failure *f)
{
	struct stat st;
	const size_t before = path->bytes, bytes = strlen(name);
	if (before + bytes + 2 > sizeof path->text)
		return fail(f, FAILURE_LIMIT, "cannot list tree: path longer than %zu bytes", sizeof path->text);
	if (before > 0)
		path->text[path->bytes++] = '/';
	memcpy(path->text + path->bytes, name, bytes + 1);
	path->bytes += bytes;
	if (fstatat(above, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return broken(path, f, "stat");
	if (put_entry(l, name, &st, path, f) < 0)
		return -1;
	if (S_ISDIR(st.st_mode) && walk_directory(l, above, name, &st, path, depth, f) < 0)
		return -1;
	path->bytes = before;
	path->text[before] = 0;
	return 0;
}

int listing_walk(struct listing *l, int root, struct failure *f)
{
	struct walk_path path = { .bytes = 0 };
	if (fchdir(root) < 0)
		return fail_errno(f, errno, "cannot list tree");
	return walk(l, root, "rootfs", &path, 1, f);
}
