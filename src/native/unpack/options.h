/* Arguments and descriptors that the program is started with. */
#ifndef UNPACK_OPTIONS_H
#define UNPACK_OPTIONS_H

#include "failure.h"

#include <stdbool.h>
#include <stdint.h>

enum { FD_IMAGE = 0, FD_MESSAGE = 2, FD_RESULT = 3, FD_DESTINATION = 4, FD_LISTING = 5 };

struct options {
	enum { VERB_ACI, VERB_LAYER, VERB_HASH, VERB_PLAIN } verb;
	bool inspect;
	bool sha512; /* hash of a layer: SHA-512, else SHA-256 */
	bool listing; /* FD_LISTING is open */
	uint64_t path_bytes, name_bytes, path_depth, entries, header_bytes, manifest_bytes, unpacked_bytes, ratio;
};

int options_parse(struct options *o, int count, char **arguments, struct failure *f);

/* Checks what is open, and closes everything else. */
int options_check_descriptors(struct options *o, struct failure *f);

#endif
