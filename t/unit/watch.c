/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of who is present, and what comes after them: each change once, in
 * order, and never one that the list has already.
 */
#include "hub_fixture.h"

static void enter(stage_t *st, uint64_t member, const char *channel,
                  const char *state)
{
    const wsk_present_t who = { member, st->slot, 0, 10 };

    wsk_presence_enter(st->seg, st->site, &who, store_slice(channel),
                       store_slice(state), NOON);
}

static void leave(stage_t *st, uint64_t member)
{
    wsk_presence_leave(st->seg, st->site, member, (wsk_slice_t){ NULL, 0 },
                       NOON);
}

static void watcher(stage_t *st, ear_t *ear, uint64_t id, const char *channels)
{
    ear_join(st, ear, id);
    ear->watches = true;
    ear_on(st, ear, channels);
    wsk_hub_sync(st->hub, &ear->m);
}

static void lists_and_changes(void)
{
    stage_t st = stage_open(1000);
    static ear_t a, b;

    stage_hub(&st);
    enter(&st, 7, "x", "1");
    watcher(&st, &a, 1, "xy");
    is_str(heard(&a), "x[7] y[]", "a list for each channel, also when empty");
    wsk_hub_sync(st.hub, &a.m);
    is_str(heard(&a), "", "once");
    enter(&st, 8, "x", "1");
    enter(&st, 9, "z", "1");
    watcher(&st, &b, 2, "x");
    is_str(heard(&b), "x[7 8]", "who comes later has what was not told yet");
    stage_pump(&st);
    is_str(heard(&a), "x+8", "it is told to others");
    is_str(heard(&b), "", "and not to who has it");
    enter(&st, 8, "x", "2");
    enter(&st, 8, "x", "2");
    leave(&st, 7);
    enter(&st, 7, "y", "1");
    stage_pump(&st);
    is_str(heard(&a), "x+8 x-7 y+7", "changes come in order, each once");
    is_str(heard(&b), "x+8 x-7", "of one's own channels");
    is_int(wsk_hub_watchers(st.hub, st.site, store_slice("x")), 2,
           "watchers are counted");
    is_int(wsk_hub_watchers(st.hub, st.site, store_slice("q")), 0,
           "also where there are none");
    wsk_hub_unsubscribe(st.hub, &a.m, store_slice("x"));
    leave(&st, 8);
    ear_on(&st, &a, "x");
    wsk_hub_sync(st.hub, &a.m);
    stage_pump(&st);
    is_str(heard(&a), "x[]", "who subscribes again gets the list again");
    is_str(heard(&b), "x-8", "others the change");
    wsk_hub_leave(st.hub, &a.m);
    wsk_hub_leave(st.hub, &b.m);
    stage_close(&st);
}

/* The list comes after what was missed, and nothing of presence before it. */
static void after_replay(void)
{
    stage_t st = stage_open(1000);
    static ear_t a, b;

    stage_hub(&st);
    watcher(&st, &a, 1, "y");
    watcher(&st, &b, 2, "y");
    heard(&b);
    stage_say(&st, "xyx");
    enter(&st, 7, "x", "1");
    stage_pump(&st);
    heard(&a);
    ear_on(&st, &a, "x");
    ear_resume(&st, &a, 0, "x");
    wsk_hub_sync(st.hub, &a.m);
    is_str(heard(&a), "", "nothing while there is something to catch up on");
    enter(&st, 8, "x", "1");
    enter(&st, 7, "y", "1");
    stage_pump(&st);
    is_str(heard(&a), "", "nor changes meanwhile");
    is_str(heard(&b), "y:2 y+7", "which others have at once");
    ear_replay(&st, &a);
    is_str(heard(&a), "x:1 x:3 y[7] x[7 8]",
           "then the lists, with all that was changed");
    leave(&st, 7);
    stage_pump(&st);
    is_str(heard(&a), "x-7 y-7", "and it goes on live");
    wsk_hub_leave(st.hub, &a.m);
    wsk_hub_leave(st.hub, &b.m);
    stage_close(&st);
}

/* Changes were lost: everybody has the list again, and goes on from there. */
static void lost(void)
{
    stage_t st = stage_open(1000);
    static ear_t a, b;
    char state[16];
    unsigned i;

    stage_hub(&st);
    watcher(&st, &a, 1, "xy");
    watcher(&st, &b, 2, "x");
    heard(&a);
    heard(&b);
    for (i = 0; i < 40000; i++) {
        snprintf(state, sizeof(state), "%u", i);
        enter(&st, 7 + i % 2, "x", state);
    }
    leave(&st, 7);
    stage_pump(&st);
    is_str(heard(&b), "x[8]", "a child that was lapped gives the list");
    is_int((intmax_t)strlen(heard(&a)), (intmax_t)strlen("x[8] y[]"),
           "of each channel");
    leave(&st, 8);
    stage_pump(&st);
    is_str(heard(&b), "x-8", "and changes after it");
    wsk_hub_leave(st.hub, &a.m);
    wsk_hub_leave(st.hub, &b.m);
    stage_close(&st);
}

/* More members than the scratch holds. */
static void large_list(void)
{
    static char state[4000];
    stage_t st = stage_open(1000);
    static ear_t a;
    unsigned i;

    stage_hub(&st);
    memset(state, 'x', sizeof(state) - 1);
    for (i = 0; i < 40; i++) {
        enter(&st, 100 + i, "x", state);
    }
    watcher(&st, &a, 1, "x");
    is_int((intmax_t)strlen(heard(&a)), 2 + 1 + 40 * 4 - 1,
           "a list of forty large ones is whole");
    is_int((intmax_t)st.hub->scratch_cap, HUB_SCRATCH,
           "and its size is not kept");
    wsk_hub_leave(st.hub, &a.m);
    stage_close(&st);
}

int main(void)
{
    alarm(120);
    lists_and_changes();
    after_replay();
    lost();
    large_list();
    return done_testing();
}
