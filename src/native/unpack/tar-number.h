/* Numbers as tar archives write them. Each returns 0, or -1 when the text is anything but a number in range. */
#ifndef UNPACK_TAR_NUMBER_H
#define UNPACK_TAR_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A header field: octal digits, blanks before, blanks or NULs after; or GNU base-256, not negative. At most INT64_MAX. */
int tar_field_number(const uint8_t *field, size_t bytes, uint64_t *value);

/* Whether a field holds nothing at all: only NULs and blanks. */
bool tar_field_empty(const uint8_t *field, size_t bytes);

/* Decimal digits only. At most INT64_MAX. */
int tar_decimal(const char *text, size_t bytes, uint64_t *value);

/* [-]SECONDS[.FRACTION], rounded down to nanoseconds. */
int tar_decimal_time(const char *text, size_t bytes, int64_t *seconds, uint32_t *nanoseconds);

#endif
