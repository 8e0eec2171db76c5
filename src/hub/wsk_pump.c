/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub's two ways out of a log: the live stream, shared by all members of a
 * site, and the replay of one member that catches up with it.
 */
#include "hub/wsk_hub_int.h"

#include <stdlib.h>

#define AHEAD 4 /* members fetched from memory before it is their turn */

bool wsk_hub_widen(wsk_hub_t *hub, wsk_hub_site_t *site, size_t need)
{
    char *wider = realloc(hub->scratch, need);

    if (!wider) {
        hub->starved = site->starved = true;
        return false;
    }
    hub->scratch = wider;
    hub->scratch_cap = need;
    return true;
}

unsigned wsk_hub_starved(wsk_hub_t *hub, uint32_t *sites, unsigned max)
{
    const uint32_t all = hub->starved ? wsk_segment_spec(hub->seg)->sites : 0;
    uint32_t i, at = hub->fed;
    unsigned n = 0;

    for (i = 0; i < all && n < max; i++) {
        at = at + 1 < all ? at + 1 : 0;
        if (hub->sites[at] && hub->sites[at]->starved) {
            hub->sites[at]->starved = false;
            sites[n++] = at;
        }
    }
    hub->fed = at;
    hub->starved = n == max;
    return n;
}

wsk_status_e wsk_hub_read(wsk_hub_t *hub, wsk_hub_site_t *site, wsk_log_e log,
                          wsk_cursor_t *cursor, unsigned *pn)
{
    wsk_status_e rv = wsk_log_read(hub->seg, site->number, log, cursor,
                                   hub->scratch, hub->scratch_cap, hub->records,
                                   HUB_BATCH, pn);

    if (rv == WSK_EFULL) {
        if (!wsk_hub_widen(hub, site, *pn)) {
            return WSK_ENOMEM;
        }
        rv = wsk_log_read(hub->seg, site->number, log, cursor, hub->scratch,
                          hub->scratch_cap, hub->records, HUB_BATCH, pn);
    }
    return rv;
}

void wsk_hub_trim(wsk_hub_t *hub)
{
    char *less;

    if (hub->scratch_cap > HUB_SCRATCH) {
        less = realloc(hub->scratch, HUB_SCRATCH);
        if (less) {
            hub->scratch = less;
            hub->scratch_cap = HUB_SCRATCH;
        }
    }
}

/* What a delivery looks at of a member, and what its owner has next to that
 * (wsk_member_t, its end). */
static void prefetch(const wsk_member_t *m)
{
    wsk_prefetch(&m->id);
    wsk_prefetch((const char *)&m->id + 64);
}

/* Whole, for the members of a channel change places when one leaves.
 * @return to how many */
static uint32_t fan_out(wsk_hub_t *hub, wsk_hub_site_t *site, wsk_log_e log,
                        const wsk_record_t *record)
{
    wsk_channel_t *ch = wsk_channels_find(&site->channels, record->channel);
    wsk_delivery_t d = { .record = record,
                         .epoch = site->at[log].epoch,
                         .log = log };
    uint32_t i;

    if (!ch) {
        return 0;
    }
    for (i = 0; i < ch->count; i++) {
        wsk_member_t *m = ch->members[i];

        if (i + AHEAD < ch->count) {
            prefetch(ch->members[i + AHEAD]);
        }
        if (log == WSK_LOG_TEXT ? m->replaying : m->id == record->sender) {
            continue;
        }
        hub->ops->deliver(hub->baton, m, &d);
    }
    hub->ops->done(hub->baton, &d);
    return i;
}

void wsk_hub_gap(wsk_hub_t *hub, wsk_member_t *m, const wsk_cursor_t *since,
                 const wsk_cursor_t *oldest)
{
    wsk_slice_t names[64];
    wsk_cursor_t from;
    unsigned i, n;

    for (i = 0; i < m->nsubs; i += n) {
        for (n = 0; n < WSK_COUNT_OF(names) && i + n < m->nsubs; n++) {
            names[n] = wsk_hub_name(&m->subs[i + n]);
        }
        if (wsk_log_since(hub->seg, m->site->number, since, names, n, 0, &from)
            == WSK_EGAP) {
            hub->ops->gap(hub->baton, m, since, oldest);
            return;
        }
    }
}

/* The log began anew: nothing of the old one can be caught up with. */
static void cut_off(wsk_hub_t *hub, wsk_member_t *m, uint64_t epoch,
                    const wsk_cursor_t *oldest)
{
    const wsk_cursor_t since = { epoch, m->at };

    m->replaying = false;
    wsk_hub_release(hub, m);
    wsk_hub_gap(hub, m, &since, oldest);
    wsk_hub_sync(hub, m);
}

static void lapped(wsk_hub_t *hub, wsk_hub_site_t *site, wsk_log_e log,
                   const wsk_cursor_t *since)
{
    wsk_member_t *m;

    wsk_count(hub->seg, hub->slot, site->number, WSK_C_lapped, 1);
    if (log == WSK_LOG_PRESENCE) {
        wsk_watch_lost(hub, site);
        return;
    }
    for (m = site->first; m; m = m->next) {
        if (log == WSK_LOG_BINARY) {
            if (m->binary) {
                hub->ops->lost(hub->baton, m);
            }
        }
        else if (!m->replaying) {
            wsk_hub_gap(hub, m, since, &site->at[log]);
        }
        else if (since->epoch != site->at[log].epoch) {
            cut_off(hub, m, since->epoch, &site->at[log]);
        }
    }
}

static void note_at(wsk_hub_t *hub, const wsk_hub_site_t *site, wsk_log_e log)
{
    uint64_t seq = site->at[log].seq;

    if (log == WSK_LOG_TEXT && site->held) {
        seq = WSK_MIN(seq, site->floor);
    }
    wsk_log_at(hub->seg, site->number, hub->slot, log, seq);
}

static bool pump_log(wsk_hub_t *hub, wsk_hub_site_t *site, wsk_log_e log)
{
    wsk_cursor_t before = site->at[log];
    unsigned n = 0, i;
    uint32_t offers = 0;
    wsk_status_e rv = wsk_hub_read(hub, site, log, &site->at[log], &n);

    if (rv == WSK_EGAP) {
        lapped(hub, site, log, &before);
        return true;
    }
    if (rv != WSK_OK || n == 0) {
        return false;
    }
    for (i = 0; i < n && offers < HUB_OFFERS; i++) {
        offers += log == WSK_LOG_PRESENCE
                      ? wsk_watch_change(hub, site, &hub->records[i])
                      : fan_out(hub, site, log, &hub->records[i]);
    }
    site->at[log].seq = hub->records[i - 1].seq;
    note_at(hub, site, log);
    wsk_hub_trim(hub);
    return true;
}

bool wsk_hub_pump(wsk_hub_t *hub, uint32_t number)
{
    wsk_hub_site_t *site = hub->sites[number];
    bool more;

    if (!site) {
        return false;
    }
    more = pump_log(hub, site, WSK_LOG_TEXT);
    more = pump_log(hub, site, WSK_LOG_BINARY) || more;
    return pump_log(hub, site, WSK_LOG_PRESENCE) || more;
}

/* Replay. */

static void rewind_to(wsk_member_t *m, uint64_t seq)
{
    uint64_t seen = m->replaying ? m->at : m->site->at[WSK_LOG_TEXT].seq;
    unsigned i;

    for (i = 0; i < m->nsubs; i++) {
        m->subs[i].from = wsk_hub_number(WSK_MAX(m->subs[i].from, seen));
    }
    if (!m->replaying || seq < m->at) {
        m->at = seq;
    }
    m->replaying = true;
}

wsk_status_e wsk_hub_resume(wsk_hub_t *hub, wsk_member_t *m,
                            const wsk_cursor_t *since, const wsk_slice_t *names,
                            unsigned n, int64_t now_us)
{
    wsk_cursor_t from = *since;
    wsk_cursor_t live = m->site->at[WSK_LOG_TEXT];
    unsigned i;

    if (wsk_log_since(hub->seg, m->site->number, since, names, n, now_us, &from)
        == WSK_EGAP) {
        hub->ops->gap(hub->baton, m, since, &from);
    }
    else if (from.epoch == live.epoch && since->seq <= live.seq) {
        /* What the live stream has not passed yet will come by it. */
        from.seq = WSK_MIN(from.seq, live.seq);
    }
    if (from.epoch != live.epoch || from.seq == live.seq) {
        return WSK_OK; /* the live stream has all of it, or another epoch
                        * began */
    }
    rewind_to(m, WSK_MIN(from.seq, live.seq));
    for (i = 0; i < n; i++) {
        wsk_sub_t *sub = wsk_hub_sub(m, names[i]);

        if (sub) {
            sub->from = wsk_hub_number(from.seq);
        }
    }
    /* Another process may have told it more than this one has read yet: that
     * must not come again. */
    while (m->site->at[WSK_LOG_TEXT].seq < from.seq
           && wsk_hub_pump(hub, m->site->number)) {
    }
    return m->site->at[WSK_LOG_TEXT].seq < from.seq && m->site->starved
               ? WSK_ENOMEM
               : WSK_OK;
}

/* @return whether it has room for another */
static bool replay_one(wsk_hub_t *hub, wsk_member_t *m,
                       const wsk_record_t *record, uint64_t epoch)
{
    wsk_delivery_t d = { .record = record,
                         .epoch = epoch,
                         .log = WSK_LOG_TEXT };
    wsk_sub_t *sub = wsk_hub_sub(m, record->channel);

    if (!sub || record->seq <= sub->from) {
        return true;
    }
    hub->ops->deliver(hub->baton, m, &d);
    hub->ops->done(hub->baton, &d);
    wsk_count(hub->seg, hub->slot, m->site->number, WSK_C_replayed, 1);
    return hub->ops->room(hub->baton, m);
}

static bool replay_piece(wsk_hub_t *hub, wsk_member_t *m)
{
    wsk_cursor_t live, cursor;
    unsigned n = 0, i;
    wsk_status_e rv;

    if (!m->replaying) {
        return false;
    }
    live = m->site->at[WSK_LOG_TEXT];
    cursor = (wsk_cursor_t){ live.epoch, m->at };
    if (m->at < live.seq) {
        wsk_cursor_t since = cursor;

        rv = wsk_hub_read(hub, m->site, WSK_LOG_TEXT, &cursor, &n);
        if (rv == WSK_EGAP) {
            wsk_hub_gap(hub, m, &since, &cursor);
            if (cursor.epoch != live.epoch) {
                m->replaying = false; /* the log began anew: go on live */
                return false;
            }
        }
        else if (rv != WSK_OK) {
            hub->starved = m->site->starved = true;
            return false; /* not now */
        }
        for (i = 0; i < n && hub->records[i].seq <= live.seq; i++) {
            if (!replay_one(hub, m, &hub->records[i], live.epoch)) {
                cursor.seq = hub->records[i].seq; /* the rest is read again */
                break;
            }
        }
        m->at = rv == WSK_OK && n == 0 ? live.seq
                                       : WSK_MIN(cursor.seq, live.seq);
        wsk_hub_trim(hub);
    }
    if (m->at >= live.seq) {
        m->replaying = false;
        return false;
    }
    return hub->ops->room(hub->baton, m);
}

bool wsk_hub_replay(wsk_hub_t *hub, wsk_member_t *m)
{
    const bool more = replay_piece(hub, m);

    if (!m->replaying) {
        wsk_hub_release(hub, m);
    }
    wsk_hub_sync(hub, m);
    return more;
}
