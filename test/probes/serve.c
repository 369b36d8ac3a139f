/* Prints what sd_listen_fds(3) would find, then answers one connection on each socket that listens with its number. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  const char *fds = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID"), *names = getenv("LISTEN_FDNAMES");
  if (!fds || !pid) {
    puts("none");
    return 1;
  }
  printf("%s %s %s\n", fds, strtol(pid, NULL, 10) == (long)getpid() ? "ours" : "another's", names ? names : "-");
  fflush(stdout);
  for (int fd = 3; fd < 3 + (int)strtol(fds, NULL, 10); fd++) {
    int connection = accept(fd, NULL, NULL);
    if (connection < 0) return 2;
    dprintf(connection, "socket %d\n", fd);
    close(connection);
  }
  return 0;
}
