/* ignore-sigterm: ignores SIGTERM, says so, and stays until it is killed. */
#include <signal.h>
#include <unistd.h>

int main(void)
{
    if (signal(SIGTERM, SIG_IGN) == SIG_ERR || write(STDOUT_FILENO, "ignoring\n", 9) != 9)
        return 1;
    for (;;)
        pause();
}
