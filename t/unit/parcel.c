/* SPDX-License-Identifier: Apache-2.0 */
#include "loop_fixture.h"

#include "transport/wsk_parcel.h"

static world_t w;
static client_t who;
static uint8_t *bytes;
static size_t len;

/* A connection with something of everything. */
static void fill(void)
{
    static uint8_t frame[200];
    static const uint8_t early[] = "early";
    wsk_conn_t *c = who.c;

    client_say(&w, &who,
               "{\"type\":\"subscribe\",\"channels\":[\"a\",\"room:1\"]}");
    client_frame(frame, WSK_OP_TEXT, "0123456789", 10);
    if (write(who.fd, frame, 9) != 9) {
        note("a client could not write");
    }
    world_run(&w);
    client_heard(&w, &who);
    c->exp_s = INT64_C(0x123456789a);
    c->sends = true;
    c->address = UINT64_MAX;
    c->bad_messages = 7;
    c->present = true;
    c->binary_events = true;
    c->member.binary = true;
    wsk_conn_keep_early(c, early, sizeof(early));
    c->aside->early_at = 2;
    wsk_queue_copy(&c->out, (const uint8_t *)"begun", 5, true);
    wsk_queue_copy(&c->out, (const uint8_t *)"whole", 5, false);
}

static void pack(void)
{
    len = 0;
    is_int(wsk_parcel_pack(who.c, &bytes, &len), WSK_OK, "it is packed");
    ok(len > 0 && len <= wsk_parcel_bound(who.c), "into no more than was said");
}

/* Packed again from what was opened. The channels are the hub's, so they are
 * taken from the parcel. */
static void same_again(const wsk_parcel_t *p)
{
    wsk_conn_t *c = p->conn;

    is_int(c->kind, who.c->kind, "the kind");
    ok(c->site == who.c->site && c->term == who.c->term
           && c->generation == who.c->generation
           && c->incarnation == who.c->incarnation && c->user == who.c->user
           && c->address == who.c->address && c->exp_s == who.c->exp_s
           && c->member.id == who.c->member.id && c->sends == who.c->sends,
       "who it is");
    ok(c->binary_events && c->present && c->opened && c->admitted && !c->feed
           && c->member.binary && c->bad_messages == 7,
       "what it is");
    ok(c->born_us == who.c->born_us && c->heard_s == who.c->heard_s
           && c->ping_s == who.c->ping_s && c->bytes_in == who.c->bytes_in
           && c->bytes_out == who.c->bytes_out
           && c->purse.at_us == who.c->purse.at_us
           && c->purse.milli == who.c->purse.milli,
       "its clocks and counts");
    is_int(p->nsubs, 2, "its channels");
    is_mem(p->subs[1].name.at, p->subs[1].name.len, "room:1", 6, "by name");
    ok(p->subs[1].from == who.c->member.subs[1].from
           && p->subs[1].known == who.c->member.subs[1].known,
       "and how much of them it has seen");
    is_mem(c->aside->early, wsk_conn_early(c), "rly", 4, "what it sent early");
    ok(c->out.frames == 2 && c->out.bytes == 10 && c->out.last->next->at == 1
           && c->out.last->at == 0,
       "what it was not sent yet");
    wsk_queue_cut(&c->out, c->sealed);
    is_int(c->out.bytes, 5, "a frame that has begun is still one");
}

static void round_trip(void)
{
    wsk_parcel_t p;

    world_open(&w);
    client_open(&w, &who, WSK_KIND_WS, 1);
    fill();
    ok(wsk_parcel_may(who.c), "one of a site may travel");
    pack();
    is_int(wsk_parcel_open(bytes, len, &p), WSK_OK, "and opened");
    if (p.conn) {
        same_again(&p);
        is_int((intmax_t)wsk_frame_in_save(wsk_conn_decoder(p.conn), NULL, 0),
               (intmax_t)wsk_frame_in_save(wsk_conn_decoder(who.c), NULL, 0),
               "half a frame is half a frame");
        ok(p.conn->grant
               && wsk_grant_save(p.conn->grant, NULL, 0)
                      == wsk_grant_save(who.c->grant, NULL, 0),
           "its rights");
    }
    wsk_parcel_close(&p);
}

/* What can be opened must be something that holds together. */
static bool sound(const uint8_t *some, size_t n)
{
    static const wsk_parcel_t nothing;
    uint8_t *tight = malloc(n + !n);
    wsk_parcel_t p;
    bool fine;

    memcpy(tight, some, n);
    if (wsk_parcel_open(tight, n, &p) != WSK_OK) {
        fine = memcmp(&p, &nothing, sizeof(p)) == 0;
    }
    else {
        fine = p.conn && p.conn->fd < 0 && !p.conn->ssl && p.subs
               && (p.conn->kind == WSK_KIND_PUBLISHER
                       ? p.conn->publisher != NULL
                       : p.conn->grant != NULL || p.conn->feed)
               && p.place.seen <= p.place.at[WSK_LOG_TEXT].seq;
        wsk_parcel_close(&p);
    }
    free(tight);
    return fine;
}

static void broken(void)
{
    uint8_t *changed = malloc(len + 64);
    unsigned random = 1, opened = 0, i;
    wsk_parcel_t p;
    size_t at;
    int wrong = 0;

    for (at = 0; at < len; at++) {
        wrong += wsk_parcel_open(bytes, at, &p) != WSK_EINVAL;
    }
    is_int(wrong, 0, "cut off anywhere, it is none");
    memcpy(changed, bytes, len);
    changed[len] = 0;
    is_int(wsk_parcel_open(changed, len + 1, &p), WSK_EINVAL,
           "nor with a byte more");
    changed[1]++;
    is_int(wsk_parcel_open(changed, len, &p), WSK_EINVAL,
           "nor of another version");
    for (at = 0; at < len; at++) {
        for (i = 0; i < 256; i++) {
            memcpy(changed, bytes, len);
            changed[at] = (uint8_t)i;
            wrong += !sound(changed, len);
        }
    }
    is_int(wrong, 0, "with any one byte changed, it is one or none");
    for (i = 0; i < 20000; i++) {
        const unsigned n = 1 + i % 8;
        unsigned k;

        memcpy(changed, bytes, len);
        for (k = 0; k < n; k++) {
            random = random * 1103515245u + 12345u;
            changed[(random >> 8) % len] = (uint8_t)(random >> 16);
        }
        wrong += !sound(changed, len);
        opened += wsk_parcel_open(changed, len, &p) == WSK_OK;
        wsk_parcel_close(&p);
    }
    is_int(wrong, 0, "with several, too");
    ok(opened > 0, "%u of them are parcels", opened);
    for (i = 0; i < 20000; i++) {
        for (at = 0; at < 64; at++) {
            random = random * 1103515245u + 12345u;
            changed[at] = (uint8_t)(random >> 16);
        }
        changed[0] = 0;
        changed[1] = WSK_PARCEL_VERSION;
        changed[2] &= 3;
        wrong += !sound(changed, random % 64);
    }
    is_int(wrong, 0, "random bytes are one or none");
    free(changed);
}

/* What a clock cannot say. */
static void no_time(void)
{
    const int64_t exp_s = who.c->exp_s, born_us = who.c->born_us;
    uint8_t *some = NULL;
    size_t n = 0;
    wsk_parcel_t p;

    who.c->exp_s = INT64_MAX - 1;
    wsk_parcel_pack(who.c, &some, &n);
    is_int(wsk_parcel_open(some, n, &p), WSK_EINVAL, "an end past all time");
    free(some);
    who.c->exp_s = exp_s;
    who.c->born_us = INT64_MIN;
    wsk_parcel_pack(who.c, &some, &n);
    is_int(wsk_parcel_open(some, n, &p), WSK_EINVAL, "or a beginning before");
    free(some);
    who.c->born_us = born_us;
}

static void not_all_may(void)
{
    client_t echo, gone;
    uint8_t *none = NULL;
    size_t n = 0;

    client_open(&w, &echo, WSK_KIND_ECHO, 1);
    ok(!wsk_parcel_may(echo.c), "an echo stays");
    client_open(&w, &gone, WSK_KIND_SSE, 1);
    ok(wsk_parcel_may(gone.c), "a stream may go");
    wsk_say_close(w.loop, gone.c, WSK_CLOSE_TRY_LATER, NULL);
    ok(!wsk_parcel_may(gone.c), "but not one that is closing");
    who.c->out.bytes += WSK_PARCEL_MAX;
    is_int(wsk_parcel_pack(who.c, &none, &n), WSK_EFULL,
           "one that is too large is not packed");
    who.c->out.bytes -= WSK_PARCEL_MAX;
    close(echo.fd);
    close(gone.fd);
}

int main(void)
{
    round_trip();
    broken();
    no_time();
    not_all_may();
    free(bytes);
    close(who.fd);
    world_close(&w);
    return done_testing();
}
