/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_site.h"

#include "store/wsk_addr.h"
#include "store/wsk_feed.h"
#include "store/wsk_pages.h"
#include "store/wsk_rate.h"
#include "store/wsk_slot.h"
#include "store/wsk_user.h"
#include "store/wsk_work.h"

/* Both locks are held. */
static wsk_admit_e admit(wsk_segment_t *seg, unsigned slot, uint32_t site,
                         uint64_t address)
{
    const wsk_said_t *said = wsk_said_of(&seg->sites[site]);
    const wsk_limits_t *limits = &said->spec.limits;
    const uint64_t all = (uint64_t)atomic_load(&seg->header->connections)
                         + wsk_feed_count(seg);
    const wsk_user_t *user = wsk_user_of(seg, site);

    if (all >= wsk_segment_marked(seg, WSK_MARK_HOST_CONNECTIONS)) {
        return WSK_ADMIT_HOST;
    }
    if (user != NULL
        && atomic_load(&user->connections) >= limits->user_connections) {
        return WSK_ADMIT_USER;
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

wsk_status_e wsk_site_move(wsk_segment_t *seg, unsigned from,
                           uint32_t from_term, unsigned to, uint32_t site,
                           uint64_t address, uint32_t *term)
{
    wsk_status_e rv = WSK_ENOTFOUND;

    if (from >= seg->spec.slots || to >= seg->spec.slots
        || !wsk_site_known(seg, site) || !wsk_host_take(seg)) {
        return WSK_EFULL;
    }
    if (wsk_slot_term(seg, from) == from_term) {
        rv = wsk_addr_move(seg, from, to, site, address);
    }
    if (rv == WSK_ENOTFOUND) {
        rv = wsk_addr_add(seg, to, site, address);
    }
    *term = wsk_slot_term(seg, to);
    wsk_host_give(seg);
    return rv;
}

static wsk_pace_t site_pace(const wsk_limits_t *limits, wsk_rate_e which)
{
    return which == WSK_RATE_PUBLISH
               ? (wsk_pace_t){ limits->publish_rate, limits->publish_burst, 0 }
               : (wsk_pace_t){ limits->browser_rate, limits->browser_burst, 0 };
}

/* One rate for all sites of a user, whoever asks: a purse is time, and what one
 * took must not be more, or less, to another. A site may allow less at once. */
static wsk_pace_t user_pace(const wsk_user_t *user, const wsk_limits_t *limits,
                            wsk_rate_e which)
{
    const wsk_shared_pace_t *all = &user->paces[which];
    const wsk_pace_t own = which == WSK_RATE_PUBLISH
                               ? (wsk_pace_t){ limits->user_publish_rate,
                                               limits->user_publish_burst, 0 }
                               : (wsk_pace_t){ limits->user_browser_rate,
                                               limits->user_browser_burst, 0 };

    return (wsk_pace_t){ own.rate == 0 ? 0 : atomic_load(&all->rate), own.burst,
                         atomic_load(&all->burst) };
}

/* The lock of the site is held. Who the user refuses has cost the site nothing,
 * nor the other way round: so no site can use up what is the others'. */
static uint32_t take_both(wsk_segment_t *seg, uint32_t site, wsk_rate_e which,
                          uint32_t n, int64_t now_us, wsk_quota_e *by)
{
    const wsk_limits_t *limits = &wsk_said_of(&seg->sites[site])->spec.limits;
    wsk_bucket_t *bucket = &seg->sites[site].buckets[which];
    const wsk_bucket_t was = *bucket;
    wsk_user_t *user = wsk_user_of(seg, site);
    uint32_t wait = wsk_rate_take(bucket, site_pace(limits, which), n, now_us);

    *by = which == WSK_RATE_PUBLISH ? WSK_Q_site_publish : WSK_Q_site_browser;
    if (wait == 0 && user != NULL) {
        *by = which == WSK_RATE_PUBLISH ? WSK_Q_user_publish
                                        : WSK_Q_user_browser;
        wait = wsk_rate_take_purse(&user->purses[which],
                                   user_pace(user, limits, which), n, now_us);
        if (wait != 0) {
            *bucket = was;
        }
    }
    return wait;
}

uint32_t wsk_site_rate(wsk_segment_t *seg, uint32_t site, wsk_rate_e which,
                       uint32_t n, int64_t now_us, wsk_quota_e *by)
{
    wsk_quota_e whose = WSK_Q_none;
    uint32_t wait = UINT32_MAX;

    if (wsk_site_take(seg, site)) {
        wait = take_both(seg, site, which, n, now_us, &whose);
        wsk_site_give(seg, site);
    }
    if (by != NULL) {
        *by = wait != 0 ? whose : WSK_Q_none;
    }
    return wait;
}

uint32_t wsk_site_rate_caller(wsk_segment_t *seg, uint32_t site,
                              uint64_t caller, int64_t now_us)
{
    const wsk_limits_t *limits;
    uint32_t wait = UINT32_MAX;

    if (wsk_site_take(seg, site)) {
        limits = &wsk_said_of(&seg->sites[site])->spec.limits;
        wait = wsk_rate_take_purse(
            wsk_rate_caller(&seg->sites[site], caller, now_us),
            (wsk_pace_t){ limits->connection_rate, limits->connection_burst,
                          0 },
            1, now_us);
        wsk_site_give(seg, site);
    }
    return wait;
}
