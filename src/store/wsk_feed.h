/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_feed -- event streams that belong to no site's visitors: the dashboard's.
 *
 * Promise   They count against the cap of the host and against a small one of
 *           who watches, and against nothing that a site may have.
 * Threads   Any; takes the host lock, but for wsk_feed_reap and wsk_feed_mend, of
 *           whose caller it is.
 */
#ifndef WSK_FEED_H
#define WSK_FEED_H

#include "store/wsk_site.h"

#define WSK_FEEDS_MAX 128
#define WSK_FEEDS_USER 8

/** Count one in.
 *  @param who   a hash of who watches
 *  @param term  receives the slot's, for wsk_feed_leave
 *  @return WSK_ADMIT_OK, WSK_ADMIT_HOST, WSK_ADMIT_USER */
wsk_admit_e wsk_feed_admit(wsk_segment_t *seg, unsigned slot, uint64_t who,
                           uint32_t *term);

/** Count it out; as wsk_site_leave. */
void wsk_feed_leave(wsk_segment_t *seg, unsigned slot, uint32_t term,
                    uint64_t who);

/** Count one over; as wsk_site_move. */
wsk_status_e wsk_feed_move(wsk_segment_t *seg, unsigned from,
                           uint32_t from_term, unsigned to, uint64_t who,
                           uint32_t *term);

/** How many there are. */
uint32_t wsk_feed_count(const wsk_segment_t *seg);

/** Count out those of a slot. */
void wsk_feed_reap(wsk_segment_t *seg, unsigned slot);

/** Count again; the entries are the truth. */
void wsk_feed_mend(wsk_segment_t *seg);

#endif
