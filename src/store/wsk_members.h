/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_members -- the pages in which a site's members lie.
 *
 * Entries lie packed in a page, up to `used` of the state in force. One is
 * taken out by one store to its `gone`, and its bytes come free when its page
 * is written anew. Adding writes a page nobody looks at yet, so that the commit
 * puts it in force.
 *
 * Promise   At any instruction what is in force can be walked.
 * Threads   Within a wsk_work_t, or with the site's lock held.
 */
#ifndef WSK_MEMBERS_H
#define WSK_MEMBERS_H

#include "store/wsk_presence.h"
#include "store/wsk_work.h"

#define WSK_ENTRY_MARK 0x6d656d62u

/* In front of each: then the channel, the state, and zeros up to a multiple of
 * eight. */
typedef struct wsk_entry_t {
    uint64_t member;
    int64_t until_us;
    uint32_t slot;
    uint32_t gone;           /* truth */
    uint16_t channel, state; /* bytes */
    uint32_t mark;
} wsk_entry_t;

_Static_assert(sizeof(wsk_entry_t) == 32, "entries are 8-aligned");

/** A walk over all that are there; begin with all zero. */
typedef struct wsk_members_walk_t {
    unsigned page;
    uint32_t at;
} wsk_members_walk_t;

/** @return the next entry that is not gone, or NULL */
wsk_entry_t *wsk_members_next(const wsk_segment_t *seg,
                              const wsk_members_state_t *members,
                              wsk_members_walk_t *walk);

wsk_slice_t wsk_entry_channel(const wsk_entry_t *entry);
wsk_slice_t wsk_entry_state(const wsk_entry_t *entry);

/** Bytes an entry takes. */
uint32_t wsk_entry_bytes(size_t channel, size_t state);

/**
 * Add one, in place of `old` unless that is NULL; comes into force with the
 * commit, `old` goes at once.
 * @return WSK_OK, or WSK_EFULL: nothing changed
 */
wsk_status_e wsk_members_add(wsk_work_t *work, const wsk_entry_t *head,
                             wsk_slice_t channel, wsk_slice_t state,
                             wsk_entry_t *old);

/** Take one out; in force at once. */
void wsk_members_remove(wsk_entry_t *entry);

/** Note how many there are, for those who look without a lock. */
void wsk_members_count(wsk_segment_t *seg, wsk_site_t *site,
                       const wsk_members_state_t *members);

/** Let go of pages in which nobody is; of all of them. */
void wsk_members_tidy(wsk_work_t *work);
void wsk_members_clear(wsk_work_t *work);

/** Prove the pages, and mark them, none of which may have a mark yet.
 *  @return NULL or what is wrong */
const char *wsk_members_check(wsk_segment_t *seg, uint32_t site,
                              const wsk_members_state_t *members);

#endif
