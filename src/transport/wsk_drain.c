/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaving. While a reload reads the configuration everything goes on as it was;
 * when the next generation is there, connections go over to it; who cannot is
 * told when to come back, each at a time of its own, and gets what was published
 * until then.
 */
#include <unistd.h>

#include "transport/wsk_loop_int.h"

/* Of the drain, the part in which clients are told; the rest is theirs to
 * answer in. */
#define TELL_PART 60 /* per cent */
#define HURRY_MS 300
#define LATE_MS 1500   /* after the end, for a loop that was late itself */
#define RETURN_MS 2000 /* clients come back spread over this, or the drain */

/* Without a reload: siblings that stop too have said so after the first; after
 * the second it is the end of all. */
#define SIBLING_MS 200
#define ALONE_MS 500
/* So long who can go is kept for a successor that is there, but busy: since the
 * last one went, and altogether. */
#define HAND_MS 2000
#define HAND_MAX_MS 10000
/* Children of a later generation, but none of them in our segment: the first may
 * be just about to come. */
#define STRANGERS_MS 3000
#define WAIT_MAX_MS 60000
/* When the last request is served, for a turn in which nothing is left to do. */
#define FORK_MAX_MS 10000

static void begin_phase(wsk_loop_t *l, phase_e phase)
{
    l->phase = phase;
    l->drain_from_ms = l->mono_ms;
    l->drain_until_ms = l->mono_ms + l->spec.drain_ms;
    l->moved_ms = l->mono_ms;
    l->ready_ms = l->strangers_ms = 0;
    l->drain_total = atomic_load(&l->connections);
}

void wsk_drain_begin(wsk_loop_t *l)
{
    l->draining = true;
    wsk_slot_stopping(l->spec.seg, l->slot);
    wsk_hand_listen(l, false);
    l->keeps = !l->spec.is_keeper && !l->spec.unsure
               && l->spec.lifeline.by != WSK_LIFELINE_NONE;
    l->alone_ms = 0;
    l->wait_from_ms = l->mono_ms;
    begin_phase(l, l->spec.door ? PHASE_WAIT : PHASE_TELL);
}

static void tell(wsk_loop_t *l, wsk_conn_t *c)
{
    uint32_t spread = WSK_MAX((uint32_t)RETURN_MS, l->spec.drain_ms);

    c->told = true;
    if (wsk_turn_gone(l, c)) { /* nowhere to come back to */
        wsk_say_close(l, c, WSK_CLOSE_SITE, "site not found");
    }
    else if (c->kind == WSK_KIND_PUBLISHER
             && !wsk_publisher_check(l, c, wsk_turn_view(l, c->site))) {
        return;
    }
    else if (c->state == WSK_CONN_OPEN) {
        while (c->member.replaying && wsk_hub_replay(l->hub, &c->member)) {
        }
        wsk_loop_count(l, c, WSK_C_drained, 1);
        wsk_say_reconnect(l, c, 100 + (uint32_t)(wsk_loop_random(l) % spread));
        wsk_say_close(l, c, WSK_CLOSE_RESTART, "restarting");
    }
}

/* Tell `n` more, going round the timer wheel, which holds everybody. */
static void tell_some(wsk_loop_t *l, uint32_t n)
{
    uint32_t i;

    for (i = 0; i < LOOP_WHEEL && n; i++) {
        wsk_conn_t *c = l->wheel[i], *next;

        for (; c && n; c = next) {
            next = c->timer_next;
            if (!c->told && !wsk_keep_may(l, c)
                && (l->phase == PHASE_TELL || wsk_hand_stays(c))) {
                tell(l, c);
                l->drain_told++;
                n--;
            }
        }
    }
}

/* Whom no keeper would have either. */
static bool is_gone(wsk_loop_t *l, const wsk_conn_t *c)
{
    const site_view_t *v = wsk_turn_view(l, c->site);

    return !v || wsk_turn_gone(l, c) || !wsk_hand_proved(l, c, v);
}

/* Offer those who can go, while there is room. @return how many have yet to be
 * told that they cannot
 * @param going  receives how many have yet to go
 * @param kept   and how many are for a keeper */
static uint32_t offer_all(wsk_loop_t *l, uint32_t *going, uint32_t *kept)
{
    uint32_t i, stay = 0;
    bool full = false;

    *going = *kept = 0;
    for (i = 0; i < LOOP_WHEEL; i++) {
        wsk_conn_t *c = l->wheel[i], *next;

        for (; c; c = next) {
            next = c->timer_next;
            if (wsk_keep_may(l, c)) {
                c->stays = is_gone(l, c);
                *kept += !c->stays;
                stay += c->stays;
            }
            else if (!c->told
                     && (wsk_hand_stays(c) || full
                         || !wsk_hand_offer(l, c, &full))) {
                stay += wsk_hand_stays(c);
                *going += !wsk_hand_stays(c);
            }
        }
    }
    *going += l->ngiven;
    return stay;
}

static bool parent_gone(const wsk_loop_t *l)
{
    return l->spec.parent && getppid() != l->spec.parent;
}

static wsk_heirs_e heirs_after(const wsk_loop_t *l, uint64_t generation)
{
    return l->spec.heirs ? l->spec.heirs((uint32_t)generation)
                         : WSK_HEIRS_MAY_COME;
}

/* Before the children of one reload could take over, the next one began: they
 * leave, too. */
static bool again(const wsk_loop_t *l)
{
    const uint64_t read = wsk_segment_marked(l->spec.seg, WSK_MARK_READ);

    return read > l->spec.generation
           && read < wsk_segment_marked(l->spec.seg, WSK_MARK_RELOAD)
           && heirs_after(l, read) != WSK_HEIRS_RUN;
}

/* Who takes over comes as soon as the parent may make children. @return whether
 * to wait on */
static bool may_come(wsk_loop_t *l)
{
    const wsk_heirs_e heirs = heirs_after(l, l->spec.generation);

    if (parent_gone(l) || l->mono_ms - l->wait_from_ms >= WAIT_MAX_MS) {
        return false;
    }
    if (again(l)) {
        l->strangers_ms = l->ready_ms = 0;
        return true;
    }
    if (heirs == WSK_HEIRS_RUN) {
        l->strangers_ms = l->strangers_ms ? l->strangers_ms : l->mono_ms;
        return l->mono_ms - l->strangers_ms < STRANGERS_MS;
    }
    if (wsk_segment_marked(l->spec.seg, WSK_MARK_READ) <= l->spec.generation) {
        return true; /* the configuration is being read */
    }
    l->ready_ms = l->ready_ms ? l->ready_ms : l->mono_ms;
    return l->mono_ms - l->ready_ms < (int64_t)(heirs == WSK_HEIRS_NO_PLACE
                                                    ? l->spec.hold_ms
                                                    : l->spec.wait_ms);
}

static bool is_reload(const wsk_loop_t *l)
{
    return wsk_segment_marked(l->spec.seg, WSK_MARK_RELOAD)
           > l->spec.generation;
}

static bool has_successor(const wsk_loop_t *l)
{
    return wsk_slot_successor(l->spec.seg, l->slot,
                              l->spec.generation + (is_reload(l) ? 1 : 0));
}

static void wait_for_successor(wsk_loop_t *l)
{
    const bool reload = is_reload(l);
    const int64_t waited = l->mono_ms - l->drain_from_ms;

    if (!reload && waited < SIBLING_MS) {
        return;
    }
    if (has_successor(l)) {
        begin_phase(l, PHASE_HAND);
    }
    else if (!reload && l->spec.unsure) {
        atomic_store(&l->stop, 2);
    }
    else if (reload ? !may_come(l) : waited >= ALONE_MS) {
        begin_phase(l, PHASE_TELL);
    }
}

/* Whoever was to take them is gone: wait for the next, while all goes on. */
static void wait_again(wsk_loop_t *l)
{
    wsk_hand_withdraw(l, false);
    begin_phase(l, PHASE_WAIT);
}

static void tell_all(wsk_loop_t *l)
{
    const unsigned offered = l->ngiven;

    l->phase = PHASE_TELL;
    l->keeps = false;
    wsk_hand_withdraw(l, true);
    if (l->ngiven == offered) { /* else they hear first what came meanwhile */
        tell_some(l, UINT32_MAX);
    }
}

/* Those who found no other process by now are told; who is for a keeper waits. */
static void strand_all(wsk_loop_t *l)
{
    wsk_conn_t *c;
    uint32_t i;

    wsk_hand_withdraw(l, true);
    for (i = 0; i < LOOP_WHEEL; i++) {
        for (c = l->wheel[i]; c; c = c->timer_next) {
            c->stays |= !wsk_keep_may(l, c);
        }
    }
    tell_some(l, UINT32_MAX);
}

static bool hand_is_over(const wsk_loop_t *l, int64_t gone)
{
    return l->mono_ms - l->moved_ms >= HAND_MS || gone >= HAND_MAX_MS;
}

/* When all else has gone. Who floods us must not keep the child, and its place in
 * the scoreboard, for ever: then those who wait for a keeper are told.
 * @return whether they go on waiting */
static bool keep_in_time(wsk_loop_t *l, bool others)
{
    if (!atomic_load(&l->alone)) {
        return true;
    }
    l->alone_ms = l->alone_ms ? l->alone_ms : l->mono_ms;
    if (!others && !l->active) {
        wsk_keep_fork(l);
    }
    else if (l->mono_ms - l->alone_ms >= FORK_MAX_MS) {
        l->keeps = false;
    }
    return l->keeps;
}

/* In each step, of all who are to be told, as many as time has passed. */
static void tell_in_time(wsk_loop_t *l)
{
    const int64_t tell_ms = (int64_t)l->spec.drain_ms * TELL_PART / 100;
    const int64_t gone = l->mono_ms - l->drain_from_ms;
    uint32_t want, going = 0, kept = 0;

    if (l->phase == PHASE_HAND) {
        wsk_hand_settle(l);
        l->drain_total = l->drain_told + offer_all(l, &going, &kept);
        if (kept && !keep_in_time(l, going > 0)) {
            kept = 0;
        }
    }
    if (kept) { /* until no request is served here any more */
        l->drain_until_ms = WSK_MAX(l->drain_until_ms,
                                    l->mono_ms + l->spec.drain_ms);
    }
    if (gone >= tell_ms && (!going || hand_is_over(l, gone))) {
        if (!kept) {
            tell_all(l);
            return;
        }
        strand_all(l);
    }
    if (going) { /* if they are told in the end, it is theirs to answer in */
        l->drain_until_ms = WSK_MAX(l->drain_until_ms,
                                    l->mono_ms + l->spec.drain_ms - tell_ms);
    }
    want = gone >= tell_ms ? l->drain_total
                           : (uint32_t)((uint64_t)l->drain_total
                                        * (uint64_t)gone / (uint64_t)tell_ms);
    tell_some(l, want > l->drain_told ? want - l->drain_told : 0);
}

bool wsk_drain_step(wsk_loop_t *l)
{
    bool hurry;

    if (l->phase == PHASE_WAIT && atomic_load(&l->stop) != 2) {
        wsk_hand_settle(l); /* who is held by one that is gone, or not yet */
        wait_for_successor(l);
    }
    hurry = atomic_load(&l->stop) == 2;
    if (l->phase == PHASE_HAND && !hurry && !has_successor(l)) {
        wait_again(l);
    }
    if (hurry
        && (l->phase == PHASE_WAIT
            || l->drain_until_ms > l->mono_ms + HURRY_MS)) {
        l->drain_until_ms = l->mono_ms + HURRY_MS;
    }
    if (hurry) {
        tell_all(l);
    }
    else if (l->phase != PHASE_WAIT) {
        tell_in_time(l);
    }
    if (atomic_load(&l->connections) == 0
        || (l->phase != PHASE_WAIT
            && l->mono_ms >= l->drain_until_ms + LATE_MS)) {
        return true;
    }
    return l->phase != PHASE_WAIT && l->mono_ms >= l->drain_until_ms
           && !l->active;
}
