/* A bounded ring of buffers between the thread that decompresses and the one that unpacks. */
#ifndef UNPACK_RING_H
#define UNPACK_RING_H

#include "failure.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { RING_SLOTS = 8, RING_SLOT_BYTES = 256 * 1024 };

struct ring {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned written, taken; /* slots ever filled, slots ever given back */
	bool holding;            /* the reader has one slot in hand */
	bool ended;
	struct failure failure;  /* why the writer ended, if it failed */
	size_t bytes[RING_SLOTS];
	uint8_t *slots;
};

int ring_init(struct ring *ring, struct failure *f);

/* Writer: waits for a free slot and returns its buffer of RING_SLOT_BYTES. */
uint8_t *ring_claim(struct ring *ring);
void ring_publish(struct ring *ring, size_t bytes);
void ring_end(struct ring *ring, const struct failure *failure);

/* Reader: gives the previous slot back, waits for the next. As the `next` of struct tar_source. */
ssize_t ring_next(void *ring, const uint8_t **chunk, struct failure *f);

#endif
