/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_segment.h"

#include <stdlib.h>
#include <string.h>

#include "store/wsk_addr.h"
#include "store/wsk_index.h"
#include "store/wsk_pages.h"
#include "store/wsk_repair.h"
#include "store/wsk_work.h"

/* Every page is somebody's or in the free list, and the counts say so. The host
 * lock is held. */
static const char *check_pages(const wsk_segment_t *seg, uint32_t *tally)
{
    const wsk_header_t *header = seg->header;
    uint32_t at = header->free_first;
    uint32_t n, owned = 0, promised = 0;

    for (n = 0; n < header->free_count; n++) {
        if (at == 0 || at > seg->npages || wsk_page_of(seg, at)->owner != 0) {
            return "the free list of pages is broken";
        }
        at = wsk_page_of(seg, at)->next;
    }
    for (n = 1; n <= seg->npages; n++) {
        const uint32_t owner = wsk_page_of(seg, n)->owner;

        if (owner > wsk_sites_known(seg)) {
            return "a page is owned by nobody known";
        }
        if (owner != 0) {
            tally[owner - 1]++;
            owned++;
        }
    }
    for (n = 0; n < wsk_sites_known(seg); n++) {
        const wsk_site_t *site = &seg->sites[n];

        if (tally[n] != atomic_load(&site->pages)) {
            return "a site's count of pages is wrong";
        }
        promised += site->reserved > tally[n] ? site->reserved - tally[n] : 0;
    }
    if (at != 0 || owned + header->free_count != seg->npages) {
        return "a page is neither owned nor free";
    }
    return promised == header->promised && promised <= header->free_count
               ? NULL
               : "more pages are promised than there are";
}

static const char *check_host(wsk_segment_t *seg)
{
    uint32_t *tally = calloc(seg->spec.sites, sizeof(*tally));
    const char *why = "no memory to count in";

    if (tally != NULL && wsk_host_take(seg)) {
        why = check_pages(seg, tally);
        if (why == NULL) {
            why = wsk_addr_check(seg);
        }
        wsk_host_give(seg);
    }
    free(tally);
    return why;
}

/* The site's lock is held. */
static const char *check_held(wsk_segment_t *seg, uint32_t number)
{
    wsk_site_t *site = &seg->sites[number];
    const wsk_state_t *state = wsk_state_of(site);
    const wsk_said_t *said = wsk_said_of(site);
    uint32_t chained = state->once.pages;
    const uint32_t owned = wsk_pages_unmark(seg, number);
    unsigned bad, i;
    const char *why = wsk_repair_check(seg, number, state, false, &bad);

    if (why != NULL) {
        return why;
    }
    for (i = 0; i < WSK_LOG_COUNT; i++) {
        chained += state->log[i].pages;
    }
    for (i = 0; i < WSK_PRESENCE_PAGES; i++) {
        chained += state->members.page[i] != 0;
    }
    if (owned != chained) {
        return "a page of a site is in none of its chains";
    }
    for (i = 0; i < WSK_LOG_TRACES; i++) {
        if (site->trace[i] >= state->log[WSK_LOG_TEXT].oldest) {
            return "a trace tells of a record that is kept";
        }
        if (site->newest[i] > state->log[WSK_LOG_TEXT].head) {
            return "a trace tells of a record that is not there yet";
        }
    }
    return said->state != WSK_SITE_ON && site->reserved != 0
               ? "a site that is off has a reservation"
               : NULL;
}

static const char *check_site(wsk_segment_t *seg, uint32_t number)
{
    const wsk_site_t *site = &seg->sites[number];
    const wsk_slice_t key = { site->key, strlen(site->key) };
    const wsk_slice_t id = { site->site_id, strlen(site->site_id) };
    const char *why = "a site has no lock";
    uint32_t by_key, by_id;

    if (wsk_index_find(seg, WSK_INDEX_KEY, key, &by_key) != WSK_OK
        || wsk_index_find(seg, WSK_INDEX_ID, id, &by_id) != WSK_OK
        || by_key != number || by_id != number) {
        return "a site is not found by its names";
    }
    if (wsk_site_take(seg, number)) {
        why = check_held(seg, number);
        wsk_site_give(seg, number);
    }
    return why;
}

wsk_status_e wsk_segment_check(wsk_segment_t *seg, const char **pwhy)
{
    const uint32_t known = wsk_sites_known(seg);
    const char *why = check_host(seg);
    uint32_t i;

    for (i = 0; i < known && why == NULL; i++) {
        why = check_site(seg, i);
    }
    if (pwhy != NULL) {
        *pwhy = why;
    }
    return why == NULL ? WSK_OK : WSK_EBROKEN;
}
