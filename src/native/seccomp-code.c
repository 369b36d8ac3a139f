#include "seccomp-code.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>

/* Calls of x32 come under the name of x86_64 with this bit. */
#define X32_BIT 0x40000000U

/* The calls from `start` to the next range answer `action`, or what the first rule says whose condition holds. */
struct range {
    uint32_t start;
    uint32_t action;
    const struct rule *const *rules;
    size_t rule_count;
};

/* The rules of one architecture, ordered by call and then by line, and the ranges made of them. */
struct table {
    const struct rule *rules[MAX_RULES];
    size_t rule_count;
    struct range ranges[2 * MAX_RULES + 2];
    size_t range_count;
};

static void put(struct program *program, uint16_t code, uint32_t k, uint8_t if_true, uint8_t if_false)
{
    if (program->length == BPF_MAXINSNS)
        program->overflow = true;
    else
        program->code[program->length++] = (struct sock_filter){.code = code, .jt = if_true, .jf = if_false, .k = k};
}

static void put_return(struct program *program, uint32_t action)
{
    put(program, BPF_RET | BPF_K, action, 0, 0);
}

static void put_load(struct program *program, size_t offset)
{
    put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* A jump whose distance `land` fills in. */
static size_t put_jump(struct program *program)
{
    put(program, BPF_JMP | BPF_JA, 0, 0, 0);
    return program->length - 1;
}

static void land(struct program *program, size_t jump)
{
    program->code[jump].k = (uint32_t)(program->length - jump - 1);
}

/* Goes on when half an argument is right, else jumps; the jump to fill in, or 0 when there is nothing to compare. */
static size_t put_half(struct program *program, size_t offset, uint32_t mask, uint32_t value)
{
    if (mask == 0)
        return 0;
    put_load(program, offset);
    put(program, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
    put(program, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    return put_jump(program);
}

static void put_rule(struct program *program, const struct rule *rule)
{
    const size_t low = offsetof(struct seccomp_data, args) + rule->argument * sizeof(uint64_t); /* little endian */
    const size_t low_jump = put_half(program, low, (uint32_t)rule->mask, (uint32_t)rule->value);
    const size_t high_jump = put_half(program, low + 4, (uint32_t)(rule->mask >> 32), (uint32_t)(rule->value >> 32));
    put_return(program, rule->action);
    if (low_jump != 0)
        land(program, low_jump);
    if (high_jump != 0)
        land(program, high_jump);
}

static void put_range(struct program *program, const struct range *range, uint32_t otherwise)
{
    for (size_t index = 0; index < range->rule_count; index++) {
        if (!range->rules[index]->conditional) {
            put_return(program, range->rules[index]->action);
            return;
        }
        put_rule(program, range->rules[index]);
    }
    put_return(program, range->rule_count == 0 ? range->action : otherwise);
}

static void put_search(struct program *program, const struct range *ranges, size_t count, uint32_t otherwise)
{
    if (count == 1) {
        put_range(program, ranges, otherwise);
        return;
    }
    const size_t half = count / 2;
    put(program, BPF_JMP | BPF_JGE | BPF_K, ranges[half].start, 0, 1);
    const size_t jump = put_jump(program);
    put_search(program, ranges, half, otherwise);
    land(program, jump);
    put_search(program, ranges + half, count - half, otherwise);
}

/* Appends a range; one of the same start gives way, one that says what the last says is not needed. */
static void add_range(struct table *table, struct range range)
{
    if (table->range_count > 0 && table->ranges[table->range_count - 1].start == range.start)
        table->range_count--;
    if (table->range_count > 0) {
        const struct range *last = &table->ranges[table->range_count - 1];
        if (last->rule_count == 0 && range.rule_count == 0 && last->action == range.action)
            return;
    }
    table->ranges[table->range_count++] = range;
}

static void add_call(struct table *table, uint32_t number, size_t first, size_t count, uint32_t otherwise)
{
    if (table->rules[first]->conditional)
        add_range(table, (struct range){.start = number, .rules = table->rules + first, .rule_count = count});
    else
        add_range(table, (struct range){.start = number, .action = table->rules[first]->action});
    add_range(table, (struct range){.start = number + 1, .action = otherwise});
}

/* Selects and orders the rules that an architecture has; insertion keeps the order of lines. */
static void take_rules(const struct profile *profile, size_t architecture, struct table *table)
{
    table->rule_count = 0;
    for (size_t index = 0; index < profile->rule_count; index++) {
        const struct rule *rule = &profile->rules[index];
        if (rule->numbers[architecture] < 0)
            continue;
        size_t at = table->rule_count++;
        for (; at > 0 && table->rules[at - 1]->numbers[architecture] > rule->numbers[architecture]; at--)
            table->rules[at] = table->rules[at - 1];
        table->rules[at] = rule;
    }
}

static void make_ranges(const struct profile *profile, size_t architecture, struct table *table)
{
    take_rules(profile, architecture, table);
    table->range_count = 0;
    add_range(table, (struct range){.start = 0, .action = profile->otherwise});
    for (size_t first = 0, next; first < table->rule_count; first = next) {
        const int64_t number = table->rules[first]->numbers[architecture];
        for (next = first + 1; next < table->rule_count && table->rules[next]->numbers[architecture] == number;)
            next++;
        add_call(table, (uint32_t)number, first, next - first, profile->otherwise);
    }
}

void write_program(const struct profile *profile, struct program *program)
{
    static struct table table;
    /* What belongs to no architecture of the profile is absent where the default would let it through. */
    const uint32_t foreign = profile->otherwise == SECCOMP_RET_ALLOW ? SECCOMP_RET_ERRNO | ENOSYS : profile->otherwise;
    put_load(program, offsetof(struct seccomp_data, arch));
    for (size_t index = 0; index < profile->architecture_count; index++) {
        put(program, BPF_JMP | BPF_JEQ | BPF_K, profile->architectures[index], 1, 0);
        const size_t next = put_jump(program);
        put_load(program, offsetof(struct seccomp_data, nr));
        if (profile->architectures[index] == AUDIT_ARCH_X86_64) {
            put(program, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
            put_return(program, foreign);
        }
        make_ranges(profile, index, &table);
        put_search(program, table.ranges, table.range_count, profile->otherwise);
        land(program, next);
    }
    put_return(program, foreign);
}
