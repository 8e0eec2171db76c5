/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/wsk_hub.h"

#include "hub_fixture.h"

static void comings_and_goings(void)
{
    stage_t st = stage_open(1000);
    static ear_t a, b, c;

    stage_hub(&st);
    is_int(wsk_hub_members(st.hub, st.site), 0, "nobody is here at first");
    is_int(ear_join(&st, &a, 1), WSK_OK, "a member joins");
    is_int(wsk_hub_site_number(&a.m), st.site, "and knows its site");
    ear_join(&st, &b, 2);
    ear_join(&st, &c, 3);
    is_int(wsk_hub_members(st.hub, st.site), 3, "three are here");
    wsk_hub_leave(st.hub, &b.m);
    wsk_hub_leave(st.hub, &b.m);
    is_int(wsk_hub_members(st.hub, st.site), 2, "who leaves twice leaves once");
    wsk_hub_leave(st.hub, &c.m);
    wsk_hub_leave(st.hub, &a.m);
    is_int(wsk_hub_members(st.hub, st.site), 0, "all have gone");
    is_int(wsk_hub_join(st.hub, &a.m, 3), WSK_ENOTFOUND,
           "a site that is none has no members");
    is_int(wsk_hub_join(st.hub, &a.m, 4000), WSK_ENOTFOUND,
           "nor has a number beyond the table");
    wsk_site_switch(st.seg, st.site, false);
    is_int(wsk_hub_join(st.hub, &a.m, st.site), WSK_ENOTFOUND,
           "nor one that is switched off");
    stage_close(&st);
}

static void rung(void *baton, unsigned slot)
{
    (void)slot;
    ++*(unsigned *)baton;
}

static void listens_only_with_members(void)
{
    stage_t st = stage_open(1000);
    static ear_t a;
    unsigned rings = 0;

    stage_hub(&st);
    wsk_slot_ring(st.seg, st.site, rung, &rings);
    is_int(rings, 0, "a site without members here does not ring us");
    ear_join(&st, &a, 1);
    wsk_slot_ring(st.seg, st.site, rung, &rings);
    is_int(rings, 1, "one with a member does");
    wsk_hub_leave(st.hub, &a.m);
    wsk_slot_ring(st.seg, st.site, rung, &rings);
    is_int(rings, 1, "until the last one leaves");
    ok(!wsk_hub_pump(st.hub, st.site), "and there is nothing to pump");
    stage_close(&st);
}

static void subscribing(void)
{
    stage_t st = stage_open(1000);
    static ear_t a;
    wsk_slice_t names[5];
    unsigned i;

    stage_hub(&st);
    for (i = 0; i < 5; i++) {
        names[i] = (wsk_slice_t){ &"abcde"[i], 1 };
    }
    ear_join(&st, &a, 1);
    is_int(wsk_hub_subscribe(st.hub, &a.m, names, 2, 3), WSK_OK,
           "two of three channels");
    is_int(wsk_hub_subscribe(st.hub, &a.m, names + 1, 3, 3), WSK_EFULL,
           "two more are over the cap");
    is_int(a.m.nsubs, 2, "and nothing of that list is kept");
    ok(!wsk_hub_has(&a.m, names[2]), "not even what would have fitted");
    ok(wsk_hub_has(&a.m, names[1]), "what was there before stays");
    is_int(wsk_hub_subscribe(st.hub, &a.m, names, 2, 2), WSK_OK,
           "names it has do not count again");
    is_int(a.m.nsubs, 2, "nor are they doubled");
    ok(wsk_hub_unsubscribe(st.hub, &a.m, names[0]), "one is given up");
    ok(!wsk_hub_unsubscribe(st.hub, &a.m, names[0]), "once");
    ok(!wsk_hub_has(&a.m, names[0]) && wsk_hub_has(&a.m, names[1]),
       "and no other");
    is_mem(wsk_hub_name(&a.m.subs[0]).at, wsk_hub_name(&a.m.subs[0]).len, "b",
           1, "a sub tells its name");
    stage_say(&st, "abc");
    stage_pump(&st);
    is_str(heard(&a), "b:2", "it hears what it is on, nothing else");
    wsk_hub_leave(st.hub, &a.m);
    stage_close(&st);
}

static void visited(void *baton, wsk_member_t *m)
{
    *(uint64_t *)baton += m->id;
}

static void all_at_a_site(void)
{
    stage_t st = stage_open(1000);
    static ear_t ears[3];
    uint64_t sum = 0;
    unsigned i;

    stage_hub(&st);
    wsk_hub_each(st.hub, st.site, visited, &sum);
    is_int((intmax_t)sum, 0, "of nobody nobody is visited");
    for (i = 0; i < 3; i++) {
        ear_join(&st, &ears[i], 1u << i);
    }
    wsk_hub_each(st.hub, st.site, visited, &sum);
    is_int((intmax_t)sum, 7, "every member is visited once");
    for (i = 0; i < 3; i++) {
        wsk_hub_leave(st.hub, &ears[i].m);
    }
    stage_close(&st);
}

/* Many members come, subscribe, unsubscribe and go at random; each must hear
 * what a table says it is on. */
static void against_a_model(void)
{
    enum { EARS = 24, NAMES = 12 };
    stage_t st = stage_open(1000);
    static ear_t ears[EARS];
    static bool in[EARS], on[EARS][NAMES];
    unsigned seed = 20240601, wrong = 0, i, e, n;

    stage_hub(&st);
    for (i = 0; i < 6000; i++) {
        e = (unsigned)rand_r(&seed) % EARS;
        n = (unsigned)rand_r(&seed) % NAMES;
        char name[2] = { (char)('a' + n), '\0' };

        if (!in[e]) {
            in[e] = ear_join(&st, &ears[e], e + 1) == WSK_OK;
        }
        else if (rand_r(&seed) % 16 == 0) {
            wsk_hub_leave(st.hub, &ears[e].m);
            in[e] = false;
            memset(on[e], 0, sizeof(on[e]));
        }
        else if (rand_r(&seed) % 2 == 0) {
            wrong += ear_on(&st, &ears[e], name) != WSK_OK;
            on[e][n] = true;
        }
        else {
            wrong += wsk_hub_unsubscribe(st.hub, &ears[e].m, store_slice(name))
                     != on[e][n];
            on[e][n] = false;
        }
        stage_say(&st, name);
        stage_pump(&st);
        for (e = 0; e < EARS; e++) {
            wrong += in[e] && (heard(&ears[e])[0] == name[0]) != on[e][n];
        }
    }
    is_int(wrong, 0, "6000 random steps: everybody hears just what it is on");
    is_int(st.wrong, 0, "and each body whole");
    for (e = 0; e < EARS; e++) {
        wsk_hub_leave(st.hub, &ears[e].m);
    }
    is_int(wsk_hub_members(st.hub, st.site), 0, "nobody is left behind");
    stage_close(&st);
}

int main(void)
{
    comings_and_goings();
    listens_only_with_members();
    subscribing();
    all_at_a_site();
    against_a_model();
    return done_testing();
}
