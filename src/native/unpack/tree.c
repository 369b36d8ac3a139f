#define _GNU_SOURCE
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Where a member goes: an open directory and a name in it. */
struct place {
	int directory;
	const char *name;
};

static int refuse(const struct tar_entry *e, struct failure *f, const char *state)
{
	struct quoted q;
	return fail(f, FAILURE_ARCHIVE, "cannot unpack entry %s: %s", quote_name(&q, e->path, e->path_bytes), state);
}

static int broken(const struct tar_entry *e, struct failure *f, const char *step)
{
	struct quoted q;
	int error = errno;
	return fail_errno(f, error, "cannot unpack entry %s: %s", quote_name(&q, e->path, e->path_bytes), step);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int tree_open(struct tree *tree, int root, const struct hashes *hashes, struct failure *f)
{
	memset(tree, 0, sizeof *tree);
	tree->root = root;
	tree->parent = -1;
	return hash_open(&tree->sha256, hashes->sha256, f);
}

bool tree_keeps_xattr(const char *name, size_t bytes)
{
	static const char capability[] = "security.capability", user[] = "user.", overlay[] = "user.overlay.";
	if (bytes == sizeof capability - 1 && memcmp(name, capability, bytes) == 0)
		return true;
	if (bytes < sizeof user || memcmp(name, user, sizeof user - 1) != 0)
		return false;
	return bytes < sizeof overlay - 1 || memcmp(name, overlay, sizeof overlay - 1) != 0;
}

/* ---- directories ---- */

static int open_beneath(int directory, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

static struct device **find_device(struct tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->device_count; i++)
		if (strcmp(tree->devices[i]->path, path) == 0)
			return &tree->devices[i];
	return NULL;
}

static void drop_device(struct tree *tree, const char *path)
{
	struct device **at = tree->device_count > 0 ? find_device(tree, path) : NULL;
	if (!at)
		return;
	free((*at)->path);
	free(*at);
	*at = tree->devices[--tree->device_count];
}

static int note_directory(struct tree *tree, int fd, const struct timespec *mtime, const struct tar_entry *e, struct failure *f)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return broken(e, f, "stat");
	struct record record = { .inode = st.st_ino, .mtime = *mtime };
	return records_add(&tree->records, &record, f);
}

/* Opens the directory `path`, making what is missing of it: 0755, root, as old as the epoch. */
static int open_directory(struct tree *tree, const char *path, const struct tar_entry *e, struct failure *f)
{
	int fd = open_beneath(tree->root, path);
	if (fd >= 0)
		return fd;
	if (errno == ELOOP || errno == ENOTDIR)
		return refuse(e, f, "a directory above it is not a directory in this archive");
	if (errno != ENOENT)
		return broken(e, f, "open its directory");
	char step[TAR_PATH_BYTES + 1];
	size_t done = 0;
	int above __attribute__((cleanup(close_fd))) = open_beneath(tree->root, ".");
	while (above >= 0 && path[done] != 0) {
		size_t n = strcspn(path + done, "/");
		memcpy(step, path + done, n);
		step[n] = 0;
		done += n;
		int next = open_beneath(above, step);
		if (next < 0 && errno == ENOENT) {
			const struct timespec epoch = { 0, 0 };
			char whole[TAR_PATH_BYTES + 1];
			memcpy(whole, path, done);
			whole[done] = 0;
			drop_device(tree, whole);
			if (mkdirat(above, step, 0755) < 0 || (next = open_beneath(above, step)) < 0)
				return broken(e, f, "make a directory above it");
			if (fchmod(next, 0755) < 0 || fchown(next, 0, 0) < 0) {
				close(next);
				return broken(e, f, "set the mode of a directory above it");
			}
			if (note_directory(tree, next, &epoch, e, f) < 0) {
				close(next);
				return -1;
			}
		}
		close(above);
		above = next;
		done += path[done] == '/';
	}
	if (above < 0)
		return errno == ELOOP || errno == ENOTDIR ? refuse(e, f, "a directory above it is not a directory in this archive")
							  : broken(e, f, "open its directory");
	fd = above;
	above = -1;
	return fd;
}

/* Finds the place of `path`, whose directory stays open until the next call. */
static int find_place(struct tree *tree, const char *path, struct place *place, const struct tar_entry *e, struct failure *f)
{
	const char *slash = strrchr(path, '/');
	if (!slash) {
		*place = (struct place){ tree->root, path };
		return 0;
	}
	size_t n = (size_t)(slash - path);
	if (tree->parent < 0 || strlen(tree->parent_path) != n || memcmp(tree->parent_path, path, n) != 0) {
		close_fd(&tree->parent);
		memcpy(tree->parent_path, path, n);
		tree->parent_path[n] = 0;
		tree->parent = open_directory(tree, tree->parent_path, e, f);
		if (tree->parent < 0)
			return -1;
	}
	*place = (struct place){ tree->parent, slash + 1 };
	return 0;
}

/* Something of the archive has this name already: the later member replaces it, but never a directory that is not empty. */
static int clear_place(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	if (unlinkat(place->directory, place->name, 0) == 0)
		return 0;
	if (errno != EISDIR)
		return broken(e, f, "replace what is there");
	if (unlinkat(place->directory, place->name, AT_REMOVEDIR) < 0)
		return errno == ENOTEMPTY ? refuse(e, f, "replaces a directory that is not empty") : broken(e, f, "replace what is there");
	/* The directory that was kept open may be the one that is gone. */
	if (tree->parent != place->directory) {
		close_fd(&tree->parent);
		tree->parent = -1;
	}
	return 0;
}

/* ---- attributes ---- */

static int set_xattrs(int fd, const struct tar_entry *e, struct failure *f)
{
	for (size_t i = 0; i < e->xattr_count; i++) {
		const struct tar_xattr *x = &e->xattrs[i];
		char name[256];
		struct quoted q;
		if (!tree_keeps_xattr(x->name, x->name_bytes))
			continue;
		if (x->name_bytes >= sizeof name)
			return refuse(e, f, "name of an extended attribute has more than 255 bytes");
		memcpy(name, x->name, x->name_bytes);
		name[x->name_bytes] = 0;
		if (fsetxattr(fd, name, x->value, x->value_bytes, 0) == 0)
			continue;
		if (errno == EINVAL || errno == ERANGE || errno == E2BIG)
			return fail(f, FAILURE_ARCHIVE, "cannot unpack entry %s: invalid extended attribute %s",
				    (quote_name(&q, e->path, e->path_bytes)), name[0] == 'u' ? "user.*" : name);
		return broken(e, f, "set an extended attribute");
	}
	return 0;
}

static struct timespec entry_mtime(const struct tar_entry *e)
{
	return (struct timespec){ .tv_sec = e->mtime_seconds, .tv_nsec = e->mtime_nanoseconds };
}

/* Owner first: a change of owner clears set-id bits and file capabilities. */
static int set_attributes(int fd, const struct tar_entry *e, struct failure *f)
{
	const struct timespec times[2] = { { 0, UTIME_OMIT }, entry_mtime(e) };
	if (fchown(fd, e->uid, e->gid) < 0)
		return broken(e, f, "set the owner");
	if (fchmod(fd, e->mode) < 0)
		return broken(e, f, "set the mode");
	if (set_xattrs(fd, e, f) < 0)
		return -1;
	return futimens(fd, times) < 0 ? broken(e, f, "set the time") : 0;
}

static int set_link_attributes(const struct place *place, const struct tar_entry *e, struct failure *f)
{
	const struct timespec times[2] = { { 0, UTIME_OMIT }, entry_mtime(e) };
	if (fchownat(place->directory, place->name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return broken(e, f, "set the owner");
	return utimensat(place->directory, place->name, times, AT_SYMLINK_NOFOLLOW) < 0 ? broken(e, f, "set the time") : 0;
}

/* ---- one function for each type ---- */

static int write_all(int fd, const uint8_t *bytes, size_t count)
{
	while (count > 0) {
		ssize_t n = write(fd, bytes, count);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		bytes += n;
		count -= (size_t)n;
	}
	return 0;
}

static int put_content(struct tree *tree, int fd, struct tar_reader *reader, const struct tar_entry *e, struct failure *f)
{
	const uint8_t *piece;
	ssize_t n;
	struct stat st;
	struct record record;
	if (e->size == 0)
		return 0;
	if (hash_start(&tree->sha256, f) < 0)
		return -1;
	while ((n = tar_content(reader, &piece, f)) > 0) {
		if (write_all(fd, piece, (size_t)n) < 0)
			return broken(e, f, "write");
		if (hash_add(&tree->sha256, piece, (size_t)n, f) < 0)
			return -1;
	}
	if (n < 0 || hash_finish(&tree->sha256, record.sha256, f) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return broken(e, f, "stat");
	record.inode = st.st_ino;
	return records_add(&tree->records, &record, f);
}

static int put_file(struct tree *tree, const struct place *place, struct tar_reader *reader, const struct tar_entry *e, struct failure *f)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd __attribute__((cleanup(close_fd))) = openat(place->directory, place->name, flags, 0600);
	if (fd < 0 && errno == EEXIST) {
		if (clear_place(tree, place, e, f) < 0)
			return -1;
		fd = openat(place->directory, place->name, flags, 0600);
	}
	if (fd < 0)
		return broken(e, f, "create");
	return put_content(tree, fd, reader, e, f) < 0 ? -1 : set_attributes(fd, e, f);
}

static int clear_xattrs(int fd, const struct tar_entry *e, struct failure *f)
{
	char names[4096];
	ssize_t n = flistxattr(fd, names, sizeof names);
	if (n < 0)
		return errno == ENOTSUP ? 0 : broken(e, f, "list extended attributes");
	for (const char *name = names; name < names + n; name += strlen(name) + 1)
		if (tree_keeps_xattr(name, strlen(name)) && fremovexattr(fd, name) < 0)
			return broken(e, f, "remove an extended attribute");
	return 0;
}

static int put_directory(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	const struct timespec mtime = entry_mtime(e);
	bool existed = false;
	if (mkdirat(place->directory, place->name, 0700) < 0) {
		struct stat st;
		if (errno != EEXIST)
			return broken(e, f, "make");
		if (fstatat(place->directory, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return broken(e, f, "stat");
		existed = S_ISDIR(st.st_mode);
		if (!existed && (clear_place(tree, place, e, f) < 0 || mkdirat(place->directory, place->name, 0700) < 0))
			return broken(e, f, "make");
	}
	int fd __attribute__((cleanup(close_fd))) = open_beneath(place->directory, place->name);
	if (fd < 0)
		return broken(e, f, "open");
	if (existed && clear_xattrs(fd, e, f) < 0)
		return -1;
	return set_attributes(fd, e, f) < 0 ? -1 : note_directory(tree, fd, &mtime, e, f);
}

static int put_symlink(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	int result = symlinkat(e->target, place->directory, place->name);
	if (result < 0 && errno == EEXIST) {
		if (clear_place(tree, place, e, f) < 0)
			return -1;
		result = symlinkat(e->target, place->directory, place->name);
	}
	return result < 0 ? broken(e, f, "make the symbolic link") : set_link_attributes(place, e, f);
}

static int put_fifo(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	int result = mknodat(place->directory, place->name, S_IFIFO | 0600, 0);
	if (result < 0 && errno == EEXIST) {
		if (clear_place(tree, place, e, f) < 0)
			return -1;
		result = mknodat(place->directory, place->name, S_IFIFO | 0600, 0);
	}
	if (result < 0)
		return broken(e, f, "make the FIFO");
	if (fchownat(place->directory, place->name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return broken(e, f, "set the owner");
	/* Made a moment ago under this name by us, alone in the tree: fchmodat does not follow anything here. */
	if (fchmodat(place->directory, place->name, e->mode, 0) < 0)
		return broken(e, f, "set the mode");
	return set_link_attributes(place, e, f);
}

static int put_device(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	struct stat st;
	if (fstatat(place->directory, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (clear_place(tree, place, e, f) < 0)
			return -1;
	} else if (errno != ENOENT) {
		return broken(e, f, "stat");
	}
	if (tree->device_count == TREE_DEVICES)
		return fail(f, FAILURE_LIMIT, "cannot unpack archive: too many devices; expected at most %d", TREE_DEVICES);
	struct device *device = calloc(1, sizeof *device);
	if (device)
		device->path = strdup(e->path);
	if (!device || !device->path) {
		free(device);
		return fail(f, FAILURE_LIMIT, "cannot unpack archive: out of memory for devices");
	}
	device->block = e->type == TAR_BLOCKDEV;
	device->mode = e->mode;
	device->uid = e->uid;
	device->gid = e->gid;
	device->major = e->device_major;
	device->minor = e->device_minor;
	tree->devices[tree->device_count++] = device;
	return 0;
}

/* A hard link to a recorded device is one more record of it. */
static int put_device_link(struct tree *tree, const struct place *place, const struct device *device, const struct tar_entry *link, struct failure *f)
{
	struct tar_entry e = *link;
	e.type = device->block ? TAR_BLOCKDEV : TAR_CHARACTER;
	e.mode = device->mode;
	e.uid = device->uid;
	e.gid = device->gid;
	e.device_major = device->major;
	e.device_minor = device->minor;
	return put_device(tree, place, &e, f);
}

/* Only to what this archive has unpacked before: nothing else is beneath the root. */
static int put_hardlink(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	const char *slash = strrchr(e->target, '/');
	char above[TAR_PATH_BYTES + 1];
	struct stat st;
	if (strncmp(e->target, "rootfs/", 7) != 0 || !slash)
		return refuse(e, f, "hard link to something outside rootfs");
	if (strcmp(e->target, e->path) == 0)
		return refuse(e, f, "hard link to itself");
	struct device **device = find_device(tree, e->target);
	if (device)
		return put_device_link(tree, place, *device, e, f);
	memcpy(above, e->target, (size_t)(slash - e->target));
	above[slash - e->target] = 0;
	int from __attribute__((cleanup(close_fd))) = open_beneath(tree->root, above);
	if (from < 0 || fstatat(from, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? refuse(e, f, "hard link to something that the archive does not hold before it")
									     : broken(e, f, "open the target");
	if (S_ISDIR(st.st_mode))
		return refuse(e, f, "hard link to a directory");
	int result = linkat(from, slash + 1, place->directory, place->name, 0);
	if (result < 0 && errno == EEXIST) {
		if (clear_place(tree, place, e, f) < 0)
			return -1;
		result = linkat(from, slash + 1, place->directory, place->name, 0);
	}
	return result < 0 ? broken(e, f, "make the hard link") : 0;
}

int tree_put(struct tree *tree, struct tar_reader *reader, const struct tar_entry *e, struct failure *f)
{
	struct place place;
	if (find_place(tree, e->path, &place, e, f) < 0)
		return -1;
	if (e->type != TAR_HARDLINK || strcmp(e->target, e->path) != 0)
		drop_device(tree, e->path);
	switch (e->type) {
	case TAR_FILE:
		return put_file(tree, &place, reader, e, f);
	case TAR_DIRECTORY:
		return put_directory(tree, &place, e, f);
	case TAR_SYMLINK:
		return put_symlink(tree, &place, e, f);
	case TAR_HARDLINK:
		return put_hardlink(tree, &place, e, f);
	case TAR_CHARACTER:
	case TAR_BLOCKDEV:
		return put_device(tree, &place, e, f);
	case TAR_FIFO:
		return put_fifo(tree, &place, e, f);
	}
	return refuse(e, f, "unknown type");
}
