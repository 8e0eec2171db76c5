/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hub's third way: who is present, as a list and the changes after it.
 *
 * A list and its place in the log belong together (wsk_presence_list). So a
 * member that was given the list of a channel gets from then on what lies
 * behind that place, however far this process had read before.
 */
#include "hub/wsk_hub_int.h"

/* The list of a channel as a record, in the scratch. @return false: none now */
static bool read_list(wsk_hub_t *hub, wsk_hub_site_t *site, wsk_slice_t channel,
                      wsk_record_t *record, uint64_t *pepoch)
{
    wsk_cursor_t at = { 0, 0 };
    size_t len = 0;
    wsk_status_e rv;

    while ((rv = wsk_presence_list(hub->seg, site->number, channel,
                                   hub->scratch, hub->scratch_cap, &len, &at))
           == WSK_EFULL) {
        if (!wsk_hub_widen(hub, site, len)) {
            return false;
        }
    }
    *record = (wsk_record_t){ .channel = channel,
                              .body = { hub->scratch, len },
                              .seq = at.seq };
    *pepoch = at.epoch;
    return rv == WSK_OK;
}

static wsk_slice_t name_of(const wsk_channel_t *ch)
{
    return (wsk_slice_t){ ch->name, ch->len };
}

static wsk_sub_t *sub_on(const wsk_member_t *m, const wsk_channel_t *ch)
{
    wsk_sub_t *sub = m->subs;

    while (sub->channel != ch) {
        sub++;
    }
    return sub;
}

void wsk_hub_sync(wsk_hub_t *hub, wsk_member_t *m)
{
    wsk_record_t record;
    wsk_delivery_t d = { .record = &record, .log = WSK_LOG_PRESENCE };
    unsigned i;

    for (i = 0; i < m->nsubs && !m->replaying; i++) {
        wsk_sub_t *sub = &m->subs[i];

        if (sub->known == WSK_LIST_OWED
            && !m->site->starved /* or each of thousands would try */
            && read_list(hub, m->site, name_of(sub->channel), &record,
                         &d.epoch)) {
            sub->known = wsk_hub_number(record.seq);
            hub->ops->deliver(hub->baton, m, &d);
            hub->ops->done(hub->baton, &d);
        }
    }
    wsk_hub_trim(hub);
}

uint32_t wsk_watch_change(wsk_hub_t *hub, wsk_hub_site_t *site,
                          const wsk_record_t *record)
{
    wsk_channel_t *ch = wsk_channels_find(&site->channels, record->channel);
    wsk_delivery_t d = { .record = record,
                         .epoch = site->at[WSK_LOG_PRESENCE].epoch,
                         .log = WSK_LOG_PRESENCE };
    uint32_t i;

    for (i = 0; ch && i < ch->count; i++) {
        wsk_sub_t *sub = sub_on(ch->members[i], ch);

        if (ch->members[i]->replaying) {
            sub->known = WSK_LIST_OWED;
        }
        else if (sub->known != WSK_LIST_OWED && record->seq > sub->known) {
            hub->ops->deliver(hub->baton, ch->members[i], &d);
        }
    }
    hub->ops->done(hub->baton, &d);
    return i;
}

static void list_to_all(wsk_hub_t *hub, wsk_hub_site_t *site, wsk_channel_t *ch)
{
    wsk_record_t record;
    wsk_delivery_t d = { .record = &record, .log = WSK_LOG_PRESENCE };
    const bool have = read_list(hub, site, name_of(ch), &record, &d.epoch);
    uint32_t i;

    for (i = 0; i < ch->count; i++) {
        wsk_sub_t *sub = sub_on(ch->members[i], ch);

        sub->known = WSK_LIST_OWED;
        if (have && !ch->members[i]->replaying) {
            sub->known = wsk_hub_number(record.seq);
            hub->ops->deliver(hub->baton, ch->members[i], &d);
        }
    }
    hub->ops->done(hub->baton, &d);
}

void wsk_watch_lost(wsk_hub_t *hub, wsk_hub_site_t *site)
{
    wsk_channels_t *all = &site->channels;
    wsk_channel_t *ch;
    uint32_t i;

    for (i = 0; all->buckets && i <= all->mask; i++) {
        for (ch = all->buckets[i]; ch; ch = ch->next) {
            list_to_all(hub, site, ch);
        }
    }
    wsk_hub_trim(hub);
}

static const wsk_channel_t *find(const wsk_hub_t *hub, uint32_t site,
                                 wsk_slice_t channel)
{
    return hub->sites[site]
               ? wsk_channels_find(&hub->sites[site]->channels, channel)
               : NULL;
}

unsigned wsk_hub_watchers(const wsk_hub_t *hub, uint32_t site,
                          wsk_slice_t channel)
{
    const wsk_channel_t *ch = find(hub, site, channel);

    return ch ? ch->count : 0;
}

void wsk_hub_each_on(const wsk_hub_t *hub, uint32_t site, wsk_slice_t channel,
                     wsk_hub_visit_fn *visit, void *baton)
{
    const wsk_channel_t *ch = find(hub, site, channel);
    uint32_t i;

    for (i = 0; ch && i < ch->count; i++) {
        visit(baton, ch->members[i]);
    }
}
