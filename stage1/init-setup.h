#ifndef RKT_INIT_SETUP_H
#define RKT_INIT_SETUP_H

#include "fail.h"
#include "init.h"

/* Makes the fresh process in its new namespaces into pod init: ids, host name, loopback, own root. */
int init_setup(const struct init *init, struct fail *f);

/* Brings `lo` up in the network namespace of this process. */
int loopback_up(struct fail *f);

#endif
