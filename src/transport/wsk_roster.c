/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the relay says by itself: who is on a channel, and how many connections
 * a site has.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/wsk_channel.h"
#include "core/wsk_hash.h"
#include "transport/wsk_loop_int.h"

static const wsk_slice_t counts = { WSK_ROSTER_COUNTS,
                                    sizeof(WSK_ROSTER_COUNTS) - 1 };
static const wsk_slice_t everywhere = { NULL, 0 };

/* The number is shown to others: nothing can be learned from it. */
uint64_t wsk_roster_member(const wsk_segment_t *seg, uint64_t id, uint64_t more)
{
    const uint64_t from[2] = { id, more };

    return wsk_hash(wsk_segment_secret(seg) + WSK_HASH_KEY, from, sizeof from);
}

wsk_present_t wsk_roster_present(const wsk_loop_t *l, const wsk_conn_t *c)
{
    return (wsk_present_t){
        .member = wsk_roster_member(l->spec.seg, c->member.id,
                                    c->sends ? 0 : (uint64_t)c->born_us | 1),
        .slot = l->slot,
        .channels = l->views[c->site]->spec.limits.max_channels
    };
}

void wsk_roster_leave(wsk_loop_t *l, wsk_conn_t *c)
{
    if ((c->present || c->sends) && c->member.site
        && wsk_presence_any(l->spec.seg, c->site)
        && wsk_presence_leave(l->spec.seg, c->site,
                              wsk_roster_present(l, c).member, everywhere,
                              l->now_us)) {
        wsk_bell_ring(l->spec.bell, l->spec.seg, c->site);
    }
    c->present = false;
}

/* What is said. */

static void put_member(wsk_text_t *t, uint64_t member)
{
    wsk_text_fmt(t, "\"id\":\"%016llx\"", (unsigned long long)member);
}

static void put_state(wsk_text_t *t, wsk_slice_t state)
{
    wsk_text_put(t, ",\"state\":");
    wsk_text_raw(t, state.at, state.len);
}

static void put_list(wsk_text_t *t, wsk_slice_t rest)
{
    wsk_slice_t state;
    uint64_t member;
    const char *between = "";

    wsk_text_put(t, "{\"action\":\"sync\",\"members\":[");
    while (wsk_presence_next(&rest, &member, &state)) {
        wsk_text_put(t, between);
        wsk_text_put(t, "{");
        put_member(t, member);
        put_state(t, state);
        wsk_text_put(t, "}");
        between = ",";
    }
    wsk_text_put(t, "]}");
}

static void put_change(wsk_text_t *t, wsk_presence_e what, wsk_slice_t rest)
{
    wsk_slice_t state = { NULL, 0 };
    uint64_t member = 0;

    wsk_presence_next(&rest, &member, &state);
    wsk_text_fmt(t, "{\"action\":\"%s\",",
                 what == WSK_PRESENCE_JOIN ? "join" : "leave");
    put_member(t, member);
    if (what == WSK_PRESENCE_JOIN) {
        put_state(t, state);
    }
    wsk_text_put(t, "}");
}

void wsk_roster_text(wsk_text_t *t, const wsk_record_t *record, bool with_type)
{
    wsk_slice_t rest = { NULL, 0 };
    const bool count = wsk_channel_reserved(record->channel);

    wsk_text_put(t, with_type ? "{\"type\":\"message\",\"channel\":"
                              : "{\"channel\":");
    wsk_text_string(t, record->channel);
    if (count) {
        wsk_text_put(t, ",");
        wsk_text_raw(t, record->body.at, record->body.len);
    }
    else {
        const wsk_presence_e what = wsk_presence_read(record->body, &rest);

        wsk_text_put(t, ",\"event\":\"wps.presence\",\"data\":");
        if (what == WSK_PRESENCE_SYNC) {
            put_list(t, rest);
        }
        else {
            put_change(t, what, rest);
        }
    }
    wsk_text_put(t, "}");
}

bool wsk_roster_hidden(const wsk_record_t *record)
{
    wsk_slice_t rest;

    return wsk_channel_reserved(record->channel)
           && wsk_presence_read(record->body, &rest);
}

/* Counts. They are looked at, not rung for: so those that change because a
 * process died are told as well. */

typedef struct telling_t {
    wsk_loop_t *l;
    wsk_delivery_t d;
    wsk_record_t record;
    wsk_text_t body;
} telling_t;

void wsk_roster_counts_body(wsk_text_t *t, uint32_t now, uint32_t most)
{
    wsk_text_fmt(t,
                 "\"event\":\"wps.connections\",\"data\":{"
                 "\"active_connections\":%u,\"max_connections\":%u}",
                 now, most);
}

static void tell_begin(telling_t *tell, wsk_loop_t *l, const site_view_t *v)
{
    *tell = (telling_t){ .l = l };
    wsk_roster_counts_body(&tell->body, v->told, v->told_most);
    tell->record.channel = counts;
    tell->record.body = (wsk_slice_t){ tell->body.at, tell->body.len };
    tell->d.record = &tell->record;
    tell->d.log = WSK_LOG_PRESENCE;
}

static void tell_one(void *baton, wsk_member_t *m)
{
    telling_t *tell = baton;

    if (wsk_text_ok(&tell->body)) {
        wsk_sink_ops.deliver(tell->l, m, &tell->d);
    }
}

static void tell_end(telling_t *tell)
{
    wsk_sink_ops.done(tell->l, &tell->d);
    wsk_text_free(&tell->body);
}

/* @return whether it is another one than was told */
static bool look(const wsk_loop_t *l, site_view_t *v)
{
    const uint32_t now = wsk_site_connections(l->spec.seg, v->number);
    const uint32_t most = v->spec.limits.connections;
    const bool other = now != v->told || most != v->told_most;

    v->told = now;
    v->told_most = most;
    return other;
}

static void tell_all(wsk_loop_t *l, site_view_t *v)
{
    telling_t tell;

    tell_begin(&tell, l, v);
    wsk_hub_each_on(l->hub, v->number, counts, tell_one, &tell);
    tell_end(&tell);
}

void wsk_roster_counts(wsk_loop_t *l)
{
    site_view_t **link = &l->counted, *v;

    if (!l->counted || l->mono_ms < l->count_ms) {
        return;
    }
    l->count_ms = l->mono_ms - l->mono_ms % WSK_COUNT_MS + WSK_COUNT_MS;
    while ((v = *link) != NULL) {
        if (wsk_hub_watchers(l->hub, v->number, counts) == 0) {
            v->counted = false;
            *link = v->next_counted;
            continue;
        }
        wsk_turn_view(l, v->number); /* its cap may be another one */
        if (look(l, v)) {
            tell_all(l, v);
        }
        link = &v->next_counted;
    }
}

static void begin_counts(wsk_loop_t *l, wsk_conn_t *c)
{
    site_view_t *v = l->views[c->site];
    telling_t tell;

    if (!v->counted) {
        v->counted = true;
        v->next_counted = l->counted;
        l->counted = v;
    }
    if (look(l, v)) {
        tell_all(l, v);
        return;
    }
    tell_begin(&tell, l, v);
    tell_one(&tell, &c->member);
    tell_end(&tell);
}

void wsk_roster_begin(wsk_loop_t *l, wsk_conn_t *c, const wsk_slice_t *fresh,
                      unsigned n)
{
    unsigned i;

    wsk_hub_sync(l->hub, &c->member);
    for (i = 0; i < n; i++) {
        if (fresh[i].len == counts.len
            && memcmp(fresh[i].at, counts.at, counts.len) == 0) {
            begin_counts(l, c);
        }
    }
}

/* Leases. */

typedef struct claim_t {
    wsk_loop_t *l;
    uint64_t *members;
    unsigned n;
} claim_t;

static int by_number(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Who came by /send for a stream of ours leaves with the stream. */
static void claim_one(void *baton, wsk_member_t *m)
{
    claim_t *claim = baton;
    wsk_conn_t *c = (wsk_conn_t *)m;
    uint64_t member;

    if (!c->sends || c->state != WSK_CONN_OPEN) {
        return;
    }
    member = wsk_roster_present(claim->l, c).member;
    if (bsearch(&member, claim->members, claim->n, sizeof member, by_number)) {
        wsk_presence_claim(claim->l->spec.seg, c->site, member, claim->l->slot);
    }
}

static void claim_at(wsk_loop_t *l, uint32_t site)
{
    uint64_t members[WSK_PRESENCE_MEMBERS];
    claim_t claim = { l, members, 0 };

    claim.n = wsk_presence_leased(l->spec.seg, site, members,
                                  WSK_PRESENCE_MEMBERS);
    if (claim.n) {
        qsort(members, claim.n, sizeof *members, by_number);
        wsk_hub_each(l->hub, site, claim_one, &claim);
    }
}

void wsk_roster_tick(wsk_loop_t *l)
{
    const uint32_t known = wsk_site_count(l->spec.seg);
    uint32_t site;

    for (site = 0; site < known; site++) {
        if (!wsk_presence_any_leased(l->spec.seg, site)) {
            continue;
        }
        if (wsk_hub_members(l->hub, site) > 0) {
            claim_at(l, site);
        }
        if (wsk_presence_expire(l->spec.seg, site, l->now_us) > 0) {
            wsk_bell_ring(l->spec.bell, l->spec.seg, site);
        }
    }
}

void wsk_roster_sweep(wsk_loop_t *l)
{
    const uint32_t known = wsk_site_count(l->spec.seg);
    wsk_end_t end;
    uint32_t site, i;

    if (l->mono_ms < l->sweep_ms) {
        return;
    }
    l->sweep_ms = l->mono_ms - l->mono_ms % WSK_SWEEP_MS + WSK_SWEEP_MS;
    for (i = 0;
         i < WSK_ENDS && !l->spec.is_keeper && wsk_ends_take(l->spec.seg, &end);
         i++) {
        wsk_life_log(l, &end);
    }
    if (wsk_slot_sweep(l->spec.seg) > 0) {
        for (site = 0; site < known; site++) {
            wsk_bell_ring(l->spec.bell, l->spec.seg, site);
        }
    }
}
