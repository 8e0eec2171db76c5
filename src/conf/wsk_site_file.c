/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/wsk_site_file.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool
wrong_is(char *wrong, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(wrong, WSK_SITE_WRONG_MAX, format, args);
    va_end(args);
    return false;
}

json_t *wsk_site_file_read(const char *name, char wrong[WSK_SITE_WRONG_MAX])
{
    json_error_t at;
    json_t *root = json_load_file(name, JSON_REJECT_DUPLICATES, &at);
    const char *near = strstr(at.text, " near ");
    const char *why = strrchr(at.text, ':');

    if (!root && at.line < 0) {
        wrong_is(wrong, "cannot be opened%s", why ? why : "");
    }
    else if (!root) {
        wrong_is(wrong, "line %d: %.*s", at.line,
                 (int)(near ? (size_t)(near - at.text) : strlen(at.text)),
                 at.text);
    }
    return root;
}

size_t wsk_site_file_count(const json_t *root)
{
    return json_is_array(root) ? json_array_size(root) : 1;
}

json_t *wsk_site_file_at(json_t *root, size_t i)
{
    return json_is_array(root) ? json_array_get(root, i) : root;
}

static bool copy_text(const json_t *value, char *out, size_t cap)
{
    size_t len = json_string_length(value);

    if (!json_is_string(value) || len == 0 || len >= cap) {
        return false;
    }
    memcpy(out, json_string_value(value), len + 1);
    return strlen(out) == len;
}

static bool copy_secrets(const json_t *value, wsk_secret_pair_t *out)
{
    if (json_is_array(value)) {
        return json_array_size(value) >= 1 && json_array_size(value) <= 2
               && copy_text(json_array_get(value, 0), out->at[0],
                            sizeof out->at[0])
               && (json_array_size(value) == 1
                   || copy_text(json_array_get(value, 1), out->at[1],
                                sizeof out->at[1]));
    }
    return copy_text(value, out->at[0], sizeof out->at[0]);
}

enum { OF_SITE, OF_HOST };

static const struct {
    const char *name;
    size_t offset, size;
    int whose;
} limits_known[] = {
/* clang-format off */
#define X(type, name, whose) \
    { #name, offsetof(wsk_limits_t, name), sizeof(type), OF_##whose },
    /* clang-format on */
    WSK_LIMITS(X)
#undef X
};

/* @return false: a site file has no limit of this name */
static bool set_limit(wsk_limits_t *out, const char *name, uint32_t value)
{
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(limits_known); i++) {
        void *at = (char *)out + limits_known[i].offset;

        if (limits_known[i].whose == OF_HOST
            || strcmp(name, limits_known[i].name) != 0) {
            continue;
        }
        if (limits_known[i].size == sizeof(uint64_t)) {
            *(uint64_t *)at = value;
        }
        else {
            *(uint32_t *)at = value;
        }
        return true;
    }
    return false;
}

static bool read_limits(const json_t *limits, wsk_limits_t *out, char *wrong)
{
    const char *name;
    json_t *value;

    if (limits && !json_is_object(limits)) {
        return wrong_is(wrong, "\"limits\" must be an object");
    }
    json_object_foreach((json_t *)(uintptr_t)limits, name, value)
    {
        json_int_t n = json_integer_value(value);

        if (!json_is_integer(value) || n < 0 || n > UINT32_MAX) {
            return wrong_is(wrong, "limit \"%.64s\" is not a whole number",
                            name);
        }
        if (!set_limit(out, name, (uint32_t)n)) {
            return wrong_is(wrong, "no limit is named \"%.64s\"", name);
        }
    }
    return true;
}

static bool read_key(const json_t *site, wsk_site_spec_t *spec)
{
    return copy_text(json_object_get(site, "site_key"), spec->key,
                     sizeof spec->key)
           && strspn(spec->key, "0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.")
                  == strlen(spec->key);
}

static bool read_signature(const json_t *site, wsk_site_spec_t *spec)
{
    const json_t *signature = json_object_get(site, "signature");
    const json_int_t n = signature ? json_integer_value(signature) : 1;

    spec->signature = (uint32_t)n;
    return n == 1 || n == 2;
}

/* What need not be there may be left out, but not be wrong. */
static bool read_text(const json_t *site, const char *name, char *out,
                      size_t cap)
{
    const json_t *value = json_object_get(site, name);

    return !value || copy_text(value, out, cap);
}

bool wsk_site_file_spec(const json_t *site, wsk_site_spec_t *spec,
                        char wrong[WSK_SITE_WRONG_MAX])
{
    if (!read_key(site, spec)) {
        return wrong_is(wrong, "\"site_key\" must be 1 to 64 letters, digits, "
                               "'-', '_' or '.'");
    }
    if (!copy_secrets(json_object_get(site, "publish_secret"), &spec->publish)
        || !copy_secrets(json_object_get(site, "jwt_secret"), &spec->jwt)) {
        return wrong_is(wrong, "\"publish_secret\" and \"jwt_secret\" must be "
                               "a text of 1 to 128 bytes, or a list of two");
    }
    if (!read_text(site, "site_url", spec->url, sizeof spec->url)) {
        return wrong_is(wrong,
                        "\"site_url\" must be a text of at most 255 bytes");
    }
    if (!read_text(site, "user", spec->user, sizeof spec->user)) {
        return wrong_is(wrong, "\"user\" must be a text of 1 to 63 bytes");
    }
    if (!read_signature(site, spec)) {
        return wrong_is(wrong, "\"signature\" must be 1 or 2");
    }
    return read_limits(json_object_get(site, "limits"), &spec->limits, wrong);
}
