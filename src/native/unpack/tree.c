#define _GNU_SOURCE
#include "tree-place.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int tree_open(struct tree *tree, int root, const struct hashes *hashes, struct failure *f)
{
	memset(tree, 0, sizeof *tree);
	tree->root = root;
	tree->parent = -1;
	return hash_open(&tree->sha256, hashes->sha256, f);
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
			return tree_broken(e, f, "write");
		if (hash_add(&tree->sha256, piece, (size_t)n, f) < 0)
			return -1;
	}
	if (n < 0 || hash_finish(&tree->sha256, record.sha256, f) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return tree_broken(e, f, "stat");
	record.inode = st.st_ino;
	return records_add(&tree->records, &record, f);
}

static int put_file(struct tree *tree, const struct place *place, struct tar_reader *reader, const struct tar_entry *e, struct failure *f)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd __attribute__((cleanup(tree_close))) = openat(place->directory, place->name, flags, 0600);
	if (fd < 0 && errno == EEXIST) {
		if (tree_clear_place(tree, place, e, f) < 0)
			return -1;
		fd = openat(place->directory, place->name, flags, 0600);
	}
	if (fd < 0)
		return tree_broken(e, f, "create");
	return put_content(tree, fd, reader, e, f) < 0 ? -1 : tree_set_attributes(fd, e, f);
}

static int put_directory(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	const struct timespec mtime = tree_mtime(e);
	bool existed = false, hides = false;
	if (mkdirat(place->directory, place->name, 0700) < 0) {
		struct stat st;
		if (errno != EEXIST)
			return tree_broken(e, f, "make");
		if (fstatat(place->directory, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return tree_broken(e, f, "stat");
		existed = S_ISDIR(st.st_mode);
		hides = !existed && tree->layer;
		if (!existed && (tree_clear_place(tree, place, e, f) < 0 || mkdirat(place->directory, place->name, 0700) < 0))
			return tree_broken(e, f, "make");
	}
	int fd __attribute__((cleanup(tree_close))) = tree_open_beneath(place->directory, place->name);
	if (fd < 0)
		return tree_broken(e, f, "open");
	if (existed && (tree_clear_xattrs(fd, e, f) < 0 || (tree->layer && tree_unmark_unnamed(tree, fd, e, f) < 0)))
		return -1;
	if (hides && tree_make_opaque(tree, fd, e, f) < 0)
		return -1;
	return tree_set_attributes(fd, e, f) < 0 ? -1 : tree_note_directory(tree, fd, &mtime, e, f);
}

static int put_symlink(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	int result = symlinkat(e->target, place->directory, place->name);
	if (result < 0 && errno == EEXIST) {
		if (tree_clear_place(tree, place, e, f) < 0)
			return -1;
		result = symlinkat(e->target, place->directory, place->name);
	}
	return result < 0 ? tree_broken(e, f, "make the symbolic link") : tree_set_link_attributes(place, e, f);
}

static int put_fifo(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	int result = mknodat(place->directory, place->name, S_IFIFO | 0600, 0);
	if (result < 0 && errno == EEXIST) {
		if (tree_clear_place(tree, place, e, f) < 0)
			return -1;
		result = mknodat(place->directory, place->name, S_IFIFO | 0600, 0);
	}
	if (result < 0)
		return tree_broken(e, f, "make the FIFO");
	if (fchownat(place->directory, place->name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_broken(e, f, "set the owner");
	/* Made a moment ago under this name by us, alone in the tree: fchmodat does not follow anything here. */
	if (fchmodat(place->directory, place->name, e->mode, 0) < 0)
		return tree_broken(e, f, "set the mode");
	return tree_set_link_attributes(place, e, f);
}

/* Only to what this archive has unpacked before: nothing else is beneath the root. */
static int put_hardlink(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	const char *slash = strrchr(e->target, '/');
	char above[TAR_PATH_BYTES + 1];
	struct stat st;
	if (strncmp(e->target, "rootfs/", 7) != 0 || !slash)
		return tree_refuse(e, f, "hard link to something outside rootfs");
	if (strcmp(e->target, e->path) == 0)
		return tree_refuse(e, f, "hard link to itself");
	const struct device *device = tree_find_device(tree, e->target);
	if (device)
		return tree_put_device_link(tree, place, device, e, f);
	memcpy(above, e->target, (size_t)(slash - e->target));
	above[slash - e->target] = 0;
	int from __attribute__((cleanup(tree_close))) = tree_open_beneath(tree->root, above);
	if (from < 0 || fstatat(from, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? tree_refuse(e, f, "hard link to something that the archive does not hold before it")
									     : tree_broken(e, f, "open the target");
	if (S_ISDIR(st.st_mode))
		return tree_refuse(e, f, "hard link to a directory");
	if (S_ISCHR(st.st_mode))
		return tree_refuse(e, f, "hard link to something that this layer takes away");
	int result = linkat(from, slash + 1, place->directory, place->name, 0);
	if (result < 0 && errno == EEXIST) {
		if (tree_clear_place(tree, place, e, f) < 0)
			return -1;
		result = linkat(from, slash + 1, place->directory, place->name, 0);
	}
	return result < 0 ? tree_broken(e, f, "make the hard link") : 0;
}

int tree_put(struct tree *tree, struct tar_reader *reader, const struct tar_entry *e, struct failure *f)
{
	struct place place;
	if (tree->layer && tree_is_whiteout(e))
		return tree_put_whiteout(tree, e, f);
	if (tree_find_place(tree, e, &place, f) < 0)
		return -1;
	if (e->type != TAR_HARDLINK || strcmp(e->target, e->path) != 0)
		tree_drop_device(tree, e->path);
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
		return tree_put_device(tree, &place, e, f);
	case TAR_FIFO:
		return put_fifo(tree, &place, e, f);
	}
	return tree_refuse(e, f, "unknown type");
}
