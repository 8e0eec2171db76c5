/* SPDX-License-Identifier: Apache-2.0 */
/* A hand-over in which something goes wrong on the way. */
#include "hand_fixture.h"

#include <sys/resource.h>

#define CROWD 200

static client_t crowd[CROWD];

/* `who` is on offer, and the successor does not look at the door. */
static void offered(void)
{
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    reload();
    heir_comes();
    heir.loop->listens = true; /* as it seems to itself */
    go_on(20);
    is_int(w.loop->ngiven, 1, "one is on offer");
}

static void it_looks(void)
{
    heir.loop->listens = false;
    go_on(20);
}

static void crowd_opens(void)
{
    wsk_site_spec_t spec = world_spec(1);
    unsigned i;

    both_open();
    spec.limits.address_connections = 2 * CROWD;
    spec.limits.connections = 2 * CROWD;
    world_put(&w, 1, &spec);
    for (i = 0; i < CROWD; i++) {
        client_open(&w, &crowd[i], WSK_KIND_WS, 1);
    }
    w.loop->spec.drain_ms = 1000;
}

static void crowd_goes(void)
{
    unsigned i;

    for (i = 0; i < CROWD; i++) {
        close(crowd[i].fd);
    }
    both_close();
}

/* One turn of the successor in which it may open nothing. */
static void starved_turn(void)
{
    struct rlimit all, none;
    int lowest = dup(0);

    close(lowest);
    getrlimit(RLIMIT_NOFILE, &all);
    none = all;
    none.rlim_cur = (rlim_t)lowest;
    setrlimit(RLIMIT_NOFILE, &none);
    world_turn(&heir);
    setrlimit(RLIMIT_NOFILE, &all);
}

static void no_descriptors(void)
{
    offered();
    heir.loop->listens = false;
    wsk_hand_listen(heir.loop, true);
    starved_turn();
    is_int(at(&heir), 0, "a successor without descriptors takes nobody");
    go_on(50);
    is_int(at(&heir), 1, "but has it when there are some again");
    is_int(world_count(&w, WSK_C_hand_refused), 0, "it was not refused");
    close(who.fd);
    both_close();
}

/* Another reload, before the first is through. */
static void successor_goes(void)
{
    offered();
    wsk_loop_leave(heir.loop);
    wsk_loop_dispose(heir.loop);
    heir.loop = NULL;
    wsk_segment_mark(w.seg, WSK_MARK_RELOAD, 3);
    go_on(100);
    world_say(&w, 1, "a", "meanwhile");
    has(hear(&who), "meanwhile", "while there is no successor, all goes on");
    go_on(9000);
    is_int(world_count(&w, WSK_C_drained), 0, "and nobody is told to go");
    wsk_segment_mark(w.seg, WSK_MARK_READ, 3);
    heir.now = w.now;
    heir.over = false;
    loop_of(&heir, 3);
    go_on(50);
    ok(w.over && at(&heir) == 1, "until the next is there");
    close(who.fd);
    both_close();
}

static void successors_keep_dying(void)
{
    unsigned i;

    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    reload();
    for (i = 0; i < 14; i++) {
        heir_comes();
        heir.loop->listens = true;
        go_on(100);
        wsk_loop_leave(heir.loop);
        wsk_loop_dispose(heir.loop);
        heir.loop = NULL;
        wsk_segment_mark(w.seg, WSK_MARK_RELOAD, 3);
        go_on(5000);
    }
    is_int(world_count(&w, WSK_C_drained), 1, "but not for ever");
    close(who.fd);
    both_close();
}

static void slow_successor(void)
{
    unsigned i;

    crowd_opens();
    reload();
    heir_comes();
    world_turn(&heir);
    for (i = 0; i < 10 && !w.over; i++) {
        wsk_loop_t *asleep = heir.loop;

        world_say(&w, 1, "a", "x");
        heir.loop = NULL;
        go_on(400);
        heir.loop = asleep;
        world_turn(&heir);
    }
    is_int(at(&heir), CROWD, "a successor that is slow is given its time");
    is_int(world_count(&w, WSK_C_drained), 0, "as long as it takes some");
    crowd_goes();
}

static void stuck_successor(void)
{
    const char *said;

    offered();
    w.loop->spec.drain_ms = 3000;
    world_say(&w, 1, "a", "soon");
    go_on(900);
    client_take(&who);
    said = (const char *)who.raw;
    who.raw[who.len] = '\0';
    is_int(who.len > 4 ? times(said + 4, "soon") : 0, 1,
           "what is said while nobody takes it comes soon");
    it_looks();
    is_int(at(&heir), 1, "and it is offered again");
    is_int(times(hear(&who), "soon"), 1, "nothing comes twice");
    close(who.fd);
    both_close();
}

/* Another of the site that is told something has the log read on. */
static void log_read_meanwhile(void)
{
    char id[WSK_ID_MAX], text[200];
    wsk_cursor_t head;

    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    subscriber(&other, WSK_KIND_WS, "b");
    other.c->stays = true;
    reload();
    heir_comes();
    heir.loop->listens = true;
    go_on(20);
    is_int(w.loop->ngiven, 1, "one is on offer");
    world_say(&w, 1, "a", "between");
    wsk_log_head(w.seg, w.sites[1], WSK_LOG_TEXT, &head);
    wsk_cursor_text(id, &head);
    snprintf(text, sizeof(text),
             "{\"type\":\"subscribe\",\"channels\":[\"c\"],\"since\":\"%s\"}",
             id);
    client_send(&other, WSK_OP_TEXT, text, strlen(text));
    go_on(5);
    wsk_hand_withdraw(w.loop, true);
    go_on(5);
    is_int(w.loop->ngiven, 0, "and taken back");
    is_int(times(client_heard(&w, &who), "between"), 1,
           "with all that was said, once");
    close(who.fd);
    close(other.fd);
    both_close();
}

static void door_full(void)
{
    static uint8_t junk[60000];
    wsk_half_t *names;
    uint32_t before;

    crowd_opens();
    reload();
    heir_comes();
    heir.loop->listens = true;
    while (send(door[0], junk, sizeof(junk), MSG_DONTWAIT) > 0) {
    }
    names = &wsk_slot_of(w.seg, w.loop->slot)->offered;
    go_on(5);
    before = atomic_load(names);
    go_on(10);
    ok(atomic_load(names) > before && atomic_load(names) - before <= 10,
       "where there is no room, one is tried, not all");
    it_looks();
    go_on(100);
    is_int(at(&heir), CROWD, "and all go when there is some");
    crowd_goes();
}

/* Somebody has spoilt the pair, which all have in common, for good. */
static void door_shut(void)
{
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    shutdown(door[0], SHUT_RDWR);
    world_run(&w);
    ok(!w.over, "a door that is shut is left alone");
    client_send(&who, WSK_OP_PING, "still", 5);
    has(client_heard(&w, &who), "pong still", "and all else goes on");
    wsk_loop_stop(w.loop, false);
    go_on(6100);
    has(client_heard(&w, &who), "close 1012", "who leaves tells its clients");
    close(who.fd);
    both_close();
}

/* The packet keeps the socket open; the client must not wait for that. */
static void withdrawn_and_killed(void)
{
    uint8_t some[4096];
    unsigned i;
    ssize_t n;

    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    memset(some, 'x', 1000);
    some[1000] = '\0';
    for (i = 0; i < 15; i++) {
        world_say(&w, 1, "a", (const char *)some);
    }
    world_run(&w);
    ok(who.c->out.bytes > 0, "one has a full socket");
    reload();
    heir_comes();
    heir.loop->listens = true;
    go_on(9000);
    wsk_loop_leave(w.loop);
    do {
        n = read(who.fd, some, sizeof(some));
    } while (n > 0);
    is_int(n, 0, "who is given up hears that it is over");
    close(who.fd);
    wsk_loop_dispose(w.loop);
    w.loop = heir.loop;
    w.over = false;
    heir.loop = NULL;
    both_close();
}

/* It may be what the holder died of: no other is to die of it. */
static void taker_dies(void)
{
    offered();
    ok(wsk_offer_hold(w.seg, &w.loop->given[0].offer, heir.loop->slot),
       "and held");
    wsk_loop_leave(heir.loop);
    wsk_loop_dispose(heir.loop);
    heir.loop = NULL;
    go_on(100);
    heir_comes();
    go_on(100);
    is_int(at(&heir), 0, "if the holder dies, it is not offered again");
    go_on(7000);
    has(client_heard(&w, &who), "close 1012", "but told to come back");
    close(who.fd);
    both_close();
}

int main(void)
{
    no_descriptors();
    successor_goes();
    successors_keep_dying();
    slow_successor();
    stuck_successor();
    log_read_meanwhile();
    door_full();
    door_shut();
    withdrawn_and_killed();
    taker_dies();
    return done_testing();
}
