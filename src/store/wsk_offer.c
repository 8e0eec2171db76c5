/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_offer.h"

#include "store/wsk_slot.h"
#include "store/wsk_store_int.h"

/*
 * The word: name 32, of the holder its term 16 and slot 12, state 4. A holder
 * that died is known by its slot being another's, or nobody's.
 */
_Static_assert(WSK_SLOTS_MAX <= 1 << 12, "a slot fits");

static uint64_t word_of(uint32_t name, uint32_t term, unsigned slot,
                        wsk_offer_e state)
{
    return (uint64_t)name << 32 | (uint64_t)(term & 0xffff) << 16
           | (uint64_t)slot << 4 | (uint64_t)state;
}

static wsk_word_t *place_of(const wsk_segment_t *seg, const wsk_offer_t *offer)
{
    return offer->slot < seg->spec.slots && offer->number < WSK_OFFERS
               ? &wsk_slot_of(seg, offer->slot)->offers[offer->number]
               : NULL;
}

bool wsk_offer_make(wsk_segment_t *seg, unsigned slot, wsk_offer_t *out)
{
    wsk_slot_t *at = wsk_slot_of(seg, slot);
    uint32_t i;

    for (i = 0; i < WSK_OFFERS; i++) {
        if (atomic_load(&at->offers[i]) == 0) {
            *out = (wsk_offer_t){ .slot = slot,
                                  .term = atomic_load(&at->term),
                                  .number = i,
                                  .name = atomic_fetch_add(&at->offered, 1) };
            atomic_store(&at->offers[i],
                         word_of(out->name, 0, 0, WSK_OFFER_OPEN));
            return true;
        }
    }
    return false;
}

/* Whoever held it is not the process it was. */
static bool holder_gone(const wsk_segment_t *seg, uint64_t word)
{
    const unsigned slot = (unsigned)(word >> 4 & 0xfff);
    const wsk_slot_t *at;

    if (slot >= seg->spec.slots) {
        return true;
    }
    at = wsk_slot_of(seg, slot);
    return atomic_load(&at->state) == WSK_SLOT_FREE
           || (atomic_load(&at->term) & 0xffff) != (word >> 16 & 0xffff);
}

wsk_offer_e wsk_offer_look(wsk_segment_t *seg, const wsk_offer_t *offer)
{
    wsk_word_t *place = place_of(seg, offer);
    const uint64_t word = place != NULL ? atomic_load(place) : 0;

    if (word == 0 || word >> 32 != offer->name) {
        return WSK_OFFER_FREE;
    }
    if ((word & 15) == WSK_OFFER_HELD && holder_gone(seg, word)) {
        return WSK_OFFER_ORPHAN;
    }
    return (wsk_offer_e)(word & 15);
}

bool wsk_offer_withdraw(wsk_segment_t *seg, const wsk_offer_t *offer)
{
    wsk_word_t *place = place_of(seg, offer);
    uint64_t open = word_of(offer->name, 0, 0, WSK_OFFER_OPEN);

    return place != NULL && atomic_compare_exchange_strong(place, &open, 0);
}

void wsk_offer_end(wsk_segment_t *seg, const wsk_offer_t *offer)
{
    wsk_word_t *place = place_of(seg, offer);

    if (place != NULL && atomic_load(place) >> 32 == offer->name) {
        atomic_store(place, 0);
    }
}

bool wsk_offer_hold(wsk_segment_t *seg, const wsk_offer_t *offer, unsigned by)
{
    wsk_word_t *place = place_of(seg, offer);
    uint64_t open = word_of(offer->name, 0, 0, WSK_OFFER_OPEN);

    return place != NULL
           && atomic_compare_exchange_strong(place, &open,
                                             word_of(offer->name,
                                                     wsk_slot_term(seg, by), by,
                                                     WSK_OFFER_HELD));
}

void wsk_offer_settle(wsk_segment_t *seg, const wsk_offer_t *offer, unsigned by,
                      wsk_offer_e what)
{
    wsk_word_t *place = place_of(seg, offer);
    uint64_t held = word_of(offer->name, wsk_slot_term(seg, by), by,
                            WSK_OFFER_HELD);

    if (place != NULL) {
        atomic_compare_exchange_strong(place, &held,
                                       word_of(offer->name, 0, 0, what));
    }
}
