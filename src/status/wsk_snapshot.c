/* SPDX-License-Identifier: Apache-2.0 */
#include "status/wsk_snapshot.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

const wsk_counter_info_t wsk_counter_info[WSK_C_COUNT] = {
#define X(name, metric, label, help) { #name, metric, label, help },
    WSK_COUNTERS(X)
#undef X
};

/* What sites are chosen by, read without a lock. */
typedef struct seen_t {
    const char *key;
    uint64_t messages;
    uint32_t number, connections;
    bool chosen;
} seen_t;

static int by_connections(const void *a, const void *b)
{
    const seen_t *left = a, *right = b;

    if (left->connections != right->connections) {
        return left->connections < right->connections ? 1 : -1;
    }
    return strcmp(left->key, right->key);
}

static int by_messages(const void *a, const void *b)
{
    const seen_t *left = a, *right = b;

    if (left->messages != right->messages) {
        return left->messages < right->messages ? 1 : -1;
    }
    return strcmp(left->key, right->key);
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

static void see_site(wsk_snapshot_t *snap, wsk_segment_t *seg, uint32_t number)
{
    wsk_seen_site_t *out = &snap->sites[snap->nsites];
    wsk_site_spec_t spec;
    wsk_site_state_e state;
    wsk_site_stats_t stats;
    wsk_totals_t sums;

    if (wsk_site_read(seg, number, &spec, &state) != WSK_OK
        || wsk_site_stats(seg, number, &stats) != WSK_OK) {
        return;
    }
    memcpy(out->key, spec.key, sizeof out->key);
    out->max_connections = spec.limits.connections;
    OPENSSL_cleanse(&spec, sizeof spec);
    add_up(&sums, stats.counters);
    out->on = state == WSK_SITE_ON;
    out->connections = stats.connections;
    out->pages = stats.pages;
    out->messages = stats.head;
    out->kept = stats.head + 1 - stats.oldest;
    out->bytes = stats.bytes;
    out->published = stats.counters[WSK_C_published];
    out->published_browser = sums.published - out->published;
    out->delivered = sums.delivered;
    out->refused = sums.refused;
    out->limited = stats.counters[WSK_C_refused_limit]
                   + stats.counters[WSK_C_publish_limited]
                   + stats.counters[WSK_C_browser_limited]
                   + stats.counters[WSK_C_presence_full];
    snap->nsites++;
}

static void choose(seen_t *sites, uint32_t n, uint32_t top,
                   int (*order)(const void *, const void *))
{
    uint32_t i;

    qsort(sites, n, sizeof *sites, order);
    for (i = 0; i < WSK_MIN(n, top); i++) {
        sites[i].chosen = true;
    }
}

static void see_busiest(wsk_snapshot_t *snap, apr_pool_t *pool,
                        wsk_segment_t *seg, uint32_t top)
{
    const uint32_t n = snap->known_sites;
    seen_t *sites = apr_pcalloc(pool, (n + 1) * sizeof *sites);
    uint32_t i;

    for (i = 0; i < n; i++) {
        sites[i].number = i;
        sites[i].key = wsk_site_key(seg, i);
        sites[i].connections = wsk_site_connections(seg, i);
        sites[i].messages = wsk_site_counter(seg, i, WSK_C_published)
                            + wsk_site_counter(seg, i, WSK_C_published_browser)
                            + wsk_site_counter(seg, i, WSK_C_published_binary)
                            + wsk_site_counter(seg, i, WSK_C_delivered)
                            + wsk_site_counter(seg, i, WSK_C_delivered_binary);
    }
    choose(sites, n, top, by_messages);
    choose(sites, n, top, by_connections);
    for (i = 0; i < n; i++) {
        if (sites[i].chosen) {
            see_site(snap, seg, sites[i].number);
        }
    }
}

static void see_sites(wsk_snapshot_t *snap, apr_pool_t *pool,
                      wsk_segment_t *seg, const wsk_ask_t *ask)
{
    const uint32_t first = WSK_MIN(ask->first, snap->known_sites);
    const uint32_t most = ask->top ? WSK_MIN(snap->known_sites,
                                             2 * (uint64_t)ask->top)
                                   : first;
    uint32_t i;

    snap->sites = apr_pcalloc(pool, (most + 1) * sizeof *snap->sites);
    if (ask->top) {
        see_busiest(snap, pool, seg, ask->top);
        return;
    }
    for (i = 0; i < first; i++) {
        see_site(snap, seg, i);
    }
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

wsk_snapshot_t *wsk_snapshot_take(apr_pool_t *pool, const wsk_source_t *from,
                                  int64_t now_us, const wsk_ask_t *ask)
{
    wsk_snapshot_t *snap = apr_pcalloc(pool, sizeof *snap);
    wsk_segment_t *seg = from->seg;
    int i;

    snap->now_us = now_us;
    snap->since_us = from->since_us;
    snap->proved = ask->prove;
    snap->whole = ask->prove && wsk_segment_check(seg, &snap->why) == WSK_OK;
    if (!ask->prove || snap->whole) {
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
    snap->known_sites = wsk_site_count(seg);
    see_sites(snap, pool, seg, ask);
    return snap;
}
