#include "ring.h"

#include <stdlib.h>

int ring_init(struct ring *ring, struct failure *f)
{
	ring->slots = malloc((size_t)RING_SLOTS * RING_SLOT_BYTES);
	if (!ring->slots || pthread_mutex_init(&ring->mutex, NULL) != 0 || pthread_cond_init(&ring->changed, NULL) != 0)
		return fail(f, FAILURE_HOST, "cannot unpack archive: out of memory for buffers");
	return 0;
}

uint8_t *ring_claim(struct ring *ring)
{
	pthread_mutex_lock(&ring->mutex);
	while (ring->written - ring->taken == RING_SLOTS)
		pthread_cond_wait(&ring->changed, &ring->mutex);
	unsigned slot = ring->written % RING_SLOTS;
	pthread_mutex_unlock(&ring->mutex);
	return ring->slots + (size_t)slot * RING_SLOT_BYTES;
}

void ring_publish(struct ring *ring, size_t bytes)
{
	pthread_mutex_lock(&ring->mutex);
	ring->bytes[ring->written % RING_SLOTS] = bytes;
	ring->written++;
	pthread_cond_signal(&ring->changed);
	pthread_mutex_unlock(&ring->mutex);
}

void ring_end(struct ring *ring, const struct failure *failure)
{
	pthread_mutex_lock(&ring->mutex);
	ring->failure = *failure;
	ring->ended = true;
	pthread_cond_signal(&ring->changed);
	pthread_mutex_unlock(&ring->mutex);
}

ssize_t ring_next(void *context, const uint8_t **chunk, struct failure *f)
{
	struct ring *ring = context;
	ssize_t result = 0;
	pthread_mutex_lock(&ring->mutex);
	if (ring->holding) {
		ring->taken++;
		ring->holding = false;
		pthread_cond_signal(&ring->changed);
	}
	while (ring->written == ring->taken && !ring->ended)
		pthread_cond_wait(&ring->changed, &ring->mutex);
	if (ring->written != ring->taken) {
		unsigned slot = ring->taken % RING_SLOTS;
		*chunk = ring->slots + (size_t)slot * RING_SLOT_BYTES;
		ring->holding = true;
		result = (ssize_t)ring->bytes[slot];
	} else if (ring->failure.kind != FAILURE_NONE) {
		result = fail(f, ring->failure.kind, "%s", ring->failure.text);
	}
	pthread_mutex_unlock(&ring->mutex);
	return result;
}
