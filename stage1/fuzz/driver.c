/*
 * FUZZER SECONDS SEED FILE...: reads the files, which must be accepted, then mutations of them; what takes a way through the reader that
 * nothing took before is kept and mutated further. Built with sanitizers. Ends with a count, or by the sanitizer's abort.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "fuzz.h"

enum { MAP_SIZE = 1 << 16, POOL = 4096, MAX_INPUT = 1 << 16 };

struct input {
  uint8_t *bytes;
  size_t size;
};

/* The reader calls back from every branch: there is no other way to it than globals. */
static uint8_t taken[MAP_SIZE], seen[MAP_SIZE];
static uintptr_t before;
static uint64_t random_state;

void __sanitizer_cov_trace_pc(void) {
  uintptr_t here = (uintptr_t)__builtin_return_address(0);
  uint8_t *count = &taken[(here ^ before) & (MAP_SIZE - 1)];
  if (*count < 255) ++*count;
  before = here >> 1;
}

static uint32_t below(size_t limit) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (uint32_t)((random_state >> 16) % limit);
}

/* How often a way was taken counts by its order of magnitude. */
static uint8_t magnitude(uint8_t count) { return (uint8_t)(count == 0 ? 0 : 1u << (31 - __builtin_clz(count))); }

static int found_new_way(void) {
  int found = 0;
  for (size_t i = 0; i < MAP_SIZE; i++) {
    uint8_t bit = magnitude(taken[i]);
    if (bit & ~seen[i]) found = 1;
    seen[i] |= bit;
  }
  return found;
}

/* An allocation of exactly that size, so that AddressSanitizer sees every byte too far. */
static int run(const uint8_t *bytes, size_t size) {
  uint8_t *exact = malloc(size ? size : 1);
  if (!exact) abort();
  memcpy(exact, bytes, size);
  memset(taken, 0, sizeof taken);
  before = 0;
  int refused = fuzz_one(exact, size);
  free(exact);
  return refused;
}

static size_t mutate(uint8_t *bytes, size_t size, const struct input *other) {
  static const uint32_t odd[] = {0, 1, 2, 4, 7, 8, 16, 63, 64, 255, 256, 4095, 65535, 65536, 1u << 20, 1u << 24, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff};
  for (uint32_t turns = 1 + below(6); turns > 0 && size > 0; turns--) {
    size_t at = below(size);
    /* Numbers of these formats stand at even places mostly. */
    if (size > 8 && below(2)) at = below(size - 4) & ~(size_t)3;
    switch (below(7)) {
      case 0: bytes[at] ^= (uint8_t)(1u << below(8)); break;
      case 1: bytes[at] = (uint8_t)below(256); break;
      case 2:
      case 3: {
        uint32_t value = below(3) ? odd[below(sizeof odd / sizeof odd[0])] : below(80);
        if (at + 4 <= size) memcpy(bytes + at, &value, 4);
        break;
      }
      case 4: {
        size_t from = below(other->size), count = 1 + below(64);
        if (count > other->size - from) count = other->size - from;
        if (count > size - at) count = size - at;
        memcpy(bytes + at, other->bytes + from, count);
        break;
      }
      case 5: {
        size_t count = 1 + below(32);
        if (count > size - at) count = size - at;
        if (below(2) || size + count > MAX_INPUT) {
          memmove(bytes + at, bytes + at + count, size - at - count);
          size -= count;
        } else {
          memmove(bytes + at + count, bytes + at, size - at);
          size += count;
        }
        break;
      }
      default:
        if (below(6) == 0) size = at;
    }
  }
  return size;
}

static int add(struct input *pool, size_t *count, const uint8_t *bytes, size_t size) {
  if (*count == POOL || size == 0) return 0;
  pool[*count].bytes = malloc(size);
  if (!pool[*count].bytes) return -1;
  memcpy(pool[*count].bytes, bytes, size);
  pool[(*count)++].size = size;
  return 0;
}

static int add_file(struct input *pool, size_t *count, const char *path) {
  static uint8_t bytes[MAX_INPUT];
  FILE *file = fopen(path, "rb");
  if (!file) return -1;
  size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  if (run(bytes, size) != 0) {
    fprintf(stderr, "%s: is not accepted\n", path);
    return -1;
  }
  found_new_way();
  return add(pool, count, bytes, size);
}

int main(int argc, char **argv) {
  static struct input pool[POOL];
  static uint8_t bytes[MAX_INPUT];
  size_t count = 0;
  long rounds = 0, accepted = 0;
  if (argc < 4) return 2;
  random_state = strtoull(argv[2], NULL, 10) * 2654435761u + 88172645463325252ull;
  for (int i = 3; i < argc; i++)
    if (add_file(pool, &count, argv[i])) return 2;
  size_t seeds = count;
  time_t end = time(NULL) + strtol(argv[1], NULL, 10);
  for (; rounds % 256 != 0 || time(NULL) < end; rounds++) {
    const struct input *from = &pool[below(count)];
    memcpy(bytes, from->bytes, from->size);
    size_t size = mutate(bytes, from->size, &pool[below(count)]);
    accepted += run(bytes, size) == 0;
    if (found_new_way() && add(pool, &count, bytes, size)) return 2;
  }
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  printf("%ld rounds, %ld accepted, %zu new ways, %ld MiB\n", rounds, accepted, count - seeds, usage.ru_maxrss / 1024);
  return 0;
}
