/* What the launcher needs to run under sanitizers: its environment is empty, and it makes processes that share nothing with the library. */
#include "fuzz.h"

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

/* A leak is found by looking into all threads, which a process without rights may not; fuzzers look for leaks of descriptors. */
const char *__asan_default_options(void) { return "detect_leaks=0:exitcode=99:handle_segv=1:allow_user_segv_handler=0"; }

const char *__ubsan_default_options(void) { return "print_stacktrace=1:exitcode=99"; }

void __sanitizer_cov_trace_pc(void) {}
