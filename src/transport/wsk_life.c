/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's life in the loop: taken over, read, written, killed, buried.
 */
#include "transport/wsk_loop_int.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define READS 4 /* of one socket in one turn */

/* Who vanished without a word is found by silence on a WebSocket. On an event
 * stream clients are silent, so the system looks for what they do not
 * acknowledge; of itself it would take a quarter of an hour. */
static void want_acknowledged(wsk_loop_t *l, const wsk_conn_t *c)
{
    const site_view_t *v = c->kind == WSK_KIND_SSE ? wsk_turn_view(l, c->site)
                                                   : NULL;
    unsigned ms = v ? v->spec.limits.idle_ms : 0;

    if (ms) {
        setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    }
}

void wsk_life_begin(wsk_loop_t *l, wsk_conn_t *c)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };

    wsk_loop_count(l, c, WSK_C_adopted, 1);
    c->born_us = l->now_us;
    c->heard_s = l->now_s;
    if (!c->sends) {
        c->member.id = wsk_loop_id(l);
    }
    if (wsk_conn_grant(c)) {
        c->grant = wsk_grant_intern(l->grants, c->grant);
    }
    if (!wsk_conn_own_ssl(c)
        || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0) {
        wsk_life_kill(l, c);
        return;
    }
    want_acknowledged(l, c);
    wsk_wheel_set(l, c, l->now_s + 1);
    wsk_session_begin(l, c);
    wsk_life_hidden(l, c);
}

void wsk_life_hidden(wsk_loop_t *l, wsk_conn_t *c)
{
    while ((c->hidden || wsk_conn_early(c)) && c->state == WSK_CONN_OPEN
           && !wsk_conn_full(c)) {
        wsk_turn_read_hidden(l, c);
        if (c->site != WSK_NO_SITE) { /* an echo has no turns */
            wsk_turn_write(l, c);
            return;
        }
    }
}

static void watch(wsk_loop_t *l, wsk_conn_t *c, bool write)
{
    struct epoll_event ev = { .data.ptr = c };
    bool deaf = wsk_conn_full(c) || c->stuck;

    write |= c->stuck;
    if (write == c->want_write && deaf == c->deaf) {
        return;
    }
    if (c->deaf && !deaf) {
        c->heard_s = l->now_s; /* what it has said meanwhile is read now */
    }
    c->want_write = write;
    c->deaf = deaf;
    ev.events = (deaf ? 0 : EPOLLIN | EPOLLRDHUP) | (write ? EPOLLOUT : 0);
    epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &ev);
}

/* All that was queued for a closing connection is out: say that no more comes,
 * and wait for the peer to end it, so that no reset overtakes our last words. */
static void last_words_out(wsk_conn_t *c)
{
    if (c->state == WSK_CONN_CLOSING && !c->shut) {
        c->shut = true;
        if (c->ssl) {
            SSL_shutdown(c->ssl);
        }
        shutdown(c->fd, SHUT_WR);
    }
}

/* A piece more for who catches up; when it has, an event stream is told where
 * it is, for there may have been nothing on its channels. */
static void catch_up(wsk_loop_t *l, wsk_conn_t *c)
{
    bool more;

    if (!c->member.replaying || c->state != WSK_CONN_OPEN) {
        return;
    }
    more = wsk_hub_replay(l->hub, &c->member);
    if (!c->member.replaying && c->kind == WSK_KIND_SSE) {
        wsk_say_place(l, c);
    }
    if (more || c->out.frames) {
        wsk_turn_write(l, c);
    }
}

void wsk_life_write(wsk_loop_t *l, wsk_conn_t *c, wsk_sent_t *sent)
{
    const uint64_t before = sent->bytes;
    wsk_io_e io;

    c->stuck = false;
    io = wsk_conn_flush(c, sent);
    if (io == WSK_IO_GONE) {
        wsk_life_kill(l, c);
        return;
    }
    if (io == WSK_IO_AGAIN) {
        if (sent->bytes != before || !c->blocked_s) {
            wsk_timers_blocked(l, c);
        }
        watch(l, c, true);
        return;
    }
    c->blocked_s = 0;
    watch(l, c, false);
    last_words_out(c);
    catch_up(l, c);
}

/* @return whether there may be more */
static bool read_once(wsk_loop_t *l, wsk_conn_t *c)
{
    const size_t most = wsk_turn_piece(l, c);
    size_t n = 0;
    wsk_io_e io = wsk_conn_read(c, l->buf, most, &n);

    if (io == WSK_IO_GONE) {
        wsk_life_kill(l, c);
    }
    if (io != WSK_IO_OK) {
        return false;
    }
    c->heard_s = l->now_s;
    if (c->state == WSK_CONN_OPEN) {
        wsk_session_input(l, c, l->buf, n);
    }
    wsk_turn_worked(l, c, n);
    return c->state != WSK_CONN_DEAD
           && (n == most || c->ssl || wsk_conn_early(c));
}

void wsk_life_read(wsk_loop_t *l, wsk_conn_t *c)
{
    bool more = true;
    int i;

    for (i = 0; i < READS && more && !wsk_conn_full(c)
                && (i == 0 || wsk_turn_has_time(l, c));
         i++) {
        more = read_once(l, c);
    }
    /* An echo has no turns in which to read on. */
    while (more && c->site == WSK_NO_SITE && c->ssl && !wsk_conn_early(c)
           && SSL_pending(c->ssl) > 0) {
        more = read_once(l, c);
    }
    if (c->state == WSK_CONN_DEAD) {
        return;
    }
    c->hidden = c->site != WSK_NO_SITE && c->ssl && SSL_pending(c->ssl) > 0;
    if (c->hidden) {
        wsk_turn_write(l, c); /* and then it is read on */
    }
    if (c->stuck && !c->blocked_s) {
        wsk_timers_blocked(l, c);
    }
    watch(l, c, c->want_write);
}

/* Out of hub, poll and counts now; out of memory at the end of the turn, when
 * no list of the turn can name it any more. */
void wsk_life_kill(wsk_loop_t *l, wsk_conn_t *c)
{
    if (c->state == WSK_CONN_DEAD) {
        return;
    }
    wsk_roster_leave(l, c);
    c->state = WSK_CONN_DEAD;
    wsk_hub_leave(l->hub, &c->member);
    wsk_publisher_leave(c);
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
    if (c->posted) { /* to close ours would not be its end */
        shutdown(c->fd, SHUT_RDWR);
    }
    wsk_wheel_drop(c);
    if (!c->in_turn) {
        c->turn_next = l->dead;
        l->dead = c;
    }
}

static const char *const kinds[] = { [WSK_KIND_WS] = "websocket",
                                     [WSK_KIND_SSE] = "event-stream",
                                     [WSK_KIND_ECHO] = "echo",
                                     [WSK_KIND_PUBLISHER] = "publisher" };

/* By kind only who was counted by kind when it opened, so that the difference
 * is what is open. */
static void count_closed(wsk_loop_t *l, const wsk_conn_t *c)
{
    wsk_loop_count(l, c, WSK_C_closed, 1);
    wsk_loop_count(l, c, WSK_C_received_bytes, c->bytes_in);
    if (c->opened && c->feed) {
        wsk_loop_count(l, c, WSK_C_closed_feed, 1);
    }
    else if (c->opened && c->kind == WSK_KIND_SSE) {
        wsk_loop_count(l, c, WSK_C_closed_sse, 1);
    }
    if (c->opened && c->kind == WSK_KIND_PUBLISHER) {
        wsk_loop_count(l, c, WSK_C_closed_publisher, 1);
    }
}

void wsk_life_log(wsk_loop_t *l, const wsk_end_t *end)
{
    const site_view_t *v = end->site < wsk_site_count(l->spec.seg)
                               ? wsk_turn_view(l, end->site)
                               : NULL;
    const wsk_session_end_t words = {
        .site_key = v ? v->spec.key : "-",
        .kind = kinds[end->kind % WSK_COUNT_OF(kinds)],
        .code = end->code,
        .lived_ms = end->lived_ms,
        .bytes_in = end->bytes_in,
        .bytes_out = end->bytes_out
    };

    if (l->spec.is_keeper) {
        wsk_ends_put(l->spec.seg, l->slot, end);
    }
    else {
        l->spec.ended(l->spec.baton, &words);
    }
}

void wsk_life_bury(wsk_loop_t *l)
{
    wsk_conn_t *c;

    while ((c = l->dead) != NULL) {
        const wsk_end_t end = { .site = c->site,
                                .kind = c->kind,
                                .code = c->close_code,
                                .lived_ms = (l->now_us - c->born_us) / 1000,
                                .bytes_in = c->bytes_in,
                                .bytes_out = c->bytes_out };

        l->dead = c->turn_next;
        wsk_conn_leave(c, l->spec.seg, l->slot);
        count_closed(l, c);
        wsk_life_log(l, &end);
        wsk_conn_drop(c);
        atomic_fetch_sub(&l->connections, 1);
    }
}
