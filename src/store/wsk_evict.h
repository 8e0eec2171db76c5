/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_evict -- which records go, and when.
 *
 * Promise   Oldest first; never another site's. The trace of an evicted text
 *           record is noted before it goes.
 * Threads   Within a wsk_work_t; nothing is in force before its commit.
 */
#ifndef WSK_EVICT_H
#define WSK_EVICT_H

#include "store/wsk_work.h"

/** Evict what the limits do not keep once n records of `bytes` in all come. */
void wsk_evict_limits(wsk_work_t *work, wsk_log_e which, uint64_t bytes,
                      unsigned n, int64_t now_us);

/** Evict until a page falls out, or the log is empty with one page left.
 *  @return false: there was nothing to evict */
bool wsk_evict_page(wsk_work_t *work, wsk_log_e which);

/** Let go of the page that an empty log keeps. @return false: none */
bool wsk_evict_last_page(wsk_work_t *work, wsk_log_e which);

/** Evict everything, pages and all. */
void wsk_evict_all(wsk_work_t *work, wsk_log_e which);

/** Whether the limits keep any history at all. */
bool wsk_evict_history(const wsk_limits_t *limits);

#endif
