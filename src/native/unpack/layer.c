#define _GNU_SOURCE
#include "layer.h"

#include "io.h"
#include "sandbox.h"
#include "tree-list.h"
#include "tree-place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The root of the layer: until a member names it, its attributes are those of the layer below. */
static int make_root(struct tree *tree, struct failure *f)
{
	static const struct tar_entry none = { .type = TAR_DIRECTORY, .path = "rootfs", .path_bytes = sizeof "rootfs" - 1 };
	const struct timespec epoch = { 0, 0 };
	if (mkdirat(tree->root, none.path, 0755) < 0)
		return tree_broken(&none, f, "make");
	int fd __attribute__((cleanup(tree_close))) = tree_open_beneath(tree->root, none.path);
	if (fd < 0 || fchmod(fd, 0755) < 0 || fchown(fd, 0, 0) < 0)
		return tree_broken(&none, f, "set the mode");
	return tree_mark_unnamed(tree, fd, &none, f) < 0 ? -1 : tree_note_directory(tree, fd, &epoch, &none, f);
}

static int take_entries(struct unpacking *u, struct failure *f)
{
	struct tar_entry entry;
	int state;
	while ((state = tar_next(u->reader, &entry, f)) > 0) {
		u->entries++;
		if (entry.type != TAR_DIRECTORY && strcmp(entry.path, "rootfs") == 0)
			return fail(f, FAILURE_ARCHIVE, "cannot unpack entry \".\": not a directory");
		if (tree_put(&u->tree, u->reader, &entry, f) < 0)
			return -1;
	}
	return state;
}

static int write_result(const struct unpacking *u, const char *tree_hash, struct failure *f)
{
	char digest[2 * SHA512_BYTES + 1], text[1024];
	to_hex(digest, u->stream.digest, u->options->sha512 ? SHA512_BYTES : SHA256_BYTES);
	int n = snprintf(text, sizeof text, "{\"digest\":\"%s\",\"unpackedBytes\":%llu,\"entries\":%llu,\"treeHash\":\"%s\",\"unnamed\":%llu,\"opaqueRoot\":%s}\n",
			 digest, (unsigned long long)u->stream.unpacked_bytes, (unsigned long long)u->entries, tree_hash,
			 (unsigned long long)u->tree.marks.unnamed, u->tree.marks.opaque_root ? "true" : "false");
	return write_all(FD_RESULT, text, (size_t)n) < 0 ? fail_errno(f, errno, "cannot write the result") : 0;
}

int layer_unpack(struct unpacking *u, const struct options *o, const struct hashes *hashes, struct failure *f)
{
	char tree_hash[2 * SHA512_BYTES + 1] = "";
	memset(u, 0, sizeof *u);
	u->options = o;
	if (sandbox_enter(SANDBOX_WRITE, FD_DESTINATION, f) < 0)
		return -1;
	close(FD_DESTINATION);
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail_errno(f, errno, "cannot open the destination");
	if (tree_check_empty(root, f) < 0 || tree_open(&u->tree, root, hashes, f) < 0 ||
	    stream_start(&u->stream, FD_IMAGE, o->sha512 ? hashes->sha512 : hashes->sha256, (struct stream_limits){ o->unpacked_bytes, o->ratio }, f) < 0 ||
	    sandbox_confine(SANDBOX_WRITE, (struct confinement){ o->unpacked_bytes }, f) < 0)
		return -1;
	u->tree.layer = true;
	u->reader = tar_open((struct tar_source){ &u->stream.ring, ring_next },
			     (struct tar_limits){ o->path_bytes, o->name_bytes, o->path_depth, o->entries, o->header_bytes, true });
	if (!u->reader)
		return fail(f, FAILURE_LIMIT, "cannot unpack layer: out of memory");
	if (make_root(&u->tree, f) < 0)
		return -1;
	stream_release(&u->stream);
	if (take_entries(u, f) < 0 || tree_list(&u->tree, o->listing ? FD_LISTING : -1, hashes, tree_hash, f) < 0)
		return -1;
	return write_result(u, tree_hash, f);
}
