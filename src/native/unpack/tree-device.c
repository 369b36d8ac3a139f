#define _GNU_SOURCE
#include "tree-place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct device *tree_find_device(struct tree *tree, const char *path)
{
	const size_t bytes = strlen(path);
	for (size_t i = 0; i < tree->device_count; i++) {
		struct device *device = tree->devices[i];
		if (device->path_bytes == bytes && memcmp(device->path, path, bytes) == 0)
			return device;
	}
	return NULL;
}

void tree_drop_device(struct tree *tree, const char *path)
{
	struct device *device = tree->device_count > 0 ? tree_find_device(tree, path) : NULL;
	if (!device)
		return;
	size_t at = 0;
	while (tree->devices[at] != device)
		at++;
	tree->devices[at] = tree->devices[--tree->device_count];
	free(device->path);
	free(device);
}

int tree_put_device(struct tree *tree, const struct place *place, const struct tar_entry *e, struct failure *f)
{
	struct stat st;
	if (fstatat(place->directory, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (tree_clear_place(tree, place, e, f) < 0)
			return -1;
	} else if (errno != ENOENT) {
		return tree_broken(e, f, "stat");
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
	device->path_bytes = e->path_bytes;
	device->block = e->type == TAR_BLOCKDEV;
	device->mode = e->mode;
	device->uid = e->uid;
	device->gid = e->gid;
	device->major = e->device_major;
	device->minor = e->device_minor;
	tree->devices[tree->device_count++] = device;
	/* Nothing is made, and yet nothing of the layers below may show in its place. */
	return tree->layer ? tree_hide_below(tree, place, e, f) : 0;
}

int tree_put_device_link(struct tree *tree, const struct place *place, const struct device *device, const struct tar_entry *link, struct failure *f)
{
	struct tar_entry e = *link;
	e.type = device->block ? TAR_BLOCKDEV : TAR_CHARACTER;
	e.mode = device->mode;
	e.uid = device->uid;
	e.gid = device->gid;
	e.device_major = device->major;
	e.device_minor = device->minor;
	return tree_put_device(tree, place, &e, f);
}
