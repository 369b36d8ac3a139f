#ifndef RKT_CLOCK_H
#define RKT_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Milliseconds of a clock that nobody sets. */
static inline int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void pause_ms(long ms) {
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  nanosleep(&t, NULL);
}

/* The earlier of two times, of which 0 is none. */
static inline int64_t earlier(int64_t a, int64_t b) { return !a || (b && b < a) ? b : a; }

#endif
