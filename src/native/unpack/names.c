#define _GNU_SOURCE
#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

void names_free(struct names *n)
{
	free(n->bytes);
	free(n->starts);
}

static int too_many(struct failure *f)
{
	return fail(f, FAILURE_LIMIT, "cannot list tree: too many names for the memory limit");
}

static int add_name(struct names *n, const char *name, struct failure *f)
{
	size_t bytes = strlen(name) + 1;
	if (n->used + bytes > n->capacity) {
		size_t capacity = n->capacity + n->capacity / 2 + 1024;
		char *grown = realloc(n->bytes, capacity);
		if (!grown)
			return too_many(f);
		n->bytes = grown;
		n->capacity = capacity;
	}
	if (n->count == n->starts_capacity) {
		size_t capacity = n->starts_capacity + n->starts_capacity / 2 + 64;
		uint32_t *grown = realloc(n->starts, capacity * sizeof *grown);
		if (!grown)
			return too_many(f);
		n->starts = grown;
		n->starts_capacity = capacity;
	}
	if (n->used + bytes > UINT32_MAX)
		return too_many(f);
	n->starts[n->count++] = (uint32_t)n->used;
	memcpy(n->bytes + n->used, name, bytes);
	n->used += bytes;
	return 0;
}

static int compare_names(const void *left, const void *right, void *context)
{
	const char *bytes = context;
	return strcmp(bytes + *(const uint32_t *)left, bytes + *(const uint32_t *)right);
}

int names_read(struct names *n, int directory, const char *what, struct failure *f)
{
	char buffer[32768] __attribute__((aligned(8)));
	for (;;) {
		long got = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
		if (got < 0)
			return fail_errno(f, errno, "cannot read directory %s", what);
		if (got == 0)
			break;
		for (long at = 0; at < got;) {
			const struct dirent64 *d = (const struct dirent64 *)(buffer + at);
			at += d->d_reclen;
			if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 && add_name(n, d->d_name, f) < 0)
				return -1;
		}
	}
	if (n->count > 1)
		qsort_r(n->starts, n->count, sizeof *n->starts, compare_names, n->bytes);
	return 0;
}
