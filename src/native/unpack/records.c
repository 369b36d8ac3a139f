#define _GNU_SOURCE
#include "records.h"

#include <stdlib.h>

int records_add(struct records *r, const struct record *record, struct failure *f)
{
	if (r->count == r->capacity) {
		size_t capacity = r->capacity ? r->capacity + r->capacity / 4 : 4096;
		/* Large blocks are mapped, and grow by mremap: never twice in memory. */
		struct record *all = realloc(r->all, capacity * sizeof *all);
		if (!all)
			return fail(f, FAILURE_LIMIT, "cannot unpack archive: too many members for the memory limit");
		r->all = all;
		r->capacity = capacity;
	}
	r->all[r->count++] = *record;
	return 0;
}

static int compare(const void *left, const void *right, void *context)
{
	const struct record *all = context;
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	if (all[a].inode != all[b].inode)
		return all[a].inode < all[b].inode ? -1 : 1;
	return a < b ? -1 : a > b;
}

int records_sort(struct records *r, struct failure *f)
{
	r->order = malloc((r->count + 1) * sizeof *r->order);
	if (!r->order)
		return fail(f, FAILURE_LIMIT, "cannot unpack archive: too many members for the memory limit");
	for (size_t i = 0; i < r->count; i++)
		r->order[i] = (uint32_t)i;
	qsort_r(r->order, r->count, sizeof *r->order, compare, r->all);
	return 0;
}

const struct record *records_find(const struct records *r, uint64_t inode)
{
	/* The first position whose inode is greater; the one before it is the last record of `inode`, if there is any. */
	size_t low = 0, high = r->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (r->all[r->order[middle]].inode <= inode)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || r->all[r->order[low - 1]].inode != inode)
		return NULL;
	return &r->all[r->order[low - 1]];
}
