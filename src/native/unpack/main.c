/*
 * unpack aci [--inspect] --limit-NAME=N…   image on fd 0 → tree in fd 4, listing on fd 5 if open, result on fd 3
 * unpack layer [--sha512] --limit-NAME=N…   OCI layer on fd 0 → tree in fd 4, listing on fd 5 if open, result on fd 3
 * unpack plain --limit-NAME=N…             image on fd 0 → its uncompressed bytes in the file on fd 4, result on fd 3
 * unpack hash                              tree in fd 4 → listing on fd 5 if open, result on fd 3
 *
 * Exit status: 0, or the failure_kind, with one line on fd 2.
 */
#define _GNU_SOURCE
#include "aci.h"
#include "io.h"
#include "layer.h"
#include "listing.h"
#include "plain.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int run_hash(const struct options *o, const struct hashes *hashes, struct failure *f)
{
	struct listing l;
	uint8_t digest[SHA512_BYTES];
	char hex[2 * SHA512_BYTES + 1], text[256];
	if (sandbox_enter(SANDBOX_READ, FD_DESTINATION, f) < 0)
		return -1;
	close(FD_DESTINATION);
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail_errno(f, errno, "cannot open the tree");
	if (sandbox_confine(SANDBOX_READ, (struct confinement){ INT64_MAX }, f) < 0 ||
	    listing_open(&l, o->listing ? FD_LISTING : -1, NULL, hashes, f) < 0 || listing_walk(&l, root, f) < 0 || listing_digest(&l, digest, f) < 0)
		return -1;
	to_hex(hex, digest, sizeof digest);
	int n = snprintf(text, sizeof text, "{\"treeHash\":\"%s\",\"entries\":%llu}\n", hex, (unsigned long long)l.lines);
	return write_all(FD_RESULT, text, (size_t)n) < 0 ? fail_errno(f, errno, "cannot write the result") : 0;
}

int main(int count, char **arguments)
{
	struct failure f = { .kind = FAILURE_NONE };
	struct options options;
	struct hashes hashes;
	struct unpacking unpacking;
	struct stream stream;
	mallopt(M_ARENA_MAX, 1);
	umask(077);
	if (options_parse(&options, count, arguments, &f) == 0 && options_check_descriptors(&options, &f) == 0 && hashes_load(&hashes, &f) == 0) {
		switch (options.verb) {
		case VERB_ACI:
			aci_unpack(&unpacking, &options, &hashes, &f);
			break;
		case VERB_LAYER:
			layer_unpack(&unpacking, &options, &hashes, &f);
			break;
		case VERB_PLAIN:
			plain_unpack(&stream, &options, &hashes, &f);
			break;
		case VERB_HASH:
			run_hash(&options, &hashes, &f);
			break;
		}
	}
	if (f.kind != FAILURE_NONE) {
		/* One write: the reader of fd 2 gets the line whole. */
		size_t n = strlen(f.text);
		f.text[n] = '\n';
		write_all(FD_MESSAGE, f.text, n + 1);
	}
	_exit((int)f.kind);
}
