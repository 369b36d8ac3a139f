/* SHA-256 and SHA-512 of libcrypto, fetched once, before the sandbox closes. */
#ifndef UNPACK_HASH_H
#define UNPACK_HASH_H

#include "failure.h"

#include <openssl/evp.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA512_BYTES = 64 };

struct hashes {
	EVP_MD *sha256, *sha512;
};

struct hash {
	EVP_MD_CTX *context;
	const EVP_MD *kind;
};

int hashes_load(struct hashes *h, struct failure *f);
int hash_open(struct hash *hash, const EVP_MD *kind, struct failure *f);
int hash_start(struct hash *hash, struct failure *f);
int hash_add(struct hash *hash, const void *bytes, size_t count, struct failure *f);
int hash_finish(struct hash *hash, uint8_t *digest, struct failure *f);

/* Lower-case digits and a NUL: 2 * count + 1 bytes. */
void to_hex(char *out, const uint8_t *bytes, size_t count);

#endif
