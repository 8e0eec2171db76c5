/* SPDX-License-Identifier: Apache-2.0 */
#include "hub_fixture.h"

/* Two hubs of one segment: `st` is the one a member comes to. */
static stage_t st, from;
static ear_t guest, moved, local;

static void open_both(uint32_t messages)
{
    st = stage_open(messages);
    stage_hub(&st);
    from = (stage_t){ .seg = st.seg, .site = st.site };
    from.slot = (unsigned)wsk_slot_claim(st.seg, WSK_SLOT_CHILD, 2, 1, NOON);
    stage_hub(&from);
    ear_join(&from, &guest, 7);
}

static void close_both(void)
{
    wsk_hub_leave(st.hub, &moved.m); /* if there is one */
    wsk_hub_free(from.hub);
    wsk_slot_release(from.seg, from.slot);
    is_int(st.wrong, 0, "what comes is what was said");
    stage_close(&st);
}

/* The guest moves; from now on it is `moved`. */
static wsk_status_e move(void)
{
    wsk_sub_in_t subs[8];
    wsk_place_in_t place;
    wsk_status_e rv;
    unsigned i;

    wsk_hub_place(&guest.m, &place);
    for (i = 0; i < guest.m.nsubs; i++) {
        subs[i] = (wsk_sub_in_t){ wsk_hub_name(&guest.m.subs[i]),
                                  guest.m.subs[i].from, guest.m.subs[i].known };
    }
    moved = (ear_t){ .m = { .id = guest.m.id, .binary = guest.m.binary },
                     .room = 1000,
                     .watches = guest.watches };
    rv = wsk_hub_arrive(st.hub, &moved.m, st.site, &place, subs, i);
    wsk_hub_leave(from.hub, &guest.m);
    return rv;
}

/* The number of the oldest message that is kept. */
static uint64_t oldest(void)
{
    wsk_site_stats_t stats;

    wsk_site_stats(st.seg, st.site, &stats);
    return stats.oldest;
}

/* Whoever has read more, or less. */
static void first_of_its_site(void)
{
    open_both(1000);
    ear_on(&from, &guest, "xy");
    stage_say(&st, "xzy");
    stage_pump(&from);
    heard(&guest);
    stage_say(&st, "xy");
    stage_send(&st, "x", 0);
    is_int(move(), WSK_OK, "one moves");
    stage_say(&st, "zx");
    stage_pump(&st);
    is_str(heard(&moved), "x:4 y:5 x:7 x!1",
           "and gets what it had not read, and what comes");
    close_both();
}

static void hub_is_behind(void)
{
    open_both(1000);
    ear_join(&st, &local, 1);
    ear_on(&st, &local, "x");
    ear_on(&from, &guest, "x");
    stage_say(&st, "xxx");
    stage_send(&st, "x", 0);
    stage_pump(&from);
    is_str(heard(&guest), "x:1 x:2 x:3 x!1", "the other hub read on");
    is_int(move(), WSK_OK, "one moves to a hub that has read less");
    stage_say(&st, "x");
    stage_send(&st, "x", 0);
    stage_pump(&st);
    is_str(heard(&moved), "x:4 x!2", "it hears nothing twice");
    is_str(heard(&local), "x:1 x:2 x:3 x!1 x:4 x!2",
           "who is there misses none");
    wsk_hub_leave(st.hub, &local.m);
    close_both();
}

static void hub_is_ahead(void)
{
    open_both(1000);
    ear_join(&st, &local, 1);
    ear_on(&st, &local, "x");
    ear_on(&from, &guest, "x");
    stage_say(&st, "xx");
    stage_send(&st, "x", 0);
    stage_send(&st, "x", 0);
    stage_pump(&st);
    heard(&local);
    is_int(move(), WSK_OK, "one moves to a hub that has read more");
    is_str(heard(&moved), "x!1 x!2", "frames come at once");
    ok(moved.m.replaying, "messages in its turn");
    stage_say(&st, "x");
    stage_pump(&st);
    ear_replay(&st, &moved);
    is_str(heard(&moved), "x:1 x:2 x:3", "once and in order");
    is_str(heard(&local), "x:3", "nobody else hears them again");
    wsk_hub_leave(st.hub, &local.m);
    close_both();
}

/* History is off: only what somebody has yet to read is kept. */
static void without_history(void)
{
    open_both(0);
    ear_join(&st, &local, 1);
    ear_on(&st, &local, "x");
    ear_on(&from, &guest, "x");
    stage_say(&st, "xxx");
    stage_pump(&st);
    is_int(move(), WSK_OK, "one moves where there is no history");
    stage_say(&st, "xx");
    stage_pump(&st);
    wsk_log_tidy(st.seg, NOON);
    stage_say(&st, "x");
    stage_pump(&st);
    ear_replay(&st, &moved);
    is_str(heard(&moved), "x:1 x:2 x:3 x:4 x:5 x:6",
           "what it has yet to read is kept for it");
    stage_say(&st, "xx");
    stage_pump(&st);
    stage_say(&st, "x");
    is_int((intmax_t)oldest(), 9, "and not longer than that");
    wsk_hub_leave(st.hub, &local.m);
    close_both();
}

static void in_a_replay(void)
{
    open_both(1000);
    stage_say(&st, "xyxy");
    stage_pump(&from);
    ear_on(&from, &guest, "xy");
    ear_resume(&from, &guest, 1, "x");
    stage_say(&st, "xy");
    stage_pump(&from);
    ok(guest.m.replaying, "one is being told what it missed");
    is_int(move(), WSK_OK, "and moves");
    stage_pump(&st);
    ear_replay(&st, &moved);
    is_str(heard(&moved), "x:3 x:5 y:6",
           "it gets the rest, and on no channel what it had");
    close_both();
}

static void presence(void)
{
    wsk_present_t who = { .member = 8, .slot = 1, .channels = 9 };
    const wsk_slice_t x = { "x", 1 }, state = { "{}", 2 };

    open_both(1000);
    ear_join(&st, &local, 1);
    local.watches = true;
    guest.watches = true;
    ear_on(&st, &local, "x");
    ear_on(&from, &guest, "x");
    wsk_hub_sync(from.hub, &guest.m);
    wsk_hub_sync(st.hub, &local.m);
    is_str(heard(&guest), "x[]", "nobody is there");
    wsk_presence_enter(st.seg, st.site, &who, x, state, NOON);
    stage_pump(&from);
    is_str(heard(&guest), "x+8", "one comes");
    who.member = 9;
    wsk_presence_enter(st.seg, st.site, &who, x, state, NOON);
    stage_pump(&st);
    is_int(move(), WSK_OK, "a member moves");
    wsk_hub_sync(st.hub, &moved.m);
    who.member = 10;
    wsk_presence_enter(st.seg, st.site, &who, x, state, NOON);
    stage_pump(&st);
    is_str(heard(&moved), "x+9 x+10", "and is told each change once");
    is_str(heard(&local), "x[] x+8 x+9 x+10", "as who was there");
    wsk_hub_leave(st.hub, &local.m);
    close_both();
}

static void refusals(void)
{
    const wsk_sub_in_t twice[] = { { { "x", 1 }, 0, 0 }, { { "x", 1 }, 0, 0 } };
    wsk_place_in_t place = { 0 };
    static ear_t late;
    wsk_member_t *m = &late.m;

    open_both(1000);
    is_int(wsk_hub_arrive(st.hub, m, 99, &place, twice, 1), WSK_ENOTFOUND,
           "a site that is none");
    is_int(wsk_hub_arrive(st.hub, m, st.site, &place, twice, 2), WSK_EINVAL,
           "a channel that is there twice");
    ok(m->site == NULL && m->subs == NULL, "nothing stays of it");
    is_int((intmax_t)wsk_hub_members(st.hub, st.site), 0, "nor in the hub");
    stage_say(&st, "x");
    is_int(wsk_hub_arrive(st.hub, m, st.site, &place, twice, 1), WSK_OK,
           "a log that began anew since");
    is_str(heard(&late), "gap:0-1", "is a gap");
    ok(!m->replaying && !m->held, "and not replayed");
    wsk_hub_leave(st.hub, m);
    wsk_site_switch(st.seg, st.site, false);
    is_int(wsk_hub_arrive(st.hub, m, st.site, &place, twice, 1), WSK_ENOTFOUND,
           "a site that is off");
    moved = (ear_t){ 0 };
    wsk_hub_leave(from.hub, &guest.m);
    close_both();
}

int main(void)
{
    first_of_its_site();
    hub_is_behind();
    hub_is_ahead();
    without_history();
    in_a_replay();
    presence();
    refusals();
    return done_testing();
}
