/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sse_reader -- what a browser makes of an event stream (HTML, "Interpreting
 * an event stream"), written from that text; for the unit test and the fuzzer.
 */
#ifndef WSK_SSE_READER_H
#define WSK_SSE_READER_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SEEN_MAX (1u << 17)

typedef struct seen_t {
    char data[SEEN_MAX]; /* of the last event dispatched */
    size_t data_len;
    char type[256];
    size_t type_len;
    char id[256]; /* the last event id */
    size_t id_len;
    long long retry_ms;
    unsigned events;     /* dispatched */
    unsigned unknown;    /* lines a browser would ignore */
    char next[SEEN_MAX]; /* data of the event being read */
    size_t next_len;
} seen_t;

static inline void seen_init(seen_t *seen)
{
    memset(seen, 0, sizeof(*seen));
    seen->retry_ms = -1;
}

static inline void seen_copy(char *to, size_t *plen, size_t cap,
                             const char *value, size_t len)
{
    if (len > cap) {
        abort();
    }
    if (len > 0) {
        memcpy(to, value, len);
    }
    *plen = len;
}

static inline int name_is(const char *line, size_t len, const char *name)
{
    return len == strlen(name) && memcmp(line, name, len) == 0;
}

static inline void seen_field(seen_t *seen, const char *line, size_t name_len,
                              const char *value, size_t len)
{
    if (name_is(line, name_len, "data")) {
        if (seen->next_len + len + 1 > SEEN_MAX) {
            abort();
        }
        if (len > 0) {
            memcpy(seen->next + seen->next_len, value, len);
        }
        seen->next_len += len;
        seen->next[seen->next_len++] = '\n';
    }
    else if (name_is(line, name_len, "id")) {
        seen_copy(seen->id, &seen->id_len, sizeof(seen->id), value, len);
    }
    else if (name_is(line, name_len, "event")) {
        seen_copy(seen->type, &seen->type_len, sizeof(seen->type), value, len);
    }
    else if (name_is(line, name_len, "retry")) {
        seen->retry_ms = 0;
        for (; len > 0 && *value >= '0' && *value <= '9'; value++, len--) {
            seen->retry_ms = seen->retry_ms * 10 + (*value - '0');
        }
        seen->unknown += len > 0;
    }
    else {
        seen->unknown++;
    }
}

static inline void seen_dispatch(seen_t *seen)
{
    if (seen->next_len > 0) {
        seen->events++;
        seen_copy(seen->data, &seen->data_len, SEEN_MAX, seen->next,
                  seen->next_len - 1);
    }
    seen->next_len = 0;
}

static inline void seen_line(seen_t *seen, const char *line, size_t len)
{
    const char *colon = len > 0 ? memchr(line, ':', len) : NULL;
    size_t name_len, skip;

    if (len == 0) {
        seen_dispatch(seen);
        return;
    }
    if (colon == NULL || colon == line) {
        seen->unknown++;
        return;
    }
    name_len = (size_t)(colon - line);
    skip = name_len + 1 < len && colon[1] == ' ' ? 2 : 1;
    seen_field(seen, line, name_len, line + name_len + skip,
               len - name_len - skip);
}

/* A whole stream. @return what is left of it: a line that has no end */
static inline size_t seen_read(seen_t *seen, const char *at, size_t len)
{
    const char *end = at + len;
    const char *stop;

    while (at < end) {
        for (stop = at; stop < end && *stop != '\r' && *stop != '\n'; stop++) {
        }
        if (stop == end) {
            return (size_t)(end - at);
        }
        seen_line(seen, at, (size_t)(stop - at));
        at = stop
             + (stop[0] == '\r' && stop + 1 < end && stop[1] == '\n' ? 2 : 1);
    }
    return 0;
}

/* Data as it arrives: with every line end a line feed. @return the length */
static inline size_t seen_normal(char *out, const char *data, size_t len)
{
    size_t i, n = 0;

    for (i = 0; i < len; i++) {
        if (data[i] == '\n' && i > 0 && data[i - 1] == '\r') {
            continue;
        }
        out[n++] = data[i] == '\r' ? '\n' : data[i];
    }
    return n;
}

#endif
