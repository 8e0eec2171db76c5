/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_presence.h"

#include <string.h>

#include "store/wsk_append.h"
#include "store/wsk_evict.h"
#include "store/wsk_members.h"

#define HEAD 8  /* of a record: what it says */
#define ITEM 12 /* of each member: number, bytes of the state */

/* The site's lock, if the site is on. */
static bool begin_on(wsk_work_t *work, wsk_segment_t *seg, uint32_t site)
{
    if (!wsk_work_begin(work, seg, site)) {
        return false;
    }
    if (wsk_said_of(work->site)->state != WSK_SITE_ON) {
        wsk_work_end(work);
        return false;
    }
    return true;
}

static void end(wsk_work_t *work)
{
    if (work->changed) {
        wsk_work_commit(work);
    }
    wsk_members_count(work->seg, work->site, &work->state.members);
    wsk_work_end(work);
}

static bool same(wsk_slice_t a, wsk_slice_t b)
{
    return a.len == b.len && memcmp(a.at, b.at, a.len) == 0;
}

static bool is_on(const wsk_entry_t *entry, wsk_slice_t channel)
{
    return same(wsk_entry_channel(entry), channel);
}

/* What is said of a member in a record. @return bytes */
static size_t put_item(char *to, uint64_t member, wsk_slice_t state)
{
    const uint32_t len = (uint32_t)state.len;

    memcpy(to, &member, sizeof(member));
    memcpy(to + sizeof(member), &len, sizeof(len));
    memcpy(to + ITEM, state.at, state.len);
    return ITEM + state.len;
}

/* Readers find that they missed something, and ask for the lists. */
static void lose(wsk_work_t *work)
{
    wsk_log_state_t *log = &work->state.log[WSK_LOG_PRESENCE];

    wsk_evict_all(work, WSK_LOG_PRESENCE);
    log->head++;
    log->oldest = log->head + 1;
    work->changed = true;
}

/* Tell in the log, or that there was something to tell. */
static void tell(wsk_work_t *work, wsk_presence_e what, uint64_t member,
                 wsk_slice_t channel, wsk_slice_t state, int64_t now_us)
{
    char body[HEAD + ITEM + WSK_PRESENCE_STATE] = { (char)what };
    const wsk_record_t record = {
        .channel = channel,
        .body = { body, HEAD + put_item(body + HEAD, member, state) }
    };

    if (wsk_append_one(work, WSK_LOG_PRESENCE, &record, now_us) != WSK_OK) {
        lose(work);
    }
    work->changed = true;
}

/* What a member has already, and what the site has. */
typedef struct census_t {
    wsk_entry_t *here;
    uint32_t all, of_member, bytes_of_member;
} census_t;

static census_t take_census(wsk_work_t *work, uint64_t member,
                            wsk_slice_t channel)
{
    wsk_members_walk_t walk = { 0, 0 };
    census_t found = { 0 };
    wsk_entry_t *entry;

    while ((entry = wsk_members_next(work->seg, &work->state.members, &walk))
           != NULL) {
        if (entry->member == member && is_on(entry, channel)) {
            found.here = entry;
            continue;
        }
        found.all++;
        if (entry->member == member) {
            found.of_member++;
            found.bytes_of_member += wsk_entry_bytes(entry->channel,
                                                     entry->state);
        }
    }
    return found;
}

static wsk_status_e enter(wsk_work_t *work, const wsk_present_t *who,
                          wsk_slice_t channel, wsk_slice_t state,
                          int64_t now_us)
{
    const census_t found = take_census(work, who->member, channel);
    wsk_entry_t head = { .member = who->member,
                         .until_us = who->until_us,
                         .slot = who->slot,
                         .channel = (uint16_t)channel.len,
                         .state = (uint16_t)state.len,
                         .mark = WSK_ENTRY_MARK };
    wsk_status_e rv;

    if (found.here && found.here->slot != WSK_PRESENCE_LEASED) {
        head.slot = found.here->slot; /* as it was claimed */
    }
    if (found.here && same(wsk_entry_state(found.here), state)) {
        found.here->until_us = WSK_MAX(found.here->until_us, who->until_us);
        return WSK_EDUP;
    }
    if (found.all >= WSK_PRESENCE_MEMBERS || found.of_member >= who->channels
        || found.bytes_of_member + wsk_entry_bytes(channel.len, state.len)
               > WSK_PRESENCE_SHARE) {
        return WSK_EFULL;
    }
    /* Who dies behind the commit must be found by who looks without a lock. */
    atomic_store(&work->site->present, found.all + 2);
    atomic_store(&work->site->leased, found.all + 2);
    rv = wsk_members_add(work, &head, channel, state, found.here);
    if (rv == WSK_OK) {
        tell(work, WSK_PRESENCE_JOIN, who->member, channel, state, now_us);
    }
    return rv;
}

wsk_status_e wsk_presence_enter(wsk_segment_t *seg, uint32_t site,
                                const wsk_present_t *who, wsk_slice_t channel,
                                wsk_slice_t state, int64_t now_us)
{
    wsk_work_t work;
    wsk_status_e rv;

    if (state.len > WSK_PRESENCE_STATE || channel.len > WSK_CHANNEL_MAX) {
        return WSK_EINVAL;
    }
    if (!begin_on(&work, seg, site)) {
        return WSK_ENOTFOUND;
    }
    rv = enter(&work, who, channel, state, now_us);
    end(&work);
    return rv;
}

/* Which entries leave: all conditions that are asked for. */
typedef struct leaving_t {
    const uint64_t *member;
    wsk_slice_t channel;
    uint32_t slot;
    int64_t until_us; /* with a lease that ended before */
} leaving_t;

static bool leaves(const wsk_entry_t *entry, const leaving_t *who)
{
    if (who->member != NULL) {
        return entry->member == *who->member
               && (who->channel.at == NULL || is_on(entry, who->channel));
    }
    if (who->slot != WSK_PRESENCE_LEASED) {
        return entry->slot == who->slot;
    }
    return entry->slot == WSK_PRESENCE_LEASED
           && entry->until_us < who->until_us;
}

static unsigned leave(wsk_work_t *work, const leaving_t *who, int64_t now_us)
{
    wsk_members_walk_t walk = { 0, 0 };
    unsigned n = 0;
    wsk_entry_t *entry;

    while ((entry = wsk_members_next(work->seg, &work->state.members, &walk))
           != NULL) {
        if (leaves(entry, who)) {
            wsk_members_remove(entry);
            tell(work, WSK_PRESENCE_LEFT, entry->member,
                 wsk_entry_channel(entry), (wsk_slice_t){ "", 0 }, now_us);
            n++;
        }
    }
    return n;
}

static unsigned leave_site(wsk_segment_t *seg, uint32_t site,
                           const leaving_t *who, int64_t now_us)
{
    wsk_work_t work;
    unsigned n;

    if (!wsk_presence_any(seg, site) || !wsk_work_begin(&work, seg, site)) {
        return 0;
    }
    n = leave(&work, who, now_us);
    end(&work);
    return n;
}

unsigned wsk_presence_leave(wsk_segment_t *seg, uint32_t site, uint64_t member,
                            wsk_slice_t channel, int64_t now_us)
{
    const leaving_t who = { .member = &member, .channel = channel };

    return leave_site(seg, site, &who, now_us);
}

void wsk_presence_reap(wsk_segment_t *seg, unsigned slot)
{
    const leaving_t who = { .slot = slot };
    const uint32_t known = wsk_sites_known(seg);
    uint32_t site;

    for (site = 0; site < known; site++) {
        leave_site(seg, site, &who, 0);
    }
}

unsigned wsk_presence_expire(wsk_segment_t *seg, uint32_t site, int64_t now_us)
{
    const leaving_t who = { .slot = WSK_PRESENCE_LEASED, .until_us = now_us };

    if (!wsk_presence_any_leased(seg, site)) {
        return 0;
    }
    return leave_site(seg, site, &who, now_us);
}

bool wsk_presence_any(const wsk_segment_t *seg, uint32_t site)
{
    return wsk_site_known(seg, site)
           && atomic_load(&seg->sites[site].present) > 0;
}

bool wsk_presence_any_leased(const wsk_segment_t *seg, uint32_t site)
{
    return wsk_site_known(seg, site)
           && atomic_load(&seg->sites[site].leased) > 0;
}

wsk_status_e wsk_presence_list(wsk_segment_t *seg, uint32_t site,
                               wsk_slice_t channel, char *buf, size_t cap,
                               size_t *plen, wsk_cursor_t *at)
{
    wsk_members_walk_t walk = { 0, 0 };
    size_t need = HEAD;
    const wsk_entry_t *entry;
    wsk_work_t work;

    if (!begin_on(&work, seg, site)) {
        return WSK_ENOTFOUND;
    }
    while ((entry = wsk_members_next(seg, &work.state.members, &walk))
           != NULL) {
        if (is_on(entry, channel)) {
            if (need + ITEM + entry->state <= cap) {
                put_item(buf + need, entry->member, wsk_entry_state(entry));
            }
            need += ITEM + entry->state;
        }
    }
    at->epoch = work.state.log[WSK_LOG_PRESENCE].epoch;
    at->seq = work.state.log[WSK_LOG_PRESENCE].head;
    wsk_work_end(&work);
    *plen = need;
    if (need > cap) {
        return WSK_EFULL;
    }
    memset(buf, 0, HEAD);
    buf[0] = WSK_PRESENCE_SYNC;
    return WSK_OK;
}

unsigned wsk_presence_channels(wsk_segment_t *seg, uint32_t site,
                               uint64_t member, char *buf, size_t cap,
                               wsk_slice_t *names, unsigned max)
{
    wsk_members_walk_t walk = { 0, 0 };
    const wsk_entry_t *entry;
    wsk_work_t work;
    size_t used = 0;
    unsigned n = 0;

    if (!begin_on(&work, seg, site)) {
        return 0;
    }
    while (n < max
           && (entry = wsk_members_next(seg, &work.state.members, &walk))
                  != NULL) {
        if (entry->member == member && entry->channel <= cap - used) {
            names[n] = (wsk_slice_t){ buf + used, entry->channel };
            memcpy(buf + used, wsk_entry_channel(entry).at, entry->channel);
            used += entry->channel;
            n++;
        }
    }
    wsk_work_end(&work);
    return n;
}

unsigned wsk_presence_leased(wsk_segment_t *seg, uint32_t site,
                             uint64_t *members, unsigned max)
{
    wsk_members_walk_t walk = { 0, 0 };
    const wsk_entry_t *entry;
    wsk_work_t work;
    unsigned n = 0, i;

    if (!wsk_presence_any_leased(seg, site) || !begin_on(&work, seg, site)) {
        return 0;
    }
    while (n < max
           && (entry = wsk_members_next(seg, &work.state.members, &walk))
                  != NULL) {
        for (i = 0; i < n && members[i] != entry->member; i++) {
        }
        if (entry->slot == WSK_PRESENCE_LEASED && i == n) {
            members[n++] = entry->member;
        }
    }
    wsk_work_end(&work);
    return n;
}

void wsk_presence_renew(wsk_segment_t *seg, uint32_t site, uint64_t member,
                        int64_t until_us)
{
    wsk_members_walk_t walk = { 0, 0 };
    wsk_entry_t *entry;
    wsk_work_t work;

    if (!wsk_presence_any_leased(seg, site) || !begin_on(&work, seg, site)) {
        return;
    }
    while ((entry = wsk_members_next(seg, &work.state.members, &walk))
           != NULL) {
        if (entry->member == member) {
            entry->until_us = WSK_MAX(entry->until_us, until_us);
        }
    }
    wsk_work_end(&work);
}

static void change_slot(wsk_segment_t *seg, uint32_t site, uint64_t member,
                        uint32_t from, uint32_t to)
{
    wsk_members_walk_t walk = { 0, 0 };
    wsk_entry_t *entry;
    wsk_work_t work;

    if (!begin_on(&work, seg, site)) {
        return;
    }
    while ((entry = wsk_members_next(seg, &work.state.members, &walk))
           != NULL) {
        if (entry->member == member && entry->slot == from) {
            entry->slot = to;
        }
    }
    end(&work);
}

void wsk_presence_claim(wsk_segment_t *seg, uint32_t site, uint64_t member,
                        unsigned slot)
{
    change_slot(seg, site, member, WSK_PRESENCE_LEASED, slot);
}

void wsk_presence_move(wsk_segment_t *seg, uint32_t site, uint64_t member,
                       unsigned from, unsigned to)
{
    if (wsk_presence_any(seg, site)) {
        change_slot(seg, site, member, from, to);
    }
}

wsk_presence_e wsk_presence_read(wsk_slice_t body, wsk_slice_t *rest)
{
    if (body.len < HEAD || body.at[0] < WSK_PRESENCE_SYNC
        || body.at[0] > WSK_PRESENCE_LEFT) {
        return (wsk_presence_e)0;
    }
    *rest = (wsk_slice_t){ body.at + HEAD, body.len - HEAD };
    return (wsk_presence_e)body.at[0];
}

bool wsk_presence_next(wsk_slice_t *rest, uint64_t *member, wsk_slice_t *state)
{
    uint32_t len;

    if (rest->len < ITEM) {
        return false;
    }
    memcpy(member, rest->at, sizeof(*member));
    memcpy(&len, rest->at + sizeof(*member), sizeof(len));
    if (len > rest->len - ITEM) {
        return false;
    }
    *state = (wsk_slice_t){ rest->at + ITEM, len };
    rest->at += ITEM + len;
    rest->len -= ITEM + len;
    return true;
}
