/* The caller's terminal while a program of the pod uses one of its own. */
#ifndef RKT_TTY_H
#define RKT_TTY_H

#include <termios.h>

#include "pump.h"

struct tty {
  int master; /* -1: no terminal */
  int raw;
  struct termios saved;
  struct stream input, output;
};

void tty_prepare(struct tty *tty);
/* Starts to copy between the caller's 0 and 1 and `master`, which it takes; the caller's terminal becomes raw when we are in its foreground. */
void tty_start(struct tty *tty, int master, int log);
/* Tells the program the size of the caller's terminal. */
void tty_resize(const struct tty *tty);
void tty_end(struct tty *tty);

#endif
