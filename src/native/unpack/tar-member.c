#include "tar-reader.h"

#include "tar-number.h"

#include <string.h>

static int take_type(struct tar_reader *r, enum tar_type *type, struct failure *f)
{
	switch (r->header.type) {
	case '0':
	case 0:
		*type = TAR_FILE;
		return 0;
	case '1':
		*type = TAR_HARDLINK;
		return 0;
	case '2':
		*type = TAR_SYMLINK;
		return 0;
	case '3':
		*type = TAR_CHARACTER;
		return 0;
	case '4':
		*type = TAR_BLOCKDEV;
		return 0;
	case '5':
		*type = TAR_DIRECTORY;
		return 0;
	case '6':
		*type = TAR_FIFO;
		return 0;
	case 'S':
		return tar_refuse(r, f, "sparse file; expected an archive made without --sparse");
	default:
		return tar_refuse(r, f, "unknown type of member; expected file, directory, link, device or FIFO");
	}
}

static int take_path(struct tar_reader *r, struct failure *f)
{
	char joined[sizeof r->header.prefix + 1 + sizeof r->header.name];
	const char *raw = joined;
	size_t bytes = 0;
	if (r->pax_header.present && r->pax.path.present) {
		if (r->long_name.present)
			return tar_refuse(r, f, "both a pax path and a GNU long name");
		raw = r->pax.path.text;
		bytes = r->pax.path.bytes;
	} else if (r->long_name.present) {
		raw = r->long_name.bytes;
		bytes = r->long_name.count;
	} else {
		size_t prefix = tar_is_posix(&r->header) ? strnlen((const char *)r->header.prefix, sizeof r->header.prefix) : 0;
		size_t name = strnlen((const char *)r->header.name, sizeof r->header.name);
		if (prefix > 0) {
			memcpy(joined, r->header.prefix, prefix);
			joined[prefix] = '/';
			bytes = prefix + 1;
		}
		memcpy(joined + bytes, r->header.name, name);
		bytes += name;
	}
	return tar_path_clean(&r->path, raw, bytes, &r->limits, "entry", f);
}

static int take_target(struct tar_reader *r, struct tar_entry *e, struct failure *f)
{
	const char *raw = (const char *)r->header.linkname;
	size_t bytes = strnlen(raw, sizeof r->header.linkname);
	struct quoted q;
	if (r->pax_header.present && r->pax.linkpath.present) {
		if (r->long_link.present)
			return tar_refuse(r, f, "both a pax link path and a GNU long link");
		raw = r->pax.linkpath.text;
		bytes = r->pax.linkpath.bytes;
	} else if (r->long_link.present) {
		raw = r->long_link.bytes;
		bytes = r->long_link.count;
	}
	if (e->type == TAR_HARDLINK) {
		if (tar_path_clean(&r->link, raw, bytes, &r->limits, "hard link target", f) < 0)
			return -1;
		e->target = r->link.text;
		e->target_bytes = r->link.bytes;
		return 0;
	}
	if (bytes == 0)
		return fail(f, FAILURE_ARCHIVE, "cannot unpack entry %s: symbolic link without a target", quote_name(&q, e->path, e->path_bytes));
	if (bytes > r->limits.path_bytes || bytes > TAR_PATH_BYTES)
		return fail(f, FAILURE_LIMIT, "cannot unpack entry %s: link target has too many bytes (pathBytes); expected at most %llu",
			    quote_name(&q, e->path, e->path_bytes), (unsigned long long)r->limits.path_bytes);
	memcpy(r->target, raw, bytes);
	r->target[bytes] = 0;
	e->target = r->target;
	e->target_bytes = bytes;
	return 0;
}

static int take_size(struct tar_reader *r, struct tar_entry *e, struct failure *f)
{
	if (tar_header_size(r, &e->size, f) < 0)
		return -1;
	if (r->pax_header.present && r->pax.size.present) {
		if (e->size != 0 && e->size != r->pax.size.value)
			return tar_refuse(r, f, "its header and its pax record state different sizes");
		e->size = r->pax.size.value;
	}
	if (e->type != TAR_FILE && e->size != 0)
		return tar_refuse(r, f, "content of something that is not a file");
	return 0;
}

static int take_id(struct tar_reader *r, const uint8_t *field, const struct pax_number *pax, uint32_t *id, struct failure *f)
{
	uint64_t value = 0;
	if (r->pax_header.present && pax->present)
		value = pax->value;
	else if (tar_field_number(field, 8, &value) < 0)
		return tar_refuse(r, f, "its owner is not a number");
	if (value >= 1u << 30)
		return tar_refuse(r, f, "owner out of range; expected at most 1073741823");
	*id = (uint32_t)value;
	return 0;
}

static int take_device(struct tar_reader *r, const uint8_t *field, uint32_t *number, struct failure *f)
{
	uint64_t value = 0;
	if (!tar_field_empty(field, 8) && tar_field_number(field, 8, &value) < 0)
		return tar_refuse(r, f, "its device is not a number");
	if (value > UINT32_MAX)
		return tar_refuse(r, f, "device number out of range");
	*number = (uint32_t)value;
	return 0;
}

static int take_attributes(struct tar_reader *r, struct tar_entry *e, struct failure *f)
{
	uint64_t mode, mtime;
	if (tar_field_number(r->header.mode, sizeof r->header.mode, &mode) < 0)
		return tar_refuse(r, f, "its mode is not a number");
	e->mode = (uint32_t)(mode & 07777); /* older writers put the type in the upper bits */
	if (take_id(r, r->header.uid, &r->pax.uid, &e->uid, f) < 0 || take_id(r, r->header.gid, &r->pax.gid, &e->gid, f) < 0)
		return -1;
	if (r->pax_header.present && r->pax.has_mtime) {
		e->mtime_seconds = r->pax.mtime_seconds;
		e->mtime_nanoseconds = r->pax.mtime_nanoseconds;
	} else {
		if (tar_field_number(r->header.mtime, sizeof r->header.mtime, &mtime) < 0)
			return tar_refuse(r, f, "its time is not a number");
		e->mtime_seconds = (int64_t)mtime;
	}
	if (e->type == TAR_CHARACTER || e->type == TAR_BLOCKDEV)
		if (take_device(r, r->header.major, &e->device_major, f) < 0 || take_device(r, r->header.minor, &e->device_minor, f) < 0)
			return -1;
	return 0;
}

int tar_take_member(struct tar_reader *r, struct tar_entry *e, struct failure *f)
{
	memset(e, 0, sizeof *e);
	e->target = "";
	if (tar_is_gnu(&r->header) && !tar_gnu_area_plain(&r->header))
		return tar_refuse(r, f, "path prefix in a GNU header");
	if (take_type(r, &e->type, f) < 0 || take_path(r, f) < 0)
		return -1;
	e->path = r->path.text;
	e->path_bytes = r->path.bytes;
	if (r->path.trailing_slash && e->type != TAR_DIRECTORY)
		return tar_refuse(r, f, "name with a slash at its end; expected that of directories only");
	if ((e->type == TAR_SYMLINK || e->type == TAR_HARDLINK) && take_target(r, e, f) < 0)
		return -1;
	if (take_size(r, e, f) < 0 || take_attributes(r, e, f) < 0)
		return -1;
	if (r->pax_header.present) {
		e->xattrs = r->pax.xattrs;
		e->xattr_count = r->pax.xattr_count;
	}
	return 0;
}
