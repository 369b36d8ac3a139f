/* The caller's terminal while a program of the pod uses one of its own. */
#ifndef RKT_TTY_H
#define RKT_TTY_H

#include <termios.h>

#include "pump.h"

struct tty {
  int master; /* -1: no terminal */
  int peer;   /* our own open of the program's side, so that nothing is lost when the program closes and opens it again */
  int raw;
  struct termios saved;
  struct stream input, output;
};

void tty_prepare(struct tty *tty);
/* Starts to copy between the caller's 0 and 1 and `master`, which it takes, and makes the caller's terminal raw. */
void tty_start(struct tty *tty, int master, struct log *log);
/* Makes the caller's terminal raw, when we are in its foreground: in the background it belongs to another job. */
void tty_raw(struct tty *tty);
/* Opens the program's side of a terminal; -1 when that fails. */
int tty_open_peer(int master);
/* The program has ended: the output ends with what is left. */
void tty_last(struct tty *tty);
/* Tells the program the size of the caller's terminal. */
void tty_resize(const struct tty *tty);
void tty_end(struct tty *tty);

#endif
