/* Sends each argument to NOTIFY_SOCKET, as sd_notify(3) does; `sleep:N` waits N ms, `pid` prints the number of this process. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int tell(const char *text) {
  const char *place = getenv("NOTIFY_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!place || strlen(place) >= sizeof address.sun_path) return 1;
  memcpy(address.sun_path, place, strlen(place));
  if (*place == '@') address.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(place));
  ssize_t sent = sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, size);
  close(fd);
  return sent < 0;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (strncmp(argv[i], "sleep:", 6) == 0) {
      long ms = strtol(argv[i] + 6, NULL, 10);
      struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
      nanosleep(&t, NULL);
    } else if (tell(argv[i])) {
      perror(argv[i]);
      return 1;
    }
  }
  return 0;
}
