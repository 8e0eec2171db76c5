/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timer wheel: a bucket for each second, and every connection in one.
 */
#include "transport/wsk_loop_int.h"

void wsk_wheel_drop(wsk_conn_t *c)
{
    if (c->timer_link) {
        *c->timer_link = c->timer_next;
        if (c->timer_next) {
            c->timer_next->timer_link = c->timer_link;
        }
        c->timer_link = NULL;
    }
}

void wsk_wheel_set(wsk_loop_t *l, wsk_conn_t *c, uint32_t due_s)
{
    uint32_t in = due_s > l->now_s ? due_s - l->now_s : 1;
    wsk_conn_t **bucket =
        &l->wheel[(l->now_s + WSK_MIN(in, LOOP_WHEEL - 1u)) % LOOP_WHEEL];

    wsk_wheel_drop(c);
    if (c->state == WSK_CONN_DEAD) {
        return; /* it may have been found gone by who sets this */
    }
    c->timer_next = *bucket;
    c->timer_link = bucket;
    if (*bucket) {
        (*bucket)->timer_link = &c->timer_next;
    }
    *bucket = c;
}

void wsk_wheel_turn(wsk_loop_t *l)
{
    wsk_conn_t **bucket, *c;
    uint32_t now = (uint32_t)(l->mono_ms / 1000);

    while (l->now_s < now) {
        l->now_s++;
        bucket = &l->wheel[l->now_s % LOOP_WHEEL];
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
        wsk_roster_tick(l);
        wsk_log_tidy(l->spec.seg, l->now_us);
        wsk_turn_take(l); /* who tells us may die before it rings */
    }
}
