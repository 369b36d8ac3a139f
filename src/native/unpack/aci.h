/* Unpacks one image: the sandbox, the two threads, the rules of the format, the result. */
#ifndef UNPACK_ACI_H
#define UNPACK_ACI_H

#include "hash.h"
#include "options.h"

int aci_unpack(const struct options *o, const struct hashes *hashes, struct failure *f);

#endif
