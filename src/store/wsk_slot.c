/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_slot.h"

#include "store/wsk_addr.h"
#include "store/wsk_feed.h"
#include "store/wsk_pages.h"
#include "store/wsk_presence.h"

static uint64_t bit_of(unsigned number)
{
    return UINT64_C(1) << (number % 64);
}

static unsigned dirty_words(const wsk_segment_t *seg)
{
    return (seg->spec.sites + 63) / 64;
}

/* Every listener of every site has something to look at: the dead may have
 * appended and not rung. Who takes on its tick sees it. */
static void ring_all(wsk_segment_t *seg)
{
    const uint32_t known = wsk_sites_known(seg);
    uint32_t site;
    unsigned slot;

    for (site = 0; site < known; site++) {
        for (slot = 0; slot < seg->spec.slots; slot += 64) {
            uint64_t mask = wsk_listeners_of(seg, &seg->sites[site], slot / 64);

            while (mask != 0) {
                const unsigned bit = (unsigned)__builtin_ctzll(mask);

                atomic_fetch_or(&wsk_slot_of(seg, slot + bit)->dirty[site / 64],
                                bit_of(site));
                mask &= mask - 1;
            }
        }
    }
}

/* Take back everything a slot stands for, and make it free. The life lock is
 * held. May be broken off anywhere and done again. */
static void take_back(wsk_segment_t *seg, unsigned slot)
{
    wsk_slot_t *at = wsk_slot_of(seg, slot);
    const uint32_t known = wsk_sites_known(seg);
    uint32_t i;

    for (i = 0; i < known; i++) {
        atomic_fetch_and(&seg->sites[i].listeners[slot / 64], ~bit_of(slot));
    }
    wsk_presence_reap(seg, slot);
    if (wsk_host_take(seg)) {
        atomic_fetch_add(&at->term, 1); /* what is given back later is gone */
        wsk_addr_reap(seg, slot);
        wsk_feed_reap(seg, slot);
        wsk_host_give(seg);
    }
    for (i = 0; i < WSK_C_COUNT; i++) {
        wsk_host_count(seg, (wsk_counter_e)i,
                       atomic_exchange(&at->counters[i], 0));
    }
    for (i = 0; i < dirty_words(seg); i++) {
        atomic_store(&at->dirty[i], 0);
    }
    for (i = 0; i < WSK_OFFERS; i++) {
        atomic_store(&at->offers[i], 0);
    }
    atomic_store(&at->told, 0);
    atomic_store(&at->pid, 0);
    atomic_store(&at->state, WSK_SLOT_FREE);
}

/* The life lock of a slot was left by the dead, and is ours. */
static void reap(wsk_segment_t *seg, unsigned slot)
{
    wsk_slot_t *at = wsk_slot_of(seg, slot);
    const bool was_used = atomic_load(&at->state) != WSK_SLOT_FREE;

    take_back(seg, slot);
    ring_all(seg);
    if (was_used) {
        wsk_host_count(seg, WSK_C_slots_reaped, 1);
    }
    wsk_lock_mended(&at->life);
}

/* Try to hold a slot's life lock, reaping the dead. @return held, and free */
static bool seize(wsk_segment_t *seg, unsigned slot)
{
    wsk_slot_t *at = wsk_slot_of(seg, slot);

    switch (wsk_lock_try(&at->life)) {
    case WSK_LOCK_HELD:
        take_back(seg, slot); /* a worker may have counted after the release */
        return true;
    case WSK_LOCK_DEAD:
        reap(seg, slot);
        return true;
    case WSK_LOCK_BUSY:
    case WSK_LOCK_LOST:
        return false;
    }
    return false;
}

int wsk_slot_claim(wsk_segment_t *seg, wsk_slot_kind_e kind, int32_t pid,
                   uint32_t generation, int64_t now_us)
{
    unsigned pass, slot;

    for (pass = 0; pass < 2; pass++) {
        for (slot = 0; slot < seg->spec.slots; slot++) {
            wsk_slot_t *at = wsk_slot_of(seg, slot);

            if (pass == 0 && atomic_load(&at->state) != WSK_SLOT_FREE) {
                continue;
            }
            if (seize(seg, slot)) {
                atomic_store(&at->pid, pid);
                atomic_store(&at->generation, generation);
                atomic_store(&at->kind, kind);
                atomic_store(&at->since_us, now_us);
                atomic_store(&at->state, WSK_SLOT_LIVE);
                return (int)slot;
            }
        }
    }
    return -1;
}

void wsk_slot_release(wsk_segment_t *seg, unsigned slot)
{
    if (slot < seg->spec.slots) {
        take_back(seg, slot);
        wsk_lock_give(&wsk_slot_of(seg, slot)->life);
    }
}

uint32_t wsk_slot_term(const wsk_segment_t *seg, unsigned slot)
{
    return slot < seg->spec.slots ? atomic_load(&wsk_slot_of(seg, slot)->term)
                                  : 0;
}

void wsk_slot_stopping(wsk_segment_t *seg, unsigned slot)
{
    uint32_t live = WSK_SLOT_LIVE;

    if (slot < seg->spec.slots) {
        atomic_compare_exchange_strong(&wsk_slot_of(seg, slot)->state, &live,
                                       WSK_SLOT_STOPPING);
    }
}

bool wsk_slot_info(const wsk_segment_t *seg, unsigned slot,
                   wsk_slot_info_t *out)
{
    const wsk_slot_t *at;
    unsigned i;

    if (slot >= seg->spec.slots) {
        return false;
    }
    at = wsk_slot_of(seg, slot);
    out->state = (wsk_slot_state_e)atomic_load(&at->state);
    out->pid = atomic_load(&at->pid);
    out->generation = atomic_load(&at->generation);
    out->kind = (wsk_slot_kind_e)atomic_load(&at->kind);
    out->connections = atomic_load(&at->connections);
    out->since_us = atomic_load(&at->since_us);
    for (i = 0; i < WSK_C_COUNT; i++) {
        out->counters[i] = atomic_load_explicit(&at->counters[i],
                                                memory_order_relaxed);
    }
    return out->state != WSK_SLOT_FREE;
}

unsigned wsk_slot_sweep(wsk_segment_t *seg)
{
    unsigned slot, n = 0;

    for (slot = 0; slot < seg->spec.slots; slot++) {
        wsk_slot_t *at = wsk_slot_of(seg, slot);

        if (atomic_load(&at->state) != WSK_SLOT_FREE && seize(seg, slot)) {
            wsk_lock_give(&at->life);
            n++;
        }
    }
    return n;
}

bool wsk_slot_successor(const wsk_segment_t *seg, unsigned but,
                        uint32_t generation)
{
    unsigned slot;

    for (slot = 0; slot < seg->spec.slots; slot++) {
        const wsk_slot_t *at = wsk_slot_of(seg, slot);

        if (slot != but && atomic_load(&at->state) == WSK_SLOT_LIVE
            && atomic_load(&at->kind) == WSK_SLOT_CHILD
            && atomic_load(&at->generation) >= generation) {
            return true;
        }
    }
    return false;
}

void wsk_count(wsk_segment_t *seg, unsigned slot, uint32_t site,
               wsk_counter_e which, uint64_t n)
{
    wsk_word_t *counters = slot < seg->spec.slots
                               ? wsk_slot_of(seg, slot)->counters
                               : seg->header->gone;

    atomic_fetch_add_explicit(&counters[which], n, memory_order_relaxed);
    if (site != WSK_NO_SITE && wsk_site_known(seg, site)) {
        atomic_fetch_add_explicit(&seg->sites[site].counters[which], n,
                                  memory_order_relaxed);
    }
}

/* Ring and take: the bit before the word, cleared the other way round, so that
 * whoever finds the word set may leave the waking to another. */

void wsk_slot_ring(wsk_segment_t *seg, uint32_t site, wsk_wake_fn *wake,
                   void *baton)
{
    unsigned slot;

    if (!wsk_site_known(seg, site)) {
        return;
    }
    for (slot = 0; slot < seg->spec.slots; slot += 64) {
        uint64_t mask = wsk_listeners_of(seg, &seg->sites[site], slot / 64);

        while (mask != 0) {
            const unsigned to = slot + (unsigned)__builtin_ctzll(mask);
            wsk_slot_t *at = wsk_slot_of(seg, to);

            atomic_fetch_or(&at->dirty[site / 64], bit_of(site));
            if (atomic_exchange(&at->told, 1) == 0) {
                wake(baton, to);
            }
            mask &= mask - 1;
        }
    }
}

bool wsk_slot_rung(const wsk_segment_t *seg, unsigned slot)
{
    return slot < seg->spec.slots
           && atomic_load_explicit(&wsk_slot_of(seg, slot)->told,
                                   memory_order_relaxed)
                  != 0;
}

unsigned wsk_slot_take(wsk_segment_t *seg, unsigned slot, uint32_t *sites,
                       unsigned cap)
{
    wsk_slot_t *at;
    unsigned word, n = 0;

    if (slot >= seg->spec.slots) {
        return 0;
    }
    at = wsk_slot_of(seg, slot);
    atomic_exchange(&at->told, 0);
    for (word = 0; word < dirty_words(seg) && n < cap; word++) {
        uint64_t left = atomic_load(&at->dirty[word]);
        uint64_t taken = 0;

        while (left != 0 && n < cap) {
            const unsigned bit = (unsigned)__builtin_ctzll(left);

            if (word * 64 + bit < seg->spec.sites) {
                sites[n++] = word * 64 + bit;
            }
            taken |= UINT64_C(1) << bit;
            left &= left - 1;
        }
        if (taken != 0) {
            atomic_fetch_and(&at->dirty[word], ~taken);
        }
    }
    return n;
}
