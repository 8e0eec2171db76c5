/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_sse -- lines of text/event-stream (HTML, "Server-sent events").
 *
 * Promise   Bounded writing into memory of the caller; no allocation. Data is
 *           split at CR, LF and CRLF into `data:` lines, so nothing in it can
 *           end an event or begin a field.
 */
#ifndef WSK_SSE_H
#define WSK_SSE_H

#include "core/wsk.h"

/** Parts of one event; each may be absent (at == NULL), which is not the same as
 *  empty: empty data is an event without text, absent data is none at all, and
 *  an event that has only an id moves a client's cursor and nothing else. */
typedef struct wsk_sse_event_t {
    wsk_slice_t id;    /* no NUL, CR, LF: the caller's promise */
    wsk_slice_t event; /* the same */
    wsk_slice_t data;
    int64_t retry_ms; /* < 0: none */
} wsk_sse_event_t;

/** Bytes wsk_sse_write needs for this event, exactly; SIZE_MAX, for which there
 *  is no memory, where the sum would not fit. Reads the data once. */
size_t wsk_sse_bound(const wsk_sse_event_t *ev);

/** Write one event with its closing blank line.
 *  @return bytes written; 0 if cap is too small (nothing is written) */
size_t wsk_sse_write(char *out, size_t cap, const wsk_sse_event_t *ev);

#endif
