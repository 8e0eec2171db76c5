/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_slot.h"

#include "store_fixture.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>

static void lives(void)
{
    wsk_segment_t *seg = store_new(2, 4, 2, 10);
    wsk_slot_info_t info;
    int a, b;

    ok(!wsk_slot_info(seg, 0, &info), "a free slot has nothing to tell");
    a = wsk_slot_claim(seg, WSK_SLOT_CHILD, 42, 7, NOON);
    b = wsk_slot_claim(seg, WSK_SLOT_KEEPER, 43, 6, NOON + 1);
    ok(a >= 0 && b >= 0 && a != b, "two can be claimed");
    is_int(wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON), -1,
           "and no third where there are two");
    ok(wsk_slot_info(seg, (unsigned)a, &info) && info.pid == 42
           && info.generation == 7 && info.kind == WSK_SLOT_CHILD
           && info.state == WSK_SLOT_LIVE && info.since_us == NOON,
       "a slot tells whose it is");
    is_int((intmax_t)wsk_slot_sweep(seg), 0, "the living are not swept");
    ok(wsk_slot_successor(seg, (unsigned)b, 7), "a child succeeds");
    ok(!wsk_slot_successor(seg, (unsigned)b, 8), "not of an older generation");
    ok(!wsk_slot_successor(seg, (unsigned)a, 1), "nor itself, nor a keeper");
    wsk_slot_stopping(seg, (unsigned)a);
    ok(!wsk_slot_successor(seg, (unsigned)b, 7), "nor one that is stopping");
    wsk_slot_release(seg, (unsigned)a);
    ok(!wsk_slot_info(seg, (unsigned)a, &info), "released, it is free");
    is_int(wsk_slot_claim(seg, WSK_SLOT_CHILD, 44, 8, NOON), a,
           "and can be claimed again");
    wsk_slot_release(seg, (unsigned)a);
    wsk_slot_release(seg, (unsigned)b);
    store_end(seg);
}

/* A child that is killed with a slot full of everything. */
static int die_with_slot(wsk_segment_t *seg, uint32_t site)
{
    wsk_cursor_t heads[WSK_LOG_COUNT];
    const pid_t pid = fork();
    unsigned slot;

    if (pid == 0) {
        slot = (unsigned)wsk_slot_claim(seg, WSK_SLOT_CHILD, getpid(), 1, NOON);
        wsk_log_listen(seg, site, slot, heads);
        wsk_site_admit(seg, slot, site, 1, NULL);
        wsk_site_admit(seg, slot, site, 2, NULL);
        wsk_count(seg, slot, site, WSK_C_opened_ws, 2);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
    return 0;
}

static void deaths(void)
{
    wsk_segment_t *seg = store_new(2, 4, 2, 10);
    const uint32_t site = store_site(seg, 1, 1 << 20, 10);
    wsk_slot_info_t info;
    int slot;

    die_with_slot(seg, site);
    ok(wsk_slot_info(seg, 0, &info) && info.connections == 2,
       "a killed child leaves a slot that counts");
    is_int((intmax_t)wsk_slot_sweep(seg), 1, "until somebody sweeps");
    is_int((intmax_t)wsk_segment_connections(seg), 0,
           "then its connections are gone");
    is_int((intmax_t)atomic_load(&seg->sites[site].listeners[0]), 0,
           "nobody waits for it to read");
    is_int((intmax_t)wsk_segment_counter(seg, WSK_C_opened_ws), 2,
           "what it counted stays counted");
    is_int((intmax_t)wsk_segment_counter(seg, WSK_C_slots_reaped), 1,
           "and that it was reaped");
    die_with_slot(seg, site);
    die_with_slot(seg, site);
    slot = wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON);
    ok(slot >= 0, "a claim reaps the dead where there is no free slot");
    is_int((intmax_t)wsk_segment_connections(seg), 2, "one, as needed");
    wsk_slot_sweep(seg);
    store_whole(seg, "deaths leave all whole");
    wsk_slot_release(seg, (unsigned)slot);
    store_end(seg);
}

/* Who died may have appended and not rung: then everybody has a look. */
static void appended_and_died(void)
{
    wsk_segment_t *seg = store_new(3, 70, 2, 10);
    wsk_cursor_t heads[WSK_LOG_COUNT];
    const int slot = wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON);
    uint32_t site = 0, sites[4];
    unsigned i;

    for (i = 0; i < 70; i++) {
        site = store_site(seg, i, 1 << 20, 10);
    }
    wsk_log_listen(seg, site, (unsigned)slot, heads);
    is_int((intmax_t)wsk_slot_take(seg, (unsigned)slot, sites, 4), 0,
           "nothing to take");
    die_with_slot(seg, 3);
    wsk_slot_sweep(seg);
    is_int((intmax_t)wsk_slot_take(seg, (unsigned)slot, sites, 4), 1,
           "after a death listeners have a look");
    is_int((intmax_t)sites[0], (intmax_t)site, "at what they listen to");
    wsk_slot_release(seg, (unsigned)slot);
    store_end(seg);
}

static void counting(void)
{
    wsk_segment_t *seg = store_new(2, 4, 2, 10);
    const uint32_t site = store_site(seg, 1, 1 << 20, 10);
    const int slot = wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON);
    wsk_site_stats_t stats;
    wsk_slot_info_t info;

    wsk_count(seg, (unsigned)slot, site, WSK_C_delivered, 5);
    wsk_count(seg, (unsigned)slot, WSK_NO_SITE, WSK_C_delivered, 2);
    wsk_count(seg, 99, 99, WSK_C_delivered, 1);
    wsk_slot_info(seg, (unsigned)slot, &info);
    wsk_site_stats(seg, site, &stats);
    is_int((intmax_t)info.counters[WSK_C_delivered], 7, "a slot counts");
    is_int((intmax_t)stats.counters[WSK_C_delivered], 5, "a site counts");
    is_int((intmax_t)wsk_segment_counter(seg, WSK_C_delivered), 8,
           "the host counts all, also who has no slot");
    wsk_slot_release(seg, (unsigned)slot);
    is_int((intmax_t)wsk_segment_counter(seg, WSK_C_delivered), 8,
           "and forgets nothing");
    store_end(seg);
}

static unsigned woken[8];

static void wake(void *baton, unsigned slot)
{
    (void)baton;
    woken[slot]++;
}

static void ringing(void)
{
    wsk_segment_t *seg = store_new(8, 200, 2, 10);
    wsk_cursor_t heads[WSK_LOG_COUNT];
    uint32_t sites[8], i;

    for (i = 0; i < 200; i++) {
        store_site(seg, i, 1 << 20, 10);
    }
    wsk_log_listen(seg, 5, 3, heads);
    wsk_log_listen(seg, 5, 6, heads);
    for (i = 100; i < 110; i++) {
        wsk_log_listen(seg, i, 6, heads);
    }
    wsk_slot_ring(seg, 7, wake, NULL);
    ok(woken[3] == 0 && woken[6] == 0, "who does not listen is not woken");
    wsk_slot_ring(seg, 5, wake, NULL);
    wsk_slot_ring(seg, 5, wake, NULL);
    wsk_slot_ring(seg, 104, wake, NULL);
    ok(woken[3] == 1 && woken[6] == 1, "a burst wakes everybody once");
    ok(wsk_slot_rung(seg, 3), "who was rung can see it");
    is_int((intmax_t)wsk_slot_take(seg, 3, sites, 8), 1, "who takes");
    ok(!wsk_slot_rung(seg, 3), "until it takes");
    is_int((intmax_t)sites[0], 5, "is told which site");
    is_int((intmax_t)wsk_slot_take(seg, 3, sites, 8), 0, "once");
    wsk_slot_ring(seg, 5, wake, NULL);
    is_int((intmax_t)woken[3], 2, "and is woken again after that");
    for (i = 100; i < 110; i++) {
        wsk_slot_ring(seg, i, wake, NULL);
    }
    is_int((intmax_t)wsk_slot_take(seg, 6, sites, 8), 8,
           "more than fit are left for the next time");
    is_int((intmax_t)wsk_slot_take(seg, 6, sites, 8), 3, "all of them");
    is_int((intmax_t)woken[6], 1, "under one wake-up");
    wsk_log_unlisten(seg, 5, 6);
    wsk_slot_ring(seg, 5, wake, NULL);
    is_int((intmax_t)woken[6], 1, "who listens no more is let alone");
    wsk_slot_ring(seg, 4000, wake, NULL);
    is_int((intmax_t)wsk_slot_take(seg, 4000, sites, 8), 0,
           "numbers of nobody do nothing");
    store_end(seg);
}

/* Two processes with an eventfd each: every message is answered, so that a
 * single lost wake-up stops both. */
#define ROUNDS 50000

static int bells[4];

static void ring_bell(void *baton, unsigned slot)
{
    const uint64_t one = 1;

    (void)baton;
    if (write(bells[slot], &one, sizeof(one)) != sizeof(one)) {
        _exit(9);
    }
}

/* Read what came; @return how many records, 0 if woken for nothing */
static unsigned wait_and_read(wsk_segment_t *seg, unsigned slot,
                              wsk_cursor_t *at)
{
    struct pollfd fd = { bells[slot], POLLIN, 0 };
    wsk_record_t records[16];
    uint32_t sites[4];
    uint64_t rung;
    unsigned n = 0;
    char buf[4096];

    if (poll(&fd, 1, 20000) != 1
        || read(bells[slot], &rung, sizeof(rung)) != sizeof(rung)) {
        _exit(3);
    }
    if (wsk_slot_take(seg, slot, sites, 4) == 0) {
        return 0;
    }
    if (wsk_log_read(seg, 0, WSK_LOG_TEXT, at, buf, sizeof(buf), records, 16,
                     &n)
        != WSK_OK) {
        _exit(4);
    }
    wsk_log_at(seg, 0, slot, WSK_LOG_TEXT, at->seq);
    return n;
}

/* One side: speaks when the number of messages has its parity. */
static void player(wsk_segment_t *seg, unsigned slot, wsk_cursor_t at)
{
    while (at.seq < 2 * ROUNDS) {
        if (at.seq % 2 == slot) {
            if (store_append(seg, 0, WSK_LOG_TEXT, "abc", 8, at.seq + 1, NOON)
                != WSK_OK) {
                _exit(2);
            }
            wsk_slot_ring(seg, 0, ring_bell, NULL);
        }
        wait_and_read(seg, slot, &at);
    }
    _exit(0);
}

static void ping_pong(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 40);
    wsk_cursor_t heads[WSK_LOG_COUNT];
    pid_t pids[2];
    unsigned p;
    int status[2];

    store_site(seg, 1, 1 << 16, 50);
    for (p = 0; p < 2; p++) {
        bells[p] = eventfd(0, EFD_CLOEXEC);
        wsk_log_listen(seg, 0, p, heads);
    }
    for (p = 0; p < 2; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            player(seg, p, heads[WSK_LOG_TEXT]);
        }
    }
    for (p = 0; p < 2; p++) {
        waitpid(pids[p], &status[p], 0);
    }
    ok(status[0] == 0 && status[1] == 0,
       "%d messages to and fro, no wake-up is lost", 2 * ROUNDS);
    is_int((intmax_t)store_head(seg, 0, WSK_LOG_TEXT).seq, 2 * ROUNDS,
           "and each was sent once");
    store_end(seg);
}

/* Many ring one: bursts may share a wake-up, none may be lost. */
#define BURSTS 20000

static void many_to_one(void)
{
    wsk_segment_t *seg = store_new(4, 4, 2, 400);
    wsk_cursor_t heads[WSK_LOG_COUNT];
    wsk_cursor_t at;
    pid_t pids[3];
    unsigned p, i, got = 0;

    store_site(seg, 1, 4 << 20, 100000);
    bells[2] = eventfd(0, EFD_CLOEXEC);
    wsk_log_listen(seg, 0, 2, heads);
    at = heads[WSK_LOG_TEXT];
    for (p = 0; p < 3; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            for (i = 0; i < BURSTS; i++) {
                store_append(seg, 0, WSK_LOG_TEXT, "abc", 8, p, NOON);
                wsk_slot_ring(seg, 0, ring_bell, NULL);
            }
            _exit(0);
        }
    }
    while (got < 3 * BURSTS) {
        unsigned n = wait_and_read(seg, 2, &at);

        while (n > 0) {
            wsk_record_t records[16];
            char buf[4096];

            got += n;
            if (wsk_log_read(seg, 0, WSK_LOG_TEXT, &at, buf, sizeof(buf),
                             records, 16, &n)
                != WSK_OK) {
                break;
            }
        }
    }
    for (p = 0; p < 3; p++) {
        waitpid(pids[p], NULL, 0);
    }
    is_int((intmax_t)got, 3 * BURSTS, "three that ring one: nothing is missed");
    store_end(seg);
}

/* A worker that counts after its loop has left. */
static void counted_late(void)
{
    wsk_segment_t *seg = store_new(1, 4, 4, 10);
    const uint32_t at = store_site(seg, 1, 1 << 20, 10);
    unsigned slot = (unsigned)wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON);

    wsk_slot_release(seg, slot);
    wsk_site_admit(seg, slot, at, 5, NULL);
    is_int(wsk_segment_connections(seg), 1, "a connection is counted late");
    slot = (unsigned)wsk_slot_claim(seg, WSK_SLOT_CHILD, 2, 2, NOON);
    is_int(wsk_segment_connections(seg), 0,
           "the next in that slot begins from nothing");
    wsk_slot_release(seg, slot);
    store_whole(seg, "and all is whole");
    store_end(seg);
}

int main(void)
{
    counted_late();
    alarm(120);
    lives();
    deaths();
    appended_and_died();
    counting();
    ringing();
    ping_pong();
    many_to_one();
    return done_testing();
}
