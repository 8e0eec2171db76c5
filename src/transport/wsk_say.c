/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we say to one client, in its transport's form.
 */
#include <stdio.h>
#include <string.h>

#include "transport/wsk_loop_int.h"

static void queue(wsk_loop_t *l, wsk_conn_t *c, wsk_slab_t *slab)
{
    if (c->state == WSK_CONN_OPEN && (!slab || !wsk_queue_put(&c->out, slab))) {
        /* Without memory the message would be lost in silence: the client
         * resumes on another connection. */
        c->state = WSK_CONN_CLOSING;
        c->member.replaying = false;
        c->due_s = l->now_s + 1;
        wsk_wheel_set(l, c, c->due_s);
    }
    if (slab) {
        wsk_slab_unref(slab);
    }
    wsk_turn_write(l, c);
}

wsk_slab_t *wsk_say_frame_slab(wsk_opcode_e op, const void *bytes, size_t len)
{
    uint8_t head[WSK_FRAME_HEAD_MAX];
    size_t n = wsk_frame_head(head, op, len);
    wsk_slab_t *slab = wsk_slab_make(n + len);

    if (slab) {
        memcpy(slab->bytes, head, n);
        if (len) {
            memcpy(slab->bytes + n, bytes, len);
        }
    }
    return slab;
}

wsk_slab_t *wsk_say_text_slab(const wsk_text_t *t)
{
    return wsk_text_ok(t) ? wsk_say_frame_slab(WSK_OP_TEXT, t->at, t->len)
                          : NULL;
}

wsk_slab_t *wsk_say_event_slab(const wsk_sse_event_t *ev)
{
    size_t cap = wsk_sse_bound(ev);
    wsk_slab_t *slab = wsk_slab_make(cap);

    if (slab) {
        slab->len = (uint32_t)wsk_sse_write((char *)slab->bytes, cap, ev);
    }
    return slab;
}

void wsk_say_frame(wsk_loop_t *l, wsk_conn_t *c, wsk_opcode_e op,
                   const void *bytes, size_t len)
{
    queue(l, c, wsk_say_frame_slab(op, bytes, len));
}

void wsk_say_event(wsk_loop_t *l, wsk_conn_t *c, const wsk_sse_event_t *ev)
{
    queue(l, c, wsk_say_event_slab(ev));
}

void wsk_say_open(wsk_loop_t *l, wsk_conn_t *c, wsk_slice_t stream)
{
    wsk_text_t t = { 0 };
    wsk_sse_event_t ev = { .event = { "wps.open", 8 }, .retry_ms = -1 };

    wsk_text_fmt(&t, "{\"stream\":\"%.*s\"}", (int)stream.len, stream.at);
    if (wsk_text_ok(&t)) {
        ev.data = (wsk_slice_t){ t.at, t.len };
        wsk_say_event(l, c, &ev);
    }
    else {
        queue(l, c, NULL);
    }
    wsk_text_free(&t);
}

void wsk_say_text(wsk_loop_t *l, wsk_conn_t *c, wsk_text_t *t)
{
    if (c->kind != WSK_KIND_SSE || !wsk_text_ok(t)) {
        queue(l, c, wsk_say_text_slab(t));
    }
    wsk_text_free(t);
}

static void say_error(wsk_loop_t *l, wsk_conn_t *c, wsk_answer_e answer,
                      const char *text, unsigned retry_s,
                      const wsk_text_t *extra)
{
    wsk_text_t t = { 0 };

    wsk_text_fmt(&t, "{\"type\":\"error\",\"code\":\"%s\",\"message\":\"%s\"",
                 wsk_answer_name(answer), text);
    if (retry_s) {
        wsk_text_fmt(&t, ",\"retry\":%u", retry_s);
    }
    if (extra) {
        wsk_text_raw(&t, extra->at, extra->len);
        t.failed |= !wsk_text_ok(extra);
    }
    wsk_text_put(&t, "}");
    wsk_say_text(l, c, &t);
}

void wsk_say_error(wsk_loop_t *l, wsk_conn_t *c, wsk_answer_e answer,
                   const wsk_text_t *extra)
{
    say_error(l, c, answer, wsk_answer_text(answer), 0, extra);
}

void wsk_say_limited(wsk_loop_t *l, wsk_conn_t *c, const wsk_limited_t *by,
                     const wsk_text_t *extra)
{
    say_error(l, c, WSK_A_rate_limited, wsk_quota_text(by->quota),
              wsk_quota_retry_s(by->wait_ms), extra);
}

static wsk_slab_t *place_event(const wsk_cursor_t *at)
{
    char id[WSK_ID_MAX];
    wsk_sse_event_t ev = { .retry_ms = -1 };

    ev.id = (wsk_slice_t){ id, wsk_cursor_text(id, at) };
    return wsk_say_event_slab(&ev);
}

static wsk_slab_t *ping_frame(const wsk_cursor_t *at)
{
    wsk_text_t t = { 0 };
    wsk_slab_t *slab;

    wsk_text_put(&t, "{\"type\":\"ping\",\"id\":");
    wsk_text_id(&t, at);
    wsk_text_put(&t, "}");
    slab = wsk_say_text_slab(&t);
    wsk_text_free(&t);
    return slab;
}

/* Most who are told where they are stand at the same place as the last one. */
void wsk_say_place(wsk_loop_t *l, wsk_conn_t *c)
{
    const wsk_cursor_t at = wsk_hub_position(&c->member);
    const bool sse = c->kind == WSK_KIND_SSE;
    wsk_place_said_t *last = &l->places[sse];

    if (!last->slab || last->at.epoch != at.epoch || last->at.seq != at.seq) {
        if (last->slab) {
            wsk_slab_unref(last->slab);
        }
        *last = (wsk_place_said_t){ at,
                                    sse ? place_event(&at) : ping_frame(&at) };
    }
    if (last->slab) {
        wsk_slab_ref(last->slab);
    }
    queue(l, c, last->slab);
}

void wsk_say_ping(wsk_loop_t *l, wsk_conn_t *c)
{
    if (c->kind == WSK_KIND_ECHO || c->kind == WSK_KIND_PUBLISHER) {
        wsk_say_frame(l, c, WSK_OP_PING, NULL, 0);
        return;
    }
    if (!c->member.replaying) { /* else what it is sent is sign enough */
        wsk_say_place(l, c);
    }
}

void wsk_say_reconnect(wsk_loop_t *l, wsk_conn_t *c, uint32_t in_ms)
{
    wsk_text_t t = { 0 };
    wsk_sse_event_t ev = { .retry_ms = in_ms };

    if (c->kind == WSK_KIND_SSE) {
        wsk_say_event(l, c, &ev);
    }
    else if (c->kind == WSK_KIND_WS) {
        wsk_text_fmt(&t, "{\"type\":\"reconnect\",\"in\":%u}", in_ms);
        wsk_say_text(l, c, &t);
    }
}

void wsk_say_close(wsk_loop_t *l, wsk_conn_t *c, unsigned code,
                   const char *reason)
{
    uint8_t frame[2 + WSK_FRAME_CONTROL_MAX];
    size_t n;
    wsk_slab_t *slab;

    if (c->state != WSK_CONN_OPEN) {
        return;
    }
    wsk_roster_leave(l, c);
    c->close_code = (uint16_t)code;
    if (c->kind != WSK_KIND_SSE) {
        n = wsk_frame_close(frame, code == WSK_CLOSE_NO_STATUS ? 0 : code,
                            reason);
        slab = wsk_slab_make(n);
        if (slab) {
            memcpy(slab->bytes, frame, n);
        }
        queue(l, c, slab);
        if (c->state == WSK_CONN_DEAD) {
            return; /* written at once, and found gone */
        }
    }
    c->state = WSK_CONN_CLOSING;
    c->due_s = l->now_s + LOOP_CLOSE_WAIT_S;
    c->member.replaying = false;
    wsk_wheel_set(l, c, c->due_s);
    wsk_turn_write(l, c);
}
