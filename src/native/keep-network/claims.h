/* Ports of the host that are the pod's: a bound socket each, which keeps every other program off. */
#ifndef RKT_KEEP_NETWORK_CLAIMS_H
#define RKT_KEEP_NETWORK_CLAIMS_H

#include "frame.h"

/* Binds (and, for TCP, listens on) one port of the host; the descriptor, or -1. */
int claim_port(const struct place *place);

#endif
