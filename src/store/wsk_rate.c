/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_rate.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS 1000000
/* Keeps all products below within 64 bits. */
#define TOKENS_MAX (UINT32_C(1) << 30)
/* A debt of more tokens than the burst and the largest batch is a clock's. */
#define BATCH_MAX 128

static int64_t ns_of(int64_t now_us)
{
    const int64_t most = INT64_MAX / 4000;

    return (now_us > most ? most : now_us < 0 ? 0 : now_us) * 1000;
}

/* When the bucket is full, as of now: time may have been set back, the rate may
 * be another one. */
static int64_t full_at(const wsk_bucket_t *bucket, int64_t interval,
                       int64_t now_ns)
{
    int64_t ahead = bucket->full_ns - WSK_MAX(now_ns, bucket->seen_ns);

    if (ahead <= 0) {
        return now_ns;
    }
    if (bucket->interval_ns > 0 && bucket->interval_ns != interval) {
        ahead = ahead / bucket->interval_ns * interval;
    }
    return now_ns + ahead;
}

static uint32_t ms_of(int64_t wait_ns)
{
    return (uint32_t)WSK_MIN((wait_ns - 1) / NS_PER_MS + 1,
                             (int64_t)UINT32_MAX - 1);
}

/* What n tokens cost of an interval each, and how far ahead they may reach. */
typedef struct price_t {
    int64_t interval, cost, room;
} price_t;

static price_t price_of(wsk_pace_t pace, uint32_t n)
{
    const int64_t interval = WSK_MAX(NS_PER_S / pace.rate, 1);
    const int64_t cost = interval * WSK_MIN(n, TOKENS_MAX);

    return (
        price_t){ interval, cost,
                  WSK_MAX(cost, interval * WSK_MIN(pace.burst, TOKENS_MAX)) };
}

uint32_t wsk_rate_take(wsk_bucket_t *bucket, wsk_pace_t pace, uint32_t n,
                       int64_t now_us)
{
    const int64_t now_ns = ns_of(now_us);
    int64_t full, wait;
    price_t price;

    if (pace.rate == 0) {
        return UINT32_MAX;
    }
    price = price_of(pace, n);
    full = full_at(bucket, price.interval, now_ns);
    wait = full + price.cost - price.room - now_ns;
    bucket->full_ns = wait > 0 ? full : full + price.cost;
    bucket->seen_ns = now_ns;
    bucket->interval_ns = price.interval;
    return wait > 0 ? ms_of(wait) : 0;
}

uint32_t wsk_rate_take_purse(wsk_purse_at_t *purse, wsk_pace_t pace, uint32_t n,
                             int64_t now_us)
{
    const int64_t now_ns = ns_of(now_us);
    uint64_t was = atomic_load(purse), next;
    int64_t most, ahead, wait;
    price_t price;

    if (pace.rate == 0) {
        return UINT32_MAX;
    }
    price = price_of(pace, n);
    most = price.interval
           * (WSK_MIN(WSK_MAX(pace.burst, pace.most), TOKENS_MAX) + BATCH_MAX);
    do {
        ahead = was > (uint64_t)now_ns ? (int64_t)(was - (uint64_t)now_ns) : 0;
        ahead = ahead < 0 || ahead > most ? most : ahead;
        wait = ahead + price.cost - price.room;
        /* What is refused costs nothing, but a clock set back is followed. */
        next = (uint64_t)(now_ns + ahead + (wait > 0 ? 0 : price.cost));
    } while (was != next && !atomic_compare_exchange_weak(purse, &was, next));
    return wait > 0 ? ms_of(wait) : 0;
}

wsk_purse_at_t *wsk_rate_caller(wsk_site_t *site, uint64_t who, int64_t now_us)
{
    wsk_caller_purse_t *soonest = &site->callers[0];
    unsigned i;

    for (i = 0; i < WSK_CALLERS; i++) {
        wsk_caller_purse_t *at = &site->callers[i];

        if (at->who == who) {
            return &at->full_at;
        }
        if (atomic_load(&at->full_at) < atomic_load(&soonest->full_at)) {
            soonest = at;
        }
    }
    soonest->who = who;
    if (atomic_load(&soonest->full_at) <= (uint64_t)ns_of(now_us)) {
        atomic_store(&soonest->full_at, 0);
    }
    return &soonest->full_at;
}
