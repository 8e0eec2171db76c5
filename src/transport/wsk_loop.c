/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_loop_int.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256
#define INPUT 16384
#define READS 4 /* of one socket in one turn */

static int64_t clock_us(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void wsk_loop_count(wsk_loop_t *l, const wsk_conn_t *c, wsk_counter_e which,
                    uint64_t n)
{
    wsk_count(l->spec.seg, l->slot, c->site, which, n);
}

/* xorshift64*: spreads delays, nothing secret hangs on it. */
uint64_t wsk_loop_random(wsk_loop_t *l)
{
    l->random ^= l->random >> 12;
    l->random ^= l->random << 25;
    l->random ^= l->random >> 27;
    return l->random * UINT64_C(2685821657736338717);
}

site_view_t *wsk_loop_view(wsk_loop_t *l, uint32_t site)
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
        v->version = version;
    }
    return v;
}

void wsk_loop_activate(wsk_loop_t *l, site_view_t *v)
{
    if (!v->active) {
        v->active = true;
        v->next_active = NULL;
        *l->active_tail = v;
        l->active_tail = &v->next_active;
    }
}

void wsk_loop_write_soon(wsk_loop_t *l, wsk_conn_t *c)
{
    site_view_t *v;

    if (c->in_turn || c->want_write || c->state == WSK_CONN_DEAD) {
        return;
    }
    if (c->site == WSK_NO_SITE) {
        wsk_loop_write_now(l, c); /* echo: nobody to share a turn with */
        return;
    }
    v = wsk_loop_view(l, c->site);
    c->in_turn = true;
    c->turn_next = NULL;
    *v->turn_tail = c;
    v->turn_tail = &c->turn_next;
    wsk_loop_activate(l, v);
}

void wsk_loop_watch(wsk_loop_t *l, wsk_conn_t *c, bool write)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };

    if (write != c->want_write) {
        c->want_write = write;
        ev.events |= write ? EPOLLOUT : 0;
        epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &ev);
    }
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

void wsk_loop_write_now(wsk_loop_t *l, wsk_conn_t *c)
{
    uint64_t sends = 0, bytes = 0;
    wsk_io_e io = wsk_conn_flush(c, &sends, &bytes);

    wsk_loop_count(l, c, WSK_C_sends, sends);
    wsk_loop_count(l, c, WSK_C_sent_bytes, bytes);
    if (io == WSK_IO_GONE) {
        wsk_loop_kill(l, c);
        return;
    }
    if (io == WSK_IO_AGAIN) {
        if (bytes || !c->wrote_s) {
            c->wrote_s = l->now_s;
        }
        wsk_loop_watch(l, c, true);
        return;
    }
    c->wrote_s = 0;
    wsk_loop_watch(l, c, false);
    last_words_out(c);
    if (c->member.replaying && c->state == WSK_CONN_OPEN) {
        while (wsk_hub_replay(l->hub, &c->member)) {
        }
        if (c->out) {
            wsk_loop_write_soon(l, c);
        }
    }
}

void wsk_loop_timer(wsk_loop_t *l, wsk_conn_t *c, uint32_t due_s)
{
    uint32_t in = due_s > l->now_s ? due_s - l->now_s : 1;
    wsk_conn_t **bucket =
        &l->wheel[(l->now_s + WSK_MIN(in, WHEEL - 1u)) % WHEEL];

    if (c->timer_link) {
        *c->timer_link = c->timer_next;
        if (c->timer_next) {
            c->timer_next->timer_link = c->timer_link;
        }
    }
    c->timer_next = *bucket;
    c->timer_link = bucket;
    if (*bucket) {
        (*bucket)->timer_link = &c->timer_next;
    }
    *bucket = c;
}

/* Out of hub, poll and counts now; out of memory at the end of the turn, when
 * no list of the turn can name it any more. */
void wsk_loop_kill(wsk_loop_t *l, wsk_conn_t *c)
{
    if (c->state == WSK_CONN_DEAD) {
        return;
    }
    c->state = WSK_CONN_DEAD;
    wsk_hub_leave(l->hub, &c->member);
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, c->fd, NULL);
    if (c->timer_link) {
        *c->timer_link = c->timer_next;
        if (c->timer_next) {
            c->timer_next->timer_link = c->timer_link;
        }
        c->timer_link = NULL;
    }
    if (!c->in_turn) {
        c->turn_next = l->dead;
        l->dead = c;
    }
}

static const char *const kinds[] = { [WSK_KIND_WS] = "websocket",
                                     [WSK_KIND_SSE] = "event-stream",
                                     [WSK_KIND_ECHO] = "echo" };

static void bury(wsk_loop_t *l)
{
    wsk_conn_t *c;

    while ((c = l->dead) != NULL) {
        site_view_t *v = c->site == WSK_NO_SITE ? NULL
                                                : wsk_loop_view(l, c->site);
        wsk_session_end_t end = { .site_key = v ? v->spec.key : "-",
                                  .kind = kinds[c->kind],
                                  .code = c->close_code,
                                  .lived_ms = (l->now_us - c->born_us) / 1000,
                                  .bytes_in = c->bytes_in,
                                  .bytes_out = c->bytes_out };

        l->dead = c->turn_next;
        if (c->admitted) {
            wsk_site_leave(l->spec.seg, l->slot, c->site, c->address);
        }
        wsk_loop_count(l, c, WSK_C_closed, 1);
        wsk_loop_count(l, c, WSK_C_received_bytes, c->bytes_in);
        l->spec.ended(l->spec.baton, &end);
        wsk_conn_drop(c);
        atomic_fetch_sub(&l->connections, 1);
    }
}

static void adopt(wsk_loop_t *l, wsk_conn_t *c)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = c };

    c->born_us = l->now_us;
    c->heard_s = l->now_s;
    c->member.id = ((uint64_t)l->slot + 1) << 48 | ++l->next_id;
    c->grant = c->grant ? wsk_grant_intern(l->grants, c->grant) : NULL;
    if (!wsk_conn_own_ssl(c)
        || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0) {
        wsk_loop_kill(l, c);
        return;
    }
    wsk_loop_timer(l, c, l->now_s + 1);
    wsk_session_begin(l, c);
}

static void take_incoming(wsk_loop_t *l)
{
    wsk_conn_t *c, *next;
    uint64_t ignored;

    while (read(l->kick, &ignored, sizeof ignored) > 0) {
    }
    pthread_mutex_lock(&l->lock);
    c = l->incoming;
    l->incoming = NULL;
    pthread_mutex_unlock(&l->lock);
    for (; c; c = next) {
        next = c->turn_next;
        c->turn_next = NULL;
        adopt(l, c);
        if (l->draining && c->state == WSK_CONN_OPEN) {
            wsk_say_reconnect(l, c, (uint32_t)(wsk_loop_random(l) % 1000));
            wsk_say_close(l, c, WSK_CLOSE_RESTART, "restarting");
        }
    }
}

static void take_rings(wsk_loop_t *l)
{
    uint32_t sites[64];
    unsigned n, i;
    uint64_t ignored;
    ssize_t got = read(l->spec.bell.fds[l->slot], &ignored, sizeof ignored);

    (void)got;
    do {
        n = wsk_slot_take(l->spec.seg, l->slot, sites, WSK_COUNT_OF(sites));
        for (i = 0; i < n; i++) {
            site_view_t *v = wsk_loop_view(l, sites[i]);

            if (v) {
                v->rung = true;
                wsk_loop_activate(l, v);
                wsk_count(l->spec.seg, l->slot, sites[i], WSK_C_wakeups, 1);
            }
        }
    } while (n == WSK_COUNT_OF(sites));
}

static void read_conn(wsk_loop_t *l, wsk_conn_t *c)
{
    size_t n = 0;
    int i;

    for (i = 0; i < READS && c->state != WSK_CONN_DEAD; i++) {
        wsk_io_e io = wsk_conn_read(c, l->buf, INPUT, &n);

        if (io == WSK_IO_GONE) {
            wsk_loop_kill(l, c);
        }
        if (io != WSK_IO_OK) {
            return;
        }
        c->heard_s = l->now_s;
        if (c->state == WSK_CONN_OPEN) {
            wsk_session_input(l, c, l->buf, n);
        }
        if (n < INPUT && !c->ssl) {
            return;
        }
    }
    /* More may lie in the SSL object, which the poll does not see. */
    while (c->ssl && c->state != WSK_CONN_DEAD && SSL_pending(c->ssl) > 0
           && wsk_conn_read(c, l->buf, INPUT, &n) == WSK_IO_OK) {
        if (c->state == WSK_CONN_OPEN) {
            wsk_session_input(l, c, l->buf, n);
        }
    }
}

/* One site's turn: write a slice of what is queued; when nothing is, take the
 * next piece of its log. So a site with a crowd gets its messages in larger
 * writes, and others get their turn in between. */
static bool serve(wsk_loop_t *l, site_view_t *v)
{
    int i;

    if (!v->turn && v->rung) {
        v->rung = wsk_hub_pump(l->hub, v->number);
    }
    for (i = 0; i < SLICE && v->turn; i++) {
        wsk_conn_t *c = v->turn;

        v->turn = c->turn_next;
        if (!v->turn) {
            v->turn_tail = &v->turn;
        }
        c->in_turn = false;
        if (c->state == WSK_CONN_DEAD) {
            c->turn_next = l->dead;
            l->dead = c;
        }
        else {
            wsk_loop_write_now(l, c);
        }
    }
    return v->turn || v->rung;
}

static void serve_sites(wsk_loop_t *l)
{
    site_view_t *v = l->active, *next;

    l->active = NULL;
    l->active_tail = &l->active;
    for (; v; v = next) {
        next = v->next_active;
        v->active = false;
        if (serve(l, v)) {
            wsk_loop_activate(l, v);
        }
    }
}

static void every_second(wsk_loop_t *l)
{
    wsk_conn_t **bucket, *c;
    uint32_t now = (uint32_t)(l->mono_ms / 1000);

    while (l->now_s < now) {
        l->now_s++;
        bucket = &l->wheel[l->now_s % WHEEL];
        c = *bucket;
        *bucket = NULL;
        while (c) {
            wsk_conn_t *next = c->timer_next;

            c->timer_link = NULL;
            c->timer_next = NULL;
            if (next) {
                next->timer_link = NULL;
            }
            wsk_timers_tick(l, c);
            c = next;
        }
        wsk_slot_sweep(l->spec.seg);
        wsk_log_tidy(l->spec.seg, l->now_us);
    }
}

static void handle(wsk_loop_t *l, const struct epoll_event *ev)
{
    wsk_conn_t *c = ev->data.ptr;

    if (!c) {
        take_rings(l);
    }
    else if (ev->data.ptr == l) {
        take_incoming(l);
    }
    else if (c->state != WSK_CONN_DEAD) {
        if (ev->events & EPOLLOUT) {
            wsk_loop_write_now(l, c);
        }
        if (c->state != WSK_CONN_DEAD && ev->events & ~(uint32_t)EPOLLOUT) {
            read_conn(l, c);
        }
    }
}

static int wait_ms(const wsk_loop_t *l)
{
    if (l->active || l->dead) {
        return 0;
    }
    return l->draining ? 10 : (int)(1000 - l->mono_ms % 1000);
}

static void turn(wsk_loop_t *l)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(l->epoll, events, EVENTS, wait_ms(l)), i;

    l->now_us = clock_us(CLOCK_REALTIME);
    l->mono_ms = clock_us(CLOCK_MONOTONIC) / 1000;
    for (i = 0; i < n; i++) {
        handle(l, &events[i]);
    }
    every_second(l);
    serve_sites(l);
    bury(l);
}

static bool enter(wsk_loop_t *l)
{
    struct epoll_event ev = { .events = EPOLLIN };
    int slot;

    l->now_us = clock_us(CLOCK_REALTIME);
    l->mono_ms = clock_us(CLOCK_MONOTONIC) / 1000;
    l->now_s = (uint32_t)(l->mono_ms / 1000);
    slot = wsk_slot_claim(l->spec.seg, WSK_SLOT_CHILD, l->spec.pid,
                          l->spec.generation, l->now_us);
    if (slot < 0) {
        return false;
    }
    l->slot = (unsigned)slot;
    l->hub = wsk_hub_make(l->spec.seg, l->slot, &wsk_sink_ops, l);
    if (l->hub) {
        if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->spec.bell.fds[slot], &ev)
            == 0) {
            return true;
        }
        wsk_hub_free(l->hub);
    }
    wsk_slot_release(l->spec.seg, l->slot);
    return false;
}

static void leave(wsk_loop_t *l)
{
    uint32_t i;

    take_incoming(l);
    for (i = 0; i < WHEEL; i++) {
        while (l->wheel[i]) {
            wsk_loop_kill(l, l->wheel[i]);
        }
    }
    serve_sites(l);
    bury(l);
    wsk_hub_free(l->hub);
    wsk_slot_release(l->spec.seg, l->slot);
}

static void *run(void *baton)
{
    wsk_loop_t *l = baton;

    if (!enter(l)) {
        atomic_store(&l->state, 2);
        return NULL;
    }
    atomic_store(&l->state, 1);
    for (;;) {
        turn(l);
        if (atomic_load(&l->stop) && !l->draining) {
            wsk_drain_begin(l);
        }
        if (l->draining && wsk_drain_step(l)) {
            break;
        }
    }
    leave(l);
    atomic_store(&l->state, 3);
    return NULL;
}

/* Starting and stopping, from other threads. */

static bool prepare(wsk_loop_t *l)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = l };

    l->buf = malloc(INPUT);
    l->views = calloc(wsk_segment_spec(l->spec.seg)->sites, sizeof *l->views);
    l->grants = wsk_grant_table_make();
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (getrandom(&l->random, sizeof l->random, 0) < 0 || !l->random) {
        l->random = (uint64_t)l->spec.pid + 1;
    }
    return l->buf && l->views && l->grants && l->epoll >= 0 && l->kick >= 0
           && epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->kick, &ev) == 0;
}

static void dispose(wsk_loop_t *l)
{
    uint32_t i;

    for (i = 0; l->views && i < wsk_segment_spec(l->spec.seg)->sites; i++) {
        if (l->views[i]) {
            OPENSSL_cleanse(&l->views[i]->spec, sizeof l->views[i]->spec);
            free(l->views[i]);
        }
    }
    if (l->grants) {
        wsk_grant_table_free(l->grants);
    }
    if (l->epoll >= 0) {
        close(l->epoll);
    }
    if (l->kick >= 0) {
        close(l->kick);
    }
    free(l->views);
    free(l->buf);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

wsk_loop_t *wsk_loop_start(const wsk_loop_spec_t *spec)
{
    wsk_loop_t *l = calloc(1, sizeof *l);
    struct timespec nap = { .tv_nsec = 1000000 };
    sigset_t all, before;
    int failed;

    if (!l) {
        return NULL;
    }
    l->spec = *spec;
    l->active_tail = &l->active;
    pthread_mutex_init(&l->lock, NULL);
    if (!prepare(l)) {
        dispose(l);
        return NULL;
    }
    /* prefork's handlers run cleanups in whichever thread they hit. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&l->thread, NULL, run, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        dispose(l);
        return NULL;
    }
    while (atomic_load(&l->state) == 0) {
        nanosleep(&nap, NULL);
    }
    if (atomic_load(&l->state) == 2) {
        pthread_join(l->thread, NULL);
        dispose(l);
        return NULL;
    }
    return l;
}

unsigned wsk_loop_slot(const wsk_loop_t *loop)
{
    return loop->slot;
}

bool wsk_loop_has_room(const wsk_loop_t *l)
{
    return !atomic_load(&l->stop)
           && atomic_load(&l->connections) < l->spec.max_connections;
}

static void kick(wsk_loop_t *l)
{
    uint64_t one = 1;
    ssize_t n = write(l->kick, &one, sizeof one);

    (void)n;
}

void wsk_loop_give(wsk_loop_t *l, wsk_conn_t *c)
{
    atomic_fetch_add(&l->connections, 1);
    pthread_mutex_lock(&l->lock);
    c->turn_next = l->incoming;
    l->incoming = c;
    pthread_mutex_unlock(&l->lock);
    kick(l);
}

void wsk_loop_stop(wsk_loop_t *l, bool hurry)
{
    int want = hurry ? 2 : 1;

    if (atomic_load(&l->stop) < want) {
        atomic_store(&l->stop, want);
    }
    kick(l);
}

bool wsk_loop_done(const wsk_loop_t *l)
{
    return atomic_load(&l->state) == 3;
}

void wsk_loop_free(wsk_loop_t *l)
{
    wsk_conn_t *c;

    pthread_join(l->thread, NULL);
    while ((c = l->incoming) != NULL) { /* given when the thread had left */
        l->incoming = c->turn_next;
        wsk_conn_drop(c);
    }
    dispose(l);
}
