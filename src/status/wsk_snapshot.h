/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_snapshot -- the figures of the host, taken once; everything that shows
 * them is made from this.
 *
 * Promise   Names and figures of sites, never a secret.
 * Owner     All of it lies in the pool it was taken with.
 */
#ifndef WSK_SNAPSHOT_H
#define WSK_SNAPSHOT_H

#include "apr_pools.h"

#include "store/wsk_site.h"

/** Where figures come from. */
typedef struct wsk_source_t {
    wsk_segment_t *seg; /* NULL: no host is switched on */
    int64_t since_us;   /* Unix time at which the segment was made */
} wsk_source_t;

typedef struct wsk_counter_info_t {
    const char *name, *metric, *label, *help; /* label "": none */
} wsk_counter_info_t;
extern const wsk_counter_info_t wsk_counter_info[WSK_C_COUNT];

typedef struct wsk_seen_site_t {
    char key[WSK_KEY_MAX + 1];
    bool on;
    uint32_t connections, max_connections, pages;
    uint64_t messages, kept, bytes;
    uint64_t published;         /* by signed publish */
    uint64_t published_browser; /* by browsers, text and binary */
    uint64_t delivered;         /* text and binary */
    uint64_t refused;           /* as in the totals, what is the site's */
    uint64_t limited;           /* of them, at its caps, rates and bounds */
} wsk_seen_site_t;

typedef struct wsk_seen_slot_t {
    uint32_t number;
    wsk_slot_info_t is;
} wsk_seen_slot_t;

/** Sums of counters that people ask for. */
typedef struct wsk_totals_t {
    uint64_t published; /* by publishers and browsers, text and binary */
    uint64_t delivered;
    uint64_t refused; /* handshakes, requests and messages */
    uint64_t dropped; /* connections that could not keep up */
} wsk_totals_t;

typedef struct wsk_snapshot_t {
    int64_t now_us, since_us;
    bool proved, whole;
    const char *why; /* it was proved, and is not whole; else "" */
    uint32_t connections, max_connections;
    uint32_t websockets, event_streams, publishers; /* together: connections */
    uint32_t refused_files; /* site files that the last reload found broken */
    wsk_pages_t pages;
    uint64_t bytes, used; /* of the segment */
    uint64_t counters[WSK_C_COUNT];
    wsk_totals_t totals;
    wsk_seen_slot_t *slots;
    uint32_t nslots;
    wsk_seen_site_t *sites;
    uint32_t nsites, known_sites;
} wsk_snapshot_t;

/** What a snapshot is to have beside the figures of the host. */
typedef struct wsk_ask_t {
    uint32_t first; /* so many sites, by number, */
    uint32_t top; /* or so many with the most connections, and so many with the
                       most messages; those with the most connections first */
    bool prove;   /* whether the segment hangs together: takes all its locks,
                       and goes through its pages once for every site */
} wsk_ask_t;

/** Take one. No lock is taken but those of the sites that are shown. */
wsk_snapshot_t *wsk_snapshot_take(apr_pool_t *pool, const wsk_source_t *from,
                                  int64_t now_us, const wsk_ask_t *ask);

#endif
