/* SPDX-License-Identifier: Apache-2.0 */
/*
 * repair_fixture -- one site in a small segment, and a batch to append to it.
 *
 * Owner     with_segment makes the segment and ends it.
 */
#ifndef WSK_REPAIR_FIXTURE_H
#define WSK_REPAIR_FIXTURE_H

#include "deaths.h"

#include "store/wsk_repair.h"

#define BATCH 3
#define BODY 200

/* Filled for the acts before they are tried. */
TAP_UNUSED static uint32_t site;
TAP_UNUSED static int slot;
TAP_UNUSED static wsk_cursor_t start;
TAP_UNUSED static char bodies[BATCH][BODY];
TAP_UNUSED static wsk_record_t batch[BATCH];
TAP_UNUSED static wsk_once_t once;
TAP_UNUSED static wsk_log_e log_kind;

TAP_UNUSED static const char *whole(wsk_segment_t *seg)
{
    const char *why = NULL;

    wsk_segment_check(seg, &why);
    return why;
}

TAP_UNUSED static void make_batch(uint64_t first)
{
    unsigned i;

    for (i = 0; i < BATCH; i++) {
        store_fill(bodies[i], BODY, first + i);
        batch[i].channel = store_slice("room");
        batch[i].body.at = bodies[i];
        batch[i].body.len = BODY;
        batch[i].sender = 0;
    }
    store_once(&once, first, NOON + 60 * SECOND);
}

TAP_UNUSED static void append_batch(wsk_segment_t *seg)
{
    wsk_cursor_t first;

    wsk_log_append(seg, site, log_kind, batch, BATCH, &once, NOON, &first);
}

typedef void with_fn(wsk_segment_t *seg);

TAP_UNUSED static void with_segment(with_fn *fn)
{
    wsk_segment_t *seg = store_new(4, 4, 4, 12);

    site = store_site(seg, 0, 16 << 10, 20);
    slot = wsk_slot_claim(seg, WSK_SLOT_CHILD, getpid(), 1, NOON);
    fn(seg);
    wsk_slot_release(seg, (unsigned)slot);
    store_end(seg);
}

#endif
