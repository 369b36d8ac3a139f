/* How much memory a compressed stream asks for, read from its first header. */
#ifndef UNPACK_WINDOW_H
#define UNPACK_WINDOW_H

#include <stddef.h>
#include <stdint.h>

enum { WINDOW_HEADER_BYTES = 64, WINDOW_MOST_BYTES = 64 * 1024 * 1024 };

/* Bytes of the window of the first zstd frame (RFC 8878, 3.1.1.1), or 0 when the header is not one. */
uint64_t zstd_window(const uint8_t *bytes, size_t count);

/* Bytes of the LZMA2 dictionary of the first xz block (xz file format 1.0.4, 3.1 and 5.3.1), or 0 when there is none. */
uint64_t xz_dictionary(const uint8_t *bytes, size_t count);

#endif
