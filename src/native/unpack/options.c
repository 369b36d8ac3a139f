#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int take_limit(struct options *o, const char *argument)
{
	const struct { const char *name; uint64_t *value; } known[] = {
		{ "path", &o->path_bytes }, { "name", &o->name_bytes }, { "depth", &o->path_depth }, { "entries", &o->entries },
		{ "header", &o->header_bytes }, { "manifest", &o->manifest_bytes }, { "unpacked", &o->unpacked_bytes }, { "ratio", &o->ratio },
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t n = strlen(known[i].name);
		if (strncmp(argument, known[i].name, n) != 0 || argument[n] != '=')
			continue;
		char *end;
		errno = 0;
		*known[i].value = strtoull(argument + n + 1, &end, 10);
		return errno == 0 && *end == 0 && *known[i].value > 0 ? 0 : -1;
	}
	return -1;
}

static int take_verb(struct options *o, const char *argument)
{
	if (strcmp(argument, "aci") == 0)
		o->verb = VERB_ACI;
	else if (strcmp(argument, "layer") == 0)
		o->verb = VERB_LAYER;
	else if (strcmp(argument, "hash") == 0)
		o->verb = VERB_HASH;
	else if (strcmp(argument, "plain") == 0)
		o->verb = VERB_PLAIN;
	else
		return -1;
	return 0;
}

int options_parse(struct options *o, int count, char **arguments, struct failure *f)
{
	memset(o, 0, sizeof *o);
	if (count < 2 || take_verb(o, arguments[1]) < 0)
		return fail(f, FAILURE_HOST, "cannot unpack: unknown verb; expected aci, layer, plain or hash");
	for (int i = 2; i < count; i++) {
		if (o->verb == VERB_ACI && strcmp(arguments[i], "--inspect") == 0)
			o->inspect = true;
		else if (o->verb == VERB_LAYER && strcmp(arguments[i], "--sha512") == 0)
			o->sha512 = true;
		else if (o->verb == VERB_HASH || strncmp(arguments[i], "--limit-", 8) != 0 || take_limit(o, arguments[i] + 8) < 0)
			return fail(f, FAILURE_HOST, "cannot unpack: unknown argument");
	}
	const bool archive = o->path_bytes && o->name_bytes && o->path_depth && o->entries && o->header_bytes && o->unpacked_bytes && o->ratio;
	if ((o->verb == VERB_ACI && !(archive && o->manifest_bytes)) || (o->verb == VERB_LAYER && !archive))
		return fail(f, FAILURE_HOST, "cannot unpack: a limit is missing; expected all of them as arguments");
	if (o->verb == VERB_PLAIN && !(o->unpacked_bytes && o->ratio))
		return fail(f, FAILURE_HOST, "cannot unpack: a limit is missing; expected unpacked and ratio");
	return 0;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

int options_check_descriptors(struct options *o, struct failure *f)
{
	struct stat st;
	o->listing = is_open(FD_LISTING);
	if (!is_open(FD_IMAGE) || !is_open(1) || !is_open(FD_MESSAGE) || !is_open(FD_RESULT))
		return fail(f, FAILURE_HOST, "cannot unpack: a descriptor is missing; expected 0 to 3");
	if (o->verb == VERB_PLAIN && (fstat(FD_DESTINATION, &st) < 0 || !S_ISREG(st.st_mode)))
		return fail(f, FAILURE_HOST, "cannot unpack: descriptor 4 is not a regular file");
	if (o->verb != VERB_PLAIN && !o->inspect && (fstat(FD_DESTINATION, &st) < 0 || !S_ISDIR(st.st_mode)))
		return fail(f, FAILURE_HOST, "cannot unpack: descriptor 4 is not a directory");
	if (syscall(SYS_close_range, o->listing ? 6 : 5, ~0U, 0) < 0)
		return fail_errno(f, errno, "cannot unpack: close descriptors");
	return 0;
}
