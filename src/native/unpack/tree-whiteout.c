/* What an OCI layer takes away from the layers below it. SPEC: OCI image layer filesystem changeset, Whiteouts. */
#define _GNU_SOURCE
#include "tree-place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Overlay reads the first one and shows neither to apps. The kernel's user namespaces know only `user.`. */
static const char opaque[] = "user.overlay.opaque", unnamed[] = "user.overlay.rkt-unnamed";

static const char mark[] = ".wh.", meta[] = ".wh..wh.", opaque_mark[] = ".wh..wh..opq";

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* The first component that carries the mark; NULL when none does. */
static const char *marked_component(const char *path)
{
	for (const char *at = path; at; at = strchr(at, '/'), at = at ? at + 1 : NULL)
		if (starts_with(at, mark))
			return at;
	return NULL;
}

bool tree_is_whiteout(const struct tar_entry *e)
{
	return marked_component(e->path) != NULL;
}

bool tree_has_whiteout(int directory, const char *name)
{
	struct stat st;
	return fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(st.st_mode);
}

bool tree_remove_whiteout(int directory, const char *name)
{
	return tree_has_whiteout(directory, name) && unlinkat(directory, name, 0) == 0;
}

static int set_mark(int fd, const char *name, const struct tar_entry *e, struct failure *f)
{
	if (fsetxattr(fd, name, "y", 1, 0) == 0)
		return 0;
	/* KERNEL: tmpfs has them from 6.6; no fallback. */
	if (errno == ENOTSUP)
		return fail(f, FAILURE_HOST, "cannot unpack layer: the file system of the store has no extended attributes of users; expected ext4, xfs, btrfs, or tmpfs from Linux 6.6");
	return tree_broken(e, f, "mark its directory");
}

int tree_make_opaque(struct tree *tree, int fd, const struct tar_entry *e, struct failure *f)
{
	(void)tree;
	return set_mark(fd, opaque, e, f);
}

int tree_mark_unnamed(struct tree *tree, int fd, const struct tar_entry *e, struct failure *f)
{
	tree->marks.unnamed++;
	return set_mark(fd, unnamed, e, f);
}

int tree_unmark_unnamed(struct tree *tree, int fd, const struct tar_entry *e, struct failure *f)
{
	if (fremovexattr(fd, unnamed) == 0) {
		tree->marks.unnamed--;
		return 0;
	}
	return errno == ENODATA ? 0 : tree_broken(e, f, "mark its directory");
}

int tree_hide_below(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	struct stat st;
	/* Device 0:0, which no user needs a right for (Linux 5.8). */
	if (mknodat(place->directory, place->name, S_IFCHR, 0) == 0)
		return fchownat(place->directory, place->name, 0, 0, AT_SYMLINK_NOFOLLOW) < 0 ? tree_broken(e, f, "make the whiteout") : 0;
	if (errno != EEXIST || fstatat(place->directory, place->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_broken(e, f, "make the whiteout");
	/* What this layer itself has there stays, and a directory shows that alone. */
	if (!S_ISDIR(st.st_mode))
		return 0;
	int fd __attribute__((cleanup(tree_close))) = tree_open_beneath(place->directory, place->name);
	return fd < 0 ? tree_broken(e, f, "open") : tree_make_opaque(tree, fd, e, f);
}

int tree_put_whiteout(struct tree *tree, const struct tar_entry *e, struct failure *f)
{
	const char *name = marked_component(e->path);
	struct place place;
	/* aufs kept its own files under these names; they mean nothing to anybody else. */
	if (starts_with(name, meta) && strcmp(name, opaque_mark) != 0)
		return 0;
	if (strchr(name, '/') || (e->type != TAR_FILE && e->type != TAR_HARDLINK) || e->size != 0)
		return tree_refuse(e, f, "its name is that of a whiteout; expected an empty file");
	if (tree_find_place(tree, e, &place, f) < 0)
		return -1;
	if (strcmp(name, opaque_mark) == 0) {
		tree->marks.opaque_root |= (size_t)(name - e->path) == sizeof "rootfs/" - 1;
		return tree_make_opaque(tree, place.directory, e, f);
	}
	place.name += sizeof mark - 1;
	/* ATTACK: `.wh...` would take the parent directory away. */
	if (place.name[0] == 0 || strcmp(place.name, ".") == 0 || strcmp(place.name, "..") == 0)
		return tree_refuse(e, f, "whiteout without a name");
	return tree_hide_below(tree, &place, e, f);
}
