/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_work -- one turn of work on a site: its lock, a copy of its state to
 * change, and the pages that fall out of it.
 *
 * Promise   What is changed in the copy comes into force at commit, all at
 *           once; only then are the pages given back. Begin repairs what a dead
 *           owner left, end what was found broken.
 * Threads   Any; the site's lock is held from begin to end.
 */
#ifndef WSK_WORK_H
#define WSK_WORK_H

#include "store/wsk_store_int.h"

/* Pages that left a chain, still linked to each other. */
typedef struct wsk_loose_t {
    uint32_t first, n;
} wsk_loose_t;

#define WSK_WORK_CHAINS (WSK_PAGE_MEMBERS + 1) /* one for each kind of page */

typedef struct wsk_work_t {
    wsk_segment_t *seg;
    wsk_site_t *site;
    uint32_t number;
    bool changed;
    bool broken; /* what is in force does not hang together */
    wsk_state_t state;
    wsk_loose_t loose[WSK_WORK_CHAINS];
} wsk_work_t;

/** The site's lock, whatever it guards whole. @return false: no such site */
bool wsk_site_take(wsk_segment_t *seg, uint32_t site);
void wsk_site_give(wsk_segment_t *seg, uint32_t site);

/** @return false: no such site; nothing is held */
bool wsk_work_begin(wsk_work_t *work, wsk_segment_t *seg, uint32_t site);
void wsk_work_commit(wsk_work_t *work);
/** Let go of the lock; what was not committed never was. A site that was found
 *  broken is repaired before. */
void wsk_work_end(wsk_work_t *work);

/** The first n pages leave the chain; the state's own fields are the caller's.
 */
void wsk_work_loosen(wsk_work_t *work, unsigned chain, uint32_t first,
                     uint32_t n);

#endif
