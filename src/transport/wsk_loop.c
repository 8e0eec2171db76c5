/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_loop_int.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_us(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

wsk_now_t wsk_loop_clocks(void)
{
    return (wsk_now_t){ clock_us(CLOCK_REALTIME),
                        clock_us(CLOCK_MONOTONIC) / 1000 };
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

/* Of the slot, of its term, of the loop: 11, 21 and 32 bits. */
uint64_t wsk_loop_id(wsk_loop_t *l)
{
    const uint64_t term = wsk_slot_term(l->spec.seg, l->slot) & 0x1fffff;

    return ((uint64_t)l->slot + 1) << 53 | term << 32 | ++l->next_id;
}

static void take_incoming(wsk_loop_t *l)
{
    wsk_conn_t *c, *next;
    uint64_t ignored;
    ssize_t got = read(l->kick, &ignored, sizeof ignored);

    (void)got;
    pthread_mutex_lock(&l->lock);
    c = l->incoming;
    l->incoming = NULL;
    pthread_mutex_unlock(&l->lock);
    for (; c; c = next) {
        next = c->turn_next;
        c->turn_next = NULL;
        wsk_life_begin(l, c);
        if (l->phase == PHASE_TELL && c->state == WSK_CONN_OPEN) {
            wsk_say_reconnect(l, c, (uint32_t)(wsk_loop_random(l) % 1000));
            wsk_say_close(l, c, WSK_CLOSE_RESTART, "restarting");
        }
    }
}

static void handle(wsk_loop_t *l, const struct epoll_event *ev)
{
    wsk_conn_t *c = ev->data.ptr;

    if (!c) {
        wsk_turn_take(l);
    }
    else if (ev->data.ptr == l) {
        take_incoming(l);
    }
    else if (ev->data.ptr == l->given) {
        wsk_hand_take(l);
    }
    else if (c->state != WSK_CONN_DEAD) {
        if (ev->events & EPOLLOUT) {
            wsk_turn_writable(l, c);
            if (c->site == WSK_NO_SITE) {
                wsk_life_hidden(l, c);
            }
        }
        if (c->state != WSK_CONN_DEAD && ev->events & ~(uint32_t)EPOLLOUT) {
            wsk_turn_read(l, c);
        }
    }
}

static int wait_ms(const wsk_loop_t *l)
{
    const int64_t step = l->counted ? WSK_COUNT_MS : WSK_SWEEP_MS;

    if (l->active || l->dead) {
        return 0;
    }
    if (l->draining) {
        return l->ngiven ? 1 : 10;
    }
    return (int)(step - l->mono_ms % step);
}

bool wsk_loop_step(wsk_loop_t *l, const struct epoll_event *events, int n,
                   const wsk_now_t *now)
{
    unsigned from = l->turn;
    int i;

    l->now_us = now->unix_us;
    l->mono_ms = now->mono_ms;
    l->turn++;
    /* The poll names them in the same order each time, and a site's turn to be
     * read may end before the last. Of more than it can name it goes on where it
     * was, and to count on beside that would be to stand still. */
    if (n == LOOP_EVENTS) {
        from = (unsigned)(wsk_loop_random(l) >> 33);
    }
    for (i = 0; i < n; i++) {
        handle(l, &events[(from + (unsigned)i) % (unsigned)n]);
    }
    wsk_wheel_turn(l);
    wsk_roster_sweep(l);
    wsk_roster_counts(l);
    wsk_turn_starved(l);
    wsk_turn_serve(l);
    wsk_life_bury(l);
    wsk_hand_listen(l, wsk_loop_has_room(l));
    if (atomic_load(&l->stop) && !l->draining) {
        wsk_drain_begin(l);
    }
    if (l->spec.is_keeper && wsk_keep_step(l)) {
        return true;
    }
    return l->draining && wsk_drain_step(l);
}

bool wsk_loop_enter(wsk_loop_t *l, const wsk_now_t *now)
{
    struct epoll_event ev = { .events = EPOLLIN };
    int slot;

    l->now_us = now->unix_us;
    l->mono_ms = now->mono_ms;
    l->now_s = (uint32_t)(l->mono_ms / 1000);
    slot = wsk_slot_claim(l->spec.seg,
                          l->spec.is_keeper ? WSK_SLOT_KEEPER : WSK_SLOT_CHILD,
                          l->spec.pid, l->spec.generation, l->now_us);
    if (slot < 0) {
        return false;
    }
    l->slot = (unsigned)slot;
    if (!l->spec.is_keeper) {
        l->leave_mark = wsk_segment_marked(l->spec.seg, WSK_MARK_LEAVE);
    }
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

void wsk_loop_leave(wsk_loop_t *l)
{
    uint32_t i;

    wsk_hand_abandon(l);
    take_incoming(l);
    for (i = 0; i < LOOP_WHEEL; i++) {
        while (l->wheel[i]) {
            wsk_life_kill(l, l->wheel[i]);
        }
    }
    do {
        wsk_turn_serve(l);
    } while (l->active);
    wsk_life_bury(l);
    wsk_hub_free(l->hub);
    wsk_slot_release(l->spec.seg, l->slot);
}

void wsk_loop_run(wsk_loop_t *l)
{
    struct epoll_event events[LOOP_EVENTS];
    wsk_now_t now;
    int n;

    do {
        n = epoll_wait(l->epoll, events, LOOP_EVENTS, wait_ms(l));
        now = wsk_loop_clocks();
    } while (!wsk_loop_step(l, events, n, &now));
}

static void *run(void *baton)
{
    wsk_loop_t *l = baton;
    wsk_now_t now = wsk_loop_clocks();

    if (!wsk_loop_enter(l, &now)) {
        atomic_store(&l->state, 2);
        return NULL;
    }
    atomic_store(&l->state, 1);
    wsk_loop_run(l);
    wsk_loop_leave(l);
    atomic_store(&l->state, 3);
    return NULL;
}

/* Starting and stopping, from other threads. */

static bool prepare(wsk_loop_t *l)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = l };

    l->buf = malloc(LOOP_INPUT);
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

void wsk_loop_dispose(wsk_loop_t *l)
{
    wsk_conn_t *c;
    uint32_t i;

    while ((c = l->incoming) != NULL) { /* given when the thread had left */
        l->incoming = c->turn_next;
        wsk_conn_leave(c, l->spec.seg, l->slot);
        wsk_conn_drop(c);
    }
    for (i = 0; l->views && i < wsk_segment_spec(l->spec.seg)->sites; i++) {
        if (l->views[i]) {
            OPENSSL_cleanse(&l->views[i]->spec, sizeof l->views[i]->spec);
            free(l->views[i]);
        }
    }
    for (i = 0; i < WSK_COUNT_OF(l->places); i++) {
        if (l->places[i].slab) {
            wsk_slab_unref(l->places[i].slab);
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

wsk_loop_t *wsk_loop_make(const wsk_loop_spec_t *spec)
{
    wsk_loop_t *l = calloc(1, sizeof *l);

    if (!l) {
        return NULL;
    }
    l->spec = *spec;
    l->active_tail = l->fresh_tail = &l->active;
    pthread_mutex_init(&l->lock, NULL);
    if (!prepare(l)) {
        wsk_loop_dispose(l);
        return NULL;
    }
    return l;
}

wsk_loop_t *wsk_loop_start(const wsk_loop_spec_t *spec)
{
    wsk_loop_t *l = wsk_loop_make(spec);
    struct timespec nap = { .tv_nsec = 1000000 };
    sigset_t all, before;
    int failed;

    if (!l) {
        return NULL;
    }
    /* prefork's handlers run cleanups in whichever thread they hit. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    failed = pthread_create(&l->thread, NULL, run, l);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) {
        wsk_loop_dispose(l);
        return NULL;
    }
    while (atomic_load(&l->state) == 0) {
        nanosleep(&nap, NULL);
    }
    if (atomic_load(&l->state) == 2) {
        pthread_join(l->thread, NULL);
        wsk_loop_dispose(l);
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

uint32_t wsk_loop_full_at(const wsk_loop_t *l)
{
    return atomic_load(&l->connections) < l->spec.max_connections
               ? 0
               : l->spec.max_connections;
}

static void kick(wsk_loop_t *l)
{
    uint64_t one = 1;
    ssize_t n = write(l->kick, &one, sizeof one);

    (void)n;
}

void wsk_loop_give(wsk_loop_t *l, wsk_conn_t *c)
{
    bool first;

    atomic_fetch_add(&l->connections, 1);
    pthread_mutex_lock(&l->lock);
    first = !l->incoming;
    c->turn_next = l->incoming;
    l->incoming = c;
    pthread_mutex_unlock(&l->lock);
    if (first) { /* else the loop has yet to take those before it */
        kick(l);
    }
}

void wsk_loop_stop(wsk_loop_t *l, bool hurry)
{
    int want = hurry ? 2 : 1;

    if (atomic_load(&l->stop) < want) {
        atomic_store(&l->stop, want);
    }
    kick(l);
}

void wsk_loop_alone(wsk_loop_t *l)
{
    atomic_store(&l->alone, true);
    kick(l);
}

bool wsk_loop_done(const wsk_loop_t *l)
{
    return atomic_load(&l->state) == 3;
}

void wsk_loop_join(wsk_loop_t *l)
{
    if (!l->joined) {
        pthread_join(l->thread, NULL);
        l->joined = true;
    }
}

void wsk_loop_free(wsk_loop_t *l)
{
    wsk_loop_join(l);
    wsk_loop_dispose(l);
}
