/*
 * build/lib/rkt/keep-network: holds the ports of a pod and owns its packet rules for as long as the pod's launcher lives, and relays
 * what comes to those ports over loopback. Usage: keep-network PARENT (frames on 0, answers on 1; specs/network.md), or
 * keep-network send SOCKET (what is on 0 goes to a local service), or
 * keep-network try PROGRAM ARGUMENT… (what is to be removed may be gone: a failure is none).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "claims.h"
#include "confine.h"
#include "netfilter.h"
#include "relay.h"
#include "send.h"

static struct relay relays[MAX_PORTS];
static struct frame frame;

/* The first frame: the rules that need no address of the pod, and the ports of the host to claim. */
static int claim(int *netlink, uint32_t *count)
{
    struct answer answer = {0};
    if (frame_read(0, &frame))
        return -1;
    for (*count = 0; *count < frame.count; (*count)++) {
        struct relay *relay = &relays[*count];
        relay->target.protocol = frame.places[*count].protocol;
        relay->claim = claim_port(&frame.places[*count]);
        if (relay->claim < 0) {
            answer.place_error = (uint32_t)errno;
            answer.index = *count;
            break;
        }
    }
    if (answer.place_error == 0)
        answer.batch_error = (uint32_t)netfilter_batch(netlink, frame.batch, frame.batch_size);
    free(frame.batch);
    return frame_answer(1, &answer) || answer.place_error ? -1 : 0;
}

/* The second: where the claimed ports lead. */
static int lead(int *netlink, uint32_t count)
{
    struct answer answer = {0};
    if (frame_read(0, &frame) || frame.count != count)
        return -1;
    for (uint32_t index = 0; index < count; index++) {
        uint8_t protocol = relays[index].target.protocol;
        relays[index].target = frame.places[index];
        relays[index].target.protocol = protocol;
    }
    answer.batch_error = (uint32_t)netfilter_batch(netlink, frame.batch, frame.batch_size);
    free(frame.batch);
    if (answer.batch_error == 0 && confine())
        answer.place_error = (uint32_t)errno;
    return frame_answer(1, &answer) || answer.batch_error || answer.place_error ? -1 : 0;
}

static int try_program(char **argv)
{
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_RDWR);
        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
            _exit(127);
        execvp(argv[0], argv);
        _exit(127);
    }
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
    return child > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    int netlink = -1;
    uint32_t count = 0;
    struct rlimit files;
    if (argc == 3 && strcmp(argv[1], "send") == 0)
        return send_input(argv[2]);
    if (argc > 2 && strcmp(argv[1], "try") == 0)
        return try_program(argv + 2);
    if (argc != 2 || live_with((pid_t)atoi(argv[1])))
        return 1;
    if (syscall(SYS_close_range, 3U, ~0U, 0U) || getrlimit(RLIMIT_NOFILE, &files))
        return 1;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) || claim(&netlink, &count) || lead(&netlink, count))
        return 1;
    close(0);
    close(1);
    close(2);
    relay_serve(relays, count);
}
