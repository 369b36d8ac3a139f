/* The client side of `rkt enter`: hands a program to a running pod and passes its input and output on. */
#ifndef RKT_ENTER_H
#define RKT_ENTER_H

/* `launcher enter PLAN POD CALLER OWNER`: OWNER is the host uid that owns the pipes. Returns the program's exit status. */
int enter_run(int plan_fd, int pod, int caller_fd, unsigned owner);

#endif
