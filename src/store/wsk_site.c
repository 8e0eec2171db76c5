/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_site.h"

#include <string.h>

#include "store/wsk_evict.h"
#include "store/wsk_index.h"
#include "store/wsk_members.h"
#include "store/wsk_pages.h"
#include "store/wsk_said.h"
#include "store/wsk_user.h"

static wsk_slice_t slice_of(const char *text)
{
    const wsk_slice_t slice = { text, strlen(text) };

    return slice;
}

/* A site nobody knows yet. The host lock is held. */
static void fill(wsk_site_t *site, const wsk_said_t *said, uint64_t stamp,
                 uint64_t epoch)
{
    wsk_state_t *state = &site->state[0];
    unsigned i;

    memcpy(site->key, said->spec.key, sizeof(site->key));
    memcpy(site->site_id, said->spec.site_id, sizeof(site->site_id));
    site->said[0] = *said;
    atomic_store(&site->said_now, 0);
    memset(state, 0, sizeof(*state));
    for (i = 0; i < WSK_LOG_COUNT; i++) {
        state->log[i].epoch = epoch & WSK_EPOCH_MASK;
        state->log[i].oldest = 1;
    }
    atomic_store(&site->state_now, 0);
    atomic_store(&site->stamp, stamp);
    atomic_fetch_add(&site->version, 1);
}

/* Add a site, unless it came in the meantime. */
static wsk_status_e add(wsk_segment_t *seg, const wsk_said_t *said,
                        uint64_t stamp, uint64_t epoch, uint32_t *psite)
{
    wsk_half_t *nsites = &seg->header->nsites;
    wsk_status_e rv = WSK_EDUP;
    uint32_t number;

    if (!wsk_host_take(seg)) {
        return WSK_EBROKEN;
    }
    number = atomic_load(nsites);
    if (wsk_site_by_key(seg, slice_of(said->spec.key), psite) != WSK_OK) {
        rv = WSK_EFULL;
        if (wsk_site_by_id(seg, slice_of(said->spec.site_id), psite)
            == WSK_OK) {
            rv = WSK_EINVAL;
        }
        else if (number < seg->spec.sites) {
            fill(&seg->sites[number], said, stamp, epoch);
            wsk_settle();
            atomic_store_explicit(nsites, number + 1, memory_order_release);
            wsk_index_add(seg, number);
            *psite = number;
            rv = WSK_OK;
        }
    }
    wsk_host_give(seg);
    return rv;
}

/* The generation of a site goes one way. */
static bool outdated(const wsk_said_t *was, const wsk_site_spec_t *spec)
{
    return spec->generation < was->spec.generation
           || (spec->generation != 0 && spec->generation <= was->revoked);
}

static void name_user(wsk_segment_t *seg, uint32_t number, const char *name,
                      const wsk_limits_t *limits)
{
    if (wsk_host_take(seg)) {
        wsk_user_name(seg, number, name, limits);
        wsk_host_give(seg);
    }
}

/* The lock of the site is held and given. */
static wsk_status_e change(wsk_segment_t *seg, uint32_t number,
                           wsk_said_t *said, uint64_t stamp)
{
    wsk_site_t *site = &seg->sites[number];
    bool fits;

    said->revoked = wsk_said_of(site)->revoked;
    if (strcmp(site->site_id, said->spec.site_id) != 0
        || outdated(wsk_said_of(site), &said->spec)) {
        wsk_site_give(seg, number);
        return WSK_EINVAL;
    }
    atomic_store(&site->stamp, stamp);
    if (memcmp(said, wsk_said_of(site), sizeof(*said)) != 0) {
        wsk_said_put(site, said);
    }
    fits = wsk_pages_reserve(seg, number, true);
    name_user(seg, number, said->spec.user, &said->spec.limits);
    wsk_site_give(seg, number);
    return fits ? WSK_OK : WSK_EFULL;
}

wsk_status_e wsk_site_put(wsk_segment_t *seg, const wsk_site_spec_t *spec,
                          uint64_t stamp, uint64_t epoch, uint32_t *psite)
{
    wsk_said_t said;
    wsk_status_e rv = WSK_EINVAL;
    uint32_t number;

    *psite = UINT32_MAX;
    memset(&said, 0, sizeof(said));
    wsk_said_clean(&said.spec, spec);
    said.state = WSK_SITE_ON;
    if (said.spec.key[0] != '\0' && said.spec.site_id[0] != '\0') {
        rv = wsk_site_by_key(seg, slice_of(said.spec.key), &number);
    }
    if (rv == WSK_ENOTFOUND) {
        rv = add(seg, &said, stamp, epoch, &number);
    }
    if (rv == WSK_OK || rv == WSK_EDUP) {
        rv = WSK_EBROKEN;
        if (wsk_site_take(seg, number)) {
            rv = change(seg, number, &said, stamp);
        }
        if (rv == WSK_OK || rv == WSK_EFULL) {
            *psite = number;
        }
    }
    wsk_wipe(&said, sizeof(said));
    return rv;
}

/* Say no more of the site than that it is off; a retired one has no secrets. */
static void say_off(wsk_site_t *site, bool retire, uint64_t revoked)
{
    wsk_said_t said = *wsk_said_of(site);

    if (said.state != WSK_SITE_OFF || (retire && !said.retired)
        || revoked > said.revoked) {
        said.state = WSK_SITE_OFF;
        said.retired = retire;
        said.revoked = WSK_MAX(said.revoked, revoked);
        if (retire) {
            memset(&said.spec.publish, 0, sizeof(said.spec.publish));
            memset(&said.spec.jwt, 0, sizeof(said.spec.jwt));
        }
        wsk_said_put(site, &said);
    }
    wsk_wipe(&said, sizeof(said));
}

/* Nothing more is said or kept of the site but what protects it: requests that
 * were seen stay remembered. Not if a generation after the one to revoke is in
 * force. */
static void silence(wsk_segment_t *seg, uint32_t number, bool retire,
                    uint64_t revoked)
{
    wsk_work_t work;
    unsigned log;

    if (!wsk_work_begin(&work, seg, number)) {
        return;
    }
    if (revoked != 0 && wsk_said_of(work.site)->spec.generation > revoked) {
        wsk_work_end(&work);
        return;
    }
    say_off(work.site, retire, revoked);
    for (log = 0; log < WSK_LOG_COUNT; log++) {
        wsk_evict_all(&work, (wsk_log_e)log);
    }
    wsk_members_clear(&work);
    if (work.changed) {
        wsk_work_commit(&work);
    }
    wsk_pages_reserve(seg, number, false);
    if (retire) {
        name_user(seg, number, "", &wsk_said_of(work.site)->spec.limits);
    }
    wsk_work_end(&work);
}

void wsk_site_retire(wsk_segment_t *seg, const uint64_t *stamps,
                     unsigned nstamps)
{
    const uint32_t known = wsk_sites_known(seg);
    uint32_t i;

    for (i = 0; i < known; i++) {
        const uint64_t stamp = atomic_load(&seg->sites[i].stamp);
        unsigned n = 0;

        while (n < nstamps && stamps[n] != stamp) {
            n++;
        }
        if (n == nstamps) {
            silence(seg, i, true, 0);
        }
    }
}

wsk_status_e wsk_site_revoke(wsk_segment_t *seg, uint32_t site,
                             uint64_t generation)
{
    if (!wsk_site_known(seg, site)) {
        return WSK_ENOTFOUND;
    }
    silence(seg, site, true, generation);
    return WSK_OK;
}

wsk_status_e wsk_site_drop(wsk_segment_t *seg, uint32_t site)
{
    if (!wsk_site_known(seg, site)) {
        return WSK_ENOTFOUND;
    }
    silence(seg, site, true, 0);
    return WSK_OK;
}

uint64_t wsk_site_stamp(const wsk_segment_t *seg, uint32_t site)
{
    return wsk_site_known(seg, site) ? atomic_load(&seg->sites[site].stamp) : 0;
}

wsk_status_e wsk_site_switch(wsk_segment_t *seg, uint32_t site, bool on)
{
    wsk_said_t said;
    wsk_status_e rv = WSK_OK;

    if (!wsk_site_known(seg, site)) {
        return WSK_ENOTFOUND;
    }
    if (!on) {
        silence(seg, site, false, 0);
        return WSK_OK;
    }
    if (!wsk_site_take(seg, site)) {
        return WSK_EBROKEN;
    }
    said = *wsk_said_of(&seg->sites[site]);
    if (said.retired) {
        rv = WSK_ENOTFOUND;
    }
    else {
        if (said.state != WSK_SITE_ON) {
            said.state = WSK_SITE_ON;
            wsk_said_put(&seg->sites[site], &said);
        }
        wsk_pages_reserve(seg, site, true);
    }
    wsk_site_give(seg, site);
    wsk_wipe(&said, sizeof(said));
    return rv;
}

wsk_status_e wsk_site_by_key(wsk_segment_t *seg, wsk_slice_t key,
                             uint32_t *psite)
{
    return wsk_index_find(seg, WSK_INDEX_KEY, key, psite);
}

wsk_status_e wsk_site_by_id(wsk_segment_t *seg, wsk_slice_t site_id,
                            uint32_t *psite)
{
    return wsk_index_find(seg, WSK_INDEX_ID, site_id, psite);
}

wsk_status_e wsk_site_read(wsk_segment_t *seg, uint32_t site,
                           wsk_site_spec_t *out, wsk_site_state_e *state)
{
    const wsk_said_t *said;

    if (!wsk_site_take(seg, site)) {
        return WSK_ENOTFOUND;
    }
    said = wsk_said_of(&seg->sites[site]);
    *out = said->spec;
    if (state != NULL) {
        *state = (wsk_site_state_e)said->state;
    }
    wsk_site_give(seg, site);
    return WSK_OK;
}

uint64_t wsk_site_revoked(wsk_segment_t *seg, uint32_t site)
{
    uint64_t revoked;

    if (!wsk_site_take(seg, site)) {
        return 0;
    }
    revoked = wsk_said_of(&seg->sites[site])->revoked;
    wsk_site_give(seg, site);
    return revoked;
}

uint64_t wsk_site_version(const wsk_segment_t *seg, uint32_t site)
{
    return wsk_site_known(seg, site) ? atomic_load(&seg->sites[site].version)
                                     : 0;
}

wsk_status_e wsk_site_stats(wsk_segment_t *seg, uint32_t site,
                            wsk_site_stats_t *out)
{
    const wsk_log_state_t *log;
    wsk_work_t work;
    unsigned i;

    if (!wsk_work_begin(&work, seg, site)) {
        return WSK_ENOTFOUND;
    }
    wsk_work_end(&work);
    log = &work.state.log[WSK_LOG_TEXT];
    out->connections = atomic_load(&work.site->connections);
    out->pages = atomic_load(&work.site->pages);
    out->epoch = log->epoch;
    out->head = log->head;
    out->oldest = log->oldest;
    out->bytes = log->bytes;
    for (i = 0; i < WSK_C_COUNT; i++) {
        out->counters[i] = atomic_load_explicit(&work.site->counters[i],
                                                memory_order_relaxed);
    }
    return WSK_OK;
}

uint32_t wsk_site_connections(const wsk_segment_t *seg, uint32_t site)
{
    return wsk_site_known(seg, site)
               ? atomic_load(&seg->sites[site].connections)
               : 0;
}

const char *wsk_site_key(const wsk_segment_t *seg, uint32_t site)
{
    return wsk_site_known(seg, site) ? seg->sites[site].key : "";
}

uint64_t wsk_site_counter(const wsk_segment_t *seg, uint32_t site,
                          wsk_counter_e which)
{
    return wsk_site_known(seg, site) ? atomic_load_explicit(
               &seg->sites[site].counters[which], memory_order_relaxed)
                                     : 0;
}

uint32_t wsk_site_count(const wsk_segment_t *seg)
{
    return wsk_sites_known(seg);
}
