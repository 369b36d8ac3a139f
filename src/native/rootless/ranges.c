#define _GNU_SOURCE
#include "ranges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A decimal number that ends at `end`. */
static bool parse_number(const char *text, char end, uint32_t *value, const char **rest)
{
    char *after;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    const unsigned long long number = strtoull(text, &after, 10);
    if (errno != 0 || *after != end || number > UINT32_MAX)
        return false;
    *value = (uint32_t)number;
    *rest = after + 1;
    return true;
}

static bool is_owner(const char *owner, const char *name, uint32_t uid)
{
    uint32_t number;
    const char *rest;
    if (name != NULL && strcmp(owner, name) == 0)
        return true;
    return parse_number(owner, '\0', &number, &rest) && number == uid;
}

/* `owner:first:count`; `line` is cut apart. */
static bool parse_line(char *line, const char *name, uint32_t uid, struct range *range)
{
    const char *rest;
    line[strcspn(line, "\n")] = '\0';
    char *colon = strchr(line, ':');
    if (colon == NULL)
        return false;
    *colon = '\0';
    if (!is_owner(line, name, uid) || !parse_number(colon + 1, ':', &range->first, &rest) || !parse_number(rest, '\0', &range->count, &rest))
        return false;
    return range->count > 0 && range->first > 0 && range->count <= UINT32_MAX - range->first;
}

bool read_ranges(const char *path, const char *name, uint32_t uid, struct ranges *found)
{
    char line[1024];
    found->count = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return errno == ENOENT;
    while (found->count < MAX_RANGES && fgets(line, sizeof line, file) != NULL)
        if (parse_line(line, name, uid, &found->range[found->count]))
            found->count++;
    const bool failed = ferror(file) != 0;
    const int number = errno;
    fclose(file);
    errno = number;
    return !failed;
}
