/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub's door between processes: a member that was another hub's goes on
 * here where it stood there.
 *
 * This hub may have read less of a log than the other, then it reads on first;
 * or more, then the member is given what lies between: of the text log by a
 * replay, of the others at once. Until a replay is done this slot does not say
 * that it has read what is being replayed, so that it stays in the log.
 */
#include "hub/wsk_hub_int.h"

#include <stdlib.h>
#include <string.h>

void wsk_hub_place(const wsk_member_t *m, wsk_place_in_t *out)
{
    memcpy(out->at, m->site->at, sizeof out->at);
    out->replaying = m->replaying;
    out->seen = m->replaying ? m->at : m->site->at[WSK_LOG_TEXT].seq;
}

void wsk_hub_release(wsk_hub_t *hub, wsk_member_t *m)
{
    wsk_hub_site_t *site = m->site;

    if (m->held) {
        m->held = false;
        if (--site->held == 0) {
            wsk_log_at(hub->seg, site->number, hub->slot, WSK_LOG_TEXT,
                       site->at[WSK_LOG_TEXT].seq);
        }
    }
}

/* The records behind this one must stay. */
static void hold(wsk_hub_t *hub, wsk_member_t *m)
{
    wsk_hub_site_t *site = m->site;

    site->floor = site->held == 0 ? m->at : WSK_MIN(site->floor, m->at);
    site->held++;
    m->held = true;
    wsk_log_at(hub->seg, site->number, hub->slot, WSK_LOG_TEXT, site->floor);
}

/* Nobody was here: begin where the other hub stands. */
static void begin_at(wsk_hub_t *hub, wsk_hub_site_t *site,
                     const wsk_cursor_t *at)
{
    unsigned log;

    for (log = 0; log < WSK_LOG_COUNT; log++) {
        wsk_cursor_t *here = &site->at[log];

        if (here->epoch == at[log].epoch && at[log].seq < here->seq) {
            here->seq = at[log].seq;
            wsk_log_at(hub->seg, site->number, hub->slot, (wsk_log_e)log,
                       here->seq);
        }
    }
}

/* @return whether this hub has yet to read what the other has */
static bool behind(const wsk_hub_site_t *site, const wsk_cursor_t *at)
{
    unsigned log;

    for (log = 0; log < WSK_LOG_COUNT; log++) {
        if (site->at[log].epoch == at[log].epoch
            && site->at[log].seq < at[log].seq) {
            return true;
        }
    }
    return false;
}

static void owe_lists(wsk_member_t *m)
{
    unsigned i;

    for (i = 0; i < m->nsubs; i++) {
        m->subs[i].known = WSK_LIST_OWED;
    }
}

static void lost(wsk_hub_t *hub, wsk_member_t *m, wsk_log_e log)
{
    if (log == WSK_LOG_PRESENCE) {
        owe_lists(m);
    }
    else if (m->binary) {
        hub->ops->lost(hub->baton, m);
    }
}

static bool is_for(const wsk_member_t *m, const wsk_sub_t *sub, wsk_log_e log,
                   const wsk_record_t *record)
{
    if (!sub) {
        return false;
    }
    return log == WSK_LOG_BINARY
               ? record->sender != m->id
               : sub->known != WSK_LIST_OWED && record->seq > sub->known;
}

/* What this hub has read of a log that has no replay, and the other had not. */
static void fill_in(wsk_hub_t *hub, wsk_member_t *m, wsk_log_e log,
                    wsk_cursor_t at)
{
    const wsk_cursor_t live = m->site->at[log];
    unsigned n, i;

    if (at.epoch != live.epoch) {
        lost(hub, m, log);
        return;
    }
    while (at.seq < live.seq) {
        wsk_status_e rv = wsk_hub_read(hub, m->site, log, &at, &n);

        if (rv != WSK_OK) {
            lost(hub, m, log);
            return;
        }
        for (i = 0; i < n && hub->records[i].seq <= live.seq; i++) {
            const wsk_record_t *record = &hub->records[i];
            wsk_delivery_t d = { .record = record,
                                 .epoch = live.epoch,
                                 .log = log };

            if (is_for(m, wsk_hub_sub(m, record->channel), log, record)) {
                hub->ops->deliver(hub->baton, m, &d);
                hub->ops->done(hub->baton, &d);
            }
        }
        if (n == 0) {
            return;
        }
    }
}

/* Of the text log it has seen everything up to place->seen. */
static void go_on(wsk_hub_t *hub, wsk_member_t *m, const wsk_place_in_t *place)
{
    const wsk_cursor_t live = m->site->at[WSK_LOG_TEXT];
    const wsk_cursor_t since = { place->at[WSK_LOG_TEXT].epoch, place->seen };

    if (since.epoch != live.epoch) {
        wsk_hub_gap(hub, m, &since, &live);
    }
    else if (place->seen < live.seq) {
        m->at = place->seen;
        m->replaying = true;
        if (!place->replaying) {
            hold(hub, m);
        }
    }
}

void wsk_hub_return(wsk_hub_t *hub, wsk_member_t *m,
                    const wsk_place_in_t *place)
{
    go_on(hub, m, place);
    fill_in(hub, m, WSK_LOG_BINARY, place->at[WSK_LOG_BINARY]);
    fill_in(hub, m, WSK_LOG_PRESENCE, place->at[WSK_LOG_PRESENCE]);
    wsk_hub_trim(hub);
}

wsk_status_e wsk_hub_arrive(wsk_hub_t *hub, wsk_member_t *m, uint32_t number,
                            const wsk_place_in_t *place,
                            const wsk_sub_in_t *subs, unsigned n)
{
    const bool fresh = number < wsk_segment_spec(hub->seg)->sites
                       && !hub->sites[number];
    wsk_status_e rv = wsk_hub_join(hub, m, number);
    unsigned i;

    if (rv != WSK_OK) {
        return rv;
    }
    if (fresh) {
        begin_at(hub, m->site, place->at);
    }
    while (behind(m->site, place->at) && wsk_hub_pump(hub, number)) {
    }
    if (m->site->starved && behind(m->site, place->at)) {
        rv = WSK_ENOMEM; /* what it has seen would come again */
    }
    for (i = 0; i < n && rv == WSK_OK; i++) {
        rv = wsk_hub_subscribe(hub, m, &subs[i].name, 1, UINT16_MAX);
        if (rv == WSK_OK && m->nsubs == i + 1) {
            m->subs[i].from = wsk_hub_number(subs[i].from);
            m->subs[i].known = wsk_hub_number(
                WSK_MAX(subs[i].known, place->at[WSK_LOG_PRESENCE].seq));
        }
    }
    if (rv != WSK_OK || m->nsubs != n) {
        wsk_hub_leave(hub, m);
        return rv != WSK_OK ? rv : WSK_EINVAL;
    }
    wsk_hub_return(hub, m, place);
    return WSK_OK;
}
