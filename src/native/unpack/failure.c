#define _GNU_SOURCE
#include "failure.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int fail(struct failure *f, enum failure_kind kind, const char *format, ...)
{
	if (f->kind != FAILURE_NONE)
		return -1;
	va_list args;
	va_start(args, format);
	vsnprintf(f->text, sizeof f->text, format, args);
	va_end(args);
	f->kind = kind;
	return -1;
}

int fail_errno(struct failure *f, int error_number, const char *format, ...)
{
	if (f->kind != FAILURE_NONE)
		return -1;
	va_list args;
	va_start(args, format);
	int used = vsnprintf(f->text, sizeof f->text, format, args);
	va_end(args);
	const char *name = strerrorname_np(error_number);
	if (used >= 0 && (size_t)used < sizeof f->text)
		snprintf(f->text + used, sizeof f->text - (size_t)used, ": %s: %s", name ? name : "errno", strerrordesc_np(error_number));
	f->kind = FAILURE_HOST;
	return -1;
}

/* Length of the valid UTF-8 sequence at `s`, or 0: overlong forms, surrogates and C1 controls are not valid here. */
static size_t sequence_length(const uint8_t *s, size_t left)
{
	size_t n = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : s[0] >= 0xe0 && s[0] <= 0xef ? 3 : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xc2 && s[1] < 0xa0) || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

const char *quote_name(struct quoted *q, const char *name, size_t length)
{
	static const char cut[] = "\xe2\x80\xa6\"";
	const uint8_t *s = (const uint8_t *)name;
	char *out = q->text;
	char *const end = q->text + sizeof q->text - sizeof cut - 8;
	*out++ = '"';
	size_t i = 0;
	while (i < length && out < end) {
		size_t n = sequence_length(s + i, length - i);
		if (n > 0) {
			memcpy(out, s + i, n);
			out += n;
			i += n;
		} else if (s[i] == '"' || s[i] == '\\') {
			*out++ = '\\';
			*out++ = (char)s[i++];
		} else if (s[i] >= 0x20 && s[i] < 0x7f) {
			*out++ = (char)s[i++];
		} else {
			out += snprintf(out, 5, "\\x%02x", s[i++]);
		}
	}
	if (i < length)
		memcpy(out, cut, sizeof cut);
	else
		memcpy(out, "\"", 2);
	return q->text;
}
