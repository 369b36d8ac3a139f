#include "tar-path.h"

#include <string.h>

static int refuse(struct failure *f, const char *role, const char *raw, size_t raw_bytes, const char *state)
{
	struct quoted q;
	return fail(f, FAILURE_ARCHIVE, "cannot unpack %s %s: %s", role, quote_name(&q, raw, raw_bytes), state);
}

static int exceed(struct failure *f, const char *role, const char *raw, size_t raw_bytes, const char *what, uint64_t limit)
{
	struct quoted q;
	return fail(f, FAILURE_LIMIT, "cannot unpack %s %s: %s; expected at most %llu", role, quote_name(&q, raw, raw_bytes), what,
		    (unsigned long long)limit);
}

int tar_path_clean(struct tar_path *path, const char *raw, size_t raw_bytes, const struct tar_limits *limits, const char *role, struct failure *f)
{
	static const char root[] = "rootfs";
	uint64_t most = limits->path_bytes < TAR_PATH_BYTES ? limits->path_bytes : TAR_PATH_BYTES;
	if (raw_bytes == 0)
		return refuse(f, role, raw, raw_bytes, "empty path; expected a relative path");
	if (memchr(raw, 0, raw_bytes))
		return refuse(f, role, raw, raw_bytes, "NUL in a path; expected a relative path");
	if (raw[0] == '/' && !limits->layer)
		return refuse(f, role, raw, raw_bytes, "absolute path; expected a relative path");
	path->bytes = limits->layer ? sizeof root - 1 : 0;
	memcpy(path->text, root, path->bytes);
	path->trailing_slash = raw[raw_bytes - 1] == '/';
	uint64_t depth = 0;
	for (size_t i = 0; i < raw_bytes;) {
		const char *slash = memchr(raw + i, '/', raw_bytes - i);
		size_t n = slash ? (size_t)(slash - (raw + i)) : raw_bytes - i;
		const char *name = raw + i;
		i += n + 1;
		if (n == 0 || (n == 1 && name[0] == '.'))
			continue;
		if (n == 2 && name[0] == '.' && name[1] == '.')
			return refuse(f, role, raw, raw_bytes, "path leads upward; expected no \"..\"");
		if (n > limits->name_bytes)
			return exceed(f, role, raw, raw_bytes, "a name has too many bytes (nameBytes)", limits->name_bytes);
		if (++depth > limits->path_depth)
			return exceed(f, role, raw, raw_bytes, "nested too deep (pathDepth)", limits->path_depth);
		if (path->bytes + n + 1 > most)
			return exceed(f, role, raw, raw_bytes, "path has too many bytes (pathBytes)", most);
		if (path->bytes > 0)
			path->text[path->bytes++] = '/';
		memcpy(path->text + path->bytes, name, n);
		path->bytes += n;
	}
	path->text[path->bytes] = 0;
	return 0;
}
