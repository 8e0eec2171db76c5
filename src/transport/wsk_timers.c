/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection's deadlines: closing, write stall, silence, token, ping.
 */
#include <string.h>

#include "transport/wsk_loop_int.h"

static bool late(const wsk_loop_t *l, uint32_t due_s)
{
    return (int32_t)(l->now_s - due_s) >= 0;
}

static void expired(wsk_loop_t *l, wsk_conn_t *c)
{
    wsk_sse_event_t ev = { .event = { "wps.expired", 11 },
                           .data = { "{}", 2 },
                           .retry_ms = -1 };

    wsk_loop_count(l, c, WSK_C_expired_closed, 1);
    if (c->kind == WSK_KIND_SSE) {
        wsk_say_event(l, c, &ev);
    }
    wsk_say_close(l, c, WSK_CLOSE_TOKEN, "token expired");
}

/* @return whether it goes on */
static bool still_good(wsk_loop_t *l, wsk_conn_t *c, const wsk_limits_t *limits)
{
    if (c->wrote_s && late(l, c->wrote_s + STALL_S)) {
        wsk_loop_count(l, c, WSK_C_stalled_closed, 1);
        wsk_life_kill(l, c);
        return false;
    }
    if (c->kind != WSK_KIND_SSE && limits->idle_ms && !c->deaf
        && late(l, c->heard_s + limits->idle_ms / 1000)) {
        wsk_loop_count(l, c, WSK_C_idle_closed, 1);
        wsk_say_close(l, c, WSK_CLOSE_AWAY, "nothing heard");
        return false;
    }
    if (c->exp_s && l->now_us / 1000000 >= c->exp_s + EXPIRY_SLACK_S) {
        expired(l, c);
        return false;
    }
    return true;
}

static uint32_t next_due(const wsk_loop_t *l, const wsk_conn_t *c,
                         const wsk_limits_t *limits)
{
    uint32_t due = c->ping_s;
    int64_t life = c->exp_s + EXPIRY_SLACK_S - l->now_us / 1000000;

    if (c->exp_s && life < (int64_t)WHEEL) {
        due = WSK_MIN(due, l->now_s + (uint32_t)WSK_MAX(life, (int64_t)1));
    }
    if (c->kind != WSK_KIND_SSE && limits->idle_ms && !c->deaf) {
        due = WSK_MIN(due, c->heard_s + limits->idle_ms / 1000);
    }
    if (c->wrote_s) {
        due = WSK_MIN(due, c->wrote_s + STALL_S);
    }
    return due;
}

void wsk_timers_tick(wsk_loop_t *l, wsk_conn_t *c)
{
    static const wsk_limits_t echo = { .ping_ms = 20000, .idle_ms = 60000 };
    const site_view_t *v = c->site == WSK_NO_SITE ? NULL
                                                  : wsk_turn_view(l, c->site);
    const wsk_limits_t *limits = v ? &v->spec.limits : &echo;

    if (c->state == WSK_CONN_CLOSING) {
        if (late(l, c->due_s)) {
            wsk_life_kill(l, c);
            return;
        }
        wsk_wheel_set(l, c, c->due_s);
        return;
    }
    if (wsk_turn_gone(l, c)) {
        wsk_say_close(l, c, WSK_CLOSE_SITE, "site not found");
        return;
    }
    if (!still_good(l, c, limits)) {
        return;
    }
    if (late(l, c->ping_s)) {
        if (!wsk_conn_full(c)) {
            wsk_say_ping(l, c);
        }
        c->ping_s = l->now_s + WSK_MAX(limits->ping_ms / 1000, 1u);
    }
    wsk_wheel_set(l, c, next_due(l, c, limits));
}

static void close_gone(wsk_loop_t *l)
{
    uint32_t i;

    for (i = 0; i < WHEEL; i++) {
        wsk_conn_t *c = l->wheel[i], *next;

        for (; c; c = next) {
            next = c->timer_next;
            if (c->state == WSK_CONN_OPEN && wsk_turn_gone(l, c)) {
                wsk_say_close(l, c, WSK_CLOSE_SITE, "site not found");
            }
        }
    }
}

void wsk_timers_look(wsk_loop_t *l)
{
    const uint32_t known = wsk_site_count(l->spec.seg);
    bool changed = false;
    uint32_t i;

    for (i = 0; i < known; i++) {
        site_view_t *v = l->views[i];

        if (v && v->looked != wsk_site_version(l->spec.seg, i)) {
            v->looked = wsk_turn_view(l, i)->version;
            changed = true;
        }
    }
    if (changed) {
        close_gone(l);
    }
}
