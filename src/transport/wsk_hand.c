/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hand-over: connections of a process that leaves go on in another one.
 *
 * The giver packs one (wsk_parcel), sends it with its descriptor through the
 * door, a socket pair that all children have, and keeps it, untouched, until
 * the offer (store/wsk_offer) says what became of it. Meanwhile it reads no log
 * of that site, so that what the parcel has not seen stays in the log until the
 * taker has said that it is listening there.
 */
#include <stdlib.h>
#include <sys/stat.h>

#include "store/wsk_feed.h"
#include "transport/wsk_courier.h"
#include "transport/wsk_loop_int.h"
#include "transport/wsk_parcel.h"

#define TAKES 32  /* of one turn, */
#define READS 256 /* those included whose offer was withdrawn since */
#define UNDER_WAY ((size_t)WSK_MB(16)) /* bytes offered at once, about */
#define OPEN_MS \
    500 /* for which nobody holds an offer: others of the site wait */
#define REST_MS 100 /* in which they hear nothing, while offer follows offer */

/* Out of the poll and the timers: nothing touches it now. */
static void freeze(wsk_loop_t *l, wsk_conn_t *c, const wsk_offer_t *offer,
                   size_t bytes)
{
    site_view_t *v = wsk_turn_view(l, c->site);
    given_t *given = &l->given[l->ngiven++];

    epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
    wsk_wheel_drop(c);
    c->state = WSK_CONN_OFFERED;
    c->posted = true;
    v->offers++;
    v->rest_ms = v->rest_ms ? v->rest_ms : l->mono_ms;
    *given = (given_t){
        .conn = c, .offer = *offer, .bytes = bytes, .at_ms = l->mono_ms
    };
    if (c->member.site) {
        wsk_hub_place(&c->member, &given->place);
    }
    l->given_bytes += bytes;
}

/* Its site has something to read, and has waited long enough. */
static bool must_wait(wsk_loop_t *l, const wsk_conn_t *c)
{
    const site_view_t *v = wsk_turn_view(l, c->site);

    return c->in_turn
           || (v->rung && v->rest_ms && l->mono_ms - v->rest_ms >= REST_MS);
}

bool wsk_hand_stays(const wsk_conn_t *c)
{
    return c->stays || !wsk_parcel_may(c);
}

/* Pack it and send it. @return as wsk_courier_send */
static wsk_status_e post(const wsk_loop_t *l, const wsk_conn_t *c,
                         const wsk_offer_t *offer, size_t *plen)
{
    uint8_t *bytes = NULL;
    wsk_status_e rv = wsk_parcel_pack(c, &bytes, plen);

    if (rv == WSK_OK) {
        rv = wsk_courier_send(l->spec.door[0], offer, c->fd, bytes, *plen);
        OPENSSL_cleanse(bytes, *plen);
        free(bytes);
    }
    return rv;
}

bool wsk_hand_offer(wsk_loop_t *l, wsk_conn_t *c, bool *full)
{
    wsk_offer_t offer;
    size_t len = 0;
    wsk_status_e rv;

    *full = l->ngiven == WSK_OFFERS;
    if (*full || must_wait(l, c)
        || (l->ngiven && l->given_bytes + wsk_parcel_bound(c) > UNDER_WAY)) {
        return false;
    }
    if (!wsk_offer_make(l->spec.seg, l->slot, &offer)) {
        *full = true;
        return false;
    }
    rv = post(l, c, &offer, &len);
    if (rv != WSK_OK) {
        wsk_offer_withdraw(l->spec.seg, &offer);
        *full = rv == WSK_EAGAIN;
        c->stays |= rv == WSK_EFULL;
        return false;
    }
    freeze(l, c, &offer, len);
    return true;
}

static void site_rests(wsk_loop_t *l, const wsk_conn_t *c)
{
    site_view_t *v = wsk_turn_view(l, c->site);

    if (--v->offers == 0 && v->rung) {
        wsk_turn_resume(l, v);
    }
}

/* Another process has it. What it stood for there was counted over. */
static void let_go(wsk_loop_t *l, wsk_conn_t *c)
{
    wsk_hub_leave(l->hub, &c->member);
    wsk_publisher_leave(c);
    site_rests(l, c);
    wsk_loop_count(l, c, WSK_C_handed, 1);
    wsk_conn_drop(c);
    atomic_fetch_sub(&l->connections, 1);
}

/* It is ours again, and goes on where it stood. */
static void get_back(wsk_loop_t *l, const given_t *given, bool stays)
{
    wsk_conn_t *c = given->conn;
    struct epoll_event ev = { .data.ptr = c };

    c->state = WSK_CONN_OPEN;
    c->stays |= stays;
    ev.events = (c->deaf ? 0 : EPOLLIN | EPOLLRDHUP)
                | (c->want_write ? EPOLLOUT : 0);
    wsk_wheel_set(l, c, l->now_s + 1);
    site_rests(l, c);
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0) {
        wsk_life_kill(l, c);
    }
    else if (wsk_turn_gone(l, c)) { /* nobody was told meanwhile */
        wsk_say_close(l, c, WSK_CLOSE_SITE, "site not found");
    }
    else if (c->member.site) {
        wsk_hub_return(l->hub, &c->member, &given->place);
        wsk_hub_sync(l->hub, &c->member);
        wsk_turn_write(l, c);
    }
}

/* Nobody has come for it, and there is something to tell it, or others of the
 * site: the log is read on, and it is offered anew. */
static bool too_long(wsk_loop_t *l, const given_t *given)
{
    return l->mono_ms - given->at_ms >= OPEN_MS
           && wsk_turn_view(l, given->conn->site)->rung
           && wsk_offer_withdraw(l->spec.seg, &given->offer);
}

static void settle(wsk_loop_t *l, const given_t *given, wsk_offer_e what)
{
    wsk_conn_t *c = given->conn;

    wsk_offer_end(l->spec.seg, &given->offer);
    if (what == WSK_OFFER_TAKEN) {
        l->moved_ms = l->mono_ms;
        let_go(l, c);
        return;
    }
    if (what == WSK_OFFER_REFUSED) {
        wsk_loop_count(l, c, WSK_C_hand_refused, 1);
    }
    /* Who held it may have died of it: no other is to. What it had entered of
     * presence may have gone with that one, too. */
    get_back(l, given, what == WSK_OFFER_REFUSED || what == WSK_OFFER_ORPHAN);
}

/* @return whether it is still under way */
static bool look(wsk_loop_t *l, const given_t *given)
{
    const wsk_offer_e what = wsk_offer_look(l->spec.seg, &given->offer);

    if (what == WSK_OFFER_OPEN && too_long(l, given)) {
        get_back(l, given, false);
        return false;
    }
    if (what == WSK_OFFER_OPEN || what == WSK_OFFER_HELD) {
        return true;
    }
    settle(l, given, what);
    return false;
}

static void strike_out(wsk_loop_t *l, unsigned i)
{
    l->given_bytes -= l->given[i].bytes;
    l->given[i] = l->given[--l->ngiven];
}

void wsk_hand_settle(wsk_loop_t *l)
{
    unsigned i = 0;

    while (i < l->ngiven) {
        if (look(l, &l->given[i])) {
            i++;
        }
        else {
            strike_out(l, i);
        }
    }
}

void wsk_hand_withdraw(wsk_loop_t *l, bool stay)
{
    unsigned i = 0;

    wsk_hand_settle(l);
    while (i < l->ngiven) {
        if (wsk_offer_withdraw(l->spec.seg, &l->given[i].offer)) {
            get_back(l, &l->given[i], stay);
            strike_out(l, i);
        }
        else {
            i++;
        }
    }
}

void wsk_hand_abandon(wsk_loop_t *l)
{
    wsk_hand_withdraw(l, true);
    while (l->ngiven) {
        l->ngiven--;
        let_go(l, l->given[l->ngiven].conn);
    }
    l->given_bytes = 0;
}

/* Taking. */

void wsk_hand_listen(wsk_loop_t *l, bool want)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = l->given };

    if (l->spec.door && want != l->listens
        && epoll_ctl(l->epoll, want ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
                     l->spec.door[1], &ev)
               == 0) {
        l->listens = want;
    }
}

/* Deadlines of another loop, none of which may be far away in this one. */
static void set_clocks(const wsk_loop_t *l, wsk_conn_t *c, const site_view_t *v)
{
    const uint32_t ping = WSK_MAX(v->spec.limits.ping_ms / 1000, 1u);

    if (c->state == WSK_CONN_OPEN && c->ping_s - l->now_s > ping) {
        c->ping_s = l->now_s + 1;
    }
    if ((int32_t)(c->heard_s - l->now_s) > 0) {
        c->heard_s = l->now_s;
    }
    if (c->blocked_s && (int32_t)(c->blocked_s - l->now_s) > 0) {
        c->blocked_s = WSK_MAX(l->now_s, 1u);
    }
}

/* A token cannot be taken back, but the secret it was made with can. */
bool wsk_hand_proved(const wsk_loop_t *l, const wsk_conn_t *c,
                     const site_view_t *v)
{
    unsigned i;

    if (c->kind == WSK_KIND_PUBLISHER) {
        return wsk_publisher_proved(c, v);
    }
    for (i = 0; i < WSK_COUNT_OF(v->spec.jwt.at) && !c->feed; i++) {
        const char *secret = v->spec.jwt.at[i];

        if (*secret && wsk_inbox_proof(l->spec.seg, secret) == c->proof) {
            return true;
        }
    }
    return c->feed;
}

/* Whether a site of this configuration has a connection like this. */
static bool may_come(wsk_loop_t *l, const wsk_conn_t *c, int fd)
{
    struct stat what;

    return c->site < wsk_site_count(l->spec.seg) && wsk_turn_view(l, c->site)
           && !wsk_turn_gone(l, c) && wsk_hand_proved(l, c, l->views[c->site])
           && fstat(fd, &what) == 0 && S_ISSOCK(what.st_mode);
}

static wsk_status_e count_over(wsk_loop_t *l, wsk_conn_t *c, unsigned from)
{
    if (!c->admitted) {
        return WSK_OK;
    }
    return c->feed ? wsk_feed_move(l->spec.seg, from, c->term, l->slot, c->user,
                                   &c->term)
                   : wsk_site_move(l->spec.seg, from, c->term, l->slot, c->site,
                                   c->address, &c->term);
}

/* Of what failed, only what the parcel says fails anywhere. */
static wsk_offer_e refusal(wsk_status_e why)
{
    return why == WSK_EINVAL || why == WSK_ENOTFOUND ? WSK_OFFER_REFUSED
                                                     : WSK_OFFER_RETURNED;
}

/* Into hub, poll and counts. @return TAKEN, or nothing is left of it here, and
 * nothing was written to it */
static wsk_offer_e settle_in(wsk_loop_t *l, wsk_parcel_t *parcel, unsigned from)
{
    wsk_conn_t *c = parcel->conn;
    struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };
    wsk_status_e rv = c->kind == WSK_KIND_PUBLISHER
                          ? WSK_OK
                          : wsk_hub_arrive(l->hub, &c->member, c->site,
                                           &parcel->place, parcel->subs,
                                           parcel->nsubs);

    if (rv != WSK_OK) {
        return refusal(rv);
    }
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) == 0) {
        if (count_over(l, c, from) == WSK_OK) {
            return WSK_OFFER_TAKEN;
        }
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
    }
    wsk_wheel_drop(c); /* what it was given may have been too much */
    wsk_hub_leave(l->hub, &c->member);
    return WSK_OFFER_RETURNED;
}

/* It is counted here: nothing fails from here on but its socket. */
static void enter(wsk_loop_t *l, wsk_conn_t *c, unsigned from)
{
    site_view_t *v = l->views[c->site];

    if (wsk_conn_grant(c)) {
        c->grant = wsk_grant_intern(l->grants, c->grant);
    }
    if (c->present || c->sends) {
        wsk_presence_move(l->spec.seg, c->site, wsk_roster_present(l, c).member,
                          from, l->slot);
    }
    if (c->kind == WSK_KIND_PUBLISHER) {
        wsk_publisher_enter(c, v);
    }
    set_clocks(l, c, v);
    if (c->state == WSK_CONN_OPEN) {
        wsk_wheel_set(l, c, l->now_s + 1);
    }
    atomic_fetch_add(&l->connections, 1);
}

void wsk_hand_begin(wsk_loop_t *l, wsk_conn_t *c)
{
    static const wsk_slice_t counts = { WSK_ROSTER_COUNTS,
                                        sizeof(WSK_ROSTER_COUNTS) - 1 };

    c->want_write = false;
    if (c->member.site) {
        wsk_turn_ring(l, c->site); /* for what came before we listened */
        wsk_roster_begin(l, c, &counts, wsk_hub_has(&c->member, counts));
    }
    wsk_turn_write(l, c);
    wsk_life_hidden(l, c);
}

wsk_offer_e wsk_hand_bring_in(wsk_loop_t *l, wsk_parcel_t *parcel, int fd,
                              unsigned from)
{
    wsk_conn_t *c = parcel->conn;
    wsk_offer_e what;

    if (!may_come(l, c, fd)) {
        return WSK_OFFER_REFUSED;
    }
    if (!wsk_loop_has_room(l)) { /* told to leave just now */
        return WSK_OFFER_RETURNED;
    }
    c->fd = fd;
    c->want_write = true; /* nothing is written before it is ours */
    what = settle_in(l, parcel, from);
    if (what != WSK_OFFER_TAKEN) {
        c->fd = -1; /* the caller's */
        return what;
    }
    parcel->conn = NULL;
    enter(l, c, from);
    return what;
}

static wsk_offer_e open_and_bring_in(wsk_loop_t *l, wsk_packet_t *packet,
                                     wsk_conn_t **pc)
{
    wsk_parcel_t parcel = { 0 };
    wsk_status_e rv = packet->bytes
                          ? wsk_parcel_open(packet->bytes, packet->len, &parcel)
                          : WSK_ENOMEM;
    wsk_offer_e what;

    if (rv != WSK_OK) {
        return refusal(rv);
    }
    *pc = parcel.conn;
    what = wsk_hand_bring_in(l, &parcel, packet->fd, packet->offer.slot);
    if (what == WSK_OFFER_TAKEN) {
        packet->fd = -1;
    }
    wsk_parcel_close(&parcel);
    return what;
}

/* @return whether somebody offers it */
static bool take_packet(wsk_loop_t *l, wsk_packet_t *packet)
{
    wsk_conn_t *c = NULL;
    wsk_offer_e what;

    if (!packet->named
        || !wsk_offer_hold(l->spec.seg, &packet->offer, l->slot)) {
        return false;
    }
    what = open_and_bring_in(l, packet, &c);
    wsk_offer_settle(l->spec.seg, &packet->offer, l->slot, what);
    if (what == WSK_OFFER_TAKEN) {
        wsk_loop_count(l, c, WSK_C_taken_over, 1);
        wsk_hand_begin(l, c);
    }
    return true;
}

void wsk_hand_take(wsk_loop_t *l)
{
    uint8_t *buf = malloc(WSK_PACKET_MAX);
    wsk_packet_t packet = { 0 };
    unsigned taken = 0, i;

    for (i = 0; buf && i < READS && taken < TAKES && wsk_loop_has_room(l)
                && wsk_courier_receive(l->spec.door[1], buf, &packet);
         i++) {
        taken += take_packet(l, &packet);
        wsk_courier_done(&packet);
    }
    if (packet.ended) { /* else the poll would name it for ever */
        wsk_hand_listen(l, false);
        l->spec.door = NULL;
    }
    free(buf);
}
