#define _GNU_SOURCE
#include "aci.h"

#include "io.h"
#include "sandbox.h"
#include "tree-list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int take_manifest(struct unpacking *u, const struct tar_entry *e, struct failure *f)
{
	const uint8_t *piece;
	ssize_t n;
	if (e->type != TAR_FILE)
		return fail(f, FAILURE_ARCHIVE, "cannot unpack entry \"manifest\": not a file; expected a regular file");
	if (u->manifest.present)
		return fail(f, FAILURE_ARCHIVE, "cannot unpack entry \"manifest\": given twice; expected one manifest");
	if (e->size > u->options->manifest_bytes)
		return fail(f, FAILURE_LIMIT, "cannot unpack entry \"manifest\": too many bytes (jsonBytes); expected at most %llu",
			    (unsigned long long)u->options->manifest_bytes);
	u->manifest.present = true;
	u->manifest.bytes = malloc((size_t)e->size + 1);
	if (!u->manifest.bytes)
		return fail(f, FAILURE_LIMIT, "cannot unpack entry \"manifest\": out of memory");
	while ((n = tar_content(u->reader, &piece, f)) > 0) {
		memcpy(u->manifest.bytes + u->manifest.count, piece, (size_t)n);
		u->manifest.count += (size_t)n;
	}
	return (int)n;
}

static int take_entry(struct unpacking *u, const struct tar_entry *e, struct failure *f)
{
	struct quoted q;
	if (e->path_bytes == 0) {
		if (e->type == TAR_DIRECTORY)
			return 0; /* "./": the archive's own root, whose attributes mean nothing here */
		return fail(f, FAILURE_ARCHIVE, "cannot unpack entry \".\": not a directory");
	}
	if (strcmp(e->path, "manifest") == 0)
		return take_manifest(u, e, f);
	const bool is_rootfs = strcmp(e->path, "rootfs") == 0;
	if (!is_rootfs && strncmp(e->path, "rootfs/", 7) != 0)
		return fail(f, FAILURE_ARCHIVE, "cannot unpack entry %s: not part of an image; expected \"manifest\" and \"rootfs/\" only",
			    quote_name(&q, e->path, e->path_bytes));
	if (is_rootfs && e->type != TAR_DIRECTORY)
		return fail(f, FAILURE_ARCHIVE, "cannot unpack entry \"rootfs\": not a directory");
	u->has_rootfs = true;
	return u->options->inspect ? 0 : tree_put(&u->tree, u->reader, e, f);
}

static int take_entries(struct unpacking *u, struct failure *f)
{
	struct tar_entry entry;
	int state;
	while ((state = tar_next(u->reader, &entry, f)) > 0) {
		u->entries++;
		if (take_entry(u, &entry, f) < 0)
			return -1;
	}
	if (state < 0)
		return -1;
	if (!u->manifest.present)
		return fail(f, FAILURE_ARCHIVE, "cannot unpack image: no entry \"manifest\"; expected \"manifest\" and \"rootfs/\"");
	if (!u->has_rootfs)
		return fail(f, FAILURE_ARCHIVE, "cannot unpack image: no entry \"rootfs\"; expected \"manifest\" and \"rootfs/\"");
	return 0;
}

static size_t to_base64(char *out, const uint8_t *bytes, size_t count)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *start = out;
	for (size_t i = 0; i < count; i += 3) {
		uint32_t group = (uint32_t)bytes[i] << 16 | (i + 1 < count ? (uint32_t)bytes[i + 1] << 8 : 0) | (i + 2 < count ? bytes[i + 2] : 0);
		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = i + 1 < count ? digits[group >> 6 & 63] : '=';
		*out++ = i + 2 < count ? digits[group & 63] : '=';
	}
	return (size_t)(out - start);
}

static int write_result(const struct unpacking *u, const char *tree_hash, struct failure *f)
{
	char digest[2 * SHA512_BYTES + 1];
	char *text = malloc(u->manifest.count / 3 * 4 + 1024);
	if (!text)
		return fail(f, FAILURE_LIMIT, "cannot write the result: out of memory");
	to_hex(digest, u->stream.digest, SHA512_BYTES);
	size_t n = (size_t)sprintf(text, "{\"sha512\":\"%s\",\"unpackedBytes\":%llu,\"entries\":%llu,\"treeHash\":\"%s\",\"manifestBase64\":\"", digest,
				   (unsigned long long)u->stream.unpacked_bytes, (unsigned long long)u->entries, tree_hash);
	n += to_base64(text + n, u->manifest.bytes, u->manifest.count);
	n += (size_t)sprintf(text + n, "\"}\n");
	int result = write_all(FD_RESULT, text, n);
	free(text);
	return result < 0 ? fail_errno(f, errno, "cannot write the result") : 0;
}

int aci_unpack(struct unpacking *u, const struct options *o, const struct hashes *hashes, struct failure *f)
{
	char tree_hash[2 * SHA512_BYTES + 1] = "";
	const enum sandbox_kind kind = o->inspect ? SANDBOX_NOTHING : SANDBOX_WRITE;
	int root = -1;
	memset(u, 0, sizeof *u);
	u->options = o;
	if (sandbox_enter(kind, FD_DESTINATION, f) < 0)
		return -1;
	close(FD_DESTINATION);
	if (!o->inspect && (root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fail_errno(f, errno, "cannot open the destination");
	if (!o->inspect && (tree_check_empty(root, f) < 0 || tree_open(&u->tree, root, hashes, f) < 0))
		return -1;
	if (stream_start(&u->stream, FD_IMAGE, hashes->sha512, (struct stream_limits){ o->unpacked_bytes, o->ratio }, f) < 0)
		return -1;
	if (sandbox_confine(kind, (struct confinement){ o->unpacked_bytes }, f) < 0)
		return -1;
	u->reader = tar_open((struct tar_source){ &u->stream.ring, ring_next },
			    (struct tar_limits){ o->path_bytes, o->name_bytes, o->path_depth, o->entries, o->header_bytes, false });
	if (!u->reader)
		return fail(f, FAILURE_LIMIT, "cannot unpack image: out of memory");
	stream_release(&u->stream);
	if (take_entries(u, f) < 0 || (!o->inspect && tree_list(&u->tree, o->listing ? FD_LISTING : -1, hashes, tree_hash, f) < 0))
		return -1;
	return write_result(u, tree_hash, f);
}
