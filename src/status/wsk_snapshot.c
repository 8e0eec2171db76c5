/* SPDX-License-Identifier: Apache-2.0 */
#include "status/wsk_snapshot.h"

#include <stdlib.h>
#include <string.h>

const wsk_counter_info_t wsk_counter_info[WSK_C_COUNT] = {
#define X(name, metric, label, help) { #name, metric, label, help },
    WSK_COUNTERS(X)
#undef X
};

static int by_connections(const void *a, const void *b)
{
    const wsk_seen_site_t *left = a, *right = b;

    if (left->connections != right->connections) {
        return left->connections < right->connections ? 1 : -1;
    }
    return strcmp(left->key, right->key);
}

static int by_messages(const void *a, const void *b)
{
    const wsk_seen_site_t *left = a, *right = b;
    const uint64_t l = left->published + left->published_browser
                       + left->delivered;
    const uint64_t r = right->published + right->published_browser
                       + right->delivered;

    if (l != r) {
        return l < r ? 1 : -1;
    }
    return strcmp(left->key, right->key);
}

static bool see_site(wsk_segment_t *seg, uint32_t number, wsk_seen_site_t *out)
{
    wsk_site_spec_t spec;
    wsk_site_state_e state;
    wsk_site_stats_t stats;

    if (wsk_site_read(seg, number, &spec, &state) != WSK_OK
        || wsk_site_stats(seg, number, &stats) != WSK_OK) {
        return false;
    }
    memcpy(out->key, spec.key, sizeof out->key);
    out->on = state == WSK_SITE_ON;
    out->connections = stats.connections;
    out->max_connections = spec.limits.connections;
    out->pages = stats.pages;
    out->messages = stats.head;
    out->kept = stats.head + 1 - stats.oldest;
    out->bytes = stats.bytes;
    out->published = stats.counters[WSK_C_published];
    out->published_browser = stats.counters[WSK_C_published_browser]
                             + stats.counters[WSK_C_published_binary];
    out->delivered = stats.counters[WSK_C_delivered];
    return true;
}

static void choose(wsk_seen_site_t *sites, uint32_t n, uint32_t top,
                   int (*order)(const void *, const void *))
{
    uint32_t i;

    qsort(sites, n, sizeof *sites, order);
    for (i = 0; i < WSK_MIN(n, top); i++) {
        sites[i].chosen = true;
    }
}

static void see_sites(wsk_snapshot_t *snap, apr_pool_t *pool,
                      wsk_segment_t *seg, uint32_t top)
{
    const uint32_t count = wsk_site_count(seg);
    uint32_t i, kept = 0, n = 0;

    snap->sites = apr_pcalloc(pool, (count + 1) * sizeof *snap->sites);
    for (i = 0; i < count; i++) {
        if (see_site(seg, i, &snap->sites[n])) {
            n++;
        }
    }
    snap->known_sites = snap->nsites = n;
    if (top == 0) {
        return;
    }
    choose(snap->sites, n, top, by_messages);
    choose(snap->sites, n, top, by_connections);
    for (i = 0; i < n; i++) {
        if (snap->sites[i].chosen) {
            snap->sites[kept++] = snap->sites[i];
        }
    }
    snap->nsites = kept;
}

/* Each counter is read at a moment of its own. */
static uint32_t open_of(const wsk_slot_info_t *slot, wsk_counter_e opened,
                        wsk_counter_e closed)
{
    const uint64_t in = slot->counters[opened], out = slot->counters[closed];

    return in > out ? (uint32_t)(in - out) : 0;
}

/* A connection is counted in before it is counted as opened. */
static void see_slots(wsk_snapshot_t *snap, apr_pool_t *pool,
                      const wsk_segment_t *seg)
{
    const uint32_t count = wsk_segment_spec(seg)->slots;
    uint32_t i;

    snap->slots = apr_pcalloc(pool, count * sizeof *snap->slots);
    for (i = 0; i < count; i++) {
        wsk_seen_slot_t *slot = &snap->slots[snap->nslots];

        if (!wsk_slot_info(seg, i, &slot->is)) {
            continue;
        }
        slot->number = i;
        snap->nslots++;
        snap->event_streams += open_of(&slot->is, WSK_C_opened_sse,
                                       WSK_C_closed_sse);
        snap->publishers += open_of(&slot->is, WSK_C_opened_publisher,
                                    WSK_C_closed_publisher);
    }
    snap->event_streams = WSK_MIN(snap->event_streams, snap->connections);
    snap->publishers = WSK_MIN(snap->publishers,
                               snap->connections - snap->event_streams);
    snap->websockets = snap->connections - snap->event_streams
                       - snap->publishers;
}

static void add_up(wsk_totals_t *sum, const uint64_t *n)
{
    sum->published = n[WSK_C_published] + n[WSK_C_published_browser]
                     + n[WSK_C_published_binary];
    sum->delivered = n[WSK_C_delivered] + n[WSK_C_delivered_binary];
    sum->refused = n[WSK_C_refused_token] + n[WSK_C_refused_limit]
                   + n[WSK_C_refused_adopt] + n[WSK_C_refused_origin]
                   + n[WSK_C_publish_refused] + n[WSK_C_browser_refused];
    sum->dropped = n[WSK_C_slow_closed] + n[WSK_C_stalled_closed];
}

wsk_snapshot_t *wsk_snapshot_take(apr_pool_t *pool, const wsk_source_t *from,
                                  int64_t now_us, uint32_t top, bool prove)
{
    wsk_snapshot_t *snap = apr_pcalloc(pool, sizeof *snap);
    wsk_segment_t *seg = from->seg;
    int i;

    snap->now_us = now_us;
    snap->since_us = from->since_us;
    snap->proved = prove;
    snap->whole = prove && wsk_segment_check(seg, &snap->why) == WSK_OK;
    if (!prove || snap->whole) {
        snap->why = "";
    }
    snap->connections = wsk_segment_connections(seg);
    snap->max_connections = (uint32_t)wsk_segment_marked(
        seg, WSK_MARK_HOST_CONNECTIONS);
    snap->refused_files = (uint32_t)wsk_segment_marked(seg,
                                                       WSK_MARK_REFUSED_FILES);
    wsk_segment_pages(seg, &snap->pages);
    snap->bytes = wsk_segment_spec(seg)->bytes;
    snap->used = snap->bytes - (uint64_t)snap->pages.free * WSK_PAGE_BYTES;
    for (i = 0; i < WSK_C_COUNT; i++) {
        snap->counters[i] = wsk_segment_counter(seg, (wsk_counter_e)i);
    }
    add_up(&snap->totals, snap->counters);
    see_slots(snap, pool, seg);
    see_sites(snap, pool, seg, top);
    return snap;
}
