/* print-fds: a line `NUMBER F_GETFD F_GETFL TARGET` for each open descriptor, flags in hexadecimal. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) {
        perror("/proc/self/fd");
        return 1;
    }
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char target[4096];
        const int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(directory))
            continue;
        const ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
        target[length < 0 ? 0 : length] = '\0';
        printf("%d %x %x %s\n", fd, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL), target);
    }
    return closedir(directory) != 0;
}
