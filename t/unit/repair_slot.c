/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever dies while it comes, goes or counts a connection: its slot comes back,
 * and nothing stands for it.
 */
#include "repair_fixture.h"

static uint32_t connections_of(wsk_segment_t *seg)
{
    wsk_site_stats_t stats;

    wsk_site_stats(seg, site, &stats);
    return stats.connections;
}

static void admit_two(wsk_segment_t *seg)
{
    wsk_site_admit(seg, (unsigned)slot, site, 1234, NULL);
    wsk_site_admit(seg, (unsigned)slot, site, 99, NULL);
}

static const char *counted(wsk_segment_t *seg)
{
    const uint32_t n = connections_of(seg);
    uint32_t i;

    if (n < start.seq || n > start.seq + 2) {
        return "connections are miscounted";
    }
    if (whole(seg) != NULL) {
        return whole(seg);
    }
    for (i = 0; i < start.seq; i++) {
        wsk_site_leave(seg, (unsigned)slot, wsk_slot_term(seg, (unsigned)slot),
                       site, 1234);
    }
    return whole(seg);
}

static void admit_dying(wsk_segment_t *seg)
{
    death_t death = { "admission", admit_two, counted };

    start.seq = 3;
    wsk_site_admit(seg, (unsigned)slot, site, 1234, NULL);
    wsk_site_admit(seg, (unsigned)slot, site, 1234, NULL);
    wsk_site_admit(seg, (unsigned)slot, site, 1234, NULL);
    deaths_try(&death, seg);
}

static void leave_all(wsk_segment_t *seg)
{
    wsk_site_leave(seg, (unsigned)slot, wsk_slot_term(seg, (unsigned)slot),
                   site, 99);
    wsk_site_leave(seg, (unsigned)slot, wsk_slot_term(seg, (unsigned)slot),
                   site, 1234);
    wsk_site_leave(seg, (unsigned)slot, wsk_slot_term(seg, (unsigned)slot),
                   site, 1234);
}

static const char *left(wsk_segment_t *seg)
{
    return connections_of(seg) > start.seq ? "connections come from nowhere"
                                           : whole(seg);
}

static void leave_dying(wsk_segment_t *seg)
{
    death_t death = { "leaving", leave_all, left };

    wsk_site_admit(seg, (unsigned)slot, site, 1234, NULL);
    wsk_site_admit(seg, (unsigned)slot, site, 1234, NULL);
    wsk_site_admit(seg, (unsigned)slot, site, 99, NULL);
    start.seq = 3;
    deaths_try(&death, seg);
}

/* A child's whole life: claim, listen, admit, read, unlisten, release. */
static void live(wsk_segment_t *seg)
{
    const int own = wsk_slot_claim(seg, WSK_SLOT_CHILD, 42, 7, NOON);
    wsk_cursor_t heads[WSK_LOG_COUNT];

    if (own >= 0) {
        wsk_log_listen(seg, site, (unsigned)own, heads);
        wsk_site_admit(seg, (unsigned)own, site, 5, NULL);
        wsk_count(seg, (unsigned)own, site, WSK_C_opened_ws, 1);
        wsk_site_leave(seg, (unsigned)own, wsk_slot_term(seg, (unsigned)own),
                       site, 5);
        wsk_site_admit(seg, (unsigned)own, site, 6, NULL);
        wsk_slot_release(seg, (unsigned)own);
    }
}

/* Every slot but the tester's can be had again, and nothing stands. */
static const char *reaped(wsk_segment_t *seg)
{
    const unsigned slots = seg->spec.slots;
    unsigned i, mine = 0;

    wsk_slot_sweep(seg);
    if (whole(seg) != NULL) {
        return whole(seg);
    }
    if (wsk_segment_connections(seg) != 0
        || atomic_load(&seg->sites[site].listeners[0]) != 0) {
        return "something stands for a slot that is gone";
    }
    while (wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON) >= 0) {
        mine++;
    }
    for (i = 0; i < slots; i++) {
        if (i != (unsigned)slot) {
            wsk_slot_release(seg, i);
        }
    }
    return mine == slots - 1 ? whole(seg) : "a slot is lost";
}

static void live_dying(wsk_segment_t *seg)
{
    death_t death = { "a child's life", live, reaped };

    deaths_try(&death, seg);
}

/* Leave a slot as a dead child leaves it. */
static void die_living(wsk_segment_t *seg)
{
    wsk_cursor_t heads[WSK_LOG_COUNT];
    pid_t pid = fork();
    int own;

    if (pid == 0) {
        own = wsk_slot_claim(seg, WSK_SLOT_CHILD, 42, 7, NOON);
        wsk_log_listen(seg, site, (unsigned)own, heads);
        wsk_site_admit(seg, (unsigned)own, site, 5, NULL);
        wsk_site_admit(seg, (unsigned)own, site, 6, NULL);
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
}

static void sweep(wsk_segment_t *seg)
{
    wsk_slot_sweep(seg);
}

static void sweep_dying(wsk_segment_t *seg)
{
    death_t death = { "reaping a slot", sweep, reaped };

    die_living(seg);
    is_int(wsk_segment_connections(seg), 2, "a dead child leaves connections");
    deaths_try(&death, seg);
}

/* Every call an act makes was made once, so that no step is the linker's. */
static void warm_up(wsk_segment_t *seg)
{
    admit_two(seg);
    leave_all(seg);
    live(seg);
    die_living(seg);
    sweep(seg);
}

int main(void)
{
    static with_fn *const each[] = { admit_dying, leave_dying, live_dying,
                                     sweep_dying };
    size_t i;

    with_segment(warm_up);
    for (i = 0; i < WSK_COUNT_OF(each); i++) {
        with_segment(each[i]);
    }
    return done_testing();
}
