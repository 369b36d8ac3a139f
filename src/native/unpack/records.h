/* What is known of each file while the archive is unpacked: content hashes of files, times of directories, by inode number. */
#ifndef UNPACK_RECORDS_H
#define UNPACK_RECORDS_H

#include "failure.h"
#include "hash.h"

#include <stdint.h>
#include <time.h>

struct record {
	uint64_t inode;
	union {
		uint8_t sha256[SHA256_BYTES];
		struct timespec mtime;
	};
};

struct records {
	struct record *all;
	size_t count, capacity;
	uint32_t *order; /* positions, by inode number and age; made by records_sort() */
};

/* An inode number may come again after its file was replaced: the last record counts. */
int records_add(struct records *r, const struct record *record, struct failure *f);

/* To be called once, between the last records_add() and the first records_find(). */
int records_sort(struct records *r, struct failure *f);
const struct record *records_find(const struct records *r, uint64_t inode);

#endif
