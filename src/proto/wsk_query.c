/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_query.h"

#include <string.h>

static size_t part_len(const char *at, const char *end)
{
    const char *next = memchr(at, '&', (size_t)(end - at));

    return (size_t)((next ? next : end) - at);
}

/* Whether a parameter is `name=..`. */
static bool is_named(wsk_slice_t part, const char *name)
{
    size_t len = strlen(name);

    return part.len > len && part.at[len] == '='
           && memcmp(part.at, name, len) == 0;
}

wsk_slice_t wsk_query_find(wsk_slice_t query, const char *name)
{
    const char *at = query.at, *end = query.at ? query.at + query.len : NULL;
    size_t skip = strlen(name) + 1;

    while (at < end) {
        wsk_slice_t part = { at, part_len(at, end) };

        if (is_named(part, name)) {
            return (wsk_slice_t){ part.at + skip, part.len - skip };
        }
        at += part.len + 1;
    }
    return (wsk_slice_t){ NULL, 0 };
}

void wsk_query_cut(char *text, const char *name)
{
    char *mark = strchr(text, '?'), *out = mark, *at, *end;

    if (!mark) {
        return;
    }
    end = mark + strcspn(mark, " ");
    for (at = mark + 1; at <= end;) {
        wsk_slice_t part = { at, part_len(at, end) };

        if (!is_named(part, name)) {
            *out = out == mark ? '?' : '&';
            memmove(out + 1, part.at, part.len);
            out += part.len + 1;
        }
        at += part.len + 1;
    }
    memmove(out, end, strlen(end) + 1);
}
