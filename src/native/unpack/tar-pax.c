#include "tar-pax.h"

#include "tar-number.h"

#include <string.h>

struct record {
	const char *key;
	size_t key_bytes;
	const char *value;
	size_t value_bytes;
};

static int refuse(struct failure *f, const char *key, size_t key_bytes, const char *state)
{
	struct quoted q;
	return fail(f, FAILURE_ARCHIVE, "cannot unpack pax record %s: %s", quote_name(&q, key, key_bytes), state);
}

/* Takes one record off the front of `*bytes`: the stated length must lead exactly to its newline. */
static int next_record(struct record *r, const char **bytes, size_t *count, struct failure *f)
{
	const char *s = *bytes;
	size_t digits = 0, length = 0;
	while (digits < *count && digits < 8 && s[digits] >= '0' && s[digits] <= '9')
		length = length * 10 + (size_t)(s[digits++] - '0');
	if (digits == 0 || s[0] == '0' || digits == *count || s[digits] != ' ')
		return refuse(f, s, *count < 40 ? *count : 40, "no length before it; expected \"LENGTH KEY=VALUE\"");
	if (length <= digits + 2 || length > *count || s[length - 1] != '\n')
		return refuse(f, s, *count < 40 ? *count : 40, "its length is wrong");
	r->key = s + digits + 1;
	size_t rest = length - digits - 2; /* without the blank and the newline */
	const char *equals = memchr(r->key, '=', rest);
	if (!equals || equals == r->key)
		return refuse(f, r->key, rest < 40 ? rest : 40, "no key; expected \"LENGTH KEY=VALUE\"");
	r->key_bytes = (size_t)(equals - r->key);
	r->value = equals + 1;
	r->value_bytes = rest - r->key_bytes - 1;
	if (memchr(r->key, 0, r->key_bytes))
		return refuse(f, r->key, r->key_bytes, "NUL in a key");
	*bytes = s + length;
	*count -= length;
	return 0;
}

static bool is(const struct record *r, const char *key)
{
	return r->key_bytes == strlen(key) && memcmp(r->key, key, r->key_bytes) == 0;
}

static bool starts(const struct record *r, const char *prefix)
{
	return r->key_bytes > strlen(prefix) && memcmp(r->key, prefix, strlen(prefix)) == 0;
}

static int take_text(struct pax_text *out, const struct record *r, struct failure *f)
{
	if (out->present)
		return refuse(f, r->key, r->key_bytes, "given twice");
	if (r->value_bytes == 0)
		return refuse(f, r->key, r->key_bytes, "empty value");
	if (memchr(r->value, 0, r->value_bytes))
		return refuse(f, r->key, r->key_bytes, "NUL in its value");
	*out = (struct pax_text){ true, r->value, r->value_bytes };
	return 0;
}

static int take_number(struct pax_number *out, const struct record *r, struct failure *f)
{
	if (out->present)
		return refuse(f, r->key, r->key_bytes, "given twice");
	if (tar_decimal(r->value, r->value_bytes, &out->value) < 0)
		return refuse(f, r->key, r->key_bytes, "not a number; expected decimal digits below 2^63");
	out->present = true;
	return 0;
}

static int take_mtime(struct pax *out, const struct record *r, struct failure *f)
{
	if (out->has_mtime)
		return refuse(f, r->key, r->key_bytes, "given twice");
	if (tar_decimal_time(r->value, r->value_bytes, &out->mtime_seconds, &out->mtime_nanoseconds) < 0)
		return refuse(f, r->key, r->key_bytes, "not a time; expected SECONDS[.FRACTION]");
	out->has_mtime = true;
	return 0;
}

static int take_xattr(struct pax *out, const struct record *r, size_t prefix_bytes, struct failure *f)
{
	struct tar_xattr x = { r->key + prefix_bytes, r->key_bytes - prefix_bytes, (const uint8_t *)r->value, r->value_bytes };
	for (size_t i = 0; i < out->xattr_count; i++)
		if (out->xattrs[i].name_bytes == x.name_bytes && memcmp(out->xattrs[i].name, x.name, x.name_bytes) == 0)
			return refuse(f, r->key, r->key_bytes, "given twice");
	if (out->xattr_count == TAR_XATTRS)
		return fail(f, FAILURE_LIMIT, "cannot unpack pax header: too many extended attributes; expected at most %d", TAR_XATTRS);
	out->xattrs[out->xattr_count++] = x;
	return 0;
}

static int check_charset(const struct record *r, struct failure *f)
{
	static const char *const known[] = { "BINARY", "ISO-IR 10646 2000 UTF-8" };
	for (size_t i = 0; i < 2; i++)
		if (r->value_bytes == strlen(known[i]) && memcmp(r->value, known[i], r->value_bytes) == 0)
			return 0;
	return refuse(f, r->key, r->key_bytes, "unknown character set; expected UTF-8 or BINARY");
}

static int take(struct pax *out, const struct record *r, struct failure *f)
{
	static const char xattr[] = "SCHILY.xattr.";
	if (is(r, "path"))
		return take_text(&out->path, r, f);
	if (is(r, "linkpath"))
		return take_text(&out->linkpath, r, f);
	if (is(r, "size"))
		return take_number(&out->size, r, f);
	if (is(r, "uid"))
		return take_number(&out->uid, r, f);
	if (is(r, "gid"))
		return take_number(&out->gid, r, f);
	if (is(r, "mtime"))
		return take_mtime(out, r, f);
	if (is(r, "hdrcharset"))
		return check_charset(r, f);
	if (starts(r, xattr))
		return take_xattr(out, r, sizeof xattr - 1, f);
	if (starts(r, "GNU.sparse.") || is(r, "SCHILY.realsize"))
		return refuse(f, r->key, r->key_bytes, "sparse file; expected an archive made without --sparse");
	if (is(r, "SCHILY.filetype"))
		return refuse(f, r->key, r->key_bytes, "changes the type of the entry");
	/* Owner names, other times, comments and vendors' keys decide nothing. */
	if (memchr(r->value, 0, r->value_bytes) && !starts(r, "LIBARCHIVE.") && !starts(r, "SCHILY."))
		return refuse(f, r->key, r->key_bytes, "NUL in its value");
	return 0;
}

int pax_parse(struct pax *out, const char *bytes, size_t count, struct failure *f)
{
	memset(out, 0, sizeof *out);
	const char *s = bytes;
	while (count > 0) {
		struct record r;
		if (next_record(&r, &s, &count, f) < 0 || take(out, &r, f) < 0)
			return -1;
	}
	return 0;
}

int pax_check_global(const char *bytes, size_t count, struct failure *f)
{
	const char *s = bytes;
	while (count > 0) {
		struct record r;
		if (next_record(&r, &s, &count, f) < 0)
			return -1;
		if (!is(&r, "comment") && !is(&r, "atime") && !is(&r, "ctime"))
			return refuse(f, r.key, r.key_bytes, "in a global header; expected only \"comment\" there");
	}
	return 0;
}
