/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_fixture -- segments, sites and records for the tests of the store.
 *
 * Promise   A record's body follows from its number alone, so that a reader can
 *           tell whether it got what was appended.
 * Owner     store_new maps, store_end unmaps.
 */
#ifndef WSK_STORE_FIXTURE_H
#define WSK_STORE_FIXTURE_H

#include "tap.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/wsk_store_int.h"

#define SECOND INT64_C(1000000)
/* A Unix time in microseconds. */
#define NOON (INT64_C(1700000000) * SECOND)

TAP_UNUSED static wsk_segment_t *store_map(const wsk_segment_spec_t *spec,
                                           void **pmem)
{
    static const uint8_t random[32] = { 7, 3, 1, 250, 99 };
    void *mem = mmap(NULL, spec->bytes, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (mem == MAP_FAILED) {
        return NULL;
    }
    if (pmem != NULL) {
        *pmem = mem;
    }
    return wsk_segment_format(mem, spec, random);
}

TAP_UNUSED static void store_end(wsk_segment_t *seg)
{
    void *mem = seg->base;
    const uint64_t bytes = seg->spec.bytes;

    wsk_segment_close(seg);
    munmap(mem, bytes);
}

/* A segment with so many pages; ends the program if there is none. */
TAP_UNUSED static wsk_segment_t *store_new(uint32_t slots, uint32_t sites,
                                           uint32_t site_pages, uint32_t pages)
{
    wsk_segment_spec_t spec = { 0, slots, sites, 64, site_pages };
    wsk_segment_t *seg;

    spec.bytes = wsk_segment_least(&spec)
                 + (uint64_t)(pages - site_pages) * WSK_PAGE_BYTES;
    seg = store_map(&spec, NULL);
    while (seg != NULL && seg->npages < pages) {
        store_end(seg);
        spec.bytes += 4096;
        seg = store_map(&spec, NULL);
    }
    if (seg == NULL) {
        printf("Bail out! no segment\n");
        exit(1);
    }
    return seg;
}

TAP_UNUSED static void store_spec(wsk_site_spec_t *spec, unsigned n)
{
    memset(spec, 0, sizeof(*spec));
    snprintf(spec->key, sizeof(spec->key), "key-%u", n);
    snprintf(spec->site_id, sizeof(spec->site_id), "id-%u", n);
    snprintf(spec->url, sizeof(spec->url), "https://site-%u.example", n);
    snprintf(spec->publish.at[0], sizeof(spec->publish.at[0]),
             "publish secret %u", n);
    snprintf(spec->jwt.at[0], sizeof(spec->jwt.at[0]), "jwt secret %u", n);
    spec->signature = 2;
    spec->limits.history_bytes = (uint64_t)WSK_KB(256);
    spec->limits.history_messages = 1000;
    spec->limits.history_age_ms = 600000;
    spec->limits.connections = 100;
    spec->limits.address_connections = 10;
    spec->limits.publish_rate = 50;
    spec->limits.publish_burst = 200;
    spec->limits.browser_rate = 20;
    spec->limits.browser_burst = 40;
}

/* Site n under its spec, perhaps with another history. */
TAP_UNUSED static uint32_t store_site(wsk_segment_t *seg, unsigned n,
                                      uint64_t bytes, uint32_t messages)
{
    wsk_site_spec_t spec;
    uint32_t site;

    store_spec(&spec, n);
    spec.limits.history_bytes = bytes;
    spec.limits.history_messages = messages;
    wsk_site_put(seg, &spec, 1, 0xe000 + n, &site);
    return site;
}

/* Bytes that follow from a number. */
TAP_UNUSED static void store_fill(char *to, size_t len, uint64_t number)
{
    uint64_t word = number * UINT64_C(0x9e3779b97f4a7c15) + len;
    size_t i;

    for (i = 0; i < len; i++) {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        to[i] = (char)word;
    }
}

TAP_UNUSED static int store_same(wsk_slice_t body, uint64_t number)
{
    static char want[3 << 20];

    store_fill(want, body.len, number);
    return memcmp(want, body.at, body.len) == 0;
}

TAP_UNUSED static wsk_slice_t store_slice(const char *text)
{
    const wsk_slice_t slice = { text, strlen(text) };

    return slice;
}

/* Append one record with the body of this number. */
TAP_UNUSED static wsk_status_e store_append(wsk_segment_t *seg, uint32_t site,
                                            wsk_log_e log, const char *channel,
                                            size_t len, uint64_t number,
                                            int64_t now_us)
{
    static char body[3 << 20];
    wsk_record_t record = { store_slice(channel), { body, len }, 0, 0, 0 };
    wsk_cursor_t first;

    store_fill(body, len, number);
    return wsk_log_append(seg, site, log, &record, 1, NULL, now_us, &first);
}

TAP_UNUSED static void store_once(wsk_once_t *once, uint64_t number,
                                  int64_t until_us)
{
    store_fill((char *)once->name, sizeof(once->name), number);
    store_fill((char *)once->proof, sizeof(once->proof), number + 1);
    once->until_us = until_us;
}

/* Read all after the cursor; every body must follow from its number.
 * @return how many, or -1 */
TAP_UNUSED static int store_drain(wsk_segment_t *seg, uint32_t site,
                                  wsk_log_e log, wsk_cursor_t *cursor)
{
    static char buf[4 << 20];
    wsk_record_t records[64];
    unsigned n, i;
    int total = 0;

    do {
        const uint64_t from = cursor->seq;

        if (wsk_log_read(seg, site, log, cursor, buf, sizeof(buf), records, 64,
                         &n)
            != WSK_OK) {
            return -1;
        }
        for (i = 0; i < n; i++) {
            if (records[i].seq != from + 1 + i
                || !store_same(records[i].body, records[i].seq)) {
                return -1;
            }
        }
        total += (int)n;
    } while (n > 0);
    return total;
}

TAP_UNUSED static wsk_cursor_t store_head(wsk_segment_t *seg, uint32_t site,
                                          wsk_log_e log)
{
    wsk_cursor_t head = { 0, 0 };

    wsk_log_head(seg, site, log, &head);
    return head;
}

/* Whether nobody holds a lock of the segment; slots have theirs for life. */
TAP_UNUSED static bool store_unlocked(wsk_segment_t *seg)
{
    bool open = wsk_lock_try(&seg->header->lock) == WSK_LOCK_HELD;
    uint32_t i;

    for (i = 0; open && i < seg->spec.sites; i++) {
        open = wsk_lock_try(&seg->sites[i].lock) == WSK_LOCK_HELD;
        if (open) {
            wsk_lock_give(&seg->sites[i].lock);
        }
    }
    if (open) {
        wsk_lock_give(&seg->header->lock);
    }
    return open;
}

TAP_UNUSED static int store_whole(wsk_segment_t *seg, const char *what)
{
    const char *why = NULL;
    const int whole = wsk_segment_check(seg, &why) == WSK_OK;

    return ok(whole, "%s%s%s", what, whole ? "" : ": ", whole ? "" : why);
}

#endif
