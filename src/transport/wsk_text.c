/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool room(wsk_text_t *t, size_t more)
{
    size_t cap = t->cap ? t->cap : 128;
    char *wider;

    if (t->failed || more > SIZE_MAX / 2 - t->len) {
        t->failed = true;
        return false;
    }
    if (t->len + more <= t->cap) {
        return true;
    }
    while (cap < t->len + more) {
        cap *= 2;
    }
    wider = realloc(t->at, cap);
    if (!wider) {
        t->failed = true;
        return false;
    }
    t->at = wider;
    t->cap = cap;
    return true;
}

void wsk_text_raw(wsk_text_t *t, const char *bytes, size_t len)
{
    if (len && room(t, len)) {
        memcpy(t->at + t->len, bytes, len);
        t->len += len;
    }
}

void wsk_text_put(wsk_text_t *t, const char *text)
{
    wsk_text_raw(t, text, strlen(text));
}

void wsk_text_fmt(wsk_text_t *t, const char *format, ...)
{
    char line[512];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof line) {
        t->failed = true;
        return;
    }
    wsk_text_raw(t, line, (size_t)n);
}

static void put_escape(wsk_text_t *t, unsigned char c)
{
    static const char shorts[] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r',
        ['\t'] = 't', ['"'] = '"',  ['\\'] = '\\'
    };
    static const char hex[] = "0123456789abcdef";
    const char escape[] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
    const char brief[] = { '\\', shorts[c] };

    if (shorts[c]) {
        wsk_text_raw(t, brief, sizeof brief);
    }
    else {
        wsk_text_raw(t, escape, sizeof escape);
    }
}

void wsk_text_string(wsk_text_t *t, wsk_slice_t s)
{
    size_t i, from = 0;

    wsk_text_raw(t, "\"", 1);
    for (i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.at[i];

        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        wsk_text_raw(t, s.at + from, i - from);
        from = i + 1;
        put_escape(t, c);
    }
    wsk_text_raw(t, s.at + from, s.len - from);
    wsk_text_raw(t, "\"", 1);
}

void wsk_text_id(wsk_text_t *t, const wsk_cursor_t *id)
{
    char text[WSK_ID_MAX];
    size_t len = wsk_cursor_text(text, id);

    wsk_text_raw(t, "\"", 1);
    wsk_text_raw(t, text, len);
    wsk_text_raw(t, "\"", 1);
}

bool wsk_text_ok(const wsk_text_t *t)
{
    return !t->failed;
}

void wsk_text_free(wsk_text_t *t)
{
    free(t->at);
    *t = (wsk_text_t){ 0 };
}

static int dump_to(const char *bytes, size_t len, void *baton)
{
    wsk_text_t *t = baton;

    wsk_text_raw(t, bytes, len);
    return t->failed ? -1 : 0;
}

/* A number with a fraction, as the library writes it. */
static void put_real(wsk_text_t *t, const json_t *value)
{
    if (json_dump_callback(value, dump_to, t, JSON_COMPACT | JSON_ENCODE_ANY)
        != 0) {
        t->failed = true;
    }
}

static void put_members(wsk_text_t *t, const json_t *object)
{
    void *at = json_object_iter((json_t *)(uintptr_t)object);
    const char *comma = "";

    wsk_text_put(t, "{");
    for (; at; at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        const char *name = json_object_iter_key(at);

        wsk_text_put(t, comma);
        wsk_text_string(t, (wsk_slice_t){ name, strlen(name) });
        wsk_text_put(t, ":");
        wsk_text_json(t, json_object_iter_value(at));
        comma = ",";
    }
    wsk_text_put(t, "}");
}

static void put_items(wsk_text_t *t, const json_t *array)
{
    size_t i;

    wsk_text_put(t, "[");
    for (i = 0; i < json_array_size(array); i++) {
        wsk_text_put(t, i ? "," : "");
        wsk_text_json(t, json_array_get(array, i));
    }
    wsk_text_put(t, "]");
}

/* Texts are most of it, and the library writes them byte by byte. */
void wsk_text_json(wsk_text_t *t, const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        wsk_text_string(t, (wsk_slice_t){ json_string_value(value),
                                          json_string_length(value) });
        break;
    case JSON_OBJECT:
        put_members(t, value);
        break;
    case JSON_ARRAY:
        put_items(t, value);
        break;
    case JSON_INTEGER:
        wsk_text_fmt(t, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        put_real(t, value);
        break;
    case JSON_TRUE:
        wsk_text_put(t, "true");
        break;
    case JSON_FALSE:
        wsk_text_put(t, "false");
        break;
    case JSON_NULL:
        wsk_text_put(t, "null");
        break;
    }
}

void wsk_text_body(wsk_text_t *t, wsk_slice_t event, json_t *data)
{
    wsk_text_put(t, "\"event\":");
    wsk_text_string(t, event);
    wsk_text_put(t, ",\"data\":");
    if (!data) {
        wsk_text_put(t, "{}");
    }
    else {
        wsk_text_json(t, data);
    }
}

void wsk_text_message(wsk_text_t *t, const wsk_record_t *record,
                      const wsk_cursor_t *id, bool with_type)
{
    wsk_text_put(t, with_type ? "{\"type\":\"message\",\"channel\":"
                              : "{\"channel\":");
    wsk_text_string(t, record->channel);
    wsk_text_put(t, ",");
    wsk_text_raw(t, record->body.at, record->body.len);
    wsk_text_put(t, ",\"id\":");
    wsk_text_id(t, id);
    wsk_text_put(t, "}");
}
