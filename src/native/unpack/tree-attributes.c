#define _GNU_SOURCE
#include "tree-place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

bool tree_keeps_xattr(const char *name, size_t bytes)
{
	static const char capability[] = "security.capability", user[] = "user.", overlay[] = "user.overlay.";
	if (bytes == sizeof capability - 1 && memcmp(name, capability, bytes) == 0)
		return true;
	if (bytes < sizeof user || memcmp(name, user, sizeof user - 1) != 0)
		return false;
	return bytes < sizeof overlay - 1 || memcmp(name, overlay, sizeof overlay - 1) != 0;
}

static int set_xattrs(int fd, const struct tar_entry *e, struct failure *f)
{
	for (size_t i = 0; i < e->xattr_count; i++) {
		const struct tar_xattr *x = &e->xattrs[i];
		char name[256];
		struct quoted q;
		if (!tree_keeps_xattr(x->name, x->name_bytes))
			continue;
		if (x->name_bytes >= sizeof name)
			return tree_refuse(e, f, "name of an extended attribute has more than 255 bytes");
		memcpy(name, x->name, x->name_bytes);
		name[x->name_bytes] = 0;
		if (fsetxattr(fd, name, x->value, x->value_bytes, 0) == 0)
			continue;
		if (errno == EINVAL || errno == ERANGE || errno == E2BIG)
			return fail(f, FAILURE_ARCHIVE, "cannot unpack entry %s: invalid extended attribute %s",
				    (quote_name(&q, e->path, e->path_bytes)), name[0] == 'u' ? "user.*" : name);
		return tree_broken(e, f, "set an extended attribute");
	}
	return 0;
}

struct timespec tree_mtime(const struct tar_entry *e)
{
	return (struct timespec){ .tv_sec = e->mtime_seconds, .tv_nsec = e->mtime_nanoseconds };
}

/* Owner first: a change of owner clears set-id bits and file capabilities. */
int tree_set_attributes(int fd, const struct tar_entry *e, struct failure *f)
{
	const struct timespec times[2] = { { 0, UTIME_OMIT }, tree_mtime(e) };
	if (fchown(fd, e->uid, e->gid) < 0)
		return tree_broken(e, f, "set the owner");
	if (fchmod(fd, e->mode) < 0)
		return tree_broken(e, f, "set the mode");
	if (set_xattrs(fd, e, f) < 0)
		return -1;
	return futimens(fd, times) < 0 ? tree_broken(e, f, "set the time") : 0;
}

int tree_set_link_attributes(const struct place *place, const struct tar_entry *e, struct failure *f)
{
	const struct timespec times[2] = { { 0, UTIME_OMIT }, tree_mtime(e) };
	if (fchownat(place->directory, place->name, e->uid, e->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_broken(e, f, "set the owner");
	return utimensat(place->directory, place->name, times, AT_SYMLINK_NOFOLLOW) < 0 ? tree_broken(e, f, "set the time") : 0;
}

int tree_clear_xattrs(int fd, const struct tar_entry *e, struct failure *f)
{
	char names[4096];
	ssize_t n = flistxattr(fd, names, sizeof names);
	if (n < 0)
		return errno == ENOTSUP ? 0 : tree_broken(e, f, "list extended attributes");
	for (const char *name = names; name < names + n; name += strlen(name) + 1)
		if (tree_keeps_xattr(name, strlen(name)) && fremovexattr(fd, name) < 0)
			return tree_broken(e, f, "remove an extended attribute");
	return 0;
}
