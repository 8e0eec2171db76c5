/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_addr.h"

#include <string.h>

#include "store/wsk_user.h"

static uint32_t *chain_of(const wsk_segment_t *seg, uint32_t site,
                          uint64_t address)
{
    uint8_t bytes[sizeof(address) + sizeof(site)];

    memcpy(bytes, &address, sizeof(address));
    memcpy(bytes + sizeof(address), &site, sizeof(site));
    return &seg->chains[wsk_hash(seg->header->secret, bytes, sizeof(bytes))
                        & (seg->spec.addresses - 1)];
}

static void sum(wsk_half_t *of, uint32_t n)
{
    atomic_store_explicit(of,
                          atomic_load_explicit(of, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

/* n more connections (modulo 2^32: fewer) in every sum but the entry's. */
static void sum_up(wsk_segment_t *seg, const wsk_addr_t *entry, uint32_t n)
{
    wsk_user_t *user = wsk_user_of(seg, entry->site);

    sum(&wsk_cell_of(seg, entry->slot, entry->site)->connections, n);
    sum(&wsk_slot_of(seg, entry->slot)->connections, n);
    sum(&seg->sites[entry->site].connections, n);
    sum(&seg->header->connections, n);
    if (user != NULL) {
        sum(&user->connections, n);
    }
}

static void put_free(wsk_segment_t *seg, uint32_t number)
{
    seg->addrs[number - 1].next = seg->header->addr_free;
    seg->header->addr_free = number;
}

void wsk_addr_format(wsk_segment_t *seg)
{
    uint32_t i;

    for (i = seg->spec.addresses; i > 0; i--) {
        put_free(seg, i);
    }
}

static void zero(wsk_half_t *of)
{
    atomic_store_explicit(of, 0, memory_order_relaxed);
}

static void zero_sums(wsk_segment_t *seg)
{
    const uint32_t known = wsk_sites_known(seg);
    uint32_t slot, site;

    zero(&seg->header->connections);
    for (site = 0; site < known; site++) {
        zero(&seg->sites[site].connections);
    }
    for (slot = 0; slot < seg->spec.slots; slot++) {
        zero(&wsk_slot_of(seg, slot)->connections);
        for (site = 0; site < known; site++) {
            zero(&wsk_cell_of(seg, slot, site)->connections);
        }
    }
}

static bool entry_sane(const wsk_segment_t *seg, const wsk_addr_t *entry)
{
    return entry->count > 0 && entry->slot < seg->spec.slots
           && wsk_site_known(seg, entry->site);
}

void wsk_addr_mend(wsk_segment_t *seg)
{
    uint32_t i;

    zero_sums(seg);
    wsk_user_mend(seg);
    seg->header->addr_free = 0;
    memset(seg->chains, 0, (size_t)seg->spec.addresses * sizeof(uint32_t));
    for (i = seg->spec.addresses; i > 0; i--) {
        wsk_addr_t *entry = &seg->addrs[i - 1];

        if (entry_sane(seg, entry)) {
            uint32_t *chain = chain_of(seg, entry->site, entry->address);

            entry->next = *chain;
            *chain = i;
            sum_up(seg, entry, entry->count);
        }
        else {
            entry->count = 0;
            put_free(seg, i);
        }
    }
}

/* Nothing but entries in a chain or the free list, which ends. */
static bool list_sound(const wsk_segment_t *seg, uint32_t at)
{
    uint32_t n = 0;

    while (at != 0 && at <= seg->spec.addresses && n <= seg->spec.addresses) {
        at = seg->addrs[at - 1].next;
        n++;
    }
    return at == 0;
}

/* Before a chain is trusted. Chains are short; of the free list only the first
 * entry is used. */
static void assure(wsk_segment_t *seg, uint32_t site, uint64_t address)
{
    const uint32_t number = seg->header->addr_free;

    if (number > seg->spec.addresses
        || (number != 0 && seg->addrs[number - 1].count != 0)
        || !list_sound(seg, *chain_of(seg, site, address))) {
        wsk_addr_mend(seg);
    }
}

uint32_t wsk_addr_count(wsk_segment_t *seg, uint32_t site, uint64_t address)
{
    uint32_t at, n = 0;

    assure(seg, site, address);
    at = *chain_of(seg, site, address);
    while (at != 0) {
        const wsk_addr_t *entry = &seg->addrs[at - 1];

        if (entry->address == address && entry->site == site) {
            n += entry->count;
        }
        at = entry->next;
    }
    return n;
}

/* The link to the entry, or to nothing where the chain ends. */
static uint32_t *find(const wsk_segment_t *seg, unsigned slot, uint32_t site,
                      uint64_t address)
{
    uint32_t *link = chain_of(seg, site, address);

    while (*link != 0) {
        wsk_addr_t *entry = &seg->addrs[*link - 1];

        if (entry->address == address && entry->site == site
            && entry->slot == slot) {
            break;
        }
        link = &entry->next;
    }
    return link;
}

/* The entry of the slot it goes to, or a free one made its own. */
static wsk_addr_t *enter_entry(wsk_segment_t *seg, unsigned slot, uint32_t site,
                               uint64_t address)
{
    uint32_t *link = find(seg, slot, site, address);
    const uint32_t number = *link != 0 ? *link : seg->header->addr_free;
    wsk_addr_t *entry = number != 0 ? &seg->addrs[number - 1] : NULL;

    if (entry != NULL && *link == 0) {
        seg->header->addr_free = entry->next;
        entry->address = address;
        entry->site = site;
        entry->slot = slot;
        entry->next = 0;
        *link = number;
    }
    return entry;
}

wsk_status_e wsk_addr_add(wsk_segment_t *seg, unsigned slot, uint32_t site,
                          uint64_t address)
{
    wsk_addr_t *entry;

    assure(seg, site, address);
    entry = enter_entry(seg, slot, site, address);
    if (entry == NULL) {
        return WSK_EFULL;
    }
    wsk_settle();
    entry->count++;
    wsk_settle();
    sum_up(seg, entry, 1);
    return WSK_OK;
}

static void unlink_free(wsk_segment_t *seg, uint32_t *link)
{
    const uint32_t number = *link;

    *link = seg->addrs[number - 1].next;
    put_free(seg, number);
}

wsk_status_e wsk_addr_remove(wsk_segment_t *seg, unsigned slot, uint32_t site,
                             uint64_t address)
{
    uint32_t *link;
    wsk_addr_t *entry;

    assure(seg, site, address);
    link = find(seg, slot, site, address);
    if (*link == 0) {
        return WSK_ENOTFOUND;
    }
    entry = &seg->addrs[*link - 1];
    entry->count--;
    wsk_settle();
    sum_up(seg, entry, UINT32_MAX);
    if (entry->count == 0) {
        unlink_free(seg, link);
    }
    return WSK_OK;
}

/* From one slot's sums to another's; the others stay. */
static void sum_over(wsk_segment_t *seg, uint32_t site, unsigned from,
                     unsigned to)
{
    sum(&wsk_cell_of(seg, from, site)->connections, UINT32_MAX);
    sum(&wsk_slot_of(seg, from)->connections, UINT32_MAX);
    sum(&wsk_cell_of(seg, to, site)->connections, 1);
    sum(&wsk_slot_of(seg, to)->connections, 1);
}

wsk_status_e wsk_addr_move(wsk_segment_t *seg, unsigned from, unsigned to,
                           uint32_t site, uint64_t address)
{
    uint32_t *link;
    wsk_addr_t *old, *entry;

    assure(seg, site, address);
    link = find(seg, from, site, address);
    if (*link == 0) {
        return WSK_ENOTFOUND;
    }
    old = &seg->addrs[*link - 1];
    entry = enter_entry(seg, to, site, address);
    if (entry == NULL && old->count == 1) {
        old->slot = to; /* the table is full, and this one is all its own */
        wsk_settle();
        sum_over(seg, site, from, to);
        return WSK_OK;
    }
    if (entry == NULL) {
        return WSK_EFULL;
    }
    wsk_settle();
    entry->count++; /* who dies here has one too many, until `from` is reaped */
    wsk_settle();
    old->count--;
    wsk_settle();
    sum_over(seg, site, from, to);
    if (old->count == 0) {
        unlink_free(seg, find(seg, from, site, address));
    }
    return WSK_OK;
}

void wsk_addr_reap(wsk_segment_t *seg, unsigned slot)
{
    uint32_t i;

    for (i = 0; i < seg->spec.addresses; i++) {
        wsk_addr_t *entry = &seg->addrs[i];
        uint32_t *link;
        uint32_t n;

        if (entry->count == 0 || entry->slot != slot) {
            continue;
        }
        if (!entry_sane(seg, entry)) {
            wsk_addr_mend(seg);
            continue;
        }
        assure(seg, entry->site, entry->address);
        link = find(seg, slot, entry->site, entry->address);
        n = entry->count;
        entry->count = 0;
        wsk_settle();
        sum_up(seg, entry, 0 - n);
        if (*link != 0) {
            unlink_free(seg, link);
        }
    }
}

static uint32_t get(const wsk_half_t *of)
{
    return atomic_load_explicit(of, memory_order_relaxed);
}

/* The sums of cells against those of slots, sites and the host. */
static const char *check_sums(const wsk_segment_t *seg)
{
    const uint32_t known = wsk_sites_known(seg);
    uint32_t slot, site, cells, total = 0;

    for (slot = 0; slot < seg->spec.slots; slot++) {
        cells = 0;
        for (site = 0; site < known; site++) {
            cells += get(&wsk_cell_of(seg, slot, site)->connections);
        }
        if (cells != get(&wsk_slot_of(seg, slot)->connections)) {
            return "a slot's connections are not those of its cells";
        }
        total += cells;
    }
    for (site = 0; site < known; site++) {
        cells = 0;
        for (slot = 0; slot < seg->spec.slots; slot++) {
            cells += get(&wsk_cell_of(seg, slot, site)->connections);
        }
        if (cells != get(&seg->sites[site].connections)) {
            return "a site's connections are not those of its cells";
        }
    }
    return total == get(&seg->header->connections)
               ? wsk_user_check(seg)
               : "the host's connections are not those of all cells";
}

const char *wsk_addr_check(const wsk_segment_t *seg)
{
    uint32_t i, at, used = 0, unused = 0, total = 0;

    for (i = 0; i < seg->spec.addresses; i++) {
        const wsk_addr_t *entry = &seg->addrs[i];

        if (entry->count == 0) {
            continue;
        }
        used++;
        total += entry->count;
        if (!entry_sane(seg, entry)
            || !list_sound(seg, *chain_of(seg, entry->site, entry->address))
            || *find(seg, entry->slot, entry->site, entry->address) != i + 1) {
            return "an address is not found";
        }
    }
    if (!list_sound(seg, seg->header->addr_free)) {
        return "the free list of addresses leads away";
    }
    for (at = seg->header->addr_free; at != 0; at = seg->addrs[at - 1].next) {
        unused++;
        if (seg->addrs[at - 1].count != 0 || unused > seg->spec.addresses) {
            return "the free list of addresses is broken";
        }
    }
    if (used + unused != seg->spec.addresses) {
        return "an address entry is neither used nor free";
    }
    if (total != get(&seg->header->connections)) {
        return "the addresses do not add up to the host's connections";
    }
    return check_sums(seg);
}
