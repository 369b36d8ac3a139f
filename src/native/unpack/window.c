#include "window.h"

#include <stdbool.h>

static uint64_t little_endian(const uint8_t *bytes, size_t count)
{
	uint64_t n = 0;
	for (size_t i = count; i > 0; i--)
		n = n << 8 | bytes[i - 1];
	return n;
}

uint64_t zstd_window(const uint8_t *bytes, size_t count)
{
	static const uint8_t dictionary_bytes[] = { 0, 1, 2, 4 };
	if (count < 18)
		return 0;
	const uint8_t descriptor = bytes[4];
	const bool single_segment = descriptor & 0x20;
	if (!single_segment) {
		const uint64_t base = 1ULL << (10 + (bytes[5] >> 3));
		return base + base / 8 * (bytes[5] & 7);
	}
	/* Without a window descriptor the whole content is the window. */
	const uint8_t *content = bytes + 5 + dictionary_bytes[descriptor & 3];
	switch (descriptor >> 6) {
	case 0:
		return content[0];
	case 1:
		return little_endian(content, 2) + 256;
	case 2:
		return little_endian(content, 4);
	default:
		return little_endian(content, 8);
	}
}

/* Reads a variable-length integer at `*at`; false past the end. */
static bool take_integer(const uint8_t *bytes, size_t end, size_t *at, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; *at < end && shift < 63; shift += 7) {
		const uint8_t byte = bytes[(*at)++];
		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

uint64_t xz_dictionary(const uint8_t *bytes, size_t count)
{
	enum { BLOCK = 12, LZMA2 = 0x21 };
	if (count <= BLOCK + 2)
		return 0;
	size_t end = BLOCK + ((size_t)bytes[BLOCK] + 1) * 4, at = BLOCK + 2;
	const uint8_t flags = bytes[BLOCK + 1];
	uint64_t value, id;
	if (end > count)
		end = count;
	for (uint8_t sizes = 0x40; sizes != 0; sizes = (uint8_t)(sizes << 1))
		if ((flags & sizes) && !take_integer(bytes, end, &at, &value))
			return 0;
	for (int filters = (flags & 3) + 1; filters > 0; filters--) {
		if (!take_integer(bytes, end, &at, &id) || !take_integer(bytes, end, &at, &value) || value >= end - at)
			return 0;
		if (id == LZMA2 && value == 1) {
			const unsigned bits = bytes[at] & 0x3f;
			return bits >= 40 ? UINT32_MAX : (2ULL | (bits & 1)) << (bits / 2 + 11);
		}
		at += (size_t)value;
	}
	return 0;
}
