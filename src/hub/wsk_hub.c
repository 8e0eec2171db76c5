/* SPDX-License-Identifier: Apache-2.0 */
#include "hub/wsk_hub_int.h"

#include <stdlib.h>
#include <string.h>

wsk_hub_t *wsk_hub_make(wsk_segment_t *seg, unsigned slot,
                        const wsk_sink_ops_t *ops, void *baton)
{
    wsk_hub_t *hub = calloc(1, sizeof *hub);

    if (!hub) {
        return NULL;
    }
    hub->seg = seg;
    hub->slot = slot;
    hub->ops = ops;
    hub->baton = baton;
    hub->sites = calloc(wsk_segment_spec(seg)->sites, sizeof *hub->sites);
    hub->scratch = malloc(HUB_SCRATCH);
    hub->scratch_cap = HUB_SCRATCH;
    if (!hub->sites || !hub->scratch) {
        wsk_hub_free(hub);
        return NULL;
    }
    return hub;
}

void wsk_hub_free(wsk_hub_t *hub)
{
    if (hub) {
        free(hub->sites);
        free(hub->scratch);
        free(hub);
    }
}

static wsk_status_e site_open(wsk_hub_t *hub, uint32_t number,
                              wsk_hub_site_t **psite)
{
    wsk_hub_site_t *site = hub->sites[number];
    wsk_status_e rv;

    if (!site) {
        site = calloc(1, sizeof *site);
        if (!site) {
            return WSK_ENOMEM;
        }
        rv = wsk_log_listen(hub->seg, number, hub->slot, site->at);
        if (rv != WSK_OK) {
            free(site);
            return rv;
        }
        site->number = number;
        site->channels.key = wsk_segment_secret(hub->seg);
        hub->sites[number] = site;
    }
    *psite = site;
    return WSK_OK;
}

wsk_status_e wsk_hub_join(wsk_hub_t *hub, wsk_member_t *m, uint32_t number)
{
    wsk_hub_site_t *site = NULL;
    wsk_status_e rv;

    if (number >= wsk_segment_spec(hub->seg)->sites) {
        return WSK_ENOTFOUND;
    }
    rv = site_open(hub, number, &site);
    if (rv != WSK_OK) {
        return rv;
    }
    m->site = site;
    m->prev = NULL;
    m->next = site->first;
    if (site->first) {
        site->first->prev = m;
    }
    site->first = m;
    site->members++;
    return WSK_OK;
}

void wsk_hub_leave(wsk_hub_t *hub, wsk_member_t *m)
{
    wsk_hub_site_t *site = m->site;

    if (!site) {
        return;
    }
    while (m->nsubs) {
        m->nsubs--;
        wsk_channels_part(&site->channels, &m->subs[m->nsubs]);
    }
    wsk_hub_release(hub, m);
    free(m->subs);
    m->subs = NULL;
    m->cap = 0;
    m->replaying = false;
    if (m->prev) {
        m->prev->next = m->next;
    }
    else {
        site->first = m->next;
    }
    if (m->next) {
        m->next->prev = m->prev;
    }
    m->site = NULL;
    if (--site->members == 0) {
        wsk_log_unlisten(hub->seg, site->number, hub->slot);
        wsk_channels_clear(&site->channels);
        hub->sites[site->number] = NULL;
        free(site);
    }
}

wsk_cursor_t wsk_hub_position(const wsk_member_t *m)
{
    wsk_cursor_t at = m->site->at[WSK_LOG_TEXT];

    if (m->replaying) {
        at.seq = m->at;
    }
    return at;
}

uint32_t wsk_hub_site_number(const wsk_member_t *m)
{
    return m->site->number;
}

unsigned wsk_hub_members(const wsk_hub_t *hub, uint32_t site)
{
    return hub->sites[site] ? hub->sites[site]->members : 0;
}

void wsk_hub_each(const wsk_hub_t *hub, uint32_t number,
                  wsk_hub_visit_fn *visit, void *baton)
{
    wsk_member_t *m = hub->sites[number] ? hub->sites[number]->first : NULL;

    for (; m; m = m->next) {
        visit(baton, m);
    }
}

/* Subscribing. */

wsk_sub_t *wsk_hub_sub(const wsk_member_t *m, wsk_slice_t name)
{
    unsigned i;

    for (i = 0; i < m->nsubs; i++) {
        const wsk_channel_t *ch = m->subs[i].channel;

        if (ch->len == name.len && memcmp(ch->name, name.at, name.len) == 0) {
            return &m->subs[i];
        }
    }
    return NULL;
}

bool wsk_hub_has(const wsk_member_t *m, wsk_slice_t name)
{
    return wsk_hub_sub(m, name) != NULL;
}

wsk_slice_t wsk_hub_name(const wsk_sub_t *sub)
{
    return (wsk_slice_t){ sub->channel->name, sub->channel->len };
}

static bool widen(wsk_member_t *m, unsigned want)
{
    wsk_sub_t *wider;

    if (want <= m->cap) {
        return true;
    }
    wider = realloc(m->subs, want * sizeof *wider);
    if (!wider) {
        return false;
    }
    m->subs = wider;
    m->cap = (uint16_t)want;
    return true;
}

static bool subscribe_one(wsk_member_t *m, wsk_slice_t name)
{
    wsk_channel_t *ch = wsk_channels_get(&m->site->channels, name);
    wsk_sub_t *sub = &m->subs[m->nsubs];

    if (!ch) {
        return false;
    }
    if (!wsk_channels_enter(ch, m, sub)) {
        wsk_channels_sweep(&m->site->channels, ch);
        return false;
    }
    /* What the live stream has not passed yet will come by it. */
    sub->from = wsk_hub_number(m->site->at[WSK_LOG_TEXT].seq);
    sub->known = WSK_LIST_OWED;
    m->nsubs++;
    return true;
}

wsk_status_e wsk_hub_subscribe(wsk_hub_t *hub, wsk_member_t *m,
                               const wsk_slice_t *names, unsigned n,
                               unsigned max)
{
    unsigned before = m->nsubs, i;
    wsk_status_e rv = WSK_OK;

    (void)hub;
    max = WSK_MIN(max, (unsigned)UINT16_MAX);
    for (i = 0; i < n && rv == WSK_OK; i++) {
        if (wsk_hub_sub(m, names[i])) {
            continue;
        }
        if (m->nsubs >= max) {
            rv = WSK_EFULL;
        }
        else if (!widen(m, m->nsubs + 1u) || !subscribe_one(m, names[i])) {
            rv = WSK_ENOMEM;
        }
    }
    while (rv != WSK_OK && m->nsubs > before) {
        m->nsubs--;
        wsk_channels_part(&m->site->channels, &m->subs[m->nsubs]);
    }
    return rv;
}

bool wsk_hub_unsubscribe(wsk_hub_t *hub, wsk_member_t *m, wsk_slice_t name)
{
    wsk_sub_t *sub = wsk_hub_sub(m, name);
    wsk_sub_t gone;

    (void)hub;
    if (!sub) {
        return false;
    }
    gone = *sub;
    *sub = m->subs[--m->nsubs];
    wsk_channels_part(&m->site->channels, &gone);
    return true;
}
