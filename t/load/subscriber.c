/* SPDX-License-Identifier: Apache-2.0 */
/* One subscriber's life: connect, ask, listen, come back where it left. */
#include "swarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MIN_MS 20
#define PAUSE_MAX_MS 400

/* "events", or "events-3" where there are several. */
static const char *channel_of(const swarm_t *swarm, const subscriber_t *sub)
{
    static char name[256];

    if (swarm->opt.channels == 1) {
        return swarm->opt.channel;
    }
    snprintf(name, sizeof(name), "%s-%d", swarm->opt.channel,
             sub->number % swarm->opt.channels);
    return name;
}

static const char *token_of(const swarm_t *swarm, const subscriber_t *sub)
{
    return swarm->opt.tokens[sub->number % swarm->opt.ntokens];
}

static void ask_websocket(swarm_t *swarm, subscriber_t *sub)
{
    char head[8192];
    const bool echo = sub->kind == KIND_ECHO;
    int n = snprintf(head, sizeof(head),
                     "GET %s/%s%s HTTP/1.1\r\n"
                     "Host: 127.0.0.1\r\n"
                     "Connection: Upgrade\r\n"
                     "Upgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                     swarm->opt.path, echo ? "echo" : "ws?token=",
                     echo ? "" : token_of(swarm, sub));

    if (n < 0 || (size_t)n >= sizeof(head)) {
        die("a token of more than %zu bytes", sizeof(head));
    }
    wire_put(&sub->wire, head, (size_t)n);
}

static void ask_events(swarm_t *swarm, subscriber_t *sub)
{
    char head[8192];
    const bool again = sub->last_id[0] != '\0';
    int n = snprintf(head, sizeof(head),
                     "GET %s/sse?token=%s&channels=%s HTTP/1.1\r\n"
                     "Host: 127.0.0.1\r\n"
                     "Accept: text/event-stream\r\n"
                     "%s%s%s\r\n",
                     swarm->opt.path, token_of(swarm, sub),
                     channel_of(swarm, sub), again ? "Last-Event-ID: " : "",
                     sub->last_id, again ? "\r\n" : "");

    if (n < 0 || (size_t)n >= sizeof(head)) {
        die("a token of more than %zu bytes", sizeof(head));
    }
    wire_put(&sub->wire, head, (size_t)n);
}

void subscriber_start(swarm_t *swarm, subscriber_t *sub)
{
    const int port = sub->tls ? swarm->opt.tls_port : swarm->opt.port;

    sub->stage = STAGE_HEAD;
    sub->chunked = false;
    sub->chunk_left = 0;
    sub->pause_ms = -1;
    swarm->waiting--;
    swarm->opening++;
    sub->wire.owner = sub;
    if (wire_open(swarm, &sub->wire, port, sub->tls,
                  sub->number / swarm->opt.per_address)
        < 0) {
        subscriber_end(swarm, sub, CODE_LOST);
        return;
    }
    if (sub->kind == KIND_SSE) {
        ask_events(swarm, sub);
    }
    else {
        ask_websocket(swarm, sub);
    }
}

/* The connection is over: what is left is to come back, or not. */
void subscriber_end(swarm_t *swarm, subscriber_t *sub, int code)
{
    const uint64_t now = now_ms();
    int64_t pause = sub->pause_ms;

    if (sub->stage == STAGE_READY) {
        swarm->ready--;
    }
    else if (sub->stage != STAGE_DONE) {
        swarm->opening--;
    }
    if (code > 0 && code < CODES_MAX) {
        swarm->tally.code[code]++;
    }
    wire_close(&sub->wire);
    if (sub->stage == STAGE_DONE || !swarm->opt.reconnect || swarm->quit
        || sub->kind == KIND_ECHO) {
        sub->stage = STAGE_DONE;
        return;
    }
    if (pause < 0) {
        pause = PAUSE_MIN_MS + rand() % (PAUSE_MAX_MS - PAUSE_MIN_MS);
    }
    if (sub->lost_ms == 0) {
        sub->lost_ms = now;
    }
    sub->stage = STAGE_WAITING;
    sub->due_ms = now + (uint64_t)pause;
    swarm->waiting++;
    swarm->tally.reconnects++;
}

static void subscribe(swarm_t *swarm, subscriber_t *sub)
{
    char text[512];
    const bool again = sub->last_id[0] != '\0';
    int n = snprintf(text, sizeof(text),
                     "{\"type\":\"subscribe\",\"channels\":[\"%s\"]%s%s%s}",
                     channel_of(swarm, sub), again ? ",\"since\":\"" : "",
                     sub->last_id, again ? "\"" : "");

    frame_put(&sub->wire, 1, text, (size_t)n);
    sub->stage = STAGE_SUBSCRIBING;
}

/* The head of the answer. @return false if the connection is to end */
static bool read_head(swarm_t *swarm, subscriber_t *sub)
{
    wire_t *wire = &sub->wire;
    const char *end = memmem(wire->in, wire->in_len, "\r\n\r\n", 4);
    int status;
    size_t len;

    if (end == NULL) {
        return wire->in_len < 16384;
    }
    len = (size_t)(end - wire->in) + 4;
    status = len > 12 ? atoi(wire->in + 9) : 0;
    if (status != (sub->kind == KIND_SSE ? 200 : 101)) {
        swarm->tally.refused++;
        swarm->tally.refusal[status > 0 && status < 600 ? status : 0]++;
        return false;
    }
    sub->chunked = has_text(wire->in, len, "chunked");
    wire_drop(wire, len);
    switch (sub->kind) {
    case KIND_WS:
        subscribe(swarm, sub);
        break;
    case KIND_SSE:
        /* The promise: what is published once the head is there comes. */
        stream_ready(swarm, sub);
        break;
    case KIND_ECHO:
        stream_ready(swarm, sub);
        stream_send_echo(swarm, sub);
        break;
    }
    return true;
}

static bool read_stream(swarm_t *swarm, subscriber_t *sub)
{
    switch (sub->kind) {
    case KIND_WS:
        return stream_read_ws(swarm, sub);
    case KIND_SSE:
        return stream_read_sse(swarm, sub);
    case KIND_ECHO:
        return stream_read_echo(swarm, sub);
    }
    return false;
}

/* What this connection's end means when no close frame was seen. */
static int end_code(const subscriber_t *sub)
{
    return sub->kind == KIND_SSE && sub->stage == STAGE_READY ? CODE_END
                                                              : CODE_LOST;
}

void subscriber_turn(swarm_t *swarm, subscriber_t *sub, bool readable)
{
    int got = 0;
    const int moved = wire_advance(swarm, &sub->wire);

    if (moved < 0) {
        subscriber_end(swarm, sub, CODE_LOST);
        return;
    }
    if (moved == 0) {
        return;
    }
    if (readable) {
        got = wire_fill(&sub->wire);
    }
    if (got < 0) {
        subscriber_end(swarm, sub, end_code(sub));
        return;
    }
    if (sub->stage == STAGE_HEAD && sub->wire.in_len > 0
        && !read_head(swarm, sub)) {
        subscriber_end(swarm, sub, 0);
        return;
    }
    if (sub->stage >= STAGE_SUBSCRIBING && sub->wire.in_len > 0
        && !read_stream(swarm, sub)) {
        return;
    }
    if (sub->wire.fd >= 0 && wire_flush(swarm, &sub->wire) < 0) {
        subscriber_end(swarm, sub, CODE_LOST);
    }
}
