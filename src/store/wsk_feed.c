/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_feed.h"

#include "store/wsk_pages.h"

void wsk_feed_mend(wsk_segment_t *seg)
{
    uint32_t n = 0, i;

    for (i = 0; i < WSK_FEEDS_MAX; i++) {
        n += seg->header->feeds[i].slot != 0;
    }
    atomic_store(&seg->header->nfeeds, n);
}

static wsk_admit_e admit(wsk_segment_t *seg, unsigned slot, uint64_t who)
{
    wsk_feed_t *unused = NULL;
    uint64_t all = atomic_load(&seg->header->connections);
    uint32_t theirs = 0, i;

    for (i = 0; i < WSK_FEEDS_MAX; i++) {
        wsk_feed_t *feed = &seg->header->feeds[i];

        if (feed->slot == 0) {
            unused = feed;
        }
        else {
            all++;
            theirs += feed->who == who;
        }
    }
    if (theirs >= WSK_FEEDS_USER) {
        return WSK_ADMIT_USER;
    }
    if (unused == NULL
        || all >= wsk_segment_marked(seg, WSK_MARK_HOST_CONNECTIONS)) {
        return WSK_ADMIT_HOST;
    }
    unused->who = who;
    wsk_settle();
    unused->slot = slot + 1;
    return WSK_ADMIT_OK;
}

wsk_admit_e wsk_feed_admit(wsk_segment_t *seg, unsigned slot, uint64_t who,
                           uint32_t *term)
{
    wsk_admit_e rv = WSK_ADMIT_HOST;

    if (slot < seg->spec.slots && wsk_host_take(seg)) {
        rv = admit(seg, slot, who);
        *term = wsk_slot_term(seg, slot);
        wsk_feed_mend(seg);
        wsk_host_give(seg);
    }
    return rv;
}

void wsk_feed_leave(wsk_segment_t *seg, unsigned slot, uint32_t term,
                    uint64_t who)
{
    uint32_t i;

    if (slot >= seg->spec.slots || !wsk_host_take(seg)) {
        return;
    }
    for (i = 0; wsk_slot_term(seg, slot) == term && i < WSK_FEEDS_MAX; i++) {
        wsk_feed_t *feed = &seg->header->feeds[i];

        if (feed->slot == slot + 1 && feed->who == who) {
            feed->slot = 0;
            break;
        }
    }
    wsk_feed_mend(seg);
    wsk_host_give(seg);
}

/* The place of one of a slot, or one that is free. */
static wsk_feed_t *place_of(wsk_segment_t *seg, uint32_t slot, uint64_t who)
{
    uint32_t i;

    for (i = 0; i < WSK_FEEDS_MAX; i++) {
        wsk_feed_t *feed = &seg->header->feeds[i];

        if (feed->slot == slot && (slot == 0 || feed->who == who)) {
            return feed;
        }
    }
    return NULL;
}

wsk_status_e wsk_feed_move(wsk_segment_t *seg, unsigned from,
                           uint32_t from_term, unsigned to, uint64_t who,
                           uint32_t *term)
{
    wsk_feed_t *feed = NULL;

    if (from >= seg->spec.slots || to >= seg->spec.slots
        || !wsk_host_take(seg)) {
        return WSK_EFULL;
    }
    if (wsk_slot_term(seg, from) == from_term) {
        feed = place_of(seg, from + 1, who);
    }
    feed = feed != NULL ? feed : place_of(seg, 0, who);
    if (feed != NULL) {
        feed->who = who;
        wsk_settle();
        feed->slot = to + 1;
    }
    *term = wsk_slot_term(seg, to);
    wsk_feed_mend(seg);
    wsk_host_give(seg);
    return feed != NULL ? WSK_OK : WSK_EFULL;
}

uint32_t wsk_feed_count(const wsk_segment_t *seg)
{
    return atomic_load(&seg->header->nfeeds);
}

void wsk_feed_reap(wsk_segment_t *seg, unsigned slot)
{
    uint32_t i;

    for (i = 0; i < WSK_FEEDS_MAX; i++) {
        if (seg->header->feeds[i].slot == slot + 1) {
            seg->header->feeds[i].slot = 0;
        }
    }
    wsk_feed_mend(seg);
}
