/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_pages.h"

#include "store/wsk_repair.h"

bool wsk_host_take(wsk_segment_t *seg)
{
    switch (wsk_lock_take(&seg->header->lock)) {
    case WSK_LOCK_HELD:
        return true;
    case WSK_LOCK_DEAD:
        wsk_repair_host(seg);
        wsk_lock_mended(&seg->header->lock);
        return true;
    case WSK_LOCK_BUSY:
    case WSK_LOCK_LOST:
        return false;
    }
    return false;
}

void wsk_host_give(wsk_segment_t *seg)
{
    wsk_lock_give(&seg->header->lock);
}

static uint32_t pages_of(const wsk_site_t *site)
{
    return atomic_load_explicit(&site->pages, memory_order_relaxed);
}

static void set_pages(wsk_site_t *site, uint32_t n)
{
    atomic_store_explicit(&site->pages, n, memory_order_relaxed);
}

/* Promised to the site and not taken. */
static uint32_t promise_to(const wsk_site_t *site)
{
    const uint32_t has = pages_of(site);

    return site->reserved > has ? site->reserved - has : 0;
}

/* Free pages promised to nobody. */
static uint32_t loose(const wsk_header_t *header)
{
    return header->free_count > header->promised
               ? header->free_count - header->promised
               : 0;
}

static void put_free(wsk_segment_t *seg, uint32_t page)
{
    wsk_page_t *entry = wsk_page_of(seg, page);

    entry->owner = 0;
    wsk_settle();
    entry->next = seg->header->free_first;
    seg->header->free_first = page;
    seg->header->free_count++;
}

void wsk_pages_mend(wsk_segment_t *seg)
{
    wsk_header_t *header = seg->header;
    const uint32_t nsites = wsk_sites_known(seg);
    uint32_t i;

    header->free_first = 0;
    header->free_count = 0;
    header->promised = 0;
    for (i = 0; i < nsites; i++) {
        set_pages(&seg->sites[i], 0);
    }
    for (i = seg->npages; i > 0; i--) {
        const uint32_t owner = wsk_page_of(seg, i)->owner;

        if (owner == 0 || owner > nsites) {
            put_free(seg, i);
        }
        else {
            set_pages(&seg->sites[owner - 1],
                      pages_of(&seg->sites[owner - 1]) + 1);
        }
    }
    for (i = 0; i < nsites; i++) {
        header->promised += promise_to(&seg->sites[i]);
    }
}

static uint32_t left_of(const wsk_segment_t *seg, const wsk_site_t *site)
{
    return loose(seg->header) + promise_to(site);
}

/* The site has another number of pages now. */
static void recount(wsk_segment_t *seg, wsk_site_t *site, uint32_t has)
{
    seg->header->promised -= promise_to(site);
    set_pages(site, has);
    seg->header->promised += promise_to(site);
}

/* Whether the free list has n pages that are free. */
static bool free_sound(const wsk_segment_t *seg, uint32_t n)
{
    uint32_t page = seg->header->free_first;

    while (n > 0 && wsk_page_known(seg, page)
           && wsk_page_of(seg, page)->owner == 0) {
        page = wsk_page_of(seg, page)->next;
        n--;
    }
    return n == 0;
}

wsk_status_e wsk_pages_take(wsk_segment_t *seg, uint32_t site,
                            wsk_page_kind_e kind, uint32_t n, uint32_t *pfirst,
                            uint32_t *plast)
{
    wsk_header_t *header = seg->header;
    wsk_site_t *at = &seg->sites[site];
    uint32_t first = 0, last = 0, i;

    if (!wsk_host_take(seg)) {
        return WSK_EFULL;
    }
    if (n <= left_of(seg, at) && !free_sound(seg, n)) {
        wsk_pages_mend(seg);
    }
    if (n > left_of(seg, at) || n > header->free_count) {
        wsk_host_give(seg);
        return WSK_EFULL;
    }
    for (i = 0; i < n; i++) {
        const uint32_t page = header->free_first;
        wsk_page_t *entry = wsk_page_of(seg, page);

        header->free_first = entry->next;
        header->free_count--;
        entry->kind = kind;
        entry->next = 0;
        entry->first_at = 0;
        entry->first_seq = 0;
        wsk_settle();
        entry->owner = site + 1;
        if (last == 0) {
            first = page;
        }
        else {
            wsk_page_of(seg, last)->next = page;
        }
        last = page;
    }
    recount(seg, at, pages_of(at) + n);
    wsk_host_give(seg);
    *pfirst = first;
    *plast = last;
    return WSK_OK;
}

void wsk_pages_give(wsk_segment_t *seg, uint32_t site, uint32_t first,
                    uint32_t n)
{
    wsk_site_t *at = &seg->sites[site];
    uint32_t page = first, given = 0;

    if (n == 0 || !wsk_host_take(seg)) {
        return;
    }
    while (given < n && page != 0 && page <= seg->npages
           && wsk_page_of(seg, page)->owner == site + 1) {
        const uint32_t next = wsk_page_of(seg, page)->next;

        put_free(seg, page);
        page = next;
        given++;
    }
    recount(seg, at, pages_of(at) - given);
    wsk_host_give(seg);
}

uint32_t wsk_pages_unmark(wsk_segment_t *seg, uint32_t site)
{
    uint32_t page, n = 0;

    if (!wsk_host_take(seg)) {
        return 0;
    }
    for (page = 1; page <= seg->npages; page++) {
        wsk_page_t *entry = wsk_page_of(seg, page);

        if (entry->owner == site + 1) {
            entry->mark = 0;
            n++;
        }
    }
    wsk_host_give(seg);
    return n;
}

void wsk_pages_sweep(wsk_segment_t *seg, uint32_t site)
{
    wsk_site_t *at = &seg->sites[site];
    uint32_t page, given = 0;

    if (!wsk_host_take(seg)) {
        return;
    }
    for (page = 1; page <= seg->npages; page++) {
        const wsk_page_t *entry = wsk_page_of(seg, page);

        if (entry->owner == site + 1 && entry->mark == 0) {
            put_free(seg, page);
            given++;
        }
    }
    recount(seg, at, pages_of(at) - given);
    wsk_host_give(seg);
}

uint32_t wsk_pages_left(wsk_segment_t *seg, uint32_t site)
{
    uint32_t left = 0;

    if (wsk_host_take(seg)) {
        left = left_of(seg, &seg->sites[site]);
        wsk_host_give(seg);
    }
    return left;
}

bool wsk_pages_reserve(wsk_segment_t *seg, uint32_t site, bool on)
{
    wsk_site_t *at = &seg->sites[site];
    const uint32_t want = on ? seg->spec.site_pages : 0;
    bool fits = true;

    if (!wsk_host_take(seg)) {
        return false;
    }
    if (at->reserved != want) {
        const uint32_t has = pages_of(at);
        const uint32_t more = want > has ? want - has : 0;

        seg->header->promised -= promise_to(at);
        fits = more <= loose(seg->header);
        if (fits) {
            at->reserved = want;
        }
        seg->header->promised += promise_to(at);
    }
    wsk_host_give(seg);
    return fits;
}
