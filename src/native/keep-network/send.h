/* Telling a local service what cannot wait for an answer: the end of a pod. */
#ifndef RKT_KEEP_NETWORK_SEND_H
#define RKT_KEEP_NETWORK_SEND_H

/* Sends the standard input to the Unix socket at `path` and waits shortly for an answer; nobody there is no failure. Exit status. */
int send_input(const char *path);

#endif
