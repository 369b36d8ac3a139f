#ifndef RKT_INIT_SETUP_H
#define RKT_INIT_SETUP_H

#include "fail.h"
#include "init.h"

/* Makes the fresh process in its new namespaces into pod init: ids, host name, loopback, own root. */
int init_setup(const struct init *init, struct fail *f);

#endif
