/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_site.h"

#include "store/wsk_addr.h"
#include "store/wsk_pages.h"
#include "store/wsk_slot.h"
#include "store/wsk_work.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_MS 1000000
/* Keeps all products below within 64 bits. */
#define TOKENS_MAX (UINT32_C(1) << 30)

/* Both locks are held. */
static wsk_admit_e admit(wsk_segment_t *seg, unsigned slot, uint32_t site,
                         uint64_t address)
{
    const wsk_said_t *said = wsk_said_of(&seg->sites[site]);
    const wsk_limits_t *limits = &said->spec.limits;
    const uint64_t all = atomic_load(&seg->header->connections);

    if (all >= wsk_segment_marked(seg, WSK_MARK_HOST_CONNECTIONS)) {
        return WSK_ADMIT_HOST;
    }
    if (atomic_load(&seg->sites[site].connections) >= limits->connections) {
        return WSK_ADMIT_SITE;
    }
    if (wsk_addr_count(seg, site, address) >= limits->address_connections) {
        return WSK_ADMIT_ADDRESS;
    }
    return wsk_addr_add(seg, slot, site, address) == WSK_OK ? WSK_ADMIT_OK
                                                            : WSK_ADMIT_HOST;
}

wsk_admit_e wsk_site_admit(wsk_segment_t *seg, unsigned slot, uint32_t site,
                           uint64_t address, uint32_t *term)
{
    wsk_admit_e rv = WSK_ADMIT_OFF;

    if (slot >= seg->spec.slots) {
        return WSK_ADMIT_HOST;
    }
    if (!wsk_site_take(seg, site)) {
        return rv;
    }
    if (wsk_said_of(&seg->sites[site])->state == WSK_SITE_ON) {
        rv = WSK_ADMIT_HOST;
        if (wsk_host_take(seg)) {
            rv = admit(seg, slot, site, address);
            if (term) {
                *term = wsk_slot_term(seg, slot);
            }
            wsk_host_give(seg);
        }
    }
    wsk_site_give(seg, site);
    return rv;
}

void wsk_site_leave(wsk_segment_t *seg, unsigned slot, uint32_t term,
                    uint32_t site, uint64_t address)
{
    if (slot < seg->spec.slots && wsk_site_known(seg, site)
        && wsk_host_take(seg)) {
        if (wsk_slot_term(seg, slot) == term) {
            wsk_addr_remove(seg, slot, site, address);
        }
        wsk_host_give(seg);
    }
}

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

/* A bucket is the time at which it is full again: n tokens move it on by n
 * times the interval, as long as it is not further off than the burst. More
 * than the burst at once needs a full bucket, and is paid back. */
static uint32_t take_tokens(wsk_bucket_t *bucket, uint32_t rate, uint32_t burst,
                            uint32_t n, int64_t now_ns)
{
    const int64_t interval = WSK_MAX(NS_PER_S / rate, 1);
    const int64_t cost = interval * WSK_MIN(n, TOKENS_MAX);
    const int64_t room = WSK_MAX(cost, interval * WSK_MIN(burst, TOKENS_MAX));
    const int64_t full = full_at(bucket, interval, now_ns);
    const int64_t wait = full + cost - room - now_ns;

    bucket->full_ns = wait > 0 ? full : full + cost;
    bucket->seen_ns = now_ns;
    bucket->interval_ns = interval;
    if (wait <= 0) {
        return 0;
    }
    return (uint32_t)WSK_MIN((wait - 1) / NS_PER_MS + 1,
                             (int64_t)UINT32_MAX - 1);
}

uint32_t wsk_site_rate(wsk_segment_t *seg, uint32_t site, wsk_rate_e which,
                       uint32_t n, int64_t now_us)
{
    const wsk_limits_t *limits;
    uint32_t rate, wait;

    if (!wsk_site_take(seg, site)) {
        return UINT32_MAX;
    }
    limits = &wsk_said_of(&seg->sites[site])->spec.limits;
    rate = which == WSK_RATE_PUBLISH ? limits->publish_rate
                                     : limits->browser_rate;
    wait = rate == 0
               ? UINT32_MAX
               : take_tokens(&seg->sites[site].buckets[which], rate,
                             which == WSK_RATE_PUBLISH ? limits->publish_burst
                                                       : limits->browser_burst,
                             n, ns_of(now_us));
    wsk_site_give(seg, site);
    return wait;
}
