/* Writes archive members beneath a root directory, by descriptors only, and never through a symbolic link. */
#ifndef UNPACK_TREE_H
#define UNPACK_TREE_H

#include "hash.h"
#include "records.h"
#include "tar.h"

enum { TREE_DEVICES = 1024 };

/* A device of the image: recorded in the listing, never made on the host. */
struct device {
	char *path;
	size_t path_bytes;
	bool block;
	uint32_t mode, uid, gid, major, minor;
};

/* Of an OCI layer only. */
struct layer_marks {
	uint64_t unnamed; /* directories that no member named: their attributes are those of the layer below */
	bool opaque_root; /* nothing of the layers below is shown */
};

struct tree {
	int root;   /* the destination */
	bool layer; /* names that start with ".wh." take things away from the layers below */
	struct layer_marks marks;
	int parent; /* the directory that was used last, or -1 */
	char parent_path[TAR_PATH_BYTES + 1];
	struct hash sha256;
	struct records records;
	struct device *devices[TREE_DEVICES];
	size_t device_count;
};

int tree_open(struct tree *tree, int root, const struct hashes *hashes, struct failure *f);

/* Makes one member; takes the content of a file from `reader`. */
int tree_put(struct tree *tree, struct tar_reader *reader, const struct tar_entry *entry, struct failure *f);

/* Whether an extended attribute of an image is kept: file capabilities, and what users may set; nothing that overlay reads. */
bool tree_keeps_xattr(const char *name, size_t bytes);

#endif
