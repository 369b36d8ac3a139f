/*
 * What the caller of rkt gave this process and Node changes: soft limits, ignored and blocked signals, umask, descriptor flags.
 * The front-end records it, the launcher restores it for the apps.
 *
 * Little endian: "RKTC" u32 version=1, u64 ignored signals (bit n-1 is signal n), u64 blocked signals, u32 umask,
 * u32 number of limits, per limit (index is RLIMIT_*) u64 soft u64 hard,
 * u32 number of descriptors, per descriptor i32 number, i32 F_GETFD, i32 F_GETFL.
 */
#ifndef RKT_CALLER_STATE_H
#define RKT_CALLER_STATE_H

struct failure {
    int number;       /* errno */
    const char *step; /* what was being done */
};

/*
 * Writes the record to a sealed memfd above 2 that is inherited by execve, and unblocks every signal, since Node waits for some.
 * Returns the descriptor, or -1 with `failure` filled.
 */
int record_caller_state(struct failure *failure);

#endif
