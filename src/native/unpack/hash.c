#include "hash.h"

#include <openssl/crypto.h>

static int broken(struct failure *f)
{
	return fail(f, FAILURE_HOST, "cannot compute a hash: libcrypto refused");
}

int hashes_load(struct hashes *h, struct failure *f)
{
	/* No configuration file of the host takes part: it could load any provider. */
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL))
		return broken(f);
	h->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	h->sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
	return h->sha256 && h->sha512 ? 0 : broken(f);
}

int hash_open(struct hash *hash, const EVP_MD *kind, struct failure *f)
{
	hash->kind = kind;
	hash->context = EVP_MD_CTX_new();
	return hash->context ? hash_start(hash, f) : broken(f);
}

int hash_start(struct hash *hash, struct failure *f)
{
	return EVP_DigestInit_ex2(hash->context, hash->kind, NULL) == 1 ? 0 : broken(f);
}

int hash_add(struct hash *hash, const void *bytes, size_t count, struct failure *f)
{
	return EVP_DigestUpdate(hash->context, bytes, count) == 1 ? 0 : broken(f);
}

int hash_finish(struct hash *hash, uint8_t *digest, struct failure *f)
{
	return EVP_DigestFinal_ex(hash->context, digest, NULL) == 1 ? 0 : broken(f);
}

void to_hex(char *out, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		*out++ = "0123456789abcdef"[bytes[i] >> 4];
		*out++ = "0123456789abcdef"[bytes[i] & 15];
	}
	*out = 0;
}
