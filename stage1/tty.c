#include "tty.h"

#include <string.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

void tty_prepare(struct tty *tty) {
  memset(tty, 0, sizeof *tty);
  tty->master = tty->input.from = tty->input.to = tty->output.from = tty->output.to = -1;
}

void tty_start(struct tty *tty, int master, int log) {
  if (tty->master >= 0) {
    close(master);
    return;
  }
  tty->master = master;
  stream_never_blocks(master);
  tty->input = (struct stream){.from = stream_open(0, O_RDONLY), .to = fcntl(master, F_DUPFD_CLOEXEC, 3), .log = -1, .name = "stdin"};
  tty->output = (struct stream){.from = master, .to = stream_open(1, O_WRONLY), .log = log, .name = "stdout"};
  /* In the background the terminal belongs to another job, which would find it raw. */
  if (tcgetpgrp(0) == getpgrp() && tcgetattr(0, &tty->saved) == 0) {
    struct termios raw = tty->saved;
    cfmakeraw(&raw);
    tty->raw = tcsetattr(0, TCSADRAIN, &raw) == 0;
  }
  tty_resize(tty);
}

void tty_resize(const struct tty *tty) {
  struct winsize size;
  if (tty->master >= 0 && tty->output.from >= 0 && ioctl(0, TIOCGWINSZ, &size) == 0) (void)ioctl(tty->master, TIOCSWINSZ, &size);
}

void tty_end(struct tty *tty) {
  if (tty->raw) (void)tcsetattr(0, TCSADRAIN, &tty->saved);
  tty->raw = 0;
}
