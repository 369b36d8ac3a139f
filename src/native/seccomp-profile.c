#define _GNU_SOURCE
#include "seccomp-profile.h"

#include "seccomp-names.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ERRNO 4095

__attribute__((format(printf, 2, 3))) static int refuse(struct fault *fault, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return -1;
}

static char *next_word(char **rest)
{
    char *word;
    do
        word = strsep(rest, " ");
    while (word != NULL && *word == '\0');
    return word;
}

static bool read_number(const char *word, uint64_t most, uint64_t *number)
{
    char *end;
    if (word == NULL || *word < '0' || *word > '9')
        return false;
    errno = 0;
    *number = strtoull(word, &end, 0);
    return errno == 0 && *end == '\0' && *number <= most;
}

/* Reads an action, of which `word` is the first word. */
static int read_action(const char *word, char **rest, uint32_t *action, struct fault *fault)
{
    uint64_t number;
    if (word == NULL)
        return refuse(fault, "expected an action");
    if (strcmp(word, "allow") == 0)
        *action = SECCOMP_RET_ALLOW;
    else if (strcmp(word, "kill") == 0)
        *action = SECCOMP_RET_KILL_PROCESS;
    else if (strcmp(word, "errno") != 0)
        return refuse(fault, "unknown action \"%.64s\"", word);
    else if (read_number(next_word(rest), MAX_ERRNO, &number))
        *action = SECCOMP_RET_ERRNO | (uint32_t)number;
    else
        return refuse(fault, "expected the number of an errno");
    return 0;
}

/* `[argN masked_eq MASK VALUE]` */
static int read_condition(char **rest, struct rule *rule, struct fault *fault)
{
    const char *argument = next_word(rest);
    if (argument == NULL)
        return 0;
    const char *relation = next_word(rest);
    if (strncmp(argument, "arg", 3) != 0 || argument[3] < '0' || argument[3] > '5' || argument[4] != '\0' || relation == NULL ||
        strcmp(relation, "masked_eq") != 0 || !read_number(next_word(rest), UINT64_MAX, &rule->mask) ||
        !read_number(next_word(rest), UINT64_MAX, &rule->value) || next_word(rest) != NULL)
        return refuse(fault, "expected argN masked_eq MASK VALUE");
    rule->conditional = true;
    rule->argument = (unsigned)(argument[3] - '0');
    return 0;
}

static int add_rule(struct profile *profile, uint32_t action, char **rest, struct fault *fault)
{
    struct rule rule = {.action = action};
    const char *name = next_word(rest);
    if (name == NULL)
        return refuse(fault, "expected the name of a system call");
    if (read_condition(rest, &rule, fault) != 0)
        return -1;
    /* What nobody can name is not let through either, unless everything is that no rule decides. */
    if (!is_call(name) && action != SECCOMP_RET_ALLOW && profile->otherwise == SECCOMP_RET_ALLOW)
        return refuse(fault, "unknown system call \"%.64s\"", name);
    if (profile->rule_count == MAX_RULES)
        return refuse(fault, "too many rules");
    for (size_t index = 0; index < profile->architecture_count; index++)
        rule.numbers[index] = call_number(profile->architectures[index], name);
    profile->rules[profile->rule_count++] = rule;
    return 0;
}

static int add_architecture(struct profile *profile, const char *name, struct fault *fault)
{
    const uint32_t token = name == NULL ? 0 : seccomp_arch_resolve_name(name);
    if (token == 0 || profile->rule_count > 0 || profile->architecture_count == MAX_ARCHITECTURES)
        return refuse(fault, "expected the name of an architecture, before any rule");
    profile->architectures[profile->architecture_count++] = token;
    return 0;
}

int profile_line(struct profile *profile, char *line, struct fault *fault)
{
    uint32_t action;
    fault->line++;
    const char *word = next_word(&line);
    if (word == NULL)
        return 0;
    if (!profile->started) {
        profile->started = true;
        profile->architectures[profile->architecture_count++] = seccomp_arch_native();
        return strcmp(word, "default") == 0 ? read_action(next_word(&line), &line, &profile->otherwise, fault)
                                            : refuse(fault, "expected the default action first");
    }
    if (strcmp(word, "arch") == 0)
        return add_architecture(profile, next_word(&line), fault);
    return read_action(word, &line, &action, fault) != 0 ? -1 : add_rule(profile, action, &line, fault);
}
