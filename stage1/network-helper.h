/* The program that carries the packets of an ordinary user's pod: pasta or slirp4netns. */
#ifndef RKT_NETWORK_HELPER_H
#define RKT_NETWORK_HELPER_H

#include <sys/types.h>

#include "plan.h"

/* How the program of OP_NETWORK_HELPER says that the network is there: it goes to the background, or it writes to descriptor 3. */
enum helper_ready { HELPER_BACKGROUND = 0, HELPER_DESCRIPTOR = 1 };

/*
 * Runs the program of the plan, if there is one, for the network namespace of `init`, and waits until it is ready. Whatever it starts is in a
 * PID namespace of its own, which ends with its first process, `helper`; that one ends with us.
 */
int helper_start(const struct section *pod, pid_t init, pid_t *helper, struct fail *f);

/* Ends the program and everything that it started. */
void helper_stop(pid_t helper);

#endif
