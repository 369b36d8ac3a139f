#include "tar-number.h"

static int base256(const uint8_t *field, size_t bytes, uint64_t *value)
{
	/* 0x80 marks the form, 0x40 is the sign: a negative size, owner or time is refused. */
	if (field[0] & 0x40)
		return -1;
	uint64_t n = field[0] & 0x3f;
	for (size_t i = 1; i < bytes; i++) {
		if (n > (uint64_t)INT64_MAX >> 8)
			return -1;
		n = n << 8 | field[i];
	}
	*value = n;
	return 0;
}

int tar_field_number(const uint8_t *field, size_t bytes, uint64_t *value)
{
	if (field[0] & 0x80)
		return base256(field, bytes, value);
	size_t i = 0;
	while (i < bytes && field[i] == ' ')
		i++;
	size_t first = i;
	uint64_t n = 0;
	for (; i < bytes && field[i] >= '0' && field[i] <= '7'; i++)
		n = n << 3 | (uint64_t)(field[i] - '0'); /* twelve digits at most: 36 bits */
	if (i == first)
		return -1;
	if (!tar_field_empty(field + i, bytes - i))
		return -1;
	*value = n;
	return 0;
}

bool tar_field_empty(const uint8_t *field, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (field[i] != 0 && field[i] != ' ')
			return false;
	return true;
}

int tar_decimal(const char *text, size_t bytes, uint64_t *value)
{
	uint64_t n = 0;
	if (bytes == 0)
		return -1;
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		uint64_t digit = (uint64_t)(text[i] - '0');
		if (n > ((uint64_t)INT64_MAX - digit) / 10)
			return -1;
		n = n * 10 + digit;
	}
	*value = n;
	return 0;
}

int tar_decimal_time(const char *text, size_t bytes, int64_t *seconds, uint32_t *nanoseconds)
{
	bool negative = bytes > 0 && text[0] == '-';
	size_t i = negative ? 1 : 0;
	size_t dot = i;
	while (dot < bytes && text[dot] != '.')
		dot++;
	uint64_t whole;
	if (tar_decimal(text + i, dot - i, &whole) < 0)
		return -1;
	uint32_t fraction = 0, scale = 100000000;
	if (dot + 1 == bytes)
		return -1;
	bool beyond = false;
	for (i = dot + 1; i < bytes; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		fraction += (uint32_t)(text[i] - '0') * scale;
		beyond |= scale == 0 && text[i] != '0';
		scale /= 10;
	}
	if (!negative) {
		*seconds = (int64_t)whole;
		*nanoseconds = fraction;
		return 0;
	}
	if (beyond)
		fraction++;
	*seconds = fraction == 0 ? -(int64_t)whole : -(int64_t)whole - 1;
	*nanoseconds = fraction == 0 ? 0 : 1000000000 - fraction;
	return 0;
}
