/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "loop_fixture.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>

static world_t w;
static client_t a, b;

/* What the other end says within five seconds. */
static bool comes(client_t *who, const char *what)
{
    struct pollfd poll_fd = { who->fd, POLLIN, 0 };
    unsigned i;

    for (i = 0; i < 50; i++) {
        poll(&poll_fd, 1, 100);
        client_take(who);
        if (memmem(who->raw, who->len, what, strlen(what)) != NULL) {
            return true;
        }
    }
    return false;
}

static bool done_soon(const wsk_loop_t *l)
{
    const struct timespec nap = { 0, 10000000 };
    unsigned i;

    for (i = 0; i < 500 && !wsk_loop_done(l); i++) {
        nanosleep(&nap, NULL);
    }
    return wsk_loop_done(l);
}

static void start(uint32_t most)
{
    wsk_loop_spec_t spec;

    world_make(&w);
    spec = world_loop_spec(&w);
    spec.max_connections = most;
    w.loop = wsk_loop_start(&spec);
}

static void finish(void)
{
    wsk_loop_free(w.loop);
    store_whole(w.seg, "the segment is whole");
    is_int(wsk_segment_connections(w.seg), 0, "nobody is counted in it");
    world_unmake(&w);
}

static void live(void)
{
    static const char hello[] = "{\"type\":\"subscribe\",\"channels\":[\"a\"]}";
    wsk_slot_info_t info;

    start(1);
    ok(w.loop != NULL, "a loop is started");
    ok(wsk_slot_info(w.seg, wsk_loop_slot(w.loop), &info)
           && info.state == WSK_SLOT_LIVE,
       "and has a slot");
    ok(wsk_loop_has_room(w.loop) && !wsk_loop_full_at(w.loop), "it has room");
    client_make(&w, &a, WSK_KIND_WS, 1);
    wsk_loop_give(w.loop, a.c);
    ok(!wsk_loop_has_room(w.loop) && wsk_loop_full_at(w.loop) == 1,
       "up to its ceiling");
    client_send(&a, WSK_OP_TEXT, hello, strlen(hello));
    ok(comes(&a, "subscribed"), "who is given is served");
    w.now.unix_us = NOON;
    world_say(&w, 1, "a", "over there");
    ok(comes(&a, "over there"), "a ring wakes it");
    ok(!wsk_loop_done(w.loop), "it goes on until it is stopped");
    wsk_loop_stop(w.loop, true);
    ok(comes(&a, "restarting"), "then it says so");
    ok(done_soon(w.loop), "and ends");
    client_make(&w, &b, WSK_KIND_WS, 1);
    wsk_loop_give(w.loop, b.c);
    is_int(w.ended, 1, "each connection is told of once");
    finish();
    client_take(&b);
    ok(b.eof, "who was given too late is let go");
    close(a.fd);
    close(b.fd);
}

/* Its slot is another's by then, with a client at the same address. */
static void given_late(void)
{
    start(10);
    client_make(&w, &a, WSK_KIND_WS, 1);
    wsk_loop_stop(w.loop, true);
    ok(done_soon(w.loop), "a loop has ended");
    is_int(wsk_segment_connections(w.seg), 0, "and given back its places");
    is_int(wsk_slot_claim(w.seg, WSK_SLOT_CHILD, 1, 1, NOON), 0,
           "another process has its slot");
    wsk_site_admit(w.seg, 0, w.sites[1], 5, NULL);
    wsk_loop_give(w.loop, a.c);
    wsk_loop_free(w.loop);
    is_int(wsk_segment_connections(w.seg), 1,
           "who is given too late takes no place from it");
    store_whole(w.seg, "the segment is whole");
    wsk_slot_release(w.seg, 0);
    world_unmake(&w);
    close(a.fd);
}

static void *give_many(void *baton)
{
    unsigned i;

    (void)baton;
    for (i = 0; i < 50; i++) {
        wsk_conn_t *c = wsk_conn_make(WSK_KIND_ECHO);
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
            exit(1);
        }
        c->fd = fds[0];
        c->site = WSK_NO_SITE;
        wsk_loop_give(w.loop, c);
        close(fds[1]);
    }
    return NULL;
}

static void many_givers(void)
{
    pthread_t givers[4];
    unsigned i;

    start(1000);
    for (i = 0; i < 4; i++) {
        pthread_create(&givers[i], NULL, give_many, NULL);
    }
    for (i = 0; i < 4; i++) {
        pthread_join(givers[i], NULL);
    }
    wsk_loop_stop(w.loop, false);
    ok(done_soon(w.loop), "a loop whose clients all left ends at once");
    is_int((intmax_t)atomic_load(&w.loop->connections), 0, "with nobody");
    is_int(w.ended, 200, "two hundred came and went, given by four at a time");
    finish();
}

/* More than a slice wait to be written when the loop must go. */
static void leave_in_turn(void)
{
    static int fds[3 * LOOP_SLICE];
    static wsk_conn_t *conns[3 * LOOP_SLICE];
    wsk_site_spec_t spec = world_spec(1);
    unsigned i;

    world_open(&w);
    spec.limits.connections = spec.limits.address_connections = 1000;
    world_put(&w, 1, &spec);
    for (i = 0; i < 3 * LOOP_SLICE; i++) {
        client_open(&w, &a, WSK_KIND_WS, 1);
        fds[i] = a.fd;
        conns[i] = a.c;
    }
    for (i = 0; i < 3 * LOOP_SLICE; i++) {
        wsk_say_ping(w.loop, conns[i]);
    }
    is_int(wsk_turn_view(w.loop, w.sites[1])->waiting, 3 * LOOP_SLICE,
           "more than a slice wait for their turn");
    wsk_life_kill(w.loop, a.c);
    wsk_loop_stop(w.loop, true);
    world_close(&w);
    is_int(w.ended, 3 * LOOP_SLICE, "all are ended, whatever list they are on");
    for (i = 0; i < 3 * LOOP_SLICE; i++) {
        close(fds[i]);
    }
}

static void no_slot(void)
{
    wsk_loop_spec_t spec;
    unsigned i;

    world_make(&w);
    spec = world_loop_spec(&w);
    for (i = 0; i < WORLD_SLOTS; i++) {
        wsk_slot_claim(w.seg, WSK_SLOT_CHILD, 1, 1, NOON);
    }
    ok(wsk_loop_start(&spec) == NULL, "without a slot there is no loop");
    for (i = 0; i < WORLD_SLOTS; i++) {
        wsk_slot_release(w.seg, i);
    }
    world_unmake(&w);
}

static void without_memory(void)
{
    wsk_loop_spec_t spec;
    wsk_loop_t *l;
    unsigned leaked = 0;
    bool hit = true;
    long at;
    int low, now;

    world_make(&w);
    spec = world_loop_spec(&w);
    low = dup(0);
    close(low);
    for (at = 0; hit && at < 100; at++) {
        fault_arm(FAULT_MEMORY, at, LONG_MAX);
        l = wsk_loop_make(&spec);
        if (l != NULL && wsk_loop_enter(l, &w.now)) {
            fault_end();
            wsk_loop_leave(l);
            hit = false;
        }
        fault_end();
        if (l != NULL) {
            wsk_loop_dispose(l);
        }
        now = dup(0);
        leaked += now != low;
        close(now);
    }
    ok(at > 4 && at < 100, "without memory at each of %ld places", at);
    is_int(leaked, 0, "no descriptor is left open");
    store_whole(w.seg, "and no slot taken");
    world_unmake(&w);
}

int main(void)
{
    live();
    given_late();
    many_givers();
    leave_in_turn();
    no_slot();
    without_memory();
    return done_testing();
}
