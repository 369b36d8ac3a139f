/* print-mounts: a line `MOUNTPOINT FSTYPE OPTIONS` for each mount that this process sees. */
#include <stdio.h>
#include <string.h>

int main(void)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char line[8192], point[4096], options[512], type[64];
    if (file == NULL) {
        perror("/proc/self/mountinfo");
        return 1;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        const char *rest = strstr(line, " - ");
        if (rest != NULL && sscanf(line, "%*s %*s %*s %*s %4095s %511s", point, options) == 2 && sscanf(rest, " - %63s", type) == 1)
            printf("%s %s %s\n", point, type, options);
    }
    return ferror(file) || fclose(file) != 0;
}
