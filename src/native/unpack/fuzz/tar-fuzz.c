/*
 * tar-fuzz FILE ROUNDS [SEED]: reads an archive, then mutations of it, through the tar reader, in chunks of changing sizes.
 * Built with sanitizers; with clang the same entry point serves libFuzzer. Ends with a count, or by the sanitizer's abort.
 */
#include "../tar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
	const uint8_t *bytes;
	size_t left;
	size_t chunk;
};

static ssize_t next_chunk(void *context, const uint8_t **chunk, struct failure *f)
{
	struct input *input = context;
	(void)f;
	size_t n = input->left < input->chunk ? input->left : input->chunk;
	*chunk = input->bytes;
	input->bytes += n;
	input->left -= n;
	return (ssize_t)n;
}

/* What every entry promises, whatever the bytes were. */
static void check_entry(const struct tar_entry *e)
{
	if (strlen(e->path) != e->path_bytes || e->path[0] == '/' || strstr(e->path, "//") || strncmp(e->path, "../", 3) == 0 ||
	    strstr(e->path, "/../") || strcmp(e->path, "..") == 0 || e->uid >= 1u << 30 || e->gid >= 1u << 30 || e->mode > 07777 ||
	    (e->type != TAR_FILE && e->size != 0) || e->mtime_nanoseconds >= 1000000000 || strlen(e->target) != e->target_bytes)
		abort();
	for (size_t i = 0; i < e->xattr_count; i++)
		if (memchr(e->xattrs[i].name, 0, e->xattrs[i].name_bytes))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct input input = { bytes, count, count % 3 == 0 ? 1 + count % 700 : 65536 };
	struct failure f = { .kind = FAILURE_NONE };
	struct tar_entry e;
	const uint8_t *piece;
	int state;
	uint64_t left = 0;
	struct tar_reader *r = tar_open((struct tar_source){ &input, next_chunk }, (struct tar_limits){ 3840, 255, 256, 100000, 1 << 20, count % 2 != 0 });
	while (r && (state = tar_next(r, &e, &f)) > 0) {
		check_entry(&e);
		left = e.size;
		/* Every other member is left to be skipped. */
		for (ssize_t n; (e.path_bytes & 1) && (n = tar_content(r, &piece, &f)) > 0;)
			left -= (uint64_t)n;
		if ((e.path_bytes & 1) && f.kind == FAILURE_NONE && left != 0)
			abort();
	}
	tar_close(r);
	return f.kind == FAILURE_NONE ? 0 : -1;
}

#ifndef WITH_LIBFUZZER
static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16) % limit;
}

/* Makes the checksum of the header at `block` right again: without this hardly a mutation gets past it. */
static void repair(uint8_t *block)
{
	unsigned sum = 0;
	memset(block + 148, ' ', 8);
	for (size_t i = 0; i < 512; i++)
		sum += block[i];
	snprintf((char *)block + 148, 8, "%06o", sum);
	block[155] = ' ';
}

static size_t mutate(uint8_t *bytes, size_t count)
{
	static const char odd[] = "\0\xff\x80/. =\n0179xgLK52";
	for (uint32_t i = 1 + random_below(6); i > 0 && count > 0; i--) {
		size_t at = random_below((uint32_t)count);
		switch (random_below(5)) {
		case 0:
			bytes[at] ^= (uint8_t)(1u << random_below(8));
			break;
		case 1:
			bytes[at] = (uint8_t)odd[random_below(sizeof odd - 1)];
			break;
		case 2: /* the fields that decide: name, sizes, type, magic */
			at = at / 512 * 512 + (random_below(2) ? 124 + random_below(40) : random_below(100));
			if (at < count)
				bytes[at] = (uint8_t)odd[random_below(sizeof odd - 1)];
			break;
		case 3:
			if (count > 1024) {
				size_t from = random_below((uint32_t)(count / 512)) * 512u, to = random_below((uint32_t)(count / 512)) * 512u;
				memmove(bytes + to, bytes + from, 512);
			}
			break;
		default:
			if (random_below(8) == 0)
				count -= random_below((uint32_t)count);
		}
		if (at / 512 * 512 + 512 <= count && random_below(4) != 0)
			repair(bytes + at / 512 * 512);
	}
	return count;
}

int main(int count, char **arguments)
{
	FILE *file = count >= 3 ? fopen(arguments[1], "rb") : NULL;
	if (!file)
		return 2;
	static uint8_t original[1 << 20];
	const size_t bytes = fread(original, 1, sizeof original, file);
	fclose(file);
	long accepted = 0, rounds = strtol(arguments[2], NULL, 10);
	random_state = count > 3 ? strtoull(arguments[3], NULL, 10) : 88172645463325252ULL;
	if (LLVMFuzzerTestOneInput(original, bytes) != 0)
		return 2;
	for (long i = 0; i < rounds; i++) {
		/* Exact allocations, so that AddressSanitizer sees every byte too far. */
		uint8_t *copy = malloc(bytes + 1);
		if (!copy)
			return 2;
		memcpy(copy, original, bytes);
		size_t n = mutate(copy, bytes);
		uint8_t *exact = malloc(n + 1);
		if (!exact)
			return 2;
		memcpy(exact + 1, copy, n);
		free(copy);
		accepted += LLVMFuzzerTestOneInput(exact + 1, n) == 0;
		free(exact);
	}
	printf("%ld rounds, %ld accepted\n", rounds, accepted);
	return 0;
}
#endif
