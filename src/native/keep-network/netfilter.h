/* The pod's own table of packet rules. Its owner is this process' socket: nobody else changes it, and it ends with the process. */
#ifndef RKT_KEEP_NETWORK_NETFILTER_H
#define RKT_KEEP_NETWORK_NETFILTER_H

#include <stddef.h>
#include <stdint.h>

/* Carries out a batch on the socket `*netlink`, which is opened when it is -1. 0 or an errno. */
int netfilter_batch(int *netlink, const uint8_t *batch, size_t size);

#endif
