/* SPDX-License-Identifier: Apache-2.0 */
#include "loop_fixture.h"

static world_t w;
static client_t a, b;

static void open_with(wsk_kind_e kind, uint32_t ping_ms, uint32_t idle_ms)
{
    wsk_site_spec_t spec = world_spec(1);

    world_open(&w);
    spec.limits.ping_ms = ping_ms;
    spec.limits.idle_ms = idle_ms;
    spec.limits.send_queue = 1 << 20;
    world_put(&w, 1, &spec);
    client_make(&w, &a, kind, 1);
    if (kind == WSK_KIND_SSE) {
        client_channels(&a, "a");
    }
    wsk_loop_give(w.loop, a.c);
    world_run(&w);
}

static void shut(void)
{
    close(a.fd);
    world_close(&w);
}

static void pings(void)
{
    open_with(WSK_KIND_WS, 5000, 0);
    world_seconds(&w, 4);
    is_str(client_heard(&w, &a), "", "no ping before its time");
    world_seconds(&w, 1);
    has(client_heard(&w, &a), "{\"type\":\"ping\",\"id\":\"", "then one");
    world_seconds(&w, 10);
    is_int(times(client_heard(&w, &a), "ping"), 2, "and one each interval");
    shut();
    open_with(WSK_KIND_SSE, 5000, 0);
    client_read(&w, &a);
    world_seconds(&w, 5);
    is_int(times(client_read(&w, &a), "id: "), 1,
           "a stream gets a line that tells where it is");
    shut();
    open_with(WSK_KIND_ECHO, 5000, 0);
    world_seconds(&w, 20);
    is_str(client_heard(&w, &a), "ping", "an echo a frame");
    shut();
}

static void idle(void)
{
    open_with(WSK_KIND_WS, 100000, 10000);
    world_seconds(&w, 9);
    client_send(&a, WSK_OP_PONG, "", 0);
    world_seconds(&w, 9);
    is_str(client_heard(&w, &a), "", "who is heard stays");
    world_seconds(&w, 2);
    has(client_heard(&w, &a), "close 1001", "who is silent is closed");
    is_int(world_count(&w, WSK_C_idle_closed), 1, "and counted");
    shut();
    open_with(WSK_KIND_SSE, 100000, 10000);
    world_seconds(&w, 30);
    ok(a.c->state == WSK_CONN_OPEN, "a stream has nothing to say");
    shut();
}

static void expiry(void)
{
    open_with(WSK_KIND_WS, 25000, 0);
    a.c->exp_s = w.now.unix_us / SECOND + 10;
    world_seconds(&w, 10 + LOOP_EXPIRY_SLACK_S - 1);
    is_str(client_heard(&w, &a), "",
           "a token is good to its end, and a little");
    world_seconds(&w, 1);
    has(client_heard(&w, &a), "close 4001 token expired", "then it is closed");
    is_int(world_count(&w, WSK_C_expired_closed), 1, "and counted");
    shut();
    open_with(WSK_KIND_SSE, 100000, 0);
    a.c->exp_s = w.now.unix_us / SECOND + 200;
    world_seconds(&w, 200 + LOOP_EXPIRY_SLACK_S - 1);
    ok(strstr(client_read(&w, &a), "wps.expired") == NULL,
       "one far ahead is no matter");
    world_seconds(&w, 1);
    has(client_read(&w, &a), "event: wps.expired", "a stream is told by name");
    ok(a.eof, "and ends");
    shut();
}

static void stall(void)
{
    open_with(WSK_KIND_WS, 25000, 0);
    wsk_say_frame(w.loop, a.c, WSK_OP_BINARY, w.loop->buf, LOOP_INPUT);
    wsk_say_frame(w.loop, a.c, WSK_OP_BINARY, w.loop->buf, LOOP_INPUT);
    world_run(&w);
    ok(a.c->blocked_s != 0, "a write that waits is remembered");
    world_seconds(&w, LOOP_STALL_S - 10);
    read(a.fd, a.raw, 8192) > 0 ? world_run(&w) : exit(1);
    world_seconds(&w, LOOP_STALL_S - 5);
    is_int(w.ended, 0, "who reads a little is no stall");
    world_seconds(&w, 30);
    is_int(w.ended, 1, "who reads nothing is");
    is_int(world_count(&w, WSK_C_stalled_closed), 1, "and is counted");
    shut();
}

/* However far off its next ping is. */
static void stall_in_time(void)
{
    open_with(WSK_KIND_WS, 300000, 0);
    world_seconds(&w, 2);
    wsk_say_frame(w.loop, a.c, WSK_OP_BINARY, w.loop->buf, LOOP_INPUT);
    wsk_say_frame(w.loop, a.c, WSK_OP_BINARY, w.loop->buf, LOOP_INPUT);
    world_run(&w);
    world_seconds(&w, LOOP_STALL_S - 1);
    is_int(w.ended, 0, "a write may wait for a while");
    world_seconds(&w, 1);
    is_int(w.ended, 1, "and is given up in time");
    shut();
}

static void site_off(void)
{
    open_with(WSK_KIND_WS, 5000, 0);
    wsk_site_switch(w.seg, w.sites[1], false);
    world_seconds(&w, 6);
    has(client_heard(&w, &a), "close 4003", "a site that is gone is told");
    shut();
    open_with(WSK_KIND_WS, 20000, 0);
    client_open(&w, &b, WSK_KIND_WS, 2);
    client_heard(&w, &b);
    wsk_site_switch(w.seg, w.sites[1], false);
    wsk_bell_ring((wsk_bell_t){ w.bells }, w.seg, w.sites[1]);
    has(client_heard(&w, &a), "close 4003", "with a ring, at once");
    is_str(client_heard(&w, &b), "", "another site's clients hear nothing");
    is_int((intmax_t)w.loop->looked_at, 1, "nor are they looked at");
    wsk_site_switch(w.seg, w.sites[2], false);
    wsk_bell_ring((wsk_bell_t){ w.bells }, w.seg, w.sites[2]);
    has(client_heard(&w, &b), "close 4003", "until it is their site");
    is_int((intmax_t)w.loop->looked_at, 2, "which is looked at alone");
    close(b.fd);
    shut();
}

/* Whatever fails, a connection has a deadline. */
static void every_state(void)
{
    open_with(WSK_KIND_SSE, 5000, 0);
    client_open(&w, &b, WSK_KIND_WS, 1);
    wsk_say_close(w.loop, a.c, WSK_CLOSE_AWAY, NULL);
    wsk_say_close(w.loop, b.c, WSK_CLOSE_AWAY, NULL);
    world_seconds(&w, LOOP_CLOSE_WAIT_S);
    is_int(w.ended, 2, "who does not hang up is hung up on");
    close(b.fd);
    shut();
}

static void revoked(void)
{
    wsk_site_spec_t spec;
    uint32_t site;

    open_with(WSK_KIND_WS, 60000, 0);
    world_seconds(&w, 3);
    spec = world_spec(1);
    spec.limits.max_message++;
    wsk_site_put(w.seg, &spec, 1, 1, &site);
    wsk_bell_ring((wsk_bell_t){ w.bells }, w.seg, w.sites[1]);
    is_str(client_heard(&w, &a), "", "another limit closes nothing");
    spec.generation = 1;
    wsk_site_put(w.seg, &spec, 1, 1, &site);
    client_make(&w, &b, WSK_KIND_WS, 1);
    b.c->generation = 1;
    wsk_loop_give(w.loop, b.c);
    wsk_bell_ring((wsk_bell_t){ w.bells }, w.seg, w.sites[1]);
    has(client_heard(&w, &a), "close 4003 site not found",
        "other keys close what came with those of before, with a ring at once");
    is_str(client_heard(&w, &b), "", "but not who came with these");
    close(b.fd);
    shut();
    open_with(WSK_KIND_WS, 60000, 0);
    spec.generation = 2;
    wsk_site_put(w.seg, &spec, 1, 1, &site);
    client_say(&w, &a, "{\"type\":\"ping\"}");
    has(client_heard(&w, &a), "close 4003",
        "nor is anything taken of it before the ring");
    shut();
}

int main(void)
{
    pings();
    idle();
    expiry();
    stall();
    stall_in_time();
    site_off();
    every_state();
    revoked();
    return done_testing();
}
