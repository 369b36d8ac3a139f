/* Whole writes. */
#ifndef UNPACK_IO_H
#define UNPACK_IO_H

#include <stddef.h>

/* Writes every byte; -1 with errno. */
int write_all(int fd, const void *bytes, size_t count);

#endif
