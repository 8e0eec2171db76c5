/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is on which channel: lists, the records that change them, bounds, leases,
 * and what is left of whoever dies.
 */
#include "repair_fixture.h"

#include "store/wsk_presence.h"

typedef struct pair_t {
    uint64_t member;
    char state[64];
} pair_t;

typedef struct pairs_t {
    pair_t at[64];
    unsigned n;
} pairs_t;

static pairs_t seen;

static void pair_put(uint64_t member, wsk_slice_t state, bool stays)
{
    unsigned i = 0;

    while (i < seen.n && seen.at[i].member != member) {
        i++;
    }
    if (!stays) {
        if (i < seen.n) {
            seen.at[i] = seen.at[--seen.n];
        }
        return;
    }
    seen.at[i].member = member;
    snprintf(seen.at[i].state, sizeof(seen.at[i].state), "%.*s", (int)state.len,
             state.at);
    seen.n += i == seen.n;
}

static void apply(wsk_slice_t body)
{
    wsk_slice_t rest, state;
    uint64_t member;
    const wsk_presence_e what = wsk_presence_read(body, &rest);

    if (what == WSK_PRESENCE_SYNC) {
        seen.n = 0;
    }
    while (wsk_presence_next(&rest, &member, &state)) {
        pair_put(member, state, what != WSK_PRESENCE_LEFT);
    }
}

static int by_member(const void *a, const void *b)
{
    const pair_t *x = a, *y = b;

    return x->member < y->member ? -1 : x->member > y->member;
}

static const char *seen_text(void)
{
    static char text[8192];
    size_t at = 0;
    unsigned i;

    qsort(seen.at, seen.n, sizeof(pair_t), by_member);
    text[0] = '\0';
    for (i = 0; i < seen.n; i++) {
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u=%s",
                               i > 0 ? " " : "", (unsigned)seen.at[i].member,
                               seen.at[i].state);
    }
    return text;
}

/* The list as it is now. */
static const char *list(wsk_segment_t *seg, const char *channel,
                        wsk_cursor_t *at)
{
    static char buf[300000];
    wsk_cursor_t ignored;
    size_t len = 0;

    seen.n = 0;
    if (wsk_presence_list(seg, site, store_slice(channel), buf, sizeof(buf),
                          &len, at != NULL ? at : &ignored)
        != WSK_OK) {
        return "no list";
    }
    apply((wsk_slice_t){ buf, len });
    return seen_text();
}

/* The list as a watcher has it who read the log from its place on. */
static const char *follow(wsk_segment_t *seg, const char *channel,
                          wsk_cursor_t *at, unsigned *precords)
{
    static char buf[300000];
    wsk_record_t records[16];
    unsigned n = 0, i;

    do {
        const wsk_status_e rv = wsk_log_read(seg, site, WSK_LOG_PRESENCE, at,
                                             buf, sizeof(buf), records, 16, &n);

        if (rv == WSK_EGAP) {
            return list(seg, channel, at);
        }
        for (i = 0; rv == WSK_OK && i < n; i++) {
            *precords += 1;
            if (records[i].channel.len == strlen(channel)
                && memcmp(records[i].channel.at, channel, strlen(channel))
                       == 0) {
                apply(records[i].body);
            }
        }
    } while (n > 0);
    return seen_text();
}

static wsk_status_e enter(wsk_segment_t *seg, unsigned with, uint64_t member,
                          const char *channel, const char *state)
{
    const wsk_present_t who = { member, with, NOON + 30 * SECOND, 4 };

    return wsk_presence_enter(seg, site, &who, store_slice(channel),
                              store_slice(state), NOON);
}

static const wsk_slice_t everywhere = { NULL, 0 };

static void come_and_go(wsk_segment_t *seg)
{
    wsk_cursor_t at;
    unsigned records = 0;
    wsk_cursor_t heads[WSK_LOG_COUNT];

    wsk_log_listen(seg, site, (unsigned)slot, heads);
    is_str(list(seg, "room", &at), "", "nobody is there");
    ok(!wsk_presence_any(seg, site), "and it is known without a lock");
    is_int(enter(seg, 0, 7, "room", "{\"a\":1}"), WSK_OK, "one enters");
    is_int(enter(seg, 0, 8, "room", "{}"), WSK_OK, "another one");
    is_int(enter(seg, 0, 7, "other", "{}"), WSK_OK, "and elsewhere");
    ok(wsk_presence_any(seg, site), "somebody is there");
    seen.n = 0;
    is_str(follow(seg, "room", &at, &records), "7={\"a\":1} 8={}",
           "the log tells of both");
    is_str(list(seg, "room", NULL), "7={\"a\":1} 8={}", "as the list does");
    is_int(records, 3, "one record each");
    is_int(enter(seg, 0, 8, "room", "{}"), WSK_EDUP, "the same state");
    is_int(enter(seg, 0, 8, "room", "{\"b\":2}"), WSK_OK, "another state");
    is_str(follow(seg, "room", &at, &records), "7={\"a\":1} 8={\"b\":2}",
           "is told as it is");
    is_int(records, 4, "and the same state is not");
    is_int(wsk_presence_leave(seg, site, 7, store_slice("room"), NOON), 1,
           "one leaves");
    is_int(wsk_presence_leave(seg, site, 7, store_slice("room"), NOON), 0,
           "once");
    is_str(follow(seg, "room", &at, &records), "8={\"b\":2}", "which is told");
    is_str(list(seg, "other", NULL), "7={}", "it is still elsewhere");
    is_int(wsk_presence_leave(seg, site, 7, everywhere, NOON), 1,
           "until it leaves everywhere");
    wsk_presence_leave(seg, site, 8, everywhere, NOON);
    ok(!wsk_presence_any(seg, site), "nobody is there any more");
    store_whole(seg, "the segment is whole");
}

static void bounds(wsk_segment_t *seg)
{
    static char large[WSK_PRESENCE_STATE + 2];
    char name[32], buf[256];
    wsk_slice_t names[8];
    unsigned i, n;

    memset(large, 'x', WSK_PRESENCE_STATE + 1);
    is_int(enter(seg, 0, 7, "a", large), WSK_EINVAL, "a state too long");
    large[WSK_PRESENCE_STATE] = '\0';
    is_int(enter(seg, 0, 7, "a", large), WSK_OK, "the longest");
    for (i = 1; i < 4; i++) {
        snprintf(name, sizeof(name), "a%u", i);
        enter(seg, 0, 7, name, "{}");
    }
    is_int(enter(seg, 0, 7, "b", "{}"), WSK_EFULL,
           "more channels than allowed");
    is_int(enter(seg, 0, 7, "a1", "{\"x\":1}"), WSK_OK, "a change is not more");
    is_int(wsk_presence_channels(seg, site, 7, buf, sizeof(buf), names, 8), 4,
           "its channels are listed");
    wsk_presence_leave(seg, site, 7, everywhere, NOON);
    for (n = 0; enter(seg, 0, 100 + n, "c", large) == WSK_OK; n++) {
    }
    ok(n >= 12 && n <= 3 * WSK_PRESENCE_PAGES, "a site is full: %u members", n);
    is_int(wsk_presence_leave(seg, site, 100, everywhere, NOON), 1,
           "leaving needs no page");
    is_int(enter(seg, 0, 999, "c", large), WSK_OK, "then there is room again");
    store_whole(seg, "the segment is whole");
    for (i = 0; i <= 1000; i++) {
        wsk_presence_leave(seg, site, i, everywhere, NOON);
    }
    for (i = 0; i < 8; i++) {
        wsk_log_tidy(seg, NOON);
    }
    is_int(seg->sites[site].pages, 0, "all pages are given back");
    store_whole(seg, "the segment is still whole");
}

/* A log that could not be written is a gap, and the list is right. */
static void lapped(wsk_segment_t *seg)
{
    wsk_cursor_t at;
    unsigned i, records = 0;
    char state[32];

    list(seg, "room", &at);
    for (i = 0; i < 40000; i++) {
        snprintf(state, sizeof(state), "{\"n\":%u}", i);
        enter(seg, 0, 7 + i % 3, "room", state);
    }
    is_str(follow(seg, "room", &at, &records),
           "7={\"n\":39999} 8={\"n\":39997} 9={\"n\":39998}",
           "who was lapped has the list");
    wsk_presence_leave(seg, site, 8, everywhere, NOON);
    is_str(follow(seg, "room", &at, &records),
           "7={\"n\":39999} 9={\"n\":39998}", "and goes on from there");
    wsk_site_switch(seg, site, false);
    is_str(list(seg, "room", NULL), "no list", "a site that is off has none");
    store_whole(seg, "its pages are given back");
    wsk_site_switch(seg, site, true);
    is_str(list(seg, "room", NULL), "", "and nobody comes back with it");
}

static void leases(wsk_segment_t *seg)
{
    uint64_t members[4];

    enter(seg, WSK_PRESENCE_LEASED, 7, "room", "{}");
    enter(seg, WSK_PRESENCE_LEASED, 7, "other", "{}");
    enter(seg, WSK_PRESENCE_LEASED, 8, "room", "{}");
    is_int(wsk_presence_leased(seg, site, members, 4), 2, "two by a lease");
    wsk_presence_claim(seg, site, 7, (unsigned)slot);
    is_int(wsk_presence_leased(seg, site, members, 4), 1, "one is claimed");
    is_int((intmax_t)members[0], 8, "the other is not");
    enter(seg, WSK_PRESENCE_LEASED, 7, "room", "{\"a\":1}");
    is_int(wsk_presence_expire(seg, site, NOON + 30 * SECOND), 0,
           "a lease holds");
    wsk_presence_renew(seg, site, 8, NOON + 40 * SECOND);
    is_int(wsk_presence_expire(seg, site, NOON + 40 * SECOND), 0,
           "longer if it is renewed");
    is_int(wsk_presence_expire(seg, site, NOON + 41 * SECOND), 1,
           "until it ends");
    is_str(list(seg, "room", NULL), "7={\"a\":1}",
           "who was claimed stays, changed or not");
    wsk_presence_reap(seg, (unsigned)slot);
    is_str(list(seg, "room", NULL), "", "and leaves with the slot");
}

/* Dying. The table and the log go together: who read up to `before` has the
 * same list in the end as who asks anew. */
static wsk_cursor_t before;

static const char *agreed(wsk_segment_t *seg)
{
    static char told[8192];
    unsigned records = 0;

    if (whole(seg) != NULL) {
        return whole(seg);
    }
    list(seg, "room", NULL);
    seen.n = 0;
    pair_put(7, store_slice("{}"), true);
    pair_put(8, store_slice("{}"), true);
    snprintf(told, sizeof(told), "%s", follow(seg, "room", &before, &records));
    if (strcmp(told, list(seg, "room", NULL)) != 0) {
        return "the log tells another story than the list";
    }
    return whole(seg);
}

static const char *agreed_from(wsk_segment_t *seg)
{
    const wsk_cursor_t kept = before;
    const char *why = agreed(seg);

    before = kept;
    return why;
}

static void change_some(wsk_segment_t *seg)
{
    enter(seg, (unsigned)slot, 9, "room", "{\"new\":1}");
    enter(seg, (unsigned)slot, 7, "room", "{\"changed\":1}");
    wsk_presence_leave(seg, site, 8, everywhere, NOON);
    wsk_presence_leave(seg, site, 7, everywhere, NOON);
    wsk_log_tidy(seg, NOON);
}

static void two_there(wsk_segment_t *seg)
{
    wsk_cursor_t heads[WSK_LOG_COUNT];

    wsk_log_listen(seg, site, (unsigned)slot, heads);
    enter(seg, (unsigned)slot, 7, "room", "{}");
    enter(seg, (unsigned)slot, 8, "room", "{}");
    list(seg, "room", &before);
}

static void changes_dying(wsk_segment_t *seg)
{
    death_t death = { "presence", change_some, agreed_from };

    two_there(seg);
    deaths_try(&death, seg);
}

static void reap_some(wsk_segment_t *seg)
{
    wsk_presence_reap(seg, (unsigned)slot);
}

static const char *reaped(wsk_segment_t *seg)
{
    const char *why = agreed_from(seg);

    wsk_presence_reap(seg, (unsigned)slot);
    if (why == NULL && strcmp(list(seg, "room", NULL), "") != 0) {
        return "somebody is there who died";
    }
    return why != NULL ? why : whole(seg);
}

static void reap_dying(wsk_segment_t *seg)
{
    death_t death = { "taking back presence", reap_some, reaped };

    two_there(seg);
    deaths_try(&death, seg);
}

/* A child's life with a member in it: nobody stays behind. */
static void live(wsk_segment_t *seg)
{
    const int own = wsk_slot_claim(seg, WSK_SLOT_CHILD, 42, 7, NOON);

    if (own >= 0) {
        enter(seg, (unsigned)own, 9, "room", "{\"i\":1}");
        wsk_slot_release(seg, (unsigned)own);
    }
}

static const char *only_two(wsk_segment_t *seg)
{
    wsk_slot_sweep(seg);
    if (strcmp(list(seg, "room", NULL), "7={} 8={}") != 0) {
        return "a dead member stays, or a living one went";
    }
    return agreed_from(seg);
}

static void life_dying(wsk_segment_t *seg)
{
    death_t death = { "a child with a member", live, only_two };

    two_there(seg);
    deaths_try(&death, seg);
}

static void warm_up(wsk_segment_t *seg)
{
    two_there(seg);
    change_some(seg);
    live(seg);
    reap_some(seg);
}

int main(void)
{
    static with_fn *const each[] = { warm_up,    come_and_go, bounds,
                                     lapped,     leases,      changes_dying,
                                     reap_dying, life_dying };
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(each); i++) {
        with_segment(each[i]);
    }
    return done_testing();
}
