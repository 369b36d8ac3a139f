#include "words.h"

#include <stddef.h>
#include <string.h>

#define DIR_FLAG "--dir"

/* Verbs, and for a group the second word; a unique prefix is enough, as in the command table. */
static const char *const outside[][2] = {{"version", NULL}, {"help", NULL}, {"completion", NULL}, {"image", "build"}, {"image", "sign"}};

/* Global flags that take the next word when they have no `=`. */
static const char *const take_word[] = {DIR_FLAG, "--system-config", "--local-config", "--user-config", "--insecure-options"};

static bool takes_word(const char *flag)
{
    for (size_t index = 0; index < sizeof take_word / sizeof *take_word; index++)
        if (strcmp(flag, take_word[index]) == 0)
            return true;
    return false;
}

/* The next word at or after `at` that is neither a flag nor its value. */
static char *const *skip_flags(char *const *at)
{
    while (*at != NULL && **at == '-')
        at += takes_word(*at) && at[1] != NULL ? 2 : 1;
    return at;
}

static bool begins(const char *whole, const char *word)
{
    return *word != '\0' && strncmp(whole, word, strlen(word)) == 0;
}

bool stays_outside(char *const *words)
{
    char *const *verb = skip_flags(words);
    if (*verb == NULL)
        return true; /* help */
    char *const *second = skip_flags(verb + 1);
    for (size_t index = 0; index < sizeof outside / sizeof *outside; index++)
        if (begins(outside[index][0], *verb) && (outside[index][1] == NULL || (*second != NULL && begins(outside[index][1], *second))))
            return true;
    return false;
}

const char *data_directory(char *const *words)
{
    const char *found = NULL;
    for (; *words != NULL && strcmp(*words, "--") != 0; words++) {
        if (strncmp(*words, DIR_FLAG "=", sizeof DIR_FLAG) == 0)
            found = *words + sizeof DIR_FLAG;
        else if (strcmp(*words, DIR_FLAG) == 0 && words[1] != NULL)
            found = *++words;
    }
    return found;
}
