/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_feed.h"

#include "store_fixture.h"

static wsk_segment_t *seg;
static uint32_t term;

static wsk_admit_e feed(unsigned slot, uint64_t who)
{
    return wsk_feed_admit(seg, slot, who, &term);
}

static void bounds(void)
{
    unsigned n, wrong = 0;
    uint64_t who;

    for (n = 0; n < WSK_FEEDS_USER; n++) {
        wrong += feed(n % 2, 5) != WSK_ADMIT_OK;
    }
    is_int(wrong, 0, "somebody watches in a few places");
    is_int(feed(0, 5), WSK_ADMIT_USER, "and in no more, whatever the slot");
    wsk_feed_leave(seg, 0, term + 1, 5);
    is_int(feed(0, 5), WSK_ADMIT_USER, "what another term had is not given");
    wsk_feed_leave(seg, 0, term, 6);
    is_int(wsk_feed_count(seg), WSK_FEEDS_USER, "nor what was never taken");
    wsk_feed_leave(seg, 0, term, 5);
    is_int(feed(1, 5), WSK_ADMIT_OK, "one that goes makes room");
    for (who = 6, n = WSK_FEEDS_USER; feed(1, who) == WSK_ADMIT_OK; who++) {
        n++;
    }
    is_int(n, WSK_FEEDS_MAX, "so many there may be of all");
    is_int(wsk_feed_count(seg), WSK_FEEDS_MAX, "and are");
    is_int(wsk_segment_connections(seg), 0, "no connection is among them");
    ok(wsk_segment_check(seg, NULL) == WSK_OK, "the segment is whole");
}

static void slots(void)
{
    wsk_slot_claim(seg, WSK_SLOT_CHILD, 77, 1, 1);
    is_int(wsk_feed_count(seg), WSK_FEEDS_MAX - WSK_FEEDS_USER / 2 + 1,
           "a slot that is taken anew has none");
    wsk_slot_release(seg, 0);
    wsk_slot_release(seg, 1);
    is_int(wsk_feed_count(seg), 0, "nor has one that is given back");
}

static void host(void)
{
    wsk_site_spec_t spec;
    uint32_t site;

    store_spec(&spec, 1);
    wsk_site_put(seg, &spec, 1, 1, &site);
    wsk_segment_mark(seg, WSK_MARK_HOST_CONNECTIONS, 3);
    feed(0, 1);
    feed(0, 2);
    is_int(wsk_site_admit(seg, 0, site, 5, NULL), WSK_ADMIT_OK,
           "connections and feeds share the host");
    is_int(wsk_site_admit(seg, 0, site, 5, NULL), WSK_ADMIT_HOST,
           "a connection too many");
    is_int(feed(0, 3), WSK_ADMIT_HOST, "a feed too many");
    is_int(feed(9, 3), WSK_ADMIT_HOST, "a slot that is none");
}

static void moves(void)
{
    const uint32_t before = wsk_feed_count(seg);
    uint32_t was;

    feed(2, 70);
    was = term;
    is_int(wsk_feed_move(seg, 2, was, 3, 70, &term), WSK_OK, "one moves");
    is_int(wsk_feed_count(seg), before + 1, "and is counted once");
    wsk_feed_reap(seg, 2);
    is_int(wsk_feed_count(seg), before + 1, "its old slot has none of it");
    wsk_feed_leave(seg, 3, term, 70);
    is_int(wsk_feed_count(seg), before, "the new one has");
    is_int(wsk_feed_move(seg, 2, was + 1, 3, 70, &term), WSK_OK,
           "one whose slot is gone is counted in");
    wsk_feed_reap(seg, 3);
    is_int(wsk_feed_move(seg, 9, was, 3, 70, &term), WSK_EFULL,
           "but not from a slot that is none");
}

int main(void)
{
    seg = store_new(4, 4, 2, 20);
    moves();
    bounds();
    slots();
    host();
    store_end(seg);
    return done_testing();
}
