/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_rate -- token buckets: n tokens at once, all or none.
 *
 * A bucket is the time at which it is full again: n tokens move it on by n times
 * the interval, as long as it is not further off than the burst. More than the
 * burst at once needs a full bucket, and is paid back.
 *
 * Threads   A wsk_bucket_t is guarded by its owner's lock, a wsk_purse_at_t by
 *           none. The time may jump.
 */
#ifndef WSK_RATE_H
#define WSK_RATE_H

#include "store/wsk_store_int.h"

typedef struct wsk_pace_t {
    uint32_t rate; /* tokens a second; 0: none */
    uint32_t burst;
    uint32_t most; /* the largest burst of those who share a purse; 0: this */
} wsk_pace_t;

/** Who shares a purse has one rate; the burst may be each one's own.
 *  @return 0, or the milliseconds after which it may succeed (at least 1);
 *          UINT32_MAX: never */
uint32_t wsk_rate_take(wsk_bucket_t *bucket, wsk_pace_t pace, uint32_t n,
                       int64_t now_us);
uint32_t wsk_rate_take_purse(wsk_purse_at_t *purse, wsk_pace_t pace, uint32_t n,
                             int64_t now_us);

/** The place of a caller: its own, one that is full again, or at worst the one
 *  that is full soonest, with what is missing in it. */
wsk_purse_at_t *wsk_rate_caller(wsk_site_t *site, uint64_t who, int64_t now_us);

#endif
