/* What a fuzzer of the launcher is made of: one reader, and the driver that feeds it. */
#ifndef RKT_FUZZ_H
#define RKT_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Reads bytes that another process may have written; returns 0 when it accepts them. Aborts when a promise does not hold. */
int fuzz_one(uint8_t *bytes, size_t size);

/* Of the code under test, on each way it takes: compiled with -fsanitize-coverage=trace-pc. */
void __sanitizer_cov_trace_pc(void);

#endif
