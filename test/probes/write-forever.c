/* write-forever: writes numbered lines of 64 bytes until writing fails; the exit status is then the errno. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (unsigned long number = 0;; number++) {
        char line[65];
        snprintf(line, sizeof line, "%063lu\n", number);
        if (write(STDOUT_FILENO, line, strlen(line)) < 0)
            return errno;
    }
}
