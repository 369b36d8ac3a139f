/* Extended attributes of a path itself, links not followed. */
#define _GNU_SOURCE
#include "binding.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#define MAX_NAMES 65536
#define MAX_VALUE 65536

static bool add_name(napi_env env, napi_value array, uint32_t index, const char *name)
{
    napi_value text;
    return napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &text) == napi_ok && napi_set_element(env, array, index, text) == napi_ok;
}

napi_value binding_xattr_names(napi_env env, napi_callback_info info)
{
    napi_value arguments[1];
    napi_value result;
    CLEANUP(free_text) char *path = NULL;
    CLEANUP(free_text) char *names = NULL;
    if (!take_arguments(env, info, 1, arguments) || !take_text(env, arguments[0], &path))
        return NULL;
    names = malloc(MAX_NAMES);
    if (names == NULL)
        return throw_errno(env, ENOMEM, "malloc");
    ssize_t size = llistxattr(path, names, MAX_NAMES);
    if (size < 0 && errno == ENOTSUP)
        size = 0;
    if (size < 0)
        return throw_errno(env, errno, "llistxattr");
    if (napi_create_array(env, &result) != napi_ok)
        return NULL;
    uint32_t index = 0;
    for (const char *name = names; name < names + size; name += strlen(name) + 1)
        if (!add_name(env, result, index++, name))
            return NULL;
    return result;
}

napi_value binding_xattr_value(napi_env env, napi_callback_info info)
{
    napi_value arguments[2];
    napi_value result;
    CLEANUP(free_text) char *path = NULL;
    CLEANUP(free_text) char *name = NULL;
    CLEANUP(free_text) char *value = NULL;
    if (!take_arguments(env, info, 2, arguments) || !take_text(env, arguments[0], &path) || !take_text(env, arguments[1], &name))
        return NULL;
    value = malloc(MAX_VALUE);
    if (value == NULL)
        return throw_errno(env, ENOMEM, "malloc");
    ssize_t size = lgetxattr(path, name, value, MAX_VALUE);
    if (size < 0)
        return throw_errno(env, errno, "lgetxattr");
    if (napi_create_buffer_copy(env, (size_t)size, value, NULL, &result) != napi_ok)
        return NULL;
    return result;
}
