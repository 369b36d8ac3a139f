/* The thread that decompresses the blob, hashes what comes out, and fills the ring. */
#ifndef UNPACK_STREAM_H
#define UNPACK_STREAM_H

#include "hash.h"
#include "ring.h"

struct stream_limits {
	uint64_t unpacked_bytes;
	uint64_t ratio; /* bytes out for each byte in, past the first 64 MiB */
};

enum stream_state { STREAM_STARTING, STREAM_WAITING, STREAM_RELEASED };

struct stream {
	struct ring ring;
	struct stream_limits limits;
	struct hash hash;
	int fd; /* the blob, a regular file, read with pread from its start */
	uint64_t blob_bytes, consumed;
	/* Valid once ring_next() has returned 0. */
	uint64_t unpacked_bytes;
	uint8_t digest[SHA512_BYTES]; /* as many bytes as the hash has */
	/* The thread waits until the sandbox is closed. */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	enum stream_state state;
	pthread_t thread;
};

/* Starts the thread, and returns when it waits; it reads no byte before stream_release(). `kind` hashes what comes out. */
int stream_start(struct stream *s, int fd, const EVP_MD *kind, struct stream_limits limits, struct failure *f);
void stream_release(struct stream *s);

#endif
