/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_sse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* No part longer than this: seven bytes for each and a few fields more do not
 * overflow a size_t. */
#define PART_MAX (SIZE_MAX / 64)

#define FIELD_ID "id: "
#define FIELD_EVENT "event: "
#define FIELD_RETRY "retry: "
#define FIELD_DATA "data: "
#define LENGTH_OF(text) (sizeof(text) - 1)

#define ONES UINT64_C(0x0101010101010101)
#define TOPS UINT64_C(0x8080808080808080)

/* Whether one of the eight bytes is zero. */
static bool has_zero(uint64_t word)
{
    return ((word - ONES) & ~word & TOPS) != 0;
}

/* The next CR or LF, or the end. */
static const char *line_end(const char *at, const char *end)
{
    uint64_t word;

    while (end - at >= 8) {
        memcpy(&word, at, 8);
        if (has_zero(word ^ (ONES * '\n')) || has_zero(word ^ (ONES * '\r'))) {
            break;
        }
        at += 8;
    }
    while (at < end && *at != '\n' && *at != '\r') {
        at++;
    }
    return at;
}

/* Cut the next line off *data, which ends as NULL after the last one. A text
 * that ends with a line end has an empty line after it: the reader puts a line
 * feed between lines, so that nothing is lost. */
static wsk_slice_t next_line(wsk_slice_t *data)
{
    const char *end = data->at + data->len;
    const char *stop = line_end(data->at, end);
    const wsk_slice_t line = { data->at, (size_t)(stop - data->at) };

    if (stop == end) {
        *data = (wsk_slice_t){ NULL, 0 };
        return line;
    }
    stop += stop[0] == '\r' && end - stop > 1 && stop[1] == '\n' ? 2 : 1;
    *data = (wsk_slice_t){ stop, (size_t)(end - stop) };
    return line;
}

static size_t field_bound(wsk_slice_t value, size_t name_len)
{
    return value.at != NULL ? name_len + value.len + 1 : 0;
}

static size_t data_bound(wsk_slice_t data)
{
    size_t need = 0;

    while (data.at != NULL) {
        need += LENGTH_OF(FIELD_DATA) + next_line(&data).len + 1;
    }
    return need;
}

/* @return the length, as snprintf does */
static size_t retry_text(char *out, size_t cap, int64_t ms)
{
    return (size_t)snprintf(out, cap, FIELD_RETRY "%" PRId64 "\n", ms);
}

size_t wsk_sse_bound(const wsk_sse_event_t *ev)
{
    if (ev->id.len > PART_MAX || ev->event.len > PART_MAX
        || ev->data.len > PART_MAX) {
        return SIZE_MAX;
    }
    return field_bound(ev->id, LENGTH_OF(FIELD_ID))
           + field_bound(ev->event, LENGTH_OF(FIELD_EVENT))
           + (ev->retry_ms >= 0 ? retry_text(NULL, 0, ev->retry_ms) : 0)
           + data_bound(ev->data) + 1;
}

static char *put(char *out, const char *bytes, size_t len)
{
    if (len > 0) {
        memcpy(out, bytes, len);
    }
    return out + len;
}

static char *put_field(char *out, const char *name, wsk_slice_t value)
{
    if (value.at == NULL) {
        return out;
    }
    out = put(out, name, strlen(name));
    out = put(out, value.at, value.len);
    *out = '\n';
    return out + 1;
}

size_t wsk_sse_write(char *out, size_t cap, const wsk_sse_event_t *ev)
{
    const size_t need = wsk_sse_bound(ev);
    wsk_slice_t data = ev->data;
    char retry[LENGTH_OF(FIELD_RETRY) + 22];
    char *at = out;

    if (need > cap) {
        return 0;
    }
    at = put_field(at, FIELD_ID, ev->id);
    at = put_field(at, FIELD_EVENT, ev->event);
    if (ev->retry_ms >= 0) {
        at = put(at, retry, retry_text(retry, sizeof(retry), ev->retry_ms));
    }
    while (data.at != NULL) {
        at = put_field(at, FIELD_DATA, next_line(&data));
    }
    *at++ = '\n';
    return (size_t)(at - out);
}
