/*
 * An ordinary user's rkt: this process becomes root of a user namespace of its own, in which id 0 is the user and ids 1, 2, … are the
 * user's subordinate ids, and of a mount namespace. It gains no right on the host: both are what the kernel gives to everybody.
 */
#ifndef RKT_ROOTLESS_ENTER_H
#define RKT_ROOTLESS_ENTER_H

#include <stddef.h>

enum rootless {
    ROOTLESS_OUTSIDE, /* nothing changed: root, a verb or directory that needs none of it, or a user without ids */
    ROOTLESS_ENTERED,
    ROOTLESS_REFUSED, /* nothing changed: `reason` tells why */
    ROOTLESS_BROKEN,  /* half inside, of no use: `reason` tells why */
};

/* Enters when it makes sense for these words (the arguments after the program's name). */
enum rootless enter_rootless(char *const *words, char *reason, size_t size);

#endif
