/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_replay -- requests a site remembers, so that each has its effect once.
 *
 * Promise   What was remembered is found until its time has passed; nothing is
 *           evicted early. Remembering comes into force with the append it
 *           belongs to. A site has at most WSK_REPLAY_PAGES pages of them.
 * Threads   Within a wsk_work_t.
 */
#ifndef WSK_REPLAY_H
#define WSK_REPLAY_H

#include "store/wsk_work.h"

/* At about 390 requests a page. */
#define WSK_REPLAY_PAGES 128

/** Whether the last page has no more entries than fit. */
bool wsk_replay_sane(const wsk_once_state_t *state);

/** @return WSK_OK and the place answered then, or WSK_ENOTFOUND */
wsk_status_e wsk_replay_find(wsk_work_t *work, const wsk_once_t *once,
                             wsk_cursor_t *first);

/** Drop pages in which nothing need be remembered any more. */
void wsk_replay_expire(wsk_work_t *work, int64_t now_us);

/** Whether the next request needs another page. */
bool wsk_replay_needs(const wsk_work_t *work);

/** How many pages the site's rate justifies. */
uint32_t wsk_replay_bound(const wsk_limits_t *limits);

/** Chain an empty page. The state may be committed then. */
void wsk_replay_grow(wsk_work_t *work, uint32_t page);

/** Remember; there is room. */
void wsk_replay_put(wsk_work_t *work, const wsk_once_t *once,
                    const wsk_cursor_t *first);

/** As wsk_chain_check. */
const char *wsk_replay_check(wsk_segment_t *seg, uint32_t site,
                             const wsk_once_state_t *state, bool mend);

#endif
