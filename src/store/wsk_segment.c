/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_segment.h"

#include <stdlib.h>
#include <string.h>

#include "store/wsk_addr.h"
#include "store/wsk_index.h"
#include "store/wsk_pages.h"
#include "store/wsk_work.h"

/* Where the parts are. */
typedef struct plan_t {
    uint64_t slots, sites, matrix, index, addrs, chains, users, table, pages;
    uint64_t slot_bytes;
    uint32_t index_size;
    uint32_t npages;
} plan_t;

static uint64_t aligned(uint64_t n, uint64_t to)
{
    return (n + to - 1) & ~(to - 1);
}

static bool spec_sane(const wsk_segment_spec_t *spec)
{
    return spec->slots >= 1 && spec->slots <= WSK_SLOTS_MAX && spec->sites >= 1
           && spec->sites <= WSK_SITES_MAX && spec->addresses >= 1
           && (spec->addresses & (spec->addresses - 1)) == 0
           && spec->site_pages >= 2 && spec->site_pages <= UINT32_MAX / 2;
}

/* Where the table of pages begins: after all that does not depend on how many
 * there are. Every factor is 32 bits at most, so nothing overflows. */
static uint64_t plan_tables(const wsk_segment_spec_t *spec, plan_t *plan)
{
    const uint64_t sites = spec->sites;
    const uint64_t words = (sites + 63) / 64;
    uint64_t at = aligned(sizeof(wsk_header_t), 64);

    plan->slot_bytes = aligned(sizeof(wsk_slot_t) + words * sizeof(wsk_word_t),
                               64);
    plan->index_size = wsk_index_size(spec->sites);
    plan->slots = at;
    at += spec->slots * plan->slot_bytes;
    plan->sites = at;
    at += sites * sizeof(wsk_site_t);
    plan->matrix = aligned(at, 64);
    at = plan->matrix + spec->slots * sites * sizeof(wsk_cell_t);
    plan->index = aligned(at, 64);
    at = plan->index + UINT64_C(2) * plan->index_size * sizeof(wsk_half_t);
    plan->addrs = aligned(at, 64);
    at = plan->addrs + (uint64_t)spec->addresses * sizeof(wsk_addr_t);
    plan->chains = aligned(at, 64);
    at = plan->chains + (uint64_t)spec->addresses * sizeof(uint32_t);
    plan->users = aligned(at, 64);
    at = plan->users + sites * sizeof(wsk_user_t);
    plan->table = aligned(at, 64);
    return plan->table;
}

static uint64_t pages_at(uint64_t table, uint64_t npages)
{
    return aligned(table + npages * sizeof(wsk_page_t), WSK_PAGE_BYTES);
}

/* @return false: there is no room for any page */
static bool plan_all(const wsk_segment_spec_t *spec, plan_t *plan)
{
    uint64_t table, npages;

    if (!spec_sane(spec)) {
        return false;
    }
    table = plan_tables(spec, plan);
    if (spec->bytes < table) {
        return false;
    }
    npages = (spec->bytes - table) / (WSK_PAGE_BYTES + sizeof(wsk_page_t));
    npages = WSK_MIN(npages, (uint64_t)UINT32_MAX / 2);
    while (npages > 0
           && pages_at(table, npages) + npages * WSK_PAGE_BYTES > spec->bytes) {
        npages--;
    }
    plan->pages = pages_at(table, npages);
    plan->npages = (uint32_t)npages;
    return npages >= spec->site_pages;
}

uint64_t wsk_segment_least(const wsk_segment_spec_t *spec)
{
    plan_t plan;

    if (!spec_sane(spec)) {
        return UINT64_MAX;
    }
    return pages_at(plan_tables(spec, &plan), spec->site_pages)
           + (uint64_t)spec->site_pages * WSK_PAGE_BYTES;
}

/* Sizes, and where fields are that move when others before them change. */
uint32_t wsk_segment_shapes(void)
{
    static const uint64_t shapes[] = {
        WSK_LAYOUT_VERSION,
        WSK_C_COUNT,
        WSK_MARK_COUNT,
        sizeof(wsk_header_t),
        offsetof(wsk_header_t, marks),
        offsetof(wsk_header_t, connections),
        sizeof(wsk_slot_t),
        offsetof(wsk_slot_t, offers),
        offsetof(wsk_slot_t, counters),
        sizeof(wsk_site_t),
        offsetof(wsk_site_t, state),
        offsetof(wsk_site_t, counters),
        offsetof(wsk_site_t, reserved),
        sizeof(wsk_said_t),
        offsetof(wsk_said_t, spec.limits),
        sizeof(wsk_state_t),
        sizeof(wsk_cell_t),
        sizeof(wsk_addr_t),
        sizeof(wsk_user_t),
        sizeof(wsk_page_t),
        sizeof(pthread_mutex_t),
    };
    static const uint8_t key[16];
    const uint64_t hash = wsk_hash(key, shapes, sizeof(shapes));

    return (uint32_t)(hash ^ hash >> 32);
}

static wsk_segment_t *view_of(void *mem, const wsk_segment_spec_t *spec,
                              const plan_t *plan)
{
    wsk_segment_t *seg = calloc(1, sizeof(*seg));
    uint8_t *base = mem;

    if (seg == NULL) {
        return NULL;
    }
    seg->base = base;
    seg->header = mem;
    seg->spec = *spec;
    seg->slots = base + plan->slots;
    seg->slot_bytes = plan->slot_bytes;
    seg->sites = (wsk_site_t *)(void *)(base + plan->sites);
    seg->matrix = (wsk_cell_t *)(void *)(base + plan->matrix);
    seg->index[0] = (wsk_half_t *)(void *)(base + plan->index);
    seg->index[1] = seg->index[0] + plan->index_size;
    seg->index_size = plan->index_size;
    seg->addrs = (wsk_addr_t *)(void *)(base + plan->addrs);
    seg->chains = (uint32_t *)(void *)(base + plan->chains);
    seg->users = (wsk_user_t *)(void *)(base + plan->users);
    seg->table = (wsk_page_t *)(void *)(base + plan->table);
    seg->pages = base + plan->pages;
    seg->npages = plan->npages;
    return seg;
}

static void write_plan(wsk_header_t *header, const wsk_segment_spec_t *spec,
                       const plan_t *plan)
{
    header->layout = WSK_LAYOUT_VERSION;
    header->shapes = wsk_segment_shapes();
    header->spec = *spec;
    header->slots_at = plan->slots;
    header->sites_at = plan->sites;
    header->matrix_at = plan->matrix;
    header->index_at = plan->index;
    header->addrs_at = plan->addrs;
    header->chains_at = plan->chains;
    header->users_at = plan->users;
    header->table_at = plan->table;
    header->pages_at = plan->pages;
    header->npages = plan->npages;
    header->index_size = plan->index_size;
}

static bool format_locks(wsk_segment_t *seg)
{
    bool formed = wsk_lock_format(&seg->header->lock);
    uint32_t i;

    for (i = 0; formed && i < seg->spec.slots; i++) {
        formed = wsk_lock_format(&wsk_slot_of(seg, i)->life);
    }
    for (i = 0; formed && i < seg->spec.sites; i++) {
        formed = wsk_lock_format(&seg->sites[i].lock);
    }
    return formed;
}

wsk_segment_t *wsk_segment_format(void *mem, const wsk_segment_spec_t *spec,
                                  const uint8_t random[32])
{
    wsk_header_t *header = mem;
    wsk_segment_t *seg;
    plan_t plan;

    if (!plan_all(spec, &plan) || (uintptr_t)mem % 64 != 0) {
        return NULL;
    }
    seg = view_of(mem, spec, &plan);
    if (seg == NULL) {
        return NULL;
    }
    write_plan(header, spec, &plan);
    memcpy(header->secret, random, sizeof(header->secret));
    if (!format_locks(seg)) {
        wsk_segment_close(seg);
        return NULL;
    }
    wsk_pages_mend(seg);
    wsk_addr_format(seg);
    wsk_segment_mark(seg, WSK_MARK_HOST_CONNECTIONS, UINT64_MAX);
    atomic_store_explicit(&header->magic, WSK_SEGMENT_MAGIC,
                          memory_order_release);
    return seg;
}

wsk_segment_t *wsk_segment_open(void *mem, uint64_t bytes)
{
    wsk_header_t *header = mem;
    wsk_header_t expected;
    wsk_segment_spec_t spec;
    plan_t plan;

    if (bytes < sizeof(*header) || (uintptr_t)mem % 64 != 0
        || atomic_load_explicit(&header->magic, memory_order_acquire)
               != WSK_SEGMENT_MAGIC) {
        return NULL;
    }
    spec = header->spec;
    if (header->layout != WSK_LAYOUT_VERSION
        || header->shapes != wsk_segment_shapes() || spec.bytes != bytes
        || !plan_all(&spec, &plan)) {
        return NULL;
    }
    write_plan(&expected, &spec, &plan);
    if (memcmp(&expected.slots_at, &header->slots_at,
               offsetof(wsk_header_t, secret)
                   - offsetof(wsk_header_t, slots_at))
        != 0) {
        return NULL;
    }
    return view_of(mem, &spec, &plan);
}

void wsk_segment_close(wsk_segment_t *seg)
{
    free(seg);
}

const wsk_segment_spec_t *wsk_segment_spec(const wsk_segment_t *seg)
{
    return &seg->spec;
}

const uint8_t *wsk_segment_secret(const wsk_segment_t *seg)
{
    return seg->header->secret;
}

void wsk_segment_mark(wsk_segment_t *seg, wsk_mark_e mark, uint64_t value)
{
    atomic_store(&seg->header->marks[mark], value);
}

uint64_t wsk_segment_marked(const wsk_segment_t *seg, wsk_mark_e mark)
{
    return atomic_load(&seg->header->marks[mark]);
}

void wsk_segment_pages(wsk_segment_t *seg, wsk_pages_t *out)
{
    memset(out, 0, sizeof(*out));
    out->total = seg->npages;
    if (wsk_host_take(seg)) {
        out->free = seg->header->free_count;
        out->reserved = seg->header->promised;
        wsk_host_give(seg);
    }
}

uint32_t wsk_segment_connections(const wsk_segment_t *seg)
{
    return atomic_load(&seg->header->connections);
}

uint64_t wsk_segment_counter(const wsk_segment_t *seg, wsk_counter_e which)
{
    uint64_t sum = atomic_load(&seg->header->gone[which]);
    unsigned slot;

    for (slot = 0; slot < seg->spec.slots; slot++) {
        sum += atomic_load_explicit(&wsk_slot_of(seg, slot)->counters[which],
                                    memory_order_relaxed);
    }
    return sum;
}
