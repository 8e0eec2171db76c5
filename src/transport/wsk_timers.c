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
    if (c->blocked_s && late(l, c->blocked_s + LOOP_STALL_S)) {
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
    if (c->exp_s && l->now_us / 1000000 >= c->exp_s + LOOP_EXPIRY_SLACK_S) {
        expired(l, c);
        return false;
    }
    return true;
}

static uint32_t next_due(const wsk_loop_t *l, const wsk_conn_t *c,
                         const wsk_limits_t *limits)
{
    uint32_t due = c->ping_s;
    int64_t life = c->exp_s + LOOP_EXPIRY_SLACK_S - l->now_us / 1000000;

    if (c->exp_s && life < (int64_t)LOOP_WHEEL) {
        due = WSK_MIN(due, l->now_s + (uint32_t)WSK_MAX(life, (int64_t)1));
    }
    if (c->kind != WSK_KIND_SSE && limits->idle_ms && !c->deaf) {
        due = WSK_MIN(due, c->heard_s + limits->idle_ms / 1000);
    }
    if (c->blocked_s) {
        due = WSK_MIN(due, c->blocked_s + LOOP_STALL_S);
    }
    if (c->kind == WSK_KIND_PUBLISHER) {
        due = WSK_MIN(due, l->now_s + 1); /* for its secret */
    }
    return due;
}

static const site_view_t *view_of(wsk_loop_t *l, const wsk_conn_t *c)
{
    return c->site == WSK_NO_SITE ? NULL : wsk_turn_view(l, c->site);
}

static const wsk_limits_t *limits_of(const site_view_t *v)
{
    static const wsk_limits_t echo = { .ping_ms = LOOP_ECHO_PING_S * 1000,
                                       .idle_ms = LOOP_ECHO_IDLE_S * 1000 };

    return v ? &v->spec.limits : &echo;
}

void wsk_timers_blocked(wsk_loop_t *l, wsk_conn_t *c)
{
    bool already = c->blocked_s != 0;

    c->blocked_s = WSK_MAX(l->now_s, 1u);
    if (!already && c->state == WSK_CONN_OPEN) {
        wsk_wheel_set(l, c, next_due(l, c, limits_of(view_of(l, c))));
    }
}

static void close_if_gone(wsk_loop_t *l, wsk_conn_t *c)
{
    l->looked_at++;
    if (c->state == WSK_CONN_OPEN && wsk_turn_gone(l, c)) {
        wsk_say_close(l, c, WSK_CLOSE_SITE, "site not found");
    }
    else if (l->spec.is_keeper && c->state == WSK_CONN_OPEN
             && c->kind != WSK_KIND_PUBLISHER
             && !wsk_hand_proved(l, c, wsk_turn_view(l, c->site))) {
        wsk_say_close(l, c, WSK_CLOSE_RESTART, "token revoked");
    }
}

static void visit_member(void *loop, wsk_member_t *m)
{
    close_if_gone(loop, (wsk_conn_t *)(void *)m);
}

/* Those of the site: its members, and its publishers, who are none. To close
 * one is no more than to queue that, so none leaves meanwhile. */
void wsk_timers_site_off(wsk_loop_t *l, uint32_t site)
{
    const site_view_t *v = wsk_turn_view(l, site);
    wsk_publisher_t *p, *next;

    wsk_hub_each(l->hub, site, visit_member, l);
    for (p = v ? v->publishers : NULL; p; p = next) {
        next = p->next;
        close_if_gone(l, p->conn);
    }
}

void wsk_timers_tick(wsk_loop_t *l, wsk_conn_t *c)
{
    const site_view_t *v = view_of(l, c);
    const wsk_limits_t *limits = limits_of(v);

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
    if ((c->kind == WSK_KIND_PUBLISHER && !wsk_publisher_check(l, c, v))
        || !still_good(l, c, limits)) {
        return;
    }
    if (late(l, c->ping_s)) {
        c->ping_s = l->now_s + WSK_MAX(limits->ping_ms / 1000, 1u);
        if (!wsk_conn_full(c)) {
            wsk_say_ping(l, c);
        }
        if (c->state != WSK_CONN_OPEN) {
            return; /* there was no memory for it, or nobody at the other end */
        }
    }
    wsk_wheel_set(l, c, next_due(l, c, limits));
}
