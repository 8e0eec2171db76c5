/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_pages -- whose page is whose, and what was promised to whom.
 *
 * Promise   A site below its reservation always gets a page; beyond it, as long
 *           as what is free is more than what is promised to others. All pages
 *           asked for, or none.
 * Threads   The caller holds the site's lock; the host lock is taken inside,
 *           but for calls that say it is held.
 */
#ifndef WSK_PAGES_H
#define WSK_PAGES_H

#include "store/wsk_store_int.h"

/* The host lock; repaired first if its owner died. @return false: lost */
bool wsk_host_take(wsk_segment_t *seg);
void wsk_host_give(wsk_segment_t *seg);

/** Make lists and sums of pages anew from their owners. Host lock is held. */
void wsk_pages_mend(wsk_segment_t *seg);

/** Take n (1 or more) pages, chained. @return WSK_OK or WSK_EFULL */
wsk_status_e wsk_pages_take(wsk_segment_t *seg, uint32_t site,
                            wsk_page_kind_e kind, uint32_t n, uint32_t *pfirst,
                            uint32_t *plast);

/** Give back n pages from `first` on along the chain. */
void wsk_pages_give(wsk_segment_t *seg, uint32_t site, uint32_t first,
                    uint32_t n);

/** Take the marks off all pages of the site. @return how many pages it has */
uint32_t wsk_pages_unmark(wsk_segment_t *seg, uint32_t site);

/** Give back every page of the site that has no mark. */
void wsk_pages_sweep(wsk_segment_t *seg, uint32_t site);

/** How many more pages the site could take now. */
uint32_t wsk_pages_left(wsk_segment_t *seg, uint32_t site);

/** Reserve spec.site_pages for the site or drop its reservation.
 *  @return false: they do not fit; nothing reserved */
bool wsk_pages_reserve(wsk_segment_t *seg, uint32_t site, bool on);

#endif
