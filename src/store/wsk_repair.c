/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_repair.h"

#include <string.h>

#include "store/wsk_addr.h"
#include "store/wsk_feed.h"
#include "store/wsk_chain.h"
#include "store/wsk_index.h"
#include "store/wsk_members.h"
#include "store/wsk_pages.h"
#include "store/wsk_replay.h"

const char *wsk_repair_check(wsk_segment_t *seg, uint32_t site,
                             const wsk_state_t *state, bool mend, unsigned *bad)
{
    const char *why;

    for (*bad = 0; *bad < WSK_LOG_COUNT; (*bad)++) {
        why = wsk_chain_check(seg, site, (wsk_log_e)*bad, &state->log[*bad],
                              mend);
        if (why != NULL) {
            return why;
        }
    }
    why = wsk_replay_check(seg, site, &state->once, mend);
    if (why == NULL) {
        (*bad)++;
        why = wsk_members_check(seg, site, &state->members);
    }
    return why;
}

/* An epoch nobody has seen, the same for whoever repairs. */
static uint64_t next_epoch(const wsk_segment_t *seg, uint32_t site,
                           uint64_t resets, uint64_t epoch)
{
    const uint64_t from[3] = { site, resets, epoch };
    const uint64_t next = wsk_hash(seg->header->secret + WSK_HASH_KEY, from,
                                   sizeof(from))
                          & WSK_EPOCH_MASK;

    return next != epoch && next != 0 ? next : (epoch ^ 1) | 2;
}

/* What the dead one took out of the table it may not have told: a number that
 * nobody can read has everybody ask for the lists. */
static void lose_presence(wsk_log_state_t *log)
{
    const uint64_t epoch = log->epoch, head = log->head;

    memset(log, 0, sizeof(*log));
    log->epoch = epoch;
    log->head = head + 1;
    log->oldest = head + 2;
}

/* An empty log under a new epoch. Numbers go on, so that what is noted of its
 * readers stays true; unless they cannot be believed. */
static void reset_log(wsk_segment_t *seg, uint32_t site, unsigned which,
                      wsk_log_state_t *log)
{
    const uint64_t epoch = next_epoch(seg, site, seg->sites[site].resets++,
                                      log->epoch);
    uint64_t head = log->head;
    unsigned slot;

    if (head > UINT64_MAX / 2) {
        head = 0;
        for (slot = 0; slot < seg->spec.slots; slot++) {
            atomic_store(&wsk_cell_of(seg, slot, site)->read[which], 0);
        }
    }
    memset(log, 0, sizeof(*log));
    log->epoch = epoch;
    log->head = head;
    log->oldest = head + 1;
}

/* A trace is noted before its record goes, and before it comes. Where the record
 * stayed, or did not come, what was before it is all that can be said. */
static void mend_traces(wsk_site_t *site, const wsk_log_state_t *log)
{
    unsigned i;

    for (i = 0; i < WSK_LOG_TRACES; i++) {
        site->trace[i] = WSK_MIN(site->trace[i], log->oldest - 1);
        site->newest[i] = WSK_MIN(site->newest[i], log->head);
    }
}

void wsk_repair_site(wsk_segment_t *seg, uint32_t site)
{
    wsk_site_t *at = &seg->sites[site];
    wsk_state_t state = *wsk_state_of(at);
    const wsk_said_t *said = wsk_said_of(at);
    wsk_said_t *other = &at->said[said == &at->said[0]];
    unsigned bad, tries;

    memset(at->recent, 0, sizeof(at->recent));
    lose_presence(&state.log[WSK_LOG_PRESENCE]);
    wsk_state_put(at, &state);
    for (tries = 0; tries <= WSK_LOG_COUNT + 2; tries++) {
        wsk_pages_unmark(seg, site);
        if (wsk_repair_check(seg, site, &state, true, &bad) == NULL) {
            break;
        }
        if (bad < WSK_LOG_COUNT) {
            reset_log(seg, site, bad, &state.log[bad]);
        }
        else if (bad == WSK_LOG_COUNT) {
            memset(&state.once, 0, sizeof(state.once));
        }
        else {
            memset(&state.members, 0, sizeof(state.members));
        }
        wsk_host_count(seg, WSK_C_logs_reset, 1);
        atomic_fetch_add(&at->counters[WSK_C_logs_reset], 1);
        wsk_state_put(at, &state);
    }
    mend_traces(at, &state.log[WSK_LOG_TEXT]);
    wsk_members_count(seg, at, &state.members);
    wsk_pages_sweep(seg, site);
    wsk_pages_reserve(seg, site, said->state == WSK_SITE_ON);
    wsk_wipe(other, sizeof(*other));
    atomic_fetch_add(&at->version, 1);
    atomic_fetch_add(&at->counters[WSK_C_repairs], 1);
    wsk_host_count(seg, WSK_C_repairs, 1);
}

void wsk_repair_host(wsk_segment_t *seg)
{
    wsk_pages_mend(seg);
    wsk_addr_mend(seg);
    wsk_feed_mend(seg);
    wsk_index_mend(seg);
    wsk_host_count(seg, WSK_C_repairs, 1);
}
