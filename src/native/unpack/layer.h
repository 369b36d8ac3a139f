/* Unpacks one OCI layer: the same sandbox, reader and writer as for an ACI, with the rules of layers. */
#ifndef UNPACK_LAYER_H
#define UNPACK_LAYER_H

#include "aci.h"

int layer_unpack(struct unpacking *u, const struct options *o, const struct hashes *hashes, struct failure *f);

#endif
