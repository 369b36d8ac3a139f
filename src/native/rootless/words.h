/* What the front-end must know of a command line before the command table is there. */
#ifndef RKT_ROOTLESS_WORDS_H
#define RKT_ROOTLESS_WORDS_H

#include <stdbool.h>

/*
 * Whether the words name a verb that does nothing in the store: it stays in the host's user namespace, where files keep the owners that
 * `image build` records, and gpg finds its agent. A verb behind flags that take the next word is not recognized, which costs nothing but that.
 */
bool stays_outside(char *const *words);

/* The value of the last `--dir` before `--`, or NULL. */
const char *data_directory(char *const *words);

#endif
