/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_members.h"

#include <string.h>

#include "store/wsk_append.h"
#include "store/wsk_pages.h"

static wsk_entry_t *entry_at(const wsk_segment_t *seg, uint32_t page,
                             uint32_t at)
{
    return (wsk_entry_t *)(void *)(wsk_page_bytes(seg, page) + at);
}

uint32_t wsk_entry_bytes(size_t channel, size_t state)
{
    return (uint32_t)((sizeof(wsk_entry_t) + channel + state + 7) & ~(size_t)7);
}

static uint32_t bytes_of(const wsk_entry_t *entry)
{
    return wsk_entry_bytes(entry->channel, entry->state);
}

wsk_slice_t wsk_entry_channel(const wsk_entry_t *entry)
{
    return (wsk_slice_t){ (const char *)(entry + 1), entry->channel };
}

wsk_slice_t wsk_entry_state(const wsk_entry_t *entry)
{
    return (wsk_slice_t){ (const char *)(entry + 1) + entry->channel,
                          entry->state };
}

/* The entry at a place of a page, unless what lies there cannot be one: then
 * nothing behind it is looked at either. */
static wsk_entry_t *sound(const wsk_segment_t *seg,
                          const wsk_members_state_t *members, unsigned i,
                          uint32_t at)
{
    const uint32_t used = WSK_MIN(members->used[i], (uint32_t)WSK_PAGE_BYTES);
    wsk_entry_t *entry;

    if (!wsk_page_known(seg, members->page[i])
        || at + sizeof(wsk_entry_t) > used) {
        return NULL;
    }
    entry = entry_at(seg, members->page[i], at);
    return entry->mark == WSK_ENTRY_MARK && bytes_of(entry) <= used - at ? entry
                                                                         : NULL;
}

wsk_entry_t *wsk_members_next(const wsk_segment_t *seg,
                              const wsk_members_state_t *members,
                              wsk_members_walk_t *walk)
{
    while (walk->page < WSK_PRESENCE_PAGES && members->page[walk->page] != 0) {
        wsk_entry_t *entry = sound(seg, members, walk->page, walk->at);

        if (entry == NULL) {
            walk->page++;
            walk->at = 0;
            continue;
        }
        walk->at += bytes_of(entry);
        if (!entry->gone) {
            return entry;
        }
    }
    return NULL;
}

/* Bytes of a page that are needed once `old` is taken out. */
static uint32_t live_bytes(const wsk_segment_t *seg,
                           const wsk_members_state_t *members, unsigned i,
                           const wsk_entry_t *old)
{
    const wsk_entry_t *entry;
    uint32_t at = 0, n = 0;

    while ((entry = sound(seg, members, i, at)) != NULL) {
        at += bytes_of(entry);
        n += entry->gone || entry == old ? 0 : bytes_of(entry);
    }
    return n;
}

/* The first page with room, or the number of the next one. */
static unsigned page_for(const wsk_segment_t *seg,
                         const wsk_members_state_t *members, uint32_t bytes,
                         const wsk_entry_t *old)
{
    unsigned i = 0;

    while (i < WSK_PRESENCE_PAGES && members->page[i] != 0
           && live_bytes(seg, members, i, old) + bytes
                  > (uint32_t)WSK_PAGE_BYTES) {
        i++;
    }
    return i;
}

static void loosen(wsk_work_t *work, uint32_t page)
{
    wsk_loose_t *loose = &work->loose[WSK_PAGE_MEMBERS];

    wsk_page_of(work->seg, page)->next = loose->n > 0 ? loose->first : 0;
    loose->first = page;
    loose->n++;
    work->changed = true;
}

/* Copy what stays of a page. @return bytes */
static uint32_t copy_live(const wsk_segment_t *seg,
                          const wsk_members_state_t *members, unsigned i,
                          const wsk_entry_t *old, uint8_t *to)
{
    const wsk_entry_t *entry;
    uint32_t at = 0, n = 0;

    while ((entry = sound(seg, members, i, at)) != NULL) {
        at += bytes_of(entry);
        if (!entry->gone && entry != old) {
            memcpy(to + n, entry, bytes_of(entry));
            n += bytes_of(entry);
        }
    }
    return n;
}

/* Have so many pages within reach: what grows leaves one to be written anew
 * with. */
static bool spare_page(wsk_work_t *work, uint32_t n)
{
    while (wsk_pages_left(work->seg, work->number) < n) {
        if (!wsk_append_spare(work, WSK_LOG_PRESENCE)) {
            return false;
        }
    }
    return true;
}

wsk_status_e wsk_members_add(wsk_work_t *work, const wsk_entry_t *head,
                             wsk_slice_t channel, wsk_slice_t state,
                             wsk_entry_t *old)
{
    wsk_members_state_t *members = &work->state.members;
    const uint32_t bytes = wsk_entry_bytes(channel.len, state.len);
    const unsigned i = page_for(work->seg, members, bytes, old);
    uint32_t page, last, at;
    uint8_t *to;

    if (i == WSK_PRESENCE_PAGES) {
        return WSK_EFULL;
    }
    if (!spare_page(work, members->page[i] != 0 ? 1 : 2)
        || wsk_pages_take(work->seg, work->number, WSK_PAGE_MEMBERS, 1, &page,
                          &last)
               != WSK_OK) {
        return WSK_EFULL;
    }
    to = wsk_page_bytes(work->seg, page);
    at = copy_live(work->seg, members, i, old, to);
    memset(to + at, 0, bytes);
    memcpy(to + at, head, sizeof(*head));
    memcpy(to + at + sizeof(*head), channel.at, channel.len);
    memcpy(to + at + sizeof(*head) + channel.len, state.at, state.len);
    if (members->page[i] != 0) {
        loosen(work, members->page[i]);
    }
    members->page[i] = page;
    members->used[i] = (uint16_t)(at + bytes);
    work->changed = true;
    if (old != NULL) {
        wsk_members_remove(old);
    }
    return WSK_OK;
}

void wsk_members_remove(wsk_entry_t *entry)
{
    wsk_settle();
    entry->gone = 1;
    wsk_settle();
}

void wsk_members_count(wsk_segment_t *seg, wsk_site_t *site,
                       const wsk_members_state_t *members)
{
    wsk_members_walk_t walk = { 0, 0 };
    uint32_t all = 0, leased = 0;
    const wsk_entry_t *entry;

    while ((entry = wsk_members_next(seg, members, &walk)) != NULL) {
        all++;
        leased += entry->slot == WSK_PRESENCE_LEASED;
    }
    atomic_store(&site->present, all);
    atomic_store(&site->leased, leased);
}

static void keep(wsk_work_t *work, bool all_go)
{
    wsk_members_state_t *members = &work->state.members;
    unsigned i, n = 0;

    for (i = 0; i < WSK_PRESENCE_PAGES && members->page[i] != 0; i++) {
        const uint32_t page = members->page[i];
        const uint16_t used = members->used[i];

        if (all_go || live_bytes(work->seg, members, i, NULL) == 0) {
            loosen(work, page);
            continue;
        }
        members->page[n] = page;
        members->used[n++] = used;
    }
    for (; n < WSK_PRESENCE_PAGES; n++) {
        members->page[n] = 0;
        members->used[n] = 0;
    }
}

void wsk_members_tidy(wsk_work_t *work)
{
    keep(work, false);
}

void wsk_members_clear(wsk_work_t *work)
{
    keep(work, true);
    atomic_store(&work->site->present, 0);
    atomic_store(&work->site->leased, 0);
}

static const char *check_entries(const wsk_segment_t *seg, uint32_t page,
                                 uint32_t used)
{
    uint32_t at = 0;

    while (at + sizeof(wsk_entry_t) <= used) {
        const wsk_entry_t *entry = entry_at(seg, page, at);

        if (entry->mark != WSK_ENTRY_MARK || entry->channel > WSK_CHANNEL_MAX
            || entry->state > WSK_PRESENCE_STATE) {
            return "a member is not one";
        }
        at += bytes_of(entry);
    }
    return at == used ? NULL : "a page of members ends within one";
}

const char *wsk_members_check(wsk_segment_t *seg, uint32_t site,
                              const wsk_members_state_t *members)
{
    const char *why = NULL;
    unsigned i;

    for (i = 0; why == NULL && i < WSK_PRESENCE_PAGES && members->page[i] != 0;
         i++) {
        const uint32_t page = members->page[i];
        wsk_page_t *entry;

        if (!wsk_page_known(seg, page)) {
            return "members lie nowhere";
        }
        entry = wsk_page_of(seg, page);
        if (entry->owner != site + 1 || entry->kind != WSK_PAGE_MEMBERS
            || entry->mark != 0 || members->used[i] > WSK_PAGE_BYTES) {
            return "members lie on a page that is not theirs";
        }
        entry->mark = 1;
        why = check_entries(seg, page, members->used[i]);
    }
    for (; i < WSK_PRESENCE_PAGES && why == NULL; i++) {
        why = members->page[i] != 0 ? "there are members behind the last page"
                                    : NULL;
    }
    return why;
}
