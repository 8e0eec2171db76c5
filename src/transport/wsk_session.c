/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's beginning, and what its bytes mean.
 */
#include <stdlib.h>
#include <string.h>

#include "transport/wsk_loop_int.h"

/* What comes up an event stream is nobody's; more than this is an abuse. */
#define SSE_INPUT_MAX 65536
#define FRAGMENTS_MAX 4096
#define ECHO_MAX WSK_MB(16)

typedef struct input_t {
    wsk_loop_t *l;
    wsk_conn_t *c;
} input_t;

/* The answer to our ping as JSON.stringify() writes it, and most of what a server
 * with idle visitors hears; all there is to it is that it came. */
static bool is_pong(const uint8_t *payload, size_t len)
{
    static const char pong[] = "{\"type\":\"pong\"}";

    return len == sizeof pong - 1 && memcmp(payload, pong, len) == 0;
}

static bool on_message(void *baton, wsk_opcode_e op, uint8_t *payload,
                       size_t len)
{
    input_t *in = baton;

    wsk_loop_count(in->l, in->c, WSK_C_received_messages, 1);
    if (in->c->kind == WSK_KIND_ECHO) {
        wsk_say_frame(in->l, in->c, op, payload, len);
    }
    else if (in->c->kind == WSK_KIND_PUBLISHER) {
        wsk_publisher_frame(in->l, in->c, op, payload, len);
    }
    else if (wsk_turn_gone(in->l, in->c)) { /* and its ring is on the way */
        wsk_say_close(in->l, in->c, WSK_CLOSE_SITE, "site not found");
    }
    else if (op != WSK_OP_TEXT) {
        wsk_message_binary(in->l, in->c, payload, len);
    }
    else if (!is_pong(payload, len)) {
        wsk_message_text(in->l, in->c, (const char *)payload, len);
    }
    return in->c->state == WSK_CONN_OPEN;
}

static bool on_control(void *baton, wsk_opcode_e op, uint8_t *payload,
                       size_t len)
{
    input_t *in = baton;

    if (op == WSK_OP_PING) {
        wsk_say_frame(in->l, in->c, WSK_OP_PONG, payload, len);
    }
    return in->c->state == WSK_CONN_OPEN;
}

static bool on_close(void *baton, unsigned code, const char *reason, size_t len)
{
    input_t *in = baton;

    (void)reason;
    (void)len;
    wsk_say_close(in->l, in->c, code, NULL);
    return false;
}

static const wsk_frame_handler_t handlers = { .message = on_message,
                                              .control = on_control,
                                              .close = on_close };

static const char *fault_text(unsigned code)
{
    switch (code) {
    case WSK_CLOSE_BAD_DATA:
        return "not UTF-8";
    case WSK_CLOSE_TOO_BIG:
        return "message too large";
    case WSK_CLOSE_TRY_LATER:
        return NULL; /* there was no memory for it */
    default:
        return "not a frame of RFC 6455";
    }
}

void wsk_session_input(wsk_loop_t *l, wsk_conn_t *c, uint8_t *bytes, size_t len)
{
    input_t in = { l, c };
    wsk_frame_limits_t limits = { (uint64_t)ECHO_MAX, FRAGMENTS_MAX };
    unsigned fault;

    if (c->kind == WSK_KIND_SSE) {
        if (c->bytes_in > SSE_INPUT_MAX) {
            wsk_loop_count(l, c, WSK_C_protocol_closed, 1);
            wsk_life_kill(l, c);
        }
        return;
    }
    if (c->kind == WSK_KIND_WS) {
        limits.max_message = wsk_turn_view(l, c->site)->spec.limits.max_message;
    }
    else if (c->kind == WSK_KIND_PUBLISHER) {
        limits.max_message = wsk_publisher_frame_max(c);
    }
    else {
        limits.max_fragments = UINT32_MAX;
    }
    fault = wsk_conn_decode(c, &limits, &handlers, &in, bytes, len);
    if (fault) {
        wsk_loop_count(l, c, WSK_C_protocol_closed, 1);
        wsk_say_close(l, c, fault, fault_text(fault));
    }
}

bool wsk_session_resume(wsk_loop_t *l, wsk_conn_t *c, const wsk_cursor_t *since,
                        const wsk_slice_t *names, unsigned n)
{
    if (wsk_hub_resume(l->hub, &c->member, since, names, n, l->now_us)
        == WSK_OK) {
        wsk_turn_write(l, c);
        return true;
    }
    wsk_say_close(l, c, WSK_CLOSE_TRY_LATER, NULL);
    return false;
}

/* An event stream opens with its id for /send once it is subscribed, so that
 * who waits for it misses no binary frame, and with the place it starts from, so
 * that a client that never receives a message can resume too. */
static void begin_events(wsk_loop_t *l, wsk_conn_t *c, const site_view_t *v)
{
    const wsk_aside_t *aside = c->aside;

    if (wsk_hub_subscribe(l->hub, &c->member, aside->first, aside->nfirst,
                          v->spec.limits.max_channels)
        != WSK_OK) {
        wsk_say_close(l, c, WSK_CLOSE_TRY_LATER, NULL);
        return;
    }
    if (aside->first[aside->nfirst].len > 0) { /* the others send nothing */
        wsk_say_open(l, c, aside->first[aside->nfirst]);
    }
    if (aside->has_since
        && !wsk_session_resume(l, c, &aside->since, aside->first,
                               aside->nfirst)) {
        return;
    }
    if (!c->member.replaying) {
        wsk_say_place(l, c);
    }
}

/* A publisher hears nothing, so it is no member. The site may have been switched
 * off since it let the connection in; whoever does it later rings for members. */
static wsk_status_e join(wsk_loop_t *l, wsk_conn_t *c, const site_view_t *v)
{
    bool joined = v && !wsk_turn_gone(l, c)
                  && (c->kind == WSK_KIND_PUBLISHER
                      || wsk_hub_join(l->hub, &c->member, c->site) == WSK_OK);

    if (v && wsk_turn_gone(l, c)) {
        return WSK_ENOTFOUND;
    }
    return joined ? WSK_OK : WSK_ENOMEM;
}

static void begin_at_site(wsk_loop_t *l, wsk_conn_t *c)
{
    static const wsk_counter_e opened[] = {
        [WSK_KIND_WS] = WSK_C_opened_ws,
        [WSK_KIND_SSE] = WSK_C_opened_sse,
        [WSK_KIND_PUBLISHER] = WSK_C_opened_publisher
    };
    site_view_t *v = wsk_turn_view(l, c->site);
    wsk_status_e rv = join(l, c, v);

    if (rv == WSK_ENOMEM) {
        wsk_life_kill(l, c);
        return;
    }
    if (rv != WSK_OK) {
        wsk_say_close(l, c, WSK_CLOSE_SITE, "site not found");
        return;
    }
    wsk_loop_count(l, c, c->feed ? WSK_C_opened_feed : opened[c->kind], 1);
    c->opened = true;
    c->ping_s = l->now_s + WSK_MAX(v->spec.limits.ping_ms / 1000, 1u);
    if (c->kind == WSK_KIND_PUBLISHER) {
        wsk_publisher_enter(c, v);
    }
    if (c->kind == WSK_KIND_SSE) {
        begin_events(l, c, v);
    }
    wsk_roster_begin(l, c, c->aside ? c->aside->first : NULL,
                     c->aside ? c->aside->nfirst : 0);
    if (c->aside) {
        free(c->aside->first);
        c->aside->first = NULL;
        c->aside->nfirst = 0;
        wsk_conn_tidy(c);
    }
}

void wsk_session_begin(wsk_loop_t *l, wsk_conn_t *c)
{
    c->ping_s = l->now_s + LOOP_ECHO_PING_S;
    if (c->kind != WSK_KIND_ECHO) {
        begin_at_site(l, c);
    }
    wsk_turn_write(l, c);
}
