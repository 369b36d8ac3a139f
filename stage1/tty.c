#include "tty.h"

#include <string.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif

void tty_prepare(struct tty *tty) {
  memset(tty, 0, sizeof *tty);
  tty->master = tty->peer = -1;
  stream_prepare(&tty->input);
  stream_prepare(&tty->output);
}

int tty_open_peer(int master) { return ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC); }

void tty_raw(struct tty *tty) {
  if (tcgetpgrp(0) != getpgrp() || tcgetattr(0, &tty->saved)) return;
  struct termios raw = tty->saved;
  cfmakeraw(&raw);
  tty->raw = tcsetattr(0, TCSADRAIN, &raw) == 0;
}

void tty_start(struct tty *tty, int master, struct log *log) {
  if (tty->master >= 0) {
    close(master);
    return;
  }
  tty->master = master;
  tty->peer = tty_open_peer(master);
  stream_never_blocks(master);
  tty->input.from = stream_open(0, O_RDONLY);
  tty->input.to = fcntl(master, F_DUPFD_CLOEXEC, 3);
  tty->output.from = master;
  tty->output.to = stream_open(1, O_WRONLY);
  tty->output.log = log;
  tty->output.number = 1;
  tty_raw(tty);
  tty_resize(tty);
}

void tty_last(struct tty *tty) {
  if (tty->peer >= 0) close(tty->peer);
  tty->peer = -1;
}

void tty_resize(const struct tty *tty) {
  struct winsize size;
  if (tty->master >= 0 && tty->output.from >= 0 && ioctl(0, TIOCGWINSZ, &size) == 0) (void)ioctl(tty->master, TIOCSWINSZ, &size);
}

void tty_end(struct tty *tty) {
  if (tty->raw) (void)tcsetattr(0, TCSADRAIN, &tty->saved);
  tty->raw = 0;
}
