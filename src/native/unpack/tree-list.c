#define _GNU_SOURCE
#include "tree-list.h"

#include "listing.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

int tree_check_empty(int directory, struct failure *f)
{
	char buffer[1024] __attribute__((aligned(8)));
	/* "." and ".." take 24 bytes each. */
	long n = syscall(SYS_getdents64, directory, buffer, sizeof buffer);
	if (n < 0)
		return fail_errno(f, errno, "cannot read the destination");
	return n <= 48 ? 0 : fail(f, FAILURE_HOST, "cannot unpack into the destination: it is not empty");
}

int tree_list(struct tree *tree, int listing, const struct hashes *hashes, char *tree_hash, struct failure *f)
{
	struct listing l;
	uint8_t digest[SHA512_BYTES];
	if (records_sort(&tree->records, f) < 0 || listing_open(&l, listing, &tree->records, hashes, f) < 0 ||
	    listing_walk(&l, tree->root, f) < 0 || listing_digest(&l, digest, f) < 0 ||
	    listing_devices(&l, tree->devices, tree->device_count, f) < 0 || listing_flush(&l, f) < 0)
		return -1;
	to_hex(tree_hash, digest, sizeof digest);
	return 0;
}
