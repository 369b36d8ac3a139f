/* Conversions between JavaScript values and C ones. Each `take_*` leaves a pending TypeError and returns false on a wrong value. */
#ifndef RKT_BINDING_VALUES_H
#define RKT_BINDING_VALUES_H

#define NAPI_VERSION 8
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX_ARGUMENTS 4

static inline void free_text(char **text)
{
    free(*text);
}

static inline void free_vector(char ***vector)
{
    if (*vector != NULL)
        for (char **item = *vector; *item != NULL; item++)
            free(*item);
    free(*vector);
}

static inline void close_descriptor(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define CLEANUP(function) __attribute__((cleanup(function)))

/* Reads exactly `count` arguments into `values`. */
bool take_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values);

/* An integer from `least` to `most`; fractions, NaN and strings are refused. */
bool take_integer(napi_env env, napi_value value, int64_t least, int64_t most, int64_t *integer);

/* A file descriptor. */
bool take_descriptor(napi_env env, napi_value value, int *fd);

/* A string without NUL, as UTF-8; the caller owns the memory. */
bool take_text(napi_env env, napi_value value, char **text);

/* An array of such strings, ended by NULL; the caller owns the memory. */
bool take_vector(napi_env env, napi_value value, char ***vector);

struct descriptors {
    int *list;
    size_t count;
};

static inline void free_descriptors(struct descriptors *descriptors)
{
    free(descriptors->list);
}

/* An array of file descriptors; the caller frees the list, and owns none of them. */
bool take_descriptors(napi_env env, napi_value value, struct descriptors *descriptors);

/* The bytes of a Uint8Array; they stay JavaScript's. */
bool take_bytes(napi_env env, napi_value value, const uint8_t **bytes, size_t *size);

/* Leaves a pending Error with `code` (errno name), `errno` and `syscall`; always returns NULL. */
napi_value throw_errno(napi_env env, int number, const char *call);

/* Leaves a pending TypeError; always returns false. */
bool refuse(napi_env env, const char *message);

napi_value make_boolean(napi_env env, bool value);
napi_value make_integer(napi_env env, int64_t value);
napi_value make_null(napi_env env);
napi_value make_undefined(napi_env env);

#endif
