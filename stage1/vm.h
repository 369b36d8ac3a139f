/*
 * Pod init of a pod whose apps live in a virtual machine: it starts the virtual machine monitor as the one program of the host's side, and
 * passes output, input and what happens between the guest and the outer launcher.
 */
#ifndef RKT_VM_H
#define RKT_VM_H

#include "init.h"

/* Runs until the guest's pod has ended; returns its exit status. `signals` is a signal descriptor. */
int vm_serve(const struct init *init, int signals);

#endif
