#include "io.h"

#include <errno.h>
#include <unistd.h>

int write_all(int fd, const void *bytes, size_t count)
{
	const char *rest = bytes;
	while (count > 0) {
		ssize_t n = write(fd, rest, count);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		rest += n;
		count -= (size_t)n;
	}
	return 0;
}
