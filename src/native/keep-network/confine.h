/* What the process may do once it only passes bytes on. */
#ifndef RKT_KEEP_NETWORK_CONFINE_H
#define RKT_KEEP_NETWORK_CONFINE_H

#include <sys/types.h>

/* Dies with `parent` and with nothing else: signals of a terminal are the pod's. */
int live_with(pid_t parent);

/* Gives up every right: user and group nobody, no capabilities, no new privileges, few system calls. */
int confine(void);

#endif
