/* SPDX-License-Identifier: Apache-2.0 */
/* Signed POSTs over a few lanes. What was not answered, or with 429 or 503, is
 * sent again, the same bytes: the relay must not deliver it twice. */
#include "swarm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/hmac.h>

#define TRIES_MAX 60
#define LANES_MAX 64
#define ANSWER_MS 5000

typedef struct lane_t {
    wire_t wire; /* first: a lane is found by its wire */
    int n;       /* the message under way, -1 if none */
    int tries;
    uint64_t due_ms; /* not before */
    uint64_t sent_ms;
    char *body;
    size_t body_len;
    char ts[24], sign[65];
} lane_t;

static lane_t lanes[LANES_MAX];
static int next_message, finished;
static uint64_t next_due_us;

static void sign(const options_t *opt, lane_t *lane)
{
    unsigned char mac[32];
    unsigned len = sizeof(mac), i;
    struct timespec now;
    char *signed_text;

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(lane->ts, sizeof(lane->ts), "%lld",
             (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    signed_text = need(malloc(lane->body_len + sizeof(lane->ts) + 2));
    memcpy(signed_text, lane->body, lane->body_len);
    snprintf(signed_text + lane->body_len, sizeof(lane->ts) + 1, ".%s",
             lane->ts);
    HMAC(EVP_sha256(), opt->secret, (int)strlen(opt->secret),
         (unsigned char *)signed_text, lane->body_len + 1 + strlen(lane->ts),
         mac, &len);
    for (i = 0; i < len; i++) {
        snprintf(lane->sign + 2 * i, 3, "%02x", mac[i]);
    }
    free(signed_text);
}

static void make_body(const swarm_t *swarm, lane_t *lane)
{
    const options_t *opt = &swarm->opt;
    const size_t cap = (size_t)opt->pad + 512;
    char channel[200];
    int at;

    if (opt->channels == 1) {
        snprintf(channel, sizeof(channel), "%s", opt->channel);
    }
    else {
        snprintf(channel, sizeof(channel), "%s-%d", opt->channel,
                 lane->n % opt->channels);
    }
    free(lane->body);
    lane->body = need(malloc(cap));
    at = snprintf(lane->body, cap,
                  "{\"channel\":\"%s\",\"event\":\"swarm\",\"data\":{"
                  "\"mark\":\"@@%s.%d.%" PRIu64 "@@\",\"pad\":\"",
                  channel, swarm->run, lane->n, now_us());
    memset(lane->body + at, 'x', (size_t)opt->pad);
    at += opt->pad;
    at += snprintf(lane->body + at, cap - (size_t)at, "\"}}");
    lane->body_len = (size_t)at;
    sign(opt, lane);
}

static void send_request(swarm_t *swarm, lane_t *lane)
{
    const options_t *opt = &swarm->opt;
    char head[1024];
    int n;

    if (lane->wire.fd < 0
        && wire_open(swarm, &lane->wire,
                     opt->publish_tls ? opt->tls_port : opt->port,
                     opt->publish_tls, 0)
               < 0) {
        lane->due_ms = now_ms() + 50;
        return;
    }
    n = snprintf(head, sizeof(head),
                 "POST %s/publish HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                 "Content-Type: application/json\r\nContent-Length: %zu\r\n"
                 "X-WP-Signal-Key: %s\r\nX-WP-Signal-Ts: %s\r\n"
                 "X-WP-Signal-Sign: %s\r\n%s\r\n",
                 opt->path, lane->body_len, opt->key, lane->ts, lane->sign,
                 opt->fresh ? "Connection: close\r\n" : "");
    wire_put(&lane->wire, head, (size_t)n);
    wire_put(&lane->wire, lane->body, lane->body_len);
    lane->sent_ms = now_ms();
    lane->due_ms = 0;
}

static void try_again(swarm_t *swarm, lane_t *lane, uint64_t after_ms)
{
    wire_close(&lane->wire);
    if (++lane->tries > TRIES_MAX) {
        swarm->tally.publish_failures++;
        finished++;
        lane->n = -1;
        return;
    }
    swarm->tally.publish_retries++;
    lane->due_ms = now_ms() + after_ms;
}

static void take_answer(swarm_t *swarm, lane_t *lane, const char *body,
                        size_t len)
{
    char id[ID_MAX] = "";
    char *known = swarm->ids[lane->n];

    field_text(id, sizeof(id), body, len, "id");
    if (id[0] == '\0') {
        swarm->tally.publish_failures++;
    }
    else if (known[0] == '\0') {
        snprintf(known, ID_MAX, "%s", id);
    }
    else if (strcmp(known, id) != 0) {
        swarm->tally.mismatched_ids++;
    }
    swarm->tally.publish_duplicates += has_text(body, len, "\"duplicate\"");
    swarm->tally.published++;
    finished++;
    lane->n = -1;
}

/* The length of the body a head announces, or -1: until the end. */
static long body_length(const char *head, size_t len)
{
    const char *name = "\ncontent-length:";
    size_t i, n = strlen(name);

    for (i = 0; i + n < len; i++) {
        if (strncasecmp(head + i, name, n) == 0) {
            return strtol(head + i + n, NULL, 10);
        }
    }
    return -1;
}

/* @return false while more of the answer is to come */
static bool read_answer(swarm_t *swarm, lane_t *lane, bool ended)
{
    wire_t *wire = &lane->wire;
    const char *end = wire->in_len > 0
                          ? memmem(wire->in, wire->in_len, "\r\n\r\n", 4)
                          : NULL;
    size_t head;
    long body;
    int status;

    if (end == NULL) {
        return false;
    }
    head = (size_t)(end - wire->in) + 4;
    body = body_length(wire->in, head);
    if (body < 0 ? !ended : wire->in_len < head + (size_t)body) {
        return false;
    }
    status = atoi(wire->in + 9);
    if (status == 429 || status == 503) {
        try_again(swarm, lane, 200);
        return true;
    }
    if (status != 200) {
        swarm->tally.publish_failures++;
        swarm->tally.refusal[status > 0 && status < 600 ? status : 0]++;
        finished++;
        lane->n = -1;
    }
    else {
        take_answer(swarm, lane, wire->in + head, wire->in_len - head);
    }
    if (swarm->opt.fresh || body < 0
        || has_text(wire->in, head, "Connection: close")) {
        wire_close(wire);
    }
    else {
        wire_drop(wire, wire->in_len);
    }
    return true;
}

void publisher_turn(swarm_t *swarm, void *owner, bool readable)
{
    lane_t *lane = owner;
    const int moved = wire_advance(swarm, &lane->wire);
    int got = 0;

    if (moved > 0 && readable) {
        got = wire_fill(&lane->wire);
    }
    if (lane->n < 0) {
        /* Idle: httpd closed a connection it kept alive long enough. */
        if (moved < 0 || got != 0) {
            wire_close(&lane->wire);
        }
        return;
    }
    if (moved > 0 && read_answer(swarm, lane, got < 0)) {
        return;
    }
    if (moved < 0 || got < 0) {
        try_again(swarm, lane, 50);
    }
}

void publisher_begin(swarm_t *swarm)
{
    int i;

    for (i = 0; i < swarm->opt.lanes; i++) {
        lanes[i].wire.fd = -1;
        lanes[i].wire.owner = &lanes[i];
        lanes[i].wire.is_publisher = true;
        lanes[i].n = -1;
    }
    next_due_us = now_us();
    swarm->publishing = true;
}

static bool may_send(const swarm_t *swarm)
{
    return next_message < swarm->opt.publishes
           && (swarm->opt.rate <= 0 || now_us() >= next_due_us);
}

void publisher_tick(swarm_t *swarm)
{
    lane_t *lane;
    const uint64_t now = now_ms();
    int i;

    for (i = 0; swarm->publishing && i < swarm->opt.lanes; i++) {
        lane = &lanes[i];
        if (lane->n < 0 && may_send(swarm)) {
            lane->n = next_message++;
            lane->tries = 0;
            make_body(swarm, lane);
            lane->due_ms = now > 0 ? now : 1;
            if (swarm->opt.rate > 0) {
                next_due_us += (uint64_t)(1e6 / swarm->opt.rate);
            }
        }
        if (lane->n < 0) {
            continue;
        }
        if (lane->due_ms > 0 && now >= lane->due_ms) {
            send_request(swarm, lane);
            publisher_turn(swarm, lane, false);
        }
        else if (lane->due_ms == 0 && now - lane->sent_ms > ANSWER_MS) {
            try_again(swarm, lane, 50);
        }
    }
}

bool publisher_done(const swarm_t *swarm)
{
    return finished >= swarm->opt.publishes;
}
