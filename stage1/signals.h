/* Signals as a descriptor: for processes that must miss none and be interrupted by none. */
#ifndef RKT_SIGNALS_H
#define RKT_SIGNALS_H

#include "fail.h"

/*
 * Blocks all signals but faults, which are to end the process instead of hanging in a blocked signal, and but `except` (0: none). Returns
 * a descriptor on which the blocked ones arrive, or -1.
 */
int signals_watch(int except, struct fail *f);

#endif
