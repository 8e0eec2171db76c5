/* SPDX-License-Identifier: Apache-2.0 */
#include "loop_fixture.h"

#include "tls_fixture.h"

static world_t w;
static client_t a, b;
static const uint8_t zeros[LOOP_INPUT];

static void come_and_go(void)
{
    world_open(&w);
    client_open(&w, &a, WSK_KIND_WS, 1);
    client_open(&w, &b, WSK_KIND_SSE, 1);
    is_int(world_count(&w, WSK_C_adopted), 2, "connections are taken over");
    is_int(world_count(&w, WSK_C_opened_ws), 1, "one a socket");
    is_int(world_count(&w, WSK_C_opened_sse), 1, "one a stream");
    ok(a.c->member.id != b.c->member.id && a.c->member.id >> 53 == 1u,
       "each has a number of its own, with the slot in it");
    is_int((intmax_t)wsk_segment_connections(w.seg), 2, "both are admitted");
    close(a.fd);
    world_run(&w);
    is_int(w.ended, 1, "who hangs up is ended");
    is_str(w.kind, "websocket", "and said to have been one");
    is_int((intmax_t)wsk_segment_connections(w.seg), 1,
           "its place is given back");
    is_int((intmax_t)atomic_load(&w.loop->connections), 1, "the loop's too");
    is_int(world_count(&w, WSK_C_closed), 1, "it is counted");
    wsk_life_kill(w.loop, b.c);
    wsk_life_kill(w.loop, b.c);
    world_run(&w);
    is_int(w.ended, 2, "who is killed twice ends once");
    client_take(&b);
    ok(b.eof, "and its descriptor is closed");
    close(b.fd);
    world_close(&w);
}

/* What the poll does not take was taken over all the same. */
static void no_poll(void)
{
    world_open(&w);
    client_make(&w, &a, WSK_KIND_WS, 1);
    close(a.c->fd);
    a.c->fd = open("/dev/null", O_RDWR);
    wsk_loop_give(w.loop, a.c);
    world_run(&w);
    is_int(w.ended, 1,
           "a descriptor that cannot be polled ends its connection");
    is_int(world_count(&w, WSK_C_closed), 1, "which is counted as closed");
    is_int(world_count(&w, WSK_C_adopted), 1, "and as taken over before");
    is_int(world_count(&w, WSK_C_opened_ws), 0, "but not as opened");
    is_int((intmax_t)wsk_segment_connections(w.seg), 0, "its place is free");
    close(a.fd);
    world_close(&w);
}

/* Killed while open, closing, in turn, waiting to be written, replaying. */
static void killed_anyhow(void)
{
    unsigned i;

    world_open(&w);
    for (i = 0; i < 4; i++) {
        client_open(&w, &a, WSK_KIND_WS, 1);
        client_say(&w, &a, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
        if (i == 1) {
            wsk_say_close(w.loop, a.c, WSK_CLOSE_AWAY, "go");
            world_run(&w);
        }
        if (i == 2) {
            world_say(&w, 1, "a", "x");
            wsk_say_ping(w.loop, a.c);
            ok(a.c->in_turn, "one that waits for its turn");
        }
        if (i == 3) {
            wsk_say_frame(w.loop, a.c, WSK_OP_BINARY, zeros, LOOP_INPUT);
            world_run(&w);
            ok(a.c->want_write, "one that waits for its reader");
        }
        wsk_life_kill(w.loop, a.c);
        world_run(&w);
        is_int(w.ended, i + 1, "is ended, whatever it was at");
        close(a.fd);
    }
    world_close(&w);
}

/* An echo is written at once, and may be found gone in the middle of anything
 * that says something to it. */
static void gone_while_told(void)
{
    world_open(&w);
    client_open(&w, &a, WSK_KIND_ECHO, 0);
    close(a.fd);
    wsk_say_close(w.loop, a.c, WSK_CLOSE_AWAY, "go");
    ok(a.c->state == WSK_CONN_DEAD && a.c->timer_link == NULL,
       "who is gone when it is told to close stays dead, and on no list");
    world_run(&w);
    is_int(w.ended, 1, "it is buried");
    client_open(&w, &a, WSK_KIND_ECHO, 0);
    close(a.fd);
    a.c->ping_s = w.loop->now_s;
    wsk_timers_tick(w.loop, a.c);
    ok(a.c->state == WSK_CONN_DEAD && a.c->timer_link == NULL,
       "so does who is gone when it is pinged");
    world_run(&w);
    world_seconds(&w, 70);
    is_int(w.ended, 2, "once");
    world_close(&w);
}

/* Who sends and does not read is not read either. */
static void deaf(wsk_kind_e kind, const char *json, const char *what)
{
    static uint8_t batch[8192];
    size_t n = client_frame(batch, WSK_OP_TEXT, json, strlen(json));
    const size_t one = n;
    unsigned i, most = 0, blocked = 0;

    while (n + one <= sizeof(batch)) {
        n += client_frame(batch + n, WSK_OP_TEXT, json, strlen(json));
    }
    world_open(&w);
    client_open(&w, &a, kind, 1);
    for (i = 0; i < 400 && blocked < 2; i++) {
        blocked += write(a.fd, batch, n) < 0;
        world_run(&w);
        most = WSK_MAX(most, a.c->out.bytes + a.c->out.frames * 64u);
    }
    is_int(blocked, 2, "%s", what);
    ok(most < 1u << 20, "and no more than a bound is kept for it (%u)", most);
    for (i = 0; i < 1000; i++) {
        client_take(&a);
        a.len = 0;
        world_run(&w);
    }
    is_int(a.c->out.bytes, 0, "when it reads it gets all of it");
    client_send(&a, WSK_OP_PING, "x", 1);
    has(client_heard(&w, &a), "pong x", "and is read again");
    close(a.fd);
    world_close(&w);
}

static void deaf_idle(void)
{
    wsk_site_spec_t spec = world_spec(1);

    spec.limits.idle_ms = 5000;
    spec.limits.send_queue = 1 << 20;
    world_open(&w);
    world_put(&w, 1, &spec);
    client_open(&w, &a, WSK_KIND_WS, 1);
    while (!wsk_conn_full(a.c)) {
        wsk_say_frame(w.loop, a.c, WSK_OP_BINARY, zeros, LOOP_INPUT);
        world_run(&w);
    }
    client_send(&a, WSK_OP_PING, "x", 1);
    world_seconds(&w, 10);
    ok(a.c->state == WSK_CONN_OPEN, "who is not read is not said to be silent");
    world_seconds(&w, LOOP_STALL_S);
    is_int(world_count(&w, WSK_C_stalled_closed), 1,
           "but stalled, when its time is up");
    close(a.fd);
    world_close(&w);
}

static void heard_again(void)
{
    wsk_site_spec_t spec = world_spec(1);

    spec.limits.idle_ms = 5000;
    spec.limits.send_queue = 1 << 20;
    world_open(&w);
    world_put(&w, 1, &spec);
    client_open(&w, &a, WSK_KIND_WS, 1);
    while (!wsk_conn_full(a.c)) {
        wsk_say_frame(w.loop, a.c, WSK_OP_BINARY, zeros, LOOP_INPUT);
        world_run(&w);
    }
    client_send(&a, WSK_OP_PING, "x", 1);
    world_seconds(&w, 10);
    ok(a.c->deaf, "who reads nothing is not read");
    while (a.c->deaf) {
        client_take(&a);
        a.len = 0;
        wsk_wheel_set(w.loop, a.c, w.loop->now_s + 1);
        w.now.mono_ms += 1000;
        world_turn(&w);
    }
    ok(a.c->state == WSK_CONN_OPEN,
       "the silence of who was not read is not held against it");
    close(a.fd);
    world_close(&w);
}

static void last_words(void)
{
    world_open(&w);
    client_open(&w, &a, WSK_KIND_WS, 1);
    wsk_say_close(w.loop, a.c, WSK_CLOSE_RESTART, "restarting");
    is_str(client_heard(&w, &a), "close 1012 restarting\neof",
           "after a Close nothing comes any more");
    is_int(w.ended, 0, "the client's answer is waited for");
    client_send(&a, WSK_OP_CLOSE, "\x03\xf4", 2);
    world_run(&w);
    is_int(w.ended, 0, "until it has hung up");
    close(a.fd);
    world_run(&w);
    is_int(w.ended, 1, "then it is over");
    is_int(w.code, 1012, "with our code");
    client_open(&w, &a, WSK_KIND_WS, 1);
    wsk_say_close(w.loop, a.c, WSK_CLOSE_RESTART, "restarting");
    world_seconds(&w, LOOP_CLOSE_WAIT_S + 1);
    is_int(w.ended, 2, "or it has taken too long");
    close(a.fd);
    world_close(&w);
}

static void over_tls(void)
{
    tls_pair_t tls;
    uint8_t buf[4096] = { 0 };
    unsigned i;
    size_t got = 0;
    int n;

    world_open(&w);
    client_make(&w, &a, WSK_KIND_ECHO, 0);
    tls = tls_open(a.c->fd, a.fd);
    a.c->ssl = tls.server;
    wsk_loop_give(w.loop, a.c);
    world_run(&w);
    for (i = 0; i < 600; i++) {
        static uint8_t frame[1100];
        const size_t len = client_frame(frame, WSK_OP_BINARY, buf, 1000);

        while (SSL_write(tls.client, frame, (int)len) <= 0) {
            world_run(&w);
            while ((n = SSL_read(tls.client, buf, sizeof(buf))) > 0) {
                got += (size_t)n;
            }
        }
    }
    for (i = 0; i < 1000; i++) {
        world_run(&w);
        while ((n = SSL_read(tls.client, buf, sizeof(buf))) > 0) {
            got += (size_t)n;
        }
    }
    is_int((intmax_t)got, 600 * 1004,
           "over TLS, all that was sent comes back, whoever waits for whom");
    tls_close(&tls);
    close(a.fd);
    world_close(&w);
}

/* A client may have TLS answer it, and not read the answers: what it sends next
 * cannot be read before they are written. */
static void answers_of_tls(void)
{
    static uint8_t frame[100];
    const size_t len = client_frame(frame, WSK_OP_TEXT, "hello", 5);
    tls_pair_t tls;
    unsigned i;
    int n = 0;

    world_open(&w);
    client_make(&w, &a, WSK_KIND_ECHO, 0);
    tls = tls_open(a.c->fd, a.fd);
    a.c->ssl = tls.server;
    wsk_loop_give(w.loop, a.c);
    world_run(&w);
    for (i = 0; i < 30; i++) {
        SSL_key_update(tls.client, SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(tls.client);
        world_turn(&w);
    }
    SSL_write(tls.client, frame, (int)len);
    for (i = 0; i < 100 && world_turn(&w) > 0; i++) {
    }
    ok(i < 100, "a socket that waits to be written is not read for ever");
    for (i = 0; i < 100 && n <= 0; i++) {
        n = SSL_read(tls.client, frame, sizeof(frame));
        world_run(&w);
    }
    is_int(n, 7, "when it is, what was sent is read");
    is_int(world_count(&w, WSK_C_received_messages), 1, "once");
    tls_close(&tls);
    close(a.fd);
    world_close(&w);
}

int main(void)
{
    come_and_go();
    no_poll();
    killed_anyhow();
    gone_while_told();
    deaf(WSK_KIND_ECHO, "", "an echo that is not heard is not fed");
    deaf(WSK_KIND_WS, "{\"type\":\"subscribe\",\"channels\":[]}",
         "nor is one who subscribes and does not read");
    deaf(WSK_KIND_WS, "{\"type\":\"presence\",\"channel\":\"x\",\"state\":{}}",
         "nor one who asks for what is not allowed");
    deaf_idle();
    heard_again();
    last_words();
    over_tls();
    answers_of_tls();
    return done_testing();
}
