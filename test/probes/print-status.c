/* print-status [FIELD…]: lines of /proc/self/status, all or those named. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_wanted(const char *line, char **fields)
{
    for (char **field = fields; *field != NULL; field++) {
        const size_t length = strlen(*field);
        if (strncmp(line, *field, length) == 0 && line[length] == ':')
            return true;
    }
    return *fields == NULL;
}

int main(int argc, char **argv)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[4096];
    if (argc < 1 || file == NULL) {
        perror("/proc/self/status");
        return 1;
    }
    while (fgets(line, sizeof line, file) != NULL)
        if (is_wanted(line, argv + 1))
            fputs(line, stdout);
    return ferror(file) || fclose(file) != 0;
}
