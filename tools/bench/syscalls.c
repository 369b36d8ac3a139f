/*
 * syscalls ROUNDS: makes a mix of system calls as servers make them, most of them short, and prints the nanoseconds that one round took.
 * ioctl and socket are those that filters look at the arguments of.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
  long rounds = argc > 1 ? atol(argv[1]) : 100000;
  int zero = open("/dev/zero", O_RDWR);
  long bad = 0;
  long long start = now();
  for (long i = 0; i < rounds; i++) {
    char byte = 0;
    struct stat st;
    int waiting;
    for (int j = 0; j < 4; j++) bad += syscall(SYS_getppid) < 0;
    for (int j = 0; j < 4; j++) bad += read(zero, &byte, 1) != 1;
    for (int j = 0; j < 4; j++) bad += write(zero, &byte, 1) != 1;
    bad += lseek(zero, 0, SEEK_SET) < 0;
    bad += fstat(zero, &st) != 0;
    (void)ioctl(zero, FIONREAD, &waiting);
    int root = open("/", O_RDONLY | O_DIRECTORY);
    bad += root < 0 || close(root) != 0;
    int plug = socket(AF_UNIX, SOCK_STREAM, 0);
    bad += plug < 0 || close(plug) != 0;
  }
  printf("%lld\n", (now() - start) / rounds);
  return bad != 0;
}
