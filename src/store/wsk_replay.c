/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_replay.h"

#include <string.h>

#include "store/wsk_chain.h"

#define CHAINS 256
/* Seconds within which a request may come again: 60 either way. */
#define WINDOW_S 120

typedef struct entry_t {
    uint8_t mac[16];
    int64_t until_us;
    uint64_t seq;
    uint32_t epoch_low;
    uint16_t epoch_high;
    uint16_t next; /* entry + 1 in its chain */
} entry_t;

#define ENTRIES ((WSK_PAGE_BYTES - CHAINS * sizeof(uint16_t)) / sizeof(entry_t))

/* What a page holds: chains by the first byte of the MAC. Entries are only
 * added, and those behind `used` of the state are none. */
typedef struct table_t {
    uint16_t chains[CHAINS];
    entry_t at[ENTRIES];
} table_t;

_Static_assert(sizeof(entry_t) == 40, "no holes");
_Static_assert(sizeof(table_t) <= WSK_PAGE_BYTES, "a page holds a table");

static table_t *table_of(const wsk_segment_t *seg, uint32_t page)
{
    return (table_t *)(void *)wsk_page_bytes(seg, page);
}

static const entry_t *find_in(const table_t *table, const uint8_t mac[16])
{
    unsigned at = table->chains[mac[0]];
    unsigned steps;

    for (steps = 0; at != 0 && at <= ENTRIES && steps < ENTRIES; steps++) {
        const entry_t *entry = &table->at[at - 1];

        if (memcmp(entry->mac, mac, sizeof(entry->mac)) == 0) {
            return entry;
        }
        at = entry->next;
    }
    return NULL;
}

bool wsk_replay_sane(const wsk_once_state_t *state)
{
    return state->used <= ENTRIES;
}

wsk_status_e wsk_replay_find(wsk_work_t *work, const wsk_once_t *once,
                             wsk_cursor_t *first)
{
    const wsk_once_state_t *state = &work->state.once;
    uint32_t page = state->first;
    uint32_t n;

    for (n = 0; n < state->pages; n++) {
        const entry_t *entry;

        if (page == 0) {
            work->broken = true;
            break;
        }
        entry = find_in(table_of(work->seg, page), once->mac);
        if (entry != NULL) {
            first->epoch = (uint64_t)entry->epoch_high << 32 | entry->epoch_low;
            first->seq = entry->seq;
            return WSK_OK;
        }
        page = wsk_chain_next(work->seg, page);
    }
    return WSK_ENOTFOUND;
}

void wsk_replay_expire(wsk_work_t *work, int64_t now_us)
{
    wsk_once_state_t *state = &work->state.once;

    while (state->pages > 0) {
        const wsk_page_t *page = wsk_page_of(work->seg, state->first);
        const uint32_t next = wsk_chain_next(work->seg, state->first);

        if ((int64_t)page->first_seq >= now_us) {
            return;
        }
        if (state->pages > 1 && next == 0) {
            work->broken = true;
            return;
        }
        wsk_work_loosen(work, WSK_PAGE_ONCE, state->first, 1);
        state->first = state->pages > 1 ? next : 0;
        state->pages--;
    }
    state->last = 0;
    state->used = 0;
}

bool wsk_replay_needs(const wsk_work_t *work)
{
    return work->state.once.pages == 0 || work->state.once.used == ENTRIES;
}

uint32_t wsk_replay_bound(const wsk_limits_t *limits)
{
    const uint64_t most = (uint64_t)limits->publish_rate * WINDOW_S
                          + limits->publish_burst;
    const uint64_t pages = most / ENTRIES + 2;

    return (uint32_t)WSK_MIN(pages, (uint64_t)WSK_REPLAY_PAGES);
}

void wsk_replay_grow(wsk_work_t *work, uint32_t page)
{
    wsk_once_state_t *state = &work->state.once;
    table_t *table = table_of(work->seg, page);

    memset(table->chains, 0, sizeof(table->chains));
    if (state->pages == 0) {
        state->first = page;
    }
    else {
        wsk_page_of(work->seg, state->last)->next = page;
    }
    state->last = page;
    state->used = 0;
    state->pages++;
}

void wsk_replay_put(wsk_work_t *work, const wsk_once_t *once,
                    const wsk_cursor_t *first)
{
    wsk_once_state_t *state = &work->state.once;
    wsk_page_t *page = wsk_page_of(work->seg, state->last);
    table_t *table = table_of(work->seg, state->last);
    entry_t *entry = &table->at[state->used];

    memcpy(entry->mac, once->mac, sizeof(entry->mac));
    entry->until_us = once->until_us;
    entry->seq = first->seq;
    entry->epoch_low = (uint32_t)first->epoch;
    entry->epoch_high = (uint16_t)(first->epoch >> 32);
    entry->next = table->chains[once->mac[0]];
    if (once->until_us > (int64_t)page->first_seq) {
        page->first_seq = (uint64_t)once->until_us;
    }
    wsk_settle();
    table->chains[once->mac[0]] = (uint16_t)(state->used + 1);
    state->used++;
}

/* Chains and the newest time of the last page, as its first n entries say: a
 * dead process may have begun to enter one more. */
static void mend_page(wsk_page_t *page, table_t *table, uint32_t n)
{
    int64_t newest = 0;
    uint32_t i;

    memset(table->chains, 0, sizeof(table->chains));
    for (i = 0; i < n; i++) {
        entry_t *entry = &table->at[i];

        entry->next = table->chains[entry->mac[0]];
        table->chains[entry->mac[0]] = (uint16_t)(i + 1);
        newest = WSK_MAX(newest, entry->until_us);
    }
    page->first_seq = (uint64_t)newest;
}

static const char *check_page(const wsk_page_t *page, const table_t *table,
                              uint32_t n)
{
    unsigned chain, at, found = 0;

    for (chain = 0; chain < CHAINS; chain++) {
        for (at = table->chains[chain]; at != 0; at = table->at[at - 1].next) {
            if (at > n || table->at[at - 1].mac[0] != chain
                || table->at[at - 1].until_us > (int64_t)page->first_seq) {
                return "a remembered request is in the wrong place";
            }
            found++;
            if (found > n) {
                break;
            }
        }
    }
    return found == n ? NULL : "remembered requests are lost";
}

const char *wsk_replay_check(wsk_segment_t *seg, uint32_t site,
                             const wsk_once_state_t *state, bool mend)
{
    uint32_t at = state->first;
    uint32_t n;

    if (state->used > ENTRIES || (state->pages == 0 && state->used != 0)) {
        return "a replay table has more than fits";
    }
    for (n = 1; n <= state->pages; n++) {
        const uint32_t used = n == state->pages ? state->used : ENTRIES;
        wsk_page_t *page;
        const char *why;

        if (at == 0 || at > seg->npages) {
            return "a replay table leads nowhere";
        }
        page = wsk_page_of(seg, at);
        if (page->owner != site + 1 || page->kind != WSK_PAGE_ONCE
            || page->mark != 0) {
            return "a replay table has a page that is not its own";
        }
        if (n == state->pages && at != state->last) {
            return "a replay table does not end at its last page";
        }
        page->mark = 1;
        if (mend) {
            mend_page(page, table_of(seg, at), used);
        }
        why = check_page(page, table_of(seg, at), used);
        if (why != NULL) {
            return why;
        }
        at = page->next;
    }
    return NULL;
}
