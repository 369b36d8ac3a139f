/* Sockets at which programs of the pod tell their state (sd_notify), and what of it the pod's own supervisor hears. */
#ifndef RKT_NOTIFY_H
#define RKT_NOTIFY_H

#include "fail.h"
#include "message.h"
#include "plan.h"

/* Init: makes the abstract socket that the plan of an app names; -1 when it names none. Returns 0, or -1 when it cannot be made. */
int notify_listen(const struct section *app, int *socket, struct fail *f);
/* Init: takes one message, of `text` at least one byte; 0 when there is none, or it comes from outside of the pod. */
int notify_take(int socket, const struct section *app, char text[MESSAGE_TEXT]);

/* Outer: tells the supervisor that started the pod, when there is one. Never waits. */
void notify_tell(const struct plan *plan, const char *text);
/* Outer: passes on what may be known outside: process numbers of the pod and descriptors may not. `ready` comes back 1 for READY=1. */
void notify_pass(const struct plan *plan, const char *text, int pass_ready, int *ready);

#endif
