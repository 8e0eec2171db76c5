/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/wsk_hub.h"

#include "hub_fixture.h"
#include "store/wsk_repair.h"
#include "store/wsk_work.h"

static void live(void)
{
    stage_t st = stage_open(1000);
    static ear_t a, b;

    stage_hub(&st);
    ear_join(&st, &a, 1);
    ear_join(&st, &b, 2);
    ear_on(&st, &a, "xy");
    stage_say(&st, "x");
    ear_on(&st, &b, "y");
    stage_say(&st, "yxz");
    stage_pump(&st);
    is_str(heard(&a), "x:1 y:2 x:3",
           "a member gets each record once and in order");
    is_str(heard(&b), "y:2", "and only on its channels");
    is_int(st.made, 3, "a record that two hear is one delivery");
    is_int(st.done, 3, "that is ended once");
    is_int((intmax_t)wsk_hub_position(&a.m).seq, 4,
           "the position passes what nobody hears");
    stage_pump(&st);
    is_str(heard(&a), "", "nothing comes twice");
    wsk_hub_leave(st.hub, &a.m);
    wsk_hub_leave(st.hub, &b.m);
    stage_close(&st);
}

static void in_pieces(void)
{
    stage_t st = stage_open(1000);
    static ear_t a;
    unsigned turns = 0, i;

    stage_hub(&st);
    ear_join(&st, &a, 1);
    ear_on(&st, &a, "x");
    for (i = 0; i < HUB_BATCH * 2 + 1; i++) {
        stage_say(&st, "x");
    }
    ok(wsk_hub_pump(st.hub, st.site), "a long log takes more than one turn");
    is_int((intmax_t)wsk_hub_position(&a.m).seq, HUB_BATCH,
           "each of a bounded piece");
    while (wsk_hub_pump(st.hub, st.site) && turns < 100) {
        turns++;
    }
    is_int(turns, 2, "and ends when all is read");
    is_int((intmax_t)wsk_hub_position(&a.m).seq, HUB_BATCH * 2 + 1,
           "at the newest");
    wsk_hub_leave(st.hub, &a.m);
    stage_close(&st);
}

static void large_record(void)
{
    stage_t st = stage_open(1000);
    static ear_t a;

    stage_hub(&st);
    ear_join(&st, &a, 1);
    ear_on(&st, &a, "x");
    is_int(store_append(st.seg, st.site, WSK_LOG_TEXT, "x", 3 * HUB_SCRATCH, 1,
                        NOON),
           WSK_OK, "a record larger than the scratch is there");
    stage_pump(&st);
    is_str(heard(&a), "x:1", "it arrives");
    is_int(st.wrong, 0, "whole");
    is_int((intmax_t)st.hub->scratch_cap, HUB_SCRATCH,
           "and leaves no large scratch behind");
    wsk_hub_leave(st.hub, &a.m);
    stage_close(&st);
}

static void binary(void)
{
    stage_t st = stage_open(1000);
    static ear_t a, b;

    stage_hub(&st);
    ear_join(&st, &a, 1);
    ear_join(&st, &b, 2);
    ear_on(&st, &a, "x");
    ear_on(&st, &b, "x");
    stage_send(&st, "x", 1);
    stage_send(&st, "x", 0);
    stage_pump(&st);
    is_str(heard(&a), "x!2", "binary does not go back to its sender");
    is_str(heard(&b), "x!1 x!2", "but to all others");
    wsk_hub_leave(st.hub, &a.m);
    wsk_hub_leave(st.hub, &b.m);
    stage_close(&st);
}

static void replayed(void)
{
    stage_t st = stage_open(1000);
    static ear_t a;
    unsigned i;

    stage_hub(&st);
    stage_say(&st, "xyxyx");
    ear_join(&st, &a, 1);
    ear_on(&st, &a, "x");
    ear_resume(&st, &a, 1, "x");
    ok(a.m.replaying, "who comes back with an id is caught up");
    stage_say(&st, "xy");
    stage_pump(&st);
    is_str(heard(&a), "", "live records wait for the replay");
    ear_replay(&st, &a);
    stage_say(&st, "x");
    stage_pump(&st);
    is_str(heard(&a), "x:3 x:5 x:6 x:8", "replay then live without a seam");
    ear_resume(&st, &a, 8, "x");
    ok(!a.m.replaying, "who has all needs no replay");
    for (i = 0; i < 3 * HUB_BATCH; i++) {
        stage_say(&st, "x");
    }
    stage_pump(&st);
    heard(&a);
    a.room = 5;
    ear_resume(&st, &a, 8, "x");
    ear_replay(&st, &a);
    ok(a.m.replaying, "a replay stops where there is no room");
    is_int((intmax_t)a.m.at, 8 + 5, "to the record, not to what was read");
    is_str(heard(&a), "x:9 x:10 x:11 x:12 x:13", "and gave no more than that");
    a.room = 1000;
    wsk_hub_replay(st.hub, &a.m);
    is_int((intmax_t)a.m.at, 13 + HUB_BATCH, "and reads a bounded piece");
    ear_replay(&st, &a);
    ok(strncmp(heard(&a), "x:14 x:15 ", 10) == 0, "it goes on from there");
    ok(!a.m.replaying, "and goes on when there is");
    wsk_hub_leave(st.hub, &a.m);
    stage_close(&st);
}

static void second_subscribe(void)
{
    stage_t st = stage_open(1000);
    static ear_t a;

    stage_hub(&st);
    ear_join(&st, &a, 1);
    ear_on(&st, &a, "x");
    stage_say(&st, "xyxy");
    stage_pump(&st);
    is_str(heard(&a), "x:1 x:3", "live on one channel");
    ear_on(&st, &a, "y");
    ear_resume(&st, &a, 0, "y");
    ear_replay(&st, &a);
    is_str(heard(&a), "y:2 y:4",
           "a second subscribe with an id replays its own channels alone");
    ear_on(&st, &a, "z");
    stage_say(&st, "xyz");
    ear_resume(&st, &a, 0, "z");
    stage_say(&st, "xz");
    stage_pump(&st);
    ear_replay(&st, &a);
    is_str(heard(&a), "x:5 y:6 z:7 x:8 z:9",
           "what comes meanwhile on others is neither lost nor doubled");
    wsk_hub_leave(st.hub, &a.m);
    stage_close(&st);
}

/* The same for a member that is on its way when it asks again. */
static void nested_replays(void)
{
    stage_t st = stage_open(1000);
    static ear_t a;
    unsigned i;

    stage_hub(&st);
    ear_join(&st, &a, 1);
    for (i = 0; i < HUB_BATCH; i++) {
        stage_say(&st, "xy");
    }
    stage_pump(&st);
    ear_on(&st, &a, "x");
    a.room = 32;
    ear_resume(&st, &a, 2 * HUB_BATCH - 70, "x");
    ear_replay(&st, &a);
    is_int((intmax_t)a.m.at, 2 * HUB_BATCH - 7, "halfway");
    heard(&a);
    ear_on(&st, &a, "y");
    ear_resume(&st, &a, 2 * HUB_BATCH - 12, "y");
    a.room = 100;
    ear_replay(&st, &a);
    is_str(heard(&a), "y:118 y:120 y:122 x:123 y:124 x:125 y:126 x:127 y:128",
           "a replay that begins during another doubles nothing");
    wsk_hub_leave(st.hub, &a.m);
    stage_close(&st);
}

/* Who was told more by another process than this one has read. */
static void ahead(void)
{
    stage_t st = stage_open(1000);
    static ear_t a, b;

    stage_hub(&st);
    ear_join(&st, &b, 2);
    ear_on(&st, &b, "xy");
    stage_say(&st, "xyxyxy");
    ear_join(&st, &a, 1);
    ear_on(&st, &a, "x");
    ear_resume(&st, &a, 3, "x");
    stage_pump(&st);
    ear_replay(&st, &a);
    is_str(heard(&a), "x:5", "what it has seen elsewhere does not come again");
    is_str(heard(&b), "x:1 y:2 x:3 y:4 x:5 y:6", "others get all of it");
    stage_say(&st, "xyx");
    ear_on(&st, &a, "y");
    ear_resume(&st, &a, 8, "y");
    stage_say(&st, "yx");
    stage_pump(&st);
    ear_replay(&st, &a);
    is_str(heard(&a), "x:7 x:9 y:10 x:11",
           "nor is anything lost on the channels it had");
    wsk_hub_leave(st.hub, &a.m);
    wsk_hub_leave(st.hub, &b.m);
    stage_close(&st);
}

/* Who comes back to a channel on which nothing happened reads nothing, however
 * much happened on others, and whether this process has read that or not. */
static void quiet(void)
{
    stage_t st = stage_open(1000);
    static ear_t a, b;

    stage_hub(&st);
    ear_join(&st, &b, 2);
    ear_on(&st, &b, "y");
    stage_say(&st, "xyyyyy");
    stage_pump(&st);
    stage_say(&st, "yyy");
    ear_join(&st, &a, 1);
    ear_on(&st, &a, "x");
    ear_resume(&st, &a, 1, "x");
    ok(!a.m.replaying, "who missed nothing needs no replay");
    is_int((intmax_t)wsk_hub_position(&a.m).seq, 6,
           "and the live stream is not hurried for it");
    stage_say(&st, "x");
    stage_pump(&st);
    is_str(heard(&a), "x:10", "it hears what comes");
    wsk_hub_leave(st.hub, &a.m);
    wsk_hub_leave(st.hub, &b.m);
    stage_close(&st);
}

static void gaps(void)
{
    stage_t st = stage_open(4);
    static ear_t a, b;

    stage_hub(&st);
    stage_say(&st, "xyyyyyy");
    ear_join(&st, &a, 1);
    ear_join(&st, &b, 2);
    ear_on(&st, &a, "x");
    ear_on(&st, &b, "y");
    ear_resume(&st, &a, 1, "x");
    ear_replay(&st, &a);
    is_str(heard(&a), "", "no gap is told to whom nothing may be lost");
    ear_resume(&st, &b, 1, "y");
    ear_replay(&st, &b);
    is_str(heard(&b), "gap:1-3 y:4 y:5 y:6 y:7",
           "a gap is told before what is left");
    wsk_hub_leave(st.hub, &a.m);
    wsk_hub_leave(st.hub, &b.m);
    stage_close(&st);
}

/* A log that a repair began anew while somebody was catching up. */
static void begun_anew(void)
{
    stage_t st = stage_open(1000);
    static ear_t a, b;
    wsk_state_t *state;

    stage_hub(&st);
    stage_say(&st, "xxxxxxxx");
    ear_join(&st, &a, 1);
    ear_join(&st, &b, 2);
    ear_on(&st, &a, "x");
    ear_on(&st, &b, "x");
    a.room = 2;
    ear_resume(&st, &a, 1, "x");
    ear_replay(&st, &a);
    is_str(heard(&a), "x:2 x:3", "one is on its way");
    state = wsk_state_of(&st.seg->sites[st.site]);
    wsk_page_bytes(st.seg, state->log[WSK_LOG_TEXT].first)[31] = 1;
    wsk_site_take(st.seg, st.site);
    wsk_repair_site(st.seg, st.site);
    wsk_site_give(st.seg, st.site);
    stage_say(&st, "xx");
    stage_pump(&st);
    a.room = 1000;
    ear_replay(&st, &a);
    is_str(heard(&b), "gap:8-8 x:9 x:10", "who was live is told");
    is_str(heard(&a), "gap:3-8 x:9 x:10", "and who was catching up");
    wsk_hub_leave(st.hub, &a.m);
    wsk_hub_leave(st.hub, &b.m);
    stage_close(&st);
}

int main(void)
{
    live();
    in_pieces();
    large_record();
    binary();
    replayed();
    second_subscribe();
    nested_replays();
    ahead();
    quiet();
    gaps();
    begun_anew();
    return done_testing();
}
