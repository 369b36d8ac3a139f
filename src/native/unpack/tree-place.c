#define _GNU_SOURCE
#include "tree-place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int tree_refuse(const struct tar_entry *e, struct failure *f, const char *state)
{
	struct quoted q;
	return fail(f, FAILURE_ARCHIVE, "cannot unpack entry %s: %s", quote_name(&q, e->path, e->path_bytes), state);
}

int tree_broken(const struct tar_entry *e, struct failure *f, const char *step)
{
	struct quoted q;
	int error = errno;
	return fail_errno(f, error, "cannot unpack entry %s: %s", quote_name(&q, e->path, e->path_bytes), step);
}

void tree_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

int tree_open_beneath(int directory, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV,
	};
	return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

int tree_note_directory(struct tree *tree, int fd, const struct timespec *mtime, const struct tar_entry *e, struct failure *f)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return tree_broken(e, f, "stat");
	struct record record = { .inode = st.st_ino, .mtime = *mtime };
	return records_add(&tree->records, &record, f);
}

static int through_something(const struct tar_entry *e, struct failure *f)
{
	return tree_refuse(e, f, "a directory above it is not a directory in this archive");
}

/* Makes and opens a directory that no member named: 0755, root, as old as the epoch. `path` is where it lies, for devices. */
static int make_directory(struct tree *tree, int above, const char *name, const char *path, const struct tar_entry *e, struct failure *f)
{
	const struct timespec epoch = { 0, 0 };
	if (tree_find_device(tree, path))
		return through_something(e, f);
	const bool opaque = tree->layer && tree_remove_whiteout(above, name);
	if (mkdirat(above, name, 0755) < 0)
		return tree_broken(e, f, "make a directory above it");
	int fd __attribute__((cleanup(tree_close))) = tree_open_beneath(above, name);
	if (fd < 0 || fchmod(fd, 0755) < 0 || fchown(fd, 0, 0) < 0)
		return tree_broken(e, f, "set the mode of a directory above it");
	if (tree->layer && (tree_mark_unnamed(tree, fd, e, f) < 0 || (opaque && tree_make_opaque(tree, fd, e, f) < 0)))
		return -1;
	if (tree_note_directory(tree, fd, &epoch, e, f) < 0)
		return -1;
	int made = fd;
	fd = -1;
	return made;
}

/* Opens the directory `path`, making what is missing of it. */
static int open_directory(struct tree *tree, const char *path, const struct tar_entry *e, struct failure *f)
{
	int fd = tree_open_beneath(tree->root, path);
	char so_far[TAR_PATH_BYTES + 1];
	size_t done = 0;
	if (fd < 0 && (errno == ENOENT || (errno == ENOTDIR && tree->layer)))
		fd = tree_open_beneath(tree->root, ".");
	else
		done = strlen(path);
	while (fd >= 0 && path[done] != 0) {
		const size_t start = done, end = start + strcspn(path + start, "/");
		memcpy(so_far + start, path + start, end - start);
		so_far[end] = 0;
		int next = tree_open_beneath(fd, so_far + start);
		if (next < 0 && (errno == ENOENT || (errno == ENOTDIR && tree->layer && tree_has_whiteout(fd, so_far + start))))
			next = make_directory(tree, fd, so_far + start, so_far, e, f);
		close(fd);
		fd = next;
		so_far[end] = '/';
		done = end + (path[end] == '/');
	}
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return through_something(e, f);
	return fd < 0 ? tree_broken(e, f, "open its directory") : fd;
}

int tree_find_place(struct tree *tree, const struct tar_entry *e, struct place *place, struct failure *f)
{
	const char *path = e->path;
	const char *slash = strrchr(path, '/');
	if (!slash) {
		*place = (struct place){ tree->root, path };
		return 0;
	}
	size_t n = (size_t)(slash - path);
	if (tree->parent < 0 || strlen(tree->parent_path) != n || memcmp(tree->parent_path, path, n) != 0) {
		tree_close(&tree->parent);
		memcpy(tree->parent_path, path, n);
		tree->parent_path[n] = 0;
		tree->parent = open_directory(tree, tree->parent_path, e, f);
		if (tree->parent < 0)
			return -1;
	}
	*place = (struct place){ tree->parent, slash + 1 };
	return 0;
}

int tree_clear_place(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	if (unlinkat(place->directory, place->name, 0) == 0)
		return 0;
	if (errno != EISDIR)
		return tree_broken(e, f, "replace what is there");
	if (unlinkat(place->directory, place->name, AT_REMOVEDIR) < 0)
		return errno == ENOTEMPTY ? tree_refuse(e, f, "replaces a directory that is not empty") : tree_broken(e, f, "replace what is there");
	/* The directory that was kept open may be the one that is gone. */
	if (tree->parent != place->directory) {
		tree_close(&tree->parent);
		tree->parent = -1;
	}
	return 0;
}
