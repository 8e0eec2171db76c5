/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_text -- the JSON we write: a growing text, escaping, and the envelope of
 * messages (PROTOCOL.md, "Frames").
 *
 * Promise   A text that ran out of memory says so once, at the end
 *           (wsk_text_ok); calls on it do nothing then.
 */
#ifndef WSK_TEXT_H
#define WSK_TEXT_H

#include <jansson.h>

#include "store/wsk_log.h"

typedef struct wsk_text_t {
    char *at; /* owned; wsk_text_free */
    size_t len, cap;
    bool failed;
} wsk_text_t;

void wsk_text_raw(wsk_text_t *t, const char *bytes, size_t len);
void wsk_text_put(wsk_text_t *t, const char *text);
void wsk_text_fmt(wsk_text_t *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** A JSON string with its quotes; bytes are valid UTF-8. */
void wsk_text_string(wsk_text_t *t, wsk_slice_t s);
/** `"<epoch>-<seq>"`, with the quotes. */
void wsk_text_id(wsk_text_t *t, const wsk_cursor_t *id);
/** Any JSON value the parser gave, compact; it recurses as deep as that. */
void wsk_text_json(wsk_text_t *t, const json_t *value);
bool wsk_text_ok(const wsk_text_t *t);
void wsk_text_free(wsk_text_t *t);

/**
 * The body of a record as it is stored: `"event":<event>,"data":<data>`, compact
 * and on one line.
 * @param data  any JSON value, or NULL for an empty object
 */
void wsk_text_body(wsk_text_t *t, wsk_slice_t event, json_t *data);

/** `{"type":"message","channel":..,<body>,"id":..}`; without the type for
 *  streams and polls. */
void wsk_text_message(wsk_text_t *t, const wsk_record_t *record,
                      const wsk_cursor_t *id, bool with_type);

#endif
