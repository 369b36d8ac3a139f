#define _GNU_SOURCE
#include "binding-values.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

bool refuse(napi_env env, const char *message)
{
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
    return false;
}

bool take_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values)
{
    size_t given = MAX_ARGUMENTS;
    napi_value all[MAX_ARGUMENTS];
    if (napi_get_cb_info(env, info, &given, all, NULL, NULL) != napi_ok || given != count)
        return refuse(env, "wrong number of arguments");
    memcpy(values, all, count * sizeof *values);
    return true;
}

bool take_integer(napi_env env, napi_value value, int64_t least, int64_t most, int64_t *integer)
{
    double number;
    if (napi_get_value_double(env, value, &number) != napi_ok)
        return refuse(env, "expected an integer");
    if (!(number >= (double)least && number <= (double)most) || trunc(number) != number)
        return refuse(env, "integer out of range");
    *integer = (int64_t)number;
    return true;
}

bool take_descriptor(napi_env env, napi_value value, int *fd)
{
    int64_t number;
    if (!take_integer(env, value, 0, INT_MAX, &number))
        return false;
    *fd = (int)number;
    return true;
}

bool take_text(napi_env env, napi_value value, char **text)
{
    size_t size;
    if (napi_get_value_string_utf8(env, value, NULL, 0, &size) != napi_ok)
        return refuse(env, "expected a string");
    *text = malloc(size + 1);
    if (*text == NULL || napi_get_value_string_utf8(env, value, *text, size + 1, &size) != napi_ok)
        return refuse(env, "cannot copy a string");
    if (strlen(*text) != size)
        return refuse(env, "expected a string without NUL");
    return true;
}

bool take_vector(napi_env env, napi_value value, char ***vector)
{
    uint32_t length;
    bool is_array;
    if (napi_is_array(env, value, &is_array) != napi_ok || !is_array || napi_get_array_length(env, value, &length) != napi_ok)
        return refuse(env, "expected an array of strings");
    *vector = calloc((size_t)length + 1, sizeof **vector);
    if (*vector == NULL)
        return refuse(env, "cannot copy an array");
    for (uint32_t index = 0; index < length; index++) {
        napi_value item;
        if (napi_get_element(env, value, index, &item) != napi_ok)
            return refuse(env, "cannot read an array");
        if (!take_text(env, item, &(*vector)[index]))
            return false;
    }
    return true;
}

bool take_descriptors(napi_env env, napi_value value, struct descriptors *descriptors)
{
    uint32_t length;
    bool is_array;
    if (napi_is_array(env, value, &is_array) != napi_ok || !is_array || napi_get_array_length(env, value, &length) != napi_ok)
        return refuse(env, "expected an array of descriptors");
    descriptors->list = calloc((size_t)length + 1, sizeof *descriptors->list);
    if (descriptors->list == NULL)
        return refuse(env, "cannot copy an array");
    for (uint32_t index = 0; index < length; index++) {
        napi_value item;
        if (napi_get_element(env, value, index, &item) != napi_ok)
            return refuse(env, "cannot read an array");
        if (!take_descriptor(env, item, &descriptors->list[index]))
            return false;
    }
    descriptors->count = length;
    return true;
}

bool take_bytes(napi_env env, napi_value value, const uint8_t **bytes, size_t *size)
{
    bool is_typed;
    napi_typedarray_type type;
    void *data;
    if (napi_is_typedarray(env, value, &is_typed) != napi_ok || !is_typed ||
        napi_get_typedarray_info(env, value, &type, size, &data, NULL, NULL) != napi_ok || type != napi_uint8_array)
        return refuse(env, "expected a Uint8Array");
    *bytes = data;
    return true;
}

napi_value throw_errno(napi_env env, int number, const char *call)
{
    const char *name = strerrorname_np(number);
    const char *text = strerrordesc_np(number);
    if (name == NULL || text == NULL) {
        name = "EUNKNOWN";
        text = "unknown error";
    }
    char message[256];
    snprintf(message, sizeof message, "%s: %c%s, %s", name, tolower((unsigned char)text[0]), text + 1, call);
    napi_value error, code, about, syscall_name;
    if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code) == napi_ok &&
        napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &about) == napi_ok &&
        napi_create_string_utf8(env, call, NAPI_AUTO_LENGTH, &syscall_name) == napi_ok &&
        napi_create_error(env, code, about, &error) == napi_ok &&
        napi_set_named_property(env, error, "errno", make_integer(env, -number)) == napi_ok &&
        napi_set_named_property(env, error, "syscall", syscall_name) == napi_ok)
        napi_throw(env, error);
    else
        napi_throw_error(env, name, message);
    return NULL;
}

napi_value make_boolean(napi_env env, bool value)
{
    napi_value result = NULL;
    napi_get_boolean(env, value, &result);
    return result;
}

napi_value make_integer(napi_env env, int64_t value)
{
    napi_value result = NULL;
    napi_create_int64(env, value, &result);
    return result;
}

napi_value make_null(napi_env env)
{
    napi_value result = NULL;
    napi_get_null(env, &result);
    return result;
}

napi_value make_undefined(napi_env env)
{
    napi_value result = NULL;
    napi_get_undefined(env, &result);
    return result;
}
