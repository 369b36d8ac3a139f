/* build/lib/rkt/seccomp: a profile on standard input, `struct sock_filter[]` on standard output. */
#include "seccomp-code.h"

#include <stdio.h>
#include <string.h>

static int complain(const char *text)
{
    fprintf(stderr, "seccomp: %s\n", text);
    return 1;
}

static int read_profile(struct profile *profile)
{
    struct fault fault = {0};
    char line[256];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *end = strchr(line, '\n');
        if (end == NULL)
            return complain("a line is too long, or the last one has no end");
        *end = '\0';
        if (profile_line(profile, line, &fault) != 0) {
            fprintf(stderr, "seccomp: line %u: %s\n", fault.line, fault.text);
            return 1;
        }
    }
    if (ferror(stdin))
        return complain("cannot read the profile");
    return profile->started ? 0 : complain("the profile is empty");
}

int main(void)
{
    static struct profile profile;
    static struct program program;
    if (read_profile(&profile) != 0)
        return 1;
    write_program(&profile, &program);
    if (program.overflow)
        return complain("the filter is larger than the kernel takes");
    if (fwrite(program.code, sizeof *program.code, program.length, stdout) != program.length || fflush(stdout) != 0)
        return complain("cannot write the filter");
    return 0;
}
