/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sites in turn: what this loop knows of each, and which of its connections
 * are to be written.
 */
#include "transport/wsk_loop_int.h"

#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

site_view_t *wsk_turn_view(wsk_loop_t *l, uint32_t site)
{
    site_view_t *v = l->views[site];
    uint64_t version;

    if (!v) {
        v = calloc(1, sizeof *v);
        if (!v) {
            return NULL;
        }
        v->number = site;
        v->turn_tail = &v->turn;
        v->version = UINT64_MAX;
        l->views[site] = v;
    }
    version = wsk_site_version(l->spec.seg, site);
    if (version != v->version
        && wsk_site_read(l->spec.seg, site, &v->spec, &v->state) == WSK_OK) {
        v->looked = v->version == UINT64_MAX ? version : v->looked;
        v->version = version;
    }
    return v;
}

bool wsk_turn_gone(wsk_loop_t *l, const wsk_conn_t *c)
{
    const site_view_t *v = c->site == WSK_NO_SITE ? NULL
                                                  : wsk_turn_view(l, c->site);

    return v
           && (v->state != WSK_SITE_ON || v->spec.generation != c->generation
               || v->spec.incarnation != c->incarnation);
}

void wsk_turn_sent(wsk_loop_t *l, uint32_t site, const wsk_sent_t *sent)
{
    wsk_count(l->spec.seg, l->slot, site, WSK_C_sends, sent->sends);
    wsk_count(l->spec.seg, l->slot, site, WSK_C_sent_bytes, sent->bytes);
}

/* Into the line of sites to be served. One that had nothing to do goes before
 * those that had their slice and want more; each pass serves all of them once,
 * so nobody is passed over. */
static void line_up(wsk_loop_t *l, site_view_t *v, site_view_t ***at)
{
    v->active = true;
    v->next_active = **at;
    **at = v;
    if (l->active_tail == *at) {
        l->active_tail = &v->next_active;
    }
    *at = &v->next_active;
}

static void activate(wsk_loop_t *l, site_view_t *v)
{
    if (!v->active) {
        line_up(l, v, &l->fresh_tail);
    }
}

void wsk_turn_resume(wsk_loop_t *l, site_view_t *v)
{
    activate(l, v);
}

void wsk_turn_write(wsk_loop_t *l, wsk_conn_t *c)
{
    if (!c->want_write) {
        wsk_turn_writable(l, c);
    }
}

void wsk_turn_writable(wsk_loop_t *l, wsk_conn_t *c)
{
    site_view_t *v;

    if (c->in_turn || c->state == WSK_CONN_DEAD
        || c->state == WSK_CONN_OFFERED) {
        return;
    }
    if (c->site == WSK_NO_SITE) { /* echo: nobody to share a turn with */
        wsk_sent_t sent = { 0 };

        wsk_life_write(l, c, &sent);
        wsk_turn_sent(l, c->site, &sent);
        return;
    }
    v = wsk_turn_view(l, c->site);
    c->in_turn = true;
    c->turn_next = NULL;
    *v->turn_tail = c;
    v->turn_tail = &c->turn_next;
    v->waiting++;
    activate(l, v);
}

static intake_t *intake_of(wsk_loop_t *l, const wsk_conn_t *c)
{
    site_view_t *v = c->site == WSK_NO_SITE ? NULL : l->views[c->site];
    intake_t *in = v ? &v->intake : &l->echoes;

    if (in->turn != l->turn) {
        *in = (intake_t){ .turn = l->turn,
                          .grain = in->grain,
                          .quick = in->quick };
    }
    return in;
}

/* Of work, not of the day: not what the turn began with. */
static int64_t clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

bool wsk_turn_has_time(wsk_loop_t *l, const wsk_conn_t *c)
{
    const intake_t *in = intake_of(l, c);

    return in->us + in->at_us - in->from_us < LOOP_READ_US
           && !wsk_slot_rung(l->spec.seg, l->slot);
}

size_t wsk_turn_piece(wsk_loop_t *l, const wsk_conn_t *c)
{
    return LOOP_INPUT >> intake_of(l, c)->grain;
}

/* Time is looked at between reads, so one of them must not take all of it: a
 * token is many times the work of its bytes in a message. */
void wsk_turn_worked(wsk_loop_t *l, const wsk_conn_t *c, size_t bytes)
{
    intake_t *in = intake_of(l, c);
    const bool whole = bytes == wsk_turn_piece(l, c);
    const int64_t now = clock_us(), us = now - in->at_us;

    in->at_us = now;
    if (us > LOOP_READ_US / 2) {
        in->grain += in->grain < LOOP_GRAIN;
        in->quick = 0;
    }
    else if (us < LOOP_READ_US / 8 && whole && ++in->quick == LOOP_QUICK) {
        in->grain -= in->grain > 0;
        in->quick = 0;
    }
}

static void read_now(wsk_loop_t *l, wsk_conn_t *c, intake_t *in)
{
    const uint64_t before = c->bytes_in;

    in->from_us = in->at_us = clock_us();
    wsk_life_read(l, c);
    in->bytes += c->bytes_in - before;
    in->us += clock_us() - in->from_us;
    /* Workers wait for this core, and who floods leaves no pause in the poll. */
    sched_yield();
}

/* Once in each turn even while somebody rings, or it would never be read. */
static bool may_read(const wsk_loop_t *l, const intake_t *in)
{
    return in->bytes < LOOP_READ_BYTES && in->us < LOOP_READ_US
           && !(in->bytes && wsk_slot_rung(l->spec.seg, l->slot));
}

void wsk_turn_read(wsk_loop_t *l, wsk_conn_t *c)
{
    intake_t *in = intake_of(l, c);

    if (may_read(l, in)) {
        read_now(l, c, in);
    }
}

void wsk_turn_read_hidden(wsk_loop_t *l, wsk_conn_t *c)
{
    intake_t *in = intake_of(l, c);

    if (!in->hidden || may_read(l, in) || c->site == WSK_NO_SITE) {
        in->hidden = true;
        read_now(l, c, in);
    }
}

/* Its connections, if it has changed. */
static site_view_t *look_at(wsk_loop_t *l, uint32_t site)
{
    site_view_t *v = wsk_turn_view(l, site);

    if (v && v->looked != v->version) {
        v->looked = v->version;
        wsk_timers_site_off(l, site);
    }
    return v;
}

void wsk_turn_look(wsk_loop_t *l)
{
    const uint32_t known = wsk_site_count(l->spec.seg);
    uint32_t site;

    for (site = 0; site < known; site++) {
        if (l->views[site]) {
            look_at(l, site);
        }
    }
}

void wsk_turn_ring(wsk_loop_t *l, uint32_t site)
{
    site_view_t *v = look_at(l, site);

    if (v) {
        v->rung = true;
        activate(l, v);
        wsk_count(l->spec.seg, l->slot, site, WSK_C_wakeups, 1);
    }
}

static void feed_one(void *baton, wsk_member_t *m)
{
    wsk_loop_t *l = baton;
    wsk_conn_t *c = (wsk_conn_t *)m;

    if (c->state == WSK_CONN_OPEN) {
        wsk_hub_sync(l->hub, m);
        wsk_turn_write(l, c);
    }
}

/* What could not be read for want of memory waits in its log, and nobody may
 * ring for it again. */
void wsk_turn_starved(wsk_loop_t *l)
{
    uint32_t sites[64];
    unsigned n, i;

    if (l->mono_ms < l->starved_ms) {
        return;
    }
    l->starved_ms = l->mono_ms - l->mono_ms % WSK_SWEEP_MS + WSK_SWEEP_MS;
    n = wsk_hub_starved(l->hub, sites, WSK_COUNT_OF(sites));
    for (i = 0; i < n; i++) {
        wsk_hub_each(l->hub, sites[i], feed_one, l);
        wsk_turn_ring(l, sites[i]);
    }
}

void wsk_turn_take(wsk_loop_t *l)
{
    uint32_t sites[64];
    unsigned n, i;
    uint64_t ignored;
    ssize_t got = read(l->spec.bell.fds[l->slot], &ignored, sizeof ignored);

    (void)got;
    do {
        n = wsk_slot_take(l->spec.seg, l->slot, sites, WSK_COUNT_OF(sites));
        for (i = 0; i < n; i++) {
            wsk_turn_ring(l, sites[i]);
        }
    } while (n == WSK_COUNT_OF(sites));
}

static wsk_conn_t *next_of(site_view_t *v)
{
    wsk_conn_t *c = v->turn;

    v->turn = c->turn_next;
    if (v->turn) {
        wsk_conn_prefetch(v->turn);
    }
    else {
        v->turn_tail = &v->turn;
    }
    v->waiting--;
    v->owed -= v->owed > 0;
    c->in_turn = false;
    return c;
}

/* One site's turn: write a slice of what is queued, by sockets and by bytes, and
 * less of it if somebody rings: it may be for a site that has little to say. When
 * all who were there at the last piece of its log are written, take the
 * next one. So a site with a crowd gets its messages in larger writes, others
 * get their turn in between, and who catches up does not hold up what is new. */
static bool serve_one(wsk_loop_t *l, site_view_t *v)
{
    wsk_sent_t sent = { 0 };
    uint32_t n, most;

    if (!v->owed && v->rung && !v->offers) {
        v->rung = wsk_hub_pump(l->hub, v->number);
        v->rest_ms = 0;
        v->owed = v->waiting;
    }
    most = WSK_MIN(v->waiting, (uint32_t)LOOP_SLICE);
    for (n = 0; n < most && sent.bytes < LOOP_TURN_BYTES; n++) {
        wsk_conn_t *c;

        if (n && n % LOOP_BIT == 0) {
            sched_yield();
            if (wsk_slot_rung(l->spec.seg, l->slot)) {
                break;
            }
        }
        c = next_of(v);
        if (c->state == WSK_CONN_DEAD) {
            c->turn_next = l->dead;
            l->dead = c;
        }
        else {
            wsk_life_write(l, c, &sent);
            wsk_life_hidden(l, c);
        }
    }
    wsk_turn_sent(l, v->number, &sent);
    return v->turn || (v->rung && !v->offers);
}

void wsk_turn_serve(wsk_loop_t *l)
{
    site_view_t *v = l->active, *next;

    l->active = NULL;
    l->active_tail = l->fresh_tail = &l->active;
    for (; v; v = next) {
        next = v->next_active;
        if (serve_one(l, v)) {
            line_up(l, v, &l->active_tail);
        }
        else {
            v->active = false;
        }
    }
}
