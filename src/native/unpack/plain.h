/* Decompresses one image without looking into it. */
#ifndef UNPACK_PLAIN_H
#define UNPACK_PLAIN_H

#include "hash.h"
#include "options.h"
#include "stream.h"

/* `s` must stay until the process ends: the other thread may still use it after a failure. */
int plain_unpack(struct stream *s, const struct options *o, const struct hashes *hashes, struct failure *f);

#endif
