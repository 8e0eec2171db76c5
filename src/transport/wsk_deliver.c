/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub's sink: a record becomes one frame per transport, shared by all who
 * get it.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "transport/wsk_loop_int.h"

/* Two for each log. */
enum {
    FRAME_WS,
    FRAME_SSE,
    FRAME_WS_BINARY,
    FRAME_SSE_BINARY,
    FRAME_WS_PRESENCE,
    FRAME_SSE_PRESENCE
};

static const wsk_counter_e counters[] = {
    [WSK_LOG_TEXT] = WSK_C_delivered,
    [WSK_LOG_BINARY] = WSK_C_delivered_binary,
    [WSK_LOG_PRESENCE] = WSK_C_delivered_presence
};

static wsk_slab_t *frame_text(const wsk_delivery_t *d)
{
    wsk_text_t t = { 0 };
    wsk_cursor_t id = { d->epoch, d->record->seq };
    wsk_slab_t *slab;

    wsk_text_message(&t, d->record, &id, true);
    slab = wsk_say_text_slab(&t);
    wsk_text_free(&t);
    return slab;
}

static wsk_slab_t *event_text(const wsk_delivery_t *d)
{
    wsk_text_t t = { 0 };
    char id[WSK_ID_MAX];
    wsk_cursor_t at = { d->epoch, d->record->seq };
    wsk_sse_event_t ev = { .retry_ms = -1 };
    wsk_slab_t *slab;

    wsk_text_message(&t, d->record, &at, false);
    ev.id = (wsk_slice_t){ id, wsk_cursor_text(id, &at) };
    ev.data = (wsk_slice_t){ t.at, t.len };
    slab = wsk_text_ok(&t) ? wsk_say_event_slab(&ev) : NULL;
    wsk_text_free(&t);
    return slab;
}

static wsk_slab_t *frame_binary(const wsk_delivery_t *d)
{
    return wsk_say_frame_slab(WSK_OP_BINARY, d->record->body.at,
                              d->record->body.len);
}

static wsk_slab_t *event_binary(const wsk_delivery_t *d)
{
    size_t len = d->record->body.len;
    unsigned char *text = malloc((len + 2) / 3 * 4 + 1);
    wsk_sse_event_t ev = { .event = { "wps.binary", 10 }, .retry_ms = -1 };
    wsk_slab_t *slab;

    if (!text) {
        return NULL;
    }
    ev.data.at = (const char *)text;
    ev.data.len = (size_t)EVP_EncodeBlock(
        text, (const unsigned char *)d->record->body.at, (int)len);
    slab = wsk_say_event_slab(&ev);
    free(text);
    return slab;
}

static wsk_slab_t *frame_presence(const wsk_delivery_t *d)
{
    wsk_text_t t = { 0 };
    wsk_slab_t *slab;

    wsk_roster_text(&t, d->record, true);
    slab = wsk_say_text_slab(&t);
    wsk_text_free(&t);
    return slab;
}

static wsk_slab_t *event_presence(const wsk_delivery_t *d)
{
    wsk_text_t t = { 0 };
    wsk_sse_event_t ev = { .retry_ms = -1 };
    wsk_slab_t *slab;

    wsk_roster_text(&t, d->record, false);
    ev.data = (wsk_slice_t){ t.at, t.len };
    slab = wsk_text_ok(&t) ? wsk_say_event_slab(&ev) : NULL;
    wsk_text_free(&t);
    return slab;
}

static wsk_slab_t *(*const makers[])(const wsk_delivery_t *) = {
    [FRAME_WS] = frame_text,
    [FRAME_SSE] = event_text,
    [FRAME_WS_BINARY] = frame_binary,
    [FRAME_SSE_BINARY] = event_binary,
    [FRAME_WS_PRESENCE] = frame_presence,
    [FRAME_SSE_PRESENCE] = event_presence
};

/* More is queued than the site allows: the client is told to come back and
 * resume from the last id it has seen. */
static void too_slow(wsk_loop_t *l, wsk_conn_t *c)
{
    wsk_loop_count(l, c, WSK_C_slow_closed, 1);
    wsk_queue_cut(&c->out, c->sealed);
    wsk_say_close(l, c, WSK_CLOSE_TRY_LATER, "reading too slowly");
}

/* An empty queue takes anything: one large frame is no backlog. */
static bool fits(const wsk_loop_t *l, const wsk_conn_t *c, size_t len)
{
    return c->out.bytes == 0
           || (uint64_t)c->out.bytes + len
                  <= l->views[c->site]->spec.limits.send_queue;
}

/* One piece of a log may be more than a queue holds. Only what the socket does
 * not take is a backlog; that it is gone, its own turn will find. */
static bool make_room(wsk_loop_t *l, wsk_conn_t *c, size_t len)
{
    wsk_sent_t sent = { 0 };

    if (!c->want_write) {
        wsk_conn_flush(c, &sent);
        wsk_turn_sent(l, c->site, &sent);
    }
    return fits(l, c, len);
}

static void deliver(void *baton, wsk_member_t *m, wsk_delivery_t *d)
{
    wsk_loop_t *l = baton;
    wsk_conn_t *c = (wsk_conn_t *)m;
    bool sse = c->kind == WSK_KIND_SSE, binary = d->log == WSK_LOG_BINARY;
    int form = 2 * (int)d->log + (sse ? 1 : 0);
    wsk_slab_t *slab;

    if (c->state != WSK_CONN_OPEN || (binary && sse && !c->binary_events)
        || (d->log == WSK_LOG_PRESENCE && wsk_roster_hidden(d->record))) {
        return;
    }
    if (!d->frames[form]) {
        d->frames[form] = makers[form](d);
    }
    slab = d->frames[form];
    if (!slab || (!fits(l, c, slab->len) && !make_room(l, c, slab->len))
        || !wsk_queue_put(&c->out, slab)) {
        too_slow(l, c);
        return;
    }
    m->binary |= binary;
    d->site = c->site;
    d->given++;
    wsk_turn_write(l, c);
}

static void done(void *baton, wsk_delivery_t *d)
{
    wsk_loop_t *l = baton;
    unsigned i;

    if (d->given) {
        wsk_count(l->spec.seg, l->slot, d->site, counters[d->log], d->given);
        d->given = 0;
    }
    for (i = 0; i < WSK_COUNT_OF(d->frames); i++) {
        if (d->frames[i]) {
            wsk_slab_unref(d->frames[i]);
            d->frames[i] = NULL;
        }
    }
}

static void gap(void *baton, wsk_member_t *m, const wsk_cursor_t *since,
                const wsk_cursor_t *oldest)
{
    wsk_loop_t *l = baton;
    wsk_conn_t *c = (wsk_conn_t *)m;
    wsk_text_t t = { 0 };
    char id[WSK_ID_MAX];
    wsk_sse_event_t ev = { .event = { "wps.gap", 7 }, .retry_ms = -1 };

    if (c->state != WSK_CONN_OPEN) {
        return;
    }
    wsk_loop_count(l, c, WSK_C_gaps, 1);
    wsk_text_put(&t, "{\"type\":\"gap\",\"since\":");
    wsk_text_id(&t, since);
    wsk_text_put(&t, ",\"oldest\":");
    wsk_text_id(&t, oldest);
    wsk_text_put(&t, "}");
    if (c->kind == WSK_KIND_WS) {
        wsk_say_text(l, c, &t);
        return;
    }
    ev.id = (wsk_slice_t){ id, wsk_cursor_text(id, oldest) };
    ev.data = (wsk_slice_t){ t.at, t.len };
    if (wsk_text_ok(&t)) {
        wsk_say_event(l, c, &ev);
    }
    wsk_text_free(&t);
}

static void lost(void *baton, wsk_member_t *m)
{
    wsk_say_close(baton, (wsk_conn_t *)m, WSK_CLOSE_TRY_LATER,
                  "binary frames were lost; connect again");
}

static bool room(void *baton, wsk_member_t *m)
{
    const wsk_conn_t *c = (const wsk_conn_t *)m;
    const wsk_loop_t *l = baton;

    return c->state == WSK_CONN_OPEN
           && c->out.bytes
                  < WSK_MIN((uint32_t)LOOP_REPLAY_ROOM,
                            l->views[c->site]->spec.limits.send_queue / 4);
}

const wsk_sink_ops_t wsk_sink_ops = {
    .deliver = deliver, .done = done, .gap = gap, .lost = lost, .room = room
};
