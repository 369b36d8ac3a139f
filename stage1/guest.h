/* The launcher as init of a virtual machine: it mounts the disks, runs the plan that the host sends, and tells the host what happens. */
#ifndef RKT_GUEST_H
#define RKT_GUEST_H

/* Never returns: at the end the machine is switched off. */
_Noreturn void guest_main(void);

#endif
