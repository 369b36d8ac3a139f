/* answer tcp|udp PORT TEXT: answers every connection, or every datagram, with TEXT and the client's address. IPv4 and IPv6. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static size_t say(char *line, size_t size, const char *text, const struct sockaddr_in6 *client)
{
    char address[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, &client->sin6_addr, address, sizeof address);
    const char *plain = strncmp(address, "::ffff:", 7) == 0 ? address + 7 : address;
    return (size_t)snprintf(line, size, "%s %s\n", text, plain);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 1;
    int tcp = strcmp(argv[1], "tcp") == 0;
    int fd = socket(AF_INET6, tcp ? SOCK_STREAM : SOCK_DGRAM, 0);
    struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons((unsigned short)atoi(argv[2]))};
    int yes = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&own, sizeof own) || (tcp && listen(fd, 64)))
        return 1;
    for (;;) {
        char line[256], input[2048];
        struct sockaddr_in6 client;
        socklen_t size = sizeof client;
        if (tcp) {
            int connection = accept(fd, (struct sockaddr *)&client, &size);
            size_t length = say(line, sizeof line, argv[3], &client);
            if (write(connection, line, length) < 0)
                perror("write");
            close(connection);
        } else if (recvfrom(fd, input, sizeof input, 0, (struct sockaddr *)&client, &size) >= 0) {
            size_t length = say(line, sizeof line, argv[3], &client);
            sendto(fd, line, length, 0, (struct sockaddr *)&client, size);
        }
    }
}
